import { Requirements, type RequirementSpec } from '@scantling/core'
import { readCatalog, type CatalogEntry } from '@scantling/provider-kwok'
import * as E from 'fp-ts/lib/Either.js'
import type { Manifest } from './manifests.ts'

/**
 * The types that any of the NodePools may buy: what the others offer changes no decision and would be read at each.
 *
 * A catalogue that cannot be read is returned as it is; whoever starts the cloud says what is wrong with it.
 */
export const pruneCatalog = (
  catalog: ReadonlyArray<CatalogEntry>,
  manifests: ReadonlyArray<Manifest>,
): ReadonlyArray<CatalogEntry> => {
  const types = readCatalog(catalog)
  const pools = manifests.filter(({ kind }) => kind === 'NodePool').map(requirementsOf)
  if (E.isLeft(types) || pools.length === 0 || pools.includes(undefined)) return catalog
  const wanted = new Set(
    types.right
      .filter(({ requirements }) =>
        pools.some((pool) => pool === undefined || Requirements.intersects(requirements, pool)),
      )
      .map(({ name }) => name),
  )
  return wanted.size === 0 ? catalog : catalog.filter(({ name }) => wanted.has(name))
}

// Patterns such as `c7g.*` are the controller's to expand.
const requirementsOf = (pool: Manifest): Requirements | undefined => {
  const { spec } = pool as {
    readonly spec?: {
      readonly template?: { readonly spec?: { readonly requirements?: ReadonlyArray<RequirementSpec> } }
    }
  }
  const requirements = spec?.template?.spec?.requirements ?? []
  return requirements.some(({ values }) => values?.some((value) => value.includes('*')))
    ? undefined
    : Requirements.fromSpecs(requirements)
}
