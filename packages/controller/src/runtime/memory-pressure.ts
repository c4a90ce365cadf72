import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import { type Log, type Metrics, families } from '../observability/index.ts'

/** Whether memory is short; who can wait with work that takes much of it, waits. */
export interface MemoryPressure {
  readonly isHigh: () => boolean
}

export interface MemoryWatchOptions {
  /** The container's limit; `undefined`: there is none, and pressure is never high. */
  readonly limitBytes: number | undefined
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: CancelSignal
  /** What the kernel counts for this process. */
  readonly residentBytes?: () => number
  /** Gives back what can be given back; holds up the event loop meanwhile. */
  readonly collect?: () => void
}

const everyMs = 1000
// The reference tells its collector the same share of the limit (O-06).
const softShare = 0.9
// Well below it, so that what waited does not take turns with the collector.
const easedShare = 0.8
// A full collection of a large heap takes some hundred milliseconds.
const collectEveryMs = 30_000

/**
 * Looks at the memory of the process once a second and holds it below nine tenths of its limit where it can.
 *
 * Above that, garbage is collected in full, at most twice a minute; while that does not help, pressure is high:
 * reconcilers run a tenth of their passes at once, lists are taken in small pages, nothing is compared with the server
 * again, and snapshots are refused. What must be done is still done, only with less of it in memory at a time.
 */
export const watchMemory = (options: MemoryWatchOptions): MemoryPressure => {
  const { limitBytes, clock, metrics, log, signal } = options
  const residentBytes = options.residentBytes ?? (() => process.memoryUsage.rss())
  const collect = options.collect ?? collectGarbage
  const softBytes = (limitBytes ?? Number.POSITIVE_INFINITY) * softShare
  const easedBytes = (limitBytes ?? Number.POSITIVE_INFINITY) * easedShare
  let isHigh = false
  let collectedAtMs = Number.NEGATIVE_INFINITY

  const look = () => {
    let resident = residentBytes()
    if (resident > softBytes && clock.nowMs() - collectedAtMs >= collectEveryMs) {
      collectedAtMs = clock.nowMs()
      collect()
      resident = residentBytes()
    }
    const was = isHigh
    isHigh = resident > (was ? easedBytes : softBytes)
    if (isHigh && !was)
      log.warn('Memory is short: less is done at once; raise the limit of the container and --memory-limit', {
        'resident-bytes': resident,
        'limit-bytes': limitBytes ?? 0,
      })
    if (was && !isHigh) log.info('Memory is no longer short', { 'resident-bytes': resident })
    metrics.set(families.memoryPressure, {}, isHigh ? 1 : 0)
    cancel = clock.setTimer(everyMs, look)
  }
  let cancel = limitBytes === undefined ? () => {} : clock.setTimer(everyMs, look)
  signal.addEventListener('abort', () => cancel())
  return { isHigh: () => isHigh }
}

/** Collects all garbage now. V8 offers that only under a flag, which it takes at run time as well. */
export const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options: object) => void
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
