/** The objects of a fleet as the API server has them; every one of them is a day old. */

export const now = '2026-03-02T12:00:00Z'
const before = '2026-03-01T12:00:00Z'
const nodeClassRef = { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }

/** A condition that holds. */
const isTrue = (type: string) => ({ type, status: 'True', reason: type, message: '', lastTransitionTime: before })

/** A NodePool of what is sold, that consolidates at once within its budget. */
export const nodePool = (capacityTypes: ReadonlyArray<string>, budget: string): object => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default', uid: 'pool', creationTimestamp: before },
  spec: {
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s',
      budgets: [{ nodes: budget }],
    },
    template: {
      spec: {
        expireAfter: 'Never',
        nodeClassRef,
        requirements: [
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: capacityTypes },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
        ],
      },
    },
  },
  status: { conditions: ['NodeClassReady', 'Ready', 'ValidationSucceeded'].map(isTrue) },
})

export interface Machine {
  readonly name: string
  /** What its type says of it. */
  readonly labels: Readonly<Record<string, string | undefined>>
  readonly zone: string | undefined
  readonly capacityType: string
  readonly capacity: Readonly<Record<string, string>>
  readonly allocatable: Readonly<Record<string, string>>
}

/** The NodeClaim and the Node of a machine that has long been initialized. */
export const machine = ({
  name,
  zone,
  capacityType,
  capacity,
  allocatable,
  ...rest
}: Machine): ReadonlyArray<object> => {
  const providerID = `kwok://${name}`
  const labels = {
    ...rest.labels,
    'karpenter.kwok.sh/kwoknodeclass': 'default',
    'karpenter.sh/capacity-type': capacityType,
    'karpenter.sh/nodepool': 'default',
    'topology.kubernetes.io/zone': zone,
  }
  return [
    {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { name: `${name}-claim`, uid: `claim-${name}`, creationTimestamp: before, labels },
      spec: { nodeClassRef, requirements: [], expireAfter: 'Never' },
      status: {
        capacity,
        allocatable,
        nodeName: name,
        providerID,
        conditions: ['Launched', 'Registered', 'Initialized', 'Consolidatable'].map(isTrue),
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
      status: {
        capacity,
        allocatable,
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: before }],
      },
    },
  ]
}

export interface RunningPod {
  readonly name: string
  readonly nodeName: string
  /** The ReplicaSet that it is of. */
  readonly app: string
  readonly cpuMilli: number
  readonly memoryMi: number
  /** Its app is spread over the zones with this skew. */
  readonly maxSkew?: number | undefined
  /** It must not be moved. */
  readonly isHeld?: boolean
}

export const runningPod = ({
  name,
  nodeName,
  app,
  cpuMilli,
  memoryMi,
  maxSkew,
  isHeld = false,
}: RunningPod): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'default',
    name,
    uid: name,
    creationTimestamp: before,
    labels: { app },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: app, uid: app, controller: true }],
    ...(isHeld && { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }),
  },
  spec: {
    nodeName,
    containers: [
      { name: 'app', image: 'app', resources: { requests: { cpu: `${cpuMilli}m`, memory: `${memoryMi}Mi` } } },
    ],
    ...(maxSkew !== undefined && {
      topologySpreadConstraints: [
        {
          maxSkew,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app } },
        },
      ],
    }),
  },
  status: {
    phase: 'Running',
    startTime: before,
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Ready', status: 'True' },
    ],
  },
})
