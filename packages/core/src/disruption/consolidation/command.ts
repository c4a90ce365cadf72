import type { DisruptionCommand } from '../plan.ts'
import { invariant } from '../../internal/index.ts'
import { savingsOf, type Consolidation } from './consolidate.ts'

/** The command that carries a consolidation out. */
export const commandOf = (consolidation: Consolidation): DisruptionCommand => {
  const { moved, replacements, mostPricePerHour } = consolidation
  const [first, ...rest] = moved.map(({ candidate }) => candidate)
  invariant(first !== undefined, 'a consolidation of at least one node')
  return {
    reason: 'Underutilized',
    candidates: [first, ...rest],
    replacements: replacements.map(({ node, offer }) => node.launch(offer.inOrder())),
    savingsPerHour: savingsOf(consolidation),
    ...(mostPricePerHour === undefined ? {} : { mostPricePerHour }),
  }
}
