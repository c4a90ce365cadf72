/** Fleets of a NodePool that got nothing, one after the other, until the pool has to wait. */
const shortagesInARow = 2
const pauseMs = 30_000

/**
 * Holds a NodePool back while nothing can be bought for it.
 *
 * Whoever asks for the next sixty types at once, and for the sixty after those, is throttled before capacity returns.
 */
export interface ShortagePace {
  /** How long the pool is still to wait; zero: not at all. */
  readonly waitMs: (nodePool: string) => number
  readonly report: (nodePool: string, outcome: 'launched' | 'shortage') => void
}

export const shortagePace = (nowMs: () => number): ShortagePace => {
  const shortages = new Map<string, { readonly count: number; readonly atMs: number }>()
  return {
    waitMs: (nodePool) => {
      const last = shortages.get(nodePool)
      return last === undefined || last.count < shortagesInARow ? 0 : Math.max(0, last.atMs + pauseMs - nowMs())
    },
    report: (nodePool, outcome) => {
      if (outcome === 'launched') shortages.delete(nodePool)
      else shortages.set(nodePool, { count: (shortages.get(nodePool)?.count ?? 0) + 1, atMs: nowMs() })
    },
  }
}
