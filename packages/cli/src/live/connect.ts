import {
  loadConnection,
  makeHttpClient,
  makeTransport,
  type Connection,
  type KubeClient,
  type Transport,
} from '@scantling/controller'
import { scaledClock, systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { knownClusters } from '../embedded/index.ts'

/** The flags by which commands name a cluster that runs. */
export const clusterOptions = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  server: { type: 'string' },
} as const

export const clusterHelp = `      --kubeconfig PATH  which cluster (default: KUBECONFIG, else the embedded cluster that runs,
                         else ~/.kube/config)
      --context NAME     a context of the kubeconfig other than its current one
      --server URL       an API server without credentials, as npm start prints it`

export interface ClusterChoice {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly server?: string | undefined
}

/** A cluster that answers. */
export interface LiveCluster {
  readonly server: string
  /** Where its address came from. */
  readonly source: string
  readonly client: KubeClient
  /** Its time: an embedded cluster may run faster than life. */
  readonly nowMs: () => number
  /** The simulated cloud of an embedded cluster. */
  readonly cloud?: string
  readonly close: () => void
}

/** Finds the cluster that is meant and asks it for its version. Left: a sentence. */
export const connectLive = async (
  choice: ClusterChoice,
  env: NodeJS.ProcessEnv,
): Promise<E.Either<string, LiveCluster>> => {
  const isNamed = choice.kubeconfig !== undefined || choice.context !== undefined || choice.server !== undefined
  const embedded = knownClusters(env)
  const [only, second] = embedded
  const usesEmbedded = !isNamed && !env['KUBECONFIG'] && only !== undefined
  if (usesEmbedded && second !== undefined) {
    const servers = embedded.map(({ server }) => server).join(', ')
    return E.left(`Several embedded clusters run on this machine: choose one with --server, of ${servers}`)
  }
  const connection = await loadConnection({
    env,
    clock: systemClock,
    kubeconfig: choice.kubeconfig,
    context: choice.context,
    server: usesEmbedded ? only.server : choice.server,
  })()
  if (E.isLeft(connection)) return connection
  const live = liveCluster(connection.right, makeTransport(connection.right, systemClock))
  const version = await live.client.serverVersion({ deadlineMs: 10_000 })()
  if (E.isLeft(version)) {
    live.close()
    return E.left(version.left.message)
  }
  const { server } = connection.right
  const known = embedded.find((one) => one.server === server)
  const { cloud, speed, clockOriginMs } = known ?? {}
  const clock =
    speed === undefined || clockOriginMs === undefined ? systemClock : scaledClock({ speed, originMs: clockOriginMs })
  const source = usesEmbedded ? 'the embedded cluster' : connection.right.source
  return E.right({ ...live, source, nowMs: clock.nowMs, ...(cloud === undefined ? {} : { cloud }) })
}

const liveCluster = (connection: Connection, transport: Transport): LiveCluster => ({
  server: connection.server,
  source: connection.source,
  nowMs: systemClock.nowMs,
  client: makeHttpClient({ transport, clock: systemClock }),
  close: () => transport.close(),
})
