import { Pods, StateNodes, type Pod, type StateNode } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'

/** How much it hurts to move one pod: 1, shifted by its deletion cost and priority, within [-10, 10]. D-COST-01. */
export const evictionCost = (pod: Pod): number =>
  Math.min(10, Math.max(-10, 1 + pod.disruption.deletionCost / 2 ** 27 + pod.priority / 2 ** 25))

/** How much it hurts to empty a node: 1 plus what its pods that must move cost, none of them below 0. D-COST-02. */
export const rescheduleCost = (pods: ReadonlyArray<Pod>): number =>
  pods.filter(Pods.isReschedulable).reduce((sum, pod) => sum + Math.max(0, evictionCost(pod)), 1)

/**
 * What a node costs, by its labels: the first offering of its type in its zone and capacity type. D-CAND-13.
 *
 * **Units**: currency per hour. 0 where type or offering are unknown or unpriced.
 */
export const nodePricePerHour = (state: StateNode, types: ReadonlyArray<InstanceType>): number => {
  const labels = StateNodes.labelsOf(state)
  const type = types.find(({ name }) => name === labels[labelKeys.instanceType])
  const isOurs = (key: string, requirements: Requirements) =>
    Requirement.singleValue(Requirements.get(requirements, key)) === labels[key]
  const offering = type?.offerings.find(
    ({ requirements }) => isOurs(labelKeys.zone, requirements) && isOurs(labelKeys.capacityType, requirements),
  )
  return offering?.pricePerHour ?? 0
}
