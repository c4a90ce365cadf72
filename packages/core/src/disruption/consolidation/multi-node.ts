import { poolTotals, unbalanced, type PoolTotals } from '../balanced.ts'
import type { CandidateState } from '../candidate.ts'
import type { Steps } from '../../internal/index.ts'
import { mostRewardingFirst, Spending, type MethodOutcome, type Pass } from '../pass.ts'
import { commandOf } from './command.ts'
import { consolidate, savingsOf, type Consolidation } from './consolidate.ts'
import { consolidatable } from './eligibility.ts'
import { withoutKept } from './replacement-price.ts'

/** Nodes beyond the first two that the search by prefix looks at (D-MULTI-03). */
const mostBeyondFirst = 100
/** Sets that the search beyond prefixes looks at. */
const mostLooks = 200

/**
 * Several nodes that can go together, for none or for one cheaper node. D-MULTI-01…08.
 *
 * The most rewarding nodes that the budgets allow are ordered, and the search halves the number of them that it takes
 * from the front: more where they can go, fewer where they cannot. It ends after at most seven looks; `reference` leaves
 * it at that. One node near the front that cannot go fails every prefix, so `first-fit` goes on from the best prefix and
 * adds one node after the other, most rewarding first, where that saves more (weakness W-01).
 */
export function* multiNode(pass: Pass): Steps<MethodOutcome> {
  const { candidates } = yield* consolidatable(pass)
  const allowances = pass.allowances('Underutilized')
  const spending = new Spending(allowances)
  const allowed: Array<CandidateState> = []
  for (const one of [...candidates].sort(mostRewardingFirst)) {
    if (spending.refusal(one.nodePool.name) !== undefined) continue
    spending.spend(one.nodePool.name)
    allowed.push(one)
  }
  const totals = poolTotals((yield* pass.sorted('graceful')).candidates, pass.snapshot)
  const prefix = yield* longestPrefix(allowed, pass, totals)
  const found = pass.strategy === 'reference' ? prefix : yield* grown(prefix, allowed, pass, totals)
  return {
    method: 'multi-node-consolidation',
    reason: 'Underutilized',
    candidates,
    allowances,
    commands: found === undefined ? [] : [commandOf(found)],
    blocked: [],
  }
}

function* longestPrefix(
  ordered: ReadonlyArray<CandidateState>,
  pass: Pass,
  totals: ReadonlyMap<string, PoolTotals>,
): Steps<Consolidation | undefined> {
  let best: Consolidation | undefined
  let low = 1
  let high = Math.min(ordered.length - 1, mostBeyondFirst)
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = yield* together(ordered.slice(0, middle + 1), pass, totals)
    if (found === undefined) high = middle - 1
    else {
      best = found
      low = middle + 1
    }
  }
  return best
}

// Never saves less than the prefix it starts from.
function* grown(
  prefix: Consolidation | undefined,
  ordered: ReadonlyArray<CandidateState>,
  pass: Pass,
  totals: ReadonlyMap<string, PoolTotals>,
): Steps<Consolidation | undefined> {
  let best = prefix
  let looks = 0
  for (const one of ordered) {
    if (best?.moved.includes(one) === true) continue
    if (looks === mostLooks) break
    looks += 1
    const found = yield* together([...(best?.moved ?? []), one], pass, totals)
    if (found !== undefined && (best === undefined || savingsOf(found) > savingsOf(best))) best = found
  }
  // One node alone is left to the method for single nodes.
  return best === undefined || best.moved.length < 2 ? undefined : best
}

function* together(
  moved: ReadonlyArray<CandidateState>,
  pass: Pass,
  totals: ReadonlyMap<string, PoolTotals>,
): Steps<Consolidation | undefined> {
  const found = yield* consolidate(moved, pass)
  if ('_tag' in found) return undefined
  const { replacement } = found
  const offer =
    replacement === undefined || moved.length < 2 ? replacement?.offer : withoutKept(replacement.offer, moved, pass)
  if (offer !== undefined && '_tag' in offer) return undefined
  const narrowed: Consolidation =
    replacement === undefined || offer === undefined ? found : { moved, replacement: { ...replacement, offer } }
  return unbalanced(moved, savingsOf(narrowed), totals) === undefined ? narrowed : undefined
}
