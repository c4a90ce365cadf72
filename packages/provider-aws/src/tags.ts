import type { ClusterFacts, NodeClaimFacts } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Ec2NodeClass } from './node-class/index.ts'

/** Tags by which a machine says whose it is; the reference's, and one of ours. */
export const tagKeys = {
  name: 'Name',
  nodePool: 'karpenter.sh/nodepool',
  nodeClaim: 'karpenter.sh/nodeclaim',
  nodeClass: 'karpenter.k8s.aws/ec2nodeclass',
  cluster: 'eks:eks-cluster-name',
  /** UID of the claim that a machine was launched for: a controller that died on the way finds it by this. */
  launchToken: 'scantling.sh/launch-token',
} as const

export const ownedTagOf = (cluster: string): string => `kubernetes.io/cluster/${cluster}`

const ownedPattern = /^kubernetes\.io\/cluster\/[0-9A-Za-z][A-Za-z0-9\-_]*$/
const protectedKeys: ReadonlySet<string> = new Set([
  tagKeys.nodePool,
  tagKeys.nodeClaim,
  tagKeys.nodeClass,
  tagKeys.cluster,
])

/**
 * The tags of what is launched for a NodePool: the user's, then those that say whose it is (A-TAG-01).
 *
 * Errors: a sentence for tags of the user's that are not theirs to set (A-TAG-02); the API server refuses most.
 */
export const launchTags = (
  nodeClass: Ec2NodeClass,
  cluster: Pick<ClusterFacts, 'name'>,
  nodePool: string,
): E.Either<string, Readonly<Record<string, string>>> => {
  const refused = Object.keys(nodeClass.spec.tags ?? {}).filter(
    (key) => ownedPattern.test(key) || protectedKeys.has(key),
  )
  return refused.length > 0
    ? E.left(
        `Cannot use tags ${refused.map((key) => JSON.stringify(key)).join(', ')}: they say whose a machine is; remove them from spec.tags`,
      )
    : E.right({
        ...nodeClass.spec.tags,
        [ownedTagOf(cluster.name)]: 'owned',
        [tagKeys.nodePool]: nodePool,
        [tagKeys.cluster]: cluster.name,
        [tagKeys.nodeClass]: nodeClass.metadata.name,
      })
}

/** The tags that are known once the machine is a Node; what is there already stays (A-TAG-03). */
export const nodeTags = (
  claim: Pick<NodeClaimFacts, 'name'>,
  cluster: Pick<ClusterFacts, 'name'>,
  nodeName: string | undefined,
  present: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const wanted = {
    ...(nodeName !== undefined && { [tagKeys.name]: nodeName }),
    [tagKeys.nodeClaim]: claim.name,
    [tagKeys.cluster]: cluster.name,
  }
  return Object.fromEntries(Object.entries(wanted).filter(([key]) => !Object.hasOwn(present, key)))
}

/** Tags as EC2 takes them, in code-unit order. */
export const tagList = (tags: Readonly<Record<string, string>>): Array<{ Key: string; Value: string }> =>
  Object.keys(tags)
    .sort()
    .map((Key) => ({ Key, Value: tags[Key] ?? '' }))
