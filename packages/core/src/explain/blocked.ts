import type { BlockedReason } from '../disruption/index.ts'
import { absurd } from '../internal/index.ts'
import { Time } from '../time/index.ts'

/**
 * Why a node stays, in one sentence that says what would change it.
 *
 * @example
 * renderBlocked({ _tag: 'NotInitialized' }) // => 'The node has not finished starting'
 */
export const renderBlocked = (reason: BlockedReason): string => {
  switch (reason._tag) {
    case 'InFlight':
      return 'The node is being replaced already'
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
    case 'NoNodePools':
      return 'Nothing can be planned: no NodePool is ready to take pods'
    case 'InstanceTypeUnknown':
      return reason.instanceType === undefined
        ? 'The node does not say what instance type it is (label node.kubernetes.io/instance-type)'
        : `Instance type ${reason.instanceType} is not among those of the NodePool, so its price is unknown`
    case 'LabelMissing':
      return `The node lacks the label ${reason.label}, so its price is unknown`
    case 'OnlyWhenEmpty':
      return `NodePool ${reason.nodePool} has consolidationPolicy: WhenEmpty, and pods would have to move`
    case 'PodsWithoutPlace':
      return `No other place for ${reason.total === 1 ? 'pod' : `${reason.total} pods:`} ${reason.pods.join(', ')}${reason.total > reason.pods.length ? ', …' : ''}`
    case 'NeedsUninitializedNode':
      return `Pod ${reason.pod} would have to go to ${reason.node}, which has not finished starting`
    case 'NeedsSeveralNodes':
      return `Its pods would need ${reason.nodes} new nodes`
    case 'NotCheaper':
      return reason.cheapestPerHour === undefined
        ? `No replacement is sure to cost less than ${price(reason.pricePerHour)}`
        : `No replacement is sure to cost less than ${price(reason.pricePerHour)}; the cheapest that would do costs ${price(reason.cheapestPerHour)}`
    case 'MinValuesUnmetIfCheaper':
      return `The types that cost less do not reach the minValues of ${reason.keys.join(', ')}`
    case 'SpotToSpotDisabled':
      return 'Spot nodes are not replaced by spot nodes (feature gate SpotToSpotConsolidation is off)'
    case 'SpotToSpotInflexible':
      return `Only ${reason.types} cheaper instance types would do; a spot node is replaced by another from ${reason.needed} on`
    case 'NotWorthwhile':
      return `NodePool ${reason.nodePool} is Balanced: the savings score ${reason.score.toFixed(2)} for the disruption, and ${reason.threshold} is needed`
    case 'AboveReplicas':
      return `NodePool ${reason.nodePool} has ${reason.nodes} nodes and wants ${reason.replicas}: it shrinks first`
    case 'AtNodeLimit':
      return `NodePool ${reason.nodePool} is at its limit on nodes, so that no replacement can be launched first`
    case 'ReservationsFull':
      return `The capacity reservations of NodePool ${reason.nodePool} are full, so that no replacement can be launched first`
    case 'RecentlyMoved':
      return `Pod ${reason.pod} was moved a short while ago; its node is left alone until ${Time.renderInstant(reason.untilMs)}`
    case 'ReplacementWouldGo':
      return reason.nodes.length === 1
        ? 'Its replacement could be done without again at once, and the pods would move twice'
        : `The replacement of ${reason.nodes.join(', ')} could be done without again at once, and the pods would move twice`
    case 'WouldBeBoughtAgain':
      return `Pod ${reason.pod} may be moved, but has no place elsewhere: a node like this one would be bought for it`
    case 'LimitWhileReplacing':
      return `A replacement must be up first, and the limits of ${reason.nodePools.length === 1 ? 'NodePool' : 'the NodePools'} ${reason.nodePools.join(', ')} leave no room for both`
    case 'OthersFirst':
      return `Other nodes go first (${reason.method}); this one is looked at again after that`
    case 'Budget':
      return `The budgets of NodePool ${reason.nodePool} allow ${reason.allowed} disruptions now, and ${reason.consumed} are under way`
    default:
      return absurd(reason)
  }
}

const price = (perHour: number): string => `${Number(perHour.toFixed(5))} per hour`
