import * as E from 'fp-ts/lib/Either.js'
import {
  annotationKeys,
  labelKeys,
  Requirement,
  Requirements,
  Time,
  type ClaimState,
  type Interruption,
} from '@scantling/core'
import type { ReconcileError } from '../queue/index.ts'
import { deleteClaim, writeClaimMetadata } from './claim-writes.ts'
import type { ReconcilerContext } from './context.ts'
import { claimEvent, nodeEvent } from './event-records.ts'
import { countDisrupted } from './count-disrupted.ts'

const failedPollMs = 10_000

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
    for (const { receipt, interruptions } of received.right)
      if ((await Promise.all(interruptions.map((one) => interrupt(context, one)))).every(E.isRight)) done.push(receipt)
    if (done.length === 0) continue
    const acknowledged = await source.acknowledge(done, call)()
    if (E.isLeft(acknowledged)) log.warn('Cannot acknowledge interruptions', { error: acknowledged.left.message })
  }
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

/** Carries out one interruption; one of a machine that is not ours changes nothing. */
export const interrupt = async (
  context: ReconcilerContext,
  interruption: Interruption,
): Promise<E.Either<ReconcileError, void>> => {
  const { caches, views, events, types, state, log } = context
  const providerId = context.instanceIds.resolve(interruption.id) ?? interruption.id
  const object = caches.nodeClaims.by('byProviderId', providerId)[0]
  if (object === undefined) return E.right(undefined)
  const claim = views.claim(object)
  const { kind, action, message = `The cloud announced: ${kind}`, losesOfferingForMs, deadlineMs } = interruption
  events.record(claimEvent(claim, 'Warning', kind, message))
  for (const { metadata } of caches.nodes.by('byProviderId', providerId))
    events.record(nodeEvent(metadata, 'Warning', kind, message))
  if (losesOfferingForMs !== undefined) {
    const match = offeringOf(claim)
    if (match !== undefined) types.learn({ unavailable: [{ match, forMs: losesOfferingForMs, reason: kind }] })
  }
  if (action === 'notify' || claim.deletionTimestampMs !== undefined) return E.right(undefined)
  // Marked first, so that its pods count as waiting for a machine from now on.
  state.markForDeletion(claim.name)
  const limitMs = action === 'force' ? context.clock.nowMs() : deadlineMs
  const stamped = limitMs === undefined ? E.right(claim) : await stampDeadline(context, claim, limitMs)
  const done = E.isLeft(stamped) ? stamped : await deleteClaim(context, stamped.right)()
  if (E.isLeft(done)) {
    state.unmark(claim.name)
    return done
  }
  countDisrupted(context, claim, kind)
  log.info('Taking node away before its interruption', { NodeClaim: claim.name, reason: kind })
  return E.right(undefined)
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
