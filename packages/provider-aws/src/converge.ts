import type { Call, Convergence, ManagedInstance, ProviderError } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Ec2Details, Instances } from './instances/index.ts'
import { awsAnnotationKeys, awsLabelKeys } from './labels/index.ts'
import type { Ec2NodeClass } from './node-class/index.ts'
import { nodeTags } from './tags.ts'

const partitionRetryMs = 5_000
const tagRetryMs = 1_000

/**
 * Tags a machine with its claim at once, and with its Node's name when there is one; fills in the partition of its
 * placement group before the Node registers (A-TAG-03, A-TAG-04, A-PG-05).
 *
 * No call is made once the claim's annotations say that it is done.
 */
export const converger =
  (instances: Pick<Instances, 'tag' | 'get'>) =>
  (
    { claim, instance, node }: ManagedInstance<Ec2NodeClass, Ec2Details>,
    call: Call,
  ): TaskEither<ProviderError, Convergence> =>
  async () => {
    const has = (key: string) => Object.hasOwn(claim.annotations, key) && claim.annotations[key] === 'true'
    const partitionKey = awsLabelKeys.placementGroupPartition
    let labels: Readonly<Record<string, string>> | undefined
    if (Object.hasOwn(claim.labels, partitionKey) && claim.labels[partitionKey] === '') {
      const found = await partitionOf(instances, instance.providerId, call)
      if (E.isLeft(found)) return found
      if (found.right === undefined)
        return E.right({
          _tag: 'Pending',
          reason: 'AwaitingPlacementGroupPartition',
          retryAfterMs: partitionRetryMs,
          blocksRegistration: true,
        })
      labels = { [partitionKey]: found.right }
    }
    const isTagged = has(awsAnnotationKeys.tagged) && has(awsAnnotationKeys.clusterNameTagged)
    if (isTagged || claim.deleting) return E.right({ _tag: 'Converged', ...(labels && { labels }) })
    const tagged = await instances.tag(
      instance,
      nodeTags(claim, call.cluster, node?.name, instance.details?.tags ?? {}),
      call.signal,
    )()
    // Tags may wait: what else there is to do for the claim should not wait for them.
    if (E.isLeft(tagged))
      return tagged.left._tag === 'Throttled'
        ? E.right({ _tag: 'Pending', reason: 'AwaitingTags', retryAfterMs: tagged.left.retryAfterMs ?? tagRetryMs })
        : tagged
    // The rest is done at registration, when the machine has a Node whose name it can bear.
    if (node === undefined) return E.right({ _tag: 'Converged', ...(labels && { labels }) })
    return E.right({
      _tag: 'Converged',
      ...(labels && { labels }),
      annotations: { [awsAnnotationKeys.tagged]: 'true', [awsAnnotationKeys.clusterNameTagged]: 'true' },
    })
  }

const partitionOf = async (
  instances: Pick<Instances, 'get'>,
  providerId: string,
  { signal }: Call,
): Promise<E.Either<ProviderError, string | undefined>> =>
  E.map(({ details }: { readonly details?: Ec2Details }) => details?.placementGroupPartition)(
    await instances.get(providerId, signal)(),
  )
