import * as E from 'fp-ts/lib/Either.js'
import {
  Conditions,
  labelKeys,
  stepClaim,
  terminationFinalizer,
  Time,
  type ClaimAction,
  type ClaimState,
  type ConditionChange,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcileError, Reconciler, ReconcileResult } from '../../queue/index.ts'
import { claimStatusPatch, deleteClaim, writeClaimMetadata, writeClaimStatus } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { nodesOf } from '../claim-nodes.ts'
import { makeConverge } from './converge.ts'
import { countDisrupted } from '../count-disrupted.ts'
import { claimEvent, reportFinalizers } from '../event-records.ts'
import { launch } from './launch.ts'
import { makeLaunchMemory, type LaunchMemory } from './launch-memory.ts'
import { nodePatchOf } from '../node-writes.ts'
import { claimFacts } from '../provider-facts.ts'

// The cloud is asked again after this long whether an instance is gone (L-FIN-03).
const terminationPollMs = 5000
// Nothing is decided by it, and people hardly look sooner.
const settleMs = 5000

/**
 * Carries each NodeClaim through launch, registration, initialization and finalization.
 *
 * What to do is decided by core's `stepClaim`; this carries it out, one effect after another, and stops at the first
 * that fails. Every effect reads back as part of the next step's input, so a pass may end anywhere.
 */
export const nodeClaimLifecycle = (context: ReconcilerContext): Reconciler => {
  const converge = makeConverge(context)
  const unsaid = makeUnsaid(context)
  const launches = makeLaunchMemory(context)
  context.caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted') launches.forget(change.previous.metadata.uid)
  })
  return {
    name: 'nodeclaim.lifecycle',
    concurrency: 100,
    reconcile: (key) => async () => {
      const object = context.caches.nodeClaims.get(key)
      const claim = object && launches.withMachine(context.views.claim(object))
      if (claim === undefined || !context.nodeClasses.isManaged(claim.nodeClass)) return E.right({})
      const converged = await converge(claim)()
      if (E.isLeft(converged)) return converged
      const step = stepClaim({
        nowMs: context.clock.nowMs(),
        claim,
        nodes: nodesOf(context, claim),
        pendingHooks: converged.right.blocksRegistration,
      })
      const waits = [step.requeueAfterMs, converged.right.requeueAfterMs]
      let current = claim
      for (const action of step.actions) {
        const done = await perform(context, { unsaid, launches }, current, action)
        if (E.isLeft(done)) return done
        if (done.right.claim === undefined) return E.right(done.right.result ?? {})
        current = done.right.claim
        waits.push(done.right.result?.requeueAfterMs)
      }
      const set = waits.filter((ms) => ms !== undefined)
      return E.right(set.length === 0 ? {} : { requeueAfterMs: Math.min(...set) })
    },
  }
}

/** What may wait a moment before it is written, and since when it has been so. */
type Unsaid = (
  claim: ClaimState,
  changes: ReadonlyArray<ConditionChange>,
) => { readonly dated: ReadonlyArray<ConditionChange>; readonly waitMs: number }

/**
 * Most nodes that join Ready, or nearly so, are initialized while the news of their registration waits: one write then
 * says both, each with its own time. The wait counts from the first news about one version of the claim.
 */
const makeUnsaid = ({ clock }: ReconcilerContext): Unsaid => {
  const byVersion = new WeakMap<ClaimState, { readonly sinceMs: number; readonly atMs: Map<string, number> }>()
  return (claim, changes) => {
    const nowMs = clock.nowMs()
    const { sinceMs, atMs } = byVersion.get(claim) ?? { sinceMs: nowMs, atMs: new Map<string, number>() }
    byVersion.set(claim, { sinceMs, atMs })
    const dated = changes.map((change) => {
      const verdict = `${change.type}/${change.status}`
      atMs.set(verdict, atMs.get(verdict) ?? nowMs)
      return { ...change, atMs: atMs.get(verdict) ?? nowMs }
    })
    return { dated, waitMs: sinceMs + settleMs - nowMs }
  }
}

/** What one pass leaves for another to know. */
interface Remembered {
  readonly unsaid: Unsaid
  readonly launches: LaunchMemory
}

/** `claim`: as it is now; absent: the pass ends here. */
interface Performed {
  readonly claim?: ClaimState
  readonly result?: ReconcileResult
}

const perform = async (
  context: ReconcilerContext,
  remembered: Remembered,
  claim: ClaimState,
  action: ClaimAction,
): Promise<E.Either<ReconcileError, Performed>> => {
  const { kube, caches, metrics, log } = context
  const { unsaid, launches } = remembered
  const goOn = (next: E.Either<ReconcileError, ClaimState>) => E.map((made: ClaimState) => ({ claim: made }))(next)
  switch (action._tag) {
    case 'AddFinalizer':
      return E.map(() => ({}))(
        await writeClaimMetadata(context, claim, { finalizers: [...claim.finalizers, terminationFinalizer] })(),
      )
    case 'Launch':
      return E.map((result: ReconcileResult) => ({ result }))(await launch(context, claim, launches)())
    case 'SyncNode': {
      const { sync } = action
      if (sync.unregisteredTaintMissing) {
        context.events.record(
          claimEvent(
            claim,
            'Warning',
            'UnregisteredTaintMissing',
            `Node ${sync.node} joined without the taint karpenter.sh/unregistered, so pods may have been placed before its taints`,
          ),
        )
      }
      const node = caches.nodes.get(sync.node)
      if (node === undefined) return E.right({})
      const patch = nodePatchOf(sync, claim, node)
      if (patch !== undefined) {
        const patched = await kube.patch(caches.nodes.kind, { name: sync.node }, patch)()
        if (E.isLeft(patched)) return patched
        caches.nodes.observe(patched.right)
      }
      if (sync.labels[labelKeys.registered] === 'true') {
        const zone = claim.labels[labelKeys.zone] ?? ''
        metrics.add(families.nodesCreated, { nodepool: claim.labels[labelKeys.nodePool] ?? '', zone })
        log.info('Registered NodeClaim', {
          NodeClaim: claim.name,
          Node: sync.node,
          'provider-id': claim.providerId ?? '',
        })
      }
      if (sync.labels[labelKeys.initialized] === 'true') logInitialized(context, claim, sync.node)
      return E.right({ claim })
    }
    case 'LabelInitialized': {
      const body = { metadata: { labels: { [labelKeys.initialized]: 'true' } } }
      const patched = await kube.patch(caches.nodes.kind, { name: action.node }, { type: 'merge', body })()
      if (E.isLeft(patched)) return patched
      caches.nodes.observe(patched.right)
      logInitialized(context, claim, action.node)
      return E.right({ claim })
    }
    case 'SetConditions': {
      const { changes, nodeName } = action
      const fields = nodeName === undefined || nodeName === claim.nodeName ? {} : { nodeName }
      if (claimStatusPatch(context, claim, changes, fields) === undefined) return E.right({ claim })
      const { dated, waitMs } = unsaid(claim, changes)
      if (action.isInterim === true && waitMs > 0) return E.right({ claim, result: { requeueAfterMs: waitMs } })
      return goOn(await writeClaimStatus(context, claim, dated, fields)())
    }
    case 'DeleteClaim': {
      const deleted = await deleteClaim(context, claim)()
      if (E.isLeft(deleted)) return deleted
      countDisrupted(context, claim, action.reason)
      log.warn('Gave up on NodeClaim', { NodeClaim: claim.name, reason: action.reason })
      return E.right({})
    }
    case 'StampTerminationTime': {
      const at = Time.renderInstant(action.atMs)
      context.events.record(
        claimEvent(claim, 'Warning', 'TerminationGracePeriodExpiring', `All pods will be deleted by ${at}`),
      )
      return goOn(
        await writeClaimMetadata(context, claim, {
          annotations: { 'karpenter.sh/nodeclaim-termination-timestamp': at },
        })(),
      )
    }
    case 'DeleteNode': {
      const deleted = await kube.delete(caches.nodes.kind, { name: action.node })()
      if (E.isLeft(deleted) && deleted.left._tag !== 'NotFound') return deleted
      return E.right({ claim })
    }
    case 'TerminateInstance': {
      const target = { providerId: action.providerId, claim: claimFacts(context, claim) }
      const ended = await context.provider.terminate(target, {
        signal: context.shutdown,
        cluster: context.clusterFacts(),
      })()
      if (E.isLeft(ended) && ended.left._tag !== 'InstanceNotFound') return ended
      const marked = await writeClaimStatus(context, claim, [{ type: 'InstanceTerminating', status: 'True' }])()
      if (E.isLeft(marked)) return marked
      if (E.isRight(ended) && ended.right === 'Started')
        return E.right({ result: { requeueAfterMs: terminationPollMs } })
      const since = Conditions.find(marked.right.conditions, 'InstanceTerminating')
      metrics.observe(
        families.nodeClaimsInstanceTerminationDuration,
        { nodepool: claim.labels[labelKeys.nodePool] ?? '' },
        Math.max(0, (context.clock.nowMs() - (since?.lastTransitionAtMs ?? context.clock.nowMs())) / 1000),
      )
      return finishClaim(context, marked.right)
    }
    case 'RemoveFinalizer': {
      const left = await launches.find(claim, { signal: context.shutdown, cluster: context.clusterFacts() })
      if (E.isLeft(left)) return left
      if (left.right === undefined) return finishClaim(context, claim)
      const { providerId } = left.right
      return perform(context, remembered, claim, { _tag: 'TerminateInstance', providerId })
    }
  }
}

const logInitialized = ({ log }: ReconcilerContext, claim: ClaimState, node: string): void =>
  log.info('Initialized NodeClaim', { NodeClaim: claim.name, Node: node })

const finishClaim = async (
  context: ReconcilerContext,
  claim: ClaimState,
): Promise<E.Either<ReconcileError, Performed>> => {
  const finalizers = claim.finalizers.filter((finalizer) => finalizer !== terminationFinalizer)
  const removed = await writeClaimMetadata(context, claim, { finalizers })()
  if (E.isLeft(removed)) return removed.left._tag === 'NotFound' ? E.right({}) : removed
  reportFinalizers(context, claimEvent, claim)
  const { labels, deletionTimestampMs } = claim
  const nodepool = labels[labelKeys.nodePool] ?? ''
  context.metrics.add(families.nodeClaimsTerminated, {
    nodepool,
    capacity_type: labels[labelKeys.capacityType] ?? '',
    zone: labels[labelKeys.zone] ?? '',
  })
  if (deletionTimestampMs !== undefined) {
    const seconds = (context.clock.nowMs() - deletionTimestampMs) / 1000
    context.metrics.observe(families.nodeClaimsTerminationDuration, { nodepool }, Math.max(0, seconds))
  }
  context.log.info('Deleted NodeClaim', { NodeClaim: claim.name, 'provider-id': claim.providerId ?? '' })
  return E.right({})
}
