/**
 * Calls that must not compile, each beside the one that does.
 *
 * Never run: `npm run typecheck` reports a mistake that has become possible as an unused `@ts-expect-error`.
 */
import {
  Conditions,
  decodeObjects,
  decoderOf,
  ingestPod,
  isProvisionable,
  Labels,
  makePodInterner,
  planDisruption,
  planProvisioning,
  Pods,
  Quantity,
  renderBlocked,
  Requirement,
  Requirements,
  Resources,
  s,
  snapshotOf,
  Taints,
  Time,
  type InstanceType,
  type Launch,
  type NodePool,
  type ObjectLists,
  type Offering,
  type Pod,
  type PodObject,
  type ProviderError,
  type ProvisioningOptions,
  type Selector,
  type Snapshot,
  type SnapshotContext,
  type StateNode,
  type Taint,
  type Toleration,
} from '@scantling/core'

declare const snapshot: Snapshot
declare const pod: Pod
declare const podObject: PodObject
declare const nodePool: NodePool
declare const stateNode: StateNode
declare const offering: Offering
declare const instanceType: InstanceType
declare const launch: Launch
declare const taints: ReadonlyArray<Taint>
declare const tolerations: ReadonlyArray<Toleration>
declare const selector: Selector
declare const lists: ObjectLists
declare const context: SnapshotContext
declare const options: ProvisioningOptions

export const amounts = () => [
  Quantity.add(Quantity.of('1'), Quantity.of('500m')),
  // @ts-expect-error text becomes an amount by `Quantity.of` or `Quantity.parse` alone
  Quantity.add('1', '500m'),
  // @ts-expect-error a number has no suffix, and no exactness
  Quantity.toNano(1.5),
  // @ts-expect-error text from outside may be wrong: the Either is to be looked into
  Quantity.toNano(Quantity.parse('1')),
  // @ts-expect-error nor is its right side there before it was asked for
  Quantity.parse('1').right,
  Resources.fits(Resources.parse({ cpu: '1' }), instanceType.capacity),
  // @ts-expect-error a list of plain texts is no list of amounts
  Resources.fits({ cpu: '1' }, instanceType.capacity),
  // @ts-expect-error prices are numbers, not amounts
  { ...offering, pricePerHour: Quantity.of('1') } satisfies Offering,
]

export const wireAndDomain = () => [
  isProvisionable(pod),
  // @ts-expect-error an object of the API is no pod of the planner: `ingestPod` makes one of it
  isProvisionable(podObject),
  ingestPod(podObject, makePodInterner()),
  // @ts-expect-error what was ingested is not ingested again
  ingestPod(pod, makePodInterner()),
  // @ts-expect-error undecoded JSON is no PodObject: `decodePod` or `decodeObjects` makes one of it
  ingestPod({ metadata: { name: 'web-0' }, spec: {} }, makePodInterner()),
  // @ts-expect-error a snapshot holds pods of the planner
  { ...snapshot, pods: [podObject] } satisfies Snapshot,
  // @ts-expect-error manifests go through `decodeObjects` first
  snapshotOf([podObject], context),
  snapshotOf(decodeObjects([podObject]).lists, context),
]

export const planning = () => [
  planProvisioning(snapshot, { strategy: 'reference', reservedOfferings: 'strict' }),
  // @ts-expect-error no such strategy
  planProvisioning(snapshot, { strategy: 'fastest', reservedOfferings: 'strict' }),
  // @ts-expect-error whose decisions to make is never a default
  planProvisioning(snapshot, { reservedOfferings: 'strict' }),
  // @ts-expect-error a snapshot is made by `snapshotOf`
  planProvisioning(lists, options),
  // @ts-expect-error options come last
  planProvisioning(options, snapshot),
  // @ts-expect-error a plan of disruption names its strategy, too
  planDisruption(snapshot),
  // @ts-expect-error who launches nothing has no launch: there is always a pod
  { ...launch, pods: [] } satisfies Launch,
  // @ts-expect-error unlimited is an absent field, not an undefined one
  { ...nodePool, limits: undefined } satisfies NodePool,
  // @ts-expect-error no such reason
  renderBlocked({ _tag: 'Tired' }),
  // @ts-expect-error a reason carries what it is about
  renderBlocked({ _tag: 'ConsolidationDisabled' }),
]

/** Inputs and answers stay as they are. */
export const writing = () => {
  const plan = planProvisioning(snapshot, options)
  // @ts-expect-error no list of a snapshot grows
  snapshot.pods.push(pod)
  // @ts-expect-error no field of it is set
  snapshot.nowMs = 0
  // @ts-expect-error at no depth
  snapshot.settings.featureGates.nodeOverlay = true
  // @ts-expect-error no map of it is written to
  snapshot.instanceTypes.set('general', [])
  // @ts-expect-error no label of a pod is set
  pod.labels['team'] = 'a'
  // @ts-expect-error no volume limit of a node is removed
  stateNode.volumeLimits.delete('ebs.csi.aws.com')
  // @ts-expect-error a plan is a value, too
  plan.launches.pop()
  // @ts-expect-error and sorting is writing: `toSorted`
  plan.rejections.sort(() => 0)
}

export const swapped = () => [
  Taints.untolerated(taints, tolerations),
  // @ts-expect-error taints come first
  Taints.untolerated(tolerations, taints),
  Labels.matches(selector, pod.labels),
  // @ts-expect-error the selector comes first
  Labels.matches(pod.labels, selector),
  Requirement.isIn('zone', ['a']),
  // @ts-expect-error the key comes first
  Requirement.isIn(['a'], 'zone'),
  Conditions.isTrue([], 'Ready'),
  // @ts-expect-error the conditions come first
  Conditions.isTrue('Ready', []),
  // @ts-expect-error the lists come first
  snapshotOf(context, lists),
]

export const vague = () => [
  Requirements.isCompatible(Requirements.empty, Requirements.empty, new Set()),
  // @ts-expect-error which labels may be undefined is never a default
  Requirements.isCompatible(Requirements.empty, Requirements.empty),
  // @ts-expect-error labels are no requirements: `Requirements.fromLabels`
  Requirements.isCompatible(pod.labels, Requirements.empty, new Set()),
  // @ts-expect-error no such operator
  Requirement.fromSpec({ key: 'zone', operator: 'Includes', values: ['a'] }),
  // @ts-expect-error no such effect
  Taints.render({ key: 'team', effect: 'NoRun' }),
  Pods.isEvictable(pod, 0),
  // @ts-expect-error instants are milliseconds since the epoch
  Pods.isEvictable(pod, new Date()),
  // @ts-expect-error nor is there a clock to fall back on
  Pods.isEvictable(pod),
  // @ts-expect-error a schedule is read once, by `Time.parseCron`
  Time.nextAfter('0 0 * * *', 0),
  // @ts-expect-error no such failure of a cloud
  { _tag: 'Unlucky', message: 'No luck' } satisfies ProviderError,
  // @ts-expect-error fields of a schema are schemas
  decoderOf(s.object({ rack: 'string' })),
]

/** What decoding gives has the fields of the schema, each of its type. */
export const decoding = () => {
  const decoded = decoderOf(s.object({ rack: s.string(), size: s.optional(s.integer()) }))({})
  if (decoded._tag === 'Left') return ''
  // @ts-expect-error an optional field may be absent
  const size: number = decoded.right.size
  // @ts-expect-error no such field
  const colour: unknown = decoded.right.colour
  return `${decoded.right.rack} ${size} ${String(colour)}`
}
