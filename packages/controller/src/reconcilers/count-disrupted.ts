import { labelKeys, Pods, type ClaimState } from '@scantling/core'
import { families } from '../observability/index.ts'
import { nodesOf } from './claim-nodes.ts'
import type { ReconcilerContext } from './context.ts'

/** Counts a claim that is taken away, with the reference's labels. */
export const countDisrupted = (context: ReconcilerContext, claim: ClaimState, reason: string): void =>
  context.metrics.add(families.nodeClaimsDisrupted, labelsOf(claim, reason))

/** The same, with the pods that have to move for it. */
export const countDisruptedWithPods = (context: ReconcilerContext, claim: ClaimState, reason: string): void => {
  countDisrupted(context, claim, reason)
  const pods = nodesOf(context, claim)
    .flatMap(({ name }) => context.state.podsOn(name))
    .filter(Pods.isReschedulable).length
  context.metrics.add(families.podsDisruptionInitiated, labelsOf(claim, reason), pods)
}

/** The labels under which a disruption is counted; `policy`: the NodePool's, where consolidation decided. */
export const labelsOf = ({ labels, terminationGracePeriodMs: graceMs }: ClaimState, reason: string, policy = '') => ({
  reason,
  nodepool: labels[labelKeys.nodePool] ?? '',
  capacity_type: labels[labelKeys.capacityType] ?? '',
  consolidation_policy: policy,
  termination_mode: graceMs === undefined ? 'graceful' : graceMs <= 0 ? 'forceful' : 'eventual',
})
