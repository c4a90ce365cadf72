import { Time } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import { refTo } from '../../face.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import type { NodeObject, PodObject } from '../objects.ts'
import { controllerOf, isTerminal, keyOf, splitKey } from '../pod-state.ts'
import { draw, type Range } from '../random.ts'
import { refs } from '../refs.ts'
import { isConflict, unlessGone } from '../status-error.ts'
import { renewLease, writeHealthyStatus } from './node-heartbeat.ts'
import {
  crashedStatus,
  creatingStatus,
  endedStatus,
  restartedStatus,
  restartsOf,
  runningStatus,
} from './pod-statuses.ts'

export interface KubeletOptions {
  /** Adopt every node, not only those marked `kwok.x-k8s.io/node: fake` by annotation or label. */
  readonly adoptAll?: boolean
  /** From the Node object's appearance to Ready. Default: at once. */
  readonly bootLatency?: Range
  /** From a pod's binding to its running. Default: 1 to 2 s. */
  readonly startLatency?: Range
  /** How long a pod takes to stop when asked, at most its grace period. Default: 1 s. */
  readonly stopLatencyMs?: number
  /** Default: 10 s, as the real kubelet renews its Lease. */
  readonly leasePeriodMs?: number
  /** Default: 5 min, as the real kubelet confirms an unchanged status. */
  readonly statusPeriodMs?: number
}

/** Marks a node as simulated, as annotation or label. */
export const fakeNodeKey = 'kwok.x-k8s.io/node'
/** On a node: `stopped` silences its kubelet, as if the machine were gone. */
export const kubeletStateKey = 'sim.scantling.sh/kubelet'
/** On a pod that need not run for ever: a Go duration after which it ends. Pods of Jobs end at once without it. */
export const runForKey = 'sim.scantling.sh/run-for'
/** On a pod that ends: what its containers exit with, which is 0 without it. Others make it fail, or restart. */
export const exitCodeKey = 'sim.scantling.sh/exit-code'
/** On a pod: a Go duration that it takes to stop. */
export const stopAfterKey = 'sim.scantling.sh/stop-after'

interface AdoptedNode {
  readonly uid: string
  isReady: boolean
  statusDueMs: number
  cancel: () => void
}

interface PodTask {
  readonly uid: string
  readonly step: 'start' | 'finish' | 'restart' | 'stop'
  readonly dueMs: number
  readonly cancel: () => void
}

const defaultStart: Range = { fromMs: 1000, toMs: 2000 }
// Of containers that were killed: 128 and the number of SIGKILL.
const killedCode = 137
const instantBoot: Range = { fromMs: 0, toMs: 0 }

/**
 * The kubelets of all simulated nodes: heartbeats, and the life of the pods that are bound there.
 *
 * A node is adopted when it appears and is Ready after its boot latency; its capacity, labels and taints stay as they are.
 * Cost: one timer and one small write for each node per Lease period, two writes for each pod that starts.
 */
export const startKubelets = (cluster: Cluster, options: KubeletOptions = {}): Running => {
  const { face, clock, agenda, informers, random, onError } = cluster
  const {
    adoptAll = false,
    bootLatency = instantBoot,
    startLatency = defaultStart,
    stopLatencyMs = 1000,
    leasePeriodMs = 10_000,
    statusPeriodMs = 300_000,
  } = options
  const nodes = face.peek<NodeObject>('', 'nodes')
  const pods = face.peek<PodObject>('', 'pods')
  const adopted = new Map<string, AdoptedNode>()
  const tasks = new Map<string, PodTask>()
  let nextAddress = 0
  let isStopped = false

  const isOurs = ({ metadata: { annotations, labels } }: NodeObject) =>
    adoptAll || valueOf(annotations, fakeNodeKey) === 'fake' || valueOf(labels, fakeNodeKey) === 'fake'
  // A node that lost its mark is let go, as kwok does.
  const isAlive = (node: NodeObject | undefined) =>
    valueOf(node?.metadata.annotations, kubeletStateKey) !== 'stopped' && (node === undefined || isOurs(node))

  const beat = async (name: string, state: AdoptedNode) => {
    const node = nodes.get(name)
    if (isStopped || node === undefined || adopted.get(name) !== state) return
    state.cancel = agenda.after(leasePeriodMs, () => void beat(name, state))
    if (!isAlive(node)) return
    try {
      await renewLease(cluster, node)
      const isHealthy = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
      if (isHealthy === true && clock.nowMs() < state.statusDueMs) return
      await writeHealthyStatus(cluster, node)
      state.statusDueMs = clock.nowMs() + statusPeriodMs
    } catch (error) {
      onError(error, 'kubelet', name)
    }
  }

  const adopt = (node: NodeObject) => {
    const { name, uid } = node.metadata
    if (!isOurs(node)) return
    const known = adopted.get(name)
    if (known?.uid === uid) return
    known?.cancel()
    const state: AdoptedNode = { uid, isReady: false, statusDueMs: 0, cancel: () => {} }
    adopted.set(name, state)
    // A node that was Ready before this process began needs no second boot.
    const wasReady = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
    const boot = () => {
      state.isReady = true
      void beat(name, state)
      for (const pod of pods.onNode(name)) queue.add(keyOf(pod))
    }
    state.cancel = agenda.after(wasReady ? 0 : draw(random, bootLatency), boot)
  }

  const plan = (pod: PodObject, step: PodTask['step'], afterMs: number) => {
    const key = keyOf(pod)
    const { uid } = pod.metadata
    const known = tasks.get(key)
    const dueMs = clock.nowMs() + afterMs
    if (known !== undefined && known.uid === uid && known.step === step && known.dueMs <= dueMs) return
    known?.cancel()
    const run = () => {
      due.set(key, { uid, step })
      tasks.delete(key)
      queue.add(key)
    }
    tasks.set(key, { uid, step, dueMs, cancel: agenda.after(afterMs, run) })
  }

  // Steps whose time has come, until the write that does them has succeeded.
  const due = new Map<string, { readonly uid: string; readonly step: PodTask['step'] }>()

  const forget = (key: string) => {
    tasks.get(key)?.cancel()
    tasks.delete(key)
    due.delete(key)
  }

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const pod = pods.get(name, namespace)
    if (pod === undefined) return forget(key)
    const nodeName = pod.spec.nodeName ?? ''
    const state = adopted.get(nodeName)
    const node = nodes.get(nodeName)
    if (state === undefined || node === undefined || !state.isReady || !isAlive(node)) return
    const ready = due.get(key)
    const isDue = (step: PodTask['step']) => ready?.uid === pod.metadata.uid && ready.step === step
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (!isDue('stop') && !isTerminal(pod)) return plan(pod, 'stop', stopDelayMs(pod))
      // What outlives its containers, held by a finalizer, must not look as if it ran.
      const isHeld = (pod.metadata.finalizers?.length ?? 0) > 0
      if (isHeld && !isTerminal(pod)) await writeStatus(pod, endedStatus({ pod, nowMs: clock.nowMs() }, killedCode))
      return remove(pod)
    }
    if (isTerminal(pod)) return forget(key)
    const input = { pod, nowMs: clock.nowMs(), hostIP: hostAddress(node) }
    if (pod.status?.phase === 'Running') {
      const runForMs = runTimeMs(pod)
      if (runForMs === undefined) return forget(key)
      const code = exitCode(pod)
      const crashMs = crashedAtMs(pod)
      if (crashMs !== undefined) {
        if (isDue('restart')) return writeStatus(pod, restartedStatus(input, code))
        return plan(pod, 'restart', Math.max(crashMs + restartPauseMs(pod) - clock.nowMs(), 0))
      }
      if (isDue('finish')) {
        if (code === 0 || pod.spec.restartPolicy !== 'OnFailure') return writeStatus(pod, endedStatus(input, code))
        const pauseMs = restartPauseMs(pod)
        // Forgotten first: the containers that run next end by themselves, too.
        due.delete(key)
        return writeStatus(pod, pauseMs === 0 ? restartedStatus(input, code) : crashedStatus(input, code, pauseMs))
      }
      const { startTime, containerStatuses } = pod.status
      const restartedAt = restartsOf(pod) > 0 ? containerStatuses?.[0]?.state?.running?.startedAt : undefined
      const sinceMs = Date.parse(restartedAt ?? startTime ?? pod.metadata.creationTimestamp)
      return plan(pod, 'finish', Math.max(sinceMs + runForMs - clock.nowMs(), 0))
    }
    if (isDue('start')) {
      const podIP = pod.spec.hostNetwork === true ? (input.hostIP ?? makeAddress()) : makeAddress()
      return writeStatus(pod, runningStatus({ ...input, podIP }))
    }
    plan(pod, 'start', draw(random, startLatency))
    if (pod.status?.startTime === undefined) await writeStatus(pod, creatingStatus({ ...input, podIP: '' }))
  }

  const writeStatus = (pod: PodObject, status: object) =>
    unlessGone(face.patch(refTo(refs.pods, pod, 'status'), 'strategic', { status }))

  const remove = async (pod: PodObject) => {
    try {
      const preconditions = { uid: pod.metadata.uid }
      await unlessGone(face.delete(refTo(refs.pods, pod), { gracePeriodSeconds: 0, preconditions }))
    } catch (error) {
      // Another pod of that name by now: ours is gone.
      if (!isConflict(error)) throw error
    }
  }

  const stopDelayMs = (pod: PodObject) => {
    const asked = parseDurationMs(valueOf(pod.metadata.annotations, stopAfterKey)) ?? stopLatencyMs
    const { deletionTimestamp, deletionGracePeriodSeconds = 30 } = pod.metadata
    // The deletion timestamp is the end of the grace period.
    const endMs = Date.parse(deletionTimestamp ?? '')
    const askedAtMs = endMs - deletionGracePeriodSeconds * 1000
    return Math.max(Math.min(askedAtMs + asked, endMs) - clock.nowMs(), 0)
  }

  const makeAddress = () => {
    nextAddress += 1
    return `10.${64 + ((nextAddress >> 16) & 63)}.${(nextAddress >> 8) & 255}.${nextAddress & 255}`
  }

  const queue = queueOf(cluster, 'kubelet', reconcile, 32)
  informers.on<NodeObject>(refs.nodes, ({ type, object, before }) => {
    const { name } = object.metadata
    if (type === 'DELETED') {
      const state = adopted.get(name)
      if (state?.uid !== object.metadata.uid) return
      state.cancel()
      adopted.delete(name)
      return
    }
    adopt(object)
    const state = adopted.get(name)
    if (state?.isReady === true && before !== undefined && !isAlive(before) && isAlive(object)) {
      for (const pod of pods.onNode(name)) queue.add(keyOf(pod))
    }
  })
  informers.on<PodObject>(refs.pods, ({ type, object }) => {
    const key = keyOf(object)
    if (type === 'DELETED' && pods.get(object.metadata.name, object.metadata.namespace) === undefined) {
      return forget(key)
    }
    if (adopted.has(object.spec.nodeName ?? '')) queue.add(key)
  })
  return {
    stop: () => {
      isStopped = true
      return queue.stop()
    },
  }
}

const valueOf = (record: Readonly<Record<string, string>> | undefined, key: string): string | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

const hostAddress = (node: NodeObject): string | undefined =>
  node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address

// Only pods that are meant to end do. Those of Jobs do at once unless told otherwise, as with kwok's stage `pod-complete`.
const runTimeMs = (pod: PodObject): number | undefined => {
  const { restartPolicy } = pod.spec
  if (restartPolicy !== 'Never' && restartPolicy !== 'OnFailure') return undefined
  const asked = parseDurationMs(valueOf(pod.metadata.annotations, runForKey))
  return asked ?? (controllerOf(pod)?.kind === 'Job' ? 0 : undefined)
}

/** When the containers ended that wait to be started again; nothing while they run. */
const crashedAtMs = ({ status }: PodObject): number | undefined => {
  const [first] = status?.containerStatuses ?? []
  if (first === undefined || first.ready || first.state?.running !== undefined) return undefined
  const { finishedAt } = first.lastState?.terminated ?? {}
  return finishedAt === undefined ? undefined : Date.parse(finishedAt)
}

// The first time at once, then after 10 s, 20 s … at most 5 minutes, as a kubelet does it.
const restartPauseMs = (pod: PodObject): number => {
  const restarts = restartsOf(pod)
  return restarts === 0 ? 0 : Math.min(10_000 * 2 ** (restarts - 1), 300_000)
}

const exitCode = (pod: PodObject): number => {
  const text = valueOf(pod.metadata.annotations, exitCodeKey) ?? ''
  return /^\d{1,3}$/.test(text) ? Number(text) : 0
}

/** Milliseconds of a Go duration; text that is none counts as absent. */
const parseDurationMs = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const parsed = Time.parseDuration(text)
  return E.isRight(parsed) ? Math.round(parsed.right) : undefined
}
