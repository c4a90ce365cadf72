import * as E from 'fp-ts/lib/Either.js'
import { Conditions, Taints, type ClaimState } from '@scantling/core'
import type { RunningCommand } from '../../state/index.ts'
import { deleteClaim } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { unmark } from './marks.ts'
import { followCommand } from './queue.ts'
import { discardOrphans, isStaying, originOf, type Origin } from './replacements.ts'

/** As `DisruptionReason` says it of machines that the cloud takes away. */
export const interruptedReason = 'Interrupted'

/**
 * Takes up what an earlier process had begun, once, before the first pass.
 *
 * A command whose nodes are all marked and whose replacements are all there goes on where it was. Any other is over:
 * {@link cleanUp} takes its marks back.
 */
export const resume = async (context: ReconcilerContext): Promise<void> => {
  for (const [id, { origin, claims }] of commandsFound(context)) {
    const staying = origin.claims.filter((name) => isStaying(context.caches.nodeClaims.get(name)))
    const isWhole =
      claims.length === origin.replacements && claims.every((one) => one.deletionTimestampMs === undefined)
    const [first, ...rest] = staying
    if (first === undefined || !isWhole || !staying.every((name) => isMarked(context, name))) continue
    const running = runningOf(context, { id, origin, staying: [first, ...rest], replacements: claims })
    if (!context.commands.take(running)) continue
    for (const claim of running.candidates) context.state.markForDeletion(claim)
    context.log.info('Going on with a disruption that was under way', { 'command-id': id, NodeClaims: staying })
    followCommand(context, running)
  }
}

const commandsFound = ({ caches, views }: ReconcilerContext) => {
  const found = new Map<string, { readonly origin: Origin; readonly claims: ReadonlyArray<ClaimState> }>()
  for (const object of caches.nodeClaims.values()) {
    const claim = views.claim(object)
    const origin = originOf(claim)
    if (origin === undefined) continue
    found.set(origin.command, { origin, claims: [...(found.get(origin.command)?.claims ?? []), claim] })
  }
  return found
}

const runningOf = (
  { caches, views }: ReconcilerContext,
  {
    id,
    origin,
    staying,
    replacements,
  }: {
    readonly id: string
    readonly origin: Origin
    readonly staying: readonly [string, ...ReadonlyArray<string>]
    readonly replacements: ReadonlyArray<ClaimState>
  },
): RunningCommand => {
  const candidateOf = (name: string) => {
    const object = caches.nodeClaims.get(name)
    const claim = object && views.claim(object)
    return {
      node: claim?.nodeName ?? name,
      claim: name,
      nodePool: claim?.labels['karpenter.sh/nodepool'] ?? '',
      pricePerHour: 0,
      rescheduleCost: 0,
    }
  }
  const [first, ...rest] = staying
  return {
    id,
    startedAtMs: origin.startedAtMs,
    reason: origin.reason,
    consolidationType: origin.consolidationType,
    otherwise: origin.reason === interruptedReason ? 'go' : 'stay',
    command: {
      reason: 'Underutilized',
      candidates: [candidateOf(first), ...rest.map(candidateOf)],
      replacements: [],
      savingsPerHour: 0,
    },
    candidates: new Set(staying),
    replacements: new Set(replacements.map(({ name }) => name)),
  }
}

// Without a command that waits for its replacement there is nothing to wait for, and its time runs out.
const endInterrupted = async (context: ReconcilerContext): Promise<void> => {
  const { caches, views, commands, log } = context
  const lost = [...caches.nodeClaims.values()]
    .map(views.claim)
    .filter(
      ({ name, conditions, deletionTimestampMs }) =>
        deletionTimestampMs === undefined &&
        commands.of(name) === undefined &&
        Conditions.find(conditions, 'DisruptionReason')?.reason === interruptedReason,
    )
  await Promise.all(
    lost.map(async (claim) => {
      const deleted = await deleteClaim(context, claim)()
      if (E.isLeft(deleted))
        log.warn('Cannot end an interrupted node', { NodeClaim: claim.name, error: deleted.left.message })
    }),
  )
}

/**
 * Takes back the marks on nodes that stay, whoever left them there (D-LOOP-04), and replacements that nothing is
 * replaced by. A machine that the cloud takes away goes in any case.
 */
export const cleanUp = async (context: ReconcilerContext): Promise<void> => {
  const { caches, views, commands, state, log } = context
  const leftovers = [...caches.nodeClaims.values()]
    .map(views.claim)
    .filter(
      (claim) =>
        claim.deletionTimestampMs === undefined &&
        !state.isMarked(claim.name) &&
        commands.of(claim.name) === undefined &&
        Conditions.find(claim.conditions, 'DisruptionReason')?.reason !== interruptedReason &&
        (Conditions.find(claim.conditions, 'DisruptionReason') !== undefined || isTainted(context, claim.name)),
    )
  for (const { name } of leftovers) {
    const done = await unmark(context, name)
    if (E.isLeft(done)) log.warn('Cannot take back the mark of a node', { NodeClaim: name, error: done.left.message })
  }
  await endInterrupted(context)
  await discardOrphans(context)
}

const isMarked = (context: ReconcilerContext, claim: string): boolean => {
  const object = context.caches.nodeClaims.get(claim)
  return (
    object !== undefined &&
    Conditions.isTrue(context.views.claim(object).conditions, 'DisruptionReason') &&
    isTainted(context, claim)
  )
}

const isTainted = ({ caches, views }: ReconcilerContext, claim: string): boolean => {
  const providerId = caches.nodeClaims.get(claim)?.status.providerID
  if (providerId === undefined) return false
  return caches.nodes
    .by('byProviderId', providerId)
    .map(views.node)
    .some(
      ({ taints, deletionTimestampMs }) =>
        deletionTimestampMs === undefined && taints.some((taint) => Taints.isSameMark(taint, Taints.disruptedTaint)),
    )
}
