import { seededRandom } from '@scantling/controller'
import { Quantity } from '@scantling/core'

/** One question to a scheduler: does the pod find a place on these nodes beside these pods? */
export interface SchedulerCase {
  readonly id: string
  readonly nodes: ReadonlyArray<Manifest>
  /** Bound already. */
  readonly placed: ReadonlyArray<Manifest>
  readonly pod: Manifest
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** The namespaces that the pods of all cases are in, and their labels. */
export const caseNamespaces = ['here', 'there'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { team: name } },
}))

/** A runtime whose pods need more than their containers. */
export const runtimeClass = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'heavy' },
  handler: 'heavy',
  overhead: { podFixed: { cpu: '250m' } },
}

/** Every object of a case carries it; nobody but the case's own pod may go to its nodes. */
export const caseKey = 'case'

/** Draws of one case, each from the same stream. */
interface Dice {
  readonly chance: (share: number) => boolean
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  readonly count: (least: number, most: number) => number
}

const diceOf = (random: () => number): Dice => {
  const count = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  return {
    count,
    chance: (share) => random() < share,
    pick: (values) => {
      const value = values[count(0, values.length - 1)]
      if (value === undefined) throw new Error('nothing to pick from')
      return value
    },
  }
}

/**
 * Cases drawn from a seed: each a few small nodes, pods on them, and one pod more.
 *
 * They do not meet although they share a cluster: the pod selects the nodes of its case, selectors of pods select the
 * case, and topologies that reach beyond selected nodes have a key of the case's own.
 */
export const schedulerCases = (seed: number, count: number): ReadonlyArray<SchedulerCase> =>
  Array.from({ length: count }, (_, index) => {
    const dice = diceOf(seededRandom(seed * 1_000_003 + index))
    return schedulerCase(`c${seed}-${index}`, dice)
  })

const apps = ['web', 'db', 'cache']
const hostname = 'kubernetes.io/hostname'
const zone = 'topology.kubernetes.io/zone'
/** Counts nodes whatever the pod selects, so that other cases' nodes must not have it. */
const rackOf = (id: string) => `example.com/rack-${id}`
const gpu = 'example.com/gpu'
// Nobody sends heartbeats for these nodes; what the cluster thinks of that is not in question.
const anyHealth = ['not-ready', 'unreachable'].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: 'Exists',
}))

const schedulerCase = (id: string, dice: Dice): SchedulerCase => {
  const nodes = Array.from({ length: dice.count(1, 4) }, (_, index) => nodeOf(id, index, dice))
  const placed = nodes.flatMap((node, at) => {
    const pods = Array.from({ length: dice.count(0, 2) }, (_, index) =>
      podOf(`${id}-p${at}-${index}`, id, dice, { nodeName: node.metadata.name, isSimple: true }),
    )
    // A kubelet would turn away what its node has no room for.
    return pods.slice(0, roomFor(node, pods))
  })
  const pod = podOf(`${id}-pod`, id, dice, { isSimple: false })
  const whole = { id, nodes, placed, pod }
  return dice.chance(0.25) ? withRoomOn(dice.pick(nodes).metadata.name, whole) : whole
}

/** The case with all nodes but one full of pods: they count where pods are counted, and take none. */
export const withRoomOn = (name: string, one: SchedulerCase): SchedulerCase => ({
  ...one,
  nodes: one.nodes.map((node) => {
    if (node.metadata.name === name) return node
    const status = node['status'] as { readonly capacity: object; readonly allocatable: object }
    const present = one.placed.filter((pod) => (pod['spec'] as { nodeName: string }).nodeName === node.metadata.name)
    const pods = String(present.length)
    return {
      ...node,
      status: { ...status, capacity: { ...status.capacity, pods }, allocatable: { ...status.allocatable, pods } },
    }
  }),
})

const roomFor = (node: Manifest, pods: ReadonlyArray<Manifest>): number => {
  const { allocatable } = node['status'] as { readonly allocatable: { readonly cpu: string } }
  const cpuOf = (pod: Manifest) => {
    const { containers } = pod['spec'] as {
      readonly containers: ReadonlyArray<{ readonly resources: { readonly requests: { readonly cpu: string } } }>
    }
    return Quantity.toNumber(Quantity.of(containers[0]?.resources.requests.cpu ?? '0'))
  }
  let left = Quantity.toNumber(Quantity.of(allocatable.cpu))
  const isTooMuch = (pod: Manifest) => (left -= cpuOf(pod)) < 0
  const first = pods.findIndex(isTooMuch)
  return first < 0 ? pods.length : first
}

const nodeOf = (id: string, index: number, dice: Dice): Manifest => {
  const name = `${id}-n${index}`
  const taints: Array<object> = []
  if (dice.chance(0.15)) taints.push({ key: 'dedicated', value: dice.pick(['a', 'b']), effect: 'NoSchedule' })
  if (dice.chance(0.08)) taints.push({ key: 'soft', value: 'x', effect: 'PreferNoSchedule' })
  if (dice.chance(0.06)) taints.push({ key: 'leave', effect: 'NoExecute' })
  const isCordoned = dice.chance(0.06)
  if (isCordoned) taints.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })
  const amounts = {
    cpu: dice.pick(['1', '2', '4']),
    memory: dice.pick(['2Gi', '4Gi', '8Gi']),
    'ephemeral-storage': '10Gi',
    pods: dice.pick(['2', '3', '10', '110']),
    ...(dice.chance(0.3) ? { [gpu]: dice.pick(['1', '2']) } : {}),
  }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        [caseKey]: id,
        [hostname]: name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': dice.pick(['amd64', 'amd64', 'arm64']),
        ...(dice.chance(0.97) ? { [zone]: dice.pick(['a', 'b', 'c']) } : {}),
        ...(dice.chance(0.97) ? { [rackOf(id)]: dice.pick(['r1', 'r2']) } : {}),
        ...(dice.chance(0.6) ? { size: dice.pick(['1', '3', '9', 'large']) } : {}),
      },
    },
    spec: { providerID: `test://${name}`, taints, ...(isCordoned ? { unschedulable: true } : {}) },
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message: '' }],
    },
  }
}

interface PodDraw {
  readonly nodeName?: string
  /** Placed pods ask for little, and of constraints have those alone that keep others away. */
  readonly isSimple: boolean
}

const podOf = (name: string, id: string, dice: Dice, { nodeName, isSimple }: PodDraw): Manifest => {
  const labels = {
    [caseKey]: id,
    app: dice.pick(apps),
    ...(dice.chance(0.4) ? { version: dice.pick(['1', '2']) } : {}),
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: dice.chance(0.85) ? 'here' : 'there', labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      ...(nodeName === undefined ? { nodeSelector: { [caseKey]: id, ...selectorOf(dice) } } : { nodeName }),
      tolerations: [...anyHealth, ...(isSimple ? [{ operator: 'Exists' }] : tolerationsOf(dice))],
      ...containersOf(dice, isSimple),
      ...(isSimple
        ? antiAffinityAlone(id, dice)
        : {
            ...affinityOf(id, dice),
            ...spreadOf(id, dice),
            ...(dice.chance(0.1)
              ? { runtimeClassName: runtimeClass.metadata.name, overhead: runtimeClass.overhead.podFixed }
              : {}),
          }),
    },
  }
}

const selectorOf = (dice: Dice) => ({
  ...(dice.chance(0.2) ? { 'kubernetes.io/arch': dice.pick(['amd64', 'arm64']) } : {}),
  ...(dice.chance(0.1) ? { [zone]: dice.pick(['a', 'b', 'd']) } : {}),
})

const tolerationsOf = (dice: Dice): ReadonlyArray<object> => [
  ...(dice.chance(0.3)
    ? [{ key: 'dedicated', operator: 'Equal', value: dice.pick(['a', 'b']), effect: 'NoSchedule' }]
    : []),
  ...(dice.chance(0.15) ? [{ key: 'dedicated', operator: 'Exists' }] : []),
  ...(dice.chance(0.1) ? [{ key: 'leave', operator: 'Exists', effect: 'NoExecute' }] : []),
  ...(dice.chance(0.1) ? [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] : []),
  ...(dice.chance(0.05) ? [{ operator: 'Exists' }] : []),
]

const containersOf = (dice: Dice, isSimple: boolean) => {
  const image = 'pause'
  const requestsOf = () =>
    isSimple
      ? { cpu: dice.pick(['100m', '500m', '1']), memory: dice.pick(['64Mi', '1Gi']) }
      : {
          ...(dice.chance(0.9) ? { cpu: dice.pick(['100m', '500m', '1', '1500m', '2', '3.5']) } : {}),
          ...(dice.chance(0.7) ? { memory: dice.pick(['64Mi', '1Gi', '3G', '4096Mi', '6Gi']) } : {}),
          ...(dice.chance(0.08) ? { 'ephemeral-storage': dice.pick(['1Gi', '11Gi']) } : {}),
        }
  const extended = !isSimple && dice.chance(0.08) ? { [gpu]: '1' } : {}
  const ports = dice.chance(isSimple ? 0.2 : 0.15)
    ? [
        {
          containerPort: 80,
          hostPort: dice.pick([8080, 8081]),
          protocol: dice.pick(['TCP', 'TCP', 'UDP']),
          ...(dice.chance(0.3) ? { hostIP: dice.pick(['127.0.0.1', '10.0.0.1']) } : {}),
        },
      ]
    : []
  const main = {
    name: 'main',
    image,
    ports,
    resources: { requests: { ...requestsOf(), ...extended }, limits: extended },
  }
  const second = { name: 'second', image, resources: { requests: requestsOf() } }
  const init = [
    { name: 'prepare', image, resources: { requests: requestsOf() } },
    { name: 'sidecar', image, restartPolicy: 'Always', resources: { requests: { cpu: '200m' } } },
    { name: 'last', image, resources: { requests: requestsOf() } },
  ]
  return {
    containers: !isSimple && dice.chance(0.2) ? [main, second] : [main],
    ...(!isSimple && dice.chance(0.15) ? { initContainers: init.slice(dice.count(0, 2)) } : {}),
  }
}

/** `matchLabelKeys` name none of the selector's own keys. */
const selectionOf = (id: string, dice: Dice, byKeys: number) => {
  const labelSelector = selectorFor(id, dice)
  const isFree = !JSON.stringify(labelSelector).includes('version')
  return { labelSelector, ...(isFree && dice.chance(byKeys) ? { matchLabelKeys: ['version'] } : {}) }
}

const selectorFor = (id: string, dice: Dice) => ({
  matchLabels: { [caseKey]: id, ...(dice.chance(0.8) ? { app: dice.pick(apps) } : {}) },
  ...(dice.chance(0.2)
    ? {
        matchExpressions: [
          dice.pick([
            { key: 'version', operator: 'Exists' },
            { key: 'version', operator: 'DoesNotExist' },
            { key: 'version', operator: 'In', values: ['1'] },
            { key: 'app', operator: 'NotIn', values: ['cache'] },
          ]),
        ],
      }
    : {}),
})

const termOf = (id: string, dice: Dice) => ({
  topologyKey: dice.pick([hostname, zone, rackOf(id)]),
  ...selectionOf(id, dice, 0.08),
  ...(dice.chance(0.15) ? { namespaces: dice.pick([['here'], ['there'], ['here', 'there']]) } : {}),
  ...(dice.chance(0.1) ? { namespaceSelector: dice.pick([{}, { matchLabels: { team: 'there' } }]) } : {}),
})

const antiAffinityAlone = (id: string, dice: Dice) =>
  dice.chance(0.15)
    ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [termOf(id, dice)] } } }
    : {}

const expressionOf = (dice: Dice) =>
  dice.pick([
    { key: 'size', operator: 'In', values: ['1', '3'] },
    { key: 'size', operator: 'NotIn', values: ['9'] },
    { key: 'size', operator: 'Exists' },
    { key: 'size', operator: 'DoesNotExist' },
    { key: 'size', operator: 'Gt', values: ['2'] },
    { key: 'size', operator: 'Lt', values: ['5'] },
    { key: zone, operator: 'In', values: ['a', 'b'] },
    { key: zone, operator: 'NotIn', values: ['a'] },
    { key: 'kubernetes.io/arch', operator: 'NotIn', values: ['arm64'] },
  ])

const affinityOf = (id: string, dice: Dice) => {
  const nodeTerms = Array.from({ length: dice.count(1, 2) }, () => ({
    matchExpressions: Array.from({ length: dice.count(1, 2) }, () => expressionOf(dice)),
  }))
  const affinity = {
    ...(dice.chance(0.25)
      ? {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: nodeTerms },
            ...(dice.chance(0.3)
              ? {
                  preferredDuringSchedulingIgnoredDuringExecution: [
                    { weight: 10, preference: { matchExpressions: [expressionOf(dice)] } },
                  ],
                }
              : {}),
          },
        }
      : {}),
    ...(dice.chance(0.15)
      ? {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: Array.from({ length: dice.chance(0.2) ? 2 : 1 }, () =>
              termOf(id, dice),
            ),
          },
        }
      : {}),
    ...(dice.chance(0.15)
      ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [termOf(id, dice)] } }
      : dice.chance(0.05)
        ? {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: termOf(id, dice) }],
            },
          }
        : {}),
  }
  return Object.keys(affinity).length === 0 ? {} : { affinity }
}

const spreadOf = (id: string, dice: Dice) => {
  if (!dice.chance(0.3)) return {}
  const topologyKeys = dice.chance(0.25) ? [zone, hostname] : [dice.pick([zone, hostname, rackOf(id)])]
  return {
    topologySpreadConstraints: topologyKeys.map((topologyKey) => {
      const isHard = dice.chance(0.85)
      return {
        topologyKey,
        maxSkew: dice.count(1, 2),
        whenUnsatisfiable: isHard ? 'DoNotSchedule' : 'ScheduleAnyway',
        ...selectionOf(id, dice, 0.1),
        ...(isHard && dice.chance(0.15) ? { minDomains: dice.count(2, 4) } : {}),
        ...(topologyKey === rackOf(id) && dice.chance(0.3) ? { nodeAffinityPolicy: 'Ignore' } : {}),
        ...(dice.chance(0.25) ? { nodeTaintsPolicy: 'Honor' } : {}),
      }
    }),
  }
}
