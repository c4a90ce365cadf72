import type { ClaimState, NodeState, Pod } from '@scantling/core'
import type { EventRecord } from '../events/index.ts'

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
