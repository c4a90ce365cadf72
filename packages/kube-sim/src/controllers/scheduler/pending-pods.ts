import type { Agenda } from '../agenda.ts'
import { heap } from '../heap.ts'
import type { PodObject } from '../objects.ts'
import { compareText } from '../order.ts'
import type { PodClass } from './pod-class.ts'

/** A pod that waits for a node. */
export interface PendingPod {
  readonly key: string
  /** Order of arrival. */
  readonly sequence: number
  object: PodObject
  podClass: PodClass
  attempts: number
  lastAttemptMs: number
  /** `active`: its turn comes. `waiting`: until something changes. `backoff`: for its delay. `busy`: in a cycle or binding. */
  state: 'active' | 'waiting' | 'backoff' | 'busy'
  /** Something changed while it was being worked on: try again rather than wait. */
  isWoken: boolean
  nominatedNode: string | undefined
}

/**
 * The pods that wait: by priority, then age; those that did not fit wait for a change, at least their back-off.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#effect-of-pod-priority-on-scheduling-order
 */
export interface PendingPods {
  readonly get: (key: string) => PendingPod | undefined
  readonly set: (key: string, object: PodObject, podClass: PodClass) => PendingPod
  readonly remove: (key: string) => void
  /** The next pod whose turn it is, now `busy`. */
  readonly take: () => PendingPod | undefined
  /** The pod did not fit: it waits for `wake`. */
  readonly park: (pod: PendingPod) => void
  /** The pod's binding failed: it comes back after its back-off. */
  readonly retry: (pod: PendingPod) => void
  /** Brings back the waiting pods of the classes that `isHelped` accepts. Cost: O(classes + pods brought back). */
  readonly wake: (isHelped: (podClass: PodClass) => boolean) => void
  /** Brings back those that have waited since before an instant, whatever happened. */
  readonly wakeOlderThan: (atMs: number) => void
  readonly size: () => number
}

export interface PendingPodsOptions {
  readonly agenda: Agenda
  readonly nowMs: () => number
  readonly onReady: () => void
}

// kube-scheduler's podInitialBackoffSeconds and podMaxBackoffSeconds.
const firstBackoffMs = 1000
const longestBackoffMs = 10_000

export const pendingPods = ({ agenda, nowMs, onReady }: PendingPodsOptions): PendingPods => {
  const pods = new Map<string, PendingPod>()
  const waiting = new Map<PodClass, Set<PendingPod>>()
  const busy = new Set<PendingPod>()
  let nextSequence = 0
  const queue = heap<PendingPod>(
    (a, b) =>
      (b.podClass.priority - a.podClass.priority ||
        compareText(a.object.metadata.creationTimestamp, b.object.metadata.creationTimestamp) ||
        a.sequence - b.sequence) < 0,
  )

  const activate = (pod: PendingPod) => {
    pod.state = 'active'
    queue.push(pod)
    onReady()
  }
  const unpark = (pod: PendingPod) => {
    const group = waiting.get(pod.podClass)
    if (group?.delete(pod) === true && group.size === 0) waiting.delete(pod.podClass)
  }
  const backOff = (pod: PendingPod) => {
    const delayMs = Math.min(firstBackoffMs * 2 ** Math.max(pod.attempts - 1, 0), longestBackoffMs)
    const leftMs = pod.lastAttemptMs + delayMs - nowMs()
    if (leftMs <= 0) return activate(pod)
    pod.state = 'backoff'
    agenda.after(leftMs, () => {
      if (pods.get(pod.key) === pod && pod.state === 'backoff') activate(pod)
    })
  }
  return {
    get: (key) => pods.get(key),
    set: (key, object, podClass) => {
      const known = pods.get(key)
      if (known !== undefined && known.object.metadata.uid === object.metadata.uid) {
        known.object = object
        if (known.podClass !== podClass) {
          const isParked = known.state === 'waiting'
          if (isParked) unpark(known)
          known.podClass = podClass
          if (isParked) activate(known)
          else known.isWoken = true
        }
        return known
      }
      if (known !== undefined) {
        unpark(known)
        busy.delete(known)
      }
      const pod: PendingPod = {
        key,
        sequence: nextSequence++,
        object,
        podClass,
        attempts: 0,
        lastAttemptMs: 0,
        state: 'active',
        isWoken: false,
        nominatedNode: undefined,
      }
      pods.set(key, pod)
      activate(pod)
      return pod
    },
    remove: (key) => {
      const pod = pods.get(key)
      if (pod === undefined) return
      pods.delete(key)
      busy.delete(pod)
      unpark(pod)
    },
    take: () => {
      for (let pod = queue.pop(); pod !== undefined; pod = queue.pop()) {
        // Removed pods stay in the heap until their turn.
        if (pods.get(pod.key) !== pod || pod.state !== 'active') continue
        pod.state = 'busy'
        busy.add(pod)
        pod.isWoken = false
        pod.attempts += 1
        pod.lastAttemptMs = nowMs()
        return pod
      }
      return undefined
    },
    park: (pod) => {
      busy.delete(pod)
      if (pods.get(pod.key) !== pod) return
      if (pod.isWoken) return backOff(pod)
      pod.state = 'waiting'
      const group = waiting.get(pod.podClass)
      if (group === undefined) waiting.set(pod.podClass, new Set([pod]))
      else group.add(pod)
    },
    retry: (pod) => {
      busy.delete(pod)
      if (pods.get(pod.key) === pod) backOff(pod)
    },
    wake: (isHelped) => {
      for (const [podClass, group] of [...waiting]) {
        if (!isHelped(podClass)) continue
        waiting.delete(podClass)
        for (const pod of group) backOff(pod)
      }
      for (const pod of busy) pod.isWoken = true
    },
    wakeOlderThan: (atMs) => {
      for (const group of [...waiting.values()]) {
        for (const pod of [...group]) {
          if (pod.lastAttemptMs >= atMs) continue
          unpark(pod)
          backOff(pod)
        }
      }
    },
    size: () => pods.size,
  }
}
