import type { CSINodeObject, NodeClaimObject, NodeObject } from '../api/index.ts'
import type { ClaimState, Condition, NodeClassReference, NodeState, Pod, StateNode } from '../cluster/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import { durationMs, instantMs, optionalInstantMs } from './instant.ts'
import { volumeLimitsOf } from './volumes.ts'

/**
 * What is read of a Node.
 *
 * @example
 * import { nodeObject } from '@scantling/core/testing'
 * ingestNode(nodeObject('node-1')).allocatable // => { cpu: '4', memory: '16Gi', pods: '110' }
 */
export const ingestNode = ({ metadata, spec, status }: NodeObject): NodeState => {
  const deletionTimestampMs = optionalInstantMs(metadata.deletionTimestamp)
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    labels: metadata.labels,
    annotations: metadata.annotations,
    taints: spec.taints,
    capacity: status.capacity,
    allocatable: status.allocatable,
    isUnschedulable: spec.unschedulable,
    ...(spec.providerID === undefined ? {} : { providerId: spec.providerID }),
    finalizers: metadata.finalizers,
    ownerUids: metadata.ownerReferences.map(({ uid }) => uid),
    kubeletVersion: status.nodeInfo.kubeletVersion,
    createdAtMs: instantMs(metadata.creationTimestamp),
    ...(deletionTimestampMs === undefined ? {} : { deletionTimestampMs }),
    conditions: status.conditions.map(ingestCondition),
  }
}

/**
 * What is read of a NodeClaim.
 *
 * @example
 * import { nodeClaimObject } from '@scantling/core/testing'
 * ingestNodeClaim(nodeClaimObject('general-1', 'general')).labels // => { 'karpenter.sh/nodepool': 'general' }
 */
export const ingestNodeClaim = ({ metadata, spec, status }: NodeClaimObject): ClaimState => {
  const deletionTimestampMs = optionalInstantMs(metadata.deletionTimestamp)
  const expireAfterMs = durationMs(spec.expireAfter)
  const terminationGracePeriodMs = durationMs(spec.terminationGracePeriod)
  const lastPodEventAtMs = optionalInstantMs(status.lastPodEventTime)
  return {
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation,
    resourceVersion: metadata.resourceVersion,
    finalizers: metadata.finalizers,
    ...(status.providerID === undefined ? {} : { providerId: status.providerID }),
    ...(status.nodeName === undefined ? {} : { nodeName: status.nodeName }),
    ...(status.imageID === undefined ? {} : { imageId: status.imageID }),
    labels: metadata.labels,
    annotations: metadata.annotations,
    nodeClass: spec.nodeClassRef,
    requirements: spec.requirements,
    requests: spec.resources.requests,
    taints: spec.taints,
    startupTaints: spec.startupTaints,
    capacity: status.capacity,
    allocatable: status.allocatable,
    createdAtMs: instantMs(metadata.creationTimestamp),
    ...(deletionTimestampMs === undefined ? {} : { deletionTimestampMs }),
    ...(expireAfterMs === undefined ? {} : { expireAfterMs }),
    ...(terminationGracePeriodMs === undefined ? {} : { terminationGracePeriodMs }),
    ...(lastPodEventAtMs === undefined ? {} : { lastPodEventAtMs }),
    conditions: status.conditions.map(ingestCondition),
  }
}

/**
 * A condition of any object of ours.
 *
 * @example
 * ingestCondition({
 *   type: 'Ready',
 *   status: 'True',
 *   reason: 'Ready',
 *   message: '',
 *   lastTransitionTime: '1970-01-01T00:00:01Z',
 * }).lastTransitionAtMs // => 1_000
 */
export const ingestCondition = (condition: {
  readonly type: string
  readonly status: Condition['status']
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime?: string
  readonly observedGeneration?: number
}): Condition => ({
  type: condition.type,
  status: condition.status,
  reason: condition.reason,
  message: condition.message,
  lastTransitionAtMs: instantMs(condition.lastTransitionTime),
  ...(condition.observedGeneration === undefined ? {} : { observedGeneration: condition.observedGeneration }),
})

/**
 * The identity under which a Node is joined with its claim, or `undefined` while it cannot be told (P-CST-03).
 *
 * A Node of ours counts once it states a provider id and, until it is initialized, its instance type; another's goes by
 * its name where it has no provider id.
 *
 * @example
 * import { nodeObject } from '@scantling/core/testing'
 * providerIdOf(nodeObject('node-1')) // => 'test://node-1'
 */
export const providerIdOf = ({ metadata, spec }: Pick<NodeObject, 'metadata' | 'spec'>): string | undefined => {
  const has = (key: string) => (Labels.get(metadata.labels, key) ?? '') !== ''
  if (!has(labelKeys.nodePool)) return spec.providerID ?? metadata.name
  return has(labelKeys.instanceType) || has(labelKeys.initialized) ? spec.providerID : undefined
}

/** The two halves of a machine and what else is known of it. */
export interface StateNodeParts {
  readonly providerId: string
  readonly node?: NodeState
  /** Only of a supported NodeClass, and only once it states its provider id. */
  readonly claim?: ClaimState
  /** Pods bound to the Node. */
  readonly pods: ReadonlyArray<Pod>
  readonly csiNode?: CSINodeObject
  /** Whether the shell has decided to delete it (P-CST-04). */
  readonly isMarked?: boolean
  readonly nominatedUntilMs?: number
}

/**
 * Node and NodeClaim of one machine as one (P-CST-04). At least one of them must be there.
 *
 * @example
 * import { nodeObject } from '@scantling/core/testing'
 * const state = stateNodeOf({ providerId: 'test://node-1', node: ingestNode(nodeObject('node-1')), pods: [] })
 * state.isManaged // => false
 */
export const stateNodeOf = (parts: StateNodeParts): StateNode => {
  const { providerId, node, claim, pods, csiNode, isMarked = false, nominatedUntilMs } = parts
  const isRegistered =
    node !== undefined && (claim === undefined || Labels.get(node.labels, labelKeys.registered) === 'true')
  const isTerminating = (claim?.conditions ?? []).some(
    ({ type, status }) => type === 'InstanceTerminating' && status === 'True',
  )
  return {
    name: (isRegistered ? node.name : (claim?.name ?? node?.name)) ?? providerId,
    providerId,
    ...(node === undefined ? {} : { node }),
    ...(claim === undefined ? {} : { claim }),
    isManaged: claim !== undefined,
    isMarkedForDeletion:
      isMarked ||
      (claim === undefined
        ? node?.deletionTimestampMs !== undefined
        : claim.deletionTimestampMs !== undefined || isTerminating),
    ...(nominatedUntilMs === undefined ? {} : { nominatedUntilMs }),
    pods,
    volumeLimits: volumeLimitsOf(csiNode),
  }
}

/** The objects from which machines are joined, and what the shell knows beside them. */
export interface StateNodeSources {
  readonly nodes: ReadonlyArray<NodeObject>
  readonly nodeClaims: ReadonlyArray<NodeClaimObject>
  readonly csiNodes: ReadonlyArray<CSINodeObject>
  /** By name of the Node they are bound to. */
  readonly podsByNode: ReadonlyMap<string, ReadonlyArray<Pod>>
  readonly supportsNodeClass: (nodeClass: NodeClassReference) => boolean
  /** Provider ids. */
  readonly marked?: ReadonlySet<string>
  /** By provider id. */
  readonly nominatedUntilMs?: ReadonlyMap<string, number>
}

/**
 * Nodes and NodeClaims joined by provider id, in order of first appearance, claims first.
 *
 * @example
 * import { nodeClaimObject, nodeObject } from '@scantling/core/testing'
 * const joined = joinStateNodes({
 *   nodes: [nodeObject('node-1', { spec: { providerID: 'test://1' } })],
 *   nodeClaims: [nodeClaimObject('general-1', 'general', { status: { providerID: 'test://1' } })],
 *   csiNodes: [],
 *   podsByNode: new Map(),
 *   supportsNodeClass: () => true,
 * })
 * joined.length // => 1
 */
export const joinStateNodes = (sources: StateNodeSources): ReadonlyArray<StateNode> => {
  const claims = new Map<string, ClaimState>()
  for (const object of sources.nodeClaims) {
    const { providerID } = object.status
    if (providerID !== undefined && sources.supportsNodeClass(object.spec.nodeClassRef)) {
      claims.set(providerID, ingestNodeClaim(object))
    }
  }
  const nodes = new Map<string, NodeState>()
  for (const object of sources.nodes) {
    const providerId = providerIdOf(object)
    if (providerId !== undefined) nodes.set(providerId, ingestNode(object))
  }
  const csiNodes = new Map(sources.csiNodes.map((object) => [object.metadata.name, object]))
  return [...new Set([...claims.keys(), ...nodes.keys()])].map((providerId) => {
    const node = nodes.get(providerId)
    const claim = claims.get(providerId)
    const csiNode = node === undefined ? undefined : csiNodes.get(node.name)
    const nominatedUntilMs = sources.nominatedUntilMs?.get(providerId)
    return stateNodeOf({
      providerId,
      ...(node === undefined ? {} : { node }),
      ...(claim === undefined ? {} : { claim }),
      pods: node === undefined ? [] : (sources.podsByNode.get(node.name) ?? []),
      ...(csiNode === undefined ? {} : { csiNode }),
      isMarked: sources.marked?.has(providerId) === true,
      ...(nominatedUntilMs === undefined ? {} : { nominatedUntilMs }),
    })
  })
}
