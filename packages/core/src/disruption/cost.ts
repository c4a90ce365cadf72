import { Pods, StateNodes, type Pod, type Snapshot, type StateNode } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { labelKeys, type Labels } from '../labels/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'

/** What moving a node's pods costs before any pod counts: even an empty node is not free to take away. */
export const baseCost = 1

/** How pods say what moving them costs. */
export interface CostRules {
  /** Whether a controller writes `pod-deletion-cost`, so that it says nothing of what users want (D-COST-01). */
  readonly podDeletionCostManagement: boolean
}

export const costRules = ({ settings }: Snapshot): CostRules => settings.featureGates

const userRules: CostRules = { podDeletionCostManagement: false }

/**
 * How much it hurts to move one pod: 1, shifted by its own cost and its priority, within [-10, 10]. D-COST-01.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * evictionCost(pendingPod('web-0')) // => 1
 */
export const evictionCost = (
  { disruption, priority }: Pod,
  { podDeletionCostManagement }: CostRules = userRules,
): number => {
  const own = disruption.disruptionCost ?? (podDeletionCostManagement ? 0 : disruption.deletionCost)
  return Math.min(10, Math.max(-10, 1 + own / 2 ** 27 + priority / 2 ** 25))
}

/**
 * How much it hurts to empty a node: 1 plus what its pods that must move cost, none of them below 0. D-COST-02.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * rescheduleCost([pendingPod('web-0'), pendingPod('web-1')]) // => 3
 */
export const rescheduleCost = (pods: ReadonlyArray<Pod>, rules: CostRules = userRules): number =>
  pods.filter(Pods.isReschedulable).reduce((sum, pod) => sum + Math.max(0, evictionCost(pod, rules)), baseCost)

/**
 * What emptying a node costs when its age counts: all its pods, those of DaemonSets too, times the share of its life
 * that is left. Reported, and the order in which static NodePools shrink; consolidation does not look at it.
 * D-COST-03, D-COST-04.
 *
 * @example
 * import { pendingPod, stateNode } from '@scantling/core/testing'
 * // A node that does not expire has all of its life left.
 * lifetimeCost(stateNode('node-1', { cpu: '4' }, { pods: [pendingPod('web-0')] }), 0) // => 1
 */
export const lifetimeCost = ({ claim, pods }: StateNode, nowMs: number, rules: CostRules = userRules): number => {
  const cost = pods.reduce((sum, pod) => sum + evictionCost(pod, rules), 0)
  if (claim?.expireAfterMs === undefined) return cost
  const left = (claim.expireAfterMs - (nowMs - claim.createdAtMs)) / claim.expireAfterMs
  return cost * Math.min(1, Math.max(0, left))
}

/**
 * What a node costs, by its labels: the first offering of its type in its zone and capacity type. D-CAND-13.
 *
 * **Units**: currency per hour. 0 where type or offering are unknown or unpriced.
 *
 * @example
 * import { instanceType, stateNode } from '@scantling/core/testing'
 * const labels = {
 *   'node.kubernetes.io/instance-type': 'm5.large',
 *   'topology.kubernetes.io/zone': 'a',
 *   'karpenter.sh/capacity-type': 'on-demand',
 * }
 * nodePricePerHour(stateNode('node-1', { cpu: '2' }, { labels }), [instanceType('m5.large', 2)]) // => 2
 */
export const nodePricePerHour = (state: StateNode, types: ReadonlyArray<InstanceType>): number =>
  pricePerHourOf(StateNodes.labelsOf(state), types)

/** As {@link nodePricePerHour}, from labels alone. */
export const pricePerHourOf = (labels: Labels, types: ReadonlyArray<InstanceType>): number => {
  const type = types.find(({ name }) => name === labels[labelKeys.instanceType])
  const isOurs = (key: string, requirements: Requirements) =>
    Requirement.singleValue(Requirements.get(requirements, key)) === labels[key]
  const offering = type?.offerings.find(
    ({ requirements }) => isOurs(labelKeys.zone, requirements) && isOurs(labelKeys.capacityType, requirements),
  )
  return offering?.pricePerHour ?? 0
}
