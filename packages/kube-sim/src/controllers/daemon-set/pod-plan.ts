import { resolveIntOrPercent } from '../int-or-percent.ts'
import type { DaemonSetObject, PodObject } from '../objects.ts'
import { compareText } from '../order.ts'
import { isReady, isTerminal, msUntilAvailable } from '../pod-state.ts'

/** A node as one DaemonSet sees it. */
export interface DaemonNode {
  readonly name: string
  /** Whether a pod is to be there, and whether one that is there may stay. */
  readonly shouldRun: boolean
  readonly mayStay: boolean
  /** The set's pods there, in any order; those that have ended and are on their way out left out. */
  readonly pods: ReadonlyArray<PodObject>
}

export interface DaemonPlan {
  /** Names of nodes. */
  readonly create: ReadonlyArray<string>
  readonly remove: ReadonlyArray<PodObject>
}

export interface DaemonPlanInput {
  readonly set: DaemonSetObject
  readonly nodes: ReadonlyArray<DaemonNode>
  readonly isNew: (pod: PodObject) => boolean
  readonly nowMs: number
}

/** The pod that speaks for its node: one that is bound before one that waits, the oldest first. */
export const inOrder = (pods: ReadonlyArray<PodObject>): ReadonlyArray<PodObject> =>
  pods.toSorted(
    (a, b) =>
      Number(a.spec.nodeName === undefined) - Number(b.spec.nodeName === undefined) ||
      compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp),
  )

/**
 * Where a pod is missing, and which pods are too many: one stays on each node, or two while a set surges there.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 */
export const planPlaces = ({ set, nodes, isNew, nowMs }: DaemonPlanInput): DaemonPlan => {
  const create: Array<string> = []
  const remove: Array<PodObject> = []
  for (const { name, shouldRun, mayStay, pods } of nodes) {
    const staying = inOrder(pods.filter(isStaying))
    if (!mayStay) {
      remove.push(...staying)
      continue
    }
    // A pod that has ended is deleted; its successor comes when it is gone.
    const going = staying.filter((pod) => !isTerminal(pod))
    remove.push(...staying.filter(isTerminal))
    const isEmpty = surges(set) ? going.length === 0 : pods.length === 0
    if (shouldRun && isEmpty) create.push(name)
    if (!surges(set)) remove.push(...going.slice(1))
    else if (going.length > 1) {
      const [next, ...others] = going.filter(isNew)
      const [old, ...older] = going.filter((pod) => !isNew(pod))
      remove.push(...others, ...older)
      if (next === undefined || old === undefined) continue
      if (!isReady(old) || isAvailable(set, next, nowMs)) remove.push(old)
    }
  }
  return { create, remove }
}

/**
 * The next step of a rolling update: as many old pods go as nodes may be without a pod, or as many new ones come beside
 * them as the set may surge. What is not available is replaced at once: that costs nothing.
 *
 * Source: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
 */
export const planRollout = (input: DaemonPlanInput): DaemonPlan => {
  const { set } = input
  if (set.spec.updateStrategy?.type === 'OnDelete') return { create: [], remove: [] }
  return surges(set) ? planSurge(input) : planReplacement(input)
}

const planReplacement = ({ set, nodes, isNew, nowMs }: DaemonPlanInput): DaemonPlan => {
  let unavailable = 0
  const costless: Array<PodObject> = []
  const candidates: Array<PodObject> = []
  for (const node of nodes) {
    if (!node.shouldRun && node.pods.length === 0) continue
    const pods = node.pods.filter(isStaying)
    const [pod] = pods
    const serves = pods.length === 1 && pod !== undefined && isAvailable(set, pod, nowMs)
    if (!serves) unavailable += 1
    if (pods.length !== 1 || pod === undefined || isNew(pod)) continue
    if (serves) candidates.push(pod)
    else costless.push(pod)
  }
  const allowed = Math.max(limitOf(set, nodes, 'maxUnavailable'), 1)
  return { create: [], remove: [...costless, ...candidates.slice(0, Math.max(allowed - unavailable, 0))] }
}

const planSurge = ({ set, nodes, isNew, nowMs }: DaemonPlanInput): DaemonPlan => {
  const remove: Array<PodObject> = []
  const costless: Array<string> = []
  const candidates: Array<string> = []
  const misplaced: Array<PodObject> = []
  let surging = 0
  let available = 0
  for (const { name, shouldRun, pods } of nodes) {
    const staying = pods.filter(isStaying)
    const [next, ...others] = staying.filter(isNew)
    const [old, ...older] = staying.filter((pod) => !isNew(pod))
    if (others.length + older.length > 0) {
      surging += 1
      continue
    }
    const serving = old ?? next
    const serves = serving !== undefined && isAvailable(set, serving, nowMs)
    if (serves) available += 1
    if (old === undefined) continue
    if (next !== undefined) {
      if (isAvailable(set, next, nowMs)) remove.push(old)
      else surging += 1
    } else if (!shouldRun) (serves ? misplaced : remove).push(old)
    else (serves ? candidates : costless).push(name)
  }
  const spare = Math.max(available - nodes.filter(({ shouldRun }) => shouldRun).length, 0)
  const room = Math.max(limitOf(set, nodes, 'maxSurge') - surging, 0)
  return { create: [...costless, ...candidates.slice(0, room)], remove: [...remove, ...misplaced.slice(0, spare)] }
}

const isStaying = ({ metadata }: PodObject): boolean => metadata.deletionTimestamp === undefined

const isAvailable = (set: DaemonSetObject, pod: PodObject, nowMs: number): boolean =>
  msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0

const limitOf = (
  { spec }: DaemonSetObject,
  nodes: ReadonlyArray<DaemonNode>,
  key: 'maxSurge' | 'maxUnavailable',
): number => {
  const usual = key === 'maxSurge' ? 0 : 1
  const desired = nodes.filter(({ shouldRun }) => shouldRun).length
  return resolveIntOrPercent(spec.updateStrategy?.rollingUpdate?.[key] ?? usual, desired, 'up')
}

/** Whether new pods come before the old ones go. */
const surges = ({ spec }: DaemonSetObject): boolean => {
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  return type !== 'OnDelete' && Number.parseInt(String(rollingUpdate?.maxSurge ?? 0), 10) > 0
}
