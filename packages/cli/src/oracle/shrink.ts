/** A scenario as far as shrinking looks into it. */
export interface ShrinkableScenario {
  readonly objects: ReadonlyArray<unknown>
  readonly [field: string]: unknown
}

/**
 * The smallest scenario found that still differs, by leaving objects out.
 *
 * Tries halves first, then quarters, down to single objects; `differing` is given many candidates at a time, because the
 * other side answers a batch as fast as one, and returns the index of the first that still differs.
 *
 * Cost: O(log n) batches for each object that can go.
 */
export const shrink = (
  scenario: ShrinkableScenario,
  differing: (candidates: ReadonlyArray<ShrinkableScenario>) => number | undefined,
): ShrinkableScenario => {
  let smallest = scenario
  for (let size = Math.ceil(smallest.objects.length / 2); size >= 1;) {
    const candidates = withoutChunks(smallest, size)
    const found = candidates.length === 0 ? undefined : differing(candidates)
    const candidate = found === undefined ? undefined : candidates[found]
    if (candidate !== undefined) {
      smallest = candidate
      size = Math.min(size, Math.ceil(smallest.objects.length / 2)) || 1
      if (smallest.objects.length === 0) break
    } else if (size === 1) break
    else size = Math.ceil(size / 2)
  }
  return smallest
}

const withoutChunks = (scenario: ShrinkableScenario, size: number): ReadonlyArray<ShrinkableScenario> => {
  const { objects } = scenario
  const made: Array<ShrinkableScenario> = []
  for (let start = 0; start < objects.length; start += size)
    made.push({ ...scenario, objects: [...objects.slice(0, start), ...objects.slice(start + size)] })
  return made
}
