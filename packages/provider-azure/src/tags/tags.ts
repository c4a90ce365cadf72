import type { ClusterFacts, Labels, NodeClaimFacts } from '@scantling/core'
import type { AksNodeClass } from '../node-class/index.ts'
import type { AzureSettings } from '../settings.ts'

/** Tags by which what is made for a cluster is found again; those of the reference, so that its machines are found too. */
export const tagKeys = {
  cluster: 'karpenter.azure.com_cluster',
  nodePool: 'karpenter.sh_nodepool',
  billing: 'compute.aks.billing',
  /** On machines of AKS alone. */
  machineClaim: 'karpenter.azure.com_aksmachine_nodeclaim',
} as const

/** What the tags of a machine depend on. */
export interface TagsInput {
  readonly claim: Pick<NodeClaimFacts, 'name' | 'nodePool'>
  readonly nodeClass: Pick<AksNodeClass, 'spec'>
  readonly cluster: Pick<ClusterFacts, 'name'>
  readonly settings: Pick<AzureSettings, 'additionalTags'>
}

/**
 * The tags of all that is made for a claim (Z-TAG-01, Z-TAG-02).
 *
 * Those of the class over the operator's, ours over both. Azure has no slashes in keys: they become underscores before
 * anything is laid over anything, so that no spelling gets past ours.
 */
export const tagsOf = ({ claim, nodeClass, cluster, settings }: TagsInput): Labels => ({
  ...withoutSlashes(settings.additionalTags),
  ...withoutSlashes(nodeClass.spec.tags ?? {}),
  [tagKeys.cluster]: cluster.name,
  [tagKeys.billing]: 'linux',
  ...(claim.nodePool !== undefined && { [tagKeys.nodePool]: claim.nodePool }),
})

/** The same for a machine of AKS, which says whose it is (Z-TAG-01). */
export const machineTagsOf = (input: TagsInput): Labels => ({
  ...tagsOf(input),
  [tagKeys.machineClaim]: input.claim.name,
})

const withoutSlashes = (tags: Labels): Labels =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [key.replaceAll('/', '_'), value]))
