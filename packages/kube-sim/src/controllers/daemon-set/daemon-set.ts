import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import { canonicalText } from '../canonical.ts'
import { adoptPods, releaseStrays } from '../claim-pods.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import type { ControllerRevisionObject, DaemonSetObject, NodeObject, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isReady, isTerminal, keyOf, msUntilAvailable, splitKey } from '../pod-state.ts'
import { podFromTemplate } from '../pod-template.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { unlessGone } from '../status-error.ts'
import { templateRevisions } from '../template-revisions.ts'
import { daemonEligibility, daemonPodSpec } from './daemon-pods.ts'
import { inOrder, planPlaces, planRollout, type DaemonNode, type DaemonPlan, type DaemonPlanInput } from './pod-plan.ts'

const component = 'daemonset-controller'
/** On pods and on ControllerRevisions: the hash of their template. */
const revisionLabel = 'controller-revision-hash'
const generationKey = 'deprecated.daemonset.template.generation'
const generationLabel = 'pod-template-generation'
const writesAtOnce = 32
const countDelayMs = 20

/**
 * Keeps one pod of each DaemonSet on every eligible node.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 * Differs from Kubernetes in replacing a failed pod at once, without pauses that grow.
 */
export const startDaemonSets = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const sets = face.peek<DaemonSetObject>('apps', 'daemonsets')
  const pods = face.peek<PodObject>('', 'pods')
  const nodes = face.peek<NodeObject>('', 'nodes')
  const revisions = templateRevisions(face, refs.daemonSets, revisionLabel)
  // Sets for which a pod without controller was seen: only they walk their whole namespace.
  const withOrphans = new Set<string>()

  const ownPods = (set: DaemonSetObject): ReadonlyArray<PodObject> =>
    [...pods.ownedBy(set.metadata.uid)].filter((pod) => controllerOf(pod)?.uid === set.metadata.uid)

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const set = sets.get(name, namespace)
    if (set === undefined) return void withOrphans.delete(key)
    if (set.metadata.deletionTimestamp !== undefined) return
    const labels = compileSelector(set.spec.selector)
    const selects = ({ metadata }: PodObject) => labels(metadata.labels)
    await releaseStrays(face, { owner: set, selects }, ownPods(set))
    if (withOrphans.delete(key)) await adoptPods(face, { owner: set, selects }, pods.values(namespace))
    const revision = await revisions.ensure(set)
    await carryOut(set, revision, planPlaces(inputOf(set, revision)))
    await removeLost(set)
    await carryOut(set, revision, planRollout(inputOf(set, revision)))
    const live = new Set([hashOf(revision), ...ownPods(set).map(hashOf)])
    await revisions.prune(set, (each) => live.has(hashOf(each)))
    await writeStatus(set, revision, key)
  }

  const inputOf = (set: DaemonSetObject, revision: ControllerRevisionObject): DaemonPlanInput => {
    const groups = Map.groupBy(
      ownPods(set).filter((pod) => pod.metadata.deletionTimestamp === undefined || !isTerminal(pod)),
      nodeOf,
    )
    return {
      set,
      nodes: [...nodes.values()].map((node): DaemonNode => ({
        name: node.metadata.name,
        ...daemonEligibility(set, node),
        pods: groups.get(node.metadata.name) ?? [],
      })),
      isNew: (pod) => hashOf(pod) === hashOf(revision),
      nowMs: clock.nowMs(),
    }
  }

  const carryOut = async (set: DaemonSetObject, revision: ControllerRevisionObject, { create, remove }: DaemonPlan) => {
    const draft = podFromTemplate(set, set.spec.template)
    const generation = set.metadata.annotations?.[generationKey]
    const labels = {
      ...draft.metadata?.labels,
      [revisionLabel]: hashOf(revision) ?? '',
      ...(generation === undefined ? {} : { [generationLabel]: generation }),
    }
    const ref = { ...refs.pods, namespace: set.metadata.namespace ?? '' }
    await forEachBounded(create, writesAtOnce, async (nodeName) => {
      const spec = daemonPodSpec(set.spec.template?.spec ?? {}, nodeName)
      const pod = await face.create(ref, { ...draft, metadata: { ...draft.metadata, labels }, spec })
      events.record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`, component)
    })
    await forEachBounded(remove, writesAtOnce, (pod) => removePod(set, pod))
  }

  /** Pods that wait for a node that is gone wait for ever. */
  const removeLost = (set: DaemonSetObject) => {
    const isLost = (pod: PodObject) =>
      pod.metadata.deletionTimestamp === undefined &&
      pod.spec.nodeName === undefined &&
      nodeOf(pod) !== '' &&
      nodes.get(nodeOf(pod)) === undefined
    const lost = ownPods(set).filter(isLost)
    return forEachBounded(lost, writesAtOnce, (pod) => removePod(set, pod))
  }

  const removePod = async (set: DaemonSetObject, pod: PodObject) => {
    await unlessGone(face.delete(refTo(refs.pods, pod), { preconditions: { uid: pod.metadata.uid } }))
    events.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, component)
  }

  const writeStatus = async (set: DaemonSetObject, revision: ControllerRevisionObject, key: string) => {
    const input = inputOf(set, revision)
    const counts = {
      desiredNumberScheduled: 0,
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
      numberAvailable: 0,
      updatedNumberScheduled: 0,
    }
    let soonestMs = Infinity
    for (const { shouldRun, pods: there } of input.nodes) {
      if (!shouldRun) {
        if (there.length > 0) counts.numberMisscheduled += 1
        continue
      }
      counts.desiredNumberScheduled += 1
      const [pod] = inOrder(there)
      if (pod === undefined) continue
      counts.currentNumberScheduled += 1
      if (input.isNew(pod)) counts.updatedNumberScheduled += 1
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
  informers.on<DaemonSetObject>(refs.daemonSets, ({ type, object }) => {
    if (type === 'ADDED') withOrphans.add(keyOf(object))
    queue.add(keyOf(object))
  })
  informers.on<NodeObject>(refs.nodes, ({ type, object, before }) => {
    const isSame =
      type === 'MODIFIED' &&
      before !== undefined &&
      canonicalText([before.metadata.labels, before.spec?.taints]) ===
        canonicalText([object.metadata.labels, object.spec?.taints])
    if (!isSame) for (const set of sets.values()) queue.addAfter(keyOf(set), countDelayMs)
  })
  informers.on<PodObject>(refs.pods, ({ type, object }) => {
    const owner = controllerOf(object)
    const { namespace = '', labels } = object.metadata
    if (owner !== undefined) {
      if (owner.kind === 'DaemonSet') queue.addAfter(`${namespace}/${owner.name}`, countDelayMs)
      return
    }
    if (type === 'DELETED') return
    for (const set of sets.values(namespace)) {
      if (!compileSelector(set.spec.selector)(labels)) continue
      withOrphans.add(keyOf(set))
      queue.addAfter(keyOf(set), countDelayMs)
    }
  })
  return { stop: queue.stop }
}

const hashOf = ({ metadata }: PodObject | ControllerRevisionObject): string | undefined =>
  metadata.labels?.[revisionLabel]

/** Where a daemon pod is, or is meant to be while it is not bound. */
const nodeOf = (pod: PodObject): string => {
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.[0]?.matchFields?.[0]?.values?.[0] ?? ''
}
