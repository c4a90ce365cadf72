import type { ClaimState, NodeState } from '../cluster/index.ts'
import { labelKeys, terminationFinalizer } from '../labels/index.ts'
import { Taints } from '../taints/index.ts'
import type { ClaimInput, ClaimStep, NodeSync } from './claim-actions.ts'

/**
 * A launched claim's Node is found, made to carry what the claim says, and marked as registered. L-REG-01…07.
 *
 * While a hook of the provider is pending the Node is already synced but keeps its `unregistered` taint.
 */
export const register = ({ claim, nodes, pendingHooks }: ClaimInput): ClaimStep => {
  const [node, second] = nodes
  if (node === undefined) {
    return unregistered('NodeNotFound', 'Waiting for the node to join the cluster')
  }
  if (second !== undefined) {
    const names = nodes
      .map(({ name }) => name)
      .sort()
      .join(', ')
    const change = {
      type: 'Registered',
      status: 'False',
      reason: 'MultipleNodesFound',
      message: `Several nodes have the claim's provider id: ${names}`,
    } as const
    return { actions: [{ _tag: 'SetConditions', changes: [change] }] }
  }
  const isPending = pendingHooks.length > 0
  const sync = syncNode(claim, node, !isPending)
  if (isPending) {
    const waiting = unregistered('RegistrationHookPending', pendingHooks.join(', '))
    return {
      ...waiting,
      actions: [...(sync === undefined ? [] : [{ _tag: 'SyncNode' as const, sync }]), ...waiting.actions],
    }
  }
  return {
    actions: [
      ...(sync === undefined ? [] : [{ _tag: 'SyncNode' as const, sync }]),
      { _tag: 'SetConditions', changes: [{ type: 'Registered', status: 'True' }], nodeName: node.name },
    ],
  }
}

const unregistered = (reason: string, message: string): ClaimStep => ({
  actions: [{ _tag: 'SetConditions', changes: [{ type: 'Registered', status: 'Unknown', reason, message }] }],
})

/** What the Node lacks of what its claim says, or `undefined` when it lacks nothing. */
const syncNode = (claim: ClaimState, node: NodeState, completes: boolean): NodeSync | undefined => {
  const isMarkedUnregistered = node.taints.some((taint) => Taints.isSameMark(taint, Taints.unregisteredTaint))
  const wasRegistered = node.labels[labelKeys.registered] === 'true'
  // Startup taints that someone removed after registration stay removed (L-REG-07).
  if (wasRegistered && !isMarkedUnregistered) return undefined
  const keepsTaints = node.labels[labelKeys.doNotSyncTaints] === 'true'
  const merged = keepsTaints ? node.taints : Taints.merge(Taints.merge(node.taints, claim.taints), claim.startupTaints)
  return {
    node: node.name,
    resourceVersion: node.resourceVersion,
    labels: { ...node.labels, ...claim.labels, ...(completes ? { [labelKeys.registered]: 'true' } : {}) },
    annotations: { ...node.annotations, ...claim.annotations },
    taints: completes ? merged.filter((taint) => !Taints.isSameMark(taint, Taints.unregisteredTaint)) : merged,
    finalizers: node.finalizers.includes(terminationFinalizer)
      ? node.finalizers
      : [...node.finalizers, terminationFinalizer],
    needsOwner: !node.ownerUids.includes(claim.uid),
    unregisteredTaintMissing: !isMarkedUnregistered && !wasRegistered,
  }
}
