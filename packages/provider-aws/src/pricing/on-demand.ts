import type { Filter, GetProductsCommandInput } from '@aws-sdk/client-pricing'
import { s, decoderOf } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** Whether there is a price list to ask: not for GovCloud, and not out of an isolated VPC (A-PRC-07). */
export const hasPriceList = (region: string, isIsolated: boolean): boolean =>
  !isIsolated && !region.startsWith('us-gov-')

const match = (Field: string, Value: string): Filter => ({ Type: 'TERM_MATCH', Field, Value })

/** The two questions that together cover all types: shared hardware, and bare metal (A-PRC-04). */
export const onDemandQueries = (region: string): ReadonlyArray<GetProductsCommandInput> =>
  (
    [
      ['Shared', 'Compute Instance'],
      ['Dedicated', 'Compute Instance (bare metal)'],
    ] as const
  ).map(([tenancy, productFamily]) => ({
    ServiceCode: 'AmazonEC2',
    MaxResults: 100,
    Filters: [
      match('regionCode', region),
      match('serviceCode', 'AmazonEC2'),
      match('preInstalledSw', 'NA'),
      match('operatingSystem', 'Linux'),
      match('capacitystatus', 'Used'),
      match('marketoption', 'OnDemand'),
      match('tenancy', tenancy),
      match('productFamily', productFamily),
    ],
  }))

const decodeItem = decoderOf(
  s.object({
    product: s.object({ attributes: s.object({ instanceType: s.string() }) }),
    terms: s.object({
      OnDemand: s.optional(
        s.record(s.object({ priceDimensions: s.record(s.object({ pricePerUnit: s.record(s.string()) })) })),
      ),
    }),
  }),
)

/**
 * The prices in a page of the price list (A-PRC-05).
 *
 * Items that cannot be read, and prices of zero, are passed over.
 */
export const readPriceList = (items: ReadonlyArray<unknown>, region: string): ReadonlyMap<string, number> => {
  const currency = region.startsWith('cn-') ? 'CNY' : 'USD'
  const prices = new Map<string, number>()
  for (const item of items) {
    const decoded = decodeItem(jsonOf(item))
    if (E.isLeft(decoded)) continue
    for (const { priceDimensions } of Object.values(decoded.right.terms.OnDemand ?? {}))
      for (const { pricePerUnit } of Object.values(priceDimensions)) {
        const price = Number(pricePerUnit[currency] ?? Number.NaN)
        if (Number.isFinite(price) && price > 0) prices.set(decoded.right.product.attributes.instanceType, price)
      }
  }
  return prices
}

// The SDK types items as text; some of its versions hand over objects that act as text.
const jsonOf = (item: unknown): unknown => {
  try {
    return JSON.parse(String(item)) as unknown
  } catch {
    return undefined
  }
}
