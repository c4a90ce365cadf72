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
import { validate } from './validation.ts'

const pollMs = 10_000
const unsyncedPollMs = 1000
// A clock that jumped, or a process that was stopped for a while, has missed what happened meanwhile (D-LOOP-06).
const abnormalGapMs = 15 * 60_000
// A search that found nothing is not repeated while nothing changes, or for this long (D-LOOP-12).
const fruitlessForMs = 5 * 60_000

/** What the loop remembers from pass to pass. */
export interface LoopMemory {
  /** By method: the state of the cluster in which it found nothing. */
  readonly fruitless: Map<DisruptionMethod, { readonly revision: number; readonly atMs: number }>
  /** When the loop, and each method, last ran. */
  readonly lastRunMs: Map<DisruptionMethod | 'loop', number>
  /** What was said of budgets that cannot be followed, by NodePool. */
  readonly toldBudgets: Map<string, string>
}

export const emptyMemory = (): LoopMemory => ({
  fruitless: new Map(),
  lastRunMs: new Map(),
  toldBudgets: new Map(),
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
    await clock.sleep(outcome === 'idle' ? pollMs : unsyncedPollMs, shutdown).catch(() => undefined)
  }
  protection.stop()
  await commands.settled()
}

/** One pass. */
export const disrupt = async (context: ReconcilerContext, memory: LoopMemory): Promise<PassOutcome> => {
  const { state, clock, caches } = context
  noteRun(context, memory, 'loop')
  if (!caches.synced() || state.unaccountedClaims().length > 0) return 'unsynced'
  await cleanUp(context)
  tellBudgets(context, clock.nowMs(), memory.toldBudgets)
  if ((await replaceExpired(context)) > 0) return 'started'
  let methods = worthTrying(context, memory)
  while (methods.length > 0) {
    const revision = state.revision()
    const startedAtMs = clock.nowMs()
    const snapshot = await takeSnapshot(context)
    const plan = snapshot && (await planOf(context, snapshot, methods))
    if (snapshot === undefined || plan === undefined) return 'idle'
    for (const method of methods) noteRun(context, memory, method)
    tellAllowances(context, snapshot)
    tellStats(context, plan.stats)
    await inSlices(tellWhyNot(context, plan.blocked), context.steadyNowMs, context.shutdown)
    const fruitless = plan.method === undefined ? methods : methods.slice(0, methods.indexOf(plan.method))
    remember(context, memory, { plan, fruitless, revision })
    if (plan.method === undefined) return 'idle'
    if (await carryOut(context, { plan, method: plan.method, snapshot, startedAtMs })) return 'started'
    methods = methods.slice(methods.indexOf(plan.method) + 1)
  }
  return 'idle'
}

interface Found {
  readonly plan: DisruptionPlan
  readonly method: DisruptionMethod
  readonly snapshot: Snapshot
  readonly startedAtMs: number
}

/** Lets what was found hold for a while, where it must, and begins all of it at once. Whether any was begun. */
const carryOut = async (
  context: ReconcilerContext,
  { plan, method, snapshot, startedAtMs }: Found,
): Promise<boolean> => {
  const { clock, metrics, shutdown } = context
  if (isConsolidation(method)) for (const command of plan.commands) tellCandidates(context, command)
  const confirmed = isConsolidation(method)
    ? await validate(context, method, plan.commands)
    : { commands: plan.commands, snapshot }
  metrics.observe(
    families.disruptionEvaluationDuration,
    { reason: reasonsOf[method], consolidation_type: consolidationTypes[method] },
    (clock.nowMs() - startedAtMs) / 1000,
  )
  if (confirmed === undefined || shutdown.aborted) return false
  const started = await Promise.all(
    confirmed.commands
      .filter((command) => isAllowed(context, command))
      .map((command) =>
        startCommand(context, {
          command,
          reason: command.reason,
          consolidationType: consolidationTypes[method],
          otherwise: 'stay',
          ...(isConsolidation(method)
            ? { podsBefore: movingPods(confirmed.snapshot, new Set(command.candidates.map(({ node }) => node))) }
            : {}),
        }),
      ),
  )
  return started.some(Boolean)
}

// Nothing of a pool that replaces first goes before its replacement is there.
const isAllowed = (context: ReconcilerContext, { terminateFirst, candidates }: DisruptionCommand): boolean =>
  terminateFirst === undefined ||
  !candidates.some(({ nodePool }) => replacesFirst(context, { labels: { [labelKeys.nodePool]: nodePool } }))

const worthTrying = (
  { state, clock }: ReconcilerContext,
  { fruitless }: LoopMemory,
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
