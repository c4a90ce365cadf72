import { resource, type Face } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { providerIdOf } from '../../src/resource-id/index.ts'
import { machineType, type Resource, type World } from '../emulator/index.ts'

const nodes = resource('v1', 'nodes')
const everyMs = 250
// kube-sim's kubelet keeps Nodes with this mark alive.
const fake = { 'kwok.x-k8s.io/node': 'fake' }
const vmType = 'Microsoft.Compute/virtualMachines'

interface NodeConfig {
  readonly name: string
  readonly vmId: string
  readonly size: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: ReadonlyArray<string>
  readonly maxPods: number
}

/** What a VM does with its custom data: reads the variables that the script exports. */
const configOfVm = (vm: Resource): NodeConfig => {
  const script = Buffer.from(String(vm.properties['bootData'] ?? ''), 'base64').toString('utf8')
  const variable = (name: string) => new RegExp(`^${name}='(.*)'$`, 'm').exec(script)?.[1] ?? ''
  const flag = (name: string) => new RegExp(`--${name}=(\\S*)`).exec(variable('KUBELET_FLAGS'))?.[1] ?? ''
  const { vmSize = '' } = vm.properties['hardwareProfile'] as { readonly vmSize?: string }
  return {
    name: vm.name,
    vmId: vm.id,
    size: vmSize,
    labels: pairsIn(variable('KUBELET_NODE_LABELS')),
    taints: flag('register-with-taints')
      .split(',')
      .filter((taint) => taint !== ''),
    maxPods: Number(flag('max-pods')),
  }
}

/** What AKS makes of a machine. */
const configOfMachine = (machine: Resource): NodeConfig => {
  const { hardware, kubernetes, resourceId } = machine.properties as {
    readonly hardware: { readonly vmSize: string }
    readonly resourceId: string
    readonly kubernetes: {
      readonly nodeLabels?: Readonly<Record<string, string>>
      readonly nodeInitializationTaints?: ReadonlyArray<string>
      readonly maxPods?: number
    }
  }
  return {
    name: resourceId.slice(resourceId.lastIndexOf('/') + 1),
    vmId: resourceId,
    size: hardware.vmSize,
    labels: kubernetes.nodeLabels ?? {},
    taints: kubernetes.nodeInitializationTaints ?? [],
    maxPods: kubernetes.maxPods ?? 250,
  }
}

const pairsIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const equals = pair.indexOf('=')
      return equals < 0 ? [] : [[pair.slice(0, equals), pair.slice(equals + 1)]]
    }),
  )

const taintOf = (text: string) => {
  const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text) ?? []
  return { key, effect, ...(value !== undefined && value !== '' && { value }) }
}

/** Registers the emulator's VMs and machines as their kubelets would, from what they were told. */
export const runKubelets = (world: World, face: Face): { readonly stop: () => Promise<void> } => {
  let isStopping = false
  const registered = new Set<string>()
  const register = async (resourceId: string, zone: string | undefined, config: NodeConfig) => {
    registered.add(resourceId)
    const size = world.sizes.find(({ name }) => name === config.size)
    const arch = size?.arch === 'Arm64' ? 'arm64' : 'amd64'
    const capacity = {
      cpu: String(size?.vCPUs ?? 1),
      memory: `${Math.floor((size?.memoryGB ?? 1) * 1024 * 0.93)}Mi`,
      'ephemeral-storage': '100Gi',
      pods: String(config.maxPods),
      ...(size?.gpus !== undefined && { 'nvidia.com/gpu': String(size.gpus) }),
    }
    await face.create(nodes, {
      metadata: {
        name: config.name,
        annotations: fake,
        labels: {
          ...config.labels,
          ...fake,
          'kubernetes.io/hostname': config.name,
          'kubernetes.io/arch': arch,
          'kubernetes.io/os': 'linux',
          'node.kubernetes.io/instance-type': config.size,
          'topology.kubernetes.io/region': world.location,
          'topology.kubernetes.io/zone': zone === undefined ? '0' : `${world.location}-${zone}`,
        },
      },
      spec: {
        providerID: providerIdOf(config.vmId),
        taints: [...config.taints.map(taintOf), { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
      },
      status: {
        capacity,
        allocatable: capacity,
        nodeInfo: { kubeletVersion: 'v1.34.2', architecture: arch, operatingSystem: 'linux' },
      },
    })
  }
  const once = async () => {
    for (const one of [...world.resources.values()]) {
      const isMachine = one.type === machineType
      if ((one.type !== vmType && !isMachine) || registered.has(one.id) || world.stateOf(one) !== 'Succeeded') continue
      await register(one.id, one.zones?.[0], isMachine ? configOfMachine(one) : configOfVm(one))
    }
  }
  const running = (async () => {
    while (!isStopping) {
      await once().catch((cause: unknown) => process.stderr.write(`kubelets: ${String(cause)}\n`))
      await systemClock.sleep(everyMs)
    }
  })()
  return {
    stop: async () => {
      isStopping = true
      await running
    },
  }
}
