import * as E from 'fp-ts/lib/Either.js'
import {
  Conditions,
  ingestCondition,
  registrationCondition,
  restoredHealth,
  type NodeClaimObject,
  type NodePoolObject,
} from '@scantling/core'
import type { Reconciler, RunningReconciler } from '../queue/index.ts'
import { makeRegistrationCell, type RegistrationCell } from '../state/index.ts'
import { writeConditions } from './condition-writes.ts'
import type { ReconcilerContext } from './context.ts'

const healthy = 'NodeRegistrationHealthy'

/**
 * Says of each NodePool whether its nodes join. NP-REGH-01…04, P-AUX-02, P-AUX-03, L-LIVE-05.
 *
 * For people and for metrics: neither Ready nor planning hangs on it.
 */
export const registrationHealth = (context: ReconcilerContext, cell: RegistrationCell): Reconciler => ({
  name: 'nodepool.registrationhealth',
  concurrency: 10,
  reconcile: (key) => () =>
    context.poolTurns(key, async () => {
      const { caches, nodeClasses } = context
      const object = caches.nodePools.get(key)
      if (object === undefined || object.metadata.deletionTimestamp !== undefined) return E.right({})
      const reference = object.spec.template.spec.nodeClassRef
      const nodeClass = nodeClasses.isManaged(reference) ? nodeClasses.get(reference) : undefined
      if (nodeClass === undefined) return E.right({})
      const { uid, generation } = object.metadata
      const present = conditionOf(object)
      const classGeneration = nodeClass.metadata.generation
      // A change of the pool or of its class is a new chance.
      const isStale =
        present === undefined ||
        present.observedGeneration !== generation ||
        object.status.nodeClassObservedGeneration !== classGeneration
      if (isStale) {
        cell.reset(uid, [])
        return E.map(() => ({}))(
          await writeConditions(
            context,
            caches.nodePools,
            object,
            [{ type: healthy, status: 'Unknown', reason: 'AwaitingReconciliation', message: 'No node has joined yet' }],
            { fields: { nodeClassObservedGeneration: classGeneration } },
          ),
        )
      }
      if (cell.of(uid).health.length === 0) cell.reset(uid, restoredHealth(present.status))
      const { health, failure } = cell.of(uid)
      const change = registrationCondition(health, failure)
      if (change === undefined) return E.right({})
      return E.map(() => ({}))(await writeConditions(context, caches.nodePools, object, [change]))
    }),
})

const conditionOf = ({ status }: NodePoolObject) => Conditions.find(status.conditions.map(ingestCondition), healthy)

// Core gives up on a claim that did not join within this time; one that goes earlier was taken away by others.
const shortestPatienceMs = 5 * 60_000

/** Learns from NodeClaims as they join or are given up. Returns what stops that. */
export const watchRegistrations = (
  { caches, clock }: ReconcilerContext,
  cell: RegistrationCell,
  { queue }: RunningReconciler,
): (() => void) => {
  const stops = [
    caches.nodePools.onChange((change) => {
      if (change._tag !== 'Deleted') queue.add(change.key)
    }),
    caches.nodeClaims.onChange((change) => {
      if (change._tag !== 'Modified') return
      const pool = ownerOf(change.current, caches)
      if (pool === undefined) return
      const { uid, name } = pool.metadata
      const isRestored = cell.of(uid).health.length > 0
      if (!isRestored) cell.reset(uid, restoredHealth(conditionOf(pool)?.status))
      if (!isTrue(change.previous, 'Registered') && isTrue(change.current, 'Registered')) cell.joined(uid)
      else if (isGivenUp(change.previous, change.current, clock.nowMs())) cell.failed(uid, failureOf(change.current))
      else return
      queue.add(name)
    }),
  ]
  for (const { metadata } of caches.nodePools.values()) queue.add(metadata.name)
  return () => {
    for (const stop of stops) stop()
  }
}

// A claim counts for the pool that made it, not for another that took its name (L-LIVE-05).
const ownerOf = ({ metadata }: NodeClaimObject, caches: ReconcilerContext['caches']): NodePoolObject | undefined => {
  const pool = caches.nodePools.get(metadata.labels['karpenter.sh/nodepool'] ?? '')
  return pool !== undefined &&
    metadata.ownerReferences.some(({ kind, uid }) => kind === 'NodePool' && uid === pool.metadata.uid)
    ? pool
    : undefined
}

const find = ({ status }: NodeClaimObject, type: string) =>
  status.conditions.find((condition) => condition.type === type)
const isTrue = (claim: NodeClaimObject, type: string): boolean => find(claim, type)?.status === 'True'

const isGivenUp = (previous: NodeClaimObject, current: NodeClaimObject, nowMs: number): boolean =>
  previous.metadata.deletionTimestamp === undefined &&
  current.metadata.deletionTimestamp !== undefined &&
  !isTrue(current, 'Registered') &&
  nowMs - Date.parse(current.metadata.creationTimestamp ?? '') >= shortestPatienceMs

const failureOf = (claim: NodeClaimObject) => {
  const launched = find(claim, 'Launched')
  if (launched?.status !== 'True' && launched !== undefined)
    return { reason: launched.reason, message: launched.message }
  return { reason: 'RegistrationFailed', message: 'The node did not join the cluster in time' }
}

/** Starts it. Returns what stops its listening. */
export const startRegistrationHealth = (
  context: ReconcilerContext,
  start: (reconciler: Reconciler) => RunningReconciler,
): (() => void) => {
  const cell = makeRegistrationCell()
  return watchRegistrations(context, cell, start(registrationHealth(context, cell)))
}
