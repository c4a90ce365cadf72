import { Pods, Quantity, Resources, StateNodes, type ResourceList, type StateNode } from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

const everyMs = 5000
const reported = ['cpu', 'memory'] as const

/** Reports how large and how full the cluster is, every five seconds. M-NODE-03. */
export const runClusterMetrics = async (context: ReconcilerContext): Promise<void> => {
  let syncedAtMs = context.clock.nowMs()
  while (!context.shutdown.aborted) {
    reportCluster(context)
    syncedAtMs = reportSync(context, syncedAtMs)
    await context.clock.sleep(everyMs, context.shutdown).catch(() => undefined)
  }
}

const unsyncedTooLongMs = 30_000

/**
 * Reports for how long planning has been held up by claims that nobody can account for, and says so when that is long.
 * ST-04. Returns when it last was not.
 */
export const reportSync = (
  { caches, state, metrics, clock, log }: Pick<ReconcilerContext, 'caches' | 'state' | 'metrics' | 'clock' | 'log'>,
  syncedAtMs: number,
): number => {
  const nowMs = clock.nowMs()
  const blocking = state.unaccountedClaims()
  const isSynced = caches.synced() && blocking.length === 0
  metrics.set(families.clusterStateUnsyncedTime, {}, isSynced ? 0 : (nowMs - syncedAtMs) / 1000)
  if (isSynced) return nowMs
  if (nowMs - syncedAtMs > unsyncedTooLongMs)
    log.error('Planning is held up by NodeClaims without a machine', {
      NodeClaims: blocking.slice(0, 5),
      seconds: (nowMs - syncedAtMs) / 1000,
    })
  return syncedAtMs
}

/** One report. Cost: O(nodes), and O(pods) of those that changed since the last one. */
export const reportCluster = ({ caches, state, metrics }: ReconcilerContext): void => {
  const nodes = state.nodes()
  metrics.set(families.clusterStateNodeCount, {}, nodes.length)
  metrics.set(families.clusterStateSynced, {}, caches.synced() ? 1 : 0)
  const allocatable = Resources.add(...nodes.map(StateNodes.allocatableOf))
  const requests = Resources.add(...nodes.map(requestsOn))
  for (const resource of reported) {
    const total = Quantity.toNumber(Resources.get(allocatable, resource))
    if (total === 0) continue
    const share = Quantity.toNumber(Resources.get(requests, resource)) / total
    metrics.set(families.clusterUtilization, { resource_type: resource }, share * 100)
  }
}

// A machine is another object when its pods have changed.
const requestsByNode = new WeakMap<StateNode, ResourceList>()

const requestsOn = (node: StateNode): ResourceList => {
  const known = requestsByNode.get(node)
  if (known !== undefined) return known
  const made = Resources.add(...node.pods.filter((pod) => !Pods.isTerminal(pod)).map(({ requests }) => requests))
  requestsByNode.set(node, made)
  return made
}
