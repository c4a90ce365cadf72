import * as E from 'fp-ts/lib/Either.js'

import type { Pod, PodConstraints, PodOwner, Snapshot, TopologySpreadConstraint } from '../cluster/index.ts'
import { Labels, type LabelSelector } from '../labels/index.ts'

/** What tells which pods belong together. Lookups that fail count as not found. */
export interface SpreadSources {
  /** Selectors of the Services of a namespace, in the order of their names; absent: the Service has none. */
  readonly services: (namespace: string) => ReadonlyArray<Labels | undefined>
  /** The selector of a controller: a ReplicationController's labels, a ReplicaSet's or StatefulSet's selector. */
  readonly owner: (owner: PodOwner, namespace: string) => OwnerSelector | undefined
}

export type OwnerSelector =
  { readonly _tag: 'Labels'; readonly labels: Labels } | { readonly _tag: 'Selector'; readonly selector: LabelSelector }

/**
 * Gives the default spread constraints to pods that have none of their own (P-DTS-01).
 *
 * Each gets the selector that its Services and its controller imply; where they imply nothing, the pod stays as it is
 * (P-DTS-03). Returns a function with the memory of one run (P-DTS-04): pods of one ReplicaSet share their new
 * constraints as they shared the old ones. Inputs are not changed.
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * const spread = defaultSpread(
 *   [
 *     {
 *       maxSkew: 1,
 *       topologyKey: 'topology.kubernetes.io/zone',
 *       whenUnsatisfiable: 'ScheduleAnyway',
 *       matchLabelKeys: [],
 *       nodeAffinityPolicy: 'Honor',
 *       nodeTaintsPolicy: 'Ignore',
 *     },
 *   ],
 *   { services: () => [{ app: 'web' }], owner: () => undefined },
 * )
 * const [constraint] = spread(pendingPod('web-0', {}, {}, { labels: { app: 'web' } })).constraints.topologySpread
 * constraint?.labelSelector // => { matchLabels: { app: 'web' } }
 */
export const defaultSpread = (
  defaults: ReadonlyArray<TopologySpreadConstraint>,
  sources: SpreadSources,
): ((pod: Pod) => Pod) => {
  if (defaults.length === 0) return (pod) => pod
  const services = new Map<string, ReadonlyArray<Labels>>()
  const selectors = new Map<string, LabelSelector | undefined>()
  const made = new Map<PodConstraints, Map<string, PodConstraints>>()
  const servicesOf = (namespace: string): ReadonlyArray<Labels> => {
    let known = services.get(namespace)
    if (known === undefined) {
      known = sources.services(namespace).filter((selector) => selector !== undefined)
      services.set(namespace, known)
    }
    return known
  }
  const selectorOf = (pod: Pod): LabelSelector | undefined => {
    const key = JSON.stringify([pod.namespace, pod.owner?.uid, pod.labels])
    if (!selectors.has(key)) selectors.set(key, deducedSelector(pod, servicesOf(pod.namespace), sources))
    return selectors.get(key)
  }
  return (pod) => {
    if (pod.constraints.topologySpread.length > 0) return pod
    const labelSelector = selectorOf(pod)
    if (labelSelector === undefined) return pod
    let bySelector = made.get(pod.constraints)
    if (bySelector === undefined) made.set(pod.constraints, (bySelector = new Map()))
    const text = JSON.stringify(labelSelector)
    let constraints = bySelector.get(text)
    if (constraints === undefined) {
      constraints = { ...pod.constraints, topologySpread: defaults.map((one) => ({ ...one, labelSelector })) }
      bySelector.set(text, constraints)
    }
    return { ...pod, constraints }
  }
}

/**
 * The snapshot with {@link defaultSpread} for every pod that a planner may place.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * // Without default constraints in its settings a snapshot stays the same object.
 * const snapshot = snapshotFor({})
 * injectDefaultSpread(snapshot, { services: () => [], owner: () => undefined }) === snapshot // => true
 */
export const injectDefaultSpread = (snapshot: Snapshot, sources: SpreadSources): Snapshot => {
  const { defaultTopologySpread } = snapshot.settings
  if (defaultTopologySpread.length === 0) return snapshot
  const spread = defaultSpread(defaultTopologySpread, sources)
  return {
    ...snapshot,
    pods: snapshot.pods.map(spread),
    nodes: snapshot.nodes.map((node) => ({ ...node, pods: node.pods.map(spread) })),
  }
}

/**
 * The selector of the pods that belong with this one (P-DTS-02), or `undefined` where nothing implies any.
 *
 * The labels that the matching Services select, of which a ReplicationController's win; a ReplicaSet's or StatefulSet's
 * selector holds beside them. A ReplicaSet's has the hash of its template: revisions spread apart (P-DTS-05).
 */
const deducedSelector = (
  pod: Pod,
  services: ReadonlyArray<Labels>,
  sources: SpreadSources,
): LabelSelector | undefined => {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>
  const lay = (over: Labels) => {
    for (const key of Object.keys(over)) labels[key] = Labels.get(over, key) ?? ''
  }
  for (const selector of services)
    if (Object.keys(selector).every((key) => Labels.get(pod.labels, key) === Labels.get(selector, key))) lay(selector)
  const owner = pod.owner === undefined ? undefined : sources.owner(pod.owner, pod.namespace)
  if (owner?._tag === 'Labels') lay(owner.labels)
  const expressions = owner?._tag === 'Selector' ? expressionsOf(owner.selector) : []
  if (Object.keys(labels).length === 0 && expressions.length === 0) return undefined
  return {
    ...(Object.keys(labels).length === 0 ? {} : { matchLabels: labels }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  }
}

// A selector that cannot be read adds nothing, as one that cannot be found.
const expressionsOf = (selector: LabelSelector): NonNullable<LabelSelector['matchExpressions']> => {
  const checked = Labels.checkSelector(selector)
  return E.isRight(checked) && checked.right._tag === 'Terms' ? checked.right.terms : []
}
