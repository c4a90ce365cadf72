import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { Pods, scantlingKeys, type Pod } from '@scantling/core'
import type { KubeObject, ResourceKind } from '../../kube/index.ts'
import type { RunningCommand } from '../../state/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { settingsOf } from './pool-settings.ts'

const pollMs = 1000
// A pod that is not Ready by then may never be, and the node waits for it.
const longestMs = 5 * 60_000

const ownedCodec = t.type({
  metadata: t.intersection([
    t.type({ name: t.string }),
    t.partial({
      ownerReferences: t.array(
        t.intersection([t.type({ kind: t.string, name: t.string }), t.partial({ controller: t.boolean })]),
      ),
    }),
  ]),
})

const deploymentCodec = t.type({
  metadata: t.type({ name: t.string }),
  spec: t.partial({ replicas: t.number, paused: t.boolean, strategy: t.partial({ type: t.string }) }),
})

const kindFor = <A extends KubeObject>(kind: string, plural: string, codec: t.Type<A, unknown>): ResourceKind<A> => ({
  apiVersion: 'apps/v1',
  kind,
  plural,
  namespaced: true,
  project: (raw) => E.mapLeft(() => `Cannot read ${kind}`)(codec.decode(raw)),
})
const replicaSets = kindFor('ReplicaSet', 'replicasets', ownedCodec)
const deployments = kindFor('Deployment', 'deployments', deploymentCodec)

/**
 * Rolls Deployments of one replica over to where their next pod fits, before their node is drained.
 *
 * An eviction ends the only pod and has its successor start afterwards. A rollout starts the successor first, and ends
 * the pod when that is Ready; the node takes no new pods by now. It needs no more than an annotation on the template,
 * the same for every try, so that a restarted controller does nothing twice.
 *
 * Resolves when the pods have left, when there is nothing to roll over, or when time is up.
 */
export const rollOver = async (context: ReconcilerContext, running: RunningCommand): Promise<void> => {
  const { clock, shutdown, state, log } = context
  const pods = singlePods(context, running)
  if (pods.length === 0) return
  const rolled = (await Promise.all(pods.map(async (pod) => ((await roll(context, running, pod)) ? [pod] : [])))).flat()
  if (rolled.length === 0) return
  // Their successors are on their way: no machine is bought for the pods themselves.
  const key = `roll-over/${running.id}`
  state.assign(key, rolled)
  log.info('Rolling over Deployments of one replica before their nodes go', {
    'command-id': running.id,
    pods: rolled.map(({ namespace, name }) => `${namespace}/${name}`),
  })
  const untilMs = Math.min(running.goAtMs ?? Number.POSITIVE_INFINITY, clock.nowMs() + longestMs)
  while (!shutdown.aborted && clock.nowMs() < untilMs && rolled.some((pod) => isThere(context, pod)))
    await clock.sleep(pollMs, shutdown).catch(() => undefined)
  state.unassign(key)
}

const singlePods = (context: ReconcilerContext, { candidates }: RunningCommand): ReadonlyArray<Pod> => {
  const { caches, views, state } = context
  return [...candidates].flatMap((name) => {
    const object = caches.nodeClaims.get(name)
    const claim = object && views.claim(object)
    if (claim?.providerId === undefined || settingsOf(context, claim).surge !== 'true') return []
    return caches.nodes
      .by('byProviderId', claim.providerId)
      .flatMap(({ metadata }) => state.podsOn(metadata.name))
      .filter((pod) => Pods.isReschedulable(pod) && pod.owner?.kind === 'ReplicaSet')
  })
}

const isThere = ({ caches }: ReconcilerContext, { namespace, name, uid }: Pod): boolean => {
  const object = caches.pods.get(`${namespace}/${name}`)
  return object?.metadata.uid === uid && object.metadata.deletionTimestamp === undefined
}

/** Starts the rollout of the pod's Deployment, if it is one of a single replica that can run two for a moment. */
const roll = async (
  context: ReconcilerContext,
  { id }: RunningCommand,
  { owner, namespace }: Pod,
): Promise<boolean> => {
  const { kube, log } = context
  const set = await kube.get(replicaSets, { name: owner?.name ?? '', namespace })()
  if (E.isLeft(set)) return false
  const deployment = set.right.metadata.ownerReferences?.find(
    ({ kind, controller }) => controller === true && kind === 'Deployment',
  )
  if (deployment === undefined) return false
  const ref = { name: deployment.name, namespace }
  const found = await kube.get(deployments, ref)()
  if (E.isLeft(found)) return false
  const { replicas = 1, paused = false, strategy } = found.right.spec
  if (replicas !== 1 || paused || strategy?.type === 'Recreate') return false
  const body = { spec: { template: { metadata: { annotations: { [scantlingKeys.rolledOver]: id } } } } }
  const patched = await kube.patch(deployments, ref, { type: 'merge', body })()
  if (E.isRight(patched)) return true
  log.warn('Cannot roll over a Deployment; its pod will be evicted', {
    Deployment: `${namespace}/${deployment.name}`,
    error: patched.left.message,
  })
  return false
}
