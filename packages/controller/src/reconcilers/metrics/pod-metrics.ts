import { labelKeys, Labels, Pods, type Pod } from '@scantling/core'
import { families, makeSeriesStore, type Series } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

/**
 * Tells of single pods, whenever metrics are asked for, and how long they took to start. M-POD-01, M-POD-02.
 *
 * The start of a pod counts only when it was seen waiting: of the others nobody knows what they waited for. Returns what
 * stops it.
 */
export const startPodMetrics = ({ caches, views, metrics, clock }: ReconcilerContext): (() => void) => {
  const waiting = new Set<string>()
  const stopListening = caches.pods.onChange((change) => {
    if (change._tag === 'Deleted') return void waiting.delete(change.previous.metadata.uid)
    const pod = views.pod(change.current)
    if (pod.phase === 'Pending') return void waiting.add(pod.uid)
    if (Pods.isTerminal(pod)) return void waiting.delete(pod.uid)
    if (pod.isReady && waiting.delete(pod.uid))
      metrics.observe(families.podsStartupDuration, {}, (clock.nowMs() - pod.createdAtMs) / 1000)
  })
  for (const { metadata, status } of caches.pods.values()) if (status.phase === 'Pending') waiting.add(metadata.uid)

  const stateOf = (pod: Pod): Series => {
    const node = pod.nodeName === undefined ? undefined : caches.nodes.get(pod.nodeName)
    const label = (key: string) => (node === undefined ? '' : (Labels.get(node.metadata.labels, key) ?? ''))
    const providerId = node?.spec.providerID
    const labels = {
      name: pod.name,
      namespace: pod.namespace,
      owner: ownerLink(pod),
      node: pod.nodeName ?? '',
      scheduled: String(pod.nodeName !== undefined),
      nodepool: label(labelKeys.nodePool),
      zone: label(labelKeys.zone),
      arch: label(labelKeys.arch),
      capacity_type: label(labelKeys.capacityType),
      instance_type: label(labelKeys.instanceType),
      phase: pod.phase,
      ready: String(pod.isReady),
      managed: String(providerId !== undefined && caches.nodeClaims.by('byProviderId', providerId).length > 0),
    }
    return { family: families.podsState, labels, value: 1 }
  }
  const store = makeSeriesStore(metrics)
  const tellOfEach = () => {
    const all = new Map<string, ReadonlyArray<Series>>()
    for (const object of caches.pods.values()) {
      const pod = views.pod(object)
      const series = [stateOf(pod)]
      const labels = { name: pod.name, namespace: pod.namespace }
      const value = (clock.nowMs() - pod.createdAtMs) / 1000
      if (waiting.has(pod.uid)) series.push({ family: families.podsUnstartedTime, labels, value })
      if (waiting.has(pod.uid) && pod.nodeName === undefined)
        series.push({ family: families.podsUnboundTime, labels, value })
      all.set(pod.uid, series)
    }
    store.replaceAll(all)
  }
  const stopRendering = metrics.hasDetail ? metrics.beforeRender(tellOfEach) : () => undefined
  return () => {
    stopListening()
    stopRendering()
    store.replaceAll(new Map())
  }
}

// As an API path, in the reference's form.
const ownerLink = ({ namespace, owner }: Pod): string =>
  owner === undefined
    ? ''
    : `/apis/${owner.apiVersion}/namespaces/${namespace}/${owner.kind.toLowerCase()}s/${owner.name}`
