import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  awaitingNode,
  launchCandidates,
  launchedFacts,
  type ClaimState,
  type Instance,
  type InstanceType,
  type LaunchFailure,
  type NodeClassObject,
} from '@scantling/core'
import type { ReconcileError, ReconcileResult } from '../../queue/index.ts'
import { deleteClaim, writeClaimMetadata, writeClaimStatus } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { claimEvent } from '../event-records.ts'
import { countDisrupted } from '../count-disrupted.ts'
import { hashAnnotations, nodeClassHashOf } from '../node-class-hash.ts'
import { claimFacts } from '../provider-facts.ts'
import { publishNotice } from '../publish-notice.ts'
import type { LaunchMemory } from './launch-memory.ts'

type Outcome = E.Either<ReconcileError, ReconcileResult>

// Longer messages are cut: a condition is read by people (L-LAUNCH-05).
const longestMessage = 300

/**
 * Asks the provider for the instance of one claim. L-LAUNCH-01…06.
 *
 * The claim's UID is the launch token, so a pass that died between the cloud's answer and our write is simply repeated:
 * the cloud answers with the same instance.
 */
export const launch =
  (context: ReconcilerContext, claim: ClaimState, memory: LaunchMemory): TaskEither<ReconcileError, ReconcileResult> =>
  async () => {
    const call = { signal: context.shutdown, cluster: context.clusterFacts() }
    const nodeClass = context.nodeClasses.get(claim.nodeClass)
    if (nodeClass === undefined || !context.nodeClasses.isReady(nodeClass)) {
      const { kind, name } = claim.nodeClass
      return fail(context, claim, {
        error: {
          _tag: 'NodeClassNotReady',
          message: `${kind} ${name} ${nodeClass === undefined ? 'does not exist' : 'is not Ready'}`,
        },
        reason: 'NodeClassNotReady',
      })
    }
    const types = await context.types.ofClaim(nodeClass, claim.labels['karpenter.sh/nodepool'], call)()
    if (E.isLeft(types)) return types
    const facts = claimFacts(context, claim)
    const [first, ...rest] = launchCandidates(types.right, facts, context.state.labelRules.knowledge.wellKnown)
    if (first === undefined) {
      return fail(context, claim, {
        error: {
          _tag: 'InsufficientCapacity',
          message: 'No instance type that the claim allows has an available offering',
        },
        reason: 'InsufficientCapacity',
      })
    }
    const minValues = context.settings.minValuesPolicy === 'Strict' ? 'strict' : 'best-effort'
    const request = {
      token: claim.uid,
      claim: facts,
      nodeClass,
      candidates: [first, ...rest] as const,
      minValues,
    } as const
    const launched = await memory.during(claim, context.provider.launch(request, call))
    const report = E.isLeft(launched) ? launched.left : launched.right
    context.types.learn(report)
    for (const notice of report.notices ?? []) await publishNotice(context, notice)
    // Somebody took its finalizer: nobody else would end the machine.
    if (context.caches.nodeClaims.get(claim.name)?.metadata.uid !== claim.uid) {
      memory.forget(claim.uid)
      return E.isLeft(launched) ? E.right({}) : endUnclaimed(context, claim, launched.right.instance)
    }
    if (E.isLeft(launched)) return fail(context, claim, launched.left)
    const recorded = await record(context, claim, launched.right.instance, types.right, nodeClass)
    if (E.isRight(recorded)) memory.forget(claim.uid)
    return recorded
  }

const endUnclaimed = async (context: ReconcilerContext, claim: ClaimState, instance: Instance): Promise<Outcome> => {
  const { providerId } = instance
  context.log.warn('NodeClaim was gone before its launch was answered, the instance goes', {
    NodeClaim: claim.name,
    'provider-id': providerId,
  })
  const call = { signal: context.shutdown, cluster: context.clusterFacts() }
  const ended = await context.provider.terminate({ providerId, claim: claimFacts(context, claim) }, call)()
  return E.isLeft(ended) && ended.left._tag !== 'InstanceNotFound' ? ended : E.right({})
}

const record = async (
  context: ReconcilerContext,
  claim: ClaimState,
  instance: Instance,
  types: ReadonlyArray<InstanceType>,
  nodeClass: NodeClassObject,
): Promise<Outcome> => {
  const type = types.find(({ name }) => name === instance.instanceType)
  const found = launchedFacts(instance, type, context.labelPolicy)
  // What the claim asks for wins over what the provider says, except for its annotations (L-LAUNCH-02).
  const labels = { ...found.labels, ...claim.labels }
  // With the hash of the NodeClass that it was launched from, whatever that is by now.
  const hash = hashAnnotations(nodeClassHashOf(context, nodeClass, context.clusterFacts()))
  const annotations = { ...claim.annotations, ...hash, ...found.annotations }
  const named = await writeClaimMetadata(context, claim, { labels, annotations })()
  if (E.isLeft(named)) return named
  const isThere = context.caches.nodes.by('byProviderId', instance.providerId).length > 0
  const changes = [{ type: 'Launched', status: 'True' } as const, ...(isThere ? [] : awaitingNode)]
  const written = await writeClaimStatus(context, named.right, changes, {
    providerID: instance.providerId,
    ...(instance.imageId === undefined ? {} : { imageID: instance.imageId }),
    capacity: found.capacity,
    allocatable: found.allocatable,
  })()
  if (E.isLeft(written)) return written
  context.shortages.launched(claim.labels['karpenter.sh/nodepool'] ?? '')
  context.log.info('Launched NodeClaim', {
    NodeClaim: claim.name,
    'provider-id': instance.providerId,
    'instance-type': instance.instanceType,
    zone: instance.zone,
    'capacity-type': instance.capacityType,
    allocatable: found.allocatable,
  })
  return E.right({})
}

const fail = async (context: ReconcilerContext, claim: ClaimState, failure: LaunchFailure): Promise<Outcome> => {
  const { error, reason, keepClaim } = failure
  const isHopeless = error._tag === 'InsufficientCapacity' || error._tag === 'NodeClassNotReady'
  if (isHopeless && keepClaim !== true) {
    if (error._tag === 'InsufficientCapacity') {
      const message = `NodeClaim was not launched: ${error.message}`
      context.events.record(claimEvent(claim, 'Warning', 'InsufficientCapacityError', message))
      context.shortages.gaveUp(claim.labels['karpenter.sh/nodepool'] ?? '')
    }
    context.log.warn('Launch failed, the claim goes', { NodeClaim: claim.name, error: error.message })
    const deleted = await deleteClaim(context, claim)()
    if (E.isLeft(deleted)) return deleted
    countDisrupted(
      context,
      claim,
      error._tag === 'InsufficientCapacity' ? 'insufficient_capacity' : 'nodeclass_not_ready',
    )
    return E.right({})
  }
  const message = error.message.length > longestMessage ? `${error.message.slice(0, longestMessage)}...` : error.message
  const written = await writeClaimStatus(context, claim, [{ type: 'Launched', status: 'Unknown', reason, message }])()
  if (E.isLeft(written)) return written
  return E.left({
    _tag: error._tag,
    message: `Cannot launch NodeClaim ${claim.name}: ${error.message}`,
    cause: error.cause,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  })
}
