/** What machines cost, and since when that is known. **Units**: the region's currency per hour. */
export interface Prices {
  /** By type. Linux on shared hardware; bare metal: dedicated. */
  readonly onDemand: ReadonlyMap<string, number>
  /** By type, then by zone. Empty until spot prices were read for the first time. */
  readonly spot: ReadonlyMap<string, ReadonlyMap<string, SpotPrice>>
  readonly onDemandAtMs?: number
  readonly spotAtMs?: number
  /** Where the on-demand prices come from, as output should say it. */
  readonly source: string
}

export interface SpotPrice {
  readonly pricePerHour: number
  /** When it was last among the prices that EC2 told. */
  readonly seenAtMs: number
}

/** On-demand prices that come with the program. */
export interface ShippedPrices {
  readonly source: string
  /** Made up: real ones take their place whole, and do not lie over them. */
  readonly isSynthetic?: true
  readonly byRegion: ReadonlyMap<string, ReadonlyMap<string, number>>
}

const fallbackRegion = 'us-east-1'

/**
 * The prices to begin with: those shipped for the region, else those of us-east-1, whose order of types is much the
 * same everywhere (A-PRC-01).
 */
export const initialPrices = ({ source, byRegion }: ShippedPrices, region: string): Prices => {
  const own = byRegion.get(region)
  return {
    onDemand: own ?? byRegion.get(fallbackRegion) ?? new Map(),
    spot: new Map(),
    source: own === undefined ? `${source} (those of ${fallbackRegion})` : source,
  }
}

/** The price of a type on demand; `undefined`: not known. */
export const onDemandPriceOf = ({ onDemand }: Prices, type: string): number | undefined => onDemand.get(type)

/** The price of a type on spot in a zone: the on-demand price until spot prices are known (A-PRC-02). */
export const spotPriceOf = ({ onDemand, spot, spotAtMs }: Prices, type: string, zone: string): number | undefined =>
  spotAtMs === undefined ? onDemand.get(type) : spot.get(type)?.get(zone)?.pricePerHour

/** New on-demand prices over the old ones: a type that is missing from one answer keeps its price (A-PRC-05). */
export const withOnDemand = (prices: Prices, found: ReadonlyMap<string, number>, nowMs: number): Prices => ({
  ...prices,
  onDemand: new Map([...prices.onDemand, ...found]),
  onDemandAtMs: nowMs,
  source: 'AWS Price List',
})

// EC2 tells the price of every pool that it sells, so what it has not told for this long is not on sale.
const spotForgottenAfterMs = 24 * 60 * 60_000

/** New spot prices over the old ones; what EC2 has not told of for a day is forgotten. */
export const withSpot = (
  prices: Prices,
  found: ReadonlyMap<string, ReadonlyMap<string, number>>,
  nowMs: number,
): Prices => {
  const spot = new Map<string, Map<string, SpotPrice>>()
  const put = (type: string, zone: string, price: SpotPrice) => {
    const zones = spot.get(type) ?? new Map<string, SpotPrice>()
    spot.set(type, zones.set(zone, price))
  }
  for (const [type, zones] of prices.spot)
    for (const [zone, price] of zones) if (nowMs - price.seenAtMs < spotForgottenAfterMs) put(type, zone, price)
  for (const [type, zones] of found)
    for (const [zone, pricePerHour] of zones) put(type, zone, { pricePerHour, seenAtMs: nowMs })
  return { ...prices, spot, spotAtMs: nowMs }
}
