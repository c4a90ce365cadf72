import * as E from 'fp-ts/lib/Either.js'
import {
  claimDrift,
  Conditions,
  expandTypePatterns,
  type Call,
  type ClaimState,
  type ConditionChange,
  type DriftReason,
  type Instance,
  type InstanceList,
  type InstanceType,
  type NodeClassObject,
  type NodePoolObject,
  type ProviderError,
} from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import type { ReconcileError } from '../../queue/index.ts'
import { nodesOf } from '../claim-nodes.ts'
import type { ReconcilerContext } from '../context.ts'
import { nodeClassHashOf } from '../node-class-hash.ts'
import { claimFacts, nodeFacts } from '../provider-facts.ts'

// A type that was just launched is there; one that was found is not looked for again for a while (C-DRIFT-07).
const typeCheckAfterMs = 3_600_000
const typeCheckEveryMs = 1_800_000
// One list serves all claims of a round; what it makes of a machine is believed only after a look at that machine.
const listFreshMs = 60_000

type Drift = Omit<DriftReason, 'reason'> & { readonly reason: string }

/** What of the condition Drifted is to change for one claim. */
export type DriftCheck = (
  claim: ClaimState,
  pool: NodePoolObject,
) => Promise<E.Either<ReconcileError, ConditionChange | undefined>>

/**
 * Compares claims with what their NodePools, NodeClasses and provider say now. C-DRIFT-03…09.
 *
 * A provider that cannot tell leaves the condition as it is.
 */
export const makeDriftCheck = (context: ReconcilerContext): DriftCheck => {
  const { clock, caches, views, provider, state } = context
  const typeFoundAtMs = new Map<string, number>()
  caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted') typeFoundAtMs.delete(change.previous.metadata.uid)
  })
  const instances = memoize<Call, ProviderError, ReadonlyMap<string, Instance>>({
    load: (call) => async () => E.map(byProviderId)(await provider.list(call)()),
    idOf: () => '',
    ttlMs: listFreshMs,
    nowMs: clock.nowMs,
  })

  const byHashAndLabels = async (
    claim: ClaimState,
    pool: NodePoolObject,
    nodeClass: NodeClassObject | undefined,
    call: Call,
  ): Promise<E.Either<ReconcileError, DriftReason | undefined>> => {
    const nowMs = clock.nowMs()
    const domain = views.nodePool(pool)
    const listed = nodeClass === undefined ? undefined : await context.types.ofClaim(nodeClass, domain.name, call)()
    const types = listed !== undefined && E.isRight(listed) ? listed.right : undefined
    // Wildcards mean what the catalogue makes of them; without it they would match nothing.
    const expanded = types === undefined ? domain : expandTypePatterns(domain, types).nodePool
    const isDue =
      nowMs - claim.createdAtMs >= typeCheckAfterMs &&
      nowMs - (typeFoundAtMs.get(claim.uid) ?? -Infinity) >= typeCheckEveryMs
    const hash = nodeClass && nodeClassHashOf(context, nodeClass, call.cluster)
    const drift = claimDrift({
      claim,
      poolMarks: pool.metadata.annotations,
      poolRequirements:
        types === undefined && expandTypePatterns(domain, []).nodePool !== domain ? [] : expanded.requirements,
      knowledge: state.labelRules.knowledge,
      ...(types !== undefined && isDue ? { types } : {}),
      reservationKeys: state.labelRules.reservation?.all ?? [],
      ...(hash === undefined ? {} : { nodeClassHash: hash }),
    })
    if (types !== undefined && isDue && (drift === undefined || drift.reason === 'NodeClassDrifted'))
      typeFoundAtMs.set(claim.uid, nowMs)
    return listed !== undefined && E.isLeft(listed) && drift === undefined ? listed : E.right(drift)
  }

  // A machine that is not there has not drifted: others collect its claim (C-DRIFT-09).
  const byProvider = async (
    claim: ClaimState,
    nodeClass: NodeClassObject,
    types: ReadonlyArray<InstanceType>,
    call: Call,
  ): Promise<E.Either<ProviderError, Drift | 'unknown' | undefined>> => {
    const { drift } = provider
    if (drift === undefined || claim.providerId === undefined) return E.right(undefined)
    const facts = claimFacts(context, claim)
    const node = nodesOf(context, claim)[0]
    const verdictOn = (instance: Instance) => {
      const type = types.find(({ name }) => name === instance.instanceType)
      return drift({
        claim: facts,
        nodeClass,
        instance,
        ...(type === undefined ? {} : { type }),
        ...(node === undefined ? {} : { node: nodeFacts(node) }),
      })
    }
    const listed = await instances.get(call)()
    if (E.isLeft(listed)) return listed
    const known = listed.right.get(claim.providerId)
    if (known === undefined) return E.right('unknown')
    const first = verdictOn(known)
    if (first._tag !== 'Drifted') return E.right(first._tag === 'Unknown' ? 'unknown' : undefined)
    if (provider.get === undefined) {
      instances.clear()
    }
    const fresh = await (provider.get === undefined
      ? lookUp(await instances.get(call)(), claim.providerId)
      : provider.get({ providerId: claim.providerId, claim: facts }, call)())
    if (E.isLeft(fresh)) return fresh.left._tag === 'InstanceNotFound' ? E.right(undefined) : fresh
    const second = verdictOn(fresh.right)
    if (second._tag === 'Unknown') return E.right('unknown')
    return E.right(
      second._tag === 'Drifted' ? { reason: second.reason, message: second.message ?? second.reason } : undefined,
    )
  }

  return async (claim, pool) => {
    const present = Conditions.find(claim.conditions, 'Drifted')
    const changeTo = (drift: Drift | undefined): ConditionChange | undefined => {
      if (drift !== undefined) return { type: 'Drifted', status: 'True', ...drift }
      return present === undefined ? undefined : { type: 'Drifted', status: 'Absent' }
    }
    if (!Conditions.isTrue(claim.conditions, 'Launched')) return E.right(changeTo(undefined))
    const call = { signal: context.shutdown, cluster: context.clusterFacts() }
    const nodeClass = context.nodeClasses.get(claim.nodeClass)
    const stated = await byHashAndLabels(claim, pool, nodeClass, call)
    if (E.isLeft(stated)) return stated
    if (stated.right !== undefined || nodeClass === undefined) return E.right(changeTo(stated.right))
    const types = await context.types.ofClaim(nodeClass, pool.metadata.name, call)()
    const found = await byProvider(claim, nodeClass, E.isRight(types) ? types.right : [], call)
    if (E.isLeft(found)) return found
    return E.right(found.right === 'unknown' ? undefined : changeTo(found.right))
  }
}

const byProviderId = ({ instances }: InstanceList<unknown>): ReadonlyMap<string, Instance> =>
  new Map(instances.map((instance) => [instance.providerId, instance]))

const lookUp = (
  listed: E.Either<ProviderError, ReadonlyMap<string, Instance>>,
  providerId: string,
): E.Either<ProviderError, Instance> => {
  if (E.isLeft(listed)) return listed
  const found = listed.right.get(providerId)
  return found === undefined
    ? E.left({ _tag: 'InstanceNotFound', message: `The cloud lists no instance ${providerId}` })
    : E.right(found)
}
