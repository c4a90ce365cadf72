import type { PodObject, StatefulSetObject } from '../objects.ts'
import { isTerminal, msUntilAvailable } from '../pod-state.ts'
import { ordinalOf, revisionOf } from './stateful-pods.ts'

/** What a StatefulSet does next: the ordinals whose pods are missing and may come, and the pods that must go. */
export interface PodPlan {
  readonly create: ReadonlyArray<number>
  readonly remove: ReadonlyArray<PodObject>
}

export interface PodPlanInput {
  readonly set: StatefulSetObject
  /** The pods that the set controls. */
  readonly pods: ReadonlyArray<PodObject>
  readonly updateRevision: string
  readonly nowMs: number
}

/** The ordinals that a set asks for, lowest first. */
export const wantedOrdinals = ({ spec }: StatefulSetObject): ReadonlyArray<number> =>
  Array.from({ length: spec.replicas ?? 1 }, (_, index) => (spec.ordinals?.start ?? 0) + index)

/** Whether the pod of an ordinal that is missing comes with the template from before the present rollout. */
export const isHeldBack = ({ spec }: StatefulSetObject, ordinal: number): boolean =>
  spec.updateStrategy?.type !== 'OnDelete' &&
  ordinal < (spec.ordinals?.start ?? 0) + (spec.updateStrategy?.rollingUpdate?.partition ?? 0)

/**
 * Plans the next step of a StatefulSet from the pods that it has.
 *
 * With `OrderedReady` one pod comes or goes at a time, and only while those before it are available; with `Parallel` all
 * missing pods come and all surplus ones go at once. A rolling update goes down from the highest ordinal to the partition, and
 * waits for each pod to be available, under both policies.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees
 */
export const planPods = ({ set, pods, updateRevision, nowMs }: PodPlanInput): PodPlan => {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod.metadata.name) ?? -1, pod]))
  const wanted = wantedOrdinals(set)
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel'
  const isAvailable = (pod: PodObject) =>
    !isGoing(pod) && !isTerminal(pod) && msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0
  const create: Array<number> = []
  const remove: Array<PodObject> = []
  const plan: PodPlan = { create, remove }

  for (const ordinal of wanted) {
    const pod = byOrdinal.get(ordinal)
    if (pod === undefined) create.push(ordinal)
    else if (isTerminal(pod) && !isGoing(pod)) remove.push(pod)
    if (isOrdered && (pod === undefined || !isAvailable(pod))) return plan
  }

  const isWanted = new Set(wanted)
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => !isWanted.has(ordinal))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod)
  const firstUnhealthy = condemned.findLast((pod) => !isAvailable(pod))
  for (const pod of condemned) {
    // Those after it are gone by now. One before it that is not well comes first, unless this one has ended for good.
    const mustWait = isGoing(pod) || (!isAvailable(pod) && !isTerminal(pod) && pod !== firstUnhealthy)
    if (isOrdered && mustWait) return plan
    if (!isGoing(pod)) remove.push(pod)
    if (isOrdered) return plan
  }

  if (set.spec.updateStrategy?.type === 'OnDelete') return plan
  for (const ordinal of wanted.toReversed()) {
    if (isHeldBack(set, ordinal)) break
    const pod = byOrdinal.get(ordinal)
    if (pod !== undefined && revisionOf(pod) !== updateRevision && !isGoing(pod)) {
      if (!isTerminal(pod)) remove.push(pod)
      break
    }
    // Also one that has come up before and is not well now holds up those below it.
    if (pod === undefined || !isAvailable(pod)) break
  }
  return plan
}

const isGoing = (pod: PodObject): boolean => pod.metadata.deletionTimestamp !== undefined
