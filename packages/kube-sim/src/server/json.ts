/** A JSON object under construction. Once stored it is treated as frozen. */
export type JsonObject = { [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object at `key`, or `undefined` when there is none (or something else). */
export const objectAt = (object: JsonObject | undefined, key: string): JsonObject | undefined => {
  const value = object?.[key]
  return isObject(value) ? value : undefined
}

export const listAt = (object: JsonObject | undefined, key: string): ReadonlyArray<unknown> => {
  const value = object?.[key]
  return Array.isArray(value) ? value : []
}

/** The objects of the list at `key`; entries that are not objects are left out. */
export const objectsAt = (object: JsonObject | undefined, key: string): ReadonlyArray<JsonObject> =>
  listAt(object, key).filter(isObject)

export const stringAt = (object: JsonObject | undefined, key: string): string | undefined => {
  const value = object?.[key]
  return typeof value === 'string' ? value : undefined
}

/** Sets a key as data even when it is called `__proto__`, which a plain assignment would take for the prototype. */
export const setKey = (object: JsonObject, key: string, value: unknown): void => {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  } else object[key] = value
}

/** A deep copy of JSON data. `undefined` members are dropped, as serialising would. */
export const cloneJson = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const copy: unknown[] = new Array(value.length)
    for (let index = 0; index < value.length; index++) copy[index] = cloneJson(value[index])
    return copy as T
  }
  const copy: JsonObject = {}
  for (const key of Object.keys(value)) {
    const member = (value as JsonObject)[key]
    if (member !== undefined) setKey(copy, key, cloneJson(member))
  }
  return copy as T
}

/** Deep equality of JSON data. The order of keys does not matter; an `undefined` member equals an absent one. */
export const equalJson = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => equalJson(item, right[index]))
  }
  const a = left as JsonObject
  const b = right as JsonObject
  for (const key of Object.keys(a)) {
    if (a[key] === undefined ? Object.hasOwn(b, key) && b[key] !== undefined : !Object.hasOwn(b, key)) return false
    if (a[key] !== undefined && !equalJson(a[key], b[key])) return false
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined && !Object.hasOwn(a, key)) return false
  return true
}

/** The value at a dotted path such as `spec.nodeName` or `.status.replicas`; `undefined` where the path ends early. */
export const valueAtPath = (object: unknown, path: string): unknown => {
  let value = object
  for (const key of path.split('.')) {
    if (key === '') continue
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

/** A copy of `object` with `value` at the dotted path; objects on the way are copied, not mutated. */
export const withValueAtPath = (object: JsonObject, path: string, value: unknown): JsonObject => {
  const [head, ...rest] = path.split('.').filter((key) => key !== '')
  if (head === undefined) return object
  if (rest.length === 0) return { ...object, [head]: value }
  return { ...object, [head]: withValueAtPath(objectAt(object, head) ?? {}, rest.join('.'), value) }
}
