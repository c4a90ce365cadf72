import * as E from 'fp-ts/lib/Either.js'
import {
  isProvisionable,
  isVirtual,
  podKey,
  groupRejections,
  renderRejection,
  Requirements,
  Resources,
  startProvisioning,
  type ClaimState,
  type InstanceType,
  type Labels,
  type Launch,
  type NodePool,
  type Pod,
  type ProvisioningPlan,
  type Snapshot,
  type Strategy,
} from '@scantling/core'
import type { Batcher } from '../../batcher/index.ts'
import { settleBuffers } from './capacity-buffers.ts'
import { families } from '../../observability/index.ts'
import { inSlices } from '../../runtime/index.ts'
import { nodePoolEvent, podEvent } from '../event-records.ts'
import type { Counted } from '../../state/index.ts'
import { claimManifest, type ClaimLaunch } from '../claim-manifest.ts'
import { makeConsolidationHints } from './consolidation-hints.ts'
import type { ReconcilerContext } from '../context.ts'
import { passStrategy } from './pass-strategy.ts'
import { followPods, tellOfPass } from '../metrics/index.ts'

// While claims are being launched planning waits, and looks again this often.
const unsyncedPollMs = 250
const createdAtOnce = 20
const failedSchedulingTtlMs = 5 * 60_000
const noTypesTtlMs = 60_000
const noTypes =
  'No instance type that can be bought meets its requirements and minValues; widen them, or wait for capacity'
const namedPods = 3
const nominatedLimit = { perSecond: 5, burst: 10 } as const

/**
 * Turns batches of pending pods into NodeClaims. P-PRV-01…11.
 *
 * One pass at a time: wait for a batch, take a snapshot, plan, check the plan against what changed meanwhile, create
 * the claims. A failure of one claim does not stop the others; its pods come again with the next batch.
 */
export const runProvisioner = async (context: ReconcilerContext, batcher: Batcher): Promise<void> => {
  const { shutdown, log } = context
  const hint = makeConsolidationHints(context)
  const times = followPods(context)
  shutdown.addEventListener('abort', times.stop)
  while (!shutdown.aborted) {
    if (!(await batcher.wait(shutdown))) continue
    await untilAccounted(context)
    if (shutdown.aborted) return
    try {
      await provision(context, hint, times.decided)
    } catch (cause) {
      log.error('Provisioning failed', { error: String(cause instanceof Error ? cause.stack : cause) })
    }
  }
}

// Pods that come meanwhile are part of the pass: its snapshot is taken afterwards.
const untilAccounted = async ({ state, shutdown, log, clock }: ReconcilerContext): Promise<void> => {
  let told = ''
  for (let waiting = state.unaccountedClaims(); waiting.length > 0 && !shutdown.aborted;) {
    const names = waiting.slice(0, 5).join(', ')
    if (names !== told) log.debug('Waiting for claims to launch', { NodeClaims: names, count: waiting.length })
    told = names
    await clock.sleep(unsyncedPollMs, shutdown).catch(() => undefined)
    waiting = state.unaccountedClaims()
  }
}

/** One pass over the pods that wait now. */
export const provision = async (
  context: ReconcilerContext,
  hint: (pods: ReadonlyArray<Pod>) => void = () => undefined,
  decided: (plan: ProvisioningPlan) => void = () => undefined,
): Promise<void> => {
  const { state, types, log, metrics, steadyNowMs, shutdown } = context
  const startedAt = steadyNowMs()
  const call = { signal: context.shutdown, cluster: context.clusterFacts() }
  const instanceTypes = await types.ofNodePools(state.nodePools(), call, (pool, error) =>
    log.warn('NodePool is left out of this pass: its instance types cannot be had', {
      NodePool: pool.name,
      error: error.message,
    }),
  )
  await inSlices(state.readAhead(), steadyNowMs, shutdown)
  await context.features.spread?.prepare(podsToPlace(context))
  if (shutdown.aborted) return
  const snapshot = state.snapshot(instanceTypes)
  if (!snapshot.pods.some(isProvisionable) && !snapshot.nodes.some((node) => node.isMarkedForDeletion))
    return settleBuffers(context, { launches: [], placements: [], rejections: [] })
  const endPass = tellOfPass(context, snapshot.pods.filter(isProvisionable).length)
  const plan = await inSlices(planSteps(snapshot, passStrategy(context)), steadyNowMs, shutdown).finally(endPass)
  if (plan === undefined) return
  hint(snapshot.pods)
  decided(plan)
  const seconds = (steadyNowMs() - startedAt) / 1000
  metrics.observe(families.schedulerDuration, { controller: 'provisioner' }, seconds)
  metrics.set(
    families.schedulerUnschedulablePods,
    { controller: 'provisioner' },
    plan.rejections.filter(({ verdict }) => verdict === 'unplaced').length,
  )
  metrics.set(families.schedulerIgnoredPods, {}, plan.rejections.filter(({ verdict }) => verdict === 'ignored').length)
  if (plan.launches.length > 0 || plan.rejections.length > 0) {
    log.info('Planned', {
      pods: plan.stats.pods,
      'new-nodeclaims': plan.launches.length,
      'existing-nodes': plan.placements.length,
      unplaced: plan.rejections.length,
      seconds,
    })
  }
  await inSlices(announce(context, plan), steadyNowMs, shutdown)
  logUnplaced(context, plan)
  await settleBuffers(context, plan)
  await createClaims(context, affordable(context, plan.launches))
}

/** In a shortage a NodePool tries one machine at a time; pods beyond it are planned for again in the next pass. */
const affordable = (
  { caches, shortages }: ReconcilerContext,
  launches: ReadonlyArray<Launch>,
): ReadonlyArray<Launch> => {
  const tried = new Set<string>()
  return launches.filter(({ nodePool }) => {
    if (!shortages.isShort(nodePool)) return true
    const isTrying =
      tried.has(nodePool) ||
      !shortages.mayTry(nodePool) ||
      caches.nodeClaims
        .by('byNodePool', nodePool)
        .some(({ metadata, status }) => status.providerID === undefined && metadata.deletionTimestamp === undefined)
    tried.add(nodePool)
    return !isTrying
  })
}

const podsToPlace = ({ state }: ReconcilerContext): ReadonlyArray<Pod> => [
  ...state.podsOn('').filter(isProvisionable),
  ...state.nodes().flatMap(({ isMarkedForDeletion, pods }) => (isMarkedForDeletion ? pods : [])),
]

function* planSteps(snapshot: Snapshot, strategy: Strategy): Generator<void, ProvisioningPlan, void> {
  const pass = startProvisioning(snapshot, { strategy, reservedOfferings: 'strict' })
  while (!pass.step(1)) yield
  return pass.finish()
}

// One line for each reason, however many pods share it.
const logUnplaced = ({ log }: ReconcilerContext, { rejections }: ProvisioningPlan): void => {
  const unplaced = rejections.filter(({ verdict, pod }) => verdict === 'unplaced' && !isVirtual(pod))
  for (const { reasons: reason, rejections: alike } of groupRejections(unplaced)) {
    const names = alike.slice(0, namedPods).map(({ pod }) => `${pod.namespace}/${pod.name}`)
    const rest = alike.length - names.length
    log.info('Pods have no place', { pods: `${names.join(', ')}${rest > 0 ? ` and ${rest} others` : ''}`, reason })
  }
}

function* announce({ events, state }: ReconcilerContext, plan: ProvisioningPlan): Generator<void, void, void> {
  for (const rejection of plan.rejections) {
    yield
    // Nobody would find an event of a pod that does not exist.
    if (rejection.verdict === 'deferred' || isVirtual(rejection.pod)) continue
    const message = renderRejection(rejection)
    events.record({
      ...podEvent(rejection.pod, 'Warning', 'FailedScheduling', message),
      dedupe: [rejection.pod.uid],
      ttlMs: failedSchedulingTtlMs,
    })
  }
  for (const pool of state.nodePools().filter(({ name }) => plan.barrenNodePools?.includes(name)))
    events.record({
      ...nodePoolEvent(pool, 'Warning', 'NoCompatibleInstanceTypes', noTypes),
      dedupe: [pool.uid],
      ttlMs: noTypesTtlMs,
    })
  for (const { node, pods } of plan.placements) {
    const real = pods.filter((pod) => !isVirtual(pod))
    if (real.length > 0) state.nominate(node)
    for (const pod of real) nominated(events, pod, `Pod should schedule on: node/${node}`)
  }
}

const nominated = (events: ReconcilerContext['events'], pod: Pod, message: string): void =>
  events.record({ ...podEvent(pod, 'Normal', 'Nominated', message), limit: nominatedLimit })

/** Creates the claims of a plan, several at once; each stands for itself. */
const createClaims = async (context: ReconcilerContext, launches: ReadonlyArray<Launch>): Promise<void> => {
  const queue = [...launches]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !context.shutdown.aborted; next = queue.shift()) {
      const created = await createClaim(context, next, { reason: 'provisioned', counted: { leaving: new Set() } })
      if (E.isLeft(created))
        context.log.error('Cannot create NodeClaim', { NodePool: next.nodePool, error: created.left })
    }
  }
  await Promise.all(Array.from({ length: Math.min(createdAtOnce, launches.length) }, work))
}

/** What a claim is made for, beside its launch. */
export interface ClaimPurpose {
  /** As `nodeclaims_created_total` counts it. */
  readonly reason: string
  readonly annotations?: Labels
  /** Which machines the limits of the NodePool count: those that stay, or all that there are until the others go. */
  readonly counted: Counted
}

/** A launch, or one more node of a static NodePool, for which no pod waits. */
export type ClaimOrder = ClaimLaunch & Partial<Pick<Launch, 'pods' | 'pricePerHour'>>

/**
 * Creates one claim, unless its pool is gone or going (P-PRV-10), or has no room for it by its limits.
 *
 * Errors: a sentence; nothing was created, as far as the API server has said.
 */
export const createClaim = async (
  context: ReconcilerContext,
  launch: ClaimOrder,
  purpose: ClaimPurpose,
): Promise<E.Either<string, ClaimState>> => {
  const { caches, views, state } = context
  const object = caches.nodePools.get(launch.nodePool)
  if (object === undefined) return E.left(`NodePool ${launch.nodePool} is gone`)
  const pool = views.nodePool(object)
  if (pool.isDeleting) return E.left(`NodePool ${launch.nodePool} is being deleted`)
  const fitted = withinLimits(context, launch, pool, purpose.counted)
  if (E.isLeft(fitted)) return fitted
  const { order, token } = fitted.right
  const created = await create(context, order, { purpose, pool, expireAfter: object.spec.template.spec.expireAfter })
  if (E.isRight(created)) state.room.name(token, created.right.name)
  else state.room.giveBack(token)
  return created
}

// The largest machine that it may become must find room; types too large for what is left are left out.
const withinLimits = (
  { state }: ReconcilerContext,
  order: ClaimOrder,
  pool: NodePool,
  counted: Counted,
): E.Either<string, { readonly order: ClaimOrder; readonly token: object }> => {
  const { instanceTypes } = order
  const largestOf = (types: ReadonlyArray<InstanceType>) => Resources.max(...types.map(({ capacity }) => capacity))
  const whole = state.room.take(pool, largestOf(instanceTypes ?? []), counted)
  if ('token' in whole) return E.right({ order, token: whole.token })
  const over = E.left(
    `NodePool ${pool.name} has no room for it: ${whole.over.resource} would exceed the limit of ${whole.over.limit}`,
  )
  // With fewer types its minValues might fail, which only a plan can tell.
  if (instanceTypes === undefined || Requirements.hasMinValues(order.requirements)) return over
  const [first, ...rest] = instanceTypes.filter(({ capacity }) => state.room.fits(pool, capacity, counted))
  if (first === undefined) return over
  const narrowed = state.room.take(pool, largestOf([first, ...rest]), counted)
  return 'token' in narrowed
    ? E.right({ order: { ...order, instanceTypes: [first, ...rest] }, token: narrowed.token })
    : over
}

const create = async (
  context: ReconcilerContext,
  order: ClaimOrder,
  {
    purpose,
    pool,
    expireAfter,
  }: { readonly purpose: ClaimPurpose; readonly pool: NodePool; readonly expireAfter: string },
): Promise<E.Either<string, ClaimState>> => {
  const { caches, kube, views, state, events, metrics, log } = context
  const { pods = [], instanceTypes = [] } = order
  const annotations = { ...order.annotations, ...purpose.annotations }
  const created = await kube.create(
    caches.nodeClaims.kind,
    claimManifest({ ...order, annotations }, pool, expireAfter),
  )()
  if (E.isLeft(created)) return E.left(created.left.message)
  const claim = views.claim(created.right)
  state.assign(claim.name, pods)
  context.ownClaims.add(claim.name)
  caches.nodeClaims.observe(created.right)
  metrics.add(families.nodeClaimsCreated, {
    reason: purpose.reason,
    nodepool: pool.name,
    min_values_relaxed: annotations['karpenter.sh/nodeclaim-min-values-relaxed'] ?? 'false',
  })
  const names = instanceTypes.map(({ name }) => name)
  const more = names.length > 5 ? ` and ${names.length - 5} others` : ''
  log.info('Created NodeClaim', {
    NodeClaim: claim.name,
    NodePool: pool.name,
    requests: order.requests,
    'instance-types': `${names.slice(0, 5).join(', ')}${more}`,
    pods: pods.slice(0, 5).map(podKey),
    ...(order.pricePerHour === undefined ? {} : { 'price-per-hour': order.pricePerHour }),
  })
  for (const pod of pods) if (!isVirtual(pod)) nominated(events, pod, `Pod should schedule on: nodeclaim/${claim.name}`)
  return E.right(claim)
}
