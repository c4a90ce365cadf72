import type { BootedMachine, BootedNode } from '@scantling/simulation/testing'
import { providerIdOf } from '../src/resource-id/index.ts'
import { machineType, type Resource, type World } from './emulator/index.ts'

const vmType = 'Microsoft.Compute/virtualMachines'

/** What a machine is told of itself as a node. */
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

const nodeOf = (world: World, resource: Resource, kubernetesVersion: string): BootedNode => {
  const config = resource.type === machineType ? configOfMachine(resource) : configOfVm(resource)
  const size = world.sizes.find(({ name }) => name === config.size)
  const [zone] = resource.zones ?? []
  return {
    name: config.name,
    providerId: providerIdOf(config.vmId),
    instanceType: config.size,
    region: world.location,
    zone: zone === undefined ? '0' : `${world.location}-${zone}`,
    architecture: size?.arch === 'Arm64' ? 'arm64' : 'amd64',
    labels: config.labels,
    taints: config.taints.map(taintOf),
    capacity: {
      cpu: String(size?.vCPUs ?? 1),
      memory: `${Math.floor((size?.memoryGB ?? 1) * 1024 * 0.93)}Mi`,
      'ephemeral-storage': '100Gi',
      pods: String(config.maxPods),
      ...(size?.gpus !== undefined && { 'nvidia.com/gpu': String(size.gpus) }),
    },
    kubeletVersion: `v${kubernetesVersion}`,
  }
}

/** The VMs and machines that are made, with what they were told of themselves; their images are of this version. */
export const bootedMachines = async (world: World, kubernetesVersion: string): Promise<ReadonlyArray<BootedMachine>> =>
  [...world.resources.values()]
    .filter((resource) => (resource.type === vmType || resource.type === machineType) && isMade(world, resource))
    .map((resource) => ({ id: resource.id, node: () => nodeOf(world, resource, kubernetesVersion) }))

const isMade = (world: World, resource: Resource): boolean => world.stateOf(resource) === 'Succeeded'
