import * as E from 'fp-ts/lib/Either.js'

import { invariant } from '../internal/index.ts'
import * as Quantity from './quantity.ts'

/**
 * Amounts by resource name, as in `spec.limits` or `status.capacity`.
 *
 * Names come from users, so read with `Resources.get` or after `Object.hasOwn`. Lists made here have no prototype.
 */
export type ResourceList = Readonly<Record<string, Quantity.Quantity>>

export const empty: ResourceList = Object.freeze(Object.create(null) as ResourceList)

/**
 * The list that a program's literal states.
 *
 * Errors: throws an invariant violation that names the resource; use `decode` for data from outside.
 *
 * @example
 * Resources.parse({ cpu: '0.5', memory: '1Gi' }) // => { cpu: '500m', memory: '1Gi' }
 */
export const parse = (texts: Readonly<Record<string, string>>): ResourceList => {
  const list = blank()
  for (const name of Object.keys(texts)) {
    const parsed = Quantity.parse(texts[name] ?? '')
    invariant(
      E.isRight(parsed),
      `a quantity for resource ${JSON.stringify(name)}: ${E.isLeft(parsed) ? parsed.left : ''}`,
    )
    list[name] = parsed.right
  }
  return list
}

/**
 * Decodes a list from data, accepting numbers as Kubernetes does (`cpu: 2`).
 *
 * Errors: one sentence for each wrong entry, each starting with its path.
 *
 * @example
 * Resources.decode({ cpu: 2 }, 'spec.limits') // => right({ cpu: '2' })
 */
export const decode = (input: unknown, path: string): E.Either<ReadonlyArray<string>, ResourceList> => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return E.left([
      `${path}: Invalid value: ${JSON.stringify(input)}: expected an object of quantities by resource name`,
    ])
  }
  const list = blank()
  const errors: Array<string> = []
  for (const [name, value] of Object.entries(input)) {
    const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
    const parsed = text === undefined ? E.left('expected a quantity such as 500m or 1Gi') : Quantity.parse(text)
    if (E.isLeft(parsed)) errors.push(`${path}[${name}]: Invalid value: ${JSON.stringify(value)}: ${parsed.left}`)
    else list[name] = parsed.right
  }
  return errors.length > 0 ? E.left(errors) : E.right(list)
}

/**
 * The amount of one resource; zero when the list does not name it.
 *
 * @example
 * Resources.get(Resources.parse({ cpu: '1' }), 'memory') // => '0'
 */
export const get = (list: ResourceList, name: string): Quantity.Quantity => own(list, name) ?? Quantity.zero

/**
 * Sum by resource, over the union of names.
 *
 * Cost: O(entries), for entries seen before a look-up and an addition each; only the sums are printed. Adding one list
 * at a time prints, and later reads, every sum in between, which for a cluster's thousands takes fifty times as long.
 *
 * @example
 * Resources.add(Resources.parse({ cpu: '500m' }), Resources.parse({ cpu: '1', memory: '1Gi' }))
 * // => { cpu: '1500m', memory: '1Gi' }
 */
export const add = (...lists: ReadonlyArray<ResourceList>): ResourceList => {
  if (lists.length <= 2) return fold(lists, Quantity.add)
  const amounts = new Map<string, Array<Quantity.Quantity>>()
  for (const list of lists) {
    for (const name of Object.keys(list)) {
      const known = amounts.get(name)
      if (known === undefined) amounts.set(name, [get(list, name)])
      else known.push(get(list, name))
    }
  }
  const result = blank()
  for (const [name, all] of amounts) result[name] = Quantity.sum(all)
  return result
}

/**
 * `left` minus `right`, for the names in `left` only (P-RES-03). Amounts may become negative.
 *
 * @example
 * Resources.subtract(Resources.parse({ cpu: '4' }), Resources.parse({ cpu: '500m', memory: '1Gi' }))
 * // => { cpu: '3500m' }
 */
export const subtract = (left: ResourceList, right: ResourceList): ResourceList => {
  const result = blank()
  for (const name of Object.keys(left)) result[name] = Quantity.subtract(get(left, name), get(right, name))
  return result
}

/**
 * Largest amount of each resource, over the union of names (P-RES-04).
 *
 * @example
 * Resources.max(Resources.parse({ cpu: '1', memory: '2Gi' }), Resources.parse({ cpu: '2' }))
 * // => { cpu: '2', memory: '2Gi' }
 */
export const max = (...lists: ReadonlyArray<ResourceList>): ResourceList =>
  fold(lists, (left, right) => (Quantity.compare(left, right) < 0 ? right : left))

/**
 * Smallest amount of each resource that every list names (P-RES-04).
 *
 * @example
 * Resources.min(Resources.parse({ cpu: '1', memory: '2Gi' }), Resources.parse({ cpu: '2' })) // => { cpu: '1' }
 */
export const min = (...lists: ReadonlyArray<ResourceList>): ResourceList => {
  const everywhere = fold(lists, (left, right) => (Quantity.compare(left, right) > 0 ? right : left))
  const result = blank()
  for (const name of Object.keys(everywhere)) {
    if (lists.every((list) => Object.hasOwn(list, name))) result[name] = get(everywhere, name)
  }
  return result
}

/**
 * Whether `requests` fit into `total` (P-RES-02).
 *
 * A negative amount anywhere in `total` means that nothing fits; a resource that `total` does not name counts as zero.
 *
 * @example
 * Resources.fits(Resources.parse({ cpu: '1' }), Resources.parse({ cpu: '4', memory: '8Gi' })) // => true
 * Resources.fits(Resources.parse({ 'nvidia.com/gpu': '1' }), Resources.parse({ cpu: '4' })) // => false
 */
export const fits = (requests: ResourceList, total: ResourceList): boolean =>
  Object.keys(total).every((name) => !Quantity.isNegative(get(total, name))) &&
  Object.keys(requests).every((name) => Quantity.compare(get(requests, name), get(total, name)) <= 0)

/**
 * The first limit that `usage` is strictly above, in the order of `limits`; `undefined` where none is (P-NPR-09).
 *
 * No limits are never exceeded.
 *
 * @example
 * Resources.exceeding(Resources.parse({ cpu: '12', memory: '8Gi' }), Resources.parse({ memory: '64Gi', cpu: '10' }))
 * // => { resource: 'cpu', usage: '12', limit: '10' }
 */
export const exceeding = (
  usage: ResourceList,
  limits: ResourceList | undefined,
): { readonly resource: string; readonly usage: Quantity.Quantity; readonly limit: Quantity.Quantity } | undefined => {
  for (const resource of Object.keys(limits ?? empty)) {
    const limit = get(limits ?? empty, resource)
    const used = get(usage, resource)
    if (Quantity.compare(used, limit) > 0) return { resource, usage: used, limit }
  }
  return undefined
}

/**
 * Whether no resource has an amount other than zero.
 *
 * @example
 * Resources.isEmpty(Resources.parse({ cpu: '0' })) // => true
 */
export const isEmpty = (list: ResourceList): boolean =>
  Object.keys(list).every((name) => Quantity.isZero(get(list, name)))

/**
 * Whether two lists state the same amounts; a name that one of them lacks counts as zero.
 *
 * @example
 * Resources.equals(Resources.parse({ cpu: '1', pods: '0' }), Resources.parse({ cpu: '1000m' })) // => true
 */
export const equals = (left: ResourceList, right: ResourceList): boolean =>
  [...Object.keys(left), ...Object.keys(right)].every((name) => Quantity.equals(get(left, name), get(right, name)))

const blank = () => Object.create(null) as Record<string, Quantity.Quantity>

const own = (list: ResourceList, name: string) => (Object.hasOwn(list, name) ? list[name] : undefined)

const fold = (
  lists: ReadonlyArray<ResourceList>,
  combine: (left: Quantity.Quantity, right: Quantity.Quantity) => Quantity.Quantity,
): ResourceList => {
  const result = blank()
  for (const list of lists) {
    for (const name of Object.keys(list)) {
      const before = own(result, name)
      const amount = get(list, name)
      result[name] = before === undefined ? amount : combine(before, amount)
    }
  }
  return result
}
