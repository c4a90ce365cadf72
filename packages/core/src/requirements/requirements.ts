import { compareText } from '../internal/index.ts'
import { coreLabelKnowledge, labelKeys, type LabelKnowledge, type Labels } from '../labels/index.ts'
import {
  allowsAbsence,
  exists,
  fromSpec,
  hasIntersection,
  intersection,
  render as renderOne,
  toSpecs as toSpecsOne,
  type Requirement,
  type RequirementSpec,
} from './requirement.ts'

/**
 * A conjunction of requirements, at most one per label key. Immutable.
 *
 * A key that the set does not mention may be anything (P-RQS-02).
 */
export interface Requirements {
  readonly byKey: ReadonlyMap<string, Requirement>
}

/** How keys and values are rewritten before they are compared: deprecated keys to current ones, and values per key. */
export type Aliases = Pick<LabelKnowledge, 'aliases' | 'normalizedValues'>

export const empty: Requirements = { byKey: new Map() }

/**
 * The conjunction of single requirements; those of one key are intersected, so adding never loosens (P-RQS-01).
 *
 * @example
 * Requirements.render(Requirements.of([Requirement.isIn('zone', ['a', 'b']), Requirement.notIn('zone', ['b'])]))
 * // => 'zone In [a]'
 */
export const of = (requirements: Iterable<Requirement>): Requirements => {
  const byKey = new Map<string, Requirement>()
  for (const requirement of requirements) {
    const present = byKey.get(requirement.key)
    byKey.set(requirement.key, present === undefined ? requirement : intersection(present, requirement))
  }
  return { byKey }
}

/**
 * From the written form, aliases applied to the key first, then to each value (P-REQ-04).
 *
 * @example
 * const set = Requirements.fromSpecs([
 *   { key: 'cpu', operator: 'Gt', values: ['3'] },
 *   { key: 'cpu', operator: 'Lt', values: ['9'] },
 * ])
 * Requirement.has(Requirements.get(set, 'cpu'), '8') // => true
 */
export const fromSpecs = (specs: ReadonlyArray<RequirementSpec>, known: Aliases = coreLabelKnowledge): Requirements =>
  of(
    specs.map((spec) => {
      const key = known.aliases.get(spec.key) ?? spec.key
      const values = known.normalizedValues.get(key)
      return fromSpec(
        key === spec.key && values === undefined
          ? spec
          : { ...spec, key, ...(spec.values && { values: spec.values.map((value) => values?.get(value) ?? value) }) },
      )
    }),
  )

/**
 * One `In` per label. Keys of the prototype chain are not labels.
 *
 * @example
 * Requirements.render(Requirements.fromLabels({ zone: 'a', 'beta.kubernetes.io/arch': 'arm64' }))
 * // => 'kubernetes.io/arch In [arm64], zone In [a]'
 */
export const fromLabels = (labels: Labels, known: Aliases = coreLabelKnowledge): Requirements =>
  fromSpecs(
    Object.entries(labels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
    known,
  )

/**
 * What the set says of a key: `Exists` where it says nothing.
 *
 * @example
 * Requirement.render(Requirements.get(Requirements.empty, 'zone')) // => 'zone Exists'
 */
export const get = (set: Requirements, key: string): Requirement => set.byKey.get(key) ?? exists(key)

/**
 * Whether the set says anything of the key.
 *
 * @example
 * Requirements.has(Requirements.fromLabels({ zone: 'a' }), 'team') // => false
 */
export const has = (set: Requirements, key: string): boolean => set.byKey.has(key)

/**
 * Both sets at once. Returns `a` itself when `b` adds no key and tightens none.
 *
 * @example
 * const zones = Requirements.fromSpecs([{ key: 'zone', operator: 'In', values: ['a', 'b'] }])
 * Requirements.render(Requirements.and(zones, Requirements.fromLabels({ zone: 'a', team: 'x' })))
 * // => 'team In [x], zone In [a]'
 */
export const and = (a: Requirements, b: Requirements): Requirements =>
  b.byKey.size === 0 ? a : a.byKey.size === 0 ? b : of([...a.byKey.values(), ...b.byKey.values()])

/**
 * The set without some keys.
 *
 * @example
 * Requirements.render(Requirements.without(Requirements.fromLabels({ zone: 'a', team: 'x' }), ['zone']))
 * // => 'team In [x]'
 */
export const without = (set: Requirements, keys: Iterable<string>): Requirements => {
  const byKey = new Map(set.byKey)
  for (const key of keys) byKey.delete(key)
  return { byKey }
}

/** Why two sets cannot hold for one node. */
export type Conflict =
  /** The demand names a label that the node side lacks and that nothing will define. */
  | { readonly _tag: 'UndefinedLabel'; readonly key: string; readonly demand: Requirement }
  /** Both sides speak of the key and no value meets both. */
  | { readonly _tag: 'NoCommonValue'; readonly key: string; readonly supply: Requirement; readonly demand: Requirement }

/**
 * The first reason why `supply` (a node, template or claim) cannot meet `demand` (a pod), or `undefined` if it can.
 *
 * Directional: only keys of the demand must be defined (P-RQS-03). Keys in `allowUndefined` need not be: pass the
 * well-known labels for nodes yet to be launched and nothing for nodes that exist (P-RQS-06). Conflicts come in the
 * demand's key order, undefined labels before missing overlaps; use {@link conflicts} for all of them.
 *
 * Cost: O(keys of `demand` + values of the shared keys).
 *
 * @example
 * Requirements.conflict(Requirements.fromLabels({ zone: 'a' }), Requirements.fromLabels({ zone: 'b' }), new Set())
 *   ?._tag
 * // => 'NoCommonValue'
 */
export const conflict = (
  supply: Requirements,
  demand: Requirements,
  allowUndefined: ReadonlySet<string>,
): Conflict | undefined => {
  for (const requirement of demand.byKey.values()) {
    const undefinedLabel = undefinedConflict(supply, requirement, allowUndefined)
    if (undefinedLabel) return undefinedLabel
  }
  for (const requirement of demand.byKey.values()) {
    const overlap = overlapConflict(supply, requirement)
    if (overlap) return overlap
  }
  return undefined
}

/**
 * Every reason why `supply` cannot meet `demand`, in the demand's key order; see {@link conflict}.
 *
 * @example
 * const node = Requirements.fromLabels({ zone: 'a' })
 * const pod = Requirements.fromLabels({ zone: 'b', team: 'x' })
 * Requirements.conflicts(node, pod, new Set()).map(({ _tag, key }) => `${_tag} ${key}`)
 * // => ['NoCommonValue zone', 'UndefinedLabel team']
 */
export const conflicts = (
  supply: Requirements,
  demand: Requirements,
  allowUndefined: ReadonlySet<string>,
): ReadonlyArray<Conflict> => {
  const found: Array<Conflict> = []
  for (const requirement of demand.byKey.values()) {
    const one = undefinedConflict(supply, requirement, allowUndefined) ?? overlapConflict(supply, requirement)
    if (one) found.push(one)
  }
  return found
}

/**
 * Whether `supply` can meet `demand`; see {@link conflict}.
 *
 * @example
 * const pod = Requirements.fromLabels({ 'topology.kubernetes.io/zone': 'a' })
 * // A node to be launched may get any well-known label; one that exists has what it has.
 * Requirements.isCompatible(Requirements.empty, pod, coreLabelKnowledge.wellKnown) // => true
 * Requirements.isCompatible(Requirements.empty, pod, new Set()) // => false
 */
export const isCompatible = (
  supply: Requirements,
  demand: Requirements,
  allowUndefined: ReadonlySet<string>,
): boolean => conflict(supply, demand, allowUndefined) === undefined

/**
 * Whether the keys that both sets mention overlap (P-RQS-04, P-RQS-05); keys of one side alone are ignored.
 *
 * @example
 * Requirements.intersects(Requirements.fromLabels({ zone: 'a' }), Requirements.fromLabels({ team: 'x' })) // => true
 * Requirements.intersects(Requirements.fromLabels({ zone: 'a' }), Requirements.fromLabels({ zone: 'b' })) // => false
 */
export const intersects = (a: Requirements, b: Requirements): boolean => {
  const [small, large] = a.byKey.size <= b.byKey.size ? [a, b] : [b, a]
  for (const requirement of small.byKey.values()) if (overlapConflict(large, requirement)) return false
  return true
}

const undefinedConflict = (
  supply: Requirements,
  demand: Requirement,
  allowUndefined: ReadonlySet<string>,
): Conflict | undefined =>
  supply.byKey.has(demand.key) || allowUndefined.has(demand.key) || allowsAbsence(demand)
    ? undefined
    : { _tag: 'UndefinedLabel', key: demand.key, demand }

const overlapConflict = (supply: Requirements, demand: Requirement): Conflict | undefined => {
  const present = supply.byKey.get(demand.key)
  if (present === undefined || hasIntersection(present, demand)) return undefined
  // Both sides are content with the label's absence, so a node without it meets both (P-RQS-05).
  if (allowsAbsence(present) && allowsAbsence(demand)) return undefined
  return { _tag: 'NoCommonValue', key: demand.key, supply: present, demand }
}

/**
 * Whether any member asks for a least number of values (P-RQS-13).
 *
 * @example
 * Requirements.hasMinValues(Requirements.fromSpecs([{ key: 'family', operator: 'Exists', minValues: 3 }])) // => true
 */
export const hasMinValues = (set: Requirements): boolean => {
  for (const requirement of set.byKey.values()) if (requirement.minValues !== undefined) return true
  return false
}

/**
 * The written form, keys in code-unit order.
 *
 * @example
 * Requirements.toSpecs(Requirements.fromLabels({ zone: 'a' })) // => [{ key: 'zone', operator: 'In', values: ['a'] }]
 */
export const toSpecs = (set: Requirements): ReadonlyArray<RequirementSpec> =>
  [...set.byKey.keys()].sort(compareText).flatMap((key) => toSpecsOne(get(set, key)))

/**
 * Members sorted and joined by `, `, without the keys in `omit` (P-RQS-12).
 *
 * @example
 * Requirements.render(Requirements.fromLabels({ zone: 'a', team: 'x' })) // => 'team In [x], zone In [a]'
 */
export const render = (set: Requirements, omit: ReadonlySet<string> = new Set([labelKeys.hostname])): string =>
  [...set.byKey.values()]
    .filter((requirement) => !omit.has(requirement.key))
    .map(renderOne)
    .sort(compareText)
    .join(', ')
