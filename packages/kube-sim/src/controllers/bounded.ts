/**
 * Runs `effect` on every item, at most `width` at a time, in order of the items.
 *
 * Errors: rejects with the first failure, after those already started have ended; the rest is not started.
 */
export const forEachBounded = async <A>(
  items: ReadonlyArray<A>,
  width: number,
  effect: (item: A) => Promise<unknown>,
): Promise<void> => {
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const work = async () => {
    while (next < items.length && failure === undefined) {
      const item = items[next++] as A
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
