import { Quantity, Resources } from '../quantity/index.ts'
import type { InstanceType } from '../instance/index.ts'

/**
 * The memory that Nodes of a type have really had, by type and image: what a hypervisor and a kernel keep for
 * themselves is known to nobody before one has started (A-DSC).
 */
export interface LearnedMemory {
  /** Key: `instance type/image`. */
  readonly entries: ReadonlyMap<string, LearnedEntry>
}

export interface LearnedEntry {
  /** The least of the Nodes that were alive last. */
  readonly memory: Quantity
  /** **Units**: milliseconds since the epoch. */
  readonly seenAtMs: number
}

/** A registered Node, as far as its memory goes. */
export interface ObservedNode {
  readonly instanceType: string
  readonly imageId: string
  readonly memory: Quantity
}

export const empty: LearnedMemory = { entries: new Map() }

const forgottenAfterMs = 60 * 24 * 60 * 60_000

const keyOf = (instanceType: string, imageId: string): string => `${instanceType}/${imageId}`

/**
 * The memory after a look at the Nodes that are alive; the same object when they taught nothing new.
 *
 * Of several Nodes of one type and image the least counts. Nodes that are gone are remembered for 60 days, and those
 * that are alive correct what is remembered in both directions.
 *
 * Cost: O(nodes).
 *
 * @example
 * const node = { instanceType: 'm5.large', imageId: 'image-1', memory: Quantity.of('7.5Gi') }
 * const learned = LearnedMemories.observe(LearnedMemories.empty, [node], 0)
 * LearnedMemories.observe(learned, [node], 1) === learned // => true
 */
export const observe = (learned: LearnedMemory, nodes: ReadonlyArray<ObservedNode>, nowMs: number): LearnedMemory => {
  const least = new Map<string, Quantity>()
  for (const { instanceType, imageId, memory } of nodes) {
    if (Quantity.isZero(memory)) continue
    const key = keyOf(instanceType, imageId)
    const known = least.get(key)
    if (known === undefined || Quantity.compare(memory, known) < 0) least.set(key, memory)
  }
  const entries = new Map<string, LearnedEntry>()
  let changed = false
  for (const [key, entry] of learned.entries) {
    if (least.has(key)) continue
    if (nowMs - entry.seenAtMs < forgottenAfterMs) entries.set(key, entry)
    else changed = true
  }
  for (const [key, memory] of least) {
    const known = learned.entries.get(key)
    // A time alone is no news, unless the entry would be forgotten by it.
    const isNews =
      known === undefined || !Quantity.equals(known.memory, memory) || nowMs - known.seenAtMs > forgottenAfterMs / 2
    entries.set(key, isNews ? { memory, seenAtMs: nowMs } : known)
    changed ||= isNews
  }
  return changed ? { entries } : learned
}

/**
 * The types with the memory that Nodes of theirs have had with the image that a launch would boot now (A-CAP-03).
 *
 * Types about which nothing is known are the same objects, and so is the array where that goes for all.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const type = { ...instanceType('m5.large', 2), imageId: 'image-1' }
 * const node = { instanceType: 'm5.large', imageId: 'image-1', memory: Quantity.of('7.5Gi') }
 * const learned = LearnedMemories.observe(LearnedMemories.empty, [node], 0)
 * LearnedMemories.apply([type], learned)[0]?.capacity['memory'] // => '7680Mi'
 */
export const apply = (types: ReadonlyArray<InstanceType>, learned: LearnedMemory): ReadonlyArray<InstanceType> => {
  if (learned.entries.size === 0) return types
  let changed = false
  const applied = types.map((type) => {
    const known = type.imageId === undefined ? undefined : learned.entries.get(keyOf(type.name, type.imageId))
    if (known === undefined || Quantity.equals(known.memory, Resources.get(type.capacity, 'memory'))) return type
    changed = true
    return { ...type, capacity: { ...type.capacity, memory: known.memory } }
  })
  return changed ? applied : types
}
