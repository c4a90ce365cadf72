import { Pods, type Pod } from '../cluster/index.ts'

/** Which pods of a node to send away now, and how. */
export interface DrainStep {
  /** Ask the eviction API; it honours budgets and may refuse. */
  readonly evict: ReadonlyArray<Pod>
  /** Delete outright, with this grace: the node's deadline leaves no other way (T-EVICT-04, T-EVICT-05). */
  readonly forceDelete: ReadonlyArray<{ readonly pod: Pod; readonly gracePeriodSeconds: number }>
  /** Pods that the drain waits for, those in later tiers included; empty: drained. */
  readonly waiting: ReadonlyArray<Pod>
  /** Pods that should have ended long ago and are waited for no more (P-08). */
  readonly stuck: ReadonlyArray<Pod>
}

// Highest priorities, which Kubernetes reserves for its own two classes: system-cluster-critical and above.
const criticalPriority = 2_000_000_000

/**
 * The next part of a drain. T-DRAIN-01…04.
 *
 * Pods go in four tiers: ordinary ones, ordinary daemons, critical ones, critical daemons; a tier must be gone before the
 * next begins, so that what others depend on (network, DNS) goes last. Pods that a deadline overtakes go at once,
 * whatever their tier.
 */
export const stepDrain = (
  pods: ReadonlyArray<Pod>,
  { nowMs, deadlineMs }: { readonly nowMs: number; readonly deadlineMs: number | undefined },
): DrainStep => {
  const waiting = pods.filter((pod) => Pods.isWaitingEviction(pod, nowMs))
  const isForced = (pod: Pod) => deadlineMs !== undefined && mustForce(pod, deadlineMs, nowMs)
  const forceDelete = waiting.filter(isForced).map((pod) => ({
    pod,
    gracePeriodSeconds: Math.max(Math.floor(((deadlineMs ?? nowMs) - nowMs) / 1000), 1),
  }))
  const graceful = waiting.filter((pod) => !isForced(pod))
  const tier = Math.min(...graceful.map(tierOf))
  return {
    evict: graceful.filter((pod) => tierOf(pod) === tier && Pods.isEvictable(pod, nowMs)),
    forceDelete,
    waiting,
    stuck: pods.filter((pod) => Pods.isStuckTerminating(pod, nowMs) && !Pods.isTerminal(pod)),
  }
}

const tierOf = (pod: Pod): number => (pod.priority >= criticalPriority ? 2 : 0) + (Pods.isOwnedByDaemonSet(pod) ? 1 : 0)

// A running pod is deleted early enough that its own grace ends with the node's; one without a grace period never is.
const mustForce = (pod: Pod, deadlineMs: number, nowMs: number): boolean => {
  if (pod.deletionTimestampMs !== undefined) return pod.deletionTimestampMs > deadlineMs
  const { terminationGracePeriodSeconds } = pod.disruption
  return terminationGracePeriodSeconds !== undefined && nowMs > deadlineMs - terminationGracePeriodSeconds * 1000
}
