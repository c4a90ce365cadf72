import { refTo } from '../../face.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import { timeText } from '../conditions.ts'
import type { NodeObject, PodObject, Taint, Toleration } from '../objects.ts'
import { isTerminal, keyOf, splitKey } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { covers } from '../selectors.ts'
import { unlessGone } from '../status-error.ts'

/**
 * How long a pod may stay on a node with these taints: for ever (`Infinity`), or milliseconds; 0 when one is not tolerated.
 *
 * Of several tolerations with a limit the shortest counts.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
export const stayMs = (taints: ReadonlyArray<Taint>, tolerations: ReadonlyArray<Toleration>): number => {
  let shortest = Infinity
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue
    const using = tolerations.filter((toleration) => covers(toleration, taint))
    if (using.length === 0) return 0
    for (const { tolerationSeconds } of using) {
      if (tolerationSeconds !== undefined) shortest = Math.min(shortest, Math.max(tolerationSeconds, 0) * 1000)
    }
  }
  return shortest
}

/** Deletes pods that do not tolerate a NoExecute taint of their node, at once or after their toleration's time. */
export const startTaintEviction = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const pods = face.peek<PodObject>('', 'pods')
  const nodes = face.peek<NodeObject>('', 'nodes')
  // Since when each pod has been exposed to NoExecute taints.
  const exposedSince = new Map<string, { readonly uid: string; readonly sinceMs: number }>()

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const pod = pods.get(name, namespace)
    const node = pod === undefined ? undefined : nodes.get(pod.spec.nodeName ?? '')
    const taints = node?.spec?.taints ?? []
    const isExposed = taints.some(({ effect }) => effect === 'NoExecute')
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isTerminal(pod) || !isExposed) {
      return void exposedSince.delete(key)
    }
    const { uid } = pod.metadata
    const known = exposedSince.get(key)
    const sinceMs = known?.uid === uid ? known.sinceMs : clock.nowMs()
    exposedSince.set(key, { uid, sinceMs })
    const stay = stayMs(taints, pod.spec.tolerations ?? [])
    if (stay === Infinity) return
    const leftMs = sinceMs + stay - clock.nowMs()
    if (leftMs > 0) return queue.addAfter(key, leftMs)
    events.record(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`, 'taint-eviction-controller')
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: timeText(clock.nowMs()),
    }
    await unlessGone(face.patch(refTo(refs.pods, pod, 'status'), 'strategic', { status: { conditions: [condition] } }))
    await unlessGone(face.delete(refTo(refs.pods, pod), { preconditions: { uid } }))
    exposedSince.delete(key)
  }

  const queue = queueOf(cluster, 'taint-eviction', reconcile, 32)
  informers.on<NodeObject>(refs.nodes, ({ type, object, before }) => {
    if (type === 'DELETED' || before?.spec?.taints === object.spec?.taints) return
    const isMarked = (node: NodeObject | undefined) =>
      node?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true
    if (!isMarked(object) && !isMarked(before)) return
    for (const pod of pods.onNode(object.metadata.name)) queue.add(keyOf(pod))
  })
  informers.on<PodObject>(refs.pods, ({ object, before }) => {
    const nodeName = object.spec.nodeName ?? ''
    if (
      nodeName === '' ||
      (before?.spec.nodeName === nodeName && before.spec.tolerations === object.spec.tolerations)
    ) {
      return
    }
    if (nodes.get(nodeName)?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true)
      queue.add(keyOf(object))
  })
  return { stop: queue.stop }
}
