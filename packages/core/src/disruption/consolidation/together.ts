import type { Steps } from '../../internal/index.ts'
import type { SimulationTerms } from '../../scheduling/index.ts'
import { unbalanced } from '../balanced.ts'
import type { CandidateState } from '../candidate.ts'
import { mostRewardingFirst, Spending, type Pass } from '../pass.ts'
import type { PoolTotals } from '../plan.ts'
import { consolidate, savingsOf, type Consolidation } from './consolidate.ts'
import { withoutKept } from './replacement-price.ts'

/** Nodes beyond the first two that the search by prefix looks at (D-MULTI-03). */
const mostBeyondFirst = 100

/** The most rewarding nodes that the budgets allow together, in that order (D-MULTI-01). */
export const withinBudgets = (candidates: ReadonlyArray<CandidateState>, pass: Pass): ReadonlyArray<CandidateState> => {
  const spending = new Spending(pass.allowances('Underutilized'))
  const allowed: Array<CandidateState> = []
  for (const one of [...candidates].sort(mostRewardingFirst)) {
    if (spending.refusal(one.nodePool.name) !== undefined) continue
    spending.spend(one.nodePool.name)
    allowed.push(one)
  }
  return allowed
}

/** Looks whether a set of nodes can go; `undefined`: it cannot. */
export type Look = (moved: ReadonlyArray<CandidateState>) => Steps<Consolidation | undefined>

/** The longest prefix that a search by halves finds to be able to go (D-MULTI-03). */
export function* longestPrefix(ordered: ReadonlyArray<CandidateState>, look: Look): Steps<Consolidation | undefined> {
  let best: Consolidation | undefined
  let low = 1
  let high = Math.min(ordered.length - 1, mostBeyondFirst)
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = yield* look(ordered.slice(0, middle + 1))
    if (found === undefined) high = middle - 1
    else {
      best = found
      low = middle + 1
    }
  }
  return best
}

/** How several nodes can be done without, as far as it is worth it. D-MULTI-06…08. */
export function* together(
  moved: ReadonlyArray<CandidateState>,
  pass: Pass,
  totals: ReadonlyMap<string, PoolTotals>,
  terms: SimulationTerms = {},
): Steps<Consolidation | undefined> {
  const found = yield* consolidate(moved, pass, terms)
  if ('_tag' in found) return undefined
  const replacements: Array<Consolidation['replacements'][number]> = []
  for (const replacement of found.replacements) {
    const offer = moved.length < 2 ? replacement.offer : withoutKept(replacement.offer, moved, pass)
    if ('_tag' in offer) return undefined
    replacements.push({ ...replacement, offer })
  }
  const narrowed: Consolidation = { ...found, replacements }
  return unbalanced(moved, savingsOf(narrowed), totals) === undefined ? narrowed : undefined
}
