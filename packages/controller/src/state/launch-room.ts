import {
  labelKeys,
  Quantity,
  Resources,
  type ClaimState,
  type NodeClaimObject,
  type NodePool,
  type ResourceList,
} from '@scantling/core'
import type { Caches } from '../cache/index.ts'
import type { DomainViews } from './domain-views.ts'

/** Which machines a limit counts: all that there are now, or those that stay; `leaving`: claims that will not. */
export type Counted = 'all' | { readonly leaving: ReadonlySet<string> }

export interface OverLimit {
  readonly resource: string
  readonly limit: string
}

/**
 * What the limits of NodePools leave for one more machine, at the moment of its launch.
 *
 * Plans keep limits on the snapshot that they were made from; two plans made side by side would exceed them together.
 * So every launch takes its room here before anything is written, as the largest machine that it may become, and gives
 * it back when its machine speaks for itself.
 */
export interface LaunchRoom {
  /** Takes room; the resource whose limit would be exceeded, where there is none. */
  readonly take: (
    pool: NodePool,
    largest: ResourceList,
    counted: Counted,
  ) => { readonly token: object } | { readonly over: OverLimit }
  /** Whether one more machine of this size would find room now. */
  readonly fits: (pool: NodePool, capacity: ResourceList, counted: Counted) => boolean
  /** The launch has a name now: it holds its room until it has a machine, or is gone. */
  readonly name: (token: object, claim: string) => void
  /** The launch came to nothing. */
  readonly giveBack: (token: object) => void
}

export interface LaunchRoomOptions {
  readonly caches: Pick<Caches, 'nodeClaims' | 'nodes'>
  readonly views: DomainViews
  readonly isMarked: (claim: string) => boolean
}

export const makeLaunchRoom = ({ caches, views, isMarked }: LaunchRoomOptions): LaunchRoom => {
  const unnamed = new Map<object, { readonly pool: string; readonly largest: ResourceList }>()
  const named = new Map<string, ResourceList>()
  // What each claim counts, and the sums by pool: a pass that launches a thousand machines asks a thousand times.
  const counts = new Map<string, { readonly pool: string; readonly capacity: ResourceList }>()
  const sums = new Map<string, ResourceList>()
  const sumOf = (pool: string): ResourceList => sums.get(pool) ?? Resources.empty

  const capacityOf = (object: NodeClaimObject, claim: ClaimState): ResourceList => {
    const { providerID } = object.status
    if (providerID === undefined) return named.get(claim.name) ?? { ...claim.requests, ...oneNode }
    const node = caches.nodes.by('byProviderId', providerID)[0]
    const capacity = node === undefined ? claim.capacity : views.node(node).capacity
    return { ...claim.capacity, ...capacity, ...oneNode }
  }

  const recount = (name: string): void => {
    const before = counts.get(name)
    const object = caches.nodeClaims.get(name)
    const pool = object?.metadata.labels[labelKeys.nodePool]
    if (before !== undefined) sums.set(before.pool, Resources.subtract(sumOf(before.pool), before.capacity))
    counts.delete(name)
    if (object === undefined || pool === undefined) return
    const capacity = capacityOf(object, views.claim(object))
    counts.set(name, { pool, capacity })
    sums.set(pool, Resources.add(sumOf(pool), capacity))
  }
  for (const { metadata } of caches.nodeClaims.values()) recount(metadata.name)
  caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted' || change.current.status.providerID !== undefined) named.delete(change.key)
    recount(change.key)
  })
  caches.nodes.onChange((change) => {
    const { providerID } = (change._tag === 'Deleted' ? change.previous : change.current).spec
    if (providerID === undefined) return
    for (const { metadata } of caches.nodeClaims.by('byProviderId', providerID)) recount(metadata.name)
  })

  const used = (pool: string, counted: Counted): ResourceList => {
    const going: Array<ResourceList> = []
    if (counted !== 'all')
      for (const { metadata } of caches.nodeClaims.by('byNodePool', pool)) {
        const { name } = metadata
        const isGoing = metadata.deletionTimestamp !== undefined || isMarked(name) || counted.leaving.has(name)
        const count = counts.get(name)
        if (isGoing && count !== undefined) going.push(count.capacity)
      }
    const launching = [...unnamed.values()].filter((one) => one.pool === pool).map(({ largest }) => largest)
    return Resources.add(Resources.subtract(sumOf(pool), Resources.add(...going)), ...launching)
  }

  const overOf = ({ name, limits }: NodePool, capacity: ResourceList, counted: Counted): OverLimit | undefined => {
    if (limits === undefined) return undefined
    const after = Resources.add(used(name, counted), { ...capacity, ...oneNode })
    for (const [resource, limit] of Object.entries(limits))
      if (Quantity.compare(Resources.get(after, resource), limit) > 0) return { resource, limit }
    return undefined
  }

  return {
    take: (pool, largest, counted) => {
      const over = overOf(pool, largest, counted)
      if (over !== undefined) return { over }
      const token = {}
      unnamed.set(token, { pool: pool.name, largest: { ...largest, ...oneNode } })
      return { token }
    },
    fits: (pool, capacity, counted) => overOf(pool, capacity, counted) === undefined,
    name: (token, claim) => {
      const taken = unnamed.get(token)
      unnamed.delete(token)
      if (taken === undefined || caches.nodeClaims.get(claim)?.status.providerID !== undefined) return
      named.set(claim, taken.largest)
      recount(claim)
    },
    giveBack: (token) => void unnamed.delete(token),
  }
}

const oneNode = Resources.parse({ nodes: '1' })
