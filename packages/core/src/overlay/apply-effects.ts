import type { InstanceType, Offering } from '../instance/index.ts'
import { compareText } from '../internal/index.ts'
import type { Quantity, ResourceList } from '../quantity/index.ts'

/** What overlays decided for one type of one pool. */
export interface TypeEffects {
  /** New prices; offerings that are absent keep theirs. */
  readonly prices: ReadonlyMap<Offering, number>
  readonly capacity: ReadonlyMap<string, Quantity>
}

/** Text that two effects on one type share exactly when they make the same of it. */
export const signatureOf = ({ offerings }: InstanceType, { prices, capacity }: TypeEffects): string =>
  JSON.stringify([
    offerings.map((offering) => prices.get(offering) ?? null),
    [...capacity].sort(([a], [b]) => compareText(a, b)),
  ])

/**
 * The type with prices and capacity laid over it; everything else of it is shared (P-OVC-08).
 *
 * A resource that an offering states for itself is changed there as well, since the offering's word wins over the type's.
 */
export const applyEffects = (type: InstanceType, { prices, capacity }: TypeEffects): InstanceType => ({
  ...type,
  ...(capacity.size === 0
    ? {}
    : { capacity: withAmounts(type.capacity, capacity, () => true), isCapacityOverlaid: true as const }),
  offerings: type.offerings.map((offering) => {
    const pricePerHour = prices.get(offering)
    const own = offering.capacity
    const states = [...capacity.keys()].some((name) => own !== undefined && Object.hasOwn(own, name))
    if (pricePerHour === undefined && !states) return offering
    return {
      ...offering,
      ...(pricePerHour === undefined ? {} : { pricePerHour, isPriceOverlaid: true as const }),
      ...(own !== undefined && states
        ? { capacity: withAmounts(own, capacity, (name) => Object.hasOwn(own, name)) }
        : {}),
    }
  }),
})

const withAmounts = (
  list: ResourceList,
  amounts: TypeEffects['capacity'],
  isChanged: (name: string) => boolean,
): ResourceList => {
  const changed = Object.assign(Object.create(null) as Record<string, Quantity>, list)
  for (const [name, amount] of amounts) if (isChanged(name)) changed[name] = amount
  return changed
}
