/** **Units**: US dollars per hour, by SKU. */
export interface Prices {
  readonly onDemand: ReadonlyMap<string, number>
  readonly spot: ReadonlyMap<string, number>
}

/** What a SKU without a price costs: more than any other, so that it is taken last (Z-PRI-07). */
export const missingPrice = 999

/** What a SKU costs; without a price of its own, spot costs what on demand does. */
export const priceOf = (prices: Prices, name: string): { readonly onDemand: number; readonly spot: number } => {
  const onDemand = prices.onDemand.get(name) ?? missingPrice
  return { onDemand, spot: prices.spot.get(name) ?? onDemand }
}

/** A row of the retail price list; what of it is read. */
export interface RetailPrice {
  readonly armSkuName?: string
  readonly skuName?: string
  readonly productName?: string
  readonly meterName?: string
  readonly retailPrice?: number
  readonly isPrimaryMeterRegion?: boolean
  readonly tierMinimumUnits?: number
}

const address = 'https://prices.azure.com/api/retail/prices'

/**
 * The address of the price list of a region; further pages come under `NextPageLink` (Z-PRI-02).
 *
 * Source: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
 */
export const priceListUrl = (region: string, base: string = address): string => {
  const url = new URL(base)
  const clauses = {
    priceType: 'Consumption',
    currencyCode: 'USD',
    serviceFamily: 'Compute',
    serviceName: 'Virtual Machines',
    armRegionName: region,
  }
  url.searchParams.set('api-version', '2023-01-01-preview')
  url.searchParams.set(
    '$filter',
    Object.entries(clauses)
      .map(([name, value]) => `${name} eq '${value}'`)
      .join(' and '),
  )
  return url.href
}

/**
 * The prices of Linux machines in a price list (Z-PRI-03).
 *
 * Where a SKU has several rows, that of the primary meter wins, then the lowest tier, then the lowest price: the
 * reference takes whichever it meets last (W-13).
 */
export const readPrices = (rows: ReadonlyArray<RetailPrice>): Prices => {
  const best = { onDemand: new Map<string, RetailPrice>(), spot: new Map<string, RetailPrice>() }
  for (const row of rows) {
    const { armSkuName = '', skuName = '', productName = '', meterName = '', retailPrice } = row
    const isOther = productName.endsWith(' Windows') || meterName.endsWith(' Low Priority')
    if (isOther || armSkuName === '' || retailPrice === undefined || !(retailPrice >= 0)) continue
    const found = skuName.endsWith(' Spot') ? best.spot : best.onDemand
    const present = found.get(armSkuName)
    if (present === undefined || comesBefore(row, present)) found.set(armSkuName, row)
  }
  return { onDemand: pricesIn(best.onDemand), spot: pricesIn(best.spot) }
}

const comesBefore = (row: RetailPrice, other: RetailPrice): boolean => {
  const rank = ({ isPrimaryMeterRegion, tierMinimumUnits = 0, retailPrice = 0 }: RetailPrice) => [
    isPrimaryMeterRegion === false ? 1 : 0,
    tierMinimumUnits,
    retailPrice,
  ]
  const [left, right] = [rank(row), rank(other)]
  for (const [index, value] of left.entries()) {
    const against = right[index] ?? 0
    if (value !== against) return value < against
  }
  return false
}

const pricesIn = (rows: ReadonlyMap<string, RetailPrice>): ReadonlyMap<string, number> =>
  new Map([...rows].map(([name, { retailPrice = missingPrice }]) => [name, retailPrice]))

/** The prices after an update: a list without rows of a kind keeps those of before (Z-PRI-06). */
export const updatedPrices = (before: Prices, fetched: Prices): Prices => ({
  onDemand: fetched.onDemand.size === 0 ? before.onDemand : fetched.onDemand,
  spot: fetched.spot.size === 0 ? before.spot : fetched.spot,
})

/** How often prices are fetched (Z-PRI-05). */
export const priceRefreshMs = 12 * 3_600_000

/** Whether there is a price list: it covers the public cloud alone (Z-PRI-04). */
export const hasPriceList = (resourceManagerEndpoint: string): boolean =>
  URL.canParse(resourceManagerEndpoint) && new URL(resourceManagerEndpoint).hostname === 'management.azure.com'
