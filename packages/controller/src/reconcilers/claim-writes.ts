import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  claimDependents,
  Conditions,
  Time,
  type ClaimState,
  type Condition,
  type ConditionChange,
  type JsonObject,
} from '@scantling/core'
import { isNewer, type KubeError } from '../kube/index.ts'
import type { ReconcilerContext } from './context.ts'

/** A condition as the API writes it. */
export const conditionManifest = (condition: Condition): JsonObject => ({
  type: condition.type,
  status: condition.status,
  reason: condition.reason,
  message: condition.message,
  lastTransitionTime: Time.renderInstant(condition.lastTransitionAtMs),
  ...(condition.observedGeneration === undefined ? {} : { observedGeneration: condition.observedGeneration }),
})

/** Whether two lists of conditions say the same; transition times follow from the rest. */
const isSame = (a: ReadonlyArray<Condition>, b: ReadonlyArray<Condition>): boolean =>
  a.length === b.length &&
  a.every((condition, index) => {
    const other = b[index]
    return (
      other !== undefined &&
      condition.type === other.type &&
      condition.status === other.status &&
      condition.reason === other.reason &&
      condition.message === other.message &&
      condition.observedGeneration === other.observedGeneration
    )
  })

/**
 * What the status would have to be patched with to say this; `undefined`: it says so already.
 *
 * Ready is rolled up with the conditions. Without a change of conditions only the fields are written.
 */
export const claimStatusPatch = (
  context: Pick<ReconcilerContext, 'clock'>,
  claim: ClaimState,
  changes: ReadonlyArray<ConditionChange>,
  fields: JsonObject = {},
): JsonObject | undefined => {
  const at = {
    nowMs: context.clock.nowMs(),
    createdAtMs: claim.createdAtMs,
    generation: claim.generation,
    dependents: claimDependents,
  }
  const sorted = Conditions.apply(claim.conditions, [], at)
  const changed = Conditions.apply(claim.conditions, changes, at)
  // A claim on its way out keeps its verdict: a late write must not turn Ready Unknown (L-FIN-06).
  const rolled =
    claim.deletionTimestampMs === undefined
      ? Conditions.apply(changed, [Conditions.rollUp(changed, claimDependents, claim.generation)], at)
      : changed
  const conditions = isSame(sorted, rolled) ? {} : { conditions: rolled.map(conditionManifest) }
  const status = { ...fields, ...conditions }
  return Object.keys(status).length === 0 ? undefined : status
}

/**
 * Writes conditions, and other status fields, of a NodeClaim; see {@link claimStatusPatch}.
 *
 * Conditional on the version that was read, so a decision on stale facts ends as a `Conflict` and is taken again. Writes
 * nothing, and returns the claim as it is, when nothing would change.
 */
export const writeClaimStatus =
  (
    context: ReconcilerContext,
    claim: ClaimState,
    changes: ReadonlyArray<ConditionChange>,
    fields: JsonObject = {},
  ): TaskEither<KubeError, ClaimState> =>
  async () => {
    const status = claimStatusPatch(context, claim, changes, fields)
    return status === undefined ? E.right(claim) : write(context, claim, 'patchStatus', {}, { status })
  }

/** Patches metadata of a NodeClaim, conditional on the version that was read. */
export const writeClaimMetadata =
  (context: ReconcilerContext, claim: ClaimState, metadata: JsonObject): TaskEither<KubeError, ClaimState> =>
  () =>
    write(context, claim, 'patch', metadata, {})

const write = (
  { caches, claimTurns, kube, views }: ReconcilerContext,
  claim: ClaimState,
  call: 'patch' | 'patchStatus',
  metadata: JsonObject,
  rest: JsonObject,
): Promise<E.Either<KubeError, ClaimState>> =>
  claimTurns(claim.name, async () => {
    const held = caches.nodeClaims.get(claim.name)
    // What the server would refuse is not asked for.
    if (isNewer(held?.metadata.resourceVersion, claim.resourceVersion))
      return E.left({ _tag: 'Conflict', message: `NodeClaim ${claim.name} has changed since it was read` })
    const body = { metadata: { resourceVersion: claim.resourceVersion, ...metadata }, ...rest }
    const written = await kube[call](caches.nodeClaims.kind, { name: claim.name }, { type: 'merge', body })()
    if (E.isLeft(written)) return written
    caches.nodeClaims.observe(written.right)
    return E.right(views.claim(written.right))
  })

/** Deletes a NodeClaim; one that is gone already counts as deleted. */
export const deleteClaim =
  (context: ReconcilerContext, claim: ClaimState): TaskEither<KubeError, void> =>
  async () => {
    const deleted = await context.kube.delete(
      context.caches.nodeClaims.kind,
      { name: claim.name },
      { uid: claim.uid },
    )()
    return E.isLeft(deleted) && deleted.left._tag === 'NotFound' ? E.right(undefined) : deleted
  }
