import type { KubeObject } from '../../face.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import { setCondition, timeText } from '../conditions.ts'
import type { Condition, DisruptionBudgetObject, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isReady, isTerminal, keyOf, splitKey } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { budgetCounts } from './budget-status.ts'

const countDelayMs = 10
// An eviction that led to no deletion within this time is forgotten, as Kubernetes does.
const disruptionTimeoutMs = 120_000

interface Scalable extends KubeObject {
  readonly spec: { readonly replicas?: number }
}

/**
 * Keeps the status of PodDisruptionBudgets, which the eviction sub-resource reads.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
 */
export const startDisruptionBudgets = (cluster: Cluster): Running => {
  const { face, clock, informers } = cluster
  const budgets = face.peek<DisruptionBudgetObject>('policy', 'poddisruptionbudgets')
  const pods = face.peek<PodObject>('', 'pods')
  const scalables = new Map([
    ['ReplicaSet', face.peek<Scalable>('apps', 'replicasets')],
    ['Deployment', face.peek<Scalable>('apps', 'deployments')],
    ['StatefulSet', peekIfServed('apps', 'statefulsets')],
  ])

  function peekIfServed(group: string, plural: string) {
    try {
      return face.peek<Scalable>(group, plural)
    } catch {
      return undefined
    }
  }

  /** The object whose size says how many pods there should be: the Deployment above a ReplicaSet, else the owner itself. */
  const scalableOf = (object: KubeObject): Scalable | undefined => {
    const owner = controllerOf(object)
    const found = owner === undefined ? undefined : scalables.get(owner.kind)?.byUid(owner.uid)
    return found === undefined ? undefined : (scalableOf(found) ?? found)
  }

  const wantedBy = (selected: ReadonlyArray<PodObject>): number | undefined => {
    const owners = new Map<string, Scalable>()
    for (const pod of selected) {
      const owner = scalableOf(pod)
      if (owner === undefined) return undefined
      owners.set(owner.metadata.uid, owner)
    }
    return [...owners.values()].reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0)
  }

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const budget = budgets.get(name, namespace)
    if (budget === undefined) return
    const nowMs = clock.nowMs()
    const selects = compileSelector(budget.spec.selector)
    const selected = [...pods.values(namespace)].filter((pod) => selects(pod.metadata.labels) && !isTerminal(pod))
    const disrupted = Object.entries(budget.status?.disruptedPods ?? {}).filter(([podName, time]) => {
      const pod = pods.get(podName, namespace)
      const isGone = pod === undefined || pod.metadata.deletionTimestamp !== undefined
      return !isGone && Date.parse(time) + disruptionTimeoutMs > nowMs
    })
    const names = new Set(disrupted.map(([podName]) => podName))
    const healthy = selected.filter(
      (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined && !names.has(pod.metadata.name),
    ).length
    const counts = budgetCounts({ spec: budget.spec, pods: selected.length, healthy, wanted: wantedBy(selected) })
    if (disrupted.length > 0) queue.addAfter(key, disruptionTimeoutMs)
    const generation = budget.metadata.generation ?? 1
    const condition: Condition = {
      type: 'DisruptionAllowed',
      observedGeneration: generation,
      ...(counts === undefined
        ? {
            status: 'False',
            reason: 'SyncFailed',
            message: 'found no controller with a scale for a pod that the budget selects',
          }
        : {
            status: counts.disruptionsAllowed > 0 ? 'True' : 'False',
            reason: counts.disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
            message: '',
          }),
    }
    const before = budget.status?.disruptedPods ?? {}
    // A merge patch keeps what it does not name: each entry that is over is removed by name.
    const removed = Object.keys(before).filter((podName) => !names.has(podName))
    await patchStatus(face, refs.disruptionBudgets, budget, {
      ...(counts ?? { disruptionsAllowed: 0 }),
      observedGeneration: generation,
      conditions: setCondition(budget.status?.conditions, condition, timeText(nowMs)),
      ...(removed.length === 0 ? {} : { disruptedPods: Object.fromEntries(removed.map((podName) => [podName, null])) }),
    })
  }

  const queue = queueOf(cluster, 'disruption-budget', reconcile)
  const enqueueSelecting = (pod: PodObject) => {
    for (const budget of budgets.values(pod.metadata.namespace)) {
      if (compileSelector(budget.spec.selector)(pod.metadata.labels)) queue.addAfter(keyOf(budget), countDelayMs)
    }
  }
  informers.on<DisruptionBudgetObject>(refs.disruptionBudgets, ({ object }) => queue.add(keyOf(object)))
  informers.on<PodObject>(refs.pods, ({ object, before }) => {
    enqueueSelecting(object)
    if (before !== undefined && before.metadata.labels !== object.metadata.labels) enqueueSelecting(before)
  })
  const onScale = ({ object, before }: { readonly object: Scalable; readonly before: Scalable | undefined }) => {
    if (before?.spec.replicas === object.spec.replicas) return
    for (const budget of budgets.values(object.metadata.namespace)) queue.addAfter(keyOf(budget), countDelayMs)
  }
  informers.on<Scalable>(refs.deployments, onScale)
  informers.on<Scalable>(refs.replicaSets, onScale)
  return { stop: queue.stop }
}
