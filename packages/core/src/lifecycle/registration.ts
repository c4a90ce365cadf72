import type { ClaimState, ConditionChange, NodeState } from '../cluster/index.ts'
import { labelKeys, terminationFinalizer } from '../labels/index.ts'
import { Taints } from '../taints/index.ts'
import type { ClaimInput, ClaimStep, NodeSync } from './claim-actions.ts'
import { initialize, isReadyFor } from './initialization.ts'

const joining = { status: 'Unknown', message: 'Waiting for the node to join the cluster' } as const

/** What a claim says as long as no Node has its provider id; true already when it is launched. */
export const awaitingNode: ReadonlyArray<ConditionChange> = [
  { type: 'Registered', reason: 'NodeNotFound', ...joining },
  { type: 'Initialized', reason: 'AwaitingReconciliation', ...joining },
]

/**
 * A launched claim's Node is found, made to carry what the claim says, and marked as registered. L-REG-01…07.
 *
 * While a hook of the provider is pending the Node is already synced but keeps its `unregistered` taint. A Node that is
 * ready by then is marked as initialized with the same strokes.
 */
export const register = ({ claim, nodes, pendingHooks }: ClaimInput): ClaimStep => {
  const [node, second] = nodes
  if (node === undefined) return { actions: [{ _tag: 'SetConditions', changes: awaitingNode }] }
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
  const syncs = sync === undefined ? [] : [{ _tag: 'SyncNode' as const, sync }]
  if (isPending) {
    const reason = 'RegistrationHookPending'
    const change = { type: 'Registered', status: 'Unknown', reason, message: pendingHooks.join(', ') } as const
    return { actions: [...syncs, { _tag: 'SetConditions', changes: [change] }] }
  }
  const synced = sync === undefined ? node : { ...node, labels: sync.labels, taints: sync.taints }
  const { actions } = initialize(claim, [synced])
  return {
    actions: [
      ...syncs,
      ...actions.map((action) =>
        action._tag === 'SetConditions'
          ? {
              ...action,
              changes: [{ type: 'Registered', status: 'True' } as const, ...action.changes],
              nodeName: node.name,
            }
          : action,
      ),
    ],
  }
}

/** What the Node lacks of what its claim says, or `undefined` when it lacks nothing. */
const syncNode = (claim: ClaimState, node: NodeState, completes: boolean): NodeSync | undefined => {
  const isMarkedUnregistered = node.taints.some((taint) => Taints.isSameMark(taint, Taints.unregisteredTaint))
  const wasRegistered = node.labels[labelKeys.registered] === 'true'
  // Startup taints that someone removed after registration stay removed (L-REG-07).
  if (wasRegistered && !isMarkedUnregistered) return undefined
  const keepsTaints = node.labels[labelKeys.doNotSyncTaints] === 'true'
  const merged = keepsTaints ? node.taints : Taints.merge(Taints.merge(node.taints, claim.taints), claim.startupTaints)
  const taints = completes ? merged.filter((taint) => !Taints.isSameMark(taint, Taints.unregisteredTaint)) : merged
  const marks = {
    ...(completes ? { [labelKeys.registered]: 'true' } : {}),
    ...(completes && isReadyFor(claim, { ...node, taints }) ? { [labelKeys.initialized]: 'true' } : {}),
  }
  return {
    node: node.name,
    labels: { ...node.labels, ...claim.labels, ...marks },
    annotations: { ...node.annotations, ...claim.annotations },
    taints,
    finalizers: node.finalizers.includes(terminationFinalizer)
      ? node.finalizers
      : [...node.finalizers, terminationFinalizer],
    needsOwner: !node.ownerUids.includes(claim.uid),
    unregisteredTaintMissing: !isMarkedUnregistered && !wasRegistered,
  }
}
