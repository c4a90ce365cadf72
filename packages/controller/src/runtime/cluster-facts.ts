import * as E from 'fp-ts/lib/Either.js'
import type { CancelSignal, ClusterFacts, ClusterRead, JsonObject } from '@scantling/core'
import { Cancelled, type Clock } from '@scantling/provider-kit'
import type { KubeClient, KubeObject, ResourceKind } from '../kube/index.ts'
import type { Settings } from '../settings/index.ts'

export interface ClusterFactsOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly settings: Settings
  /** The objects that the provider wants to see. */
  readonly reads: ReadonlyArray<ClusterRead>
  /** The namespace that `$system` stands for. */
  readonly systemNamespace: string
  /** Known from the first contact. */
  readonly kubernetesVersion: string
  readonly signal: CancelSignal
}

export interface RunningClusterFacts {
  readonly current: () => ClusterFacts
}

const refreshMs = 300_000

/** Reads what providers may know of the cluster, now and every five minutes. The same record while nothing changed. */
export const startClusterFacts = async (options: ClusterFactsOptions): Promise<RunningClusterFacts> => {
  const { client, clock, settings, signal } = options

  const readOne = async (read: ClusterRead): Promise<E.Either<string, ReadonlyArray<JsonObject>>> => {
    const namespace = read.namespace === '$system' ? options.systemNamespace : read.namespace
    const kind = rawKind(read.apiVersion, read.plural, namespace !== undefined)
    const call = { signal }
    if (read.name !== undefined) {
      const found = await client.get(kind, { name: read.name, namespace }, call)()
      if (E.isRight(found)) return E.right([found.right])
      return found.left._tag === 'NotFound' ? E.right([]) : E.left(found.left.message)
    }
    const query = { ...(namespace === undefined ? {} : { namespace }), limit: read.limit ?? 500 }
    const page = await client.listPage(kind, query, call)()
    if (E.isRight(page)) return E.right(page.right.items)
    return page.left._tag === 'NotFound' ? E.right([]) : E.left(page.left.message)
  }

  const readAll = async (kubernetesVersion: string): Promise<ClusterFacts> => {
    const dns = await readOne({
      as: 'dns',
      apiVersion: 'v1',
      plural: 'services',
      namespace: 'kube-system',
      name: 'kube-dns',
    })
    const service = E.isRight(dns)
      ? (dns.right[0] as { readonly spec?: { readonly clusterIP?: string } } | undefined)
      : undefined
    const objects: Record<string, E.Either<string, ReadonlyArray<JsonObject>>> = {}
    for (const read of options.reads) objects[read.as] = await readOne(read)
    return {
      name: settings.clusterName,
      ...(settings.clusterEndpoint === undefined ? {} : { endpoint: settings.clusterEndpoint }),
      ...(settings.clusterCaBundle === undefined ? {} : { caBundle: settings.clusterCaBundle }),
      kubernetesVersion,
      ...(service?.spec?.clusterIP === undefined ? {} : { dnsServiceIp: service.spec.clusterIP }),
      objects,
    }
  }

  let current = await readAll(options.kubernetesVersion)
  const refresh = async () => {
    while (!signal.aborted) {
      await clock.sleep(refreshMs, signal)
      const version = await client.serverVersion({ signal })()
      const next = await readAll(E.isRight(version) ? version.right : current.kubernetesVersion)
      // Providers derive instance types from it and promise the same array for the same input.
      if (JSON.stringify(next) !== JSON.stringify(current)) current = next
    }
  }
  refresh().catch((cause: unknown) => {
    if (!(cause instanceof Cancelled)) throw cause
  })
  return { current: () => current }
}

const rawKind = (apiVersion: string, plural: string, namespaced: boolean): ResourceKind<KubeObject & JsonObject> => ({
  apiVersion,
  kind: plural,
  plural,
  namespaced,
  project: (raw) => E.right(raw as KubeObject & JsonObject),
})
