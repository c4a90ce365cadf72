import { isProvisionable, Taints, type NodeObject } from '@scantling/core'
import type { Batcher } from '../../batcher/index.ts'
import { inSlices } from '../../runtime/index.ts'
import type { ReconcilerContext } from '../context.ts'

// A pod that still waits triggers again after this long: whatever swallowed its first trigger, it is not forgotten (P-BAT-03).
const retriggerMs = 10_000

/** Triggers a pass for every pod that waits for a machine, now and again while it waits. Returns what stops it. */
export const triggerOnPods = (
  { caches, views, state, clock, steadyNowMs, shutdown }: ReconcilerContext,
  batcher: Batcher,
): (() => void) => {
  const stopListening = caches.pods.onChange((change) => {
    if (change._tag === 'Deleted') return
    const pod = views.pod(change.current)
    if (isProvisionable(pod)) batcher.trigger(pod.uid)
  })
  const stopListeningToNodes = caches.nodes.onChange((change) => {
    if (change._tag === 'Deleted' || !isDisrupted(change.current)) return
    if (change._tag === 'Added' || !isDisrupted(change.previous)) batcher.trigger(change.current.metadata.uid)
  })
  let cancel: () => void = () => undefined
  const sweep = async () => {
    await inSlices(state.readAhead(), steadyNowMs, shutdown)
    if (shutdown.aborted) return
    for (const object of caches.pods.by('byNode', '')) {
      const pod = views.pod(object)
      if (isProvisionable(pod)) batcher.trigger(pod.uid)
    }
    // Pods on nodes that are about to go need a place as well (P-BAT-04).
    for (const node of caches.nodes.values()) if (isDisrupted(node)) batcher.trigger(node.metadata.uid)
    cancel = clock.setTimer(retriggerMs, () => void sweep())
  }
  void sweep()
  return () => {
    stopListening()
    stopListeningToNodes()
    cancel()
  }
}

const isDisrupted = ({ spec }: NodeObject): boolean =>
  spec.taints.some((taint) => Taints.isSameMark(taint, Taints.disruptedTaint))
