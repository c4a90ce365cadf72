import { Labels, Pods, Quantity, Resources, type PodObject, type ResourceList, type StateNode } from '@scantling/core'
import { makeSeriesStore, type MetricFamily, type Series } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

/**
 * Tells, whenever metrics are asked for, what each Node has and how much of it is asked for. M-NODE-01, M-NODE-02.
 *
 * Labels are the ends of all well-known label keys, those of the provider included. Returns what stops it.
 */
export const startNodeMetrics = (context: ReconcilerContext): (() => void) => {
  const { metrics, state, caches, clock } = context
  if (!metrics.hasDetail) return () => undefined
  const keys = nodeLabels(state.labelRules.knowledge.wellKnown)
  const families = familiesOf([...keys.keys()])
  const store = makeSeriesStore(metrics)
  const seriesOf = (one: StateNode): ReadonlyArray<Series> => {
    const { node } = one
    if (node === undefined) return []
    const labels = {
      ...Object.fromEntries([...keys].map(([label, key]) => [label, Labels.get(node.labels, key) ?? ''])),
      node_name: node.name,
      // Kubernetes no longer fills it in; dashboards of the reference select by it.
      phase: '',
      managed: String(one.isManaged),
    }
    const active = one.pods.filter((pod) => !Pods.isTerminal(pod))
    const daemons = active.filter(Pods.isOwnedByDaemonSet)
    const limitsOf = (pods: typeof active) =>
      Resources.add(...pods.map(({ namespace, name }) => podLimits(caches.pods.get(`${namespace}/${name}`))))
    const amounts: ReadonlyArray<readonly [MetricFamily, ResourceList]> = [
      [families.allocatable, node.allocatable],
      [families.podRequests, Resources.add(...active.map(({ requests }) => requests))],
      [families.podLimits, limitsOf(active)],
      [families.daemonRequests, Resources.add(...daemons.map(({ requests }) => requests))],
      [families.daemonLimits, limitsOf(daemons)],
      [families.systemOverhead, Resources.subtract(node.capacity, node.allocatable)],
    ]
    return [
      ...amounts.flatMap(([family, list]) =>
        Object.entries(list).map(([resource, amount]) => ({
          family,
          labels: { ...labels, resource_type: resource.replaceAll('-', '_') },
          value: Quantity.toNumber(amount),
        })),
      ),
      { family: families.lifetime, labels, value: (clock.nowMs() - node.createdAtMs) / 1000 },
    ]
  }
  const stop = metrics.beforeRender(() => {
    store.replaceAll(new Map(state.nodes().map((one) => [one.providerId, seriesOf(one)])))
  })
  return () => {
    stop()
    store.replaceAll(new Map())
  }
}

// Of keys that end alike one speaks for all: a metric has each label once.
const nodeLabels = (wellKnown: ReadonlySet<string>): ReadonlyMap<string, string> =>
  new Map([...wellKnown].map((key) => [key.slice(key.lastIndexOf('/') + 1).replaceAll(/[.-]/g, '_'), key]))

const familiesOf = (labels: ReadonlyArray<string>) => {
  const own = [...new Set([...labels, 'node_name', 'phase', 'managed'])]
  const gauge = (name: string, help: string, more: ReadonlyArray<string>): MetricFamily => ({
    type: 'gauge',
    name: `karpenter_nodes_${name}`,
    help,
    labels: [...own, ...more],
  })
  const byResource = ['resource_type']
  return {
    allocatable: gauge('allocatable', 'What pods may use of a node', byResource),
    podRequests: gauge('total_pod_requests', 'Requests of the pods of a node', byResource),
    podLimits: gauge('total_pod_limits', 'Limits of the pods of a node', byResource),
    daemonRequests: gauge('total_daemon_requests', 'Requests of the daemons of a node', byResource),
    daemonLimits: gauge('total_daemon_limits', 'Limits of the daemons of a node', byResource),
    systemOverhead: gauge('system_overhead', 'What a node keeps for itself', byResource),
    lifetime: gauge('current_lifetime_seconds', 'How old a node is', []),
  }
}

const podLimits = (pod: PodObject | undefined): ResourceList =>
  Resources.add(...(pod?.spec.containers ?? []).map(({ resources }) => resources.limits))
