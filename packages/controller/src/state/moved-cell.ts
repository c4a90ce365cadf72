import type { Pod } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'

/**
 * Which workloads disruption has moved pods of, and when: they are left alone for a while.
 *
 * A workload is the controlling owner of the pods, by UID, since the pods themselves get new names. Lost in a restart,
 * which at worst moves something once more.
 */
export interface MovedCell {
  readonly note: (pods: ReadonlyArray<Pod>) => void
  /** UID of an owner → when some of its pods were last moved, in milliseconds since the epoch. */
  readonly workloads: () => ReadonlyMap<string, number>
}

// Nothing asks for moves that are older.
const rememberedMs = 60 * 60_000

export const makeMovedCell = (clock: Clock): MovedCell => {
  const movedAtMs = new Map<string, number>()
  return {
    note: (pods) => {
      const nowMs = clock.nowMs()
      for (const { owner } of pods) {
        if (owner === undefined) continue
        // Deleted first, so that the map stays in the order of moves.
        movedAtMs.delete(owner.uid)
        movedAtMs.set(owner.uid, nowMs)
      }
    },
    workloads: () => {
      const oldestMs = clock.nowMs() - rememberedMs
      for (const [uid, atMs] of movedAtMs) {
        if (atMs >= oldestMs) break
        movedAtMs.delete(uid)
      }
      return movedAtMs
    },
  }
}
