import { compareText, invariant } from '../internal/index.ts'

/** The operators of the Kubernetes node selector, and Karpenter's two inclusive bounds. */
export const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Gte', 'Lte'] as const
export type Operator = (typeof operators)[number]

/**
 * What one label key may be: a set of values, or everything but a set of values, within optional integer bounds.
 *
 * | operator | `complement` | `values` | bounds |
 * |---|---|---|---|
 * | In | false | the allowed values | none |
 * | NotIn | true | the excluded values | none |
 * | Exists | true | empty | none |
 * | DoesNotExist | false | empty | none |
 * | Gt n, Gte n, Lt n, Lte n | true | empty | inclusive `gte` / `lte` |
 *
 * An unsatisfiable intersection and a written DoesNotExist are the same value (P-REQ-10).
 */
export interface Requirement {
  readonly key: string
  readonly complement: boolean
  /** Allowed values, or excluded ones where `complement` is set. */
  readonly values: ReadonlySet<string>
  /** Inclusive bounds on the value read as a base-10 integer. Only complements carry them. */
  readonly gte?: number
  readonly lte?: number
  /** The least number of distinct values that the instance types of one launch must offer for this key. */
  readonly minValues?: number
}

/** A requirement as manifests write it. */
export interface RequirementSpec {
  readonly key: string
  readonly operator: Operator
  readonly values?: ReadonlyArray<string>
  readonly minValues?: number
}

const none: ReadonlySet<string> = new Set()

// Go's int bounds as the nearest doubles: they are no safe integers, so values this large compare roughly.
const maxInt = 2 ** 63
const minInt = -(2 ** 63)

// Base-10 integers as Go's strconv.Atoi reads them: an optional sign, digits, nothing else.
const integerForm = /^[+-]?[0-9]+$/

/**
 * The value as a base-10 integer, or `undefined` when it is none within 64 bits.
 *
 * @example
 * Requirement.parseInteger('16') // => 16
 * Requirement.parseInteger('16Gi') // => undefined
 */
export const parseInteger = (text: string): number | undefined => {
  if (!integerForm.test(text)) return undefined
  const value = Number(text)
  // The largest integers are no doubles; only their digits tell them from those that are too large.
  if (value === maxInt) return BigInt(text) < 2n ** 63n ? value : undefined
  return value >= minInt && value < maxInt ? value : undefined
}

/**
 * A requirement from its written form. Operators with a bound become inclusive bounds (P-REQ-02).
 *
 * A bound that is no integer counts as 0, as in the reference (P-REQ-03): validation, not construction, refuses it.
 * Keys and values are taken as given; `Requirements.fromSpecs` applies the alias tables.
 *
 * @example
 * Requirement.has(Requirement.fromSpec({ key: 'cpu', operator: 'Gt', values: ['3'] }), '4') // => true
 */
export const fromSpec = (spec: RequirementSpec): Requirement => {
  const { key, minValues } = spec
  const rest = minValues === undefined ? {} : { minValues }
  const bound = () => parseInteger(spec.values?.[0] ?? '') ?? 0
  switch (spec.operator) {
    case 'In':
      return { key, complement: false, values: new Set(spec.values), ...rest }
    case 'NotIn':
      return { key, complement: true, values: new Set(spec.values), ...rest }
    case 'Exists':
      return { key, complement: true, values: none, ...rest }
    case 'DoesNotExist':
      return { key, complement: false, values: none, ...rest }
    case 'Gt':
      // Nothing exceeds the largest integer, and a requirement that nothing meets has no use for minValues.
      return bound() + 1 >= maxInt
        ? { key, complement: false, values: none }
        : { key, complement: true, values: none, gte: bound() + 1, ...rest }
    case 'Lt':
      return { key, complement: true, values: none, lte: bound() - 1, ...rest }
    case 'Gte':
      return { key, complement: true, values: none, gte: bound(), ...rest }
    case 'Lte':
      return { key, complement: true, values: none, lte: bound(), ...rest }
  }
}

/**
 * `key In [values]`.
 *
 * @example
 * Requirement.render(Requirement.isIn('zone', ['b', 'a'])) // => 'zone In [a b]'
 */
export const isIn = (key: string, values: ReadonlyArray<string>): Requirement => ({
  key,
  complement: false,
  values: new Set(values),
})

/**
 * `key NotIn [values]`.
 *
 * @example
 * Requirement.render(Requirement.notIn('zone', ['a'])) // => 'zone NotIn [a]'
 */
export const notIn = (key: string, values: ReadonlyArray<string>): Requirement => ({
  key,
  complement: true,
  values: new Set(values),
})

/**
 * `key Exists`: what a set says of a key that it does not mention (P-RQS-02).
 *
 * @example
 * Requirement.has(Requirement.exists('team'), 'a') // => true
 */
export const exists = (key: string): Requirement => ({ key, complement: true, values: none })

/**
 * `key DoesNotExist`.
 *
 * @example
 * Requirement.has(Requirement.doesNotExist('team'), 'a') // => false
 */
export const doesNotExist = (key: string): Requirement => ({ key, complement: false, values: none })

const isWithinBounds = (value: string, gte: number | undefined, lte: number | undefined): boolean => {
  if (gte === undefined && lte === undefined) return true
  const number = parseInteger(value)
  return number !== undefined && (gte === undefined || number >= gte) && (lte === undefined || number <= lte)
}

const larger = (a: number | undefined, b: number | undefined) =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b)
const smaller = (a: number | undefined, b: number | undefined) =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b)

/**
 * What meets both requirements; they must be of one key. P-REQ-05…08.
 *
 * Cost: O(values of both).
 *
 * @example
 * const both = Requirement.intersection(Requirement.isIn('zone', ['a', 'b']), Requirement.notIn('zone', ['b']))
 * Requirement.render(both) // => 'zone In [a]'
 */
export const intersection = (a: Requirement, b: Requirement): Requirement => {
  invariant(a.key === b.key, 'requirements of one key')
  const { key } = a
  const gte = larger(a.gte, b.gte)
  const lte = smaller(a.lte, b.lte)
  const minValues = larger(a.minValues, b.minValues)
  const rest = minValues === undefined ? {} : { minValues }
  if (gte !== undefined && lte !== undefined && gte > lte) return { key, complement: false, values: none, ...rest }
  const values = new Set<string>()
  const keep = (value: string) => {
    if (isWithinBounds(value, gte, lte)) values.add(value)
  }
  if (a.complement && b.complement) {
    for (const value of a.values) keep(value)
    for (const value of b.values) keep(value)
    return {
      key,
      complement: true,
      values,
      ...(gte === undefined ? {} : { gte }),
      ...(lte === undefined ? {} : { lte }),
      ...rest,
    }
  }
  const [concrete, other] = a.complement ? [b, a] : [a, b]
  for (const value of concrete.values) if (other.complement !== other.values.has(value)) keep(value)
  return { key, complement: false, values, ...rest }
}

/**
 * Whether some value may meet both, without building the intersection. P-REQ-09.
 *
 * Two complements overlap unless their bounds contradict each other, even where every integer between the bounds is
 * excluded: the reference says so, and decisions depend on it.
 *
 * @example
 * Requirement.hasIntersection(Requirement.isIn('zone', ['a']), Requirement.notIn('zone', ['a'])) // => false
 */
export const hasIntersection = (a: Requirement, b: Requirement): boolean => {
  const gte = larger(a.gte, b.gte)
  const lte = smaller(a.lte, b.lte)
  if (gte !== undefined && lte !== undefined && gte > lte) return false
  if (a.complement && b.complement) return true
  const [concrete, other] = a.complement ? [b, a] : !b.complement && b.values.size < a.values.size ? [b, a] : [a, b]
  for (const value of concrete.values)
    if (other.complement !== other.values.has(value) && isWithinBounds(value, gte, lte)) return true
  return false
}

/**
 * Whether a label with this value meets the requirement. P-REQ-12.
 *
 * @example
 * Requirement.has(Requirement.isIn('zone', ['a', 'b']), 'b') // => true
 */
export const has = (requirement: Requirement, value: string): boolean =>
  requirement.complement !== requirement.values.has(value) && isWithinBounds(value, requirement.gte, requirement.lte)

/**
 * The operator that the requirement reads as. Bounds read as Exists (P-REQ-11).
 *
 * @example
 * Requirement.operatorOf(Requirement.fromSpec({ key: 'cpu', operator: 'Gt', values: ['3'] })) // => 'Exists'
 */
export const operatorOf = (requirement: Requirement): 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' =>
  requirement.complement
    ? requirement.values.size > 0
      ? 'NotIn'
      : 'Exists'
    : requirement.values.size > 0
      ? 'In'
      : 'DoesNotExist'

/**
 * Whether a missing label meets the requirement: only NotIn and DoesNotExist allow it.
 *
 * @example
 * Requirement.allowsAbsence(Requirement.notIn('team', ['a'])) // => true
 * Requirement.allowsAbsence(Requirement.exists('team')) // => false
 */
export const allowsAbsence = (requirement: Requirement): boolean => {
  const operator = operatorOf(requirement)
  return operator === 'NotIn' || operator === 'DoesNotExist'
}

/**
 * The values in code-unit order: allowed ones, or excluded ones of a complement (P-REQ-14).
 *
 * @example
 * Requirement.sortedValues(Requirement.isIn('zone', ['b', 'a'])) // => ['a', 'b']
 */
export const sortedValues = (requirement: Requirement): ReadonlyArray<string> =>
  [...requirement.values].sort(compareText)

/**
 * The only value that can meet the requirement, if there is exactly one.
 *
 * @example
 * Requirement.singleValue(Requirement.isIn('zone', ['a'])) // => 'a'
 * Requirement.singleValue(Requirement.isIn('zone', ['a', 'b'])) // => undefined
 */
export const singleValue = (requirement: Requirement): string | undefined => {
  if (requirement.complement || requirement.values.size !== 1) return undefined
  for (const value of requirement.values) return value
  return undefined
}

/**
 * The requirement in its written form; both bounds give two entries, each with the minValues. P-REQ-15, P-REQ-16.
 *
 * Values excluded by a NotIn are lost beside a bound: the written form has no place for both.
 *
 * @example
 * Requirement.toSpecs(Requirement.isIn('zone', ['b', 'a'])) // => [{ key: 'zone', operator: 'In', values: ['a', 'b'] }]
 */
export const toSpecs = (requirement: Requirement): ReadonlyArray<RequirementSpec> => {
  const { key, gte, lte, minValues } = requirement
  const rest = minValues === undefined ? {} : { minValues }
  const bounds: Array<RequirementSpec> = []
  if (gte !== undefined) bounds.push({ key, operator: 'Gte', values: [String(gte)], ...rest })
  if (lte !== undefined) bounds.push({ key, operator: 'Lte', values: [String(lte)], ...rest })
  if (bounds.length > 0) return bounds
  const operator = operatorOf(requirement)
  return operator === 'In' || operator === 'NotIn'
    ? [{ key, operator, values: sortedValues(requirement), ...rest }]
    : [{ key, operator, ...rest }]
}

const shownValues = 5

/**
 * `zone In [a b c d e and 2 others] minValues 2`. P-REQ-17.
 *
 * @example
 * Requirement.render(Requirement.isIn('zone', ['a', 'b', 'c', 'd', 'e', 'f', 'g']))
 * // => 'zone In [a b c d e and 2 others]'
 */
export const render = (requirement: Requirement): string => {
  const { key, gte, lte, minValues } = requirement
  const operator = operatorOf(requirement)
  const values = sortedValues(requirement)
  const hidden = values.length - shownValues
  const list = values.slice(0, shownValues).join(' ') + (hidden > 0 ? ` and ${hidden} others` : '')
  return (
    (operator === 'In' || operator === 'NotIn' ? `${key} ${operator} [${list}]` : `${key} ${operator}`) +
    (gte === undefined ? '' : ` >=${gte}`) +
    (lte === undefined ? '' : ` <=${lte}`) +
    (minValues === undefined ? '' : ` minValues ${minValues}`)
  )
}
