import { Taints } from '../taints/index.ts'
import type { Pod } from './pod.ts'

// A deletion timestamp includes the grace period; a pod this much beyond it will not go by itself (P-08).
const stuckAfterMs = 60_000

export const isTerminal = (pod: Pod): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed'
export const isTerminating = (pod: Pod): boolean => pod.deletionTimestampMs !== undefined
/** Neither finished nor on its way out (P-01). */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !isTerminating(pod)
export const isOwnedByDaemonSet = (pod: Pod): boolean =>
  pod.owner?.kind === 'DaemonSet' && pod.owner.apiVersion.startsWith('apps/')
export const isOwnedByStatefulSet = (pod: Pod): boolean =>
  pod.owner?.kind === 'StatefulSet' && pod.owner.apiVersion.startsWith('apps/')
/** Run by the kubelet itself: a mirror pod, or one that a Node owns. */
export const isOwnedByNode = (pod: Pod): boolean =>
  pod.isMirror || (pod.owner?.kind === 'Node' && pod.owner.apiVersion === 'v1')

/** Whether the pod asks not to be moved now (P-02). */
export const isDoNotDisruptActive = (pod: Pod, nowMs: number): boolean => {
  const { doNotDisrupt } = pod.disruption
  if (doNotDisrupt === undefined) return false
  const { forMs, sinceMs } = doNotDisrupt
  return forMs === undefined || sinceMs === undefined || nowMs - sinceMs < forMs
}

/** Active, or a terminating StatefulSet pod (its successor must fit before it goes), and not bound to its node (D-CAND-11). */
export const isReschedulable = (pod: Pod): boolean =>
  (isActive(pod) || (isTerminating(pod) && !isTerminal(pod) && isOwnedByStatefulSet(pod))) &&
  !isOwnedByDaemonSet(pod) &&
  !isOwnedByNode(pod)

const toleratesDisruption = (pod: Pod): boolean =>
  Taints.areTolerated([Taints.disruptedTaint], pod.constraints.tolerations)

const isStuckTerminating = (pod: Pod, nowMs: number): boolean =>
  pod.deletionTimestampMs !== undefined && nowMs - pod.deletionTimestampMs > stuckAfterMs

/** Whether a drain waits for the pod to go (P-07): pods that tolerate the taint, are stuck or the node's own do not count. */
export const isWaitingEviction = (pod: Pod, nowMs: number): boolean =>
  !isTerminal(pod) && !toleratesDisruption(pod) && !isStuckTerminating(pod, nowMs) && !isOwnedByNode(pod)

/** Whether the eviction API may be asked for it now (P-06). */
export const isEvictable = (pod: Pod, nowMs: number): boolean =>
  isActive(pod) && !toleratesDisruption(pod) && !isOwnedByNode(pod) && !isDoNotDisruptActive(pod, nowMs)
