import { findCondition } from '../conditions.ts'
import type { NodeObject, Taint } from '../objects.ts'

const notReady = 'node.kubernetes.io/not-ready'
const unreachable = 'node.kubernetes.io/unreachable'
const unschedulable = 'node.kubernetes.io/unschedulable'

const pressures = [
  ['MemoryPressure', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'node.kubernetes.io/network-unavailable'],
] as const

const owned = new Set<string>([notReady, unreachable, unschedulable, ...pressures.map(([, key]) => key)])

/**
 * The taints that a node's conditions and cordon call for.
 *
 * A node that never reported is not ready, but only kept free of new pods: nothing ran there that could be evicted.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
 */
export const taintsFor = (node: NodeObject): ReadonlyArray<Taint> => {
  const conditions = node.status?.conditions
  const ready = findCondition(conditions, 'Ready')?.status
  const mark = (key: string, ...effects: ReadonlyArray<string>) => effects.map((effect) => ({ key, effect }))
  return [
    ...(ready === undefined
      ? mark(notReady, 'NoSchedule')
      : ready === 'False'
        ? mark(notReady, 'NoSchedule', 'NoExecute')
        : ready === 'Unknown'
          ? mark(unreachable, 'NoSchedule', 'NoExecute')
          : []),
    ...pressures.flatMap(([type, key]) =>
      findCondition(conditions, type)?.status === 'True' ? mark(key, 'NoSchedule') : [],
    ),
    ...(node.spec?.unschedulable === true ? mark(unschedulable, 'NoSchedule') : []),
  ]
}

/** The node's taints with those of its conditions brought up to date, or nothing when they are. */
export const updatedTaints = (node: NodeObject, nowText: string): ReadonlyArray<Taint> | undefined => {
  const present = node.spec?.taints ?? []
  const wanted = taintsFor(node)
  const has = (list: ReadonlyArray<Taint>, { key, effect }: Taint) =>
    list.some((taint) => taint.key === key && taint.effect === effect)
  const kept = present.filter((taint) => !owned.has(taint.key) || has(wanted, taint))
  const added = wanted.filter((taint) => !has(present, taint))
  if (kept.length === present.length && added.length === 0) return undefined
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: nowText }))]
}
