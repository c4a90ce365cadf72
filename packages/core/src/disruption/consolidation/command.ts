import { invariant } from '../../internal/index.ts'
import { poolScores } from '../balanced.ts'
import type { DisruptionCommand, PoolTotals } from '../plan.ts'
import { savingsOf, type Consolidation } from './consolidate.ts'

/** The command that carries a consolidation out. */
export const commandOf = (consolidation: Consolidation, totals: ReadonlyMap<string, PoolTotals>): DisruptionCommand => {
  const { moved, replacements, mostPricePerHour } = consolidation
  const [first, ...rest] = moved.map(({ candidate }) => candidate)
  invariant(first !== undefined, 'a consolidation of at least one node')
  const savingsPerHour = savingsOf(consolidation)
  return {
    reason: 'Underutilized',
    candidates: [first, ...rest],
    replacements: replacements.map(({ node, offer }) => node.launch(offer.inOrder())),
    savingsPerHour,
    scores: poolScores(moved, savingsPerHour, totals),
    ...(mostPricePerHour === undefined ? {} : { mostPricePerHour }),
  }
}
