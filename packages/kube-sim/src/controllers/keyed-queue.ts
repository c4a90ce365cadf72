import type { Clock } from '@scantling/provider-kit'

import type { Agenda } from './agenda.ts'

/**
 * Work by key: a key that is added many times before its turn is processed once, and never twice at a time.
 *
 * A failure is reported and the key comes back later, each time twice as late. Cost: O(1) for each `add`.
 */
export interface KeyedQueue {
  readonly add: (key: string) => void
  /** Adds the key after `ms`; of several such calls the earliest counts. */
  readonly addAfter: (key: string, ms: number) => void
  /** Takes nothing more, and resolves when what is being processed has ended. */
  readonly stop: () => Promise<void>
}

export interface KeyedQueueOptions {
  readonly agenda: Agenda
  readonly clock: Clock
  readonly process: (key: string) => Promise<void>
  readonly onError: (error: unknown, key: string) => void
  /** How many keys are worked on at once. */
  readonly width?: number
}

const firstBackoffMs = 20
const longestBackoffMs = 30_000
// The event loop gets a turn after this many keys, so that servers in this process keep answering. The turn is a timer of the
// clock: virtual time does not move on while keys wait.
const keysBetweenTurns = 64

export const keyedQueue = ({ agenda, clock, process, onError, width = 8 }: KeyedQueueOptions): KeyedQueue => {
  const waiting = new Set<string>()
  const active = new Map<string, { isDirty: boolean }>()
  const failures = new Map<string, number>()
  const delayed = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>()
  let isStopped = false
  let startedKeys = 0
  let isTurnPending = false
  let onIdle: (() => void) | undefined

  const add = (key: string) => {
    if (isStopped) return
    const current = active.get(key)
    if (current !== undefined) current.isDirty = true
    else waiting.add(key)
    startMore()
  }
  const addAfter = (key: string, ms: number) => {
    if (isStopped) return
    const dueMs = clock.nowMs() + ms
    const planned = delayed.get(key)
    if (planned !== undefined && planned.dueMs <= dueMs) return
    planned?.cancel()
    const run = () => {
      delayed.delete(key)
      add(key)
    }
    delayed.set(key, { dueMs, cancel: agenda.after(ms, run) })
  }
  const startMore = () => {
    if (isTurnPending) return
    while (!isStopped && active.size < width && waiting.size > 0) {
      startedKeys += 1
      if (startedKeys % keysBetweenTurns === 0) {
        isTurnPending = true
        clock.setTimer(0, () => {
          isTurnPending = false
          startMore()
        })
        startedKeys += 1
        return
      }
      const [key] = waiting
      if (key === undefined) return
      waiting.delete(key)
      void work(key)
    }
  }
  const work = async (key: string) => {
    const state = { isDirty: false }
    active.set(key, state)
    try {
      // Always a microtask later, so that one event's handlers have all run before the first reconcile reads.
      await Promise.resolve()
      await process(key)
      failures.delete(key)
    } catch (error) {
      const count = failures.get(key) ?? 0
      failures.set(key, count + 1)
      if (!isStopped) onError(error, key)
      addAfter(key, Math.min(firstBackoffMs * 2 ** count, longestBackoffMs))
    }
    active.delete(key)
    if (state.isDirty) waiting.add(key)
    if (isStopped && active.size === 0) onIdle?.()
    startMore()
  }
  return {
    add,
    addAfter,
    stop: () => {
      isStopped = true
      waiting.clear()
      for (const { cancel } of delayed.values()) cancel()
      return active.size === 0 ? Promise.resolve() : new Promise((resolve) => (onIdle = resolve))
    },
  }
}
