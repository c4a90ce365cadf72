import type { CancelSignal } from '@scantling/core'

/** Runs with an AbortSignal that follows ours, and lets go of ours afterwards. */
export const withAbortSignal = async <A>(
  signal: CancelSignal,
  run: (abortSignal: AbortSignal) => Promise<A>,
): Promise<A> => {
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  try {
    return await run(controller.signal)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
