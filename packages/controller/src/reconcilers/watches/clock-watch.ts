import type { ReconcilerContext } from '../context.ts'
import { nodePoolEvent } from '../event-records.ts'

const everyMs = 10_000
// Beyond what a busy machine, or a simulation many times as fast as time, is late by itself.
const toleratedMs = 120_000

/**
 * Tells when the wall clock is set: what ages by it then comes early or late.
 *
 * Timers do not follow the wall clock, so it has jumped when more or less time passed than was slept.
 */
export const runClockWatch = async (context: ReconcilerContext): Promise<void> => {
  const { clock, shutdown, log, events, caches } = context
  while (!shutdown.aborted) {
    const beforeMs = clock.nowMs()
    await clock.sleep(everyMs, shutdown).catch(() => undefined)
    if (shutdown.aborted) return
    const jumpedMs = clock.nowMs() - beforeMs - everyMs
    if (Math.abs(jumpedMs) < toleratedMs) continue
    const [way, effect] = jumpedMs > 0 ? ['forwards', 'may come early'] : ['backwards', 'come late']
    const message = `The clock of the controller jumped ${way} by ${Math.round(Math.abs(jumpedMs) / 1000)}s; deadlines, expiry and consolidation ${effect}`
    log.warn(message, {})
    for (const { metadata } of caches.nodePools.values())
      events.record({ ...nodePoolEvent(metadata, 'Warning', 'ClockJumped', message), dedupe: [] })
  }
}
