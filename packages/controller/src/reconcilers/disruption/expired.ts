import { podKey, type ClaimState } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'
import { claimEvent } from '../event-records.ts'
import { evacuate } from './evacuate.ts'
import { replacesFirst } from './pool-settings.ts'

// Each takes a plan of its own; the rest follow in the next passes.
const mostInPass = 10

/**
 * Replaces nodes whose time is up and whose NodePool asks for replacements first; the others are deleted outright, by
 * `nodeclaim.expiration`. Returns how many were begun.
 */
export const replaceExpired = async (context: ReconcilerContext): Promise<number> => {
  const { caches, views, commands, nodeClasses, clock, events, shutdown } = context
  const nowMs = clock.nowMs()
  const expired = [...caches.nodeClaims.values()]
    .map(views.claim)
    .filter(
      (claim) =>
        isExpired(claim, nowMs) &&
        claim.deletionTimestampMs === undefined &&
        commands.of(claim.name) === undefined &&
        nodeClasses.isManaged(claim.nodeClass) &&
        replacesFirst(context, claim),
    )
    .sort((a, b) => a.createdAtMs - b.createdAtMs)
  let started = 0
  for (const claim of expired.slice(0, mostInPass)) {
    if (shutdown.aborted) break
    const outcome = await evacuate(context, claim, { reason: 'Expired', otherwise: 'stay' })
    if (outcome._tag === 'Started') started += 1
    if (outcome._tag !== 'Homeless') continue
    const [first] = outcome.pods
    const more = outcome.pods.length > 1 ? ` and ${outcome.pods.length - 1} others` : ''
    const message = `The node has expired and waits for a replacement: there is no place for pod ${first === undefined ? '' : podKey(first)}${more}`
    events.record(claimEvent(claim, 'Normal', 'DisruptionBlocked', message))
  }
  return started
}

const isExpired = ({ createdAtMs, expireAfterMs }: ClaimState, nowMs: number): boolean =>
  expireAfterMs !== undefined && nowMs >= createdAtMs + expireAfterMs
