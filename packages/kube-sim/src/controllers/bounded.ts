const itemsBetweenPauses = 100

/**
 * Runs `effect` on every item, at most `width` at a time, in order of the items.
 *
 * `pause` is awaited now and then, so that thousands of items do not hold up whatever else runs in this process.
 *
 * Errors: rejects with the first failure, after those already started have ended; the rest is not started.
 */
export const forEachBounded = async <A>(
  items: ReadonlyArray<A>,
  width: number,
  effect: (item: A) => Promise<unknown>,
  pause?: () => Promise<void>,
): Promise<void> => {
  let next = 0
  let resting: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined
  const work = async () => {
    while (next < items.length && failure === undefined) {
      const item = items[next++] as A
      if (pause !== undefined && next % itemsBetweenPauses === 0) resting = pause()
      // All workers wait: one that rested alone would leave the others running.
      if (resting !== undefined) await resting
      try {
        await effect(item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error
}
