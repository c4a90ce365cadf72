import type { DisruptionCommand } from '../plan.ts'
import { invariant } from '../../internal/index.ts'
import { savingsOf, type Consolidation } from './consolidate.ts'

/** The command that carries a consolidation out. */
export const commandOf = (consolidation: Consolidation): DisruptionCommand => {
  const { moved, replacement } = consolidation
  const [first, ...rest] = moved.map(({ candidate }) => candidate)
  invariant(first !== undefined, 'a consolidation of at least one node')
  return {
    reason: 'Underutilized',
    candidates: [first, ...rest],
    replacements: replacement === undefined ? [] : [replacement.node.launch(replacement.offer.inOrder())],
    savingsPerHour: savingsOf(consolidation),
  }
}
