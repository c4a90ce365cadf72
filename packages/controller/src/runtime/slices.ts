// Work holds the event loop this long at the most, so that leases renew and probes answer meanwhile.
const sliceMs = 10

/**
 * Runs a generator to its end in slices, letting the event loop turn between them.
 *
 * The generator yields after bounded pieces of work; a piece is as short as it makes it. Aborted: `undefined`, and the
 * generator is left where it stands.
 *
 * Units: `steadyNowMs` is a monotonic clock in milliseconds; one that stands still makes it all one slice.
 */
export const inSlices = async <A>(
  work: Iterator<void, A, void>,
  steadyNowMs: () => number,
  signal?: { readonly aborted: boolean },
): Promise<A | undefined> => {
  for (;;) {
    const untilMs = steadyNowMs() + sliceMs
    do {
      const { done, value } = work.next()
      if (done === true) return value
    } while (steadyNowMs() < untilMs)
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (signal?.aborted === true) return undefined
  }
}
