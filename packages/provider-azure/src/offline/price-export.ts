import * as E from 'fp-ts/lib/Either.js'
import type { RetailPrice } from '../pricing/index.ts'

const header = /^(instance ?type|armSkuName|sku|type)\b/i
const remedy =
  'write lines of TYPE PRICE [CAPACITY-TYPE], or save what https://prices.azure.com/api/retail/prices answers'

/**
 * Prices that the user exported: pages of the retail price list, an object of type and price, or lines of a type, a price
 * and, where it matters, a capacity type, parted by spaces or commas.
 *
 * Errors: a sentence that says what is wrong with the text.
 */
export const readPriceExport = (text: string): E.Either<string, ReadonlyArray<RetailPrice>> => {
  const prices = /^\s*[{[]/.test(text) ? pricesOfJson(text) : pricesOfLines(text)
  if (E.isLeft(prices)) return prices
  return prices.right.length === 0 ? E.left(`there is no price in it; ${remedy}`) : prices
}

const pricesOfJson = (text: string): E.Either<string, ReadonlyArray<RetailPrice>> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return E.left(`it is not JSON: ${error instanceof Error ? error.message : String(error)}; ${remedy}`)
  }
  const pages = (Array.isArray(json) ? (json as ReadonlyArray<unknown>) : [json]) as ReadonlyArray<{
    readonly Items?: unknown
  }>
  const items = pages.flatMap((page) => (Array.isArray(page.Items) ? (page.Items as ReadonlyArray<RetailPrice>) : []))
  if (items.length > 0) return E.right(items)
  if (Array.isArray(json)) return E.right(json as ReadonlyArray<RetailPrice>)
  const prices: Array<RetailPrice> = []
  for (const [armSkuName, retailPrice] of Object.entries(json as object)) {
    if (!isPrice(retailPrice))
      return E.left(`the price of ${armSkuName} is ${JSON.stringify(retailPrice)}; write a number per hour`)
    prices.push({ armSkuName, retailPrice })
  }
  return E.right(prices)
}

const pricesOfLines = (text: string): E.Either<string, ReadonlyArray<RetailPrice>> => {
  const prices: Array<RetailPrice> = []
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*/, '').replaceAll('"', '').trim()
    if (content === '' || (index === 0 && header.test(content))) continue
    const [armSkuName = '', amount = '', capacityType = 'on-demand', ...more] = content.split(/[\s,]+/)
    const retailPrice = Number(amount)
    const isKnown = capacityType === 'on-demand' || capacityType === 'spot'
    if (amount === '' || !isPrice(retailPrice) || !isKnown || more.length > 0)
      return E.left(`line ${index + 1} is ${JSON.stringify(line.trim())}; ${remedy}`)
    // As the price list tells the two apart.
    prices.push({ armSkuName, retailPrice, ...(capacityType === 'spot' && { skuName: `${armSkuName} Spot` }) })
  }
  return E.right(prices)
}

const isPrice = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0
