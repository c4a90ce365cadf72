import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { catalogNames, generateCatalog, isCatalogName, readCatalog, type CatalogEntry } from '../catalog/index.ts'

/**
 * The catalogue of a name (`ec2-like`, `azure-like`, `kwok`) or of a JSON file.
 *
 * Errors: one sentence for each mistake, naming the file.
 */
export const loadCatalog = (
  nameOrFile: string,
  seed?: string,
): E.Either<ReadonlyArray<string>, ReadonlyArray<CatalogEntry>> => {
  if (isCatalogName(nameOrFile)) return E.right(generateCatalog(nameOrFile, seed))
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(nameOrFile, 'utf8'))
  } catch (cause) {
    return E.left([
      `Cannot read catalogue ${nameOrFile}: ${String(cause)}; give a JSON file or one of ${catalogNames.join(', ')}`,
    ])
  }
  const read = readCatalog(parsed)
  return E.isLeft(read)
    ? E.left(read.left.map((error) => `${nameOrFile}: ${error}`))
    : E.right((parsed as ReadonlyArray<Record<string, unknown>>).map(normalized))
}

// Files may write the fields of offerings in lower case; within the cloud they have one form.
const normalized = (entry: Record<string, unknown>): CatalogEntry => ({
  ...(entry as unknown as CatalogEntry),
  offerings: (entry['offerings'] as ReadonlyArray<Record<string, unknown>>).map((one) => ({
    Price: (one['Price'] ?? one['price']) as number,
    Available: true,
    Requirements: (one['Requirements'] ?? one['requirements']) as CatalogEntry['offerings'][number]['Requirements'],
  })),
})
