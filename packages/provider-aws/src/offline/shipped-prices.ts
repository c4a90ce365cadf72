import type { ShippedPrices } from '../pricing/index.ts'
import { readCatalogFile } from './catalog-file.ts'

/**
 * Prices for a controller to begin with, and to go on with where there is no price list to ask (A-PRC-01, A-PRC-07).
 *
 * They are made up: types come in roughly the order that real prices have, and without any price nothing could be
 * bought on demand at all. `undefined` where the installation has no catalogue.
 */
export const shippedPrices = (): ShippedPrices | undefined => {
  try {
    const { sources, prices, regions } = readCatalogFile()
    const all = new Map(Object.entries(prices.onDemand))
    return {
      source: `synthetic: ${sources.prices.from}, of ${sources.prices.date}`,
      isSynthetic: true,
      byRegion: new Map([...Object.keys(regions), 'us-east-1'].map((region) => [region, all])),
    }
  } catch {
    return undefined
  }
}
