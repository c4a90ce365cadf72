import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  annotationKeys,
  Conditions,
  nodePoolHashVersion,
  scantlingKeys,
  staticLaunch,
  type ClaimState,
  type NodeClaimObject,
  type Replacement,
} from '@scantling/core'
import type { RunningCommand } from '../../state/index.ts'
import { deleteClaim } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { createClaim, type ClaimOrder } from '../provisioning/index.ts'

/** What a replacement says of the command that it was made for. */
export interface Origin {
  readonly command: string
  readonly reason: string
  readonly consolidationType: string
  /** Claims that it takes the place of, together with its siblings. */
  readonly claims: ReadonlyArray<string>
  /** How many replacements there are to be. */
  readonly replacements: number
  readonly startedAtMs: number
}

const originCodec = t.type({
  command: t.string,
  reason: t.string,
  consolidationType: t.string,
  claims: t.array(t.string),
  replacements: t.number,
  startedAtMs: t.number,
})

/** What the claim says it was made for; `undefined` where it says nothing, or nothing readable. */
export const originOf = ({ annotations }: Pick<ClaimState, 'annotations'>): Origin | undefined => {
  const text = Object.hasOwn(annotations, scantlingKeys.replaces) ? annotations[scantlingKeys.replaces] : undefined
  if (text === undefined) return undefined
  const parsed = E.tryCatch(
    () => JSON.parse(text) as unknown,
    () => undefined,
  )
  const decoded = E.isLeft(parsed) ? parsed : originCodec.decode(parsed.right)
  return E.isLeft(decoded) ? undefined : decoded.right
}

/**
 * Creates the claims that take the place of a command's nodes, all at once (D-QUEUE-05). Limits count every machine
 * that there is, those that are to go included, so that they hold while both are up.
 *
 * Errors: the first of them, as a sentence; others may have been created.
 */
export const createReplacements = async (
  context: ReconcilerContext,
  running: RunningCommand,
): Promise<E.Either<string, ReadonlySet<string>>> => {
  const { reason } = running.command
  const replacements = ownReplacements(context, running)
  const origin: Origin = {
    command: running.id,
    reason: running.reason,
    consolidationType: running.consolidationType,
    claims: [...running.candidates],
    replacements: replacements.length,
    startedAtMs: running.startedAtMs,
  }
  const purpose = {
    reason: running.reason.toLowerCase() || reason.toLowerCase(),
    annotations: { [scantlingKeys.replaces]: JSON.stringify(origin) },
    // A machine that is lost in any case is none to count.
    counted: running.otherwise === 'go' ? { leaving: running.candidates } : 'all',
  } as const
  const created = await Promise.all(
    replacements.map(async (replacement) => {
      const order = orderOf(context, replacement)
      return E.isLeft(order) ? order : createClaim(context, order.right, purpose)
    }),
  )
  const failed = created.find(E.isLeft)
  if (failed !== undefined) return failed
  return E.right(new Set(created.flatMap((one) => (E.isRight(one) ? [one.right.name] : []))))
}

// Plans place pods that wait, or whose node goes for another reason, as well; provisioning buys for those.
const ownReplacements = ({ state }: ReconcilerContext, { command }: RunningCommand): ReadonlyArray<Replacement> => {
  const own = new Set(command.candidates.flatMap(({ node }) => state.podsOn(node).map(({ uid }) => uid)))
  return command.replacements.filter(
    (one) => one.instanceTypes === undefined || one.pods.some(({ uid }) => own.has(uid)),
  )
}

const orderOf = (
  { caches, views, state }: ReconcilerContext,
  replacement: Replacement,
): E.Either<string, ClaimOrder> => {
  if (replacement.instanceTypes !== undefined) return E.right(replacement)
  const object = caches.nodePools.get(replacement.nodePool)
  if (object === undefined) return E.left(`NodePool ${replacement.nodePool} is gone`)
  const pool = views.nodePool(object)
  const launch = staticLaunch(pool, state.labelRules)
  return E.right({
    ...launch,
    annotations: {
      ...launch.annotations,
      [annotationKeys.nodePoolHash]: pool.hash,
      [annotationKeys.nodePoolHashVersion]: nodePoolHashVersion,
    },
  })
}

/**
 * Deletes replacements of commands that came to nothing, while they are of no use to anyone.
 *
 * A node that has started is ordinary capacity, which goes when it is empty; one that is being launched, or that pods
 * were promised, is waited for.
 * What was made for a command that did take its nodes away stays as well: pods are on their way to it.
 */
export const discardOrphans = async (context: ReconcilerContext): Promise<void> => {
  const { caches, views, state, commands, clock, log } = context
  const promised = new Set(
    state
      .nodes()
      .flatMap(({ claim, nominatedUntilMs = 0 }) =>
        claim !== undefined && nominatedUntilMs > clock.nowMs() ? [claim.name] : [],
      ),
  )
  const orphans = [...caches.nodeClaims.values()].filter((object) => {
    if (!Object.hasOwn(object.metadata.annotations, scantlingKeys.replaces)) return false
    const claim = views.claim(object)
    const origin = originOf(claim)
    return (
      origin !== undefined &&
      claim.deletionTimestampMs === undefined &&
      // Deleted while the cloud is being asked for its machine, it would lose that machine.
      claim.providerId !== undefined &&
      commands.get(origin.command) === undefined &&
      !Conditions.isTrue(claim.conditions, 'Initialized') &&
      !promised.has(claim.name) &&
      origin.claims.some((name) => isStaying(caches.nodeClaims.get(name)))
    )
  })
  await Promise.all(
    orphans.map(async (object) => {
      const claim = views.claim(object)
      const deleted = await deleteClaim(context, claim)()
      if (E.isRight(deleted)) log.info('Deleted a replacement that nothing is replaced by', { NodeClaim: claim.name })
    }),
  )
}

/** Whether a claim is there and nobody has deleted it. */
export const isStaying = (object: NodeClaimObject | undefined): boolean =>
  object !== undefined && object.metadata.deletionTimestamp === undefined
