import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@scantling/core'

/**
 * A short text that is the same for equal values, whatever the order of their keys: 16 hexadecimal digits of SHA-256.
 *
 * For comparing and for names; not for secrets.
 *
 * @example
 * fingerprint({ a: 1, b: 2 }) === fingerprint({ b: 2, a: 1 }) // => true
 */
export const fingerprint = (value: Json): string =>
  createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16)

/** JSON with the keys of every object in code-unit order. */
export const canonical = (value: Json): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as ReadonlyArray<Json>).map(canonical).join(',')}]`
  const object = value as JsonObject
  const members = Object.keys(object)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key] as Json)}`)
  return `{${members.join(',')}}`
}
