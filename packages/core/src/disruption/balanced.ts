import { Pods, StateNodes, type NodePool, type Snapshot } from '../cluster/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import type { CandidateState } from './candidate.ts'
import { baseCost, costRules, evictionCost, pricePerHourOf } from './cost.ts'
import type { BlockedReason, PoolScore, PoolTotals } from './plan.ts'

/** A move of a Balanced NodePool passes when its share of the savings is at least this part of its share of disruption (D-BAL-01). */
export const balancedThreshold = 1 / 2

/** Totals of the NodePools that have a candidate (D-BAL-03). Candidates are those before any method's filter. */
export const poolTotals = (
  candidates: ReadonlyArray<CandidateState>,
  snapshot: Snapshot,
): ReadonlyMap<string, PoolTotals> => {
  const rules = costRules(snapshot)
  const byNode = new Map(candidates.map((one) => [one.state, one.candidate]))
  const sums = new Map<string, { candidates: number; claims: number; disruption: number }>()
  for (const { nodePool } of candidates) sums.set(nodePool.name, { candidates: 0, claims: 0, disruption: 0 })
  for (const state of snapshot.nodes) {
    const paid = state.claim === undefined ? undefined : claimPrice(state.claim.labels, snapshot)
    const payer = paid === undefined ? undefined : sums.get(paid.nodePool)
    if (paid !== undefined && payer !== undefined) payer.claims += paid.pricePerHour
    const pool = sums.get(Labels.get(StateNodes.labelsOf(state), labelKeys.nodePool) ?? '')
    if (pool === undefined) continue
    const candidate = byNode.get(state)
    pool.candidates += candidate?.pricePerHour ?? 0
    pool.disruption +=
      candidate?.rescheduleCost ??
      state.pods
        .filter((pod) => !Pods.isTerminal(pod) && !Pods.isOwnedByDaemonSet(pod))
        .reduce((sum, pod) => sum + Math.max(0, evictionCost(pod, rules)), baseCost)
  }
  return new Map(
    [...sums].map(([name, sum]) => [
      name,
      { pricePerHour: sum.claims > 0 ? sum.claims : sum.candidates, disruption: sum.disruption },
    ]),
  )
}

// A claim counts once its labels say what was bought.
const claimPrice = (
  labels: Labels,
  { instanceTypes }: Snapshot,
): { readonly nodePool: string; readonly pricePerHour: number } | undefined => {
  const nodePool = Labels.get(labels, labelKeys.nodePool)
  const isKnown = [labelKeys.zone, labelKeys.capacityType, labelKeys.instanceType].every((key) =>
    Labels.get(labels, key),
  )
  return nodePool === undefined || !isKnown
    ? undefined
    : { nodePool, pricePerHour: pricePerHourOf(labels, instanceTypes.get(nodePool) ?? []) }
}

/** Savings for disruption, each as a share of the pool's; 0 where there is nothing to compare with (D-BAL-02). */
export const score = (
  { savings, disruption }: { readonly savings: number; readonly disruption: number },
  totals: PoolTotals | undefined,
): number => {
  if (totals === undefined || totals.pricePerHour <= 0 || totals.disruption <= 0 || savings <= 0) return 0
  const disruptionShare = disruption / totals.disruption
  return disruptionShare === 0 ? Number.POSITIVE_INFINITY : savings / totals.pricePerHour / disruptionShare
}

/**
 * What a move is worth to each NodePool that it touches. D-BAL-06, D-BAL-07.
 *
 * The savings of a move across pools are shared out by what each pool's nodes cost.
 */
export const poolScores = (
  moved: ReadonlyArray<CandidateState>,
  savingsPerHour: number,
  totals: ReadonlyMap<string, PoolTotals>,
): ReadonlyArray<PoolScore> => {
  const pools = new Map<string, { readonly nodePool: NodePool; nodes: number; price: number; disruption: number }>()
  let pricePerHour = 0
  for (const { nodePool, candidate } of moved) {
    const pool = pools.get(nodePool.name) ?? { nodePool, nodes: 0, price: 0, disruption: 0 }
    pool.nodes += 1
    pool.price += candidate.pricePerHour
    pool.disruption += candidate.rescheduleCost
    pools.set(nodePool.name, pool)
    pricePerHour += candidate.pricePerHour
  }
  const isShared = pools.size > 1 && pricePerHour > 0
  return [...pools].map(([name, { nodePool, nodes, price, disruption }]) => {
    const policy = nodePool.disruption.consolidationPolicy
    if (policy !== 'Balanced') return { nodePool: name, policy, nodes }
    const savings = isShared ? savingsPerHour * (price / pricePerHour) : savingsPerHour
    const total = totals.get(name)
    const balance = { savings, disruption, total, score: score({ savings, disruption }, total) }
    return { nodePool: name, policy, nodes, balance }
  })
}

/** Why a move is not worth its disruption to one of its Balanced NodePools, or `undefined`; other policies accept any. */
export const unbalanced = (
  moved: ReadonlyArray<CandidateState>,
  savingsPerHour: number,
  totals: ReadonlyMap<string, PoolTotals>,
): BlockedReason | undefined => {
  for (const { nodePool, balance } of poolScores(moved, savingsPerHour, totals))
    if (balance !== undefined && balance.score < balancedThreshold)
      return { _tag: 'NotWorthwhile', nodePool, score: balance.score, threshold: balancedThreshold }
  return undefined
}

/** Why not even taking the node away without replacement would be worth it, or `undefined` (D-BAL-08). */
export const neverBalanced = (
  { candidate, nodePool }: CandidateState,
  totals: ReadonlyMap<string, PoolTotals>,
): BlockedReason | undefined => {
  const own = totals.get(nodePool.name)
  if (nodePool.disruption.consolidationPolicy !== 'Balanced' || own === undefined || own.pricePerHour <= 0)
    return undefined
  const best = score({ savings: candidate.pricePerHour, disruption: candidate.rescheduleCost }, own)
  return best < balancedThreshold
    ? { _tag: 'NotWorthwhile', nodePool: nodePool.name, score: best, threshold: balancedThreshold }
    : undefined
}
