import type { PodObject } from '../objects.ts'
import { compareText } from '../order.ts'
import { isReady, readySinceMs } from '../pod-state.ts'

const costKey = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * The pods in the order in which a shrinking ReplicaSet deletes them.
 *
 * Unassigned before assigned, pending before running, unready before ready, cheap before dear, those that share a node with
 * more of their kind first, then the more recently ready, the more restarted and the newer.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 *
 * `related` are the pods that count as of their kind: those of all ReplicaSets with the same owner.
 */
export const inDeletionOrder = (
  pods: ReadonlyArray<PodObject>,
  related: Iterable<PodObject> = pods,
): ReadonlyArray<PodObject> => {
  const crowds = new Map<string, number>()
  for (const { spec } of related) {
    const node = spec.nodeName ?? ''
    if (node !== '') crowds.set(node, (crowds.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => rank(pod, crowds.get(pod.spec.nodeName ?? '') ?? 0))
  return ranked.sort(compareRanked).map(({ pod }) => pod)
}

const rank = (pod: PodObject, crowd: number) => ({
  pod,
  assigned: (pod.spec.nodeName ?? '') === '' ? 0 : 1,
  phase: phaseOrder(pod.status?.phase),
  ready: isReady(pod) ? 1 : 0,
  cost: deletionCost(pod),
  crowd,
  readySinceMs: readySinceMs(pod) ?? 0,
  restarts: Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
  created: pod.metadata.creationTimestamp,
})

type Ranked = ReturnType<typeof rank>

const compareRanked = (a: Ranked, b: Ranked): number =>
  a.assigned - b.assigned ||
  a.phase - b.phase ||
  a.ready - b.ready ||
  a.cost - b.cost ||
  b.crowd - a.crowd ||
  b.readySinceMs - a.readySinceMs ||
  b.restarts - a.restarts ||
  compareText(b.created, a.created) ||
  compareText(a.pod.metadata.name, b.pod.metadata.name)

const phaseOrder = (phase: string | undefined) => (phase === 'Running' ? 2 : phase === 'Unknown' ? 1 : 0)

/** The pod's stated cost; text that is no 32-bit integer counts as 0. */
const deletionCost = (pod: PodObject): number => {
  const annotations = pod.metadata.annotations ?? {}
  const text = Object.hasOwn(annotations, costKey) ? (annotations[costKey] ?? '') : ''
  return /^-?\d{1,10}$/.test(text) ? Number(text) : 0
}
