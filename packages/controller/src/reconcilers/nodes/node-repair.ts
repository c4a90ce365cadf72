import * as E from 'fp-ts/lib/Either.js'
import {
  annotationKeys,
  isRepairSafe,
  labelKeys,
  Labels,
  repairDue,
  Time,
  type ClaimState,
  type NodeObject,
  type NodeState,
  type RepairDue,
  type RepairPolicy,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { Reconciler, RunningReconciler } from '../../queue/index.ts'
import { deleteClaim, writeClaimMetadata } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { countDisruptedWithPods } from '../count-disrupted.ts'
import { settingsOf } from '../disruption/index.ts'
import { claimEvent, nodeEvent, nodePoolEvent } from '../event-records.ts'

const blockedRetryMs = 300_000
const blockedTtlMs = 900_000

/**
 * Replaces nodes that have been unhealthy for longer than their provider has patience. H-HEALTH-01…08.
 *
 * Budgets, `do-not-disrupt` and a configured grace do not hold it up: the deadline of the drain is now. What does is a
 * fifth of the NodePool, since what ails so many is no fault of single machines. A policy with a deadline is an
 * announcement of the cloud: no breaker, and pods have until then.
 */
export const nodeRepair = (context: ReconcilerContext, policies: ReadonlyArray<RepairPolicy>): Reconciler => ({
  name: 'node.health',
  concurrency: 10,
  reconcile: (key) => async () => {
    const { caches, views, clock } = context
    const object = caches.nodes.get(key)
    const node = object && views.node(object)
    if (node?.providerId === undefined) return E.right({})
    const claim = claimOf(context, node)
    if (claim === undefined) return E.right({})
    const wantsAdvice = settingsOf(context, claim).rebalance === 'replace'
    const due = repairDue(
      node,
      policies.filter(({ isAdvice }) => isAdvice !== true || wantsAdvice),
    )
    if (due === undefined) return E.right({})
    const nowMs = clock.nowMs()
    if (nowMs < due.atMs) return E.right({ requeueAfterMs: due.atMs - nowMs })
    if (due.deadlineMs === undefined) {
      const scope = scopeOf(context, node)
      if (!isRepairSafe(scope.nodes, policies)) {
        reportBlocked(context, node, claim, scope.name)
        return E.right({ requeueAfterMs: blockedRetryMs })
      }
    }
    const stamped = await pullDeadline(context, claim, Math.max(due.deadlineMs ?? nowMs, nowMs))
    if (E.isLeft(stamped)) return stamped
    if (claim.deletionTimestampMs !== undefined) return E.right({})
    const deleted = await deleteClaim(context, stamped.right)()
    if (E.isLeft(deleted)) return deleted
    report(context, node, claim, due)
    return E.right({})
  },
})

// Several claims for one machine: none of them is surely the one to go (H-HEALTH-08).
const claimOf = ({ caches, views, nodeClasses }: ReconcilerContext, node: NodeState): ClaimState | undefined => {
  const [claim, second] = caches.nodeClaims.by('byProviderId', node.providerId ?? '')
  return claim === undefined || second !== undefined || !nodeClasses.isManaged(claim.spec.nodeClassRef)
    ? undefined
    : views.claim(claim)
}

const scopeOf = ({ caches, views }: ReconcilerContext, node: NodeState) => {
  const pool = Labels.get(node.labels, labelKeys.nodePool)
  const nodes = [...caches.nodes.values()].map(views.node)
  return pool === undefined
    ? { name: undefined, nodes }
    : { name: pool, nodes: nodes.filter(({ labels }) => Labels.get(labels, labelKeys.nodePool) === pool) }
}

// A deadline that has passed already stays: it says since when the node is being ended.
const pullDeadline = async (context: ReconcilerContext, claim: ClaimState, deadlineMs: number) => {
  const present = Labels.get(claim.annotations, annotationKeys.terminationTimestamp)
  const known = present === undefined ? E.left('') : Time.parseInstant(present)
  if (E.isRight(known) && known.right <= deadlineMs) return E.right(claim)
  const annotations = { [annotationKeys.terminationTimestamp]: Time.renderInstant(deadlineMs) }
  return writeClaimMetadata(context, claim, { annotations })()
}

const reportBlocked = (
  { events, caches }: ReconcilerContext,
  node: NodeState,
  claim: ClaimState,
  pool: string | undefined,
): void => {
  const where = pool === undefined ? 'the cluster' : `NodePool ${pool}`
  const message = `Node is not repaired: more than 20% of the nodes of ${where} are unhealthy`
  const ttl = { ttlMs: blockedTtlMs }
  events.record({ ...nodeEvent(node, 'Warning', 'NodeRepairBlocked', message), ...ttl })
  events.record({ ...claimEvent(claim, 'Warning', 'NodeRepairBlocked', message), ...ttl })
  const object = pool === undefined ? undefined : caches.nodePools.get(pool)
  if (object !== undefined)
    events.record({ ...nodePoolEvent(object.metadata, 'Warning', 'NodeRepairBlocked', message), ...ttl })
}

const report = (context: ReconcilerContext, node: NodeState, claim: ClaimState, { condition }: RepairDue): void => {
  const { metrics, events, log } = context
  const { type, status, reason, message } = condition
  countDisruptedWithPods(context, claim, 'unhealthy')
  metrics.add(families.nodeClaimsUnhealthyDisrupted, {
    condition: snakeCase(type),
    nodepool: Labels.get(claim.labels, labelKeys.nodePool) ?? '',
    capacity_type: Labels.get(claim.labels, labelKeys.capacityType) ?? '',
    image_id: claim.imageId ?? '',
  })
  const why = `Replacing the node: ${type} is ${status}${message === '' ? '' : `, ${message}`}`
  events.record(nodeEvent(node, 'Warning', 'NodeRepairing', why))
  log.info('Deleting NodeClaim of unhealthy node', {
    NodeClaim: claim.name,
    Node: node.name,
    condition: type,
    status,
    reason,
  })
}

const snakeCase = (text: string): string => text.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()

/** The policies in force: those with a deadline always, the others where the feature is on (H-HEALTH-01). */
export const repairPolicies = ({
  providerModule,
  settings,
}: Pick<ReconcilerContext, 'providerModule' | 'settings'>): ReadonlyArray<RepairPolicy> =>
  (providerModule.traits?.repair ?? []).filter(
    ({ deadlineMs }) => settings.featureGates.nodeRepair || deadlineMs !== undefined,
  )

/** Looks at nodes whose conditions changed; a heartbeat changes none (H-HEALTH-02). Returns what stops it. */
export const watchConditions = ({ caches }: ReconcilerContext, { queue }: RunningReconciler): (() => void) => {
  for (const { metadata } of caches.nodes.values()) queue.add(metadata.name)
  return caches.nodes.onChange((change) => {
    if (change._tag === 'Deleted') return
    if (change._tag === 'Modified' && healthOf(change.previous) === healthOf(change.current)) return
    queue.add(change.key)
  })
}

const healthOf = ({ status }: NodeObject): string =>
  status.conditions.map(({ type, status: is, lastTransitionTime }) => `${type} ${is} ${lastTransitionTime}`).join()
