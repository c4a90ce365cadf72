import {
  Conditions,
  ingestCondition,
  registrationCondition,
  restoredHealth,
  type ConditionChange,
  type JsonObject,
  type NodeClaimObject,
  type NodePoolObject,
} from '@scantling/core'
import type { WorkQueue } from '../../queue/index.ts'
import type { RegistrationCell } from '../../state/index.ts'
import type { ReconcilerContext } from '../context.ts'

const healthy = 'NodeRegistrationHealthy'

/**
 * What a NodePool is to say of whether its nodes join. NP-REGH-01…04, P-AUX-02, P-AUX-03, L-LIVE-05.
 *
 * For people and for metrics: neither Ready nor planning hangs on it.
 */
export const registrationHealth = (
  { nodeClasses }: Pick<ReconcilerContext, 'nodeClasses'>,
  cell: RegistrationCell,
  object: NodePoolObject,
): { readonly changes: ReadonlyArray<ConditionChange>; readonly fields: JsonObject } => {
  const nothing = { changes: [], fields: {} }
  const reference = object.spec.template.spec.nodeClassRef
  const nodeClass = nodeClasses.isManaged(reference) ? nodeClasses.get(reference) : undefined
  if (nodeClass === undefined || object.metadata.deletionTimestamp !== undefined) return nothing
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
    return {
      changes: [
        { type: healthy, status: 'Unknown', reason: 'AwaitingReconciliation', message: 'No node has joined yet' },
      ],
      fields: { nodeClassObservedGeneration: classGeneration },
    }
  }
  if (cell.of(uid).health.length === 0) cell.reset(uid, restoredHealth(present.status))
  const { health, failure } = cell.of(uid)
  const change = registrationCondition(health, failure)
  return change === undefined ? nothing : { changes: [change], fields: {} }
}

const conditionOf = ({ status }: NodePoolObject) => Conditions.find(status.conditions.map(ingestCondition), healthy)

// Core gives up on a claim that did not join within this time; one that goes earlier was taken away by others.
const shortestPatienceMs = 5 * 60_000
// Nodes of one batch join one after another, and what a NodePool then says takes a count of all nodes.
const gatherMs = 1000

/** Learns from NodeClaims as they join or are given up. Returns what stops that. */
export const watchRegistrations = (
  { caches, clock }: ReconcilerContext,
  cell: RegistrationCell,
  pools: WorkQueue,
): (() => void) =>
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
    pools.addAfter(name, gatherMs)
  })

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
