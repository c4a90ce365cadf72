import type { Steps } from '../../internal/index.ts'
import { poolTotals } from '../balanced.ts'
import { blockedNode, Spending, type MethodOutcome, type Pass } from '../pass.ts'
import type { BlockedNode } from '../plan.ts'
import { alone, inTurns } from './alone.ts'
import { commandOf } from './command.ts'
import { consolidatable } from './eligibility.ts'
import { searched } from './search.ts'

/**
 * A node whose pods fit the others, or the others and cheaper nodes. D-SINGLE-01…06.
 *
 * NodePools take turns, each with its most rewarding nodes first. Every node is looked at until one can go: there is no
 * limit on their number or on time. `reference` takes the first that can go, `first-fit` the one that saves most.
 */
export function* singleNode(pass: Pass): Steps<MethodOutcome> {
  const { candidates, blocked } = yield* consolidatable(pass)
  const allowances = pass.allowances('Underutilized')
  const outcome = { method: 'single-node-consolidation', reason: 'Underutilized', candidates, allowances } as const
  if (pass.strategy !== 'reference') {
    const { chosen, totals, blocked: refused, forgone } = yield* searched(pass)
    const isOurs = chosen !== undefined && chosen.moved.length === 1
    const commands = isOurs ? [commandOf(chosen, totals)] : []
    const isTold = pass.methods.includes('multi-node-consolidation')
    return { ...outcome, commands, blocked: [...blocked, ...refused], ...(isTold ? {} : { forgone }) }
  }
  const spending = new Spending(allowances)
  const totals = poolTotals((yield* pass.sorted('graceful')).candidates, pass.snapshot)
  const refused: Array<BlockedNode> = [...blocked]
  for (const one of inTurns(candidates)) {
    const found = yield* alone(one, { pass, spending, totals })
    if (!('_tag' in found)) return { ...outcome, commands: [commandOf(found, totals)], blocked: refused }
    refused.push(blockedNode(one, found))
  }
  return { ...outcome, commands: [], blocked: refused }
}
