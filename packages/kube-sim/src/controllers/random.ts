/** A stream of numbers in [0, 1) that a seed determines. */
export type Random = () => number

/** Mulberry32: small, fast, and good enough to spread latencies; not for secrets. */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A latency drawn evenly from a range. */
export interface Range {
  readonly fromMs: number
  readonly toMs: number
}

export const draw = (random: Random, { fromMs, toMs }: Range): number => Math.round(fromMs + random() * (toMs - fromMs))
