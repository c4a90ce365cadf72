/** Types and prices without an account. */
export type { CatalogFile, FigureSource } from './catalog-file.ts'
export * from './offline-catalog.ts'
export { decodeEc2NodeClass } from './offline-class.ts'
export { shippedPrices } from './shipped-prices.ts'
