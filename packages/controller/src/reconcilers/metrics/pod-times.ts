import { isProvisionable, isVirtual, Pods, type Pod, type PodObject, type ProvisioningPlan } from '@scantling/core'
import { families, makeSeriesStore, type Series } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

/** What this process saw of one pod that waits. */
interface Times {
  /** When a machine was first found to be needed for it. */
  readonly seenMs?: number
  readonly isDecided?: true
  /** Since when it has a place; the last pass that found none takes that back. */
  readonly schedulableMs?: number
  readonly isBound?: true
}

/** How long pods wait, from what plans and the cache say of them. */
export interface PodTimes {
  readonly decided: (plan: Pick<ProvisioningPlan, 'launches' | 'placements' | 'rejections'>) => void
  readonly stop: () => void
}

/**
 * Reports how long pods wait for a decision, for a node and to be ready. P-CST-07, M-POD-03.
 *
 * Only of pods seen before they were bound: of the others nobody knows what they waited for. Kept in memory until a pod
 * is ready, done or gone, so a restart forgets the pods that wait. Whether a NodePool's nodes register is not looked at:
 * no place hangs on it.
 */
export const followPods = ({ caches, views, clock, metrics }: ReconcilerContext): PodTimes => {
  const byUid = new Map<string, Times>()
  const see = (object: PodObject): void => {
    const pod = views.pod(object)
    const known = byUid.get(pod.uid)
    if (pod.nodeName === undefined && pod.phase === 'Pending') {
      if (known === undefined || (known.seenMs === undefined && isProvisionable(pod)))
        byUid.set(pod.uid, isProvisionable(pod) ? { seenMs: clock.nowMs() } : {})
      return
    }
    if (known === undefined) return
    const { schedulableMs } = known
    if (pod.nodeName !== undefined && known.isBound === undefined) {
      metrics.observe(families.podsBoundDuration, {}, secondsSince(pod.createdAtMs))
      if (schedulableMs !== undefined)
        metrics.observe(families.podsProvisioningBoundDuration, {}, secondsSince(schedulableMs))
      byUid.set(pod.uid, { ...known, isDecided: true, isBound: true })
    }
    if (pod.isReady && schedulableMs !== undefined)
      metrics.observe(families.podsProvisioningStartupDuration, {}, secondsSince(schedulableMs))
    // What is ready of a pod without a place, or runs unbound, has nothing left to tell.
    if (pod.isReady || Pods.isTerminal(pod) || pod.nodeName === undefined || schedulableMs === undefined)
      byUid.delete(pod.uid)
  }
  const secondsSince = (ms: number): number => (clock.nowMs() - ms) / 1000
  const decide = (pod: Pod, hasPlace: boolean): void => {
    const known = byUid.get(pod.uid)
    if (known?.seenMs === undefined || known.isBound === true || isVirtual(pod)) return
    if (known.isDecided === undefined)
      metrics.observe(families.podsSchedulingDecisionDuration, {}, secondsSince(known.seenMs))
    const { seenMs, schedulableMs = clock.nowMs() } = known
    byUid.set(pod.uid, hasPlace ? { seenMs, isDecided: true, schedulableMs } : { seenMs, isDecided: true })
  }
  // Who waits already is not read through, which would take long at once: they count from here.
  for (const { metadata, status } of caches.pods.by('byNode', ''))
    if (status.phase === 'Pending') byUid.set(metadata.uid, { seenMs: clock.nowMs() })
  const stopListening = caches.pods.onChange((change) => {
    if (change._tag === 'Deleted') byUid.delete(change.previous.metadata.uid)
    else see(change.current)
  })
  const waitOf = ({ metadata: { uid, name, namespace } }: PodObject): ReadonlyArray<Series> => {
    const { seenMs, isDecided, schedulableMs, isBound } = byUid.get(uid) ?? {}
    const since = (family: Series['family'], ms: number): Series => ({
      family,
      labels: { name, namespace },
      value: secondsSince(ms),
    })
    return [
      ...(seenMs === undefined || isDecided ? [] : [since(families.podsSchedulingUndecidedTime, seenMs)]),
      ...(schedulableMs === undefined ? [] : [since(families.podsProvisioningUnstartedTime, schedulableMs)]),
      ...(schedulableMs === undefined || isBound ? [] : [since(families.podsProvisioningUnboundTime, schedulableMs)]),
    ]
  }
  const store = makeSeriesStore(metrics)
  const stopRendering = metrics.hasDetail
    ? metrics.beforeRender(() => {
        const all = new Map<string, ReadonlyArray<Series>>()
        for (const pod of caches.pods.values()) if (byUid.has(pod.metadata.uid)) all.set(pod.metadata.uid, waitOf(pod))
        store.replaceAll(all)
      })
    : () => undefined
  return {
    decided: ({ launches, placements, rejections }) => {
      for (const { pods } of [...launches, ...placements]) for (const pod of pods) decide(pod, true)
      for (const { pod } of rejections) decide(pod, false)
    },
    stop: () => {
      stopListening()
      stopRendering()
      store.replaceAll(new Map())
    },
  }
}
