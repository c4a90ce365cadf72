import * as E from 'fp-ts/lib/Either.js'
import { Conditions, podKey, Pods, type Pod } from '@scantling/core'
import { families } from '../../observability/index.ts'
import { parseKey } from '../../kube/index.ts'
import { runReconciler, type ReconcileError, type Reconciler, type RunningReconciler } from '../../queue/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { nodeEvent, podEvent } from '../event-records.ts'

/** Sends pods away, at the pace that budgets allow. */
export interface Evictions {
  /** Asks the eviction API until the pod goes; asking twice for one pod changes nothing (T-EVICT-01). */
  readonly evict: (pod: Pod) => void
  /** Deletes the pod outright with this grace: its node's deadline leaves no other way (T-EVICT-05). */
  readonly forceDelete: (pod: Pod, gracePeriodSeconds: number) => void
  readonly stopped: () => Promise<void>
}

interface Order {
  readonly uid: string
  readonly forcedGraceSeconds?: number
}

/** A queue by pod: an eviction that a budget refuses is asked again with back-off, for ever (T-EVICT-02…08). */
export const startEvictions = (context: ReconcilerContext): Evictions => {
  const orders = new Map<string, Order>()
  const reconciler: Reconciler = {
    name: 'eviction-queue',
    concurrency: 50,
    // A budget may let the next pod go at any moment: nobody should wait a minute to find out.
    backoffMs: { first: 100, longest: 10_000 },
    reconcile: (key) => async () => {
      const order = orders.get(key)
      const object = context.caches.pods.get(key)
      const pod = object && context.views.pod(object)
      // Gone, or another pod of the same name: the order was for one that is no more.
      if (order === undefined || pod === undefined || pod.uid !== order.uid) {
        orders.delete(key)
        return E.right({})
      }
      const done = await carryOut(context, pod, order)
      if (E.isRight(done)) orders.delete(key)
      return E.map(() => ({}))(done)
    },
  }
  const running: RunningReconciler = runReconciler(reconciler, context)
  const put = (pod: Pod, order: Order) => {
    const key = podKey(pod)
    const known = orders.get(key)
    if (known?.uid === order.uid && order.forcedGraceSeconds === undefined) return
    orders.set(key, order)
    running.queue.add(key)
  }
  return {
    evict: (pod) => put(pod, { uid: pod.uid }),
    forceDelete: (pod, gracePeriodSeconds) => put(pod, { uid: pod.uid, forcedGraceSeconds: gracePeriodSeconds }),
    stopped: running.stopped,
  }
}

const carryOut = async (
  context: ReconcilerContext,
  pod: Pod,
  { forcedGraceSeconds }: Order,
): Promise<E.Either<ReconcileError, void>> => {
  const { kube, caches, clock, events, metrics } = context
  const ref = parseKey(podKey(pod))
  if (forcedGraceSeconds !== undefined) {
    const options = { uid: pod.uid, gracePeriodSeconds: forcedGraceSeconds }
    const deleted = await kube.delete(caches.pods.kind, ref, options)()
    if (E.isLeft(deleted)) return isGone(deleted.left) ? E.right(undefined) : deleted
    events.record(
      podEvent(pod, 'Normal', 'Disrupted', 'Deleting the pod to accommodate the terminationGracePeriod of its node'),
    )
    return E.right(undefined)
  }
  if (!Pods.isActive(pod)) return E.right(undefined)
  if (!Pods.isEvictable(pod, clock.nowMs())) {
    // Its node tells, by the event FailedDraining.
    return E.left({ _tag: 'NotEvictable', message: `Pod ${podKey(pod)} asks not to be disrupted`, isRefusal: true })
  }
  const evicted = await kube.evict(ref, { uid: pod.uid })()
  const code = E.isRight(evicted) ? '200' : String(evicted.left.status ?? 0)
  metrics.add(families.podsEvictionRequests, { code })
  if (E.isLeft(evicted)) {
    if (isGone(evicted.left)) return E.right(undefined)
    const node = pod.nodeName === undefined ? undefined : caches.nodes.get(pod.nodeName)
    const isBudgeted = evicted.left._tag === 'TooManyRequests' || hasSeveralBudgets(evicted.left)
    if (isBudgeted && node !== undefined) {
      const message = hasSeveralBudgets(evicted.left)
        ? `Failed to drain node, pod ${podKey(pod)} has more than one PodDisruptionBudget, which the eviction API refuses; leave it one`
        : `Failed to drain node, evicting pod ${podKey(pod)} violates a PodDisruptionBudget`
      // One for each pod: that some pod waits is no answer to which.
      const dedupe = [node.metadata.uid, pod.uid]
      events.record({ ...nodeEvent(node.metadata, 'Warning', 'FailedDraining', message), dedupe })
    }
    return isBudgeted ? E.left({ ...evicted.left, isRefusal: true }) : evicted
  }
  events.record(podEvent(pod, 'Normal', 'Evicted', `Evicted pod: ${reasonOf(context, pod)}`))
  metrics.add(families.podsDrained, { reason: reasonOf(context, pod) })
  return E.right(undefined)
}

// Gone already, or another pod by now: the API server says NotFound, or Conflict for the precondition (T-EVICT-06).
const isGone = ({ _tag }: ReconcileError): boolean => _tag === 'NotFound' || _tag === 'Conflict'

// The API server answers 500 for what is a state of the cluster, and has no code for it but these words (T-EVICT-06).
const hasSeveralBudgets = ({ message }: ReconcileError): boolean =>
  message.includes('more than one PodDisruptionBudget')

const reasonOf = ({ caches, views }: ReconcilerContext, pod: Pod): string => {
  const node = pod.nodeName === undefined ? undefined : caches.nodes.get(pod.nodeName)
  const providerId = node?.spec.providerID
  const claim = providerId === undefined ? undefined : caches.nodeClaims.by('byProviderId', providerId)[0]
  if (claim === undefined) return ''
  const reason = Conditions.find(views.claim(claim).conditions, 'DisruptionReason')
  return reason?.status === 'True' ? reason.reason : 'Forceful Termination'
}
