import type { Json, JsonObject } from '@scantling/core'
import { canonical, fingerprint } from '@scantling/provider-kit'

/**
 * Version of `hashOf`; to be changed with every change of a default, of the fields that count, or of the function.
 *
 * Never one of the reference's (`v3` and before): claims that it stamped are stamped anew, and so adopted without being
 * replaced (Z-API-24).
 */
export const hashVersion = 'scantling-v1'

/**
 * The hash of what nodes are made from: the spec without its tags, which are changed in place (Z-API-22).
 *
 * Lists count as sets, and what is empty counts as absent; the order of fields does not matter.
 */
export const hashOf = (nodeClass: { readonly spec: object }): string => {
  const { tags: _, ...counted } = nodeClass.spec as JsonObject
  return fingerprint(withoutEmpty(counted) ?? {})
}

const withoutEmpty = (value: Json | undefined): Json | undefined => {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const items = (value as ReadonlyArray<Json>)
      .flatMap((item) => withoutEmpty(item) ?? [])
      .map((item) => ({ item, text: canonical(item) }))
      .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    return items.length === 0 ? undefined : items.map(({ item }) => item)
  }
  const members = Object.entries(value as JsonObject).flatMap(([key, item]) => {
    const kept = withoutEmpty(item)
    return kept === undefined ? [] : [[key, kept] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}
