import { capacityTypes, Offerings, Requirements, type InstanceType, type Offering } from '@scantling/core'
import { placementScopeOf } from '../offerings/index.ts'

/** One way to launch: a type, bought by one of its offerings. */
export interface Way {
  readonly type: InstanceType
  readonly offering: Offering
}

/**
 * The ways to launch, best first (Z-ALLOC-01…05).
 *
 * The cheapest; at one price spot before on demand, a zone before the region. Offerings of a type that are equal come in
 * random order, so that machines spread over zones; types that are equal come by name, each with its best way, then each
 * with its next.
 *
 * Inputs are left as they are. None: nothing that is available meets the requirements.
 */
export const rankOfferings = (
  candidates: ReadonlyArray<InstanceType>,
  requirements: Requirements,
  random: () => number,
): ReadonlyArray<Way> =>
  candidates
    .flatMap((type) =>
      shuffled(
        type.offerings.filter(
          (offering) =>
            offering.unavailable === undefined && Requirements.intersects(offering.requirements, requirements),
        ),
        random,
      )
        .sort(compareOfferings)
        .map((offering, turn) => ({ way: { type, offering }, turn })),
    )
    .sort(
      (a, b) =>
        compareOfferings(a.way.offering, b.way.offering) ||
        a.turn - b.turn ||
        (a.way.type.name < b.way.type.name ? -1 : a.way.type.name > b.way.type.name ? 1 : 0),
    )
    .map(({ way }) => way)

const compareOfferings = (left: Offering, right: Offering): number => {
  const [one, other] = [left.pricePerHour ?? Infinity, right.pricePerHour ?? Infinity]
  if (one !== other) return one < other ? -1 : 1
  return rankOf(left) - rankOf(right)
}

const rankOf = (offering: Offering): number =>
  (Offerings.capacityTypeOf(offering) === capacityTypes.spot ? 0 : 2) +
  (placementScopeOf(Offerings.zoneOf(offering) ?? '') === 'zonal' ? 0 : 1)

const shuffled = <A>(items: ReadonlyArray<A>, random: () => number): Array<A> =>
  items
    .map((item) => ({ item, draw: random() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ item }) => item)
