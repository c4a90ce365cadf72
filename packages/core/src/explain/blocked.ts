import type { BlockedReason } from '../disruption/index.ts'
import { absurd } from '../internal/index.ts'
import { Time } from '../time/index.ts'

/** Why a node stays, in one sentence that says what would change it. */
export const renderBlocked = (reason: BlockedReason): string => {
  switch (reason._tag) {
    case 'NoClaim':
      return 'No NodeClaim stands behind the node'
    case 'NoNode':
      return 'The machine has not joined the cluster yet'
    case 'NotInitialized':
      return 'The node has not finished starting'
    case 'Deleting':
      return 'The node is being deleted already'
    case 'DoNotDisrupt':
      return 'The node carries the annotation karpenter.sh/do-not-disrupt=true'
    case 'StaticNodePool':
      return 'The NodePool keeps a fixed number of nodes (spec.replicas)'
    case 'Nominated':
      return `Pending pods are expected on the node until ${Time.renderInstant(reason.untilMs)}`
    case 'NodePoolNotFound':
      return reason.nodePool === undefined
        ? 'The node names no NodePool (label karpenter.sh/nodepool)'
        : `NodePool ${reason.nodePool} is missing, or its instance types cannot be had now`
    case 'PodDoNotDisrupt':
      return `Pod ${reason.pod} carries the annotation karpenter.sh/do-not-disrupt`
    case 'PodDisruptionBudget':
      return reason.budgets.length === 1
        ? `PodDisruptionBudget ${reason.budgets[0]} allows no eviction of pod ${reason.pod} now`
        : `Pod ${reason.pod} is covered by ${reason.budgets.length} PodDisruptionBudgets (${reason.budgets.join(', ')}); Kubernetes evicts pods of one budget only`
    case 'ConsolidationDisabled':
      return `NodePool ${reason.nodePool} has consolidateAfter: Never`
    case 'NotEmpty':
      return reason.pods === 1 ? '1 pod would have to move' : `${reason.pods} pods would have to move`
    case 'NotConsolidatable':
      return 'Pods came or went within consolidateAfter'
    case 'Budget':
      return `The budgets of NodePool ${reason.nodePool} allow ${reason.allowed} disruptions now, and ${reason.consumed} are under way`
    default:
      return absurd(reason)
  }
}
