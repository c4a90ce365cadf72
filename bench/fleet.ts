import { machine, nodePool, now, runningPod } from './fleet-objects.ts'

/** A cluster to take nodes away from, as a scenario: packed fleets leave consolidation nothing to find. */
export interface FleetOptions {
  readonly nodes: number
  readonly podsPerNode: number
  /** Every so many nodes, one is left with two pods; 0: none, so that every node has to be looked at in vain. */
  readonly sparseEvery: number
}

const zones = ['test-zone-a', 'test-zone-b', 'test-zone-c', 'test-zone-d']
const apps = 20
const nameOf = (index: number) => `node-${String(index).padStart(5, '0')}`

const xlarge = (index: number): ReadonlyArray<object> =>
  machine({
    name: nameOf(index),
    labels: {
      'karpenter.kwok.sh/instance-cpu': '4',
      'karpenter.kwok.sh/instance-family': 't3',
      'karpenter.kwok.sh/instance-memory': '16384',
      'karpenter.kwok.sh/instance-size': 'xlarge',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/os': 'linux',
      'node.kubernetes.io/instance-type': 't3.xlarge',
      'topology.kubernetes.io/region': 'test-region',
    },
    zone: zones[index % zones.length],
    capacityType: 'on-demand',
    capacity: { cpu: '4', 'ephemeral-storage': '20Gi', memory: '15892Mi', pods: '58' },
    allocatable: { cpu: '3928m', 'ephemeral-storage': '17Gi', memory: '14899Mi', pods: '58' },
  })

const pod = (node: number, slot: number, podsPerNode: number): object =>
  runningPod({
    name: `pod-${String(node).padStart(5, '0')}-${slot}`,
    nodeName: nameOf(node),
    app: `app-${(node * 7 + slot * 3) % apps}`,
    cpuMilli: (450 * 8) / podsPerNode,
    memoryMi: (1600 * 8) / podsPerNode,
    maxSkew: 2,
  })

/** t3.xlarge nodes over four zones with pods of twenty apps, each spread over the zones with a skew of two. */
export const fleet = ({ nodes, podsPerNode, sparseEvery }: FleetOptions): object => {
  const objects: Array<object> = [nodePool(['on-demand'], '100%')]
  for (let node = 0; node < nodes; node += 1) {
    objects.push(...xlarge(node))
    const isSparse = sparseEvery > 0 && node % sparseEvery === 0
    for (let slot = 0; slot < (isSparse ? Math.ceil(podsPerNode / 4) : podsPerNode); slot += 1) {
      objects.push(pod(node, slot, podsPerNode))
    }
  }
  return { version: 1, name: `fleet-${nodes}`, kind: 'disrupt', now, catalog: 'ec2', objects }
}
