import type { Clock } from '@scantling/provider-kit'
import type { CancelSignal } from '@scantling/core'

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
   * Waits for a window to fill and end. True: at least one element arrived. False: none within `idleMs`; call again.
   *
   * Resolves false when `signal` aborts.
   */
  readonly wait: (signal?: CancelSignal) => Promise<boolean>
}
