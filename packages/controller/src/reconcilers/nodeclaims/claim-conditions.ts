import * as E from 'fp-ts/lib/Either.js'
import {
  Conditions,
  labelKeys,
  Pods,
  Time,
  type ClaimState,
  type Condition,
  type ConditionChange,
  type NodePool,
  type Pod,
} from '@scantling/core'
import type { Reconciler, ReconcileResult, WorkQueue } from '../../queue/index.ts'
import { makeDriftCheck } from './claim-drift.ts'
import { writeClaimStatus } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'

const driftEveryMs = 300_000
// Pods that come in quick succession count as one event; below the wait that validates a disruption (C-POD-04).
const podEventDedupeMs = 10_000

/**
 * Keeps what disruption reads of claims: whether they have drifted, and whether the node has been quiet for long enough.
 * C-DRIFT-01, C-DRIFT-02, C-CONS-01…03.
 *
 * Both are looked at whatever becomes of the other; drift again every five minutes, since the cloud does not tell.
 */
export const claimConditions = (context: ReconcilerContext): Reconciler => {
  const checkDrift = makeDriftCheck(context)
  return {
    name: 'nodeclaim.disruption',
    concurrency: 20,
    reconcile: (key) => async () => {
      const { caches, views, nodeClasses, clock } = context
      const object = caches.nodeClaims.get(key)
      const claim = object && views.claim(object)
      if (claim === undefined || claim.deletionTimestampMs !== undefined || !nodeClasses.isManaged(claim.nodeClass))
        return E.right({})
      const poolObject = caches.nodePools.get(claim.labels[labelKeys.nodePool] ?? '')
      if (poolObject === undefined) return E.right({})
      const drift = await checkDrift(claim, poolObject)
      const pool = views.nodePool(poolObject)
      const { change, quietInMs } = consolidatable(claim, pool, clock.nowMs())
      const changes = [E.isRight(drift) ? drift.right : undefined, change].filter((one) => one !== undefined)
      // Nothing to say: the claim's own steps are not to lose a race against that.
      const written = changes.length === 0 ? E.right(claim) : await writeClaimStatus(context, claim, changes)()
      if (E.isLeft(written)) return written
      return E.map(() => soonest(quietInMs, driftEveryMs))(drift)
    },
  }
}

const soonest = (...waits: ReadonlyArray<number | undefined>): ReconcileResult => {
  const set = waits.filter((ms) => ms !== undefined)
  return set.length === 0 ? {} : { requeueAfterMs: Math.max(1, Math.min(...set)) }
}

// C-CONS-03
const quietSinceMs = (claim: ClaimState, initialized: Condition): number =>
  claim.lastPodEventAtMs ?? initialized.lastTransitionAtMs

const consolidatable = (
  claim: ClaimState,
  pool: NodePool,
  nowMs: number,
): { readonly change: ConditionChange | undefined; readonly quietInMs?: number } => {
  if (pool.replicas !== undefined) return { change: undefined }
  const isSet = Conditions.find(claim.conditions, 'Consolidatable') !== undefined
  const clear = isSet ? ({ type: 'Consolidatable', status: 'Absent' } as const) : undefined
  const { consolidateAfterMs } = pool.disruption
  const initialized = Conditions.find(claim.conditions, 'Initialized')
  if (consolidateAfterMs === undefined || initialized?.status !== 'True') return { change: clear }
  const quietAtMs = quietSinceMs(claim, initialized) + consolidateAfterMs
  if (nowMs < quietAtMs) return { change: clear, quietInMs: quietAtMs - nowMs }
  return { change: isSet ? undefined : { type: 'Consolidatable', status: 'True' } }
}

/**
 * Notes on claims when pods come, finish or go. Returns what stops it.
 *
 * The queue is that of {@link podEvents}; keys are claims.
 */
export const watchPodEvents = ({ caches, views }: ReconcilerContext, queue: WorkQueue): (() => void) =>
  caches.pods.onChange((change) => {
    const current = change._tag === 'Deleted' ? undefined : views.pod(change.current)
    const previous = change._tag === 'Added' ? undefined : views.pod(change.previous)
    const pod = current ?? previous
    if (pod?.nodeName === undefined || Pods.isOwnedByDaemonSet(pod)) return
    if (current !== undefined && previous !== undefined && stageOf(current) === stageOf(previous)) return
    const providerId = caches.nodes.get(pod.nodeName)?.spec.providerID
    if (providerId === undefined) return
    for (const { metadata } of caches.nodeClaims.by('byProviderId', providerId)) queue.add(metadata.name)
  })

const stageOf = (pod: Pod): string =>
  `${pod.nodeName ?? ''}/${Pods.isTerminal(pod) ? 'terminal' : Pods.isTerminating(pod) ? 'terminating' : 'active'}`

/**
 * Writes `lastPodEventTime`, at most once in a while, and with it that the node is no longer quiet.
 *
 * The while begins with the last one, or with the claim's initialization: its quiet time counts from there anyway, and a
 * new node is given its pods just then.
 */
export const podEvents = (context: ReconcilerContext): Reconciler => ({
  name: 'nodeclaim.podevents',
  concurrency: 20,
  reconcile: (key) => async () => {
    const { caches, views, clock, nodeClasses } = context
    const object = caches.nodeClaims.get(key)
    const claim = object && views.claim(object)
    if (claim === undefined || claim.deletionTimestampMs !== undefined || !nodeClasses.isManaged(claim.nodeClass))
      return E.right({})
    const nowMs = clock.nowMs()
    const initialized = Conditions.find(claim.conditions, 'Initialized')
    if (initialized?.status !== 'True' || nowMs - quietSinceMs(claim, initialized) < podEventDedupeMs)
      return E.right({})
    const pool = caches.nodePools.get(claim.labels[labelKeys.nodePool] ?? '')
    const { change } =
      pool === undefined
        ? { change: undefined }
        : consolidatable({ ...claim, lastPodEventAtMs: nowMs }, views.nodePool(pool), nowMs)
    const changes = change === undefined ? [] : [change]
    const written = await writeClaimStatus(context, claim, changes, { lastPodEventTime: Time.renderInstant(nowMs) })()
    return E.map(() => ({}))(written)
  },
})
