import { conditionOf } from '../cluster/index.ts'
import type { Checker } from './checker.ts'

/** Counts evictions, and pods that had to move again within an hour. */
export interface MoveCounter extends Checker {
  readonly evictions: () => number
  readonly movedTwice: () => number
}

const hourMs = 3_600_000
// A controller puts another pod in the place of an evicted one at once.
const replacedWithinMs = 60_000

/**
 * Follows pods through evictions: the next pod of a ReplicaSet after one of its pods was evicted is the same, moved.
 *
 * Counts only; how much moving is too much is for its reader to say.
 */
export const countMoves = (): MoveCounter => {
  const vacancies = new Map<string, Array<number>>()
  const movedAtMs = new Map<string, number>()
  let evictions = 0
  let movedTwice = 0
  return {
    name: 'moved pods',
    onChange: ({ plural, type, object, before, atMs }) => {
      if (plural !== 'pods') return
      const { uid, deletionTimestamp, ownerReferences } = object.metadata
      if (type === 'DELETED') return void movedAtMs.delete(uid)
      const owner = ownerReferences?.[0]?.uid ?? ''
      if (type === 'ADDED') {
        const waiting = (vacancies.get(owner) ?? []).filter((sinceMs) => atMs - sinceMs <= replacedWithinMs)
        const since = waiting.shift()
        vacancies.set(owner, waiting)
        if (since !== undefined) movedAtMs.set(uid, since)
        return
      }
      if (deletionTimestamp === undefined || before?.metadata.deletionTimestamp !== undefined) return
      if (conditionOf(object, 'DisruptionTarget')?.reason !== 'EvictionByEvictionAPI') return
      evictions += 1
      if (atMs - (movedAtMs.get(uid) ?? -Infinity) < hourMs) movedTwice += 1
      vacancies.set(owner, [...(vacancies.get(owner) ?? []), atMs])
    },
    violations: () => [],
    evictions: () => evictions,
    movedTwice: () => movedTwice,
  }
}
