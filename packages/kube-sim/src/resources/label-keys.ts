import { objectAt, objectsAt, stringAt, type JsonObject } from '../server/json.ts'

/**
 * Writes what `matchLabelKeys` and `mismatchLabelKeys` mean for a new pod into the selectors beside them, in place: later
 * changes of its labels change nothing.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#matchlabelkeys
 */
export const mergeLabelKeys = (pod: JsonObject): void => {
  const labels = objectAt(objectAt(pod, 'metadata'), 'labels') ?? {}
  const spec = objectAt(pod, 'spec')
  for (const constraint of objectsAt(spec, 'topologySpreadConstraints')) mergeInto(constraint, labels)
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const rules = objectAt(objectAt(spec, 'affinity'), kind)
    for (const term of objectsAt(rules, 'requiredDuringSchedulingIgnoredDuringExecution')) mergeInto(term, labels)
    for (const { podAffinityTerm } of objectsAt(rules, 'preferredDuringSchedulingIgnoredDuringExecution')) {
      if (podAffinityTerm !== undefined) mergeInto(podAffinityTerm as JsonObject, labels)
    }
  }
}

const mergeInto = (term: JsonObject, labels: JsonObject): void => {
  const selector = objectAt(term, 'labelSelector')
  // Without a selector a term selects nothing, whatever its keys.
  if (selector === undefined) return
  const added = [
    ...expressions(term['matchLabelKeys'], 'In', labels),
    ...expressions(term['mismatchLabelKeys'], 'NotIn', labels),
  ]
  if (added.length > 0) selector['matchExpressions'] = [...objectsAt(selector, 'matchExpressions'), ...added]
}

/** A key that the pod has no label of says nothing. */
const expressions = (keys: unknown, operator: string, labels: JsonObject): ReadonlyArray<JsonObject> =>
  (Array.isArray(keys) ? keys : []).flatMap((key: unknown) => {
    const value = typeof key === 'string' && Object.hasOwn(labels, key) ? stringAt(labels, key) : undefined
    return value === undefined ? [] : [{ key, operator, values: [value] }]
  })
