import { Conditions, Pods, type ClaimState, type NodePool, type StateNode } from '../cluster/index.ts'
import { lifetimeCost } from '../disruption/index.ts'
import { compareNumber, compareText } from '../internal/index.ts'
import { Quantity } from '../quantity/index.ts'

/** One NodeClaim of a static pool, with its node once it has one. */
export interface StaticClaim {
  readonly name: string
  readonly createdAtMs: number
  /** Exactly one (P-CST-08): at work or coming, chosen to be replaced, or on its way out. */
  readonly phase: 'Active' | 'PendingDisruption' | 'Deleting'
  /** Absent until the claim is launched. */
  readonly state?: StateNode
}

export type ScaleUp =
  | { readonly _tag: 'Enough' }
  /** Create this many claims, at least one. `isCut`: the limit allows fewer than are missing. */
  | { readonly _tag: 'Create'; readonly count: number; readonly isCut: boolean }
  /** More are wanted, and the limit on nodes allows none. */
  | { readonly _tag: 'AtLimit'; readonly limit: number }

/**
 * Whether the pool keeps a number of nodes and may be scaled now (S-STATIC-02).
 *
 * @example
 * import { nodePool } from '@scantling/core/testing'
 * StaticPools.isScalable(nodePool('static', { replicas: 3 })) // => true
 * StaticPools.isScalable(nodePool('general')) // => false
 */
export const isScalable = ({ replicas, isManaged, isReady, isDeleting }: NodePool): boolean =>
  replicas !== undefined && isManaged && isReady && !isDeleting

/**
 * How many claims a static pool lacks (P-STA-02, S-STATIC-03).
 *
 * A claim that waits for its replacement still counts as one of the replicas, for the request as for the question
 * whether there is one. Every claim counts towards `limits.nodes`, those on their way out included.
 *
 * @example
 * StaticPools.planScaleUp({ replicas: 3 }, [{ phase: 'Active' }]) // => { _tag: 'Create', count: 2, isCut: false }
 */
export const planScaleUp = (
  { replicas = 0, limits }: Pick<NodePool, 'replicas' | 'limits'>,
  claims: ReadonlyArray<Pick<StaticClaim, 'phase'>>,
): ScaleUp => {
  const missing = replicas - claims.filter(({ phase }) => phase !== 'Deleting').length
  if (missing <= 0) return { _tag: 'Enough' }
  const nodes = limits !== undefined && Object.hasOwn(limits, 'nodes') ? limits['nodes'] : undefined
  if (nodes === undefined) return { _tag: 'Create', count: missing, isCut: false }
  const limit = Math.floor(Quantity.toNumber(nodes))
  const count = Math.min(missing, limit - claims.length)
  return count <= 0 ? { _tag: 'AtLimit', limit } : { _tag: 'Create', count, isCut: count < missing }
}

/**
 * The claims that a static pool has too many, the first to go first (P-STA-04, S-STATIC-06, S-STATIC-07).
 *
 * First those without a machine, the youngest first; then empty nodes; then those that cost least to empty, weighed by
 * how much of their life is left; at last those with a pod that asks not to be disrupted. Budgets do not count. Equal
 * ones go by name.
 *
 * @example
 * const claims = [1, 2].map((createdAtMs) => ({
 *   name: `static-${createdAtMs}`,
 *   createdAtMs,
 *   phase: 'Active' as const,
 * }))
 * // Neither has a machine yet: the younger goes first.
 * StaticPools.planScaleDown({ replicas: 1 }, claims, 0) // => ['static-2']
 */
export const planScaleDown = (
  { replicas = 0 }: Pick<NodePool, 'replicas'>,
  claims: ReadonlyArray<StaticClaim>,
  nowMs: number,
): ReadonlyArray<string> => {
  const active = claims.filter(({ phase }) => phase === 'Active')
  const excess = active.length - replicas
  if (excess <= 0) return []
  return active
    .map((claim) => ({ claim, ...rankOf(claim, nowMs) }))
    .sort(
      (a, b) =>
        compareNumber(a.rank, b.rank) || compareNumber(a.cost, b.cost) || compareText(a.claim.name, b.claim.name),
    )
    .slice(0, excess)
    .map(({ claim }) => claim.name)
}

const rankOf = (
  { state, createdAtMs }: StaticClaim,
  nowMs: number,
): { readonly rank: number; readonly cost: number } => {
  if (state === undefined) return { rank: 0, cost: -createdAtMs }
  const pods = state.pods.filter(Pods.isActive)
  const isProtected = pods.some((pod) => Pods.isDoNotDisruptActive(pod, nowMs))
  if (!isProtected && pods.every(Pods.isOwnedByDaemonSet)) return { rank: 1, cost: 0 }
  return { rank: isProtected ? 3 : 2, cost: lifetimeCost(state, nowMs) }
}

/**
 * What phase a claim is in, from what is known of it (P-CST-08).
 *
 * @example
 * StaticPools.phaseOf({ conditions: [] }, false) // => 'Active'
 */
export const phaseOf = (
  claim: Pick<ClaimState, 'deletionTimestampMs' | 'conditions'>,
  isMarkedForDeletion: boolean,
): StaticClaim['phase'] => {
  if (claim.deletionTimestampMs !== undefined || isMarkedForDeletion) return 'Deleting'
  return Conditions.isTrue(claim.conditions, 'DisruptionReason') ? 'PendingDisruption' : 'Active'
}
