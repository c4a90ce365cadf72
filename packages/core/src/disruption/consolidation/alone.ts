import { compareNumber, type Steps } from '../../internal/index.ts'
import { neverBalanced, unbalanced } from '../balanced.ts'
import type { CandidateState } from '../candidate.ts'
import { mostRewardingFirst, type Pass, type Spending } from '../pass.ts'
import type { BlockedReason, PoolTotals } from '../plan.ts'
import { consolidate, savingsOf, type Consolidation } from './consolidate.ts'

/** How one node can be done without, or why not. D-SINGLE-03, D-SINGLE-04. */
export function* alone(
  one: CandidateState,
  {
    pass,
    spending,
    totals,
  }: { readonly pass: Pass; readonly spending: Spending; readonly totals: ReadonlyMap<string, PoolTotals> },
): Steps<Consolidation | BlockedReason> {
  const refusal = spending.refusal(one.nodePool.name) ?? neverBalanced(one, totals)
  if (refusal !== undefined) return refusal
  const found = yield* consolidate([one], pass)
  return '_tag' in found ? found : (unbalanced(found.moved, savingsOf(found), totals) ?? found)
}

/** One node of each pool, then the next of each. The pool with the most rewarding node begins. D-SINGLE-01. */
export const inTurns = (candidates: ReadonlyArray<CandidateState>): ReadonlyArray<CandidateState> => {
  const pools = new Map<string, Array<CandidateState>>()
  for (const one of [...candidates].sort(mostRewardingFirst)) {
    const pool = pools.get(one.nodePool.name)
    if (pool === undefined) pools.set(one.nodePool.name, [one])
    else pool.push(one)
  }
  return [...pools.values()]
    .flatMap((pool, position) => pool.map((one, turn) => ({ one, turn, position })))
    .sort((a, b) => compareNumber(a.turn, b.turn) || compareNumber(a.position, b.position))
    .map(({ one }) => one)
}
