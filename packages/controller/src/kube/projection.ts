/** Copies the part of a decoded JSON value that is kept; `undefined` drops it. */
export type Projection = (raw: unknown) => unknown

/** A value kept as it is: numbers, booleans, and strings that no other object repeats (uid, name, timestamps). */
export const value: Projection = (raw) => (raw === null ? undefined : raw)

/**
 * Makes equal values one value, so that ten thousand pods of one Deployment hold its spec once.
 *
 * Two generations bound it: when the young one is full it becomes the old one, and what is still in use is found there
 * and moves up. Losing an entry costs memory, never correctness.
 */
export interface SharingPool {
  /** A string whose equals are kept once. */
  readonly text: Projection
  /** A whole subtree, kept once among equals. Equal means the same JSON text, key order included. */
  readonly tree: Projection
  /** What `inner` keeps, once among equals. */
  readonly shared: (inner: Projection) => Projection
}

export const makeSharingPool = (generationSize = 4096): SharingPool => {
  let young = new Map<string, unknown>()
  let old = new Map<string, unknown>()
  const share = (key: string, made: unknown): unknown => {
    const known = young.get(key)
    if (known !== undefined) return known
    const result = old.get(key) ?? made
    if (young.size >= generationSize) {
      old = young
      young = new Map()
    }
    young.set(key, result)
    return result
  }
  const shareTree = (tree: unknown) =>
    typeof tree === 'object' && tree !== null ? share(JSON.stringify(tree), tree) : tree
  return {
    // Strings and trees share one map: JSON text of a tree starts with a bracket, which no label value can.
    text: (raw) => (typeof raw === 'string' ? share(raw, raw) : value(raw)),
    tree: (raw) => shareTree(value(raw)),
    shared: (inner) => (raw) => shareTree(inner(raw)),
  }
}

/** Keeps the named fields of an object; other fields, and fields that are null, are dropped. */
export const fields = (shape: Readonly<Record<string, Projection>>): Projection => {
  const entries = Object.entries(shape)
  return (raw) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
    const source = raw as Readonly<Record<string, unknown>>
    const kept: Record<string, unknown> = {}
    for (const [key, project] of entries) {
      if (!Object.hasOwn(source, key)) continue
      const result = project(source[key])
      if (result !== undefined) kept[key] = result
    }
    return kept
  }
}

/** Keeps every element of an array, each projected. */
export const listOf =
  (element: Projection): Projection =>
  (raw) =>
    Array.isArray(raw) ? raw.map(element) : undefined

/** Keeps the named keys of an open map, such as annotations. */
export const entriesOf =
  (isKept: (key: string) => boolean): Projection =>
  (raw) => {
    if (typeof raw !== 'object' || raw === null) return undefined
    // `__proto__` is a legal key of a wire object; a definition makes it one of ours as well.
    const kept: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(raw)) {
      if (isKept(key))
        Object.defineProperty(kept, key, { value: entry, enumerable: true, writable: true, configurable: true })
    }
    return kept
  }
