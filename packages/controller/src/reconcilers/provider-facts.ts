import {
  Conditions,
  labelKeys,
  Requirements,
  type ClaimState,
  type NodeClaimFacts,
  type NodeFacts,
  type NodeState,
} from '@scantling/core'
import type { ReconcilerContext } from './context.ts'

/** What a provider is told of a NodeClaim. */
export const claimFacts = (context: ReconcilerContext, claim: ClaimState): NodeClaimFacts => {
  const nodePool = claim.labels[labelKeys.nodePool]
  return {
    name: claim.name,
    uid: claim.uid,
    generation: claim.generation,
    ...(nodePool === undefined ? {} : { nodePool }),
    nodeClass: claim.nodeClass.name,
    labels: claim.labels,
    annotations: claim.annotations,
    requirements: Requirements.fromSpecs(claim.requirements, context.state.labelRules.knowledge),
    requests: claim.requests,
    taints: claim.taints,
    startupTaints: claim.startupTaints,
    ...(claim.providerId === undefined ? {} : { providerId: claim.providerId }),
    ...(claim.imageId === undefined ? {} : { imageId: claim.imageId }),
    registered: Conditions.isTrue(claim.conditions, 'Registered'),
    deleting: claim.deletionTimestampMs !== undefined,
  }
}

/** What a provider is told of a Node. */
export const nodeFacts = ({ name, labels, kubeletVersion, capacity }: NodeState): NodeFacts => ({
  name,
  labels,
  kubeletVersion,
  capacity,
})
