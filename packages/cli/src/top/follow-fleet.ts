import {
  makeDomainViews,
  makeKinds,
  makeObjectCache,
  makeStreamedStart,
  runListWatch,
  seededRandom,
  type KubeObject,
  type Log,
  type ObjectCache,
  type ResourceKind,
} from '@scantling/controller'
import { systemClock } from '@scantling/provider-kit'
import type { LiveCluster } from '../live/connect.ts'
import type { PriceOf } from '../live/prices.ts'
import { fleetOf, type Fleet, type SortKey } from './fleet.ts'

/** The fleet of a cluster, kept up to date by watches. */
export interface FollowedFleet {
  readonly now: () => Fleet
  /** Whether nodes and pods have been listed. */
  readonly isReady: () => boolean
  /** Why nothing comes, while nothing does. */
  readonly trouble: () => string | undefined
  readonly stop: () => void
}

export interface FollowOptions {
  readonly priceOf: PriceOf
  readonly sort: SortKey
  readonly selector?: string | undefined
}

/** Follows nodes and pods, and NodeClaims where the cluster knows them. */
export const followFleet = (
  { client, nowMs }: LiveCluster,
  { priceOf, sort, selector }: FollowOptions,
): FollowedFleet => {
  const ending = new AbortController()
  const kinds = makeKinds()
  const streamedStart = makeStreamedStart(true)
  const views = makeDomainViews(() => true)
  const follow = <A extends KubeObject>(kind: ResourceKind<A>, labelSelector?: string) => {
    const { cache, sink } = makeObjectCache<A, never>({ kind, indexers: {}, onListenerError: () => undefined })
    const running = runListWatch({
      client,
      kind,
      sink,
      clock: systemClock,
      random: seededRandom(1),
      log: silent,
      signal: ending.signal,
      streamedStart,
      ...(labelSelector === undefined ? {} : { labelSelector }),
    })
    return { cache: cache as ObjectCache<A>, running }
  }
  const nodes = follow(kinds.nodes, selector)
  const pods = follow(kinds.pods)
  const claims = follow(kinds.nodeClaims)
  return {
    now: () => {
      const states = [...nodes.cache.values()].map(views.node)
      const running = [...pods.cache.values()].map(views.pod)
      return fleetOf(
        {
          nodes: states,
          pods: running,
          claims: [...claims.cache.values()].map(views.claim),
          priceOf,
          nowMs: nowMs(),
        },
        sort,
      )
    },
    isReady: () =>
      nodes.cache.synced() &&
      pods.cache.synced() &&
      (claims.cache.synced() || claims.running.lastError() !== undefined),
    trouble: () => (nodes.running.lastError() ?? pods.running.lastError())?.message,
    stop: () => ending.abort(),
  }
}

// What goes wrong is shown on the screen.
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
}
