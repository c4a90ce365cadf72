import { labelKeys, type Instance, type Labels } from '@scantling/core'
import type { CloudInstance } from '../cloud/index.ts'

/** Provider ids are `kwok://NAME`, as the reference's are; the Node is named by their end (K-06, K-08). */
const prefix = 'kwok://'

export const providerIdOf = (name: string): string => prefix + name

/** The machine that a provider id names; `undefined` for another provider's. */
export const nameOf = (providerId: string): string | undefined =>
  providerId.startsWith(prefix) && providerId.length > prefix.length ? providerId.slice(prefix.length) : undefined

/** Tags by which a machine says whose it is. */
export const tagKeys = {
  cluster: 'kubernetes.io/cluster',
  nodePool: labelKeys.nodePool,
  nodeClaim: 'karpenter.sh/nodeclaim',
  nodeClass: 'karpenter.kwok.sh/kwoknodeclass',
} as const

/** On every Node that no kubelet stands behind, so that kwok takes care of it (K-07). */
export const kwokMarks = { node: 'kwok.x-k8s.io/node', partition: 'kwok-partition' } as const

const phases = {
  pending: 'pending',
  running: 'running',
  stopped: 'stopped',
  terminating: 'terminating',
  terminated: 'terminating',
} as const

/**
 * A machine of the cloud as the port has it.
 *
 * Its type and offering give the labels that a kubelet sets; what is added here is what kwok and eks-node-viewer read.
 */
export const instanceOf = (machine: CloudInstance): Instance => {
  const tag = (key: string) => (Object.hasOwn(machine.tags, key) ? machine.tags[key] : undefined)
  const nodePool = tag(tagKeys.nodePool)
  const nodeClass = tag(tagKeys.nodeClass)
  const nodeClaim = tag(tagKeys.nodeClaim)
  return {
    providerId: providerIdOf(machine.name),
    aliases: [machine.id],
    phase: phases[machine.state],
    launchedAtMs: machine.launchedAtMs,
    instanceType: machine.instanceType,
    zone: machine.zone,
    capacityType:
      machine.capacityType === 'spot' || machine.capacityType === 'reserved' ? machine.capacityType : 'on-demand',
    owner: {
      ...(nodePool !== undefined && { nodePool }),
      ...(nodeClass !== undefined && { nodeClass }),
      ...(nodeClaim !== undefined && { nodeClaim }),
    },
    labels: labelsOf(machine),
    annotations: { [kwokMarks.node]: 'fake' },
  }
}

const labelsOf = (machine: CloudInstance): Labels => ({
  [kwokMarks.node]: 'fake',
  [kwokMarks.partition]: 'a',
  'eks-node-viewer/instance-price': String(machine.pricePerHour),
})
