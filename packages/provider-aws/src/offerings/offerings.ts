import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { capacityTypes, labelKeys, Requirement, Requirements, type Offering } from '@scantling/core'
import { awsLabelKeys } from '../labels/index.ts'
import type { NodeClassZone, ResolvedCapacityReservation } from '../node-class/index.ts'
import { onDemandPriceOf, spotPriceOf, type Prices } from '../pricing/index.ts'

/** How many instances a reservation has left, as EC2 last told. */
export interface ReservationCount {
  readonly remaining: number
  readonly observedAtMs: number
}

/** Everything that offerings are made from and that all types share. */
export interface OfferingsContext {
  /** All zones of the region: an offering outside the NodeClass says why it is not available. */
  readonly zones: ReadonlyArray<string>
  readonly nodeClassZones: ReadonlyMap<string, NodeClassZone>
  readonly prices: Prices
  readonly shiftedZoneIds: ReadonlySet<string>
  readonly exhaustedSubnetIds: ReadonlySet<string>
  readonly placementGroup?: { readonly strategy: string; readonly partitionCount?: number }
  readonly reservationCounts: ReadonlyMap<string, ReservationCount>
  readonly usesReservations: boolean
}

interface TypeFacts {
  readonly info: InstanceTypeInfo
  /** Zones in which EC2 offers the type. */
  readonly soldIn: ReadonlySet<string>
  readonly reservations: ReadonlyArray<ResolvedCapacityReservation>
  /** Why nothing of the type can be launched with the NodeClass. */
  readonly incompatibility?: { readonly reason: string; readonly message: string }
}

type Unavailable = NonNullable<Offering['unavailable']>

// Reserved machines are paid for already: nearly free, and the cheaper type first (A-OFF-06).
const reservedPriceDivisor = 10_000_000

const baseCapacityTypes = [capacityTypes.onDemand, capacityTypes.spot] as const

/** The capacity types under which EC2 sells a type (A-LBL-04). */
export const soldCapacityTypes = ({ SupportedUsageClasses = [] }: InstanceTypeInfo) =>
  baseCapacityTypes.filter((one) => SupportedUsageClasses.some((usage) => String(usage) === one))

/**
 * Makes the offerings of types: one per zone and capacity type, then one per reservation, each per partition where the
 * NodeClass has a group of partitions (A-OFF).
 *
 * Offerings that nothing sets apart share their requirements, across types too.
 */
export const offeringsMaker = (context: OfferingsContext): ((type: TypeFacts) => ReadonlyArray<Offering>) => {
  const partitions = partitionsOf(context.placementGroup)
  const requirementsOfBase = memoized((zone: string, capacityType: string, partition: string) =>
    Requirements.of([
      ...placeRequirements(context, zone, capacityType, partition),
      ...reservationKeys.map((key) => Requirement.doesNotExist(key)),
    ]),
  )
  return (type) => {
    const offerings: Array<Offering> = []
    for (const partition of partitions) {
      for (const capacityType of soldCapacityTypes(type.info)) {
        for (const zone of context.zones) {
          const price = priceOf(context.prices, type.info.InstanceType ?? '', capacityType, zone)
          const unavailable = unavailability(context, type, zone)
          offerings.push({
            requirements: requirementsOfBase(zone, capacityType, partition),
            ...(price !== undefined && { pricePerHour: price }),
            ...(unavailable !== undefined && { unavailable }),
          })
        }
      }
      if (!context.usesReservations) continue
      for (const reservation of type.reservations)
        offerings.push(reservedOffering(context, type, reservation, partition))
    }
    return offerings
  }
}

const reservationKeys = [
  awsLabelKeys.reservationId,
  awsLabelKeys.reservationType,
  awsLabelKeys.reservationInterruptible,
] as const

const priceOf = (prices: Prices, type: string, capacityType: string, zone: string): number | undefined =>
  capacityType === capacityTypes.spot ? spotPriceOf(prices, type, zone) : onDemandPriceOf(prices, type)

// The empty text stands for no partition.
const partitionsOf = (group: OfferingsContext['placementGroup']): ReadonlyArray<string> =>
  group?.strategy === 'partition' && (group.partitionCount ?? 0) > 0
    ? Array.from({ length: group.partitionCount ?? 0 }, (_, index) => String(index + 1))
    : ['']

const placeRequirements = (
  { nodeClassZones }: OfferingsContext,
  zone: string,
  capacityType: string,
  partition: string,
): ReadonlyArray<Requirement> => {
  const zoneId = nodeClassZones.get(zone)?.zoneId
  return [
    Requirement.isIn(labelKeys.capacityType, [capacityType]),
    Requirement.isIn(labelKeys.zone, [zone]),
    ...(zoneId === undefined ? [] : [Requirement.isIn(awsLabelKeys.zoneId, [zoneId])]),
    ...(partition === '' ? [] : [Requirement.isIn(awsLabelKeys.placementGroupPartition, [partition])]),
  ]
}

const reservedOffering = (
  context: OfferingsContext,
  type: TypeFacts,
  reservation: ResolvedCapacityReservation,
  partition: string,
): Offering => {
  const { id, availabilityZone: zone, reservationType, interruptible = false, state } = reservation
  const price = onDemandPriceOf(context.prices, type.info.InstanceType ?? '') ?? 0
  const unavailable =
    unavailability(context, type, zone) ??
    (state === 'expiring'
      ? { reason: 'ReservationExpiring', message: `capacity reservation ${id} is about to end` }
      : undefined)
  return {
    requirements: Requirements.of([
      ...placeRequirements(context, zone, capacityTypes.reserved, partition),
      Requirement.isIn(awsLabelKeys.reservationId, [id]),
      Requirement.isIn(awsLabelKeys.reservationType, [reservationType]),
      Requirement.isIn(awsLabelKeys.reservationInterruptible, [String(interruptible)]),
    ]),
    pricePerHour: price / reservedPriceDivisor,
    // One that EC2 has not told of has nothing left.
    reservation: context.reservationCounts.get(id) ?? { remaining: 0, observedAtMs: 0 },
    ...(unavailable !== undefined && { unavailable }),
  }
}

const unavailability = (
  context: OfferingsContext,
  { incompatibility, soldIn, info }: TypeFacts,
  zone: string,
): Unavailable | undefined => {
  if (incompatibility !== undefined) return incompatibility
  if (!soldIn.has(zone))
    return { reason: 'NotSoldInZone', message: `EC2 does not offer ${info.InstanceType ?? 'the type'} in ${zone}` }
  const place = context.nodeClassZones.get(zone)
  if (place === undefined) return { reason: 'NoSubnetInZone', message: `the EC2NodeClass has no subnet in ${zone}` }
  if (place.zoneId !== undefined && context.shiftedZoneIds.has(place.zoneId))
    return { reason: 'ZoneShifted', message: `traffic is shifted away from ${zone}` }
  return place.subnetIds.every((id) => context.exhaustedSubnetIds.has(id))
    ? { reason: 'SubnetsExhausted', message: `no subnet of the EC2NodeClass in ${zone} has free addresses` }
    : undefined
}

const memoized = <A>(make: (a: string, b: string, c: string) => A): ((a: string, b: string, c: string) => A) => {
  const known = new Map<string, A>()
  return (a, b, c) => {
    const key = `${a} ${b} ${c}`
    const present = known.get(key)
    if (present !== undefined) return present
    const made = make(a, b, c)
    known.set(key, made)
    return made
  }
}
