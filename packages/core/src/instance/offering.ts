import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import type { InstanceType, Offering } from './instance-type.ts'

/**
 * The zone of an offering; `undefined` where its requirement is not a single value (P-ITO-08).
 *
 * @example
 * import { offering } from '@scantling/core/testing'
 * Offerings.zoneOf(offering('zone-a', 'spot', 0.01)) // => 'zone-a'
 */
export const zoneOf = ({ requirements }: Offering): string | undefined =>
  Requirement.singleValue(Requirements.get(requirements, labelKeys.zone))

/**
 * The capacity type of an offering (P-ITO-08).
 *
 * @example
 * import { offering } from '@scantling/core/testing'
 * Offerings.capacityTypeOf(offering('zone-a', 'spot', 0.01)) // => 'spot'
 */
export const capacityTypeOf = ({ requirements }: Offering): string | undefined =>
  Requirement.singleValue(Requirements.get(requirements, labelKeys.capacityType))

/**
 * The first offering of a type in a zone under a capacity type, sold out ones included (P-ITO-07).
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * Offerings.offeringIn(instanceType('m5.large', 2), { zone: 'b', capacityType: 'on-demand' })?.pricePerHour // => 2
 */
export const offeringIn = (
  type: InstanceType,
  place: { readonly zone: string; readonly capacityType: string },
): Offering | undefined =>
  type.offerings.find((offering) => zoneOf(offering) === place.zone && capacityTypeOf(offering) === place.capacityType)
