import * as E from 'fp-ts/lib/Either.js'
import {
  allowances,
  isBudgetActive,
  labelKeys,
  renderBlocked,
  StateNodes,
  Time,
  type BlockedNode,
  type BlockedReason,
  type Budget,
  type DisruptionCommand,
  type DisruptionReason,
  type DisruptionStats,
  type NodePool,
  type Snapshot,
  type ValidationFailure,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { claimEvent, nodeEvent, nodePoolEvent } from '../event-records.ts'
import { reasonsOf } from './planning.ts'

const unconsolidatableTtlMs = 15 * 60_000
const poolBlockedTtlMs = 60_000
const reasons: ReadonlyArray<DisruptionReason> = ['Underutilized', 'Empty', 'Drifted']

/**
 * What keeps a node from every method (D-CAND-03…07), told as `DisruptionBlocked`; the rest is told as
 * `Unconsolidatable`.
 */
const gates: ReadonlySet<BlockedReason['_tag']> = new Set([
  'NotInitialized',
  'Deleting',
  'DoNotDisrupt',
  'Nominated',
  'NodePoolNotFound',
  'PodDoNotDisrupt',
  'PodDisruptionBudget',
  'NoNode',
])

/** What needs no event: it is somebody else's node, or its turn has not come. */
const silent: ReadonlySet<BlockedReason['_tag']> = new Set(['NoClaim', 'InFlight', 'OthersFirst'])

/**
 * Tells for every node that stays what keeps it, on Node and claim. Equal news about a node is told once in a while;
 * another reason is other news (weakness W-31 of the reference).
 */
export function* tellWhyNot(
  { events, caches }: ReconcilerContext,
  blocked: ReadonlyArray<BlockedNode>,
): Generator<void, void, void> {
  for (const { node, reason } of blocked) {
    yield
    if (silent.has(reason._tag)) continue
    const message = renderBlocked(reason)
    const isGate = gates.has(reason._tag)
    const event = isGate ? 'DisruptionBlocked' : 'Unconsolidatable'
    const news = { ...(isGate ? {} : { ttlMs: unconsolidatableTtlMs }) }
    const object = caches.nodes.get(node)
    const about = whatBinds(reason)
    if (object !== undefined)
      events.record({
        ...nodeEvent(object.metadata, 'Normal', event, message),
        ...news,
        dedupe: [object.metadata.uid, ...about],
      })
    const claims =
      object === undefined
        ? [caches.nodeClaims.get(node)]
        : caches.nodeClaims.by('byProviderId', object.spec.providerID ?? '')
    for (const claim of claims)
      if (claim !== undefined)
        events.record({
          ...claimEvent(claim.metadata, 'Normal', event, message),
          ...news,
          dedupe: [claim.metadata.uid, ...about],
        })
  }
}

// Prices, counts and times change from pass to pass; that alone is no news.
const whatBinds = (reason: BlockedReason): ReadonlyArray<string> => {
  switch (reason._tag) {
    case 'PodDoNotDisrupt':
      return [reason._tag, reason.pod]
    case 'PodDisruptionBudget':
      return [reason._tag, reason.pod, ...reason.budgets]
    case 'PodsWithoutPlace':
      return [reason._tag, ...reason.pods]
    // A machine that starts is one after the other.
    case 'NoNode':
    case 'NotInitialized':
    case 'Nominated':
      return ['Starting']
    default:
      return [reason._tag]
  }
}

/** Tells that nodes stay after all, because their disruption did not hold. */
export const tellRejected = (
  context: ReconcilerContext,
  command: DisruptionCommand,
  { kind, blocked }: ValidationFailure,
): void => {
  const [first] = blocked
  const why = first === undefined ? 'its replacement would be another by now' : renderBlocked(first.reason)
  tellNodes(context, command, 'ConsolidationRejected', `Consolidation no longer holds (${kind}): ${why}`)
}

/** Tells which nodes are to be replaced, before it is known whether that holds (D-CONS-10). */
export const tellCandidates = (context: ReconcilerContext, command: DisruptionCommand): void => {
  if (command.replacements.length === 0) return
  const { candidates, savingsPerHour } = command
  const nodes = candidates.length === 1 ? 'the node' : `${candidates.length} nodes`
  const message = `Replacing ${nodes} would save ${savingsPerHour.toFixed(2)} per hour`
  tellNodes(context, command, 'ConsolidationCandidate', message)
}

/** Tells Node and claim of each of a command's nodes. */
export const tellNodes = (
  { events, caches }: Pick<ReconcilerContext, 'events' | 'caches'>,
  { candidates }: DisruptionCommand,
  reason: string,
  message: string,
): void => {
  for (const { node, claim } of candidates) {
    const nodeObject = caches.nodes.get(node)
    const claimObject = caches.nodeClaims.get(claim)
    if (nodeObject !== undefined)
      events.record({
        ...nodeEvent(nodeObject.metadata, 'Normal', reason, message),
        dedupe: [nodeObject.metadata.uid, message],
      })
    if (claimObject !== undefined)
      events.record({
        ...claimEvent(claimObject.metadata, 'Normal', reason, message),
        dedupe: [claimObject.metadata.uid, message],
      })
  }
}

/** What plans counted: nodes that could go by reason, and searches that ended at their bound. */
export const tellStats = ({ metrics }: ReconcilerContext, { eligible, search }: DisruptionStats): void => {
  // Of two methods of one reason the later counts, as in the reference.
  for (const { method, nodes } of eligible)
    metrics.set(families.disruptionEligibleNodes, { reason: reasonsOf[method] }, nodes)
  if (search?.isComplete === false)
    metrics.add(families.disruptionConsolidationTimeouts, { consolidation_type: 'multi' })
}

/** What budgets leave now, as gauges (D-BUDG-10), and an event on a NodePool of which nothing may go (D-BUDG-11). */
export const tellAllowances = ({ metrics, events, caches }: ReconcilerContext, snapshot: Snapshot): void => {
  const { nodePools, nodes, nowMs } = snapshot
  const managed = nodePools.filter(({ isManaged }) => isManaged)
  const counted = new Set(
    nodes
      .filter((node) => node.isManaged && StateNodes.isInitialized(node))
      .map((node) => StateNodes.labelsOf(node)[labelKeys.nodePool]),
  )
  for (const reason of reasons) {
    for (const [nodepool, { allowed, consumed }] of allowances(managed, nodes, reason, nowMs)) {
      const finite = Number.isFinite(allowed) ? allowed : 2 ** 31 - 1
      metrics.set(families.nodePoolsAllowedDisruptions, { nodepool, reason }, finite)
      metrics.set(families.nodePoolsConsumingBudgets, { nodepool, reason }, consumed)
      const pool = caches.nodePools.get(nodepool)
      if (allowed > 0 || !counted.has(nodepool) || pool === undefined) continue
      events.record({
        ...nodePoolEvent(
          pool.metadata,
          'Normal',
          'DisruptionBlocked',
          `No allowed disruptions for disruption reason ${reason} due to blocking budget`,
        ),
        dedupe: [pool.metadata.uid, reason],
        ttlMs: poolBlockedTtlMs,
      })
    }
  }
}

/**
 * Tells of budgets that cannot mean what was meant: those that cannot be read, which keep every node (D-BUDG-06,
 * D-LOOP-05), and those whose window never opens, which keep none. `told`: what was said already, by NodePool.
 */
export const tellBudgets = (
  { log, events, state, caches }: ReconcilerContext,
  nowMs: number,
  told: Map<string, string>,
): void => {
  for (const pool of state.nodePools()) {
    if (!pool.isManaged) continue
    const problems = pool.disruption.budgets.flatMap((budget) => problemsOf(budget, nowMs))
    const text = problems.map(({ message }) => message).join('; ')
    if ((told.get(pool.name) ?? '') === text) continue
    told.set(pool.name, text)
    const object = caches.nodePools.get(pool.name)
    for (const { reason, message } of problems) {
      log.warn('A budget cannot be followed as it is meant', { NodePool: pool.name, error: message })
      if (object !== undefined)
        events.record({ ...nodePoolEvent(object.metadata, 'Warning', reason, message), dedupe: [pool.uid, message] })
    }
  }
}

const problemsOf = (
  budget: NodePool['disruption']['budgets'][number],
  nowMs: number,
): ReadonlyArray<{ readonly reason: string; readonly message: string }> => {
  const active = isBudgetActive(budget, nowMs)
  const name = `Budget of ${budget.nodes} nodes with the schedule "${budget.schedule ?? ''}"`
  if (E.isLeft(active))
    return [{ reason: 'InvalidBudget', message: `${name} keeps every node: ${active.left}; correct the schedule` }]
  return opensEver(budget, nowMs)
    ? []
    : [
        {
          reason: 'BudgetNeverActive',
          message: `${name} never holds: no such day comes; correct the schedule or remove the budget`,
        },
      ]
}

const opensEver = ({ schedule }: Budget, nowMs: number): boolean => {
  const cron = schedule === undefined ? undefined : Time.parseCron(schedule)
  return cron === undefined || E.isLeft(cron) || Time.nextAfter(cron.right, nowMs) !== undefined
}
