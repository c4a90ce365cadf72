import { findCondition } from './conditions.ts'
import type { KubeObject, OwnerReference } from '../face.ts'
import type { PodObject } from './objects.ts'

export const isTerminal = (pod: PodObject): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** Neither ended nor on its way out: what a workload controller counts. */
export const isActive = (pod: PodObject): boolean => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined

export const isReady = (pod: PodObject): boolean => findCondition(pod.status?.conditions, 'Ready')?.status === 'True'

/** Since when the pod is ready, in epoch milliseconds. */
export const readySinceMs = (pod: PodObject): number | undefined => {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? pod.metadata.creationTimestamp) : undefined
}

/** How long until the pod has been ready for `minReadySeconds`: 0 when it is available, nothing while it is not ready. */
export const msUntilAvailable = (pod: PodObject, minReadySeconds: number, nowMs: number): number | undefined => {
  if (minReadySeconds === 0) return isReady(pod) ? 0 : undefined
  const since = readySinceMs(pod)
  return since === undefined ? undefined : Math.max(since + minReadySeconds * 1000 - nowMs, 0)
}

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true)

export const keyOf = (object: KubeObject): string =>
  object.metadata.namespace === undefined
    ? object.metadata.name
    : `${object.metadata.namespace}/${object.metadata.name}`

/** Namespace and name of a key made by {@link keyOf} from a namespaced object. */
export const splitKey = (key: string): { readonly namespace: string; readonly name: string } => {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The reference by which `owner` controls an object. */
export const controllerReference = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})
