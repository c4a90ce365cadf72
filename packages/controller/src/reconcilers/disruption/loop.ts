import {
  disruptionMethods,
  labelKeys,
  type DisruptionCommand,
  type DisruptionMethod,
  type DisruptionPlan,
  type Snapshot,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import { inSlices } from '../../runtime/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { tellAllowances, tellBudgets, tellCandidates, tellStats, tellWhyNot } from './announcements.ts'
import { replaceExpired } from './expired.ts'
import { consolidationTypes, isConsolidation, movingPods, planOf, reasonsOf, takeSnapshot } from './planning.ts'
import { followPodProtection } from './pod-protection.ts'
import { replacesFirst } from './pool-settings.ts'
import { startCommand } from './queue.ts'
import { cleanUp, resume } from './recovery.ts'
import { countRejected, tellApproved } from './scores.ts'
import { validate } from './validation.ts'

const pollMs = 10_000
const unsyncedPollMs = 1000
// A decision is carried out only if it still holds after this long (D-VALID-01).
const validationWaitMs = 15_000
// A clock that jumped, or a process that was stopped for a while, has missed what happened meanwhile (D-LOOP-06).
const abnormalGapMs = 15 * 60_000
// A search that found nothing is not repeated while nothing changes, or for this long (D-LOOP-12).
const fruitlessForMs = 5 * 60_000

/** A decision that has to hold for a while before it is carried out (D-VALID-01). */
interface Proposal {
  readonly method: DisruptionMethod
  readonly commands: ReadonlyArray<DisruptionCommand>
  readonly startedAtMs: number
  readonly dueMs: number
}

/** What the loop remembers from pass to pass. */
export interface LoopMemory {
  /** By method: the state of the cluster in which it found nothing. */
  readonly fruitless: Map<DisruptionMethod, { readonly revision: number; readonly atMs: number }>
  /** When the loop, and each method, last ran. */
  readonly lastRunMs: Map<DisruptionMethod | 'loop', number>
  /** What was said of budgets that cannot be followed, by NodePool. */
  readonly toldBudgets: Map<string, string>
  readonly pending: Array<Proposal>
}

export const emptyMemory = (): LoopMemory => ({
  fruitless: new Map(),
  lastRunMs: new Map(),
  toldBudgets: new Map(),
  pending: [],
})

/** `unsynced`: a claim is being launched, and what is planned around it could be bought twice. */
export type PassOutcome = 'started' | 'idle' | 'unsynced'

/**
 * Takes nodes away that are not needed as they are, one pass after the other. D-LOOP-01.
 *
 * A pass ends with the first method that finds something; its commands are carried out beside the passes that follow.
 */
export const runDisruption = async (context: ReconcilerContext): Promise<void> => {
  const { shutdown, log, clock, commands } = context
  const memory = emptyMemory()
  const protection = followPodProtection(context)
  for (const consolidation_type of ['multi', 'single'])
    context.metrics.add(families.disruptionConsolidationTimeouts, { consolidation_type }, 0)
  await resume(context)
  while (!shutdown.aborted) {
    let outcome: PassOutcome = 'idle'
    try {
      protection.tell()
      outcome = await disrupt(context, memory)
    } catch (cause) {
      log.error('Disruption failed', { error: String(cause instanceof Error ? cause.stack : cause) })
    }
    if (outcome === 'started') continue
    await clock.sleep(pauseMs(memory, outcome, clock.nowMs()), shutdown).catch(() => undefined)
  }
  protection.stop()
  await commands.settled()
}

const pauseMs = ({ pending }: LoopMemory, outcome: PassOutcome, nowMs: number): number => {
  if (outcome === 'unsynced') return unsyncedPollMs
  return Math.max(1, Math.min(pollMs, ...pending.map(({ dueMs }) => dueMs - nowMs)))
}

/**
 * One pass.
 *
 * What was proposed earlier and has waited long enough is looked at again and carried out. Then the methods are tried.
 * While nodes are proposed to be replaced nothing else is planned: their replacements are not there yet, so that plans
 * would buy for their pods once more. Nodes that only go leave no such gap, and the passes go on beside their wait.
 */
export const disrupt = async (context: ReconcilerContext, memory: LoopMemory): Promise<PassOutcome> => {
  const { state, clock, caches } = context
  noteRun(context, memory, 'loop')
  if (!caches.synced() || state.unaccountedClaims().length > 0) return 'unsynced'
  await cleanUp(context)
  tellBudgets(context, clock.nowMs(), memory.toldBudgets)
  if ((await replaceExpired(context)) > 0) return 'started'
  if (await carryOutDue(context, memory)) return 'started'
  if (memory.pending.some(({ commands }) => commands.some(({ replacements }) => replacements.length > 0))) return 'idle'
  const methods = worthTrying(context, memory)
  if (methods.length === 0) return 'idle'
  const revision = state.revision()
  const startedAtMs = clock.nowMs()
  const snapshot = await takeSnapshot(context)
  const plan = snapshot && (await planOf(context, snapshot, { methods, proposed: nodesOf(memory) }))
  if (snapshot === undefined || plan === undefined) return 'idle'
  for (const method of methods) noteRun(context, memory, method)
  tellAllowances(context, snapshot)
  tellStats(context, plan.stats)
  countRejected(context, plan.blocked)
  await inSlices(tellWhyNot(context, plan.blocked), context.steadyNowMs, context.shutdown)
  const { method, commands } = plan
  const fruitless = method === undefined ? methods : methods.slice(0, methods.indexOf(method))
  remember(context, memory, { plan, fruitless, revision })
  if (method === undefined) return 'idle'
  if (!isConsolidation(method)) {
    return (await begin(context, { method, commands, startedAtMs, snapshot: undefined })) ? 'started' : 'idle'
  }
  for (const command of commands) {
    tellApproved(context, command)
    tellCandidates(context, command)
  }
  memory.pending.push({ method, commands, startedAtMs, dueMs: clock.nowMs() + validationWaitMs })
  return 'started'
}

const nodesOf = ({ pending }: LoopMemory): ReadonlyArray<string> =>
  pending.flatMap(({ commands }) => commands.flatMap(({ candidates }) => candidates.map(({ node }) => node)))

/** Looks again at what was proposed a while ago, and begins what of it still holds. Whether any was begun. */
const carryOutDue = async (context: ReconcilerContext, memory: LoopMemory): Promise<boolean> => {
  const { clock, shutdown } = context
  const nowMs = clock.nowMs()
  // A clock that is set back must not keep a proposal for ever.
  const isDue = ({ dueMs }: Proposal) => dueMs <= nowMs || dueMs - nowMs > validationWaitMs
  let hasBegun = false
  for (let due = memory.pending.find(isDue); due !== undefined; due = memory.pending.find(isDue)) {
    memory.pending.splice(memory.pending.indexOf(due), 1)
    const confirmed = await validate(context, due.method, due.commands, nodesOf(memory))
    if (confirmed === undefined || shutdown.aborted) return false
    // Its nodes are candidates again, although nothing about them has changed.
    if (confirmed.commands.length < due.commands.length) memory.fruitless.clear()
    if (await begin(context, { ...due, ...confirmed })) hasBegun = true
  }
  return hasBegun
}

interface Found extends Pick<Proposal, 'method' | 'commands' | 'startedAtMs'> {
  /** Where the decision was looked at last; absent: what came since does not matter. */
  readonly snapshot: Snapshot | undefined
}

/** Begins all commands at once. Whether any was begun. */
const begin = async (
  context: ReconcilerContext,
  { method, commands, startedAtMs, snapshot }: Found,
): Promise<boolean> => {
  const { clock, metrics } = context
  // The wait counts (D-LOOP-10).
  metrics.observe(
    families.disruptionEvaluationDuration,
    { reason: reasonsOf[method], consolidation_type: consolidationTypes[method] },
    (clock.nowMs() - startedAtMs) / 1000,
  )
  const started = await Promise.all(
    commands
      .filter((command) => isAllowed(context, command))
      .map((command) =>
        startCommand(context, {
          command,
          reason: command.reason,
          consolidationType: consolidationTypes[method],
          otherwise: 'stay',
          ...(snapshot === undefined
            ? {}
            : { podsBefore: movingPods(snapshot, new Set(command.candidates.map(({ node }) => node))) }),
        }),
      ),
  )
  return started.some(Boolean)
}

// Nothing of a pool that replaces first goes before its replacement is there.
const isAllowed = (context: ReconcilerContext, { terminateFirst, candidates }: DisruptionCommand): boolean =>
  terminateFirst === undefined ||
  !candidates.some(({ nodePool }) => replacesFirst(context, { labels: { [labelKeys.nodePool]: nodePool } }))

/** The methods that may find something; those that lately found nothing wait for a change (D-LOOP-12). */
export const worthTrying = (
  { state, clock }: Pick<ReconcilerContext, 'state' | 'clock'>,
  { fruitless }: Pick<LoopMemory, 'fruitless'>,
): ReadonlyArray<DisruptionMethod> => {
  const revision = state.revision()
  const nowMs = clock.nowMs()
  return disruptionMethods.filter((method) => {
    const last = fruitless.get(method)
    return last === undefined || last.revision !== revision || Math.abs(nowMs - last.atMs) >= fruitlessForMs
  })
}

// Drift is looked for in any case; and where a budget stood in the way, time alone may change the answer (D-LOOP-13).
const remember = (
  { clock }: ReconcilerContext,
  memory: LoopMemory,
  {
    plan,
    fruitless,
    revision,
  }: {
    readonly plan: DisruptionPlan
    readonly fruitless: ReadonlyArray<DisruptionMethod>
    readonly revision: number
  },
): void => {
  if (plan.blocked.some(({ reason }) => reason._tag === 'Budget')) return
  for (const method of fruitless)
    if (isConsolidation(method)) memory.fruitless.set(method, { revision, atMs: clock.nowMs() })
}

const noteRun = (
  { clock, log }: ReconcilerContext,
  { lastRunMs }: LoopMemory,
  what: DisruptionMethod | 'loop',
): void => {
  const nowMs = clock.nowMs()
  const last = lastRunMs.get(what)
  lastRunMs.set(what, nowMs)
  if (last === undefined || nowMs - last <= abnormalGapMs) return
  log.debug('Disruption was not looked for in a long time', {
    of: what,
    'minutes-since': Math.round((nowMs - last) / 60_000),
  })
}
