import * as E from 'fp-ts/lib/Either.js'
import { Conditions, Pods, type Snapshot } from '../cluster/index.ts'
import { compareNumber, compareText } from '../internal/index.ts'
import { allowances } from './budget.ts'
import { candidateOf, isEmpty, readPodBudgets, type CandidateState } from './candidate.ts'
import type { BlockedNode, BlockedReason, Candidate, DisruptionPlan } from './plan.ts'

/**
 * Which empty nodes to take away, and why every other node stays. D-EMPTY-01…03, D-EMPTY-08.
 *
 * A node is empty when no pod on it would have to be moved; those of DaemonSets do not count. One command takes as
 * many as the budgets of their NodePools allow, the dearest for the least disruption first. A pool's budget is spent
 * within the pass: two commands of one plan never overdraw it.
 *
 * Cost: O(nodes × pods of each).
 */
export const planEmptiness = (snapshot: Snapshot): DisruptionPlan => {
  const pools = new Map(snapshot.nodePools.map((pool) => [pool.name, pool]))
  const budgets = readPodBudgets(snapshot.podDisruptionBudgets)
  const left = new Map(allowances(snapshot.nodePools, snapshot.nodes, 'Empty', snapshot.nowMs))
  const blocked: Array<BlockedNode> = []
  const empty: Array<CandidateState> = []
  for (const state of snapshot.nodes) {
    if (!state.isManaged) continue
    const candidate = E.chain((made: CandidateState) => {
      const reason = notEmptiable(made)
      return reason === undefined ? E.right(made) : E.left(reason)
    })(candidateOf(state, snapshot, pools, budgets))
    if (E.isRight(candidate)) empty.push(candidate.right)
    else blocked.push({ node: state.name, nodePool: poolOf(state, candidate.left), reason: candidate.left })
  }
  empty.sort(
    ({ candidate: a }, { candidate: b }) =>
      compareNumber(b.pricePerHour / b.rescheduleCost, a.pricePerHour / a.rescheduleCost) ||
      compareText(a.node, b.node),
  )
  const taken: Array<Candidate> = []
  for (const { candidate } of empty) {
    const allowance = left.get(candidate.nodePool)
    if (allowance === undefined || allowance.left < 1) {
      const { allowed = 0, consumed = 0 } = allowance ?? {}
      const reason: BlockedReason = { _tag: 'Budget', nodePool: candidate.nodePool, allowed, consumed }
      blocked.push({ node: candidate.node, nodePool: candidate.nodePool, reason })
      continue
    }
    left.set(candidate.nodePool, { ...allowance, consumed: allowance.consumed + 1, left: allowance.left - 1 })
    taken.push(candidate)
  }
  blocked.sort((a, b) => compareText(a.node, b.node))
  const [first, ...rest] = taken
  return {
    commands:
      first === undefined
        ? []
        : [
            {
              reason: 'Empty',
              candidates: [first, ...rest],
              replacements: [],
              savingsPerHour: taken.reduce((sum, { pricePerHour }) => sum + pricePerHour, 0),
            },
          ],
    blocked,
    stats: { nodes: snapshot.nodes.length, candidates: empty.length },
  }
}

const notEmptiable = ({ state, nodePool }: CandidateState): BlockedReason | undefined => {
  if (nodePool.replicas !== undefined) return { _tag: 'StaticNodePool' }
  if (nodePool.disruption.consolidateAfterMs === undefined)
    return { _tag: 'ConsolidationDisabled', nodePool: nodePool.name }
  if (!isEmpty(state)) return { _tag: 'NotEmpty', pods: state.pods.filter(Pods.isReschedulable).length }
  if (!Conditions.isTrue(state.claim?.conditions ?? [], 'Consolidatable')) return { _tag: 'NotConsolidatable' }
  return undefined
}

const poolOf = (state: Snapshot['nodes'][number], reason: BlockedReason): string | undefined =>
  reason._tag === 'NodePoolNotFound' ? reason.nodePool : state.claim?.labels['karpenter.sh/nodepool']
