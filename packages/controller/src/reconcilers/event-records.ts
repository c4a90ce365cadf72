import { terminationFinalizer, type ClaimState, type NodeState, type Pod } from '@scantling/core'
import type { EventRecord, EventRecorder } from '../events/index.ts'

type Type = EventRecord['type']

/** An event about a NodeClaim. */
export const claimEvent = (
  claim: Pick<ClaimState, 'name' | 'uid'>,
  type: Type,
  reason: string,
  message: string,
): EventRecord => ({
  on: { apiVersion: 'karpenter.sh/v1', kind: 'NodeClaim', name: claim.name, uid: claim.uid },
  type,
  reason,
  message,
})

/** An event about a Node. */
export const nodeEvent = (
  node: Pick<NodeState, 'name' | 'uid'>,
  type: Type,
  reason: string,
  message: string,
): EventRecord => ({
  on: { apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid },
  type,
  reason,
  message,
})

/** An event about a pod. */
export const podEvent = (
  pod: Pick<Pod, 'namespace' | 'name' | 'uid'>,
  type: Type,
  reason: string,
  message: string,
): EventRecord => ({
  on: { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid },
  type,
  reason,
  message,
})

/** An event about a NodePool. */
export const nodePoolEvent = (
  pool: { readonly name: string; readonly uid: string },
  type: Type,
  reason: string,
  message: string,
): EventRecord => ({
  on: { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', name: pool.name, uid: pool.uid },
  type,
  reason,
  message,
})

/** An event about a NodeClass of whatever kind. */
export const nodeClassEvent = (
  on: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string },
  type: Type,
  reason: string,
  message: string,
): EventRecord => ({
  on: { apiVersion: on.apiVersion, kind: on.kind, name: on.name, uid: on.uid },
  type,
  reason,
  message,
})

/** Tells of an object that we are done with and that goes on existing: somebody else's finalizer holds it. */
export const reportFinalizers = <A extends Pick<NodeState | ClaimState, 'name' | 'uid' | 'finalizers'>>(
  { events }: { readonly events: EventRecorder },
  eventOn: (on: A, type: Type, reason: string, message: string) => EventRecord,
  on: A,
): void => {
  const others = on.finalizers.filter((finalizer) => finalizer !== terminationFinalizer)
  if (others.length === 0) return
  const message = `The machine is gone; the object stays until finalizers of others are removed: ${others.join(', ')}`
  events.record(eventOn(on, 'Warning', 'FinalizersRemaining', message))
}
