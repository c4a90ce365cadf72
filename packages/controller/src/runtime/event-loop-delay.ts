import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import { type Log, type Metrics, families } from '../observability/index.ts'

export interface LoopDelayOptions {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
  readonly signal: CancelSignal
}

const intervalMs = 10_000
const resolutionMs = 20
// Beyond this, probes answer late and leases are at risk: worth a line that names the cause to whoever reads it.
const worthALineMs = 500

/** Measures how late the event loop runs its timers, and reports it as a metric every ten seconds. */
export const watchEventLoopDelay = ({ clock, metrics, log, signal }: LoopDelayOptions): void => {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  const report = () => {
    // The histogram counts its own resolution as delay.
    const delayMs = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - resolutionMs, 0)
    const longestMs = delayMs(histogram.max)
    metrics.set(families.eventLoopDelay, { quantile: '0.99' }, delayMs(histogram.percentile(99)) / 1000)
    metrics.set(families.eventLoopDelay, { quantile: '1' }, longestMs / 1000)
    if (longestMs > worthALineMs) log.warn('The event loop was blocked', { 'longest-ms': Math.round(longestMs) })
    histogram.reset()
    cancel = clock.setTimer(intervalMs, report)
  }
  let cancel = clock.setTimer(intervalMs, report)
  signal.addEventListener('abort', () => {
    cancel()
    histogram.disable()
  })
}
