import { Pods, Quantity, Resources, StateNodes } from '@scantling/core'
import { families } from '../observability/index.ts'
import type { ReconcilerContext } from './context.ts'

const everyMs = 5000
const reported = ['cpu', 'memory'] as const

/** Reports how large and how full the cluster is, every five seconds. M-NODE-03. */
export const runClusterMetrics = async (context: ReconcilerContext): Promise<void> => {
  while (!context.shutdown.aborted) {
    reportCluster(context)
    await context.clock.sleep(everyMs, context.shutdown).catch(() => undefined)
  }
}

/** One report. Cost: O(nodes + pods). */
export const reportCluster = ({ caches, state, metrics }: ReconcilerContext): void => {
  const nodes = state.nodes()
  metrics.set(families.clusterStateNodeCount, {}, nodes.length)
  metrics.set(families.clusterStateSynced, {}, caches.synced() ? 1 : 0)
  const allocatable = Resources.add(...nodes.map(StateNodes.allocatableOf))
  const requests = Resources.add(
    ...nodes.flatMap(({ pods }) => pods.filter((pod) => !Pods.isTerminal(pod)).map((pod) => pod.requests)),
  )
  for (const resource of reported) {
    const total = Quantity.toNumber(Resources.get(allocatable, resource))
    if (total === 0) continue
    const share = Quantity.toNumber(Resources.get(requests, resource)) / total
    metrics.set(families.clusterUtilization, { resource_type: resource }, share * 100)
  }
}
