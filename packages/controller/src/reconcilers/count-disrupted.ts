import { labelKeys, type ClaimState } from '@scantling/core'
import { families } from '../observability/index.ts'
import type { ReconcilerContext } from './context.ts'

/** Counts a claim that is taken away, with the reference's labels. */
export const countDisrupted = (context: ReconcilerContext, claim: ClaimState, reason: string): void => {
  const { terminationGracePeriodMs: graceMs } = claim
  context.metrics.add(families.nodeClaimsDisrupted, {
    reason,
    nodepool: claim.labels[labelKeys.nodePool] ?? '',
    capacity_type: claim.labels[labelKeys.capacityType] ?? '',
    consolidation_policy: '',
    termination_mode: graceMs === undefined ? 'graceful' : graceMs <= 0 ? 'forceful' : 'eventual',
  })
}
