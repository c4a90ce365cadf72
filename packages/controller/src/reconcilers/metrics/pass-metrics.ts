import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

/** Tells how many pods a plan is being made for and how long that has taken, until what it returns is called. */
export const tellOfPass = (
  { metrics, clock, steadyNowMs }: Pick<ReconcilerContext, 'metrics' | 'clock' | 'steadyNowMs'>,
  pods: number,
): (() => void) => {
  const labels = { controller: 'provisioner', scheduling_id: String(clock.nowMs()) }
  const startedAtMs = steadyNowMs()
  metrics.set(families.schedulerQueueDepth, labels, pods)
  const stop = metrics.beforeRender(() =>
    metrics.set(families.schedulerUnfinishedWork, labels, (steadyNowMs() - startedAtMs) / 1000),
  )
  return () => {
    stop()
    metrics.remove(families.schedulerQueueDepth, labels)
    metrics.remove(families.schedulerUnfinishedWork, labels)
  }
}
