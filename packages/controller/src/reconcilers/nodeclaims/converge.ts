import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  Conditions,
  type Call,
  type ClaimState,
  type Instance,
  type InstanceList,
  type InstanceRef,
  type ProviderError,
} from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import type { ReconcileError } from '../../queue/index.ts'
import { deleteClaim, writeClaimMetadata } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { nodesOf } from '../claim-nodes.ts'
import { claimFacts, nodeFacts } from '../provider-facts.ts'

/** What the provider's side of a claim still waits for. */
export interface Converged {
  /** Reasons for which the node may not count as registered yet. */
  readonly blocksRegistration: ReadonlyArray<string>
  readonly requeueAfterMs?: number
}

const nothing: Converged = { blocksRegistration: [] }

// Claims change several times while their machines start: one list serves all that do within this time.
const listFreshMs = 5000

export type Converge = (claim: ClaimState) => TaskEither<ReconcileError, Converged>

/**
 * Lets the provider make its side of one launched claim agree with the cluster's; see `CloudProvider.converge`.
 *
 * A create that turns out to have failed is treated like a failed launch: marks are taken, and the claim goes with what
 * there is of the instance.
 */
export const makeConverge = (context: ReconcilerContext): Converge => {
  const instanceOf = instanceFinder(context)
  return (claim) => async () => {
    const { provider } = context
    const isLaunched = Conditions.isTrue(claim.conditions, 'Launched') && claim.providerId !== undefined
    if (provider.converge === undefined || !isLaunched || claim.deletionTimestampMs !== undefined)
      return E.right(nothing)
    const nodeClass = context.nodeClasses.get(claim.nodeClass)
    if (nodeClass === undefined) return E.right(nothing)
    const call = { signal: context.shutdown, cluster: context.clusterFacts() }
    const facts = claimFacts(context, claim)
    const instance = await instanceOf({ providerId: claim.providerId, claim: facts }, call)()
    if (E.isLeft(instance)) return instance.left._tag === 'InstanceNotFound' ? E.right(nothing) : instance
    const node = nodesOf(context, claim)[0]
    const subject = {
      claim: facts,
      nodeClass,
      instance: instance.right,
      ...(node === undefined ? {} : { node: nodeFacts(node) }),
    }
    const verdict = await provider.converge(subject, call)()
    if (E.isLeft(verdict)) return verdict
    switch (verdict.right._tag) {
      case 'Converged': {
        const { labels = {}, annotations = {} } = verdict.right
        const isNew =
          (present: Readonly<Record<string, string>>) =>
          ([key, value]: [string, string]) =>
            present[key] !== value
        const changes =
          Object.entries(labels).some(isNew(claim.labels)) || Object.entries(annotations).some(isNew(claim.annotations))
        if (!changes) return E.right(nothing)
        return E.map(() => nothing)(await writeClaimMetadata(context, claim, { labels, annotations })())
      }
      case 'Pending': {
        const { reason, retryAfterMs, blocksRegistration } = verdict.right
        return E.right({ blocksRegistration: blocksRegistration ? [reason] : [], requeueAfterMs: retryAfterMs })
      }
      case 'Failed': {
        context.types.learn(verdict.right.failure)
        context.log.warn('Instance was not created after all', {
          NodeClaim: claim.name,
          error: verdict.right.failure.error.message,
        })
        // Its finalizer ends what there is of the instance. Ended first, it would leave nothing to tell the failure by.
        return E.map(() => nothing)(await deleteClaim(context, claim)())
      }
    }
  }
}

/** Looks into a list that is shared, and asks for one instance alone where that list has it not, or not yet. */
const instanceFinder = ({ provider, clock }: ReconcilerContext) => {
  const list = memoize<Call, ProviderError, ReadonlyMap<string, Instance>>({
    load: (call) => async () =>
      E.map(({ instances }: InstanceList<unknown>) => new Map(instances.map((each) => [each.providerId, each])))(
        await provider.list(call)(),
      ),
    idOf: () => '',
    ttlMs: listFreshMs,
    nowMs: clock.nowMs,
  })
  return (target: InstanceRef, call: Call): TaskEither<ProviderError, Instance> =>
    async () => {
      const listed = await list.get(call)()
      if (E.isLeft(listed)) return listed
      const found = listed.right.get(target.providerId)
      if (found !== undefined) return E.right(found)
      return provider.get === undefined
        ? E.left({ _tag: 'InstanceNotFound', message: `The cloud lists no instance ${target.providerId}` })
        : provider.get(target, call)()
    }
}
