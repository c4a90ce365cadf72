/** What machines cost. */
export * from './prices.ts'
export { estimatedPrices } from './static-prices.ts'
