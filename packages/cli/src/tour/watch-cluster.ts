import {
  makeDomainViews,
  makeHttpClient,
  makeMetrics,
  makeTransport,
  startCaches,
  loadConnection,
  seededRandom,
  type Caches,
  type DomainViews,
  type KubeClient,
  type Log,
} from '@scantling/controller'
import { scaledClock, type Clock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'

/** The cluster as the screen follows it, by the controller's own list-watch. */
export interface WatchedCluster {
  readonly caches: Caches
  readonly views: DomainViews
  readonly clock: Clock
  readonly client: KubeClient
  readonly stop: () => Promise<void>
}

export interface WatchOptions {
  readonly server: string
  readonly speed: number
  readonly clockOriginMs: number
}

/** Follows a cluster. Rejects with a sentence when its API server cannot be reached. */
export const watchCluster = async ({ server, speed, clockOriginMs }: WatchOptions): Promise<WatchedCluster> => {
  const clock = scaledClock({ speed, originMs: clockOriginMs })
  const ending = new AbortController()
  const connection = await loadConnection({ server, env: {}, clock })()
  if (E.isLeft(connection)) throw new Error(connection.left)
  const transport = makeTransport(connection.right, clock)
  const client = makeHttpClient({ transport, clock })
  const running = startCaches({
    client,
    clock,
    random: seededRandom(1),
    log: silent,
    metrics: makeMetrics(),
    // The screen shows none of them.
    nodeClasses: [],
    signal: ending.signal,
  })
  while (!running.caches.synced()) await clock.sleep(100)
  return {
    caches: running.caches,
    views: makeDomainViews(() => true),
    clock,
    client,
    stop: async () => {
      ending.abort()
      await running.stopped
      transport.close()
    },
  }
}

// The screen is the log.
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
}
