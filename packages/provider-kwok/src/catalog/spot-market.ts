import { capacityTypes, labelKeys } from '@scantling/core'
import type { CatalogOffering } from './catalog-entry.ts'
import { seededFraction } from './seeded.ts'

/** What the offerings of one type are made from. */
export interface OfferingsInput {
  readonly name: string
  /** Types of one family share most of a zone's discount, as their capacity comes from one pool of hosts. */
  readonly family: string
  readonly onDemandPerHour: number
  readonly zones: ReadonlyArray<string>
  readonly seed: string
}

/**
 * On-demand at one price everywhere, and spot at 25 to 50 % of it, by zone.
 *
 * The discount follows from the seed: its larger part from family and zone, a smaller one from the type.
 */
export const offeringsOf = (input: OfferingsInput): ReadonlyArray<CatalogOffering> =>
  input.zones.flatMap((zone) => {
    const shared = seededFraction(input.seed, input.family, zone)
    const own = seededFraction(input.seed, input.name, zone)
    const spot = input.onDemandPerHour * (0.25 + 0.2 * shared + 0.05 * own)
    return [offering(zone, capacityTypes.onDemand, input.onDemandPerHour), offering(zone, capacityTypes.spot, spot)]
  })

/** One way to buy a type, in the catalogue's format; prices are kept to a hundredth of a cent. */
export const offering = (zone: string, capacityType: string, pricePerHour: number): CatalogOffering => ({
  Price: Math.round(pricePerHour * 10_000) / 10_000,
  Available: true,
  Requirements: [
    { key: labelKeys.capacityType, operator: 'In', values: [capacityType] },
    { key: labelKeys.zone, operator: 'In', values: [zone] },
  ],
})
