import * as E from 'fp-ts/lib/Either.js'
import {
  annotationKeys,
  labelKeys,
  Pods,
  Requirement,
  Requirements,
  Time,
  type ClaimState,
  type Delivery,
  type Interruption,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcileError } from '../../queue/index.ts'
import { deleteClaim, writeClaimMetadata } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { countDisruptedWithPods } from '../count-disrupted.ts'
import { evacuate, interruptedReason, settingsOf, snakeCase } from '../disruption/index.ts'
import { claimEvent, nodeEvent } from '../event-records.ts'

const failedPollMs = 10_000
// Kubernetes' own, for pods that state none.
const defaultGraceSeconds = 30
// From the decision to evict until the pod hears of it, and from its end until the machine may go.
const drainMarginMs = 15_000

/**
 * Acts on what the cloud announces about single machines: reports it, and takes the node away in time.
 *
 * A message is acknowledged only after its effects, so what a crash interrupts comes again; each effect is idempotent.
 */
export const runInterruptions = async (context: ReconcilerContext): Promise<void> => {
  const { provider, clock, shutdown, log } = context
  const source = provider.interruptions
  if (source === undefined) return
  await untilListed(context)
  while (!shutdown.aborted) {
    const call = { signal: shutdown, cluster: context.clusterFacts() }
    const received = await source.receive(call)()
    if (E.isLeft(received)) {
      if (shutdown.aborted) return
      log.warn('Cannot receive interruptions', { error: received.left.message })
      await clock.sleep(received.left.retryAfterMs ?? failedPollMs, shutdown).catch(() => undefined)
      continue
    }
    const done: Array<string> = []
    for (const delivery of received.right) if (await takeIn(context, delivery)) done.push(delivery.receipt)
    if (done.length === 0) continue
    const acknowledged = await source.acknowledge(done, call)()
    if (E.isRight(acknowledged)) context.metrics.add(families.interruptionDeleted, {}, done.length)
    else log.warn('Cannot acknowledge interruptions', { error: acknowledged.left.message })
  }
}

/** Returns whether everything of it has had its effect. */
const takeIn = async (context: ReconcilerContext, { kind, sentAtMs, interruptions }: Delivery): Promise<boolean> => {
  const { metrics, clock, log } = context
  metrics.add(families.interruptionReceived, { message_type: kind })
  if (sentAtMs !== undefined)
    metrics.observe(families.interruptionQueueDuration, {}, Math.max(0, clock.nowMs() - sentAtMs) / 1000)
  const outcomes = await Promise.all(interruptions.map((one) => interrupt(context, one)))
  for (const outcome of outcomes) {
    if (E.isRight(outcome)) continue
    // Someone else wrote the claim first; the message comes again, and finds the claim as it is by then.
    const say = outcome.left._tag === 'Conflict' ? log.debug : log.warn
    say('Cannot act on interruption', { kind, error: outcome.left.message })
  }
  return outcomes.every(E.isRight)
}

// Messages name machines by ids that only a list brings; one that came before it would be taken for a stranger's.
const untilListed = async ({ provider, clock, shutdown, log, clusterFacts }: ReconcilerContext): Promise<void> => {
  while (!shutdown.aborted) {
    const listed = await provider.list({ signal: shutdown, cluster: clusterFacts() })()
    if (E.isRight(listed) || shutdown.aborted) return
    log.warn('Cannot list instances', { error: listed.left.message })
    await clock.sleep(listed.left.retryAfterMs ?? failedPollMs, shutdown).catch(() => undefined)
  }
}

/**
 * Carries out one interruption, once for each machine and kind; one of a machine that is not ours changes nothing.
 *
 * A machine that will be gone is emptied in time: what its pods need is launched at once, and they are evicted when that
 * is up, or when no more time is left than their own grace takes. One that is only said to be at risk is replaced where
 * its NodePool asks for it.
 */
export const interrupt = async (
  context: ReconcilerContext,
  interruption: Interruption,
): Promise<E.Either<ReconcileError, void>> => {
  const { caches, views, events, types, announced } = context
  const providerId = context.instanceIds.resolve(interruption.id) ?? interruption.id
  const object = caches.nodeClaims.by('byProviderId', providerId)[0]
  if (object === undefined) return E.right(undefined)
  const claim = views.claim(object)
  const { kind, message = `The cloud announced: ${kind}`, losesOfferingForMs } = interruption
  if (announced.has(providerId, kind)) return E.right(undefined)
  events.record(claimEvent(claim, 'Warning', kind, message))
  for (const { metadata } of caches.nodes.by('byProviderId', providerId))
    events.record(nodeEvent(metadata, 'Warning', kind, message))
  if (losesOfferingForMs !== undefined) {
    const match = offeringOf(claim)
    if (match !== undefined) types.learn({ unavailable: [{ match, forMs: losesOfferingForMs, reason: kind }] })
  }
  const done = await act(context, claim, interruption)
  if (E.isRight(done)) announced.note(providerId, kind)
  return done
}

const act = async (
  context: ReconcilerContext,
  claim: ClaimState,
  { kind, action, deadlineMs }: Interruption,
): Promise<E.Either<ReconcileError, void>> => {
  const { clock, log } = context
  if (claim.deletionTimestampMs !== undefined) return E.right(undefined)
  if (isAdvice(kind)) {
    const isWanted = action !== 'notify' || settingsOf(context, claim).rebalance === 'replace'
    if (isWanted)
      await evacuate(context, claim, { reason: 'Rebalanced', countedAs: snakeCase(kind), otherwise: 'stay' })
    return E.right(undefined)
  }
  if (action === 'notify') return E.right(undefined)
  const nowMs = clock.nowMs()
  const limitMs = action === 'force' ? nowMs : deadlineMs
  const stamped = limitMs === undefined ? E.right(claim) : await stampDeadline(context, claim, limitMs)
  if (E.isLeft(stamped)) return stamped
  const goAtMs = (limitMs ?? nowMs) - drainMs(context, claim)
  if (goAtMs > nowMs) {
    const cause = { reason: interruptedReason, countedAs: snakeCase(kind), otherwise: 'go', goAtMs } as const
    const { _tag } = await evacuate(context, stamped.right, cause)
    if (_tag === 'Started') {
      log.info('Replacing a node before its interruption', { NodeClaim: claim.name, reason: kind })
      return E.right(undefined)
    }
  }
  return goNow(context, stamped.right, kind)
}

// A recommendation is no announcement: the machine may run on for days.
const isAdvice = (kind: string): boolean => /rebalance/i.test(kind)

/** Drains at once. Its pods count as waiting for a machine from now on. */
const goNow = async (
  context: ReconcilerContext,
  claim: ClaimState,
  kind: string,
): Promise<E.Either<ReconcileError, void>> => {
  const { state, events, caches, log } = context
  const wasMarked = state.isMarked(claim.name)
  state.markForDeletion(claim.name)
  const done = await deleteClaim(context, claim)()
  if (E.isLeft(done)) {
    if (!wasMarked) state.unmark(claim.name)
    return done
  }
  const message = `Terminating on interruption: ${kind}`
  events.record(claimEvent(claim, 'Warning', 'TerminatingOnInterruption', message))
  for (const { metadata } of caches.nodes.by('byProviderId', claim.providerId ?? ''))
    events.record(nodeEvent(metadata, 'Warning', 'TerminatingOnInterruption', message))
  countDisruptedWithPods(context, claim, snakeCase(kind))
  log.info('Taking node away before its interruption', { NodeClaim: claim.name, reason: kind })
  return E.right(undefined)
}

/** What the longest grace of its pods takes, and some more for the eviction itself. */
const drainMs = ({ caches, state }: ReconcilerContext, { providerId }: ClaimState): number => {
  const pods = caches.nodes
    .by('byProviderId', providerId ?? '')
    .flatMap(({ metadata }) => state.podsOn(metadata.name))
    .filter(Pods.isReschedulable)
  const graces = pods.map(({ disruption }) => disruption.terminationGracePeriodSeconds ?? defaultGraceSeconds)
  return Math.max(0, ...graces) * 1000 + drainMarginMs
}

// An earlier deadline stands: an interruption may only make it shorter.
const stampDeadline = async (context: ReconcilerContext, claim: ClaimState, deadlineMs: number) => {
  const present = claim.annotations[annotationKeys.terminationTimestamp]
  const known = present === undefined ? E.left('') : Time.parseInstant(present)
  if (E.isRight(known) && known.right <= deadlineMs) return E.right(claim)
  const annotations = { [annotationKeys.terminationTimestamp]: Time.renderInstant(deadlineMs) }
  return writeClaimMetadata(context, claim, { annotations })()
}

const offeringOf = ({ labels }: ClaimState): Requirements | undefined => {
  const keys = [labelKeys.instanceType, labelKeys.zone, labelKeys.capacityType]
  const pins = keys.flatMap((key) => {
    const value = labels[key]
    return value === undefined ? [] : [Requirement.isIn(key, [value])]
  })
  return pins.length === keys.length ? Requirements.of(pins) : undefined
}
