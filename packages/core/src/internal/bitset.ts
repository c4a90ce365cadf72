/**
 * Sets of small integers as packed words, for loops over many candidates.
 *
 * All sets of one universe have the same number of words; operations do not check it.
 */
export type Bitset = Uint32Array

/** The empty set over `size` members. */
export const emptyBitset = (size: number): Bitset => new Uint32Array((size + 31) >>> 5)

/** The set of all `size` members. */
export const fullBitset = (size: number): Bitset => {
  const set = emptyBitset(size).fill(0xffffffff)
  const spare = size & 31
  if (spare !== 0) set[set.length - 1] = (1 << spare) - 1
  return set
}

export const insertBit = (set: Bitset, member: number): void => {
  set[member >>> 5]! |= 1 << (member & 31)
}

export const hasBit = (set: Bitset, member: number): boolean => ((set[member >>> 5] ?? 0) & (1 << (member & 31))) !== 0

/** `target` becomes the intersection with `other`. */
export const intersectInto = (target: Bitset, other: Bitset): void => {
  for (let word = 0; word < target.length; word += 1) target[word]! &= other[word]!
}

/** `target` becomes the union with `other`. */
export const uniteInto = (target: Bitset, other: Bitset): void => {
  for (let word = 0; word < target.length; word += 1) target[word]! |= other[word]!
}

export const isEmptyBitset = (set: Bitset): boolean => {
  for (let word = 0; word < set.length; word += 1) if (set[word] !== 0) return false
  return true
}

export const countBits = (set: Bitset): number => {
  let count = 0
  for (let word = 0; word < set.length; word += 1) {
    for (let bits = set[word]!; bits !== 0; bits = (bits & (bits - 1)) >>> 0) count += 1
  }
  return count
}

/** Calls `visit` with every member, ascending. */
export const forEachBit = (set: Bitset, visit: (member: number) => void): void => {
  for (let word = 0; word < set.length; word += 1) {
    for (let bits = set[word]!; bits !== 0; bits = (bits & (bits - 1)) >>> 0) {
      visit((word << 5) + (31 - Math.clz32(bits & -bits)))
    }
  }
}
