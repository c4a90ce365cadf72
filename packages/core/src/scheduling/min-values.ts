import type { Bitset } from '../internal/index.ts'
import { Requirement } from '../requirements/index.ts'
import type { RequirementSet } from '../topology/index.ts'
import type { Catalog } from './catalog.ts'

/** A requirement whose minValues the remaining types do not reach. */
export interface UnmetMinValues {
  readonly key: string
  readonly minValues: number
  /** Distinct values that the types offer and the requirement allows. */
  readonly values: number
}

/**
 * The keys whose minValues a set of variants fails (P-MIN-01). No variants at all fail nothing (P-MIN-02).
 *
 * Cost: O(types × keys with minValues); nothing where the set has none.
 */
export const unmetMinValues = (
  catalog: Catalog,
  variants: Bitset,
  set: RequirementSet,
): ReadonlyArray<UnmetMinValues> => {
  if (set.minKeys.length === 0) return []
  const types = catalog.typesIn(variants)
  return types.length === 0 ? [] : unmetByTypes(catalog, types, set)
}

/** As {@link unmetMinValues}, for types given by index. */
export const unmetByTypes = (
  catalog: Catalog,
  types: ReadonlyArray<number>,
  set: RequirementSet,
): ReadonlyArray<UnmetMinValues> =>
  set.minKeys.flatMap((key) => {
    const requirement = set.byKey.get(key)
    const minValues = requirement?.minValues
    if (requirement === undefined || minValues === undefined) return []
    const values = new Set<string>()
    for (const type of types) {
      for (const value of catalog.types[type]?.requirements.byKey.get(key)?.values ?? []) {
        if (Requirement.has(requirement, value)) values.add(value)
      }
    }
    return values.size < minValues ? [{ key, minValues, values: values.size }] : []
  })

/** Whether two variant sets have a member in common. */
export const overlap = (a: Bitset, b: Bitset): boolean => {
  for (let word = 0; word < a.length; word += 1) if ((a[word]! & b[word]!) !== 0) return true
  return false
}

/** The set with the minValues of some keys lowered to what the types reach (P-MIN-05). */
export const lowered = (
  set: RequirementSet,
  unmet: ReadonlyArray<UnmetMinValues>,
): ReadonlyMap<string, Requirement> => {
  const byKey = new Map(set.byKey)
  for (const { key, values } of unmet) {
    const requirement = byKey.get(key)
    if (requirement !== undefined) byKey.set(key, { ...requirement, minValues: values })
  }
  return byKey
}
