import { Conditions, type ClaimState, type NodeState } from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Quantity, Resources } from '../quantity/index.ts'
import { Taints } from '../taints/index.ts'
import type { ClaimStep } from './claim-actions.ts'
import { nodeShapeVerdict } from './node-shape.ts'

/**
 * A registered claim counts as initialized once its Node is ready to run what it was bought for. L-INIT-01…06.
 *
 * The first thing missing is reported; there is no time-out (L-INIT-07). Its shape is looked at with the same stroke, and
 * ever again later (C-CONSIST-01).
 */
export const initialize = (claim: ClaimState, nodes: ReadonlyArray<NodeState>): ClaimStep => {
  const [node] = nodes
  const missing = node === undefined ? missingNode : firstMissing(claim, node)
  if (node === undefined || missing !== undefined) {
    const changes = [{ type: 'Initialized', status: 'Unknown', ...missing } as const]
    return { actions: [{ _tag: 'SetConditions', changes, isInterim: true }] }
  }
  return {
    actions: [
      ...(node.labels[labelKeys.initialized] === 'true'
        ? []
        : [{ _tag: 'LabelInitialized' as const, node: node.name }]),
      { _tag: 'SetConditions', changes: [{ type: 'Initialized', status: 'True' }, nodeShapeVerdict(claim, node)] },
    ],
  }
}

/** Whether the Node is ready to run what the claim was made for. */
export const isReadyFor = (claim: ClaimState, node: NodeState): boolean => firstMissing(claim, node) === undefined

interface Missing {
  readonly reason: string
  readonly message: string
}

const missingNode: Missing = { reason: 'NodeNotFound', message: 'The node is not there' }

const firstMissing = (claim: ClaimState, node: NodeState): Missing | undefined => {
  if (!Conditions.isTrue(node.conditions, 'Ready')) return { reason: 'NodeNotReady', message: 'The node is not Ready' }
  const startup = node.taints.find((taint) => claim.startupTaints.some((mark) => Taints.isSameMark(mark, taint)))
  if (startup)
    return { reason: 'StartupTaintsExist', message: `Startup taint ${Taints.render(startup)} is still there` }
  const ephemeral = node.taints.find(Taints.isEphemeral)
  if (ephemeral)
    return { reason: 'KnownEphemeralTaintsExist', message: `Taint ${Taints.render(ephemeral)} is still there` }
  const resource = Object.entries(claim.requests)
    .filter(([name, amount]) => !Quantity.isZero(amount) && Quantity.isZero(Resources.get(node.allocatable, name)))
    .map(([name]) => name)
    .sort(compareText)[0]
  return resource === undefined
    ? undefined
    : { reason: 'ResourceNotRegistered', message: `Resource ${resource} was requested and is not allocatable yet` }
}
