import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import { canonicalText, shortHash } from '../canonical.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import { resolveIntOrPercent } from '../int-or-percent.ts'
import type { DaemonSetObject, NodeObject, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isActive, isReady, isTerminal, keyOf, msUntilAvailable, splitKey } from '../pod-state.ts'
import { podFromTemplate } from '../pod-template.ts'
import { refs } from '../refs.ts'
import { unlessGone } from '../status-error.ts'
import { daemonEligibility, daemonPodSpec } from './daemon-pods.ts'

const component = 'daemonset-controller'
const revisionLabel = 'controller-revision-hash'
const writesAtOnce = 32
const countDelayMs = 20

/**
 * Keeps one pod of each DaemonSet on every eligible node.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 * Differs from Kubernetes in keeping no ControllerRevision objects and in ignoring `maxSurge`.
 */
export const startDaemonSets = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const sets = face.peek<DaemonSetObject>('apps', 'daemonsets')
  const pods = face.peek<PodObject>('', 'pods')
  const nodes = face.peek<NodeObject>('', 'nodes')

  const ownPods = (set: DaemonSetObject): ReadonlyArray<PodObject> =>
    [...pods.ownedBy(set.metadata.uid)].filter((pod) => controllerOf(pod)?.uid === set.metadata.uid)

  const byNode = (set: DaemonSetObject): ReadonlyMap<string, ReadonlyArray<PodObject>> => {
    const groups = new Map<string, Array<PodObject>>()
    for (const pod of ownPods(set)) {
      const name = nodeOf(pod)
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [pod])
      else group.push(pod)
    }
    return groups
  }

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const set = sets.get(name, namespace)
    if (set === undefined) return
    if (set.metadata.deletionTimestamp === undefined) {
      await placePods(set)
      await replaceOutdated(set)
    }
    await writeStatus(set, key)
  }

  const placePods = async (set: DaemonSetObject) => {
    const groups = byNode(set)
    const missing: Array<string> = []
    const surplus: Array<PodObject> = []
    for (const node of nodes.values()) {
      const there = groups.get(node.metadata.name) ?? []
      const { shouldRun, mayStay } = daemonEligibility(set, node)
      const active = there.filter((pod) => pod.metadata.deletionTimestamp === undefined)
      // A failed pod is deleted; its successor comes when it is gone.
      surplus.push(...active.filter(isTerminal))
      const running = active.filter((pod) => !isTerminal(pod))
      if (shouldRun && there.length === 0) missing.push(node.metadata.name)
      else if (!mayStay) surplus.push(...running)
      else surplus.push(...running.slice(1))
    }
    // Pods that wait for a node that is gone wait for ever.
    for (const [nodeName, group] of groups) {
      if (nodes.get(nodeName) === undefined) surplus.push(...group.filter((pod) => pod.spec.nodeName === undefined))
    }
    const draft = podFromTemplate(set, set.spec.template)
    const labels = { ...draft.metadata?.labels, [revisionLabel]: revisionOf(set) }
    const ref = { ...refs.pods, namespace: set.metadata.namespace ?? '' }
    await forEachBounded(missing, writesAtOnce, async (nodeName) => {
      const spec = daemonPodSpec(set.spec.template?.spec ?? {}, nodeName)
      const pod = await face.create(ref, { ...draft, metadata: { ...draft.metadata, labels }, spec })
      events.record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`, component)
    })
    await forEachBounded(surplus, writesAtOnce, (pod) => remove(set, pod))
  }

  const remove = async (set: DaemonSetObject, pod: PodObject) => {
    await unlessGone(face.delete(refTo(refs.pods, pod), { preconditions: { uid: pod.metadata.uid } }))
    events.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, component)
  }

  /** A rolling update: outdated pods go as long as few enough nodes are without a ready one. */
  const replaceOutdated = async (set: DaemonSetObject) => {
    const { updateStrategy } = set.spec
    if (updateStrategy?.type === 'OnDelete') return
    const revision = revisionOf(set)
    const eligible = [...nodes.values()].filter((node) => daemonEligibility(set, node).shouldRun)
    const asked = resolveIntOrPercent(updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, eligible.length, 'up')
    let allowed = Math.max(asked, 1)
    const groups = byNode(set)
    const outdated: Array<PodObject> = []
    for (const { metadata } of eligible) {
      const there = (groups.get(metadata.name) ?? []).filter(isActive)
      const available = there.some((pod) => msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, clock.nowMs()) === 0)
      const old = there.filter((pod) => pod.metadata.labels?.[revisionLabel] !== revision)
      if (!available) allowed -= 1
      // What is not available is replaced at once: that costs nothing.
      if (!available) outdated.unshift(...old)
      else outdated.push(...old)
    }
    for (const pod of outdated) {
      const isServing = msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, clock.nowMs()) === 0
      if (isServing && allowed <= 0) continue
      if (isServing) allowed -= 1
      await remove(set, pod)
    }
  }

  const writeStatus = async (set: DaemonSetObject, key: string) => {
    const groups = byNode(set)
    const revision = revisionOf(set)
    const counts = {
      desiredNumberScheduled: 0,
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
      numberAvailable: 0,
      updatedNumberScheduled: 0,
    }
    let soonestMs = Infinity
    for (const node of nodes.values()) {
      const there = (groups.get(node.metadata.name) ?? []).filter(isActive)
      if (!daemonEligibility(set, node).shouldRun) {
        if (there.length > 0) counts.numberMisscheduled += 1
        continue
      }
      counts.desiredNumberScheduled += 1
      const pod = there[0]
      if (pod === undefined) continue
      counts.currentNumberScheduled += 1
      if (pod.metadata.labels?.[revisionLabel] === revision) counts.updatedNumberScheduled += 1
      if (!isReady(pod)) continue
      counts.numberReady += 1
      const waitMs = msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, clock.nowMs())
      if (waitMs === 0) counts.numberAvailable += 1
      else if (waitMs !== undefined) soonestMs = Math.min(soonestMs, waitMs)
    }
    if (soonestMs < Infinity) queue.addAfter(key, soonestMs)
    await patchStatus(face, refs.daemonSets, set, {
      ...counts,
      numberUnavailable: counts.desiredNumberScheduled - counts.numberAvailable,
      observedGeneration: set.metadata.generation ?? 1,
    })
  }

  const queue = queueOf(cluster, 'daemon-set', reconcile)
  informers.on<DaemonSetObject>(refs.daemonSets, ({ object }) => queue.add(keyOf(object)))
  informers.on<NodeObject>(refs.nodes, ({ type, object, before }) => {
    const isSame =
      type === 'MODIFIED' &&
      before !== undefined &&
      canonicalText([before.metadata.labels, before.spec?.taints]) ===
        canonicalText([object.metadata.labels, object.spec?.taints])
    if (!isSame) for (const set of sets.values()) queue.addAfter(keyOf(set), countDelayMs)
  })
  informers.on<PodObject>(refs.pods, ({ object }) => {
    const owner = controllerOf(object)
    if (owner?.kind === 'DaemonSet') queue.addAfter(`${object.metadata.namespace ?? ''}/${owner.name}`, countDelayMs)
  })
  return { stop: queue.stop }
}

const revisionOf = (set: DaemonSetObject): string => shortHash(canonicalText(set.spec.template ?? {}))

/** Where a daemon pod is, or is meant to be while it is not bound. */
const nodeOf = (pod: PodObject): string => {
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.[0]?.matchFields?.[0]?.values?.[0] ?? ''
}
