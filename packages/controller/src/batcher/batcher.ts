import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'

export interface BatcherOptions {
  readonly clock: Clock
  /** The window ends when nothing new arrived for this long (1 s). */
  readonly idleMs: number
  /** The window ends this long after its first element at the latest (10 s). */
  readonly maxMs: number
}

/** Collects triggers into windows, so that one pass serves a burst of pods. */
export interface Batcher {
  /** Puts an element (a UID) into the window; one that is in it already changes nothing. */
  readonly trigger: (uid: string) => void
  /**
   * Waits for a window to fill and end. True: at least one element arrived. False: none within a second, or `signal`
   * aborted; call again. Elements that arrived between two calls open the next window at once.
   */
  readonly wait: (signal?: CancelSignal) => Promise<boolean>
}

// How long one call waits for a first element, so that its caller's loop shows that it lives.
const firstWaitMs = 1000

/** Source: parity rows P-BAT-01 and P-BAT-02. One waiter at a time. */
export const makeBatcher = ({ clock, idleMs, maxMs }: BatcherOptions): Batcher => {
  const elements = new Set<string>()
  // Told of each new element; set while a call waits.
  let onElement = () => {}

  return {
    trigger: (uid) => {
      if (elements.has(uid)) return
      elements.add(uid)
      onElement()
    },
    wait: (signal) =>
      new Promise((resolve) => {
        let cancelTimer = () => {}
        const finish = (filled: boolean) => {
          cancelTimer()
          onElement = () => {}
          signal?.removeEventListener('abort', onAbort)
          elements.clear()
          resolve(filled)
        }
        const onAbort = () => finish(false)
        if (signal?.aborted) return finish(false)
        signal?.addEventListener('abort', onAbort)

        const openWindow = () => {
          cancelTimer()
          const endMs = clock.nowMs() + maxMs
          const waitForMore = () => {
            cancelTimer()
            cancelTimer = clock.setTimer(Math.min(idleMs, endMs - clock.nowMs()), () => finish(true))
          }
          onElement = waitForMore
          waitForMore()
        }
        if (elements.size > 0) return openWindow()
        onElement = openWindow
        cancelTimer = clock.setTimer(firstWaitMs, () => finish(false))
      }),
  }
}
