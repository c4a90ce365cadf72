import type { CancelSignal } from '@scantling/core'

/**
 * Time as every impure part of the system sees it: the only place where `Date.now` and timers are called.
 *
 * Three kinds: `systemClock` for production, `scaledClock` for the embedded cluster (`--speed 10`), `virtualClock` for
 * simulation, where time moves only when told to.
 */
export interface Clock {
  /** Milliseconds since the epoch, in this clock's time. */
  readonly nowMs: () => number
  /** Resolves after `ms` of this clock's time; rejects with `Cancelled` as soon as `signal` aborts. */
  readonly sleep: (ms: number, signal?: CancelSignal) => Promise<void>
  /** Calls `run` once after `ms` of this clock's time. The returned function cancels it; cancelling twice is harmless. */
  readonly setTimer: (ms: number, run: () => void) => () => void
}

/** The rejection of a `sleep` whose signal aborted. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

// Node fires timers longer than this at once; such sleeps are taken in steps.
const longestTimerMs = 2 ** 31 - 1

/** Wall-clock time. */
export const systemClock: Clock = fromWallClock(1, 0)

/**
 * A clock that runs `speed` times as fast as the wall clock since `originMs` (epoch milliseconds of wall-clock time).
 *
 * Processes that are given the same speed and origin agree on the time, which is how the embedded API server, the
 * simulated cloud and the controller share one clock.
 */
export const scaledClock = ({ speed, originMs }: { readonly speed: number; readonly originMs: number }): Clock =>
  fromWallClock(speed, originMs)

function fromWallClock(speed: number, originMs: number): Clock {
  const nowMs = () => (speed === 1 ? Date.now() : originMs + (Date.now() - originMs) * speed)
  const setTimer = (ms: number, run: () => void): (() => void) => {
    const dueMs = nowMs() + ms
    let handle: NodeJS.Timeout
    const arm = () => {
      const leftMs = (dueMs - nowMs()) / speed
      handle = setTimeout(leftMs > longestTimerMs ? arm : run, Math.min(Math.max(leftMs, 0), longestTimerMs))
    }
    arm()
    return () => clearTimeout(handle)
  }
  return { nowMs, setTimer, sleep: sleepOn(setTimer) }
}

/** A clock whose time moves only by `advance`; timers run in order of their due time, then of their creation. */
export interface VirtualClock extends Clock {
  /** Moves time forward by `ms`, running every timer that falls due and letting promises settle between them. */
  readonly advance: (ms: number) => Promise<void>
  /** Time until the next timer, or `undefined` when none is set. */
  readonly nextTimerMs: () => number | undefined
}

export const virtualClock = (startMs: number): VirtualClock => {
  let now = startMs
  let sequence = 0
  const timers = new Map<number, { readonly dueMs: number; readonly run: () => void }>()
  const earliest = () => {
    let best: { readonly id: number; readonly dueMs: number; readonly run: () => void } | undefined
    for (const [id, timer] of timers) if (best === undefined || timer.dueMs < best.dueMs) best = { id, ...timer }
    return best
  }
  const setTimer = (ms: number, run: () => void) => {
    const id = sequence++
    timers.set(id, { dueMs: now + Math.max(ms, 0), run })
    return () => void timers.delete(id)
  }
  return {
    nowMs: () => now,
    setTimer,
    sleep: sleepOn(setTimer),
    nextTimerMs: () => {
      const next = earliest()
      return next === undefined ? undefined : next.dueMs - now
    },
    advance: async (ms) => {
      const untilMs = now + ms
      await settle()
      for (let next = earliest(); next !== undefined && next.dueMs <= untilMs; next = earliest()) {
        timers.delete(next.id)
        now = Math.max(now, next.dueMs)
        next.run()
        await settle()
      }
      now = untilMs
    },
  }
}

// One turn of the event loop lets every promise chain that is ready run to its next real wait.
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

function sleepOn(setTimer: Clock['setTimer']): Clock['sleep'] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Cancelled('Sleep was cancelled before it began'))
      const abort = () => {
        cancel()
        reject(new Cancelled('Sleep was cancelled'))
      }
      const cancel = setTimer(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort)
    })
}
