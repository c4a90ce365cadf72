import { Conditions, type Condition, type NodeState } from '../cluster/index.ts'
import type { RepairPolicy } from '../provider/index.ts'

/** A condition for which a node is to be replaced, and when. */
export interface RepairDue {
  readonly condition: Condition
  /** When its patience ends. */
  readonly atMs: number
  /** Present: the cloud has announced the end of the machine; budgets and breakers do not count. */
  readonly deadlineMs?: number
}

// Of the nodes of a NodePool (or cluster) one in five may be unhealthy; more is no fault of single machines.
const oneUnhealthyIn = 5

/**
 * The condition that a node is to be repaired for first: of those that a policy names, the one whose patience ends
 * earliest. H-HEALTH-03.
 *
 * @example
 * import { nodeObject } from '@scantling/core/testing'
 * const policies = [{ conditionType: 'Ready', status: 'True', tolerationMs: 60_000 }] as const
 * repairDue(ingestNode(nodeObject('node-1')), policies)?.condition.type // => 'Ready'
 */
export const repairDue = (
  node: Pick<NodeState, 'conditions'>,
  policies: ReadonlyArray<RepairPolicy>,
): RepairDue | undefined => {
  let first: RepairDue | undefined
  for (const policy of policies) {
    const condition = Conditions.find(node.conditions, policy.conditionType)
    if (condition === undefined || condition.status !== policy.status) continue
    const deadlineMs = policy.deadlineMs?.(condition)
    if (policy.isAdvice === true && deadlineMs === undefined) continue
    const atMs = condition.lastTransitionAtMs + policy.tolerationMs
    if (first !== undefined && first.atMs <= atMs) continue
    first = { condition, atMs, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
  }
  return first
}

/**
 * Whether few enough of `nodes` are unhealthy for one of them to be replaced. H-HEALTH-04.
 *
 * Unhealthy by any policy counts, patience or not: what takes many nodes at once is not mended by new ones. Machines
 * that the cloud takes away by a deadline say nothing of health.
 *
 * @example
 * import { nodeObject } from '@scantling/core/testing'
 * const policies = [{ conditionType: 'Ready', status: 'True', tolerationMs: 60_000 }] as const
 * isRepairSafe([ingestNode(nodeObject('node-1'))], policies) // => true
 */
export const isRepairSafe = (
  nodes: ReadonlyArray<Pick<NodeState, 'conditions'>>,
  policies: ReadonlyArray<RepairPolicy>,
): boolean => {
  const lasting = policies.filter(({ deadlineMs }) => deadlineMs === undefined)
  const unhealthy = nodes.filter((node) => repairDue(node, lasting) !== undefined).length
  return unhealthy <= Math.ceil(nodes.length / oneUnhealthyIn)
}
