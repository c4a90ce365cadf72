import { compareNumber, type Steps } from '../../internal/index.ts'
import { neverBalanced, poolTotals, unbalanced } from '../balanced.ts'
import type { CandidateState } from '../candidate.ts'
import { blockedNode, mostRewardingFirst, Spending, type MethodOutcome, type Pass } from '../pass.ts'
import type { BlockedNode, BlockedReason } from '../plan.ts'
import { commandOf } from './command.ts'
import { consolidate, savingsOf, type Consolidation } from './consolidate.ts'
import { consolidatable } from './eligibility.ts'

/**
 * The first node whose pods fit the others, or the others and one cheaper node. D-SINGLE-01…06.
 *
 * NodePools take turns, each with its most rewarding nodes first. Every node is looked at until one can go: there is no
 * limit on their number or on time.
 */
export function* singleNode(pass: Pass): Steps<MethodOutcome> {
  const { candidates, blocked } = yield* consolidatable(pass)
  const allowances = pass.allowances('Underutilized')
  const outcome = { method: 'single-node-consolidation', reason: 'Underutilized', candidates, allowances } as const
  const spending = new Spending(allowances)
  const totals = poolTotals((yield* pass.sorted('graceful')).candidates, pass.snapshot)
  const refused: Array<BlockedNode> = [...blocked]
  for (const one of inTurns(candidates)) {
    const found =
      spending.refusal(one.nodePool.name) ??
      neverBalanced(one, totals) ??
      worthwhile(yield* consolidate([one], pass), totals)
    if (!('_tag' in found)) return { ...outcome, commands: [commandOf(found)], blocked: refused }
    refused.push(blockedNode(one, found))
  }
  return { ...outcome, commands: [], blocked: refused }
}

const worthwhile = (
  found: Consolidation | BlockedReason,
  totals: ReturnType<typeof poolTotals>,
): Consolidation | BlockedReason =>
  '_tag' in found ? found : (unbalanced(found.moved, savingsOf(found), totals) ?? found)

// One node of each pool, then the next of each. The pool with the most rewarding node begins.
const inTurns = (candidates: ReadonlyArray<CandidateState>): ReadonlyArray<CandidateState> => {
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
