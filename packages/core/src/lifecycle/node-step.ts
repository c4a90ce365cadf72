import { Conditions, type ClaimState, type ConditionChange, type NodeState, type Pod } from '../cluster/index.ts'
import { annotationKeys, labelKeys, terminationFinalizer } from '../labels/index.ts'
import { Taints } from '../taints/index.ts'
import { stepDrain, type DrainStep } from './drain.ts'

/** What is known of a Node on its way out. */
export interface NodeInput {
  readonly nowMs: number
  readonly node: NodeState
  /** The claim behind it; without one the node is only drained. */
  readonly claim?: ClaimState
  readonly pods: ReadonlyArray<Pod>
  /** Volumes still attached that will be detached once their pods are gone, by name. */
  readonly attachedVolumes: ReadonlyArray<string>
  /** When the drain must be over, from the claim's annotation. */
  readonly deadlineMs?: number
  /** Asked only of nodes that are not Ready: whether the cloud no longer knows the instance (T-TERM-03). */
  readonly isInstanceGone: boolean
}

/** One effect on a Node on its way out; idempotent. */
export type NodeAction =
  | { readonly _tag: 'DeleteClaim'; readonly claim: string }
  /** Keep new pods and load balancers away. */
  | { readonly _tag: 'Cordon' }
  | { readonly _tag: 'Drain'; readonly drain: DrainStep }
  /** These pods do not end, and go down with the node. */
  | { readonly _tag: 'LeaveStuck'; readonly pods: ReadonlyArray<Pod> }
  /** The machine is gone: nobody is left to drain. */
  | { readonly _tag: 'AbandonDrain' }
  | { readonly _tag: 'SetClaimConditions'; readonly changes: ReadonlyArray<ConditionChange> }
  | { readonly _tag: 'TerminateInstance'; readonly providerId: string }
  | { readonly _tag: 'RemoveFinalizer' }

export interface NodeStep {
  readonly actions: ReadonlyArray<NodeAction>
  readonly requeueAfterMs?: number
}

const drainPollMs = 1000
// Pods that the scheduler is binding just now must not slip through between the taint and the end of the drain.
const minimumDrainMs = 5000

/**
 * The next step in the end of a Node: cordon, drain, detach volumes, end the instance, let go. T-TERM-01…10.
 *
 * Without a claim there is no deadline and no instance to end (T-TERM-11).
 *
 * @example
 * import { nodeObject } from '@scantling/core/testing'
 * const node = ingestNode(nodeObject('node-1'))
 * stepNodeTermination({ nowMs: 0, node, pods: [], attachedVolumes: [], isInstanceGone: false }).actions // => []
 */
export const stepNodeTermination = (input: NodeInput): NodeStep => {
  const { node, claim, nowMs, deadlineMs } = input
  if (node.deletionTimestampMs === undefined || !node.finalizers.includes(terminationFinalizer)) return { actions: [] }
  const drain = stepDrain(input.pods, { nowMs, deadlineMs })
  if (input.isInstanceGone && !Conditions.isTrue(node.conditions, 'Ready')) {
    const abandon: ReadonlyArray<NodeAction> = drain.waiting.length > 0 ? [{ _tag: 'AbandonDrain' }] : []
    return { actions: [...abandon, { _tag: 'RemoveFinalizer' }] }
  }
  const before: Array<NodeAction> = []
  if (claim !== undefined && claim.deletionTimestampMs === undefined)
    before.push({ _tag: 'DeleteClaim', claim: claim.name })
  if (!isCordoned(node)) before.push({ _tag: 'Cordon' })

  const drained = claim && Conditions.find(claim.conditions, 'Drained')
  if (claim === undefined || drained?.status !== 'True') {
    const startedMs = drained?.lastTransitionAtMs
    // A start in the future is what a clock leaves that was set back: it must not hold the drain until it catches up.
    const tooEarly =
      claim !== undefined && (startedMs === undefined || (nowMs >= startedMs && nowMs - startedMs < minimumDrainMs))
    if (drain.waiting.length > 0 || tooEarly) {
      const conditions: ReadonlyArray<NodeAction> =
        claim !== undefined && drained === undefined
          ? [{ _tag: 'SetClaimConditions', changes: [{ type: 'Drained', status: 'Unknown', reason: 'Draining' }] }]
          : []
      return { actions: [...before, ...conditions, { _tag: 'Drain', drain }], requeueAfterMs: drainPollMs }
    }
  }
  // Told once, when the drain is over but for them.
  if (drain.stuck.length > 0 && drained?.status !== 'True') before.push({ _tag: 'LeaveStuck', pods: drain.stuck })
  if (claim === undefined) return { actions: [...before, { _tag: 'RemoveFinalizer' }] }

  const changes: Array<ConditionChange> = drained?.status === 'True' ? [] : [{ type: 'Drained', status: 'True' }]
  const isLate = deadlineMs !== undefined && nowMs >= deadlineMs
  if (input.attachedVolumes.length > 0 && !isLate) {
    const message = `Volumes are still attached: ${input.attachedVolumes.slice(0, 5).join(', ')}`
    changes.push({ type: 'VolumesDetached', status: 'Unknown', reason: 'AwaitingVolumeDetachment', message })
    return { actions: [...before, { _tag: 'SetClaimConditions', changes }], requeueAfterMs: drainPollMs }
  }
  if (Conditions.isTrue(claim.conditions, 'VolumesDetached') === false) {
    changes.push(
      input.attachedVolumes.length === 0
        ? { type: 'VolumesDetached', status: 'True' }
        : { type: 'VolumesDetached', status: 'False', reason: 'TerminationGracePeriodElapsed' },
    )
  }
  const set: ReadonlyArray<NodeAction> = changes.length > 0 ? [{ _tag: 'SetClaimConditions', changes }] : []
  return {
    actions: [
      ...before,
      ...set,
      claim.providerId === undefined
        ? { _tag: 'RemoveFinalizer' }
        : { _tag: 'TerminateInstance', providerId: claim.providerId },
    ],
  }
}

/**
 * The deadline that a claim carries; `undefined` without one, an error text when it cannot be read (T-TERM-04).
 *
 * @example
 * import { nodeClaimObject } from '@scantling/core/testing'
 * terminationDeadline(ingestNodeClaim(nodeClaimObject('general-1', 'general'))) // => undefined
 */
export const terminationDeadline = (claim: ClaimState): string | undefined =>
  Object.hasOwn(claim.annotations, annotationKeys.terminationTimestamp)
    ? claim.annotations[annotationKeys.terminationTimestamp]
    : undefined

const isCordoned = (node: NodeState): boolean =>
  node.taints.some((taint) => Taints.isSameMark(taint, Taints.disruptedTaint)) &&
  node.labels[labelKeys.excludeFromLoadBalancers] === 'karpenter'
