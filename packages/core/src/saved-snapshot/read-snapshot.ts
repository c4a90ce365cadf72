import * as E from 'fp-ts/lib/Either.js'

import type { Snapshot } from '../cluster/index.ts'
import { savedApiVersion, savedKind, savedOpening } from './form.ts'

/**
 * Whether a text is a saved snapshot, by its beginning: a few dozen characters are enough.
 *
 * @example
 * isSavedSnapshot('apiVersion: v1') // => false
 */
export const isSavedSnapshot = (text: string): boolean => text.startsWith(savedOpening)

/**
 * Reads what `saveSnapshot` wrote.
 *
 * Errors: a sentence that says what is wrong. Only the frame is checked: a file that was changed by hand can still fail
 * in a planner.
 *
 * @example
 * readSnapshot('{}')._tag // => 'Left'
 */
export const readSnapshot = (text: string): E.Either<string, Snapshot> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return E.left(`not whole JSON (${error instanceof Error ? error.message : String(error)}); save it again`)
  }
  const frame = (json ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown; readonly snapshot?: unknown }
  if (frame.apiVersion !== savedApiVersion || frame.kind !== savedKind)
    return E.left(`expected apiVersion ${savedApiVersion} and kind ${savedKind}`)
  try {
    const snapshot = revive(frame.snapshot, new Map()) as Partial<Record<keyof Snapshot, unknown>>
    const missing = Object.entries(shapes).filter(([field, holds]) => !holds(snapshot[field as keyof Snapshot]))
    return missing.length === 0
      ? E.right(snapshot as Snapshot)
      : E.left(
          `${missing.map(([field]) => `snapshot.${field}`).join(', ')}: not what this version saves; save it again`,
        )
  } catch (error) {
    return E.left(`${error instanceof Error ? error.message : String(error)}; save it again`)
  }
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const isMap = (value: unknown): boolean => value instanceof Map

const shapes: Readonly<Record<keyof Snapshot, (value: unknown) => boolean>> = {
  nowMs: (value) => typeof value === 'number',
  settings: isRecord,
  labelRules: isRecord,
  nodePools: Array.isArray,
  instanceTypes: isMap,
  nodes: Array.isArray,
  pods: Array.isArray,
  daemonSets: Array.isArray,
  podDisruptionBudgets: Array.isArray,
  namespaces: isMap,
  volumes: isRecord,
}

interface Marked {
  readonly $map?: ReadonlyArray<readonly [unknown, unknown]>
  readonly $set?: ReadonlyArray<unknown>
  readonly $number?: string
  readonly $ref?: number
  readonly $is?: number
  readonly $as?: unknown
}

/** In place, in the order in which it was written, so that each number is known before it is referred to. */
const revive = (value: unknown, known: Map<number, unknown>): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const { $map, $set, $number, $ref, $is, $as } = value as Marked
  if ($ref !== undefined) {
    if (!known.has($ref)) throw new Error(`reference ${$ref} comes before what it refers to`)
    return known.get($ref)
  }
  if ($is !== undefined) {
    const revived = revive($as, known)
    known.set($is, revived)
    return revived
  }
  if ($map !== undefined) return new Map($map.map(([key, item]) => [key, revive(item, known)]))
  if ($set !== undefined) return new Set($set)
  if ($number !== undefined) return Number($number)
  const record = value as Record<string, unknown>
  for (const key of Object.keys(record)) {
    const item = record[key]
    const revived = revive(item, known)
    if (revived !== item) record[key] = revived
  }
  return record
}
