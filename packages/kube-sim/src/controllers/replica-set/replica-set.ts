import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import { adoptPods, releaseStrays } from '../claim-pods.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import type { PodObject, ReplicaSetObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isActive, isReady, keyOf, msUntilAvailable, splitKey } from '../pod-state.ts'
import { podFromTemplate } from '../pod-template.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { unlessGone } from '../status-error.ts'
import { inDeletionOrder } from './deletion-order.ts'

const component = 'replicaset-controller'
const writesAtOnce = 64
// The events of many pods that start together are one reason to count, not many.
const countDelayMs = 50

/**
 * Keeps as many pods as each ReplicaSet asks for.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
 * Differs from Kubernetes in creating all missing pods at once, without slow start and without a burst limit.
 */
export const startReplicaSets = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const sets = face.peek<ReplicaSetObject>('apps', 'replicasets')
  const pods = face.peek<PodObject>('', 'pods')
  // Sets for which a pod without controller was seen: only they walk their whole namespace.
  const withOrphans = new Set<string>()
  const pause = () => clock.sleep(0)

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const set = sets.get(name, namespace)
    if (set === undefined) return void withOrphans.delete(key)
    if (set.metadata.deletionTimestamp === undefined) {
      const labels = compileSelector(set.spec.selector)
      const selects = ({ metadata }: PodObject) => labels(metadata.labels)
      // An ended pod stays free: it would only have to be replaced.
      const adopts = (pod: PodObject) => isActive(pod) && selects(pod)
      if (withOrphans.delete(key)) await adoptPods(face, { owner: set, selects: adopts }, pods.values(namespace))
      await releaseStrays(face, { owner: set, selects }, ownPods(set))
      await scale(set)
    }
    await writeStatus(set, key)
  }

  const ownPods = (set: ReplicaSetObject): ReadonlyArray<PodObject> =>
    [...pods.ownedBy(set.metadata.uid)].filter((pod) => controllerOf(pod)?.uid === set.metadata.uid)

  const scale = async (set: ReplicaSetObject) => {
    const active = ownPods(set).filter(isActive)
    const missing = (set.spec.replicas ?? 1) - active.length
    if (missing > 0) {
      const draft = podFromTemplate(set, set.spec.template)
      const ref = { ...refs.pods, namespace: set.metadata.namespace ?? '' }
      const create = async () => {
        const pod = await face.create(ref, draft)
        events.record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`, component)
      }
      await forEachBounded(Array.from({ length: missing }), writesAtOnce, create, pause)
    } else if (missing < 0) {
      const victims = inDeletionOrder(active, relatedPods(set)).slice(0, -missing)
      const remove = async (pod: PodObject) => {
        await unlessGone(face.delete(refTo(refs.pods, pod), { preconditions: { uid: pod.metadata.uid } }))
        events.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, component)
      }
      await forEachBounded(victims, writesAtOnce, remove, pause)
    }
  }

  const relatedPods = function* (set: ReplicaSetObject): Iterable<PodObject> {
    const owner = controllerOf(set)
    const siblings = owner === undefined ? [set] : sets.ownedBy(owner.uid)
    for (const sibling of siblings) for (const pod of pods.ownedBy(sibling.metadata.uid)) if (isActive(pod)) yield pod
  }

  const writeStatus = async (set: ReplicaSetObject, key: string) => {
    const active = ownPods(set).filter(isActive)
    const labels = compileSelector({ matchLabels: set.spec.template?.metadata?.labels ?? {} })
    let readyReplicas = 0
    let availableReplicas = 0
    let fullyLabeledReplicas = 0
    let soonestMs = Infinity
    for (const pod of active) {
      if (labels(pod.metadata.labels)) fullyLabeledReplicas += 1
      if (!isReady(pod)) continue
      readyReplicas += 1
      const waitMs = msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, clock.nowMs())
      if (waitMs === 0) availableReplicas += 1
      else if (waitMs !== undefined) soonestMs = Math.min(soonestMs, waitMs)
    }
    if (soonestMs < Infinity) queue.addAfter(key, soonestMs)
    await patchStatus(face, refs.replicaSets, set, {
      replicas: active.length,
      fullyLabeledReplicas,
      readyReplicas,
      availableReplicas,
      observedGeneration: set.metadata.generation ?? 1,
    })
  }

  const queue = queueOf(cluster, 'replica-set', reconcile)
  informers.on<ReplicaSetObject>(refs.replicaSets, ({ type, object }) => {
    const key = keyOf(object)
    if (type === 'ADDED') withOrphans.add(key)
    queue.add(key)
  })
  informers.on<PodObject>(refs.pods, ({ type, object }) => {
    const owner = controllerOf(object)
    const namespace = object.metadata.namespace ?? ''
    if (owner !== undefined) {
      if (owner.kind === 'ReplicaSet') queue.addAfter(`${namespace}/${owner.name}`, countDelayMs)
      return
    }
    if (type === 'DELETED') return
    for (const set of sets.values(namespace)) {
      if (!compileSelector(set.spec.selector)(object.metadata.labels)) continue
      withOrphans.add(keyOf(set))
      queue.addAfter(keyOf(set), countDelayMs)
    }
  })
  return { stop: queue.stop }
}
