import { capacityTypes } from '../../labels/index.ts'
import type { Offer } from '../../scheduling/index.ts'
import type { BlockedReason } from '../plan.ts'
import { below } from './replacement-price.ts'

/** Cheaper types that must be left for one spot node to be replaced by another (D-SPOT-04). */
export const spotFlexibility = 15

/**
 * What may take the place of spot nodes as spot. D-SPOT-01…05.
 *
 * A single node needs at least 15 cheaper types, and only the 15 cheapest are launched: whichever comes is then too
 * cheap to be replaced again, so that spot nodes do not chase the lowest price from type to type.
 */
export const spotOffer = (
  offer: Offer,
  {
    pricePerHour,
    nodes,
    isAllowed,
  }: { readonly pricePerHour: number; readonly nodes: number; readonly isAllowed: boolean },
): Offer | BlockedReason => {
  if (!isAllowed) return { _tag: 'SpotToSpotDisabled' }
  const cheaper = below(offer.pinnedTo(capacityTypes.spot).onSale(), pricePerHour)
  if ('_tag' in cheaper || nodes > 1) return cheaper
  const { length } = cheaper.types
  if (length < spotFlexibility) return { _tag: 'SpotToSpotInflexible', types: length, needed: spotFlexibility }
  return cheaper.cheapest(
    cheaper.hasMinValues ? Math.max(spotFlexibility, cheaper.typesForMinValues()) : spotFlexibility,
  )
}
