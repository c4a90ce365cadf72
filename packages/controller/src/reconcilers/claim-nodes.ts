import type { ClaimState, NodeState } from '@scantling/core'
import type { ReconcilerContext } from './context.ts'

/** Nodes whose provider id is the claim's. */
export const nodesOf = (context: ReconcilerContext, claim: ClaimState): ReadonlyArray<NodeState> =>
  claim.providerId === undefined
    ? []
    : context.caches.nodes.by('byProviderId', claim.providerId).map(context.views.node)

/** Keys to look at when a Node changes: the claims behind it. */
export const claimsOfNode = (context: ReconcilerContext, providerId: string | undefined): ReadonlyArray<string> =>
  providerId === undefined
    ? []
    : context.caches.nodeClaims.by('byProviderId', providerId).map(({ metadata }) => metadata.name)
