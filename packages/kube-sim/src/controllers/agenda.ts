import type { Clock } from '@scantling/provider-kit'

import { heap } from './heap.ts'

/**
 * Many timers on one timer of the clock, ordered by due time, then by creation.
 *
 * A cluster's kubelets keep a timer for each starting pod and each node; a heap keeps ten thousand of them cheap on any
 * clock.
 */
export interface Agenda {
  /** Runs `run` once after `ms`. The returned function cancels it; cancelling twice is harmless. */
  readonly after: (ms: number, run: () => void) => () => void
  /** Cancels everything; later calls to `after` are ignored. */
  readonly stop: () => void
}

interface Entry {
  readonly dueMs: number
  readonly sequence: number
  run: (() => void) | undefined
}

const isEarlier = (a: Entry, b: Entry) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence)

export const startAgenda = (clock: Clock): Agenda => {
  const entries = heap<Entry>(isEarlier)
  let sequence = 0
  let isStopped = false
  let armed: { readonly dueMs: number; readonly cancel: () => void } | undefined

  const arm = () => {
    const first = entries.peek()
    if (first === undefined || isStopped || (armed !== undefined && armed.dueMs <= first.dueMs)) return
    armed?.cancel()
    armed = { dueMs: first.dueMs, cancel: clock.setTimer(first.dueMs - clock.nowMs(), fire) }
  }
  const fire = () => {
    armed = undefined
    const nowMs = clock.nowMs()
    for (let first = entries.peek(); first !== undefined && first.dueMs <= nowMs; first = entries.peek()) {
      entries.pop()
      const { run } = first
      first.run = undefined
      run?.()
    }
    arm()
  }
  return {
    after: (ms, run) => {
      const entry: Entry = { dueMs: clock.nowMs() + Math.max(ms, 0), sequence: sequence++, run }
      if (isStopped) return () => {}
      entries.push(entry)
      arm()
      return () => void (entry.run = undefined)
    },
    stop: () => {
      isStopped = true
      armed?.cancel()
      entries.clear()
    },
  }
}
