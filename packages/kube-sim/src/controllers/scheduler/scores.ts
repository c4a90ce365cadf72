import type { ClusterState } from './cluster-state.ts'
import type { NodeState } from './node-state.ts'
import type { Filters } from './filters.ts'
import type { PodClass } from './pod-class.ts'

// The weights of kube-scheduler's default profile.
const weights = { taints: 3, nodeAffinity: 2, spread: 2, podAffinity: 2, leastAllocated: 1, balanced: 1 } as const

/**
 * The best of the nodes that take the pod; the first of equals.
 *
 * Least allocated, balanced, preferred node and pod affinity, soft spread, and soft taints, each from 0 to 100.
 * Source: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
export const bestNode = (
  state: ClusterState,
  filters: Filters,
  podClass: PodClass,
  feasible: ReadonlyArray<NodeState>,
): NodeState | undefined => {
  if (feasible.length <= 1) return feasible[0]
  const totals = new Float64Array(feasible.length)
  const columns = { cpu: state.columnOf('cpu'), memory: state.columnOf('memory') }
  for (let index = 0; index < feasible.length; index += 1) {
    totals[index] = roomScore(podClass, feasible[index] as NodeState, columns)
  }
  const facts = feasible.map((node) => filters.staticFacts(podClass, node))
  addScaled(
    totals,
    facts.map((fact) => fact.preferredWeight),
    weights.nodeAffinity,
  )
  addScaled(
    totals,
    facts.map((fact) => -fact.untoleratedSoftTaints),
    weights.taints,
  )
  const { softSpreads, preferred } = filters.countersOf(podClass)
  if (preferred.length > 0) {
    const raw = feasible.map((node) => {
      let sum = 0
      for (const { weight, counter } of preferred) {
        const value = node.label(counter.topologyKey)
        if (value !== undefined) sum += weight * (counter.domains.get(value)?.pods ?? 0)
      }
      return sum
    })
    addScaled(totals, raw, weights.podAffinity)
  }
  if (softSpreads.length > 0) {
    const raw = feasible.map((node) => {
      let sum = 0
      for (const { spread, counter } of softSpreads) {
        const value = node.label(counter.topologyKey)
        // A node without the label is worst: it counts as the fullest domain and one more.
        const present = value === undefined ? counter.totalPods() + 1 : (counter.domains.get(value)?.pods ?? 0)
        // Many small domains must not outweigh a few large ones.
        sum += present * Math.log(counter.domains.size + 2) + spread.maxSkew - 1
      }
      return -sum
    })
    addScaled(totals, raw, weights.spread)
  }
  let best = 0
  for (let index = 1; index < totals.length; index += 1) {
    if ((totals[index] as number) > (totals[best] as number)) best = index
  }
  return feasible[best]
}

// Maps the range of the raw scores to 0..100, so that equal scores change nothing.
const addScaled = (totals: Float64Array, raw: ReadonlyArray<number>, weight: number) => {
  let lowest = Infinity
  let highest = -Infinity
  for (const score of raw) {
    if (score < lowest) lowest = score
    if (score > highest) highest = score
  }
  if (highest === lowest) return
  for (const [index, score] of raw.entries()) {
    totals[index] = (totals[index] as number) + weight * Math.floor((100 * (score - lowest)) / (highest - lowest))
  }
}

const roomScore = (
  podClass: PodClass,
  node: NodeState,
  columns: { readonly cpu: number; readonly memory: number },
): number => {
  const cpuShare = share(node.scoredCpuMilli + podClass.scoredCpuMilli, node.allocatable[columns.cpu] ?? 0)
  const memoryShare = share(node.scoredMemoryBytes + podClass.scoredMemoryBytes, node.allocatable[columns.memory] ?? 0)
  const leastAllocated = Math.floor(50 * (1 - cpuShare) + 50 * (1 - memoryShare))
  const balanced = Math.floor(100 * (1 - Math.abs(cpuShare - memoryShare) / 2))
  return weights.leastAllocated * leastAllocated + weights.balanced * balanced
}

const share = (used: number, total: number) => (total <= 0 ? 1 : Math.min(used / total, 1))
