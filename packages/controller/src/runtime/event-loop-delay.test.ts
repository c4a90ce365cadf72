import { describe, expect, test } from '@jest/globals'
import { systemClock } from '@scantling/provider-kit'
import { silentLog } from '../../test/silent-log.ts'
import { makeMetrics } from '../observability/index.ts'
import { watchEventLoopDelay } from './event-loop-delay.ts'

describe('watchEventLoopDelay()', () => {
  test('reports how long the event loop was blocked, with a line when probes are at risk', async () => {
    const metrics = makeMetrics()
    const warned: Array<unknown> = []
    let report: () => void = () => undefined
    let isCancelled = false
    const signal = new AbortController()
    watchEventLoopDelay({
      clock: {
        ...systemClock,
        setTimer: (_, run) => {
          report = run
          return () => void (isCancelled = true)
        },
      },
      metrics,
      log: { ...silentLog, warn: (_, fields) => void warned.push(fields) },
      signal: signal.signal,
    })
    await new Promise((resolve) => setTimeout(resolve, 60))
    const untilMs = performance.now() + 700
    while (performance.now() < untilMs);
    await new Promise((resolve) => setTimeout(resolve, 60))
    report()
    expect(warned).toEqual([{ 'longest-ms': expect.any(Number) }])
    expect(await metrics.render()).toMatch(/scantling_event_loop_delay_seconds\{quantile="1"\} 0\.[5-9]|\} [1-9]/)
    await new Promise((resolve) => setTimeout(resolve, 60))
    report()
    expect(warned).toHaveLength(1)
    signal.abort()
    expect(isCancelled).toBe(true)
  })
})
