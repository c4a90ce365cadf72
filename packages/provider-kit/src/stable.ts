/**
 * Keeps objects the same while what they are made from is the same.
 *
 * `next(items)` makes a value of each item, by key; where an item's fingerprint is that of the last time, the value is
 * the very object of the last time, and where all are, so is the array. Planners compile by identity.
 *
 * @example
 * const types = stable({ keyOf: (row) => row.name, fingerprintOf: JSON.stringify, make: typeOf })
 * types.next(rows) === types.next(rows) // => true
 */
export const stable = <A, B>(options: {
  readonly keyOf: (item: A) => string
  readonly fingerprintOf: (item: A) => string
  readonly make: (item: A) => B
}): { readonly next: (items: ReadonlyArray<A>) => ReadonlyArray<B> } => {
  const { keyOf, fingerprintOf, make } = options
  let known = new Map<string, { readonly fingerprint: string; readonly value: B }>()
  let last: ReadonlyArray<B> = []
  return {
    next: (items) => {
      const seen: typeof known = new Map()
      const values = items.map((item) => {
        const key = keyOf(item)
        const fingerprint = fingerprintOf(item)
        const present = known.get(key)
        const value = present?.fingerprint === fingerprint ? present.value : make(item)
        seen.set(key, { fingerprint, value })
        return value
      })
      known = seen
      if (values.length !== last.length || values.some((value, index) => value !== last[index])) last = values
      return last
    },
  }
}
