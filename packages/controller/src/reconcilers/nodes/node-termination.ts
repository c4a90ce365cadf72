import * as E from 'fp-ts/lib/Either.js'
import {
  Conditions,
  counted,
  labelKeys,
  podKey,
  Pods,
  stepNodeTermination,
  Taints,
  terminationDeadline,
  terminationFinalizer,
  Time,
  type ClaimState,
  type ConditionChange,
  type NodeAction,
  type NodeState,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcileError, Reconciler, ReconcileResult, WorkQueue } from '../../queue/index.ts'
import { deleteClaim, writeClaimStatus } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import type { Evictions } from './evictions.ts'
import { nodeEvent, reportFinalizers } from '../event-records.ts'
import { taintManifest } from '../node-writes.ts'
import { claimFacts } from '../provider-facts.ts'

const terminationPollMs = 5000
const namedPods = 5

/**
 * Ends Nodes that are being deleted: cordon, drain, detach, end the instance, let the Node go. T-TERM-01…11.
 *
 * The order is core's `stepNodeTermination`; evictions run in a queue of their own, since a budget may hold one up for
 * long.
 */
export const nodeTermination = (context: ReconcilerContext, evictions: Evictions): Reconciler => ({
  name: 'node.termination',
  concurrency: 100,
  backoffMs: { first: 100, longest: 10_000 },
  reconcile: (key) => async () => {
    const object = context.caches.nodes.get(key)
    if (object?.metadata.deletionTimestamp === undefined) return E.right({})
    const node = context.views.node(object)
    if (!node.finalizers.includes(terminationFinalizer)) return E.right({})
    const claim = claimOf(context, node)
    const deadline = deadlineOf(claim)
    if (E.isLeft(deadline)) return deadline
    if (deadline.right !== undefined) {
      const message = `All pods will be deleted by ${Time.renderInstant(deadline.right)}`
      context.events.record(nodeEvent(node, 'Warning', 'TerminationGracePeriodExpiring', message))
    }
    const gone = await isInstanceGone(context, node, claim)
    if (E.isLeft(gone)) return gone
    const step = stepNodeTermination({
      nowMs: context.clock.nowMs(),
      node,
      ...(claim === undefined ? {} : { claim }),
      pods: context.state.podsOn(node.name),
      attachedVolumes: attachedVolumes(context, node),
      ...(deadline.right === undefined ? {} : { deadlineMs: deadline.right }),
      isInstanceGone: gone.right,
    })
    let current = claim
    let unsaid: ReadonlyArray<ConditionChange> = []
    for (const [place, action] of step.actions.entries()) {
      // What the drain came to is said together with the end of the instance, in one write (T-TERM-06).
      if (action._tag === 'SetClaimConditions' && step.actions[place + 1]?._tag === 'TerminateInstance') {
        unsaid = action.changes
        continue
      }
      const done = await perform(context, evictions, { node, claim: current, unsaid }, action)
      if (E.isLeft(done)) return done
      if (done.right.requeueAfterMs !== undefined) return E.right(done.right)
      if (current !== undefined) current = latest(context, current)
    }
    return E.right(step.requeueAfterMs === undefined ? {} : { requeueAfterMs: step.requeueAfterMs })
  },
})

const latest = ({ caches, views }: ReconcilerContext, claim: ClaimState): ClaimState => {
  const object = caches.nodeClaims.get(claim.name)
  return object === undefined ? claim : views.claim(object)
}

const claimOf = ({ caches, views, nodeClasses }: ReconcilerContext, node: NodeState): ClaimState | undefined => {
  if (node.providerId === undefined) return undefined
  const claims = caches.nodeClaims.by('byProviderId', node.providerId)
  // Several claims for one machine: none of them may decide (T-TERM-02).
  const [claim, second] = claims
  if (claim === undefined || second !== undefined || !nodeClasses.isManaged(claim.spec.nodeClassRef)) return undefined
  return views.claim(claim)
}

const deadlineOf = (claim: ClaimState | undefined): E.Either<ReconcileError, number | undefined> => {
  const text = claim && terminationDeadline(claim)
  if (text === undefined) return E.right(undefined)
  return E.mapLeft((message: string) => ({ _tag: 'InvalidDeadline', message: `NodeClaim ${claim?.name}: ${message}` }))(
    Time.parseInstant(text),
  )
}

const isInstanceGone = async (
  context: ReconcilerContext,
  node: NodeState,
  claim: ClaimState | undefined,
): Promise<E.Either<ReconcileError, boolean>> => {
  const { provider } = context
  if (Conditions.isTrue(node.conditions, 'Ready') || node.providerId === undefined || provider.get === undefined)
    return E.right(false)
  const ref = { providerId: node.providerId, ...(claim === undefined ? {} : { claim: claimFacts(context, claim) }) }
  const found = await provider.get(ref, { signal: context.shutdown, cluster: context.clusterFacts() })()
  if (E.isRight(found)) return E.right(false)
  return found.left._tag === 'InstanceNotFound' ? E.right(true) : found
}

// Volumes of pods that stay (they tolerate the drain) are never detached, so nothing waits for them (T-TERM-08).
const attachedVolumes = ({ caches, state, clock }: ReconcilerContext, node: NodeState): ReadonlyArray<string> => {
  const attachments = caches.volumeAttachments.by('byNode', node.name)
  if (attachments.length === 0) return []
  const nowMs = clock.nowMs()
  const staying = new Set(
    state
      .podsOn(node.name)
      .filter((pod) => !Pods.isWaitingEviction(pod, nowMs))
      .flatMap((pod) => pod.constraints.volumes.map(({ claimName }) => `${pod.namespace}/${claimName}`)),
  )
  return attachments.flatMap(({ spec }) => {
    const volume = spec.source.persistentVolumeName
    if (volume === undefined) return []
    const claim = caches.persistentVolumes.get(volume)?.spec.claimRef
    return claim !== undefined && staying.has(`${claim.namespace}/${claim.name}`) ? [] : [volume]
  })
}

/** A Node on its way out. */
interface Leaving {
  readonly node: NodeState
  readonly claim: ClaimState | undefined
  /** What its claim is still to say, with the next that it says. */
  readonly unsaid: ReadonlyArray<ConditionChange>
}

const perform = async (
  context: ReconcilerContext,
  evictions: Evictions,
  { node, claim, unsaid }: Leaving,
  action: NodeAction,
): Promise<E.Either<ReconcileError, ReconcileResult>> => {
  const { kube, caches } = context
  const nothing = E.right({})
  switch (action._tag) {
    case 'DeleteClaim':
      return claim === undefined ? nothing : E.map(() => ({}))(await deleteClaim(context, claim)())
    case 'Cordon': {
      const others = node.taints.filter(({ key }) => key !== Taints.disruptedTaint.key)
      const body = {
        metadata: {
          resourceVersion: node.resourceVersion,
          labels: { [labelKeys.excludeFromLoadBalancers]: 'karpenter' },
        },
        spec: { taints: [...others, Taints.disruptedTaint].map(taintManifest) },
      }
      const patched = await kube.patch(caches.nodes.kind, { name: node.name }, { type: 'merge', body })()
      if (E.isLeft(patched)) return patched
      caches.nodes.observe(patched.right)
      return nothing
    }
    case 'Drain': {
      const { evict, forceDelete, waiting } = action.drain
      for (const pod of evict) evictions.evict(pod)
      for (const { pod, gracePeriodSeconds } of forceDelete) evictions.forceDelete(pod, gracePeriodSeconds)
      if (waiting.length > 0) {
        const message = `Failed to drain node, ${counted(waiting.length, 'pod')} waiting to be evicted`
        context.events.record(nodeEvent(node, 'Warning', 'FailedDraining', message))
      }
      return nothing
    }
    case 'LeaveStuck': {
      const names = action.pods.slice(0, namedPods).map(podKey).join(', ')
      const message = `Pods that do not end are left behind, a finalizer or a silent kubelet holds them: ${names}`
      context.events.record(nodeEvent(node, 'Warning', 'StuckPodsLeftBehind', message))
      return nothing
    }
    case 'AbandonDrain': {
      const message = 'The instance is gone, so its pods are not waited for'
      context.events.record(nodeEvent(node, 'Warning', 'DrainAbandoned', message))
      return nothing
    }
    case 'SetClaimConditions':
      return claim === undefined ? nothing : E.map(() => ({}))(await say(context, node, claim, action.changes))
    case 'TerminateInstance': {
      const ref = {
        providerId: action.providerId,
        ...(claim === undefined ? {} : { claim: claimFacts(context, claim) }),
      }
      const ended = await context.provider.terminate(ref, {
        signal: context.shutdown,
        cluster: context.clusterFacts(),
      })()
      const isRefused = E.isLeft(ended) && ended.left._tag !== 'InstanceNotFound'
      if (claim !== undefined) {
        const ending: ReadonlyArray<ConditionChange> = [{ type: 'InstanceTerminating', status: 'True' }]
        const said = await say(context, node, claim, isRefused ? unsaid : [...unsaid, ...ending])
        if (E.isLeft(said) && !isRefused) return said
      }
      if (isRefused) return ended
      if (E.isRight(ended) && ended.right === 'Started') return E.right({ requeueAfterMs: terminationPollMs })
      return letGo(context, node)
    }
    case 'RemoveFinalizer':
      return letGo(context, node)
  }
}

/** Writes on the claim what becomes of its Node, and tells of it once that is written. */
const say = async (
  context: ReconcilerContext,
  node: NodeState,
  claim: ClaimState,
  changes: ReadonlyArray<ConditionChange>,
): Promise<E.Either<ReconcileError, void>> => {
  const { metrics, log, events } = context
  const written = await writeClaimStatus(context, claim, changes)()
  if (E.isLeft(written)) return written
  if (changes.some(({ type, status }) => type === 'Drained' && status === 'True')) {
    metrics.add(families.nodesDrained, { nodepool: node.labels[labelKeys.nodePool] ?? '' })
    log.info('Drained Node', { Node: node.name, NodeClaim: claim.name })
  }
  const volumes = changes.find(({ type, status }) => type === 'VolumesDetached' && status === 'Unknown')
  if (volumes?.message !== undefined)
    events.record(nodeEvent(node, 'Normal', 'AwaitingVolumeDetachment', volumes.message))
  return E.right(undefined)
}

const letGo = async (
  context: ReconcilerContext,
  node: NodeState,
): Promise<E.Either<ReconcileError, ReconcileResult>> => {
  const { kube, caches, clock, metrics, log } = context
  const body = {
    metadata: {
      resourceVersion: caches.nodes.get(node.name)?.metadata.resourceVersion ?? node.resourceVersion,
      finalizers: node.finalizers.filter((finalizer) => finalizer !== terminationFinalizer),
    },
  }
  const patched = await kube.patch(caches.nodes.kind, { name: node.name }, { type: 'merge', body })()
  if (E.isLeft(patched) && patched.left._tag !== 'NotFound') return patched
  const nodepool = node.labels[labelKeys.nodePool] ?? ''
  const nowMs = clock.nowMs()
  reportFinalizers(context, nodeEvent, node)
  metrics.add(families.nodesTerminated, { nodepool, zone: node.labels[labelKeys.zone] ?? '' })
  metrics.observe(families.nodesLifetimeDuration, { nodepool }, (nowMs - node.createdAtMs) / 1000)
  metrics.observe(families.nodesTerminationDuration, { nodepool }, (nowMs - (node.deletionTimestampMs ?? nowMs)) / 1000)
  log.info('Deleted Node', { Node: node.name, 'provider-id': node.providerId ?? '' })
  return E.right({})
}

/** Wakes the termination of a node whenever its pods change. Returns what stops it. */
export const wakeOnPods = ({ caches }: ReconcilerContext, queue: WorkQueue): (() => void) =>
  caches.pods.onChange((change) => {
    const pod = change._tag === 'Deleted' ? change.previous : change.current
    const node = pod.spec.nodeName
    if (node === undefined || caches.nodes.get(node)?.metadata.deletionTimestamp === undefined) return
    queue.add(node)
  })
