export type { CatalogEntry, CatalogOffering, CatalogOverhead } from './catalog-entry.ts'
export {
  catalogNames,
  catalogTypes,
  generateCatalog,
  isCatalogName,
  labelPolicyOf,
  type CatalogName,
} from './generate-catalog.ts'
export { generatedLabelKeys } from './generated-label-keys.ts'
export { kwokGroup, kwokLabelKeys } from './kwok-labels.ts'
export { readCatalog } from './read-catalog.ts'
export { seededFraction } from './seeded.ts'
