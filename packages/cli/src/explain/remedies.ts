import type { BlockedReason } from '@scantling/core'

type Tag = BlockedReason['_tag']
type Remedies = { readonly [T in Tag]?: (reason: Extract<BlockedReason, { readonly _tag: T }>) => string }

/** What would have to change for a node that stays to go. Reasons that pass by themselves say when. */
const remedies: Remedies = {
  NoClaim: () => 'Nothing here changes that: only machines launched for a NodePool are taken away',
  NoNode: () => 'It passes when the machine joins, or the NodeClaim ends for not joining',
  NotInitialized: () => 'It passes when the node is Ready, its startup taints are gone and its resources registered',
  DoNotDisrupt: () => 'Remove the annotation karpenter.sh/do-not-disrupt from the Node',
  StaticNodePool: () => 'Lower spec.replicas of the NodePool',
  Nominated: () => 'It passes by itself, once the pods are bound or go elsewhere',
  NodePoolNotFound: () => 'Create the NodePool again, or delete the NodeClaim by hand',
  PodDoNotDisrupt: ({ pod }) =>
    `Remove the annotation karpenter.sh/do-not-disrupt from pod ${pod}, give it a duration, or let the pod end`,
  PodDisruptionBudget: ({ budgets }) =>
    budgets.length === 1
      ? `Let ${budgets[0]} allow a disruption: more replicas, a higher maxUnavailable or a lower minAvailable, or pods that become ready`
      : `Leave one of the PodDisruptionBudgets ${budgets.join(', ')}`,
  ConsolidationDisabled: () => 'Set spec.disruption.consolidateAfter of the NodePool to a duration',
  NotConsolidatable: () => 'It passes by itself when no pod has come or gone for consolidateAfter',
  InstanceTypeUnknown: () => 'Name the instance types of the cluster, as with --catalog',
  OnlyWhenEmpty: () => 'Set spec.disruption.consolidationPolicy of the NodePool to WhenEmptyOrUnderutilized',
  PodsWithoutPlace: () => 'Make room elsewhere for its pods, or loosen what they require of a node',
  NeedsUninitializedNode: () => 'It passes by itself when that node has finished starting',
  NotCheaper: () => 'Fewer or smaller pods on it, room on other nodes, or cheaper types allowed by the NodePool',
  MinValuesUnmetIfCheaper: () => 'Lower minValues in the NodePool, or allow more types',
  SpotToSpotDisabled: () => 'Switch the feature gate SpotToSpotConsolidation on',
  SpotToSpotInflexible: () => 'Allow more instance types in the NodePool',
  NotWorthwhile: () =>
    'Emptier nodes or pods that are cheaper to move, or consolidationPolicy: WhenEmptyOrUnderutilized',
  AtNodeLimit: () => 'Raise limits.nodes of the NodePool by one',
  LimitWhileReplacing: () => 'Raise spec.limits of the NodePool by the size of one machine',
  RecentlyMoved: () => 'It passes by itself: pods that have just moved are left alone for a while',
  Budget: ({ nodePool }) =>
    `Raise nodes in spec.disruption.budgets of NodePool ${nodePool}, or wait until disruptions under way have ended`,
}

/** What would have to change; absent where the reason says it all. */
export const remedyOf = (reason: BlockedReason): string | undefined => {
  const remedy = remedies[reason._tag] as ((reason: BlockedReason) => string) | undefined
  return remedy?.(reason)
}
