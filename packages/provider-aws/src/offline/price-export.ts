import * as E from 'fp-ts/lib/Either.js'
import { readPriceList } from '../pricing/index.ts'

/** Prices that the user brought. **Units**: the region's currency per hour. */
export interface PriceExport {
  readonly onDemand: ReadonlyMap<string, number>
  /** By type, then by zone; the empty zone stands for all. */
  readonly spot: ReadonlyMap<string, ReadonlyMap<string, number>>
}

const header = /^instance ?type\b/i
const remedy =
  'write lines of TYPE PRICE [CAPACITY-TYPE [ZONE]], or export with "aws pricing get-products --service-code AmazonEC2 --output json"'

/**
 * Prices that the user exported: what `aws pricing get-products --output json` prints, what `aws ec2
 * describe-spot-price-history --output json` prints, an object of type and price, or lines of a type, a price and, where
 * it matters, a capacity type and a zone, parted by spaces or commas.
 *
 * Errors: a sentence that says what is wrong with the text.
 */
export const readPriceExport = (text: string, region: string): E.Either<string, PriceExport> => {
  const prices = /^\s*[{[]/.test(text) ? pricesOfJson(text, region) : pricesOfLines(text)
  if (E.isLeft(prices)) return prices
  const { onDemand, spot } = prices.right
  return onDemand.size + spot.size === 0 ? E.left(`there is no price in it; ${remedy}`) : prices
}

const pricesOfJson = (text: string, region: string): E.Either<string, PriceExport> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return E.left(`it is not JSON: ${error instanceof Error ? error.message : String(error)}; ${remedy}`)
  }
  const { PriceList, SpotPriceHistory } = json as { readonly PriceList?: unknown; readonly SpotPriceHistory?: unknown }
  const list = Array.isArray(json) ? (json as ReadonlyArray<unknown>) : PriceList
  if (Array.isArray(list)) {
    const items = list.map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item)))
    return E.right({ onDemand: readPriceList(items, region), spot: new Map() })
  }
  if (Array.isArray(SpotPriceHistory)) return E.right(pricesOfHistory(SpotPriceHistory))
  const onDemand = new Map<string, number>()
  for (const [type, price] of Object.entries(json as object)) {
    if (!isPrice(price)) return E.left(`the price of ${type} is ${JSON.stringify(price)}; write a number per hour`)
    onDemand.set(type, price)
  }
  return E.right({ onDemand, spot: new Map() })
}

const pricesOfHistory = (history: ReadonlyArray<unknown>): PriceExport => {
  const spot = new Map<string, Map<string, number>>()
  // Newest first, as EC2 tells them.
  for (const entry of history) {
    const { InstanceType, AvailabilityZone, SpotPrice } = (entry ?? {}) as Readonly<Record<string, unknown>>
    const price = Number(SpotPrice)
    if (typeof InstanceType !== 'string' || typeof AvailabilityZone !== 'string' || !isPrice(price)) continue
    const zones = spot.get(InstanceType) ?? new Map<string, number>()
    if (!zones.has(AvailabilityZone)) zones.set(AvailabilityZone, price)
    spot.set(InstanceType, zones)
  }
  return { onDemand: new Map(), spot }
}

const pricesOfLines = (text: string): E.Either<string, PriceExport> => {
  const onDemand = new Map<string, number>()
  const spot = new Map<string, Map<string, number>>()
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*/, '').replaceAll('"', '').trim()
    if (content === '' || (index === 0 && header.test(content))) continue
    const [type = '', amount = '', capacityType = 'on-demand', zone = '', ...more] = content.split(/[\s,]+/)
    const price = Number(amount)
    const isKnown = capacityType === 'on-demand' || capacityType === 'spot'
    if (amount === '' || !isPrice(price) || !isKnown || more.length > 0)
      return E.left(`line ${index + 1} is ${JSON.stringify(line.trim())}; ${remedy}`)
    if (capacityType === 'on-demand') onDemand.set(type, price)
    else spot.set(type, (spot.get(type) ?? new Map<string, number>()).set(zone, price))
  }
  return E.right({ onDemand, spot })
}

const isPrice = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0
