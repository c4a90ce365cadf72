/**
 * Monotonic wall-clock milliseconds, for measuring work.
 *
 * How long planning holds the event loop is a matter of this machine, whatever the speed of the cluster's clock.
 */
export const steadyNowMs = (): number => performance.now()
