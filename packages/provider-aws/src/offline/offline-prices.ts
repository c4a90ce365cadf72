import type { Catalogue } from '../instance-types/index.ts'
import type { Prices, SpotPrice } from '../pricing/index.ts'
import type { CatalogFile } from './catalog-file.ts'
import type { PriceExport } from './price-export.ts'

/** The prices of the catalogue file, which are made up. */
export const syntheticPrices = (file: CatalogFile, catalogue: Catalogue): Prices => {
  const { onDemand, spotShare } = file.prices
  const known = new Map(Object.entries(onDemand).filter(([type]) => catalogue.types.has(type)))
  return {
    onDemand: known,
    spot: spotOf(catalogue, (type) => {
      const price = known.get(type)
      return price === undefined ? undefined : Number((price * spotShare).toPrecision(6))
    }),
    spotAtMs: 0,
    source: file.sources.prices.from,
  }
}

/** The prices that the user brought; on spot those on demand where none were brought for it. */
export const broughtPrices = ({ onDemand, spot }: PriceExport, catalogue: Catalogue, source: string): Prices => ({
  onDemand,
  spot: spotOf(catalogue, (type, zone) => {
    const own = spot.get(type)
    return own?.get(zone) ?? own?.get('') ?? (spot.size === 0 ? onDemand.get(type) : undefined)
  }),
  spotAtMs: 0,
  source,
})

const spotOf = (
  { zonesOfType }: Catalogue,
  priceOf: (type: string, zone: string) => number | undefined,
): Prices['spot'] =>
  new Map(
    [...zonesOfType].map(([type, zones]) => {
      const byZone = new Map<string, SpotPrice>()
      for (const zone of zones) {
        const pricePerHour = priceOf(type, zone)
        if (pricePerHour !== undefined) byZone.set(zone, { pricePerHour, seenAtMs: 0 })
      }
      return [type, byZone]
    }),
  )
