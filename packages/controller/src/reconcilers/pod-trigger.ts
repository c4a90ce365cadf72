import type { Batcher } from '../batcher/index.ts'
import type { ReconcilerContext } from './context.ts'
import { isProvisionable } from './provisioner.ts'

// A pod that still waits triggers again after this long: whatever swallowed its first trigger, it is not forgotten (P-BAT-03).
const retriggerMs = 10_000

/** Triggers a pass for every pod that waits for a machine, now and again while it waits. Returns what stops it. */
export const triggerOnPods = (
  { caches, views, clock, shutdown }: ReconcilerContext,
  batcher: Batcher,
): (() => void) => {
  const stopListening = caches.pods.onChange((change) => {
    if (change._tag === 'Deleted') return
    const pod = views.pod(change.current)
    if (isProvisionable(pod)) batcher.trigger(pod.uid)
  })
  let cancel: () => void = () => undefined
  const sweep = () => {
    if (shutdown.aborted) return
    for (const object of caches.pods.by('byNode', '')) {
      const pod = views.pod(object)
      if (isProvisionable(pod)) batcher.trigger(pod.uid)
    }
    // Pods on nodes that are about to go need a place as well (P-BAT-04).
    for (const { metadata, spec } of caches.nodes.values())
      if (spec.taints.some(({ key, effect }) => key === 'karpenter.sh/disrupted' && effect === 'NoSchedule'))
        batcher.trigger(metadata.uid)
    cancel = clock.setTimer(retriggerMs, sweep)
  }
  sweep()
  return () => {
    stopListening()
    cancel()
  }
}
