import type { Clock } from '@scantling/provider-kit'

export interface Slack {
  /** Timers shorter than this stay exact. */
  readonly exactBelowMs: number
  /** Longer ones fall due at the next full multiple of this. */
  readonly gridMs: number
}

/**
 * A clock whose longer timers may be late, as an operating system's may, so that many fall due at one moment.
 *
 * What looks at the world every ten seconds then looks once a minute: a month of virtual time costs that much less, and
 * decisions come up to `gridMs` later than they would.
 */
export const slackClock = (clock: Clock, { exactBelowMs, gridMs }: Slack): Clock => {
  const late = (ms: number): number => {
    if (ms < exactBelowMs) return ms
    const nowMs = clock.nowMs()
    return Math.ceil((nowMs + ms) / gridMs) * gridMs - nowMs
  }
  return {
    nowMs: clock.nowMs,
    sleep: (ms, signal) => clock.sleep(late(ms), signal),
    setTimer: (ms, run) => clock.setTimer(late(ms), run),
  }
}
