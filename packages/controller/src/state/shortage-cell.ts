import type { Clock } from '@scantling/provider-kit'

// One claim may have wanted what is rare; two in a row without a machine in between are a shortage.
const shortageFrom = 2
const triedAgainAfterMs = 60_000
const forgottenAfterMs = 600_000

/**
 * NodePools whose claims were given up for want of capacity, one after the other.
 *
 * Such a pool tries one machine at a time, and the next one a minute after the last was given up: each further claim
 * would be given up like that one, and there would be thousands of them in an hour.
 */
export interface ShortageCell {
  readonly isShort: (nodePool: string) => boolean
  /** Whether another machine may be tried now, should none be under way. */
  readonly mayTry: (nodePool: string) => boolean
  /** A claim of the pool was given up for want of capacity. */
  readonly gaveUp: (nodePool: string) => void
  readonly launched: (nodePool: string) => void
}

export const makeShortageCell = (clock: Pick<Clock, 'nowMs'>): ShortageCell => {
  const pools = new Map<string, { readonly count: number; readonly atMs: number }>()
  const known = (nodePool: string) => {
    const found = pools.get(nodePool)
    return found !== undefined && clock.nowMs() - found.atMs < forgottenAfterMs ? found.count : 0
  }
  return {
    isShort: (nodePool) => known(nodePool) >= shortageFrom,
    mayTry: (nodePool) => clock.nowMs() - (pools.get(nodePool)?.atMs ?? -Infinity) >= triedAgainAfterMs,
    gaveUp: (nodePool) => void pools.set(nodePool, { count: known(nodePool) + 1, atMs: clock.nowMs() }),
    launched: (nodePool) => void pools.delete(nodePool),
  }
}
