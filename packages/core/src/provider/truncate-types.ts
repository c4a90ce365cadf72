import * as E from 'fp-ts/lib/Either.js'
import type { InstanceType } from '../instance/index.ts'
import { compareText } from '../internal/index.ts'
import { Requirement, type Requirements } from '../requirements/index.ts'

/** A key for which the types that remain offer too few values. */
export interface UnmetMinValues {
  readonly key: string
  readonly minValues: number
  readonly reached: number
}

/**
 * Which `minValues` a list of types falls short of, ordered by key; empty when it meets all (P-MIN-01).
 *
 * Counted are those of the types' values that the requirement still allows. An empty list of types meets everything
 * (P-MIN-02).
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const requirements = Requirements.fromSpecs([
 *   { key: 'node.kubernetes.io/instance-type', operator: 'Exists', minValues: 2 },
 * ])
 * unmetMinValues([instanceType('m5.large', 2)], requirements).length // => 1
 */
export const unmetMinValues = (
  types: ReadonlyArray<InstanceType>,
  requirements: Requirements,
): ReadonlyArray<UnmetMinValues> =>
  types.length === 0
    ? []
    : [...requirements.byKey.values()]
        .flatMap((requirement) => {
          const { key, minValues } = requirement
          if (minValues === undefined) return []
          const values = new Set<string>()
          for (const type of types) {
            const own = type.requirements.byKey.get(key)
            if (own === undefined || own.complement) continue
            for (const value of own.values) if (Requirement.has(requirement, value)) values.add(value)
          }
          return values.size < minValues ? [{ key, minValues, reached: values.size }] : []
        })
        .sort((a, b) => compareText(a.key, b.key))

/**
 * The first `limit` types of a list in price order.
 *
 * Errors: with `strict`, the `minValues` that the shorter list no longer meets (P-MIN-06).
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const types = ['small', 'medium', 'large'].map((name, index) => instanceType(name, 2 ** index))
 * const options = { requirements: Requirements.empty, limit: 2, minValues: 'strict' } as const
 * truncateTypes(types, options) // => right(types.slice(0, 2))
 */
export const truncateTypes = (
  types: ReadonlyArray<InstanceType>,
  options: {
    readonly requirements: Requirements
    readonly limit: number
    readonly minValues: 'strict' | 'best-effort'
  },
): E.Either<ReadonlyArray<UnmetMinValues>, ReadonlyArray<InstanceType>> => {
  if (types.length <= options.limit) return E.right(types)
  const kept = types.slice(0, options.limit)
  const unmet = options.minValues === 'strict' ? unmetMinValues(kept, options.requirements) : []
  return unmet.length === 0 ? E.right(kept) : E.left(unmet)
}
