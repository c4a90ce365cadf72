/**
 * A random source with a seed: equal seeds, equal sequences. Uniform in [0, 1); for jitter and tie-breaks, not secrets.
 *
 * Source: the mulberry32 generator (Tommy Ettinger, public domain).
 */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
