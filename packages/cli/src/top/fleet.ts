import {
  Conditions,
  labelKeys,
  Pods,
  Quantity,
  Resources,
  type ClaimState,
  type NodeState,
  type Pod,
  type ResourceList,
} from '@scantling/core'
import type { PriceOf } from '../live/prices.ts'

/** One node as `scantling top` shows it. */
export interface NodeRow {
  readonly name: string
  readonly nodePool?: string
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  /** **Units**: currency per hour; absent: unknown. */
  readonly pricePerHour?: number
  /** What pods request of what the node offers them. **Units**: CPUs, bytes. */
  readonly cpu: Share
  readonly memory: Share
  /** Those of DaemonSets included, as they take room. */
  readonly pods: number
  readonly ageMs: number
  readonly status: 'Ready' | 'NotReady' | 'Starting' | 'Cordoned' | 'Disrupted' | 'Deleting'
}

export interface Share {
  readonly requested: number
  readonly allocatable: number
}

export interface Fleet {
  readonly nodes: ReadonlyArray<NodeRow>
  readonly pods: { readonly total: number; readonly pending: number; readonly running: number }
  readonly cpu: Share
  readonly memory: Share
  readonly pricePerHour: number
  /** Nodes whose price nobody says; they count 0. */
  readonly unpriced: number
}

export interface FleetInput {
  readonly nodes: ReadonlyArray<NodeState>
  readonly claims: ReadonlyArray<ClaimState>
  readonly pods: ReadonlyArray<Pod>
  readonly priceOf: PriceOf
  readonly nowMs: number
}

export const sortKeys = ['name', 'type', 'zone', 'price', 'cpu', 'memory', 'pods', 'age'] as const
export type SortKey = (typeof sortKeys)[number]

/** Sums a cluster up. Cost: O(nodes + pods). */
export const fleetOf = ({ nodes, claims, pods, priceOf, nowMs }: FleetInput, sort: SortKey): Fleet => {
  const live = pods.filter((pod) => !Pods.isTerminal(pod))
  const byNode = new Map<string, Array<Pod>>()
  for (const pod of live) {
    if (pod.nodeName === undefined) continue
    const known = byNode.get(pod.nodeName)
    if (known === undefined) byNode.set(pod.nodeName, [pod])
    else known.push(pod)
  }
  const claimsById = new Map(claims.map((claim) => [claim.providerId, claim]))
  const rows = nodes.map((node) =>
    rowOf(node, claimsById.get(node.providerId), byNode.get(node.name) ?? [], priceOf, nowMs),
  )
  const total = (pick: (row: NodeRow) => Share): Share => ({
    requested: rows.reduce((sum, row) => sum + pick(row).requested, 0),
    allocatable: rows.reduce((sum, row) => sum + pick(row).allocatable, 0),
  })
  const shown = new Set(nodes.map(({ name }) => name))
  const counted = live.filter(({ nodeName }) => nodeName === undefined || shown.has(nodeName))
  return {
    nodes: rows.sort(orders[sort]),
    pods: {
      total: counted.length,
      pending: counted.filter(({ nodeName }) => nodeName === undefined).length,
      running: counted.filter(({ phase }) => phase === 'Running').length,
    },
    cpu: total(({ cpu }) => cpu),
    memory: total(({ memory }) => memory),
    pricePerHour: rows.reduce((sum, { pricePerHour = 0 }) => sum + pricePerHour, 0),
    unpriced: rows.filter(({ pricePerHour }) => pricePerHour === undefined).length,
  }
}

const rowOf = (
  node: NodeState,
  claim: ClaimState | undefined,
  pods: ReadonlyArray<Pod>,
  priceOf: PriceOf,
  nowMs: number,
): NodeRow => {
  const requests = Resources.add(...pods.map((pod) => pod.requests))
  const pricePerHour = priceOf(node.labels)
  const nodePool = node.labels[labelKeys.nodePool]
  return {
    name: node.name,
    ...(nodePool === undefined ? {} : { nodePool }),
    instanceType: node.labels[labelKeys.instanceType] ?? '?',
    zone: node.labels[labelKeys.zone] ?? '?',
    capacityType: node.labels[labelKeys.capacityType] ?? '?',
    ...(pricePerHour === undefined ? {} : { pricePerHour }),
    cpu: shareOf(requests, node.allocatable, 'cpu'),
    memory: shareOf(requests, node.allocatable, 'memory'),
    pods: pods.length,
    ageMs: Math.max(0, nowMs - node.createdAtMs),
    status: statusOf(node, claim),
  }
}

const shareOf = (requests: ResourceList, allocatable: ResourceList, resource: string): Share => ({
  requested: Quantity.toNumber(Resources.get(requests, resource)),
  allocatable: Quantity.toNumber(Resources.get(allocatable, resource)),
})

const statusOf = (node: NodeState, claim: ClaimState | undefined): NodeRow['status'] => {
  if (node.deletionTimestampMs !== undefined || claim?.deletionTimestampMs !== undefined) return 'Deleting'
  if (node.taints.some(({ key }) => key === 'karpenter.sh/disrupted')) return 'Disrupted'
  if (claim !== undefined && !Conditions.isTrue(claim.conditions, 'Initialized')) return 'Starting'
  if (!Conditions.isTrue(node.conditions, 'Ready')) return 'NotReady'
  return node.isUnschedulable ? 'Cordoned' : 'Ready'
}

/** How full: 0 to 1, or above where more is promised than there is. */
export const fillOf = ({ requested, allocatable }: Share): number => (allocatable === 0 ? 0 : requested / allocatable)

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const byName = (a: NodeRow, b: NodeRow): number => text(a.name, b.name)

// Names in their order; of amounts the most first.
const orders: Readonly<Record<SortKey, (a: NodeRow, b: NodeRow) => number>> = {
  name: byName,
  type: (a, b) => text(a.instanceType, b.instanceType) || byName(a, b),
  zone: (a, b) => text(a.zone, b.zone) || byName(a, b),
  price: (a, b) => (b.pricePerHour ?? -1) - (a.pricePerHour ?? -1) || byName(a, b),
  cpu: (a, b) => fillOf(b.cpu) - fillOf(a.cpu) || byName(a, b),
  memory: (a, b) => fillOf(b.memory) - fillOf(a.memory) || byName(a, b),
  pods: (a, b) => b.pods - a.pods || byName(a, b),
  age: (a, b) => b.ageMs - a.ageMs || byName(a, b),
}
