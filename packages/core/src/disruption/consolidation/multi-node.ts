import { poolTotals } from '../balanced.ts'
import type { Steps } from '../../internal/index.ts'
import type { MethodOutcome, Pass } from '../pass.ts'
import { commandOf } from './command.ts'
import { consolidatable } from './eligibility.ts'
import { searched } from './search.ts'
import { longestPrefix, together, withinBudgets } from './together.ts'

/**
 * Several nodes that can go together, for none or for cheaper nodes. D-MULTI-01…08.
 *
 * The most rewarding nodes that the budgets allow are ordered, and the search halves the number of them that it takes
 * from the front: more where they can go, fewer where they cannot. It ends after at most seven looks; `reference` leaves
 * it at that. `first-fit` goes on: see `search.ts`.
 */
export function* multiNode(pass: Pass): Steps<MethodOutcome> {
  const { candidates } = yield* consolidatable(pass)
  const allowances = pass.allowances('Underutilized')
  const outcome = {
    method: 'multi-node-consolidation',
    reason: 'Underutilized',
    candidates,
    allowances,
    blocked: [],
  } as const
  if (pass.strategy !== 'reference') {
    const { chosen, totals, forgone, progress } = yield* searched(pass)
    const isOurs = chosen !== undefined && chosen.moved.length > 1
    const commands = isOurs ? [commandOf(chosen, totals)] : []
    return { ...outcome, forgone, commands, ...(progress === undefined ? {} : { search: progress }) }
  }
  const totals = poolTotals((yield* pass.sorted('graceful')).candidates, pass.snapshot)
  const found = yield* longestPrefix(withinBudgets(candidates, pass), (moved) => together(moved, pass, totals))
  return { ...outcome, commands: found === undefined ? [] : [commandOf(found, totals)] }
}
