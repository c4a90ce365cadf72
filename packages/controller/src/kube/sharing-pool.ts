/**
 * Makes equal values one value, so that ten thousand pods of one Deployment hold its spec once.
 *
 * Two generations bound it: when the young one is full it becomes the old one, and what is still in use is found there
 * and moves up. Losing an entry costs memory, never correctness.
 */
export interface SharingPool {
  /** The first of all values with this JSON text, key order included; itself where there was none. Never changes it. */
  readonly share: <A>(value: A) => A
}

export const makeSharingPool = (generationSize = 4096): SharingPool => {
  let young = new Map<string, unknown>()
  let old = new Map<string, unknown>()
  return {
    share: <A>(value: A): A => {
      if (value === undefined || value === null || (typeof value !== 'object' && typeof value !== 'string'))
        return value
      const key = JSON.stringify(value)
      const known = young.get(key)
      if (known !== undefined) return known as A
      const result = old.get(key) ?? value
      if (young.size >= generationSize) {
        old = young
        young = new Map()
      }
      young.set(key, result)
      return result as A
    },
  }
}
