import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { delimiter, dirname, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Clock } from '@scantling/provider-kit'

/** Where the API server is and how we prove who we are. */
export interface Connection {
  /** Base URL without a trailing slash. */
  readonly server: string
  /** Where the address came from, for messages: `--server`, `/home/me/.kube/config`. */
  readonly source: string
  readonly userAgent: string
  /** The namespace of the context or of the pod we run in. */
  readonly namespace: string | undefined
  /** TLS settings and headers for the next request; credentials may be renewed between two. */
  readonly requestOptions: () => Promise<RequestOptions>
}

export interface ConnectionSource {
  /** `--server`: used as it is, without credentials. */
  readonly server?: string | undefined
  /** `--kubeconfig`; several files as in KUBECONFIG. */
  readonly kubeconfig?: string | undefined
  /** A context of the kubeconfig, in place of its current one. */
  readonly context?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

const userAgent = 'karpenter/scantling'
// Client certificates and CA are files that change when they are rotated; reading them for every request would be wasteful.
const credentialsMaxAgeMs = 10_000

/**
 * Finds the API server: `server`, `kubeconfig`, `$KUBECONFIG`, the pod's service account, then `~/.kube/config`.
 *
 * Errors: a sentence that names the flag, variable or file, what is wrong with it, and the remedy.
 */
export const loadConnection = (source: ConnectionSource): TaskEither<string, Connection> => {
  if (source.server !== undefined) return async () => plainConnection(source.server as string)
  const named =
    source.kubeconfig !== undefined
      ? { files: source.kubeconfig, flag: '--kubeconfig or KUBECONFIG' }
      : source.env['KUBECONFIG']
        ? { files: source.env['KUBECONFIG'], flag: 'KUBECONFIG' }
        : undefined
  if (named !== undefined) return fromKubeconfig(named.files.split(delimiter).filter(Boolean), named.flag, source)
  if (source.env['KUBERNETES_SERVICE_HOST']) return fromCluster(source.clock)
  const home = source.env['HOME'] ?? source.env['USERPROFILE']
  const fallback = home === undefined ? undefined : `${home}/.kube/config`
  if (fallback !== undefined && existsSync(fallback)) return fromKubeconfig([fallback], '~/.kube/config', source)
  return async () =>
    E.left(
      'Cannot find the API server: no --server, --kubeconfig or KUBECONFIG, not inside a cluster, and no ~/.kube/config; name one of them',
    )
}

// An address without credentials needs nothing of the client library, whose modules cost 90 MB and a second to load.
const plainConnection = (server: string): E.Either<string, Connection> => {
  const url = URL.parse(server)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return E.left(`Cannot use --server ${JSON.stringify(server)}: not an http or https URL; write http://HOST:PORT`)
  }
  return E.right({
    server: server.replace(/\/+$/, ''),
    source: '--server',
    userAgent,
    namespace: undefined,
    requestOptions: () => Promise.resolve({}),
  })
}

const fromKubeconfig =
  (
    files: ReadonlyArray<string>,
    flag: string,
    { clock, context: wanted }: ConnectionSource,
  ): TaskEither<string, Connection> =>
  async () => {
    const { KubeConfig } = await import('@kubernetes/client-node')
    const config = new KubeConfig()
    for (const [index, file] of files.entries()) {
      const at = flag === file ? file : `${file} (from ${flag})`
      if (!existsSync(file)) return E.left(`Cannot read kubeconfig ${at}: no such file; check the path`)
      try {
        const text = readFileSync(file, 'utf8')
        const part = index === 0 ? config : new KubeConfig()
        part.loadFromString(text)
        part.makePathsAbsolute(dirname(resolve(file)))
        if (part.clusters.length === 0 && part.contexts.length === 0) {
          return E.left(
            `Cannot read kubeconfig ${at}: not a kubeconfig (no clusters, no contexts); expected YAML with clusters, users and contexts`,
          )
        }
        if (index > 0) config.mergeConfig(part)
      } catch (cause) {
        return E.left(
          `Cannot read kubeconfig ${at}: not a kubeconfig (${firstLine(cause)}); expected YAML with clusters, users and contexts`,
        )
      }
    }
    const at = `${files.join(':')} (from ${flag})`
    if (wanted !== undefined) config.setCurrentContext(wanted)
    const context = config.getContextObject(config.getCurrentContext())
    if (context === null) {
      const names = config.getContexts().map((each) => each.name)
      return E.left(
        config.getCurrentContext()
          ? `Cannot use kubeconfig ${at}: current-context ${JSON.stringify(config.getCurrentContext())} is not among its contexts (${names.join(', ') || 'none'}); run kubectl config use-context NAME`
          : `Cannot use kubeconfig ${at}: it has no current-context; run kubectl config use-context NAME (contexts: ${names.join(', ') || 'none'})`,
      )
    }
    return fromLoaded(config, at, context.namespace, clock)
  }

const fromCluster =
  (clock: Clock): TaskEither<string, Connection> =>
  async () => {
    const { KubeConfig } = await import('@kubernetes/client-node')
    const config = new KubeConfig()
    config.loadFromCluster()
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace
    return fromLoaded(config, 'the service account', namespace, clock)
  }

const fromLoaded = (
  config: import('@kubernetes/client-node').KubeConfig,
  source: string,
  namespace: string | undefined,
  clock: Clock,
): E.Either<string, Connection> => {
  const cluster = config.getCurrentCluster()
  if (cluster === null || URL.parse(cluster.server) === null) {
    return E.left(
      `Cannot use kubeconfig ${source}: the cluster of context ${JSON.stringify(config.getCurrentContext())} has no valid server URL; check clusters[].cluster.server`,
    )
  }
  // The library refuses credentials over plain HTTP unless told so; without TLS there is nothing to verify.
  if (cluster.server.startsWith('http:')) {
    config.clusters = config.clusters.map((each) => (each === cluster ? { ...each, skipTLSVerify: true } : each))
  }
  let cached: { readonly options: RequestOptions; readonly atMs: number } | undefined
  return E.right({
    server: cluster.server.replace(/\/+$/, ''),
    source,
    userAgent,
    namespace,
    requestOptions: async () => {
      const nowMs = clock.nowMs()
      if (cached !== undefined && nowMs - cached.atMs < credentialsMaxAgeMs) return cached.options
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      // The library's agent opens a connection per request; it is needed only where it leads through a proxy.
      if (!cluster.proxyUrl) delete options.agent
      cached = { options, atMs: nowMs }
      return options
    },
  })
}

const firstLine = (cause: unknown): string =>
  String(cause instanceof Error ? cause.message : cause).split('\n', 1)[0] ?? ''
