/** Fleets that got nothing, one after the other, until a NodePool has to wait. */
const shortagesInARow = 2
const pauseMs = 30_000

/**
 * Holds a NodePool back while nothing can be bought for it.
 *
 * Whoever asks for the next sixty types at once, and for the sixty after those, is throttled before capacity returns.
 * A claim that may have other types than those that got nothing is not held back: a shortage of one kind of machine is
 * not one of all.
 */
export interface ShortagePace {
  /**
   * How long a claim that may have these types is still to wait; zero: it may go now, and while there is a shortage of
   * all of them the next one waits for half a minute.
   */
  readonly enter: (nodePool: string, types: ReadonlyArray<string>) => number
  /** A claim that may have these types got none. */
  readonly gotNothing: (nodePool: string, types: ReadonlyArray<string>) => void
  readonly launched: (nodePool: string, type: string) => void
}

interface Shortage {
  readonly types: Set<string>
  count: number
  atMs: number
}

export const shortagePace = (nowMs: () => number): ShortagePace => {
  const shortages = new Map<string, Shortage>()
  return {
    enter: (nodePool, types) => {
      const shortage = shortages.get(nodePool)
      if (shortage === undefined || shortage.count < shortagesInARow) return 0
      if (types.some((type) => !shortage.types.has(type))) return 0
      const waitMs = shortage.atMs + pauseMs - nowMs()
      if (waitMs > 0) return waitMs
      shortage.atMs = nowMs()
      return 0
    },
    launched: (nodePool, type) => {
      if (shortages.get(nodePool)?.types.has(type) === true) shortages.delete(nodePool)
    },
    gotNothing: (nodePool, types) => {
      const shortage = shortages.get(nodePool) ?? { types: new Set<string>(), count: 0, atMs: 0 }
      for (const type of types) shortage.types.add(type)
      shortage.count += 1
      shortage.atMs = nowMs()
      shortages.set(nodePool, shortage)
    },
  }
}
