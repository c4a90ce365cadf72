import { compareText } from '../order.ts'

/** How many nodes gave each reason. */
export type ReasonCounts = ReadonlyMap<string, number>

export const countReason = (counts: Map<string, number>, reasons: ReadonlyArray<string>): void => {
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
}

/**
 * The sentence that kube-scheduler puts into the `PodScheduled` condition.
 *
 * Source: kube-scheduler's messages as documented in
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ and seen in `kubectl describe pod`.
 *
 * @example
 * renderFitError(3, new Map([['Insufficient cpu', 3]])) // => '0/3 nodes are available: 3 Insufficient cpu.'
 */
export const renderFitError = (nodes: number, counts: ReasonCounts): string => {
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort(compareText)
  return `0/${nodes} nodes are available:${reasons.length === 0 ? '' : ` ${reasons.join(', ')}.`}`
}

/** The same with what preemption had to say. */
export const renderUnschedulable = (nodes: number, counts: ReasonCounts, preemption: string | undefined): string =>
  preemption === undefined
    ? renderFitError(nodes, counts)
    : `${renderFitError(nodes, counts)} preemption: ${preemption}`

/** What a pod hears in a cluster without nodes. */
export const noNodes = 'no nodes available to schedule pods'
