import * as E from 'fp-ts/lib/Either.js'
import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import { type Log, type Metrics, families } from '../observability/index.ts'
import type { Reconciler, ReconcileError, ReconcileResult } from './reconciler.ts'
import { type WorkQueue, makeWorkQueue } from './work-queue.ts'

export interface RunReconcilerDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly log: Log
  /** Aborts: nothing new begins; passes in flight finish. */
  readonly shutdown: CancelSignal
  /** More passes run at once with more CPU. Absent: as many as the reconciler says. */
  readonly settings?: { readonly cpuRequestsMilli: number }
  /** While memory is short a tenth of the passes run at once. Absent: it never is. */
  readonly memory?: { readonly isHigh: () => boolean }
}

/** A reconciler at work. `queue` is where change listeners add keys. */
export interface RunningReconciler {
  readonly queue: WorkQueue
  /** Resolves after shutdown, when the passes in flight have ended. */
  readonly stopped: () => Promise<void>
}

const mostCores = 60
const growth = 10

/**
 * How many passes run at once: the reconciler's own number at one core, ten times as many at sixty, linear in between.
 *
 * Passes share one thread and spend their time waiting for the API server and the cloud: more of them at once are worth
 * having where both may be asked more. Reconcilers that run one pass at a time always do. Source: parity row O-14.
 */
export const passesAtOnce = (concurrency: number, cpuRequestsMilli: number): number => {
  if (concurrency === 1) return 1
  const cores = Math.min(Math.max(Math.ceil(cpuRequestsMilli / 1000), 1), mostCores)
  return Math.floor(concurrency * (1 + ((growth - 1) * (cores - 1)) / (mostCores - 1)))
}

const shareUnderPressure = 0.1

// Each start runs code up to its first wait; a thousand of them in one turn would hold up leases and probes.
const startsPerTurn = 64

/** Starts a reconciler: takes keys from its queue, up to `concurrency` at a time, until shutdown. */
export const runReconciler = (reconciler: Reconciler, deps: RunReconcilerDeps): RunningReconciler => {
  const { clock, metrics, shutdown } = deps
  const controller = reconciler.name
  const log = deps.log.with({ controller })
  const inFlight = new Set<Promise<void>>()
  const most = passesAtOnce(reconciler.concurrency, deps.settings?.cpuRequestsMilli ?? 1000)
  const room = () => (deps.memory?.isHigh() === true ? Math.max(1, Math.floor(most * shareUnderPressure)) : most)
  let scheduled = false

  const { backoffMs } = reconciler
  const queue = makeWorkQueue({
    clock,
    random: deps.random,
    onReady: () => schedule(queueMicrotask),
    ...(backoffMs === undefined ? {} : { backoffMs }),
  })

  const schedule = (later: (run: () => void) => void) => {
    if (scheduled) return
    scheduled = true
    // Not at once: the add may come from within a cache's change, and reconcilers must see the state after it.
    later(() => {
      scheduled = false
      start()
    })
  }

  const start = () => {
    for (let started = 0; inFlight.size < room(); started++) {
      if (started === startsPerTurn) return schedule(setImmediate)
      const key = shutdown.aborted ? undefined : queue.take()
      if (key === undefined) break
      const pass = run(key).then(() => {
        inFlight.delete(pass)
        queue.done(key)
        report()
        schedule(queueMicrotask)
      })
      inFlight.add(pass)
    }
    report()
  }

  const report = () => {
    metrics.set(families.workQueueDepth, { name: controller }, queue.depth())
    metrics.set(families.activeWorkers, { controller }, inFlight.size)
  }

  const run = async (key: string): Promise<void> => {
    const startedMs = clock.nowMs()
    let outcome: E.Either<ReconcileError, ReconcileResult> | undefined
    try {
      outcome = await reconciler.reconcile(key, shutdown)()
    } catch (cause) {
      // A Left is expected; a rejection is a bug, in us or in a provider. The key goes on with back-off all the same.
      metrics.add(families.reconcilePanics, { controller })
      const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
      log.error('Reconciler failed unexpectedly, please report this', { key, error })
    }
    metrics.observe(families.reconcileTime, { controller }, (clock.nowMs() - startedMs) / 1000)
    metrics.add(families.reconcileTotal, { controller, result: settle(key, outcome) })
  }

  /** Decides when the key runs again. Returns the result's name in the metric. */
  const settle = (key: string, outcome: E.Either<ReconcileError, ReconcileResult> | undefined): string => {
    if (outcome === undefined) {
      queue.addRateLimited(key)
      return 'error'
    }
    if (E.isLeft(outcome)) {
      const { _tag, message, retryAfterMs, isRefusal = false } = outcome.left
      if (retryAfterMs === undefined) queue.addRateLimited(key)
      else queue.addAfter(key, retryAfterMs)
      // A call that was cut off because the process ends is no failure, whatever its provider calls it.
      if (_tag === 'Cancelled' || shutdown.aborted) return 'requeue'
      // Somebody was faster, which the next pass will see: not worth a line in production.
      if (_tag === 'Conflict' || isRefusal) {
        log.debug(isRefusal ? 'Reconciler will ask again' : 'Reconciler will read again', { key, error: message })
        return 'requeue'
      }
      metrics.add(families.reconcileErrors, { controller })
      log.error('Reconciler error', { key, error: message })
      return 'error'
    }
    queue.forget(key)
    const { requeueAfterMs } = outcome.right
    if (requeueAfterMs === undefined) return 'success'
    queue.addAfter(key, requeueAfterMs)
    return 'requeue_after'
  }

  shutdown.addEventListener('abort', queue.close)
  return {
    queue,
    stopped: async () => {
      await Promise.all(inFlight)
    },
  }
}
