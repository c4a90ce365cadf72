/** What a token bucket answers: go ahead, or come back later. */
export type Admission = { readonly _tag: 'Admitted' } | { readonly _tag: 'Refused'; readonly retryAfterMs: number }

export interface TokenBucket {
  /** Takes `count` tokens if they are there; takes none otherwise. */
  readonly take: (count?: number) => Admission
}

const admitted: Admission = { _tag: 'Admitted' }

/**
 * Lets `burst` calls through at once and `perSecond` in the long run.
 *
 * Time is an input of the clock's; nothing is scheduled, so an idle bucket costs nothing. A `burst` below `count` never admits.
 */
export const tokenBucket = (options: {
  readonly burst: number
  readonly perSecond: number
  readonly nowMs: () => number
}): TokenBucket => {
  const { burst, perSecond, nowMs } = options
  let tokens = burst
  let countedAtMs = nowMs()
  return {
    take: (count = 1) => {
      const now = nowMs()
      // A clock that was set back must not take tokens away.
      tokens = Math.min(burst, tokens + (Math.max(0, now - countedAtMs) / 1000) * perSecond)
      countedAtMs = now
      if (tokens >= count) {
        tokens -= count
        return admitted
      }
      return { _tag: 'Refused', retryAfterMs: Math.ceil(((count - tokens) / perSecond) * 1000) }
    },
  }
}
