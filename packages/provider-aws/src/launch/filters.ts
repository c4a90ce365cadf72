import {
  labelKeys,
  Offerings,
  Quantity,
  Requirement,
  Requirements,
  Resources,
  allocatableOfType,
  type InstanceType,
  type NodeClaimFacts,
  type Offering,
} from '@scantling/core'
import { awsLabelKeys, exoticResources } from '../labels/index.ts'

type Types = ReadonlyArray<InstanceType>
type Claim = Pick<NodeClaimFacts, 'requirements' | 'requests'>

/** One step of narrowing the candidates of a launch; an empty answer means that nothing can be launched. */
export interface Filter {
  readonly name: string
  readonly apply: (types: Types, claim: Claim) => Types
}

export const priceOf = ({ pricePerHour }: Offering): number => pricePerHour ?? Infinity
export const capacityTypeIs = (offering: Offering, capacityType: string): boolean =>
  Offerings.capacityTypeOf(offering) === capacityType
export const cheapestOf = ({ offerings }: InstanceType): number => Math.min(...offerings.map(priceOf))
export const labelOf = ({ requirements }: Pick<Offering, 'requirements'>, key: string): string | undefined =>
  Requirement.singleValue(Requirements.get(requirements, key))
const allows = ({ requirements }: Claim, capacityType: string): boolean =>
  Requirement.has(Requirements.get(requirements, labelKeys.capacityType), capacityType)

const withOfferings = (type: InstanceType, keep: (offering: Offering) => boolean): InstanceType | undefined => {
  const offerings = type.offerings.filter(keep)
  return offerings.length === 0 ? undefined : offerings.length === type.offerings.length ? type : { ...type, offerings }
}
const mapTypes = (types: Types, map: (type: InstanceType) => InstanceType | undefined): Types =>
  types.flatMap((type) => map(type) ?? [])

/**
 * What the claim allows, what fits it, and what is on sale now. The shell has seen to it; others may not.
 *
 * A claim states its NodePool's labels as well, of which types know nothing: only keys of both sides are compared.
 */
const compatibleAvailable: Filter = {
  name: 'compatible-available',
  apply: (types, { requirements, requests }) =>
    mapTypes(types, (type) =>
      Requirements.intersects(requirements, type.requirements)
        ? withOfferings(
            type,
            (offering) =>
              offering.unavailable === undefined &&
              (offering.reservation === undefined || offering.reservation.remaining > 0) &&
              Requirements.intersects(requirements, offering.requirements) &&
              Resources.fits(requests, allocatableOfType(type, offering)),
          )
        : undefined,
    ),
}

const isReserved = (offering: Offering) => capacityTypeIs(offering, 'reserved')
const kinds: ReadonlyArray<(offering: Offering) => boolean> = [
  (offering) => labelOf(offering, awsLabelKeys.reservationType) !== 'capacity-block' && !isInterruptible(offering),
  (offering) => labelOf(offering, awsLabelKeys.reservationType) === 'capacity-block',
  (offering) => labelOf(offering, awsLabelKeys.reservationType) !== 'capacity-block' && isInterruptible(offering),
]
const isInterruptible = (offering: Offering) => labelOf(offering, awsLabelKeys.reservationInterruptible) === 'true'

/** One fleet buys from one kind of reservation: that with the cheapest offering. */
const reservationKind: Filter = {
  name: 'capacity-reservation-type',
  apply: (types, claim) => {
    if (!allows(claim, 'reserved')) return types
    const cheapest = kinds.map((isOfKind) =>
      Math.min(
        ...types.flatMap(({ offerings }) => offerings.filter((one) => isReserved(one) && isOfKind(one)).map(priceOf)),
      ),
    )
    const best = Math.min(...cheapest)
    const isOfKind = kinds[cheapest.indexOf(best)]
    return best === Infinity && !types.some(({ offerings }) => offerings.some(isReserved))
      ? types
      : mapTypes(types, (type) => withOfferings(type, (one) => isReserved(one) && isOfKind?.(one) === true))
  },
}

/** A capacity block is of one type in one zone: a fleet names just it. */
const capacityBlock: Filter = {
  name: 'capacity-block',
  apply: (types) => {
    const first = types.flatMap(({ offerings }) => offerings).find(isReserved)
    if (first === undefined || labelOf(first, awsLabelKeys.reservationType) !== 'capacity-block') return types
    const blocks = types.flatMap((type) => type.offerings.filter(isReserved).map((offering) => ({ type, offering })))
    const cheapest = blocks.reduce((best, one) => (priceOf(one.offering) < priceOf(best.offering) ? one : best))
    return [{ ...cheapest.type, offerings: [cheapest.offering] }]
  },
}

/** In each zone the reservation with most room; types without a reservation go, unless none has one. */
const reservedOffering: Filter = {
  name: 'reserved-offering',
  apply: (types) => {
    const kept = mapTypes(types, (type) => {
      const byZone = new Map<string, Offering>()
      for (const offering of type.offerings.filter(isReserved)) {
        const zone = Offerings.zoneOf(offering) ?? ''
        const rival = byZone.get(zone)
        if ((offering.reservation?.remaining ?? 0) > (rival?.reservation?.remaining ?? -1)) byZone.set(zone, offering)
      }
      return byZone.size === 0 ? undefined : { ...type, offerings: [...byZone.values()] }
    })
    return kept.length === 0 ? types : kept
  },
}

/** Accelerators and bare metal are for those who ask for them, or who can use nothing else. */
const exotic: Filter = {
  name: 'exotic',
  apply: (types, { requirements }) => {
    if (Requirements.hasMinValues(requirements)) return types
    const plain = types.filter((type) => !isExotic(type))
    return plain.length === 0 ? types : plain
  },
}

const isExotic = (type: InstanceType): boolean =>
  (labelOf(type, awsLabelKeys.size) ?? type.name).includes('metal') ||
  exoticResources.some((name) => !Quantity.isZero(Resources.get(type.capacity, name)))

/** Spot that costs more than on-demand is no bargain. */
const spotOffering: Filter = {
  name: 'spot-offering',
  apply: (types, claim) => {
    if (Requirements.hasMinValues(claim.requirements)) return types
    if (!allows(claim, 'spot') || !allows(claim, 'on-demand')) return types
    const offerings = types.flatMap((type) => type.offerings)
    const onDemand = offerings.filter((one) => capacityTypeIs(one, 'on-demand'))
    if (onDemand.length === 0 || !offerings.some((one) => capacityTypeIs(one, 'spot'))) return types
    const most = Math.min(...onDemand.map(priceOf))
    return mapTypes(types, (type) => withOfferings(type, (one) => !capacityTypeIs(one, 'spot') || priceOf(one) <= most))
  },
}

/** The filters in the order in which the reference applies them. */
export const filters: ReadonlyArray<Filter> = [
  compatibleAvailable,
  reservationKind,
  capacityBlock,
  reservedOffering,
  exotic,
  spotOffering,
]
