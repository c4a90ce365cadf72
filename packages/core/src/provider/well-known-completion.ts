import type { InstanceType } from '../instance/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'

// The template of a claim defines this one, whatever the type.
const definedElsewhere: ReadonlySet<string> = new Set([labelKeys.nodePool])

/**
 * The types with one requirement for every well-known key (P-ITO-01).
 *
 * A key that the offerings define gets the union of their values; one that nothing defines becomes `DoesNotExist`, so
 * that a demand on it is refused instead of matching by silence. Types that are complete are the same objects, and so
 * is the array when all are.
 *
 * Cost: O(types x well-known keys); callers keep the result as long as the input array is the same.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const [type] = completeWellKnown([instanceType('m5.large', 2)], new Set(['example.com/rack']))
 * type && Requirement.render(Requirements.get(type.requirements, 'example.com/rack'))
 * // => 'example.com/rack DoesNotExist'
 */
export const completeWellKnown = (
  types: ReadonlyArray<InstanceType>,
  wellKnown: ReadonlySet<string>,
): ReadonlyArray<InstanceType> => {
  const absent = new Map<string, Requirement>()
  const doesNotExist = (key: string) => {
    const made = absent.get(key) ?? Requirement.doesNotExist(key)
    absent.set(key, made)
    return made
  }
  let changed = false
  const completed = types.map((type) => {
    const added = [...wellKnown]
      .filter((key) => !type.requirements.byKey.has(key) && !definedElsewhere.has(key))
      .map((key) => unionOfOfferings(type, key) ?? doesNotExist(key))
    if (added.length === 0) return type
    changed = true
    const byKey = new Map(type.requirements.byKey)
    for (const requirement of added) byKey.set(requirement.key, requirement)
    return { ...type, requirements: { byKey } }
  })
  return changed ? completed : types
}

const unionOfOfferings = ({ offerings }: InstanceType, key: string): Requirement | undefined => {
  const values = new Set<string>()
  for (const { requirements } of offerings) {
    const one = requirements.byKey.get(key)
    if (one !== undefined && !one.complement) for (const value of one.values) values.add(value)
  }
  return values.size === 0 ? undefined : Requirement.isIn(key, [...values])
}
