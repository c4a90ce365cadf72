import { resource, type Face } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { parse } from 'yaml'
import { findText, textOf, type Element, type Emulator } from '../emulator/index.ts'

const nodes = resource('v1', 'nodes')
const everyMs = 250
// kube-sim's kubelet keeps Nodes with this mark alive.
const fake = { 'kwok.x-k8s.io/node': 'fake' }

interface NodeConfig {
  readonly spec: {
    readonly kubelet: {
      readonly config: {
        readonly maxPods?: number
        readonly registerWithTaints?: ReadonlyArray<{
          readonly key: string
          readonly value?: string
          readonly effect: string
        }>
      }
      readonly flags?: ReadonlyArray<string>
    }
  }
}

/** What a machine of AL2023 does with its user data: reads its NodeConfig, which is the last part. */
const nodeConfigOf = (userData: string): NodeConfig => {
  const [, boundary = ''] = /boundary="([^"]+)"/.exec(userData) ?? []
  const parts = userData
    .split(`\n--${boundary}`)
    .filter((part) => /^\nContent-Type: application\/node.eks.aws/.test(part))
  const last = parts.at(-1) ?? ''
  return parse(last.slice(last.indexOf('\n\n'))) as NodeConfig
}

const labelsOf = ({ spec: { kubelet } }: NodeConfig): Readonly<Record<string, string>> => {
  const flag = kubelet.flags?.find((each) => each.startsWith('--node-labels=')) ?? ''
  const pairs = flag.slice('--node-labels='.length).replaceAll('"', '').split(',')
  return Object.fromEntries(
    pairs.filter((pair) => pair.includes('=')).map((pair) => pair.split('=') as [string, string]),
  )
}

/** Registers the emulator's machines as their kubelets would, from their user data, and takes Nodes away with their machines. */
export const runKubelets = (aws: Emulator, face: Face): { readonly stop: () => Promise<void> } => {
  let isStopping = false
  const registered = new Map<string, string>()
  const register = async (instance: Element) => {
    const id = textOf(instance, 'instanceId')
    const type = textOf(instance, 'instanceType')
    const zone = textOf(instance, 'placement', 'availabilityZone')
    const name = textOf(instance, 'privateDnsName')
    const config = nodeConfigOf(aws.userDataOf(id))
    const priced = aws.backend.types.get(type)
    const capacity = {
      cpu: String(priced?.vcpus ?? 1),
      memory: `${Math.floor((priced?.memoryMiB ?? 1024) * 0.93)}Mi`,
      'ephemeral-storage': '20Gi',
      pods: String(config.spec.kubelet.config.maxPods ?? 110),
    }
    registered.set(id, name)
    await face.create(nodes, {
      metadata: {
        name,
        annotations: fake,
        labels: {
          ...labelsOf(config),
          ...fake,
          'kubernetes.io/hostname': name,
          'kubernetes.io/arch': findText(instance, 'architecture') === 'arm64' ? 'arm64' : 'amd64',
          'kubernetes.io/os': 'linux',
          'node.kubernetes.io/instance-type': type,
          'topology.kubernetes.io/region': aws.region,
          'topology.kubernetes.io/zone': zone,
        },
      },
      spec: {
        providerID: `aws:///${zone}/${id}`,
        taints: [
          ...(config.spec.kubelet.config.registerWithTaints ?? []),
          { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
        ],
      },
      status: {
        capacity,
        allocatable: capacity,
        nodeInfo: { kubeletVersion: 'v1.34.2-eks-1', architecture: 'amd64', operatingSystem: 'linux' },
      },
    })
  }
  const once = async () => {
    const instances = await aws.instances()
    for (const instance of instances)
      if (
        textOf(instance, 'instanceState', 'name') === 'running' &&
        !registered.has(textOf(instance, 'instanceId')) &&
        aws.userDataOf(textOf(instance, 'instanceId')) !== ''
      )
        await register(instance)
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
