import type { Clock } from '@scantling/provider-kit'

/**
 * Keys that wait for a reconciler.
 *
 * A key is queued at most once; while it is being worked on, adding it again makes it run once more afterwards.
 */
export interface WorkQueue {
  readonly add: (key: string) => void
  /** Adds the key after `delayMs`; of several waits for one key, the earliest counts. */
  readonly addAfter: (key: string, delayMs: number) => void
  /** Adds the key after its back-off: exponential per key, with jitter, reset by `forget`. Returns the delay. */
  readonly addRateLimited: (key: string) => number
  /** Forgets the failures of a key. */
  readonly forget: (key: string) => void
  /** How many keys are queued, without those in work or waiting for their time. */
  readonly depth: () => number
}

/** The side of a queue that its worker uses. */
export interface WorkSource {
  /** The next key, now in work until `done`; `undefined` when none is queued. */
  readonly take: () => string | undefined
  /** Ends the work on a key; if it was added meanwhile it is queued again. */
  readonly done: (key: string) => void
  /** Drops all keys and waits; later adds are ignored. */
  readonly close: () => void
}

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Called whenever a key is there to be taken. */
  readonly onReady: () => void
  /** First and longest back-off of one key (100 ms, 60 s). */
  readonly backoffMs?: { readonly first: number; readonly longest: number }
}

export const makeWorkQueue = (options: WorkQueueOptions): WorkQueue & WorkSource => {
  const { clock, random, onReady, backoffMs = { first: 100, longest: 60_000 } } = options
  // A Set keeps insertion order, so the queue is first in, first out.
  const queued = new Set<string>()
  const inWork = new Set<string>()
  // Added while in work: to be queued again.
  const dirty = new Set<string>()
  const waiting = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>()
  const failures = new Map<string, number>()
  let closed = false

  const add = (key: string) => {
    if (closed || queued.has(key)) return
    if (inWork.has(key)) {
      dirty.add(key)
      return
    }
    queued.add(key)
    onReady()
  }

  const addAfter = (key: string, delayMs: number) => {
    if (closed) return
    if (delayMs <= 0) return add(key)
    const dueMs = clock.nowMs() + delayMs
    const present = waiting.get(key)
    if (present !== undefined) {
      if (present.dueMs <= dueMs) return
      present.cancel()
    }
    const cancel = clock.setTimer(delayMs, () => {
      waiting.delete(key)
      add(key)
    })
    waiting.set(key, { dueMs, cancel })
  }

  return {
    add,
    addAfter,
    addRateLimited: (key) => {
      const before = failures.get(key) ?? 0
      failures.set(key, before + 1)
      // Capped before the multiplication, so that a key that fails for days does not reach infinity.
      const exponential = Math.min(backoffMs.first * 2 ** Math.min(before, 20), backoffMs.longest)
      const delayMs = exponential * (0.5 + random() / 2)
      addAfter(key, delayMs)
      return delayMs
    },
    forget: (key) => void failures.delete(key),
    depth: () => queued.size,
    take: () => {
      for (const key of queued) {
        queued.delete(key)
        inWork.add(key)
        return key
      }
      return undefined
    },
    done: (key) => {
      inWork.delete(key)
      if (dirty.delete(key)) add(key)
    },
    close: () => {
      closed = true
      queued.clear()
      dirty.clear()
      for (const { cancel } of waiting.values()) cancel()
      waiting.clear()
    },
  }
}
