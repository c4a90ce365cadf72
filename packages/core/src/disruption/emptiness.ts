import { Conditions, Pods } from '../cluster/index.ts'
import type { Steps } from '../internal/index.ts'
import { isEmpty, type CandidateState } from './candidate.ts'
import { boughtAgain } from './churn.ts'
import { costRules } from './cost.ts'
import { blockedNode, mostRewardingFirst, Spending, type MethodOutcome, type Pass } from './pass.ts'
import type { BlockedNode, BlockedReason, Candidate, DisruptionCommand } from './plan.ts'

/**
 * Nodes on which no pod minds being moved, all in one command. D-EMPTY-01…03, D-EMPTY-08.
 *
 * The dearest for the least disruption go first, as many as the budgets of their NodePools allow.
 */
export function* emptiness(pass: Pass): Steps<MethodOutcome> {
  const candidates: Array<CandidateState> = []
  const blocked: Array<BlockedNode> = []
  for (const one of (yield* pass.sorted('graceful')).candidates) {
    const reason = keptFromEmptiness(one, pass)
    if (reason === undefined) candidates.push(one)
    else blocked.push(blockedNode(one, reason))
  }
  const allowances = pass.allowances('Empty')
  const spending = new Spending(allowances)
  const allowed: Array<CandidateState> = []
  for (const one of [...candidates].sort(mostRewardingFirst)) {
    const reason = spending.refusal(one.nodePool.name)
    if (reason === undefined) {
      spending.spend(one.nodePool.name)
      allowed.push(one)
    } else blocked.push(blockedNode(one, reason))
  }
  const staying = yield* boughtAgain(allowed, pass)
  const kept = new Set(staying.map(({ one }) => one))
  const command = emptyCommand(allowed.filter((one) => !kept.has(one)).map(({ candidate }) => candidate))
  return {
    method: 'emptiness',
    reason: 'Empty',
    candidates,
    allowances,
    commands: command === undefined ? [] : [command],
    blocked: [...blocked, ...staying.map(({ one, reason }) => blockedNode(one, reason))],
    forgone: staying.flatMap(({ forgone }) => forgone ?? []),
  }
}

/** The command that takes empty nodes away; none without nodes. */
export const emptyCommand = ([first, ...rest]: ReadonlyArray<Candidate>): DisruptionCommand | undefined =>
  first === undefined
    ? undefined
    : {
        reason: 'Empty',
        candidates: [first, ...rest],
        replacements: [],
        savingsPerHour: [first, ...rest].reduce((sum, { pricePerHour }) => sum + pricePerHour, 0),
      }

/** Why emptiness leaves a candidate alone, or `undefined`. D-EMPTY-01. */
export const keptFromEmptiness = (
  { state, nodePool }: CandidateState,
  { snapshot }: Pass,
): BlockedReason | undefined => {
  if (nodePool.replicas !== undefined) return { _tag: 'StaticNodePool' }
  if (nodePool.disruption.consolidateAfterMs === undefined)
    return { _tag: 'ConsolidationDisabled', nodePool: nodePool.name }
  if (!isEmpty(state, costRules(snapshot)))
    return { _tag: 'NotEmpty', pods: state.pods.filter(Pods.isReschedulable).length }
  if (!Conditions.isTrue(state.claim?.conditions ?? [], 'Consolidatable')) return { _tag: 'NotConsolidatable' }
  return undefined
}
