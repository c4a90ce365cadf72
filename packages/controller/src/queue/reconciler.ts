import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CancelSignal } from '@scantling/core'

/**
 * An expected failure of one pass; the key is tried again after `retryAfterMs`, or with the key's own back-off.
 *
 * `KubeError` and `ProviderError` fit as they are.
 */
export interface ReconcileError {
  readonly _tag: string
  readonly message: string
  readonly retryAfterMs?: number
  readonly cause?: unknown
  /** Somebody said no who may say yes later, and it is told in another way: tried again as ever, and no error in the log. */
  readonly isRefusal?: boolean
}

export interface ReconcileResult {
  /** Look again after this time, even if nothing changes. */
  readonly requeueAfterMs?: number
}

/**
 * Brings one object closer to what its spec asks.
 *
 * Level-triggered and idempotent: it reads the state at its start, whatever the event was, and may run twice.
 * Left: expected, retried with back-off. A rejection is a bug: logged as such, counted apart, retried with back-off.
 */
export interface Reconciler {
  /** As the reference names its controllers: `nodeclaim.lifecycle`. */
  readonly name: string
  /** Passes in flight at once with one core, for different keys; one key never runs twice at a time. */
  readonly concurrency: number
  /** First and longest back-off of one key (default: 100 ms and 60 s). */
  readonly backoffMs?: { readonly first: number; readonly longest: number }
  readonly reconcile: (key: string, signal: CancelSignal) => TaskEither<ReconcileError, ReconcileResult>
}
