import { Taints } from '../taints/index.ts'
import type { Pod } from './pod.ts'

// A deletion timestamp includes the grace period; a pod this much beyond it will not go by itself (P-08).
const stuckAfterMs = 60_000

/**
 * Whether the pod has finished, well or not.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isTerminal(pendingPod('job-1', {}, {}, { phase: 'Succeeded' })) // => true
 */
export const isTerminal = (pod: Pod): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed'
/**
 * Whether the pod is on its way out.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isTerminating(pendingPod('web-0', {}, {}, { deletionTimestampMs: 0 })) // => true
 */
export const isTerminating = (pod: Pod): boolean => pod.deletionTimestampMs !== undefined
/**
 * Neither finished nor on its way out (P-01).
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isActive(pendingPod('web-0')) // => true
 */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !isTerminating(pod)
/**
 * Whether a DaemonSet made the pod.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isOwnedByDaemonSet(pendingPod('web-0')) // => false
 */
export const isOwnedByDaemonSet = (pod: Pod): boolean =>
  pod.owner?.kind === 'DaemonSet' && pod.owner.apiVersion.startsWith('apps/')
/**
 * Whether a StatefulSet made the pod.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isOwnedByStatefulSet(pendingPod('web-0')) // => false
 */
export const isOwnedByStatefulSet = (pod: Pod): boolean =>
  pod.owner?.kind === 'StatefulSet' && pod.owner.apiVersion.startsWith('apps/')
/**
 * Run by the kubelet itself: a mirror pod, or one that a Node owns.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isOwnedByNode(pendingPod('kube-proxy', {}, {}, { isMirror: true })) // => true
 */
export const isOwnedByNode = (pod: Pod): boolean =>
  pod.isMirror || (pod.owner?.kind === 'Node' && pod.owner.apiVersion === 'v1')

/**
 * Whether the pod asks not to be moved now (P-02).
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isDoNotDisruptActive(pendingPod('web-0'), 0) // => false
 */
export const isDoNotDisruptActive = (pod: Pod, nowMs: number): boolean => {
  const { doNotDisrupt } = pod.disruption
  if (doNotDisrupt === undefined) return false
  const { forMs, sinceMs } = doNotDisrupt
  return forMs === undefined || sinceMs === undefined || nowMs - sinceMs < forMs
}

/**
 * Active, or a terminating StatefulSet pod (its successor must fit before it goes), and not bound to its node (D-CAND-11).
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isReschedulable(pendingPod('web-0')) // => true
 * Pods.isReschedulable(pendingPod('kube-proxy', {}, {}, { isMirror: true })) // => false
 */
export const isReschedulable = (pod: Pod): boolean =>
  (isActive(pod) || (isTerminating(pod) && !isTerminal(pod) && isOwnedByStatefulSet(pod))) &&
  !isOwnedByDaemonSet(pod) &&
  !isOwnedByNode(pod)

const toleratesDisruption = (pod: Pod): boolean =>
  Taints.areTolerated([Taints.disruptedTaint], pod.constraints.tolerations)

/**
 * Whether the pod should have ended long ago and has not: its kubelet is gone, or a finalizer holds it (P-08).
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isStuckTerminating(pendingPod('web-0', {}, {}, { deletionTimestampMs: 0 }), 60_001) // => true
 */
export const isStuckTerminating = (pod: Pod, nowMs: number): boolean =>
  pod.deletionTimestampMs !== undefined && nowMs - pod.deletionTimestampMs > stuckAfterMs

/**
 * Whether a drain waits for the pod to go (P-07): pods that tolerate the taint, are stuck or the node's own do not count.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isWaitingEviction(pendingPod('web-0'), 0) // => true
 */
export const isWaitingEviction = (pod: Pod, nowMs: number): boolean =>
  !isTerminal(pod) && !toleratesDisruption(pod) && !isStuckTerminating(pod, nowMs) && !isOwnedByNode(pod)

/**
 * Whether the eviction API may be asked for it now (P-06).
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * Pods.isEvictable(pendingPod('web-0'), 0) // => true
 */
export const isEvictable = (pod: Pod, nowMs: number): boolean =>
  isActive(pod) && !toleratesDisruption(pod) && !isOwnedByNode(pod) && !isDoNotDisruptActive(pod, nowMs)
