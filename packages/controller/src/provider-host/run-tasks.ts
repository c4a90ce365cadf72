import * as E from 'fp-ts/lib/Either.js'
import type {
  Call,
  CancelSignal,
  ClusterFacts,
  ClusterView,
  Findings,
  MaintenanceTask,
  NodeClassObject,
} from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Log } from '../observability/index.ts'

export interface RunTasksOptions {
  readonly tasks: ReadonlyArray<MaintenanceTask<NodeClassObject>>
  readonly clock: Clock
  readonly log: Log
  readonly clusterFacts: () => ClusterFacts
  /** What a task is shown; asked for anew before each run. */
  readonly viewFor: (task: MaintenanceTask<NodeClassObject>) => ClusterView<NodeClassObject>
  readonly onFindings: (findings: Findings) => Promise<void>
  readonly shutdown: CancelSignal
}

/** Maintenance tasks at work. */
export interface RunningTasks {
  /** Tasks that gate readiness and have not succeeded yet, by name. */
  readonly waiting: () => ReadonlyArray<string>
  /** Resolves once nothing is waited for any more, and on shutdown. */
  readonly ready: Promise<void>
  /** Resolves after shutdown, when the runs in flight have ended. */
  readonly stopped: () => Promise<void>
}

const failedRetryMs = 5000

/**
 * Runs tasks of a provider by the clock until shutdown; those that gate readiness first, and the others once they have
 * succeeded.
 */
export const runTasks = (options: RunTasksOptions): RunningTasks => {
  const { tasks, clock, log, shutdown } = options
  const gates = tasks.filter(({ gatesReadiness }) => gatesReadiness === true)
  const waiting = new Set(gates)
  const loops: Array<Promise<void>> = []

  let open: () => void = () => undefined
  const ready = new Promise<void>((resolve) => (open = resolve))

  const startOthers = () => {
    for (const task of tasks) if (!gates.includes(task)) loops.push(repeat(task))
    open()
  }

  const repeat = async (task: MaintenanceTask<NodeClassObject>): Promise<void> => {
    while (!shutdown.aborted) {
      const waitMs = await runOnce(task)
      await clock.sleep(waitMs, shutdown).catch(() => undefined)
    }
  }

  /** Returns how long to wait for the next run. */
  const runOnce = async (task: MaintenanceTask<NodeClassObject>): Promise<number> => {
    const call: Call = { signal: shutdown, cluster: options.clusterFacts() }
    try {
      const ran = await task.run(options.viewFor(task), call)()
      if (E.isLeft(ran)) {
        if (!shutdown.aborted) log.warn('Maintenance task failed', { task: task.name, error: ran.left.message })
        return ran.left.retryAfterMs ?? failedRetryMs
      }
      if (waiting.delete(task) && waiting.size === 0) startOthers()
      await options.onFindings(ran.right)
      return task.everyMs
    } catch (cause) {
      // A bug, most likely the provider's: the other tasks go on, and this one is tried again.
      const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
      log.error('Maintenance task failed unexpectedly, please report this', { task: task.name, error })
      return failedRetryMs
    }
  }

  shutdown.addEventListener('abort', () => open())
  for (const task of gates) loops.push(repeat(task))
  if (gates.length === 0) startOthers()
  return {
    waiting: () => [...waiting].map(({ name }) => name),
    ready,
    stopped: async () => {
      await Promise.all(loops)
    },
  }
}
