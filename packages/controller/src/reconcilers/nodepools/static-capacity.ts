import * as E from 'fp-ts/lib/Either.js'
import {
  annotationKeys,
  nodePoolHashVersion,
  staticLaunch,
  StaticPools,
  type ClaimState,
  type NodePool,
  type StaticClaim,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcileError, Reconciler, ReconcileResult, RunningReconciler } from '../../queue/index.ts'
import { claimManifest } from '../claim-manifest.ts'
import { deleteClaim } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'

const recheckMs = 60_000
const recheckAtLimitMs = 30_000
const createdAtOnce = 20

type Outcome = E.Either<ReconcileError, ReconcileResult>

/** Creates the claims that a static NodePool lacks. P-STA-02, P-STA-03, S-STATIC-02…04. */
export const staticProvisioning = (context: ReconcilerContext): Reconciler => ({
  name: 'static.provisioning',
  concurrency: 10,
  reconcile: (key) => async () => {
    const pool = poolOf(context, key)
    if (pool === undefined || !StaticPools.isScalable(pool)) return E.right({})
    const plan = StaticPools.planScaleUp(pool, staticClaims(context, pool))
    if (plan._tag === 'Enough') return E.right({ requeueAfterMs: recheckMs })
    if (plan._tag === 'AtLimit') {
      context.log.info('Static NodePool is at its limit of nodes', { NodePool: pool.name, limit: plan.limit })
      return E.right({ requeueAfterMs: recheckAtLimitMs })
    }
    const failures = await createAll(context, pool, plan.count)
    const [first] = failures
    if (first !== undefined) return E.left(first)
    return E.right({ requeueAfterMs: plan.isCut ? recheckAtLimitMs : recheckMs })
  },
})

/** Deletes the claims that a static NodePool has too many. P-STA-04, S-STATIC-06…08. */
export const staticDeprovisioning = (context: ReconcilerContext): Reconciler => ({
  name: 'static.deprovisioning',
  concurrency: 10,
  reconcile: (key) => async () => {
    const pool = poolOf(context, key)
    if (pool === undefined || pool.replicas === undefined || !pool.isManaged || pool.isDeleting) return E.right({})
    const victims = StaticPools.planScaleDown(pool, staticClaims(context, pool), context.clock.nowMs())
    const outcomes = await Promise.all(victims.map((name) => remove(context, name)))
    return outcomes.find(E.isLeft) ?? E.right({ requeueAfterMs: recheckMs })
  },
})

const poolOf = ({ caches, views }: ReconcilerContext, name: string): NodePool | undefined => {
  const object = caches.nodePools.get(name)
  return object === undefined ? undefined : views.nodePool(object)
}

const staticClaims = ({ caches, views, state }: ReconcilerContext, pool: NodePool): ReadonlyArray<StaticClaim> => {
  const states = new Map(
    state.nodes().flatMap((node) => (node.claim === undefined ? [] : [[node.claim.name, node] as const])),
  )
  return caches.nodeClaims.by('byNodePool', pool.name).map((object) => {
    const claim = views.claim(object)
    const node = states.get(claim.name)
    return {
      name: claim.name,
      createdAtMs: claim.createdAtMs,
      phase: StaticPools.phaseOf(claim, node?.isMarkedForDeletion ?? false),
      ...(node === undefined ? {} : { state: node }),
    }
  })
}

const createAll = async (
  context: ReconcilerContext,
  pool: NodePool,
  count: number,
): Promise<ReadonlyArray<ReconcileError>> => {
  const failures: Array<ReconcileError> = []
  let left = count
  const work = async () => {
    while (left > 0 && !context.shutdown.aborted) {
      left -= 1
      const created = await create(context, pool)
      if (E.isLeft(created)) failures.push(created.left)
    }
  }
  await Promise.all(Array.from({ length: Math.min(createdAtOnce, count) }, work))
  return failures
}

const create = async (context: ReconcilerContext, pool: NodePool): Promise<E.Either<ReconcileError, ClaimState>> => {
  const { kube, caches, views, state, metrics, log } = context
  const object = caches.nodePools.get(pool.name)
  if (object === undefined) return E.left({ _tag: 'NotFound', message: `NodePool ${pool.name} is gone` })
  const launch = staticLaunch(pool, state.labelRules)
  const manifest = claimManifest(
    {
      ...launch,
      annotations: {
        ...launch.annotations,
        [annotationKeys.nodePoolHash]: pool.hash,
        [annotationKeys.nodePoolHashVersion]: nodePoolHashVersion,
      },
    },
    pool,
    object.spec.template.spec.expireAfter,
  )
  const created = await kube.create(caches.nodeClaims.kind, manifest)()
  if (E.isLeft(created)) return created
  const claim = views.claim(created.right)
  // No pod waits for it, so it holds up no pass.
  state.assign(claim.name, [])
  context.ownClaims.add(claim.name)
  caches.nodeClaims.observe(created.right)
  metrics.add(families.nodeClaimsCreated, { reason: 'provisioned', nodepool: pool.name, min_values_relaxed: 'false' })
  log.info('Created NodeClaim of static NodePool', { NodeClaim: claim.name, NodePool: pool.name })
  return E.right(claim)
}

// Marked before it is deleted, so that no pass between plans pods onto it.
const remove = async (context: ReconcilerContext, name: string): Promise<Outcome> => {
  const { caches, views, state, log } = context
  const object = caches.nodeClaims.get(name)
  if (object === undefined) return E.right({})
  state.markForDeletion(name)
  const deleted = await deleteClaim(context, views.claim(object))()
  if (E.isLeft(deleted)) {
    state.unmark(name)
    return deleted
  }
  log.info('Deleting NodeClaim that its static NodePool has too many', { NodeClaim: name })
  return E.right({})
}

/** Scales static NodePools as they and their claims change. P-STA-05, S-STATIC-05. Returns what stops that. */
export const watchStaticPools = (
  { caches }: ReconcilerContext,
  reconcilers: ReadonlyArray<RunningReconciler>,
): (() => void) => {
  const wake = (pool: string) => {
    if (caches.nodePools.get(pool)?.spec.replicas === undefined) return
    for (const { queue } of reconcilers) queue.add(pool)
  }
  const stops = [
    caches.nodePools.onChange(({ key }) => wake(key)),
    caches.nodeClaims.onChange((change) => {
      const object = change._tag === 'Deleted' ? change.previous : change.current
      const isNews =
        change._tag !== 'Modified' ||
        change.previous.metadata.deletionTimestamp !== change.current.metadata.deletionTimestamp
      const pool = object.metadata.labels['karpenter.sh/nodepool']
      if (isNews && pool !== undefined) wake(pool)
    }),
  ]
  for (const { metadata } of caches.nodePools.values()) wake(metadata.name)
  return () => {
    for (const stop of stops) stop()
  }
}
