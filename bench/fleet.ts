/** A cluster to take nodes away from, as a scenario: packed fleets leave consolidation nothing to find. */
export interface FleetOptions {
  readonly nodes: number
  readonly podsPerNode: number
  /** Every so many nodes, one is left with two pods; 0: none, so that every node has to be looked at in vain. */
  readonly sparseEvery: number
}

const zones = ['test-zone-a', 'test-zone-b', 'test-zone-c', 'test-zone-d']
const apps = 20
const now = '2026-03-02T12:00:00Z'
const before = '2026-03-01T12:00:00Z'

/** A condition that holds. */
export const isTrue = (type: string, lastTransitionTime = before) => ({
  type,
  status: 'True',
  reason: type,
  message: '',
  lastTransitionTime,
})

/** A NodePool of what is sold, that consolidates at once within its budget. */
export const mixedPool = ({
  before: creationTimestamp,
  capacityTypes,
  budget,
}: {
  readonly before: string
  readonly capacityTypes: ReadonlyArray<string>
  readonly budget: string
}) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default', uid: 'pool', creationTimestamp },
  spec: {
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s',
      budgets: [{ nodes: budget }],
    },
    template: {
      spec: {
        expireAfter: 'Never',
        nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: capacityTypes },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
        ],
      },
    },
  },
  status: {
    conditions: ['NodeClassReady', 'Ready', 'ValidationSucceeded'].map((type) => isTrue(type, creationTimestamp)),
  },
})

const nodePool = mixedPool({ before, capacityTypes: ['on-demand'], budget: '100%' })

const machine = (index: number): ReadonlyArray<object> => {
  const name = `node-${String(index).padStart(5, '0')}`
  const providerID = `kwok://${name}`
  const labels = {
    'karpenter.kwok.sh/instance-cpu': '4',
    'karpenter.kwok.sh/instance-family': 't3',
    'karpenter.kwok.sh/instance-memory': '16384',
    'karpenter.kwok.sh/instance-size': 'xlarge',
    'karpenter.kwok.sh/kwoknodeclass': 'default',
    'karpenter.sh/capacity-type': 'on-demand',
    'karpenter.sh/nodepool': 'default',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/os': 'linux',
    'node.kubernetes.io/instance-type': 't3.xlarge',
    'topology.kubernetes.io/region': 'test-region',
    'topology.kubernetes.io/zone': zones[index % zones.length],
  }
  const resources = {
    capacity: { cpu: '4', 'ephemeral-storage': '20Gi', memory: '15892Mi', pods: '58' },
    allocatable: { cpu: '3928m', 'ephemeral-storage': '17Gi', memory: '14899Mi', pods: '58' },
  }
  return [
    {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { name: `${name}-claim`, uid: `claim-${name}`, creationTimestamp: before, labels },
      spec: { nodeClassRef: nodePool.spec.template.spec.nodeClassRef, requirements: [], expireAfter: 'Never' },
      status: {
        ...resources,
        nodeName: name,
        providerID,
        conditions: ['Launched', 'Registered', 'Initialized', 'Consolidatable'].map((type) => isTrue(type)),
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        uid: `node-${name}`,
        creationTimestamp: before,
        labels: {
          ...labels,
          'karpenter.sh/registered': 'true',
          'karpenter.sh/initialized': 'true',
          'kubernetes.io/hostname': name,
        },
      },
      spec: { providerID },
      status: { ...resources, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: before }] },
    },
  ]
}

const pod = (node: number, slot: number, podsPerNode: number): object => {
  const app = `app-${(node * 7 + slot * 3) % apps}`
  const name = `pod-${String(node).padStart(5, '0')}-${slot}`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'default',
      name,
      uid: name,
      creationTimestamp: before,
      labels: { app },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: app, uid: app, controller: true }],
    },
    spec: {
      nodeName: `node-${String(node).padStart(5, '0')}`,
      containers: [
        {
          name: 'app',
          image: 'app',
          resources: { requests: { cpu: `${(450 * 8) / podsPerNode}m`, memory: `${(1600 * 8) / podsPerNode}Mi` } },
        },
      ],
      topologySpreadConstraints: [
        {
          maxSkew: 2,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app } },
        },
      ],
    },
    status: {
      phase: 'Running',
      startTime: before,
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
    },
  }
}

/** t3.xlarge nodes over four zones with pods of twenty apps, each spread over the zones with a skew of two. */
export const fleet = ({ nodes, podsPerNode, sparseEvery }: FleetOptions): object => {
  const objects: Array<object> = [nodePool]
  for (let node = 0; node < nodes; node += 1) {
    objects.push(...machine(node))
    const isSparse = sparseEvery > 0 && node % sparseEvery === 0
    for (let slot = 0; slot < (isSparse ? Math.ceil(podsPerNode / 4) : podsPerNode); slot += 1) {
      objects.push(pod(node, slot, podsPerNode))
    }
  }
  return { version: 1, name: `fleet-${nodes}`, kind: 'disrupt', now, catalog: 'ec2', objects }
}
