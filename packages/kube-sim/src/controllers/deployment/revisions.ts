import { canonicalText } from '../canonical.ts'
import type { DeploymentObject, PodTemplate, ReplicaSetObject } from '../objects.ts'

export const hashLabel = 'pod-template-hash'
export const revisionKey = 'deployment.kubernetes.io/revision'
export const desiredKey = 'deployment.kubernetes.io/desired-replicas'
export const maxKey = 'deployment.kubernetes.io/max-replicas'
const historyKey = 'deployment.kubernetes.io/revision-history'

// Bookkeeping of the Deployment itself and of kubectl's apply.
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionKey,
  desiredKey,
  maxKey,
  historyKey,
  'deprecated.deployment.rollback.to',
])

/** The revision that a ReplicaSet is marked with; 0 without one. */
export const revisionOf = (set: ReplicaSetObject): number => {
  const text = set.metadata.annotations?.[revisionKey] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

/** The template as text without the label that ReplicaSets add to it. */
export const templateText = (template: PodTemplate | undefined): string => {
  const { [hashLabel]: _hash, ...labels } = template?.metadata?.labels ?? {}
  return canonicalText({ ...template, metadata: { ...template?.metadata, labels } })
}

/** The annotations that a ReplicaSet has from its Deployment, such as `kubernetes.io/change-cause`. */
export const copiedAnnotations = (deployment: DeploymentObject): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)))

/**
 * The annotations that make a ReplicaSet the latest revision; `latestOld` is the highest among the others.
 *
 * A set that comes back into use, as by `kubectl rollout undo`, takes a new revision and keeps a list of those it had.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment
 */
export const latestRevision = (set: ReplicaSetObject, latestOld: number): Readonly<Record<string, string>> => {
  const present = revisionOf(set)
  if (present > latestOld) return { [revisionKey]: String(present) }
  const history = set.metadata.annotations?.[historyKey]
  const had = [history, present === 0 ? undefined : String(present)].filter((text) => text !== undefined && text !== '')
  return {
    [revisionKey]: String(latestOld + 1),
    ...(had.length === 0 ? {} : { [historyKey]: had.join(',') }),
  }
}
