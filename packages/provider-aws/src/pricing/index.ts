/** Prices: on demand from the price list, on spot from EC2, and what is shipped until they are read. */
export { hasPriceList, onDemandQueries, readPriceList } from './on-demand.ts'
export { createPriceBook, type PriceBook } from './price-book.ts'
export * from './prices.ts'
export { readSpotPrices, spotQuery } from './spot.ts'
