import { Conditions, Pods, StateNodes } from '../../cluster/index.ts'
import { labelKeys, Labels } from '../../labels/index.ts'
import { isEmpty, type CandidateState } from '../candidate.ts'
import { costRules } from '../cost.ts'
import type { Steps } from '../../internal/index.ts'
import { blockedNode, type Pass, type Sorted } from '../pass.ts'
import type { BlockedNode, BlockedReason } from '../plan.ts'

/** Nodes that consolidation may look at, and why not the others. D-CONS-01. Empty nodes are left to emptiness. */
export function* consolidatable(pass: Pass): Steps<Sorted> {
  const candidates: Array<CandidateState> = []
  const blocked: Array<BlockedNode> = []
  for (const one of (yield* pass.sorted('graceful')).candidates) {
    const reason = keptFromConsolidation(one, pass)
    if (reason === undefined) candidates.push(one)
    else if (reason !== 'empty') blocked.push(blockedNode(one, reason))
  }
  return { candidates, blocked }
}

/** Why consolidation leaves a candidate alone, or `undefined`. D-CONS-01. */
export const keptFromConsolidation = (
  { state, nodePool }: CandidateState,
  pass: Pass,
): BlockedReason | 'empty' | undefined => {
  const { name, replicas, disruption } = nodePool
  const { snapshot } = pass
  if (replicas !== undefined) return { _tag: 'StaticNodePool' }
  const labels = StateNodes.labelsOf(state)
  const instanceType = Labels.get(labels, labelKeys.instanceType)
  if (!(snapshot.instanceTypes.get(name) ?? []).some((type) => type.name === instanceType))
    return { _tag: 'InstanceTypeUnknown', instanceType }
  for (const label of [labelKeys.capacityType, labelKeys.zone])
    if (Labels.get(labels, label) === undefined) return { _tag: 'LabelMissing', label }
  if (disruption.consolidateAfterMs === undefined) return { _tag: 'ConsolidationDisabled', nodePool: name }
  // Emptiness leaves a node alone whose pods would bring it back, so that it may be replaced like any other.
  const isLeftHere = pass.avoidsChurn && state.pods.some(Pods.isReschedulable)
  if (isEmpty(state, costRules(snapshot)) && !isLeftHere) return 'empty'
  if (disruption.consolidationPolicy === 'WhenEmpty') return { _tag: 'OnlyWhenEmpty', nodePool: name }
  return Conditions.isTrue(state.claim?.conditions ?? [], 'Consolidatable') ? undefined : { _tag: 'NotConsolidatable' }
}
