import { refTo } from '../face.ts'
import { forEachBounded } from './bounded.ts'
import { queueOf, type Cluster, type Running } from './cluster.ts'
import { timeText } from './conditions.ts'
import type { NodeObject, PodObject } from './objects.ts'
import { compareText } from './order.ts'
import { isTerminal } from './pod-state.ts'
import { refs } from './refs.ts'
import { unlessGone } from './status-error.ts'

export interface PodGarbageOptions {
  /** Default: 20 s. */
  readonly periodMs?: number
  /** How long a node must be gone before its pods are deleted. Default: 40 s. */
  readonly quarantineMs?: number
  /** How many ended pods are kept. Default: 12,500. */
  readonly terminatedThreshold?: number
}

const writesAtOnce = 32
const key = 'sweep'

/**
 * Deletes pods of nodes that are gone, pods that were deleted before they had a node, and ended pods in excess.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export const startPodGarbageCollection = (cluster: Cluster, options: PodGarbageOptions = {}): Running => {
  const { face, clock, informers } = cluster
  const { periodMs = 20_000, quarantineMs = 40_000, terminatedThreshold = 12_500 } = options
  const pods = face.peek<PodObject>('', 'pods')
  const nodes = face.peek<NodeObject>('', 'nodes')
  const missingSince = new Map<string, number>()

  const sweep = async () => {
    const nowMs = clock.nowMs()
    const ended: Array<PodObject> = []
    const orphans: Array<PodObject> = []
    const unbound: Array<PodObject> = []
    for (const name of missingSince.keys()) if (nodes.get(name) !== undefined) missingSince.delete(name)
    const seen = new Set<string>()
    for (const pod of pods.values()) {
      const name = pod.spec.nodeName ?? ''
      if (name === '') {
        if (pod.metadata.deletionTimestamp !== undefined) unbound.push(pod)
      } else if (nodes.get(name) === undefined) {
        seen.add(name)
        const since = missingSince.get(name) ?? nowMs
        missingSince.set(name, since)
        if (nowMs - since >= quarantineMs) orphans.push(pod)
      }
      if (isTerminal(pod)) ended.push(pod)
    }
    for (const name of missingSince.keys()) if (!seen.has(name)) missingSince.delete(name)
    await forEachBounded(orphans, writesAtOnce, async (pod) => {
      if (!isTerminal(pod)) await markOrphan(pod, nowMs)
      await remove(pod)
    })
    await forEachBounded(unbound, writesAtOnce, async (pod) => {
      // What a finalizer holds must not look as if it still waited.
      if (!isTerminal(pod)) await writeStatus(pod, { phase: 'Failed' })
      await remove(pod)
    })
    if (ended.length > terminatedThreshold) {
      const oldest = ended.sort((a, b) => compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp))
      await forEachBounded(oldest.slice(0, ended.length - terminatedThreshold), writesAtOnce, remove)
    }
    queue.addAfter(key, periodMs)
  }
  const markOrphan = (pod: PodObject, nowMs: number) => {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime: timeText(nowMs),
    }
    return writeStatus(pod, { phase: 'Failed', conditions: [condition] })
  }
  const writeStatus = (pod: PodObject, status: object) =>
    unlessGone(face.patch(refTo(refs.pods, pod, 'status'), 'strategic', { status }))
  const remove = (pod: PodObject) =>
    unlessGone(face.delete(refTo(refs.pods, pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }))

  const queue = queueOf(cluster, 'pod-garbage', sweep)
  // The quarantine counts from the moment a node went, not from the next sweep.
  informers.on<NodeObject>(refs.nodes, ({ type, object }) => {
    if (type !== 'DELETED') return
    missingSince.set(object.metadata.name, clock.nowMs())
    queue.addAfter(key, quarantineMs)
  })
  queue.addAfter(key, periodMs)
  return { stop: queue.stop }
}
