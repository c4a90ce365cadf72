import type { ClaimState, JsonObject, NodeObject, NodeSync, Taint } from '@scantling/core'
import type { PatchBody } from '../kube/index.ts'

/** A taint as the API writes it. */
export const taintManifest = ({ key, value, effect }: Taint): JsonObject => ({
  key,
  effect,
  ...(value === undefined ? {} : { value }),
})

/**
 * The patch that makes a Node carry what its claim says; conditional on the version that was read, since taints and
 * finalizers are lists that it replaces whole.
 */
export const nodePatchOf = (sync: NodeSync, claim: ClaimState, node: NodeObject | undefined): PatchBody => {
  const owner = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    name: claim.name,
    uid: claim.uid,
    blockOwnerDeletion: true,
  }
  const owners = (node?.metadata.ownerReferences ?? []).map((reference): JsonObject => ({ ...reference }))
  return {
    type: 'merge',
    body: {
      metadata: {
        resourceVersion: sync.resourceVersion,
        labels: sync.labels,
        annotations: sync.annotations,
        finalizers: sync.finalizers,
        ...(sync.needsOwner ? { ownerReferences: [...owners, owner] } : {}),
      },
      spec: { taints: sync.taints.map(taintManifest) },
    },
  }
}
