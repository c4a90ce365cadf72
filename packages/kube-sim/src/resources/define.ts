import { builtInListSemantics } from '../patching/index.ts'
import { subdomainName } from '../server/metadata.ts'
import type { Column, ResourceType } from '../server/registry.ts'
import { ageColumn, nameColumn } from './columns.ts'

type Optional = Partial<
  Omit<ResourceType, 'kind' | 'plural' | 'group' | 'versions' | 'columns' | 'selectableFields' | 'storageVersion'>
>

const isNarrow = (column: Column): boolean => (column.priority ?? 0) === 0

/** A built-in resource, with what most of them have in common filled in. */
export const define = (
  apiVersion: string,
  kind: string,
  plural: string,
  more: Optional & {
    /** After NAME; those that only `-o wide` shows come after AGE. */
    readonly columns?: ReadonlyArray<Column>
    /** In place of NAME … AGE. */
    readonly allColumns?: ReadonlyArray<Column>
    /** Besides `metadata.name` and `metadata.namespace`. */
    readonly selectableFields?: ReadonlyArray<string>
  } = {},
): ResourceType => {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  const version = apiVersion.slice(slash + 1)
  const { columns = [], allColumns, selectableFields = [], ...rest } = more
  return {
    group,
    storageGroup: group,
    plural,
    singular: kind.toLowerCase(),
    kind,
    shortNames: [],
    categories: [],
    namespaced: true,
    versions: [version],
    storageVersion: version,
    hasStatus: false,
    keepsStatusOnCreate: false,
    hasGeneration: false,
    graceful: false,
    orphansDependents: false,
    unconditionalUpdate: true,
    selectableFields: new Set(['metadata.name', 'metadata.namespace', ...selectableFields]),
    strategicPatch: true,
    lists: builtInListSemantics,
    columns: allColumns ?? [
      nameColumn,
      ...columns.filter(isNarrow),
      ageColumn,
      ...columns.filter((each) => !isNarrow(each)),
    ],
    nameRule: subdomainName,
    admit: () => [],
    initialize: () => undefined,
    renew: () => undefined,
    validate: () => [],
    ...rest,
  }
}
