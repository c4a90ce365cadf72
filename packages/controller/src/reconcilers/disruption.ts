import * as E from 'fp-ts/lib/Either.js'
import {
  renderBlocked,
  planEmptiness,
  Taints,
  type BlockedNode,
  type Candidate,
  type ClaimState,
  type DisruptionPlan,
} from '@scantling/core'
import { families } from '../observability/index.ts'
import { deleteClaim, writeClaimStatus } from './claim-writes.ts'
import type { ReconcilerContext } from './context.ts'
import { claimEvent, nodeEvent, nodePoolEvent } from './event-records.ts'
import { countDisrupted } from './count-disrupted.ts'
import { taintManifest } from './node-writes.ts'

const pollMs = 10_000
// A decision is carried out only if it still holds after this long (D-VALID-01).
const validationWaitMs = 15_000
const blockedTtlMs = 15 * 60_000
const poolBlockedTtlMs = 60_000

/**
 * Takes empty nodes away, as their NodePools' budgets allow. D-LOOP-01…07, D-EMPTY-01…05, D-QUEUE-02.
 *
 * A plan is made, then made again after a wait; what both name is carried out.
 */
export const runDisruption = async (context: ReconcilerContext): Promise<void> => {
  const { shutdown, log, clock } = context
  while (!shutdown.aborted) {
    let started = 0
    try {
      await cleanUp(context)
      started = await disruptEmpty(context)
    } catch (cause) {
      log.error('Disruption failed', { error: String(cause instanceof Error ? cause.stack : cause) })
    }
    if (started === 0) await clock.sleep(pollMs, shutdown).catch(() => undefined)
  }
}

const plan = async (context: ReconcilerContext): Promise<DisruptionPlan> => {
  const { state, types, shutdown } = context
  const call = { signal: shutdown, cluster: context.clusterFacts() }
  // A pool whose types cannot be had keeps its nodes; provisioning reports the failure.
  const instanceTypes = await types.ofNodePools(state.nodePools(), call, () => undefined)
  return planEmptiness(state.snapshot(instanceTypes))
}

/** One pass. Returns how many nodes it sent away. */
export const disruptEmpty = async (context: ReconcilerContext): Promise<number> => {
  const { clock, shutdown, metrics, log } = context
  const startedMs = clock.nowMs()
  const first = await plan(context)
  metrics.set(families.disruptionEligibleNodes, { reason: 'empty' }, first.stats.candidates)
  explainWhyNot(context, first.blocked)
  const proposed = first.commands.flatMap(({ candidates }) => candidates)
  if (proposed.length === 0) return 0
  await clock.sleep(validationWaitMs, shutdown).catch(() => undefined)
  if (shutdown.aborted) return 0
  const second = await plan(context)
  const still = new Map(second.commands.flatMap(({ candidates }) => candidates.map((one) => [one.claim, one] as const)))
  const confirmed = proposed.filter(({ claim }) => still.has(claim))
  const dropped = proposed.length - confirmed.length
  if (dropped > 0) metrics.add(families.disruptionFailedValidations, { consolidation_type: 'empty' }, dropped)
  metrics.observe(
    families.disruptionEvaluationDuration,
    { reason: 'empty', consolidation_type: 'empty' },
    (clock.nowMs() - startedMs) / 1000,
  )
  if (confirmed.length === 0) return 0
  metrics.add(families.disruptionDecisions, { decision: 'delete', reason: 'empty', consolidation_type: 'empty' })
  log.info('Disrupting empty nodes', {
    Nodes: confirmed.map(({ node }) => node),
    'savings-per-hour': confirmed.reduce((sum, { pricePerHour }) => sum + pricePerHour, 0),
  })
  const gone = await Promise.all(confirmed.map((candidate) => disrupt(context, candidate)))
  return gone.filter(Boolean).length
}

// Marked before anything is written, so that no pass between plans pods onto it; unmarked when the deletion fails.
const disrupt = async (context: ReconcilerContext, candidate: Candidate): Promise<boolean> => {
  const { caches, views, state, events, log } = context
  const object = caches.nodeClaims.get(candidate.claim)
  if (object === undefined) return false
  const claim = views.claim(object)
  state.markForDeletion(claim.name)
  const done = await send(context, claim, candidate)
  if (E.isLeft(done)) {
    state.unmark(claim.name)
    log.warn('Cannot disrupt node', { Node: candidate.node, error: done.left.message })
    return false
  }
  const message = 'Disrupting NodeClaim: Empty'
  events.record(claimEvent(claim, 'Normal', 'DisruptionTerminating', message))
  const node = caches.nodes.get(candidate.node)
  if (node !== undefined)
    events.record(nodeEvent(node.metadata, 'Normal', 'DisruptionTerminating', 'Disrupting Node: Empty'))
  countDisrupted(context, claim, 'empty')
  return true
}

const send = async (context: ReconcilerContext, claim: ClaimState, candidate: Candidate) => {
  const tainted = await setTaint(context, candidate.node, true)
  if (E.isLeft(tainted)) return tainted
  const marked = await writeClaimStatus(context, claim, [
    { type: 'DisruptionReason', status: 'True', reason: 'Empty', message: 'Empty' },
  ])()
  if (E.isLeft(marked)) return marked
  return deleteClaim(context, claim)()
}

/** Adds or removes the mark that keeps new pods away, if it is not as wanted already. */
const setTaint = async (context: ReconcilerContext, name: string, isWanted: boolean) => {
  const { caches, kube, views } = context
  const object = caches.nodes.get(name)
  if (object === undefined) return E.right(undefined)
  const { taints, resourceVersion } = views.node(object)
  const rest = taints.filter((taint) => !Taints.isSameMark(taint, Taints.disruptedTaint))
  if (isWanted !== (rest.length === taints.length)) return E.right(undefined)
  const body = {
    metadata: { resourceVersion },
    spec: { taints: (isWanted ? [...rest, Taints.disruptedTaint] : rest).map(taintManifest) },
  }
  const patched = await kube.patch(caches.nodes.kind, { name }, { type: 'merge', body })()
  if (E.isLeft(patched)) return patched
  caches.nodes.observe(patched.right)
  return E.right(undefined)
}

/** Takes back the marks that a pass of an earlier process left on nodes that stay (D-LOOP-04). */
const cleanUp = async (context: ReconcilerContext): Promise<void> => {
  for (const state of context.state.nodes()) {
    const { node, claim } = state
    if (
      node === undefined ||
      claim === undefined ||
      state.isMarkedForDeletion ||
      node.deletionTimestampMs !== undefined
    )
      continue
    if (!node.taints.some((taint) => Taints.isSameMark(taint, Taints.disruptedTaint))) continue
    const cleared = await setTaint(context, node.name, false)
    if (E.isLeft(cleared)) continue
    await writeClaimStatus(context, claim, [{ type: 'DisruptionReason', status: 'Absent' }])()
  }
}

const explainWhyNot = ({ events, caches }: ReconcilerContext, blocked: ReadonlyArray<BlockedNode>): void => {
  for (const { node, reason } of blocked) {
    if (reason._tag === 'Budget') {
      const pool = caches.nodePools.get(reason.nodePool)
      // One for the pool says it all (D-BUDG-11).
      if (pool !== undefined)
        events.record({
          ...nodePoolEvent(pool.metadata, 'Normal', 'DisruptionBlocked', renderBlocked(reason)),
          dedupe: [pool.metadata.uid, 'empty'],
          ttlMs: poolBlockedTtlMs,
        })
      continue
    }
    // Nodes with work on them and nodes in motion are the ordinary case, not news.
    if (reason._tag === 'NotEmpty' || reason._tag === 'NotConsolidatable' || reason._tag === 'Deleting') continue
    const object = caches.nodes.get(node)
    if (object === undefined) continue
    const isDisabled = reason._tag === 'ConsolidationDisabled'
    events.record({
      ...nodeEvent(
        object.metadata,
        'Normal',
        isDisabled ? 'Unconsolidatable' : 'DisruptionBlocked',
        renderBlocked(reason),
      ),
      ...(isDisabled ? { ttlMs: blockedTtlMs } : {}),
    })
  }
}
