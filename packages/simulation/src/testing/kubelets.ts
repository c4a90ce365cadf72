import { resource, type Face } from '@scantling/kube-sim'
import { Cancelled, type Clock } from '@scantling/provider-kit'

/** A machine that has booted. */
export interface BootedMachine {
  readonly id: string
  /** What its boot data makes of it. */
  readonly node: () => BootedNode
}

/** What a kubelet registers its machine with. */
export interface BootedNode {
  readonly name: string
  readonly providerId: string
  readonly instanceType: string
  readonly region: string
  readonly zone: string
  readonly architecture: 'amd64' | 'arm64'
  readonly labels: Readonly<Record<string, string>>
  readonly taints: ReadonlyArray<{ readonly key: string; readonly value?: string; readonly effect: string }>
  readonly capacity: Readonly<Record<string, string>>
  readonly kubeletVersion: string
}

const nodes = resource('v1', 'nodes')
// kube-sim's kubelet keeps Nodes with this mark alive.
const fake = { 'kwok.x-k8s.io/node': 'fake' }

/** Registers the machines of an emulated cloud as their kubelets would, each once; `everyMs` is how often it looks for them. */
export const runKubelets = ({
  clock,
  face,
  machines,
  everyMs,
}: {
  readonly clock: Clock
  readonly face: Face
  readonly machines: () => Promise<ReadonlyArray<BootedMachine>>
  readonly everyMs: number
}): { readonly stop: () => Promise<void> } => {
  const registered = new Set<string>()
  const registerNew = async () => {
    for (const { id, node } of await machines()) {
      if (registered.has(id)) continue
      registered.add(id)
      await register(face, node())
    }
  }
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await registerNew().catch((cause: unknown) => process.stderr.write(`kubelets: ${String(cause)}\n`))
      await clock.sleep(everyMs, stopping.signal)
    }
  })().catch((cause: unknown) => {
    if (!(cause instanceof Cancelled)) throw cause
  })
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

const register = (face: Face, node: BootedNode) =>
  face.create(nodes, {
    metadata: {
      name: node.name,
      annotations: fake,
      labels: {
        ...node.labels,
        ...fake,
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/arch': node.architecture,
        'kubernetes.io/os': 'linux',
        'node.kubernetes.io/instance-type': node.instanceType,
        'topology.kubernetes.io/region': node.region,
        'topology.kubernetes.io/zone': node.zone,
      },
    },
    spec: {
      providerID: node.providerId,
      taints: [...node.taints, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
    },
    status: {
      capacity: node.capacity,
      allocatable: node.capacity,
      nodeInfo: {
        kubeletVersion: node.kubeletVersion,
        architecture: node.architecture,
        operatingSystem: 'linux',
      },
    },
  })
