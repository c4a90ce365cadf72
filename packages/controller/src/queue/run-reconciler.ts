import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Log, Metrics } from '../observability/index.ts'
import type { Reconciler } from './reconciler.ts'
import type { WorkQueue } from './work-queue.ts'

export interface RunReconcilerDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly log: Log
  /** Aborts: nothing new begins; passes in flight finish. */
  readonly shutdown: CancelSignal
}

/** A reconciler at work. `queue` is where change listeners add keys. */
export interface RunningReconciler {
  readonly queue: WorkQueue
  /** Resolves after shutdown, when the passes in flight have ended. */
  readonly stopped: () => Promise<void>
}

/** Starts a reconciler: takes keys from its queue, up to `concurrency` at a time, until shutdown. */
export declare const runReconciler: (reconciler: Reconciler, deps: RunReconcilerDeps) => RunningReconciler
