/**
 * Keys that wait for a reconciler.
 *
 * A key is queued at most once; while it is being worked on, adding it again makes it run once more afterwards.
 */
export interface WorkQueue {
  readonly add: (key: string) => void
  /** Adds the key after `delayMs`; of several waits for one key, the earliest counts. */
  readonly addAfter: (key: string, delayMs: number) => void
  /** Adds the key after its back-off: exponential per key, with jitter, reset by `forget`. Returns the delay. */
  readonly addRateLimited: (key: string) => number
  /** Forgets the failures of a key. */
  readonly forget: (key: string) => void
  /** How many keys are queued or delayed, without those in work. */
  readonly depth: () => number
}
