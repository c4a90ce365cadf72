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

interface VirtualTimer {
  readonly dueMs: number
  readonly sequence: number
  run: (() => void) | undefined
}

const isEarlier = (a: VirtualTimer, b: VirtualTimer) =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence)

// Cancelled timers stay in the heap until they come up, or until they are the most of it.
const fewestToSweep = 1024

/** A clock that stands still but for `advance`. Cost: O(log timers) for each timer, whatever stretch of time it spans. */
export const virtualClock = (startMs: number): VirtualClock => {
  let now = startMs
  let sequence = 0
  let cancelled = 0
  let timers: Array<VirtualTimer> = []

  const push = (timer: VirtualTimer) => {
    let at = timers.length
    timers.push(timer)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = timers[above] as VirtualTimer
      if (!isEarlier(timer, parent)) break
      timers[at] = parent
      at = above
    }
    timers[at] = timer
  }
  const pop = () => {
    const last = timers.pop()
    if (last === undefined || timers.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= timers.length) break
      const right = left + 1
      const below =
        right < timers.length && isEarlier(timers[right] as VirtualTimer, timers[left] as VirtualTimer) ? right : left
      const child = timers[below] as VirtualTimer
      if (!isEarlier(child, last)) break
      timers[at] = child
      at = below
    }
    timers[at] = last
  }
  const earliest = (): VirtualTimer | undefined => {
    for (let first = timers[0]; first !== undefined; first = timers[0]) {
      if (first.run !== undefined) return first
      cancelled -= 1
      pop()
    }
    return undefined
  }
  const cancel = (timer: VirtualTimer) => {
    if (timer.run === undefined) return
    timer.run = undefined
    cancelled += 1
    if (cancelled < fewestToSweep || cancelled * 2 < timers.length) return
    // In order of due time the list is a heap as it stands.
    timers = timers.filter(({ run }) => run !== undefined).sort((a, b) => (isEarlier(a, b) ? -1 : 1))
    cancelled = 0
  }
  const setTimer = (ms: number, run: () => void) => {
    const timer: VirtualTimer = { dueMs: now + Math.max(ms, 0), sequence: sequence++, run }
    push(timer)
    return () => cancel(timer)
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
        const { run } = next
        pop()
        next.run = undefined
        now = Math.max(now, next.dueMs)
        run?.()
        await settle()
      }
      now = untilMs
    },
  }
}

const longestWorkMs = 3_600_000

/**
 * Moves time forward in small steps until the work has settled, and gives its result.
 *
 * Errors: rejects as the work does, and where it has not settled within an hour of the clock's time.
 */
export const runUntilSettled = async <A>(clock: VirtualClock, work: Promise<A>, stepMs = 10): Promise<A> => {
  let isSettled = false
  const settled = work.finally(() => (isSettled = true))
  settled.catch(() => undefined)
  for (const deadlineMs = clock.nowMs() + longestWorkMs; !isSettled; await clock.advance(stepMs))
    if (clock.nowMs() >= deadlineMs) throw new Error('The work does not settle')
  return work
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
