import type { Clock } from '@scantling/provider-kit'

/** A token bucket: `burst` at once, `perSecond` on average. */
export interface RateLimit {
  readonly perSecond: number
  readonly burst: number
}

/** Lets callers through at the bucket's pace, in the order they came. */
export interface RateLimiter {
  /** Resolves when the caller may go on. */
  readonly take: () => Promise<void>
}

export const makeRateLimiter = ({ perSecond, burst }: RateLimit, clock: Clock): RateLimiter => {
  // The time at which the next token is due; `burst` tokens may be due in the past.
  let nextDueMs = -Infinity
  const intervalMs = 1000 / perSecond
  return {
    take: () => {
      const nowMs = clock.nowMs()
      nextDueMs = Math.max(nextDueMs + intervalMs, nowMs - (burst - 1) * intervalMs)
      return nextDueMs <= nowMs ? Promise.resolve() : clock.sleep(nextDueMs - nowMs)
    },
  }
}
