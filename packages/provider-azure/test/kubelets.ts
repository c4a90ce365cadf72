import { resource, type Face } from '@scantling/kube-sim'
import type { VirtualClock } from '@scantling/provider-kit'
import { nodeGroup, type Resource, type World } from './emulator/index.ts'

const nodes = resource('v1', 'nodes')
const everyMs = 1_000
// kube-sim's kubelet keeps Nodes with this mark alive.
const fake = { 'kwok.x-k8s.io/node': 'fake' }

/** What the custom data of a VM exports to its scripts. */
const variablesIn = (customData: string): ReadonlyMap<string, string> =>
  new Map(
    [
      ...Buffer.from(customData, 'base64')
        .toString('utf8')
        .matchAll(/^([A-Z_]+)='(.*)'$/gm),
    ].map(([, name = '', value = '']) => [name, value]),
  )

const labelsIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair.includes('='))
      .map((pair) => pair.split('=') as [string, string]),
  )

const taintsIn = (flags: string) =>
  (/--register-with-taints=(\S+)/.exec(flags)?.[1] ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map((text) => {
      const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(.*)$/.exec(text) ?? []
      return { key, effect, ...(value !== undefined && { value }) }
    })

/** Registers VMs as their kubelets would, from their custom data, once they are made. */
export const runKubelets = (world: World, face: Face, clock: VirtualClock): { readonly stop: () => void } => {
  const registered = new Set<string>()
  let cancel = () => undefined as void
  const register = async (vm: Resource) => {
    registered.add(vm.name)
    const { bootData, hardwareProfile } = vm.properties as {
      readonly bootData?: string
      readonly hardwareProfile?: { readonly vmSize?: string }
    }
    const variables = variablesIn(bootData ?? '')
    const size = world.sizes.find(({ name }) => name === hardwareProfile?.vmSize)
    const zone = vm.zones?.[0]
    const capacity = {
      cpu: String(size?.vCPUs ?? 2),
      memory: `${Math.floor((size?.memoryGB ?? 8) * 1024 * 0.95)}Mi`,
      'ephemeral-storage': '120Gi',
      pods: '110',
    }
    await face.create(nodes, {
      metadata: {
        name: vm.name,
        annotations: fake,
        labels: {
          ...labelsIn(variables.get('KUBELET_NODE_LABELS') ?? ''),
          ...fake,
          'kubernetes.io/hostname': vm.name,
          'kubernetes.io/arch': size?.arch === 'Arm64' ? 'arm64' : 'amd64',
          'kubernetes.io/os': 'linux',
          'node.kubernetes.io/instance-type': size?.name ?? '',
          'topology.kubernetes.io/region': world.location,
          'topology.kubernetes.io/zone': zone === undefined ? '0' : `${world.location}-${zone}`,
        },
      },
      spec: {
        providerID: `azure://${vm.id.replace(nodeGroup, nodeGroup.toLowerCase())}`,
        taints: [
          ...taintsIn(variables.get('KUBELET_FLAGS') ?? ''),
          { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
        ],
      },
      status: {
        capacity,
        allocatable: capacity,
        nodeInfo: { kubeletVersion: 'v1.33.5', architecture: 'amd64', operatingSystem: 'linux' },
      },
    })
  }
  const look = async () => {
    for (const vm of world.list(nodeGroup, 'Microsoft.Compute/virtualMachines'))
      if (!registered.has(vm.name) && world.stateOf(vm) === 'Succeeded') await register(vm)
    arm()
  }
  const arm = () => {
    cancel = clock.setTimer(everyMs, () => void look())
  }
  arm()
  return { stop: () => cancel() }
}
