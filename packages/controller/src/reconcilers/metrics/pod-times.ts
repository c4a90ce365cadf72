import { isProvisionable, isVirtual, type Pod, type PodObject, type ProvisioningPlan } from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

/** What this process saw of one pod that waits. */
interface Times {
  /** When a machine was first found to be needed for it. */
  readonly seenMs?: number
  readonly isDecided?: true
  /** Since when it has a place; the last pass that found none takes that back. */
  readonly schedulableMs?: number
}

/** How long pods wait, from what plans and the cache say of them. */
export interface PodTimes {
  readonly decided: (plan: Pick<ProvisioningPlan, 'launches' | 'placements' | 'rejections'>) => void
  readonly stop: () => void
}

/**
 * Reports how long pods wait for a decision and for a node. P-CST-07.
 *
 * Only of pods seen before they were bound: of the others nobody knows what they waited for. Kept in memory until a pod
 * is bound, done or gone, so a restart forgets the pods that wait. Whether a NodePool's nodes register is not looked at:
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
    byUid.delete(pod.uid)
    if (pod.nodeName === undefined) return
    metrics.observe(families.podsBoundDuration, {}, secondsSince(pod.createdAtMs))
    if (known.schedulableMs !== undefined)
      metrics.observe(families.podsProvisioningBoundDuration, {}, secondsSince(known.schedulableMs))
  }
  const secondsSince = (ms: number): number => (clock.nowMs() - ms) / 1000
  const decide = (pod: Pod, hasPlace: boolean): void => {
    const known = byUid.get(pod.uid)
    if (known?.seenMs === undefined || isVirtual(pod)) return
    if (known.isDecided === undefined)
      metrics.observe(families.podsSchedulingDecisionDuration, {}, secondsSince(known.seenMs))
    const { seenMs, schedulableMs = clock.nowMs() } = known
    byUid.set(pod.uid, hasPlace ? { seenMs, isDecided: true, schedulableMs } : { seenMs, isDecided: true })
  }
  // Who waits already is not read through, which would take long at once: they count from here.
  for (const { metadata, status } of caches.pods.by('byNode', ''))
    if (status.phase === 'Pending') byUid.set(metadata.uid, { seenMs: clock.nowMs() })
  const stop = caches.pods.onChange((change) => {
    if (change._tag === 'Deleted') byUid.delete(change.previous.metadata.uid)
    else see(change.current)
  })
  return {
    decided: ({ launches, placements, rejections }) => {
      for (const { pods } of [...launches, ...placements]) for (const pod of pods) decide(pod, true)
      for (const { pod } of rejections) decide(pod, false)
    },
    stop,
  }
}
