import * as E from 'fp-ts/lib/Either.js'
import { Conditions, type Call, type ClaimState, type Instance } from '@scantling/core'
import { deleteClaim } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { countDisruptedWithPods } from '../count-disrupted.ts'
import { claimFacts } from '../provider-facts.ts'

const everyMs = 120_000
const defaultOrphanAfterMs = 300_000
const defaultListLagMs = 60_000

/** Ends machines that no claim stands for, and claims whose machine is gone. C-GC-01…03. */
export const runGarbageCollection = async (context: ReconcilerContext): Promise<void> => {
  const { clock, shutdown, log } = context
  const firstSeenMs = new Map<string, number>()
  while (!shutdown.aborted) {
    try {
      await collectGarbage(context, firstSeenMs)
    } catch (cause) {
      log.error('Garbage collection failed', { error: String(cause instanceof Error ? cause.stack : cause) })
    }
    await clock.sleep(everyMs, shutdown).catch(() => undefined)
  }
}

/**
 * One collection. Machines are listed before claims are read: a claim made in between is no orphan's.
 *
 * `firstSeenMs` remembers machines whose launch time the cloud does not tell.
 */
export const collectGarbage = async (context: ReconcilerContext, firstSeenMs: Map<string, number>): Promise<void> => {
  const call = { signal: context.shutdown, cluster: context.clusterFacts() }
  const listed = await context.provider.list(call)()
  if (E.isLeft(listed)) {
    if (!context.shutdown.aborted) context.log.warn('Cannot list instances', { error: listed.left.message })
    return
  }
  const { instances, unreadable } = listed.right
  await collectOrphans(context, instances, firstSeenMs, call)
  // What cannot be read may be the very machine that seems to be missing.
  if (unreadable.length === 0) await collectClaims(context, instances, call)
}

const collectOrphans = async (
  context: ReconcilerContext,
  instances: ReadonlyArray<Instance>,
  firstSeenMs: Map<string, number>,
  call: Call,
): Promise<void> => {
  const { caches, clock, provider, providerModule, kube, log } = context
  const nowMs = clock.nowMs()
  const present = new Set(instances.map(({ providerId }) => providerId))
  for (const id of firstSeenMs.keys()) if (!present.has(id)) firstSeenMs.delete(id)
  for (const instance of instances) {
    const { providerId, owner } = instance
    if (instance.phase === 'terminating' || caches.nodeClaims.by('byProviderId', providerId).length > 0) continue
    const namesake = owner.nodeClaim === undefined ? undefined : caches.nodeClaims.get(owner.nodeClaim)
    // Its claim is there and has not been told yet: a launch in flight.
    if (namesake !== undefined && namesake.status.providerID === undefined) continue
    const sinceMs = instance.launchedAtMs ?? firstSeenMs.get(providerId) ?? nowMs
    firstSeenMs.set(providerId, sinceMs)
    if (nowMs - sinceMs < (providerModule.traits?.orphanAfterMs ?? defaultOrphanAfterMs)) continue
    const ended = await provider.terminate({ providerId }, call)()
    if (E.isLeft(ended) && ended.left._tag !== 'InstanceNotFound') {
      log.warn('Cannot end orphaned instance', { 'provider-id': providerId, error: ended.left.message })
      continue
    }
    log.info('Ended orphaned instance', { 'provider-id': providerId, 'instance-type': instance.instanceType })
    for (const { metadata } of caches.nodes.by('byProviderId', providerId))
      await kube.delete(caches.nodes.kind, { name: metadata.name })()
  }
}

const collectClaims = async (
  context: ReconcilerContext,
  instances: ReadonlyArray<Instance>,
  call: Call,
): Promise<void> => {
  const { caches, views, nodeClasses, log } = context
  const alive = new Set(instances.filter(({ phase }) => phase !== 'terminating').map(({ providerId }) => providerId))
  for (const object of caches.nodeClaims.values()) {
    const claim = views.claim(object)
    if (claim.providerId === undefined || claim.deletionTimestampMs !== undefined || alive.has(claim.providerId))
      continue
    if (!nodeClasses.isManaged(claim.nodeClass) || !Conditions.isTrue(claim.conditions, 'Registered')) continue
    if (!(await isSurelyGone(context, claim, claim.providerId, call))) continue
    const deleted = await deleteClaim(context, claim)()
    if (E.isLeft(deleted)) {
      log.warn('Cannot delete NodeClaim whose instance is gone', { NodeClaim: claim.name, error: deleted.left.message })
      continue
    }
    countDisruptedWithPods(context, claim, 'garbage_collected')
    log.info('Deleted NodeClaim whose instance is gone', { NodeClaim: claim.name, 'provider-id': claim.providerId })
  }
}

// A list may lag behind a launch, and a kubelet that still answers proves the machine (C-GC-02).
const isSurelyGone = async (
  context: ReconcilerContext,
  claim: ClaimState,
  providerId: string,
  call: Call,
): Promise<boolean> => {
  const { caches, views, clock, provider, providerModule } = context
  const launchedMs = Conditions.find(claim.conditions, 'Launched')?.lastTransitionAtMs ?? claim.createdAtMs
  if (clock.nowMs() - launchedMs < (providerModule.traits?.listLagMs ?? defaultListLagMs)) return false
  const [node, second] = caches.nodes.by('byProviderId', providerId)
  const isAlive = node !== undefined && second === undefined && Conditions.isTrue(views.node(node).conditions, 'Ready')
  if (isAlive) return false
  if (provider.get === undefined) return true
  const found = await provider.get({ providerId, claim: claimFacts(context, claim) }, call)()
  return E.isLeft(found) && found.left._tag === 'InstanceNotFound'
}
