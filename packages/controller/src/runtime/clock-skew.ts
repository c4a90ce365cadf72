import type { Log } from '../observability/index.ts'

export interface ClockSkewOptions {
  readonly nowMs: () => number
  readonly steadyNowMs: () => number
  readonly log: Log
}

const lookEveryMs = 30_000
const tellEveryMs = 10 * 60_000
// Answers take seconds at most, and the header has no fractions of them.
const toleratedMs = 120_000

/**
 * Compares the wall clock with the `Date` of the API server's answers, and tells when they are minutes apart.
 *
 * Ages, expiry and grace periods are judged by our clock against times that others wrote.
 */
export const makeClockSkewWatch = ({ nowMs, steadyNowMs, log }: ClockSkewOptions): ((date: string) => void) => {
  let lookedAtMs = -Infinity
  let toldAtMs = -Infinity
  return (date) => {
    const steadyMs = steadyNowMs()
    if (steadyMs - lookedAtMs < lookEveryMs) return
    lookedAtMs = steadyMs
    const skewMs = nowMs() - Date.parse(date)
    if (!(Math.abs(skewMs) > toleratedMs) || steadyMs - toldAtMs < tellEveryMs) return
    toldAtMs = steadyMs
    const [way, effect] = skewMs > 0 ? ['ahead of', 'early'] : ['behind', 'late']
    log.warn(
      `The clock of this machine is ${Math.round(Math.abs(skewMs) / 1000)}s ${way} the API server's; expiry, deadlines and consolidation come ${effect} until one of them is set right`,
    )
  }
}
