import { badRequest } from '../server/failures.ts'
import { cloneJson, equalJson, isObject, setKey, type JsonObject } from '../server/json.ts'
import type { ListMerge, ListSemantics } from './list-semantics.ts'

const deleteFromList = '$deleteFromPrimitiveList/'
const elementOrder = '$setElementOrder/'

/**
 * Applies a strategic merge patch, with its directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…` and
 * `$setElementOrder/…`. Neither input is mutated.
 *
 * Source: Kubernetes' documentation of strategic merge patch (sig-api-machinery, strategic-merge-patch.md).
 */
export const applyStrategicPatch = (target: JsonObject, patch: JsonObject, lists: ListSemantics): JsonObject =>
  mergeObjects(target, patch, lists, [])

const mergeObjects = (
  target: JsonObject,
  patch: JsonObject,
  lists: ListSemantics,
  path: ReadonlyArray<string>,
): JsonObject => {
  switch (patch['$patch']) {
    case 'replace':
      return withoutDirectives(patch)
    case 'delete':
      return {}
    case undefined:
    case 'merge':
      break
    default:
      throw badRequest(`unknown patch directive ${JSON.stringify(patch['$patch'])}`)
  }
  const merged: JsonObject = { ...target }
  const retained = patch['$retainKeys']
  if (Array.isArray(retained)) {
    for (const key of Object.keys(merged)) if (!retained.includes(key)) delete merged[key]
  }
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (key === '$patch' || key === '$retainKeys' || key.startsWith(elementOrder)) continue
    if (key.startsWith(deleteFromList)) {
      const field = key.slice(deleteFromList.length)
      const present = merged[field]
      const gone = Array.isArray(value) ? value : []
      if (Array.isArray(present)) merged[field] = present.filter((item) => !gone.some((each) => equalJson(each, item)))
      continue
    }
    if (value === null) {
      delete merged[key]
      continue
    }
    const present = Object.hasOwn(merged, key) ? merged[key] : undefined
    const inner = [...path, key]
    if (isObject(value)) {
      if (value['$patch'] === 'delete') delete merged[key]
      else setKey(merged, key, mergeObjects(isObject(present) ? present : {}, value, lists, inner))
    } else if (Array.isArray(value)) {
      setKey(merged, key, mergeLists(Array.isArray(present) ? present : [], value, lists, inner))
    } else setKey(merged, key, value)
  }
  reorder(merged, patch, lists, path)
  return merged
}

const mergeLists = (
  target: ReadonlyArray<unknown>,
  patch: ReadonlyArray<unknown>,
  lists: ListSemantics,
  path: ReadonlyArray<string>,
): ReadonlyArray<unknown> => {
  const replaces = patch.some((item) => isObject(item) && item['$patch'] === 'replace')
  const merge = lists(path)
  if (merge._tag === 'atomic' || replaces) {
    return patch.filter((item) => !(isObject(item) && Object.hasOwn(item, '$patch'))).map(cloneJson)
  }
  if (merge._tag === 'set') {
    return [...target, ...patch.filter((item) => !target.some((present) => equalJson(present, item)))]
  }
  const result = [...target]
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`cannot merge ${path.join('.')}: expected objects`)
    const at = result.findIndex((present) => sameItem(present, item, merge.keys))
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1)
      continue
    }
    if (!Object.hasOwn(item, merge.keys[0])) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${merge.keys[0]}`)
    }
    if (at >= 0) result[at] = mergeObjects(result[at] as JsonObject, item, lists, path)
    else result.push(withoutDirectives(item))
  }
  return result
}

// Strategic merge goes by the first key alone; the others matter to server-side apply.
const sameItem = (present: unknown, item: JsonObject, keys: readonly [string, ...string[]]): boolean =>
  isObject(present) && equalJson(present[keys[0]], item[keys[0]])

const reorder = (merged: JsonObject, patch: JsonObject, lists: ListSemantics, path: ReadonlyArray<string>): void => {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(elementOrder)) continue
    const field = key.slice(elementOrder.length)
    const order = patch[key]
    const items = merged[field]
    if (!Array.isArray(order) || !Array.isArray(items)) continue
    const merge = lists([...path, field])
    const rank = (item: unknown): number =>
      order.findIndex((each) =>
        merge._tag === 'map' && isObject(each) ? sameItem(item, each, merge.keys) : equalJson(each, item),
      )
    const listed = items.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b))
    // What the client did not know of keeps its place relative to its predecessor: at the end is near enough.
    merged[field] = [...listed, ...items.filter((item) => rank(item) < 0)]
  }
}

const withoutDirectives = (value: JsonObject): JsonObject => {
  const copy: JsonObject = {}
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (key.startsWith('$') || member === null) continue
    if (isObject(member)) setKey(copy, key, withoutDirectives(member))
    else if (Array.isArray(member)) {
      setKey(
        copy,
        key,
        member.map((item) => (isObject(item) ? withoutDirectives(item) : item)),
      )
    } else setKey(copy, key, member)
  }
  return copy
}

/**
 * Merges an applied configuration into `target`: maps by key, lists by their declared type.
 *
 * Without record of who owns which field: a field that the configuration no longer mentions stays.
 */
export const applyConfiguration = (
  target: unknown,
  applied: unknown,
  lists: ListSemantics,
  path: ReadonlyArray<string> = [],
): unknown => {
  if (isObject(applied)) {
    const merged: JsonObject = isObject(target) ? { ...target } : {}
    for (const key of Object.keys(applied)) {
      const value = applied[key]
      const present = Object.hasOwn(merged, key) ? merged[key] : undefined
      if (value === null) delete merged[key]
      else setKey(merged, key, applyConfiguration(present, value, lists, [...path, key]))
    }
    return merged
  }
  if (!Array.isArray(applied) || !Array.isArray(target)) return cloneJson(applied)
  const merge = lists(path)
  if (merge._tag === 'atomic') return cloneJson(applied)
  if (merge._tag === 'set') {
    return [...target, ...applied.filter((item) => !target.some((present) => equalJson(present, item)))]
  }
  const result: unknown[] = [...target]
  for (const item of applied) {
    const at = result.findIndex((present) => sameKeys(present, item, merge))
    if (at >= 0) result[at] = applyConfiguration(result[at], item, lists, path)
    else result.push(cloneJson(item))
  }
  return result
}

const sameKeys = (left: unknown, right: unknown, merge: ListMerge & { _tag: 'map' }): boolean =>
  isObject(left) &&
  isObject(right) &&
  merge.keys.every((key) => equalJson(left[key] ?? merge.defaults?.[key], right[key] ?? merge.defaults?.[key]))
