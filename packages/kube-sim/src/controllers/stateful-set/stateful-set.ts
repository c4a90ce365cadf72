import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import { adoptPods, releaseStrays } from '../claim-pods.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import type { ControllerRevisionObject, PodObject, StatefulSetObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isReady, keyOf, msUntilAvailable, splitKey } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { unlessGone } from '../status-error.ts'
import { templateOf, templateRevisions } from '../template-revisions.ts'
import { isHeldBack, planPods, wantedOrdinals } from './pod-plan.ts'
import { ordinalOf, podName, revisionOf, statefulPod } from './stateful-pods.ts'
import { statefulClaims } from './volume-claims.ts'

const component = 'statefulset-controller'
const writesAtOnce = 32
const countDelayMs = 20
const hashLabel = 'controller.kubernetes.io/hash'

/** The revisions between which a StatefulSet rolls; the same one twice when it is not rolling. */
interface RollingRevisions {
  readonly current: ControllerRevisionObject
  readonly update: ControllerRevisionObject
}

/**
 * Keeps the pods of each StatefulSet, with their names, their claims and their order.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
export const startStatefulSets = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const sets = face.peek<StatefulSetObject>('apps', 'statefulsets')
  const pods = face.peek<PodObject>('', 'pods')
  const revisions = templateRevisions(face, refs.statefulSets, hashLabel)
  const claims = statefulClaims(face)
  // Sets for which a pod without controller was seen: only they walk their whole namespace.
  const withOrphans = new Set<string>()

  const ownPods = (set: StatefulSetObject): ReadonlyArray<PodObject> =>
    [...pods.ownedBy(set.metadata.uid)].filter(
      (pod) => controllerOf(pod)?.uid === set.metadata.uid && ordinalOf(set, pod.metadata.name) !== undefined,
    )

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const set = sets.get(name, namespace)
    if (set === undefined) return void withOrphans.delete(key)
    if (set.metadata.deletionTimestamp !== undefined) return
    const labels = compileSelector(set.spec.selector)
    const selects = ({ metadata }: PodObject) => labels(metadata.labels)
    const staying = ownPods(set).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    await releaseStrays(face, { owner: set, selects }, staying)
    // Pods that bear a name of the set's and its labels, also those beyond its replicas.
    const adopts = (pod: PodObject) => ordinalOf(set, pod.metadata.name) !== undefined && selects(pod)
    if (withOrphans.delete(key)) await adoptPods(face, { owner: set, selects: adopts }, pods.values(namespace))
    const update = await revisions.ensure(set)
    const rolling = { update, current: revisions.named(set, set.status?.currentRevision) ?? update }
    await movePods(set, rolling)
    const live = new Set([
      ...Object.values(rolling).map(({ metadata }) => metadata.name),
      ...ownPods(set).map(revisionOf),
    ])
    await revisions.prune(set, ({ metadata }) => live.has(metadata.name))
    await writeStatus(key, rolling)
  }

  const movePods = async (set: StatefulSetObject, { current, update }: RollingRevisions) => {
    const own = ownPods(set)
    const wanted = new Set(wantedOrdinals(set))
    const updateRevision = update.metadata.name
    const { create, remove } = planPods({ set, pods: own, updateRevision, nowMs: clock.nowMs() })
    await forEachBounded(own, writesAtOnce, async (pod) => {
      const ordinal = ordinalOf(set, pod.metadata.name) ?? 0
      // A claim that went while its pod waits for it comes back.
      if (wanted.has(ordinal) && pod.status?.phase === 'Pending') await ensureClaims(set, ordinal)
      await claims.settleOwner(set, ordinal, pod, !wanted.has(ordinal))
    })
    await forEachBounded(remove, writesAtOnce, async (pod) => {
      await unlessGone(face.delete(refTo(refs.pods, pod), { preconditions: { uid: pod.metadata.uid } }))
      const text = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`
      events.record(set, 'Normal', 'SuccessfulDelete', text, component)
    })
    // A pod of that name that is not the set's stands in the way until it goes.
    const free = create.filter((ordinal) => pods.get(podName(set, ordinal), set.metadata.namespace) === undefined)
    await forEachBounded(free, writesAtOnce, async (ordinal) => {
      await ensureClaims(set, ordinal)
      const revision = isHeldBack(set, ordinal) ? current : update
      const draft = statefulPod(set, templateOf(revision), ordinal, revision.metadata.name)
      const pod = await face.create<PodObject>({ ...refs.pods, namespace: set.metadata.namespace ?? '' }, draft)
      await claims.settleOwner(set, ordinal, pod, false)
      const text = `create Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`
      events.record(set, 'Normal', 'SuccessfulCreate', text, component)
    })
  }

  const ensureClaims = async (set: StatefulSetObject, ordinal: number) => {
    for (const claim of await claims.ensure(set, ordinal)) {
      const text = `create Claim ${claim} Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name} success`
      events.record(set, 'Normal', 'SuccessfulCreate', text, component)
    }
  }

  const writeStatus = async (key: string, { current, update }: RollingRevisions) => {
    const { namespace, name } = splitKey(key)
    const set = sets.get(name, namespace)
    if (set === undefined) return
    const own = ownPods(set)
    const staying = own.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const ofRevision = (revision: string) => staying.filter((pod) => revisionOf(pod) === revision).length
    const ready = own.filter((pod) => pod.status?.phase === 'Running' && isReady(pod))
    const waits = ready.map((pod) => msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, clock.nowMs()) ?? 0)
    const pending = waits.filter((ms) => ms > 0)
    if (pending.length > 0) queue.addAfter(key, Math.min(...pending))
    const wanted = set.spec.replicas ?? 1
    const updatedReplicas = ofRevision(update.metadata.name)
    const isRolledOut =
      set.spec.updateStrategy?.type !== 'OnDelete' &&
      [own.length, ready.length, updatedReplicas].every((count) => count === wanted)
    await patchStatus(face, refs.statefulSets, set, {
      observedGeneration: set.metadata.generation ?? 1,
      replicas: own.length,
      readyReplicas: ready.length,
      availableReplicas: waits.length - pending.length,
      currentReplicas: isRolledOut ? updatedReplicas : ofRevision(current.metadata.name),
      updatedReplicas,
      currentRevision: (isRolledOut ? update : current).metadata.name,
      updateRevision: update.metadata.name,
      collisionCount: set.status?.collisionCount ?? 0,
    })
  }

  const queue = queueOf(cluster, 'stateful-set', reconcile)
  informers.on<StatefulSetObject>(refs.statefulSets, ({ type, object }) => {
    if (type === 'ADDED') withOrphans.add(keyOf(object))
    queue.add(keyOf(object))
  })
  informers.on<PodObject>(refs.pods, ({ type, object }) => {
    const owner = controllerOf(object)
    const { namespace = '', name, labels } = object.metadata
    if (owner !== undefined) {
      if (owner.kind === 'StatefulSet') queue.addAfter(`${namespace}/${owner.name}`, countDelayMs)
      return
    }
    // An orphan is adopted, and one that only stands in the way makes room when it goes.
    for (const set of sets.values(namespace)) {
      if (ordinalOf(set, name) === undefined) continue
      if (type !== 'DELETED' && !compileSelector(set.spec.selector)(labels)) continue
      withOrphans.add(keyOf(set))
      queue.addAfter(keyOf(set), countDelayMs)
    }
  })
  return { stop: queue.stop }
}
