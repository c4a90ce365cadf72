import * as E from 'fp-ts/lib/Either.js'
import { Conditions, labelKeys, Pods, StateNodes, type ClaimState, type DisruptionCommand } from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { RunningCommand } from '../../state/index.ts'
import { deleteClaim } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { labelsOf } from '../count-disrupted.ts'
import { claimEvent, nodeEvent } from '../event-records.ts'
import { commandFacts, decisionOf, renderCommand, renderForNode, snakeCase } from './command-text.ts'
import { mark, unmark } from './marks.ts'
import { createReplacements, discardOrphans, isStaying } from './replacements.ts'
import { rollOver } from './roll-over.ts'

// How often a command looks whether its replacements are up (D-QUEUE-07).
const pollMs = 1000
const deleteBackoffMs = { first: 1000, longest: 10_000 }
// What a command may take grows with all that is under way, since all of it is launched at once (D-QUEUE-10).
const perCandidateMs = 80
const shortestLimitMs = 10 * 60_000
const longestLimitMs = 60 * 60_000

/** A decision on its way to being carried out. */
export interface Proposal extends Pick<
  RunningCommand,
  'command' | 'reason' | 'consolidationType' | 'otherwise' | 'goAtMs'
> {
  /** UIDs of the pods that were on each node when it was decided; absent: it matters not what came since. */
  readonly podsBefore?: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Begins a command: marks its nodes, creates what takes their place, and leaves the rest to a loop of its own.
 * D-QUEUE-02…06. Returns whether it is under way; what was begun and failed is taken back.
 *
 * The order is what keeps capacity from being bought twice: a node counts as leaving, so that provisioning places its
 * pods anew, only once the claims that are to take them are there to be seen.
 */
export const startCommand = async (context: ReconcilerContext, proposal: Proposal): Promise<boolean> => {
  const { commands, state, clock, random, log } = context
  const { podsBefore, ...rest } = proposal
  const running: RunningCommand = {
    ...rest,
    id: makeId(random),
    startedAtMs: clock.nowMs(),
    candidates: new Set(proposal.command.candidates.map(({ claim }) => claim)),
    replacements: new Set(),
  }
  if (!commands.take(running)) return false
  log.info('Disrupting nodes', {
    ...commandFacts(running, aboutNodes(context, running)),
    command: renderCommand(running),
  })

  const marked = await markAll(context, running, podsBefore)
  if (marked === undefined) {
    await rollBack(context, running, 'its nodes could not be marked, or changed meanwhile')
    return false
  }
  const created = await createReplacements(context, marked)
  if (E.isLeft(created)) {
    if (running.otherwise === 'stay') {
      await rollBack(context, marked, created.left)
      return false
    }
    log.warn('Cannot create replacements; the node goes without', { 'command-id': running.id, error: created.left })
  }
  const begun: RunningCommand = { ...marked, replacements: E.isRight(created) ? created.right : new Set() }
  commands.update(begun)
  for (const claim of begun.candidates) state.markForDeletion(claim)
  if (isDecided(begun)) countDecision(context, begun)
  followCommand(context, begun)
  return true
}

// Expiry and what the cloud does are no decisions of ours.
const isDecided = ({ reason }: RunningCommand): boolean => ['Underutilized', 'Empty', 'Drifted'].includes(reason)

/** D-QUEUE-20. */
const countDecision = (
  { metrics }: ReconcilerContext,
  { command, reason, consolidationType }: RunningCommand,
): void => {
  const labels = {
    decision: decisionOf(command),
    reason: snakeCase(reason),
    consolidation_type: consolidationType,
  }
  metrics.add(families.disruptionDecisions, labels)
  for (const nodepool of new Set(command.candidates.map(({ nodePool }) => nodePool)))
    metrics.add(families.disruptionDecisionsByNodePool, { nodepool, ...labels })
}

/** Takes up a command whose nodes are marked and whose replacements are created. */
export const followCommand = (context: ReconcilerContext, running: RunningCommand): void => {
  context.commands.follow(
    carryOut(context, running).catch((cause: unknown) => {
      context.log.error('A disruption failed, please report this', {
        'command-id': running.id,
        error: String(cause instanceof Error ? cause.stack : cause),
      })
      context.commands.release(running.id)
    }),
  )
}

/**
 * The command with those of its nodes that are marked; `undefined` where it must not go on (D-QUEUE-03).
 *
 * Between a decision and its mark a pod may have come. A node that was chosen for being empty stays then, and so do all
 * nodes of a command that reckoned with certain pods.
 */
const markAll = async (
  context: ReconcilerContext,
  running: RunningCommand,
  podsBefore: Proposal['podsBefore'],
): Promise<RunningCommand | undefined> => {
  const { state, commands, log } = context
  const { command } = running
  const outcomes = await Promise.all(
    command.candidates.map(async (candidate) => {
      const done = await mark(context, candidate.claim, running.reason)
      if (E.isLeft(done))
        log.warn('Cannot mark node for disruption', { Node: candidate.node, error: done.left.message })
      const before = podsBefore?.get(candidate.node)
      const isChanged =
        before !== undefined &&
        state.podsOn(candidate.node).some((pod) => Pods.isReschedulable(pod) && !before.has(pod.uid))
      return { candidate, isMarked: E.isRight(done), isChanged }
    }),
  )
  const kept = outcomes.filter(({ isMarked, isChanged }) => isMarked && !isChanged)
  const [first, ...others] = kept.map(({ candidate }) => candidate)
  if (kept.length === outcomes.length || running.otherwise === 'go') return running
  const mayShrink = command.replacements.length === 0 && running.consolidationType !== 'multi'
  if (first === undefined || !mayShrink) return undefined
  const dropped = outcomes.filter((one) => !kept.includes(one)).map(({ candidate }) => candidate.claim)
  await Promise.all(dropped.map((claim) => unmark(context, claim)))
  const left: DisruptionCommand = { ...command, candidates: [first, ...others] }
  const shrunk = { ...running, command: left, candidates: new Set([first, ...others].map(({ claim }) => claim)) }
  commands.update(shrunk)
  return shrunk
}

/** Waits for the replacements, then sends the nodes away; or takes everything back. */
const carryOut = async (context: ReconcilerContext, running: RunningCommand): Promise<void> => {
  const { clock, shutdown, log } = context
  const started = new Set<string>()
  while (!shutdown.aborted) {
    const verdict = look(context, running, started)
    if (verdict === 'go') {
      await rollOver(context, running)
      return terminate(context, running)
    }
    if (verdict !== 'wait') {
      if (running.otherwise === 'stay') {
        const { command, reason, consolidationType } = running
        context.metrics.add(
          families.disruptionQueueFailures,
          { decision: decisionOf(command), reason: snakeCase(reason), consolidation_type: consolidationType },
          running.replacements.size - started.size,
        )
        return rollBack(context, running, verdict.because)
      }
      log.warn('Node goes without its replacement', { 'command-id': running.id, reason: verdict.because })
      return terminate(context, running)
    }
    await clock.sleep(pollMs, shutdown).catch(() => undefined)
  }
}

/** `started`: replacements that were up once; they are not asked again (D-QUEUE-08). */
const look = (
  context: ReconcilerContext,
  running: RunningCommand,
  started: Set<string>,
): 'go' | 'wait' | { readonly because: string } => {
  const { caches, views, events, clock, commands } = context
  let lost: string | undefined
  for (const name of running.replacements) {
    if (started.has(name)) continue
    const object = caches.nodeClaims.get(name)
    const claim = object && views.claim(object)
    if (claim === undefined || claim.deletionTimestampMs !== undefined) lost ??= name
    else if (Conditions.isTrue(claim.conditions, 'Initialized')) started.add(name)
    else {
      const text = renderCommand(running)
      events.record(claimEvent(claim, 'Normal', 'DisruptionLaunching', `Launching NodeClaim: ${text}`))
      events.record(
        claimEvent(claim, 'Normal', 'DisruptionWaitingReadiness', 'Waiting on readiness to continue disruption'),
      )
    }
  }
  if (started.size === running.replacements.size) return 'go'
  const nowMs = clock.nowMs()
  if (running.goAtMs !== undefined && nowMs >= running.goAtMs) return 'go'
  // Nothing is left to wait with: whoever took the nodes away, the replacements have their pods to take.
  if (![...running.candidates].some((name) => isStaying(caches.nodeClaims.get(name)))) return 'go'
  if (lost !== undefined) return { because: `replacement ${lost} is gone` }
  const limitMs = Math.min(longestLimitMs, Math.max(shortestLimitMs, perCandidateMs * commands.candidates()))
  return nowMs - running.startedAtMs > limitMs
    ? { because: `its replacements were not up within ${Math.round(limitMs / 60_000)} minutes` }
    : 'wait'
}

const terminate = async (context: ReconcilerContext, running: RunningCommand): Promise<void> => {
  await Promise.all([...running.candidates].map((claim) => sendAway(context, running, claim)))
  // The marks stay until the claims are gone (D-QUEUE-14).
  if (!context.shutdown.aborted) context.commands.release(running.id)
}

/** Deletes one claim, until it is; counted once, and not at all where someone else was first. */
const sendAway = async (context: ReconcilerContext, running: RunningCommand, name: string): Promise<void> => {
  const { caches, views, events, clock, shutdown, log, metrics, state } = context
  for (let waitMs = deleteBackoffMs.first; !shutdown.aborted; waitMs = Math.min(2 * waitMs, deleteBackoffMs.longest)) {
    const object = caches.nodeClaims.get(name)
    const claim = object && views.claim(object)
    if (claim === undefined || claim.deletionTimestampMs !== undefined) return
    const pods = movingPods(context, claim)
    const deleted = await deleteClaim(context, claim)()
    if (E.isRight(deleted)) {
      const node = nodeOf(context, claim)
      events.record(
        claimEvent(
          claim,
          'Normal',
          'DisruptionTerminating',
          `Disrupting NodeClaim: ${renderForNode(running, node?.metadata.name ?? name)}`,
        ),
      )
      if (node !== undefined)
        events.record(
          nodeEvent(
            node.metadata,
            'Normal',
            'DisruptionTerminating',
            `Disrupting Node: ${renderForNode(running, node.metadata.name)}`,
          ),
        )
      const reason = running.countedAs ?? snakeCase(running.reason)
      const labels = labelsOf(claim, reason, running.consolidationType === '' ? '' : policyOf(context, claim))
      metrics.add(families.nodeClaimsDisrupted, labels)
      metrics.add(families.podsDisruptionInitiated, labels, pods.length)
      state.moved.note(pods)
      return
    }
    // Another object of the same name is not the one that was to go.
    if (deleted.left._tag === 'Conflict') return
    log.warn('Cannot delete NodeClaim, trying again', { NodeClaim: name, error: deleted.left.message })
    await clock.sleep(waitMs, shutdown).catch(() => undefined)
  }
}

const nodeOf = ({ caches }: ReconcilerContext, { providerId }: ClaimState) =>
  providerId === undefined ? undefined : caches.nodes.by('byProviderId', providerId)[0]

const movingPods = (context: ReconcilerContext, claim: ClaimState) => {
  const name = nodeOf(context, claim)?.metadata.name
  return name === undefined ? [] : context.state.podsOn(name).filter(Pods.isReschedulable)
}

const policyOf = ({ caches }: ReconcilerContext, { labels }: ClaimState): string =>
  snakeCase(caches.nodePools.get(labels[labelKeys.nodePool] ?? '')?.spec.disruption.consolidationPolicy ?? '')

/** Lets the nodes live on as if nothing had been decided; what fails here is made up for by the next pass. */
const rollBack = async (context: ReconcilerContext, running: RunningCommand, because: string): Promise<void> => {
  const { commands, state, log } = context
  const failures = (await Promise.all([...running.candidates].map((claim) => unmark(context, claim)))).filter(E.isLeft)
  for (const claim of running.candidates) state.unmark(claim)
  commands.release(running.id)
  log.warn('Disruption was taken back', {
    'command-id': running.id,
    reason: because,
    Nodes: running.command.candidates.map(({ node }) => node),
    ...(failures[0] === undefined ? {} : { error: failures[0].left.message }),
  })
  await discardOrphans(context)
}

const aboutNodes = ({ state }: ReconcilerContext, { candidates }: RunningCommand) => {
  const nodes = state.nodes().filter(({ claim }) => claim !== undefined && candidates.has(claim.name))
  const labels = new Map(nodes.map((node) => [node.name, StateNodes.labelsOf(node)]))
  return {
    pods: nodes.reduce((sum, { pods }) => sum + pods.filter(Pods.isReschedulable).length, 0),
    labelsOf: (node: string) => labels.get(node) ?? {},
  }
}

/** A random UUID (version 4). D-LOOP-08. */
const makeId = (random: () => number): string => {
  const digits = Array.from({ length: 32 }, (_, index) =>
    index === 12 ? '4' : Math.floor(random() * 16).toString(16),
  ).join('')
  const variant = (8 + (Number.parseInt(digits.charAt(16), 16) % 4)).toString(16)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    variant + digits.slice(17, 20),
    digits.slice(20),
  ].join('-')
}
