import { refTo } from '../../face.ts'
import type { Cluster, Running } from '../cluster.ts'
import { findCondition, timeText } from '../conditions.ts'
import type { ObjectChange } from '../informer.ts'
import type {
  DisruptionBudgetObject,
  NamespaceObject,
  NodeObject,
  PodObject,
  StorageClassObject,
  VolumeClaimObject,
  VolumeObject,
} from '../objects.ts'
import { isTerminal, keyOf } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { isNotFound, unlessGone } from '../status-error.ts'
import { clusterState } from './cluster-state.ts'
import type { NodeState, PlacedPod } from './node-state.ts'
import { checkWithNominated, filters as makeFilters, type Rejection } from './filters.ts'
import { countReason, noNodes, renderFitError, renderUnschedulable } from './fit-error.ts'
import { pendingPods, type PendingPod } from './pending-pods.ts'
import type { PodClass } from './pod-class.ts'
import { planPreemption, type BudgetView } from './preemption.ts'
import { bestNode } from './scores.ts'
import { planVolumes } from './volumes.ts'

export interface SchedulerOptions {
  /** Pods that name another scheduler are left alone. */
  readonly schedulerName?: string
}

const component = 'default-scheduler'
// The event loop gets a turn after this many pods.
const podsBetweenTurns = 100
// A pod that a missed change left waiting is tried again this often, as kube-scheduler does.
const flushPeriodMs = 30_000
const longestWaitMs = 300_000
const selectedNodeKey = 'volume.kubernetes.io/selected-node'
const volumeWaitMs = 600_000

/** Assigns pods to nodes as kube-scheduler's default profile does; see the package's README for what it leaves out. */
export const startScheduler = (cluster: Cluster, options: SchedulerOptions = {}): Running => {
  const { face, clock, agenda, informers, events, onError } = cluster
  const { schedulerName = component } = options
  const pods = face.peek<PodObject>('', 'pods')
  const namespaces = face.peek<NamespaceObject>('', 'namespaces')
  const state = clusterState((namespace) => namespaces.get(namespace)?.metadata.labels ?? {})
  const filters = makeFilters(state)
  const nominated = new Map<string, Map<string, PlacedPod>>()
  // Counts changes that may help a pod; what failed at one count fails again until it moves.
  let generation = 0
  const failures = new WeakMap<PodClass, { readonly generation: number; readonly message: string }>()
  const volumeWaiters = new Map<string, Array<() => void>>()
  let isRunning = false
  let isStopped = false
  let underWay = 0
  let onIdle: (() => void) | undefined

  const pending = pendingPods({ agenda, nowMs: clock.nowMs, onReady: () => void run() })

  const run = async () => {
    if (isRunning || isStopped) return
    isRunning = true
    // A microtask later, so that all events of one moment are in.
    await Promise.resolve()
    let count = 0
    for (let pod = pending.take(); pod !== undefined && !isStopped; pod = pending.take()) {
      schedule(pod)
      count += 1
      if (count % podsBetweenTurns === 0) await clock.sleep(0)
    }
    isRunning = false
  }

  const track = async (effect: Promise<void>, key: string) => {
    underWay += 1
    try {
      await effect
    } catch (error) {
      if (!isStopped) onError(error, 'scheduler', key)
    }
    underWay -= 1
    if (underWay === 0) onIdle?.()
  }

  const schedule = (pod: PendingPod) => {
    const { podClass } = pod
    const known = failures.get(podClass)
    if (known !== undefined && known.generation === generation) return fail(pod, known.message)
    const volumes = planVolumes(face, podClass)
    if (volumes._tag === 'Blocked') {
      return fail(pod, `0/${state.nodes().length} nodes are available: ${volumes.message}.${withoutHelp()}`)
    }
    const nodes = state.nodes()
    if (nodes.length === 0) return fail(pod, noNodes)
    const trial = filters.trial(podClass, volumes.check)
    const feasible: Array<NodeState> = []
    const rejections = new Map<NodeState, Rejection>()
    for (const node of nodes) {
      const reserved = nominatedOn(node, pod)
      const rejection =
        reserved.length === 0
          ? trial.check(node)
          : checkWithNominated(state, () => filters.trial(podClass, volumes.check), node, reserved)
      if (rejection === undefined) feasible.push(node)
      else rejections.set(node, rejection)
    }
    const node =
      pod.nominatedNode === undefined
        ? bestNode(state, filters, podClass, feasible)
        : (feasible.find(({ name }) => name === pod.nominatedNode) ?? bestNode(state, filters, podClass, feasible))
    if (node !== undefined) {
      state.place(pod.object, node.name)
      forgetNomination(pod)
      wakeFollowers(podClass)
      return void track(bind(pod, node.name, volumes.unbound), pod.key)
    }
    const counts = new Map<string, number>()
    for (const { reasons } of rejections.values()) countReason(counts, reasons)
    if (isWaitingForVictims(pod)) {
      const message = 'not eligible due to a terminating pod on the nominated node.'
      return fail(pod, renderUnschedulable(nodes.length, counts, message))
    }
    const outcome = planPreemption({
      state,
      filters,
      podClass,
      checkVolumes: volumes.check,
      rejections,
      budgets: budgetViews(),
      nominatedOn: (candidate) => nominatedOn(candidate, pod),
    })
    if (outcome._tag === 'Victims') {
      nominate(pod, outcome.node.name)
      const message = renderFitError(nodes.length, counts)
      return void track(preempt(pod, outcome.node.name, outcome.victims, message), pod.key)
    }
    const message = renderUnschedulable(nodes.length, counts, outcome.message)
    // Pods that look at other pods may succeed after any binding; the others may not.
    if (!podClass.dependsOnPods && podClass.claimNames.length === 0) failures.set(podClass, { generation, message })
    fail(pod, message)
  }

  const withoutHelp = () => {
    const count = state.nodes().length
    return count === 0
      ? ''
      : ` preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`
  }

  const bind = async (pod: PendingPod, nodeName: string, unbound: ReadonlyArray<VolumeClaimObject>) => {
    try {
      if (unbound.length > 0) await bindVolumes(unbound, nodeName)
      await face.create(
        { ...refTo(refs.pods, pod.object), subresource: 'binding' },
        {
          metadata: { name: pod.object.metadata.name, uid: pod.object.metadata.uid },
          target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
        },
      )
      events.record(pod.object, 'Normal', 'Scheduled', `Successfully assigned ${pod.key} to ${nodeName}`, component)
    } catch (error) {
      const present = pods.get(pod.object.metadata.name, pod.object.metadata.namespace)
      if ((present?.spec.nodeName ?? '') === '') state.unplace(pod.key)
      if (present === undefined || present.metadata.uid !== pod.object.metadata.uid) pending.remove(pod.key)
      else pending.retry(pod)
      if (!isNotFound(error)) throw error
    }
  }

  const bindVolumes = async (unbound: ReadonlyArray<VolumeClaimObject>, nodeName: string) => {
    for (const claim of unbound) {
      const body = { metadata: { annotations: { [selectedNodeKey]: nodeName } } }
      await face.patch(refTo(refs.volumeClaims, claim), 'merge', body)
      await volumeBound(claim)
    }
  }

  const volumeBound = (claim: VolumeClaimObject) =>
    new Promise<void>((resolve, reject) => {
      const claims = face.peek<VolumeClaimObject>('', 'persistentvolumeclaims')
      const isBound = () => (claims.byUid(claim.metadata.uid)?.spec.volumeName ?? '') !== ''
      if (isBound()) return resolve()
      const giveUp = agenda.after(volumeWaitMs, () => {
        settle()
        reject(new Error(`Volume of claim ${keyOf(claim)} was not bound within ${volumeWaitMs / 1000} s`))
      })
      const waiter = () => {
        if (!isBound() && !isStopped) return
        settle()
        giveUp()
        resolve()
      }
      const key = keyOf(claim)
      const settle = () => {
        volumeWaiters.set(
          key,
          (volumeWaiters.get(key) ?? []).filter((other) => other !== waiter),
        )
      }
      volumeWaiters.set(key, [...(volumeWaiters.get(key) ?? []), waiter])
    })

  const fail = (pod: PendingPod, message: string) => {
    pending.park(pod)
    events.record(pod.object, 'Warning', 'FailedScheduling', message, component)
    void track(report(pod.object, 'Unschedulable', message), pod.key)
  }

  const report = async (object: PodObject, reason: string, message: string, nominatedNodeName?: string) => {
    const present = pods.byUid(object.metadata.uid)
    if (present === undefined || (present.spec.nodeName ?? '') !== '') return
    const before = findCondition(present.status?.conditions, 'PodScheduled')
    const isSame = before?.status === 'False' && before.reason === reason && before.message === message
    if (isSame && nominatedNodeName === undefined) return
    const since = before?.status === 'False' ? before.lastTransitionTime : undefined
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastProbeTime: null,
      lastTransitionTime: since ?? timeText(clock.nowMs()),
    }
    const status = { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) }
    await unlessGone(face.patch(refTo(refs.pods, object, 'status'), 'strategic', { status }))
  }

  const preempt = async (pod: PendingPod, nodeName: string, victims: ReadonlyArray<PlacedPod>, message: string) => {
    pending.park(pod)
    events.record(pod.object, 'Warning', 'FailedScheduling', message, component)
    await report(pod.object, 'Unschedulable', message, nodeName)
    const preemptor = pod.object.metadata
    for (const victim of victims) {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${schedulerName}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: timeText(clock.nowMs()),
      }
      const status = { conditions: [condition] }
      await unlessGone(face.patch(refTo(refs.pods, victim.object, 'status'), 'strategic', { status }))
      const preconditions = { uid: victim.uid }
      await unlessGone(face.delete(refTo(refs.pods, victim.object), { preconditions }))
      const text = `Preempted by pod ${preemptor.uid} on node ${nodeName}`
      events.record(victim.object, 'Normal', 'Preempted', text, component)
    }
  }

  const nominatedOn = (node: NodeState, pod: PendingPod): ReadonlyArray<PlacedPod> => {
    const there = nominated.get(node.name)
    if (there === undefined) return []
    return [...there.values()].filter(
      (other) => other.key !== pod.key && other.podClass.priority >= pod.podClass.priority,
    )
  }
  const nominate = (pod: PendingPod, nodeName: string) => {
    forgetNomination(pod)
    pod.nominatedNode = nodeName
    const { key, object, podClass } = pod
    const placed = { key, uid: object.metadata.uid, object, podClass, isTerminating: false }
    const there = nominated.get(nodeName)
    if (there === undefined) nominated.set(nodeName, new Map([[key, placed]]))
    else there.set(key, placed)
  }
  const forgetNomination = (pod: PendingPod) => {
    if (pod.nominatedNode === undefined) return
    const there = nominated.get(pod.nominatedNode)
    there?.delete(pod.key)
    if (there?.size === 0) nominated.delete(pod.nominatedNode)
    pod.nominatedNode = undefined
  }
  const isWaitingForVictims = (pod: PendingPod): boolean => {
    const node = pod.nominatedNode === undefined ? undefined : state.node(pod.nominatedNode)
    if (node === undefined) return false
    return [...node.pods].some((other) => other.isTerminating && other.podClass.priority < pod.podClass.priority)
  }
  const budgetViews = (): ReadonlyArray<BudgetView> =>
    [...face.peek<DisruptionBudgetObject>('policy', 'poddisruptionbudgets').values()].map(
      ({ metadata, spec, status }) => ({
        namespace: metadata.namespace ?? '',
        selects: compileSelector(spec.selector),
        disruptionsAllowed: status?.disruptionsAllowed ?? 0,
      }),
    )

  // A pod that appears may be what others' affinity asks for, or fill the domain that held back their spread.
  const wakeFollowers = (placed: PodClass) =>
    pending.wake(
      ({ namespace, affinityTerms, hardSpreads }) =>
        affinityTerms.some((term) => term.selects(placed.namespace, placed.labels)) ||
        (namespace === placed.namespace && hardSpreads.some(({ selects }) => selects(placed.labels))),
    )

  const wake = (isHelped: (podClass: PodClass) => boolean) => {
    generation += 1
    pending.wake(isHelped)
  }
  const wakeFor = (node: NodeState) =>
    wake((podClass) => podClass.dependsOnPods || filters.couldFit(podClass, node) || mayPreempt(podClass))
  const mayPreempt = (podClass: PodClass) => {
    const lowest = state.lowestPriority()
    return podClass.canPreempt && lowest !== undefined && lowest < podClass.priority
  }

  const dropPending = (key: string) => {
    const pod = pending.get(key)
    if (pod === undefined) return
    forgetNomination(pod)
    pending.remove(key)
  }

  const free = (key: string) => {
    const nodeName = state.nodeOf(key)
    if (!state.unplace(key)) return
    const node = nodeName === undefined ? undefined : state.node(nodeName)
    if (node !== undefined) wakeFor(node)
  }

  const onPod = ({ type, object, before }: ObjectChange<PodObject>) => {
    const key = keyOf(object)
    if (type === 'DELETED' || isTerminal(object)) {
      dropPending(key)
      return free(key)
    }
    const nodeName = object.spec.nodeName ?? ''
    if (nodeName !== '') {
      dropPending(key)
      const isSettled =
        before !== undefined &&
        before.spec.nodeName === nodeName &&
        before.metadata.labels === object.metadata.labels &&
        before.metadata.deletionTimestamp === object.metadata.deletionTimestamp
      if (isSettled) return
      const known = state.placed(key)
      state.place(object, nodeName)
      const placed = state.placed(key)
      if (placed !== undefined && placed !== known) wakeFollowers(placed.podClass)
      return
    }
    if ((object.spec.schedulerName ?? component) !== schedulerName) return
    if (object.metadata.deletionTimestamp !== undefined) return dropPending(key)
    if ((object.spec.schedulingGates ?? []).length > 0) {
      const message = 'Scheduling is blocked due to non-empty scheduling gates'
      return void track(report(object, 'SchedulingGated', message), key)
    }
    pending.set(key, object, state.classOf(object))
  }

  const onNode = ({ type, object }: ObjectChange<NodeObject>) => {
    const { name } = object.metadata
    if (type === 'DELETED') {
      state.removeNode(name)
      return wake((podClass) => podClass.dependsOnPods)
    }
    if (state.setNode(object) === 'none') return
    const node = state.node(name)
    if (node !== undefined) wakeFor(node)
  }
  const onStorage = () => wake((podClass) => podClass.claimNames.length > 0)

  informers.on<NodeObject>(refs.nodes, onNode)
  informers.on<PodObject>(refs.pods, onPod)
  informers.on<VolumeClaimObject>(refs.volumeClaims, ({ object }) => {
    for (const waiter of volumeWaiters.get(keyOf(object)) ?? []) waiter()
    onStorage()
  })
  informers.on<VolumeObject>(refs.volumes, onStorage)
  informers.on<StorageClassObject>(refs.storageClasses, onStorage)

  const flush = () => {
    if (isStopped) return
    pending.wakeOlderThan(clock.nowMs() - longestWaitMs)
    agenda.after(flushPeriodMs, flush)
  }
  agenda.after(flushPeriodMs, flush)

  return {
    stop: () => {
      isStopped = true
      for (const waiters of volumeWaiters.values()) for (const waiter of waiters) waiter()
      return underWay === 0 ? Promise.resolve() : new Promise((resolve) => (onIdle = resolve))
    },
  }
}
