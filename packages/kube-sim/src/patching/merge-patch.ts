import { cloneJson, isObject, setKey, type JsonObject } from '../server/json.ts'

/** Applies an RFC 7386 merge patch: `null` deletes, objects merge, anything else replaces. Neither input is mutated. */
export const applyMergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return cloneJson(patch)
  const merged: JsonObject = isObject(target) ? { ...target } : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete merged[key]
    else setKey(merged, key, applyMergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value))
  }
  return merged
}
