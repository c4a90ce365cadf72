import { Offerings, allocatableOfType, type InstanceType, type Offering } from '../instance/index.ts'
import type { LabelKnowledge } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import { Requirements } from '../requirements/index.ts'
import type { Launch } from './plan.ts'

/** What a launch would most likely become: its cheapest type in the cheapest place that it may be in. */
export interface LaunchForecast {
  readonly instanceType: InstanceType
  /** Absent where nothing compatible is for sale at present. */
  readonly offering?: Offering
  readonly zone: string
  readonly capacityType: string
  readonly pricePerHour: number
  readonly allocatable: ResourceList
}

/**
 * The machine that a launch asks for first. A provider may choose another of the launch's types: cheaper to it, or left.
 *
 * Cost: O(offerings of one type).
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ pods: [pendingPod('web-0')] })
 * const [launch] = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' }).launches
 * launch && forecastLaunch(launch, snapshot.labelRules.knowledge).instanceType.name // => 'small'
 */
export const forecastLaunch = (launch: Launch, knowledge: Pick<LabelKnowledge, 'wellKnown'>): LaunchForecast => {
  const [instanceType] = launch.instanceTypes
  let offering: Offering | undefined
  for (const candidate of instanceType.offerings) {
    if (candidate.unavailable !== undefined || candidate.pricePerHour === undefined) continue
    if (candidate.reservation !== undefined && candidate.reservation.remaining <= 0) continue
    if (offering?.pricePerHour !== undefined && offering.pricePerHour <= candidate.pricePerHour) continue
    if (!Requirements.isCompatible(launch.requirements, candidate.requirements, knowledge.wellKnown)) continue
    offering = candidate
  }
  return {
    instanceType,
    ...(offering === undefined ? {} : { offering }),
    zone: (offering && Offerings.zoneOf(offering)) ?? '',
    capacityType: (offering && Offerings.capacityTypeOf(offering)) ?? '',
    pricePerHour: offering?.pricePerHour ?? launch.pricePerHour ?? 0,
    allocatable: allocatableOfType(instanceType, offering),
  }
}
