import type { Pod, Snapshot } from '../cluster/index.ts'
import { compareText, runOf, sortInSteps, type Run } from '../internal/index.ts'
import { compile, usableNodePools, type Compiled } from './compile.ts'
import { diagnose } from './diagnosis.ts'
import { Finalizer } from './finalize.ts'
import { Packer, type Outcome, type PackerSettings } from './packer.ts'
import type { Launch, Placement, ProvisioningOptions, ProvisioningPlan } from './plan.ts'
import { eligiblePods, type EligiblePods } from './pod-eligibility.ts'
import type { PodClass, PodShape } from './pod-class.ts'
import { PodQueue } from './pod-queue.ts'
import type { NodePoolReason, Reason, Rejection } from './rejection.ts'

/**
 * A pass that can be paused: nothing is shared with the outside until `finish`.
 *
 * A unit of `step` is a placement attempt, or a comparable piece of compiling and finishing.
 */
export type ProvisioningRun = Run<ProvisioningPlan>

/**
 * What to launch and where pending pods go.
 *
 * Pods are tried from the largest: on nodes that exist, then on nodes this plan opens, then on a new node of the first
 * NodePool that accepts. Pods of nodes under deletion count as pending. The answer depends on the content of the
 * snapshot alone, not on the order of its lists.
 *
 * Cost: see the README beside this file; a pass over 5,000 diverse pods and 400 types takes a fraction of a second.
 * Errors: none; a pod without a place is a rejection with its reasons.
 *
 * @example
 * import { nodePool, pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ nodePools: [nodePool('general')], pods: [pendingPod('web-0', { cpu: '1' })] })
 * const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
 * plan.launches.map(({ nodePool, pods }) => `${nodePool}: ${pods.map(podKey)}`) // => ['general: default/web-0']
 */
export const planProvisioning = (snapshot: Snapshot, options: ProvisioningOptions): ProvisioningPlan =>
  startProvisioning(snapshot, options).finish()

/**
 * As {@link planProvisioning}, in slices: a caller that must answer others in between steps through the pass.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const run = startProvisioning(snapshotFor({ pods: [pendingPod('web-0')] }), {
 *   strategy: 'first-fit',
 *   reservedOfferings: 'strict',
 * })
 * while (!run.step(200)) {
 *   // answer others here
 * }
 * run.finish().launches.length // => 1
 */
export const startProvisioning = (snapshot: Snapshot, options: ProvisioningOptions): ProvisioningRun =>
  runOf(provision(snapshot, options))

function* provision(snapshot: Snapshot, options: ProvisioningOptions): Generator<void, ProvisioningPlan, void> {
  const { pods, ignored } = yield* eligiblePods(snapshot)
  yield
  const rejections = ignored.map(refused)
  if (pods.length === 0) return yield* planOf({ launches: [], placements: [], rejections })
  if (usableNodePools(snapshot).length === 0) {
    const missing = pods.map((pod) => unplaced(pod, 'failed', [{ _tag: 'NoNodePools' }], true))
    const plan = yield* planOf({ launches: [], placements: [], rejections: [...rejections, ...missing] })
    return { ...plan, failure: 'NoNodePools' }
  }
  const compiled = yield* compile(snapshot, pods, packerSettings(snapshot, options))
  const packer = new Packer(compiled)
  const queue = new PodQueue(compiled.queue)
  const failures = new Map<number, Outcome>()
  let attempts = 0
  for (let pod = queue.pop(); pod !== undefined; pod = queue.pop()) {
    const outcome = packer.attempt(pod)
    attempts += 1
    if (outcome === 'placed') failures.delete(pod)
    else {
      failures.set(pod, outcome)
      queue.push(pod)
    }
    yield
  }
  const finalizer = new Finalizer({
    table: compiled.table,
    columns: compiled.columns,
    pods,
    labelRules: snapshot.labelRules,
    minValuesPolicy: snapshot.settings.minValuesPolicy,
    isReference: options.strategy === 'reference',
  })
  const launches: Array<Launch> = []
  for (const claim of packer.claims) {
    const finalized = finalizer.finalize(claim)
    if ('launch' in finalized) launches.push(finalized.launch)
    else {
      const reason: Reason = {
        _tag: 'MinValuesUnmet',
        nodePool: claim.template.nodePool.name,
        keys: finalized.unmet,
      }
      for (const pod of claim.pods) rejections.push(unplaced(pods[pod]!, 'failed', [reason], false))
    }
    yield
  }
  const verdicts = new Map<PodClass, Rejection>()
  for (const [pod, outcome] of failures) {
    rejections.push(rejectionOf(compiled, pod, outcome, verdicts))
    yield
  }
  const relaxed = [...packer.relaxed].map((pod) => keyOf(pods[pod]!))
  const plan = yield* planOf(
    { launches, placements: placementsOf(compiled), rejections },
    {
      pods: pods.length,
      classes: compiled.classes.length,
      attempts,
      relaxedPods: yield* sortInSteps(relaxed, compareText),
    },
  )
  const [barren, ...others] = compiled.barrenPools
  return barren === undefined ? plan : { ...plan, barrenNodePools: [barren, ...others] }
}

/** Places of one pod's volumes that `first-fit` tries; each claim and node is asked about every one (W42). */
const mostVolumePlaces = 1000

/** How a pass packs under the settings of a snapshot. */
export const packerSettings = (
  { settings }: Snapshot,
  { strategy, reservedOfferings }: ProvisioningOptions,
): PackerSettings => ({
  reservesCapacity: settings.featureGates.reservedCapacity,
  defersForReservations: reservedOfferings === 'strict',
  relaxesMinValues: settings.minValuesPolicy === 'BestEffort',
  refusesContradictions: strategy !== 'reference',
  revisitsAlternatives: strategy !== 'reference',
  countsOpenedNodes: strategy !== 'reference',
  givesBackLimits: strategy !== 'reference',
  placesBuffersLast: strategy !== 'reference',
  readsAsScheduler: strategy !== 'reference',
  mostVolumePlaces: strategy === 'reference' ? Number.POSITIVE_INFINITY : mostVolumePlaces,
})

function* planOf(
  { launches, placements, rejections }: Pick<ProvisioningPlan, 'launches' | 'placements' | 'rejections'>,
  stats: ProvisioningPlan['stats'] = { pods: 0, classes: 0, attempts: 0, relaxedPods: [] },
): Generator<void, ProvisioningPlan, void> {
  const sorted = yield* sortInSteps(rejections, (a, b) => comparePodNames(a.pod, b.pod))
  return { launches, placements, rejections: sorted, stats }
}

const placementsOf = ({ nodes, pods }: Compiled): ReadonlyArray<Placement> =>
  nodes
    .flatMap(({ name, pods: placed }): ReadonlyArray<Placement> => {
      const [first, ...rest] = placed.map((pod) => pods[pod]!)
      return first === undefined ? [] : [{ node: name, pods: [first, ...rest] }]
    })
    .sort((a, b) => compareText(a.node, b.node))

const refused = ({ pod, reasons }: EligiblePods['ignored'][number]): Rejection => ({
  pod,
  verdict: 'ignored',
  reasons,
  mayResolveByWaiting: reasons.every(({ _tag }) => _tag === 'VolumeClaimRefused'),
})

const unplaced = (
  pod: Pod,
  outcome: Outcome,
  reasons: Rejection['reasons'],
  mayResolveByWaiting: boolean,
): Rejection => ({ pod, verdict: outcome === 'reserved' ? 'deferred' : 'unplaced', reasons, mayResolveByWaiting })

// Pods of one class fail for one reason, which is looked for once.
const rejectionOf = (
  compiled: Compiled,
  pod: number,
  outcome: Outcome,
  verdicts: Map<PodClass, Rejection>,
): Rejection => {
  const podClass = compiled.classOf[pod]!
  const own = compiled.pods[pod]!
  const known = verdicts.get(podClass)
  if (known !== undefined && (known.verdict === 'deferred') === (outcome === 'reserved')) return { ...known, pod: own }
  const [first, ...rest] = reasonsOf(compiled, podClass, outcome)
  const reasons: Rejection['reasons'] = [first ?? { _tag: 'NoInstanceTypes', nodePools: compiled.barrenPools }, ...rest]
  const mayResolve = outcome === 'reserved' || reasons.some((reason) => mayPass(reason, podClass.shape))
  const rejection = unplaced(own, outcome, reasons, mayResolve)
  verdicts.set(podClass, rejection)
  return rejection
}

const reasonsOf = (compiled: Compiled, podClass: PodClass, outcome: Outcome): ReadonlyArray<Reason> => {
  const { shape } = podClass
  if (outcome === 'devices') return [{ _tag: 'DynamicResources' }]
  if (compiled.templates.length === 0) return [{ _tag: 'NoInstanceTypes', nodePools: compiled.barrenPools }]
  if (shape.volumes.hasTooManyPlaces) {
    const claims = shape.constraints.volumes.map(({ claimName }) => `${shape.namespace}/${claimName}`)
    return [{ _tag: 'TooManyVolumePlaces', claims, most: compiled.settings.mostVolumePlaces }]
  }
  if (!shape.volumes.isUnusable) return untilDeferred(diagnose(compiled, podClass), outcome)
  return shape.constraints.volumes.map(({ claimName }) => ({
    _tag: 'VolumeClaimRefused',
    claim: `${shape.namespace}/${claimName}`,
    problem: 'volume not found',
  }))
}

// NodePools after the one whose reservation the pod waits for were not asked (P-RSV-06).
const untilDeferred = (reasons: ReadonlyArray<NodePoolReason>, outcome: Outcome): ReadonlyArray<NodePoolReason> => {
  const at = outcome === 'reserved' ? reasons.findIndex(({ _tag }) => _tag === 'ReservationsTaken') : -1
  return at < 0 ? reasons : reasons.slice(0, at + 1)
}

// Counts, limits and reservations move as nodes come and go; what a NodePool or pod demands does not. Where topology
// chose the domain, another choice may come.
const mayPass = (reason: Reason, { stages }: PodShape): boolean =>
  reason._tag === 'TopologyUnsatisfied' ||
  reason._tag === 'LimitReached' ||
  reason._tag === 'ReservationsTaken' ||
  (reason._tag === 'NoInstanceTypeFits' && (reason.overLimit > 0 || (stages.at(-1)?.domainBindings.length ?? 0) > 0))

const keyOf = ({ namespace, name }: Pod): string => `${namespace}/${name}`

const comparePodNames = (a: Pod, b: Pod): number =>
  compareText(a.namespace, b.namespace) || compareText(a.name, b.name) || compareText(a.uid, b.uid)
