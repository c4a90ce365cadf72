/** Types and prices without an account. */
export type { CatalogFile } from './catalog-file.ts'
export * from './offline-catalog.ts'
