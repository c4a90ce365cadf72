/**
 * Stops after each test what it started; `afterEach` is the test runner's.
 *
 * @example
 * const stopping = endedAfter(afterEach)
 * const start = async () => stopping(await startVirtualCluster())
 */
export const endedAfter = (afterEach: (end: () => Promise<void>) => void) => {
  const ends: Array<() => Promise<void>> = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })
  return <A extends { readonly stop: () => Promise<void> }>(started: A): A => {
    ends.push(started.stop)
    return started
  }
}
