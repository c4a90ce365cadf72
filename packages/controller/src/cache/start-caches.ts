import type { CancelSignal, NodeClassKind, NodeClassObject } from '@scantling/core'
import { labelKeys } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import {
  type KubeClient,
  type KubeObject,
  type ResourceKind,
  type RunningListWatch,
  featureKinds,
  makeKinds,
  makeStreamedStart,
  nodeClassKindOf,
  runListWatch,
} from '../kube/index.ts'
import { type Log, type Metrics, families } from '../observability/index.ts'
import type { Caches } from './caches.ts'
import { makeObjectCache } from './make-object-cache.ts'
import type { Indexers, ObjectCache } from './object-cache.ts'

export interface StartCachesOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly metrics: Metrics
  /** The provider's kinds of NodeClass. */
  readonly nodeClasses: ReadonlyArray<NodeClassKind<NodeClassObject>>
  /** Kinds to follow beside those that are always read; their definitions must be installed. */
  readonly features?: FollowedFeatures
  /** Whether watches may begin with what there is, on servers that can (default: they may). */
  readonly isStartStreamed?: boolean
  /** Whether memory is short, so that lists are taken in small pages. Absent: it never is. */
  readonly memory?: { readonly isHigh: () => boolean }
  /** Ends every watch. */
  readonly signal: CancelSignal
}

export interface FollowedFeatures {
  readonly nodeOverlays: boolean
  readonly capacityBuffers: boolean
  readonly services: boolean
}

/** Caches that follow the cluster. */
export interface RunningCaches {
  readonly caches: Caches
  /** Kinds that have not been listed yet, each with the reason where one is known: what readiness waits for. */
  readonly unsynced: () => ReadonlyArray<string>
  /** Resolves after the signal aborted and every watch has ended. */
  readonly stopped: Promise<void>
}

/** Starts one list-watch for each kind that the controller reads. */
export const startCaches = (options: StartCachesOptions): RunningCaches => {
  const { client, clock, random, log, metrics, features, signal } = options
  const kinds = makeKinds()
  const streamedStart = makeStreamedStart(options.isStartStreamed ?? true)
  const followed: Array<{
    readonly plural: string
    readonly cache: { readonly synced: () => boolean }
    readonly listWatch: RunningListWatch
  }> = []

  const follow = <A extends KubeObject, I extends string = never>(
    kind: ResourceKind<A>,
    indexers: Indexers<A, I>,
  ): ObjectCache<A, I> => {
    const { cache, sink } = makeObjectCache({
      kind,
      indexers,
      onListenerError: (cause) =>
        log.error('A listener of the cache failed unexpectedly, please report this', {
          resource: kind.plural,
          error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
        }),
    })
    const labels = { resource: kind.plural }
    const listWatch = runListWatch({
      client,
      kind,
      sink,
      clock,
      random,
      log,
      signal,
      streamedStart,
      isMemoryShort: () => options.memory?.isHigh() === true,
      onStats: (stats) => {
        metrics.set(families.listWatchMissedEvents, labels, stats.missedEvents)
        metrics.set(families.listWatchFailures, labels, stats.failures)
        metrics.set(families.listWatchLists, labels, stats.lists)
      },
    })
    followed.push({ plural: kind.plural, cache, listWatch })
    return cache
  }

  const caches: Caches = {
    pods: follow(kinds.pods, { byNode: (pod) => pod.spec.nodeName ?? '' }),
    nodes: follow(kinds.nodes, { byProviderId: (node) => node.spec.providerID }),
    nodeClaims: follow(kinds.nodeClaims, {
      byProviderId: (claim) => claim.status.providerID,
      byNodePool: (claim) => claim.metadata.labels[labelKeys.nodePool],
      byNodeClass: (claim) => nodeClassKey(claim.spec.nodeClassRef),
    }),
    nodePools: follow(kinds.nodePools, {
      byNodeClass: (nodePool) => nodeClassKey(nodePool.spec.template.spec.nodeClassRef),
    }),
    nodeClasses: new Map(
      options.nodeClasses.map((nodeClass) => [
        `${nodeClass.group}/${nodeClass.kind}`,
        follow(nodeClassKindOf(nodeClass), {}),
      ]),
    ),
    daemonSets: follow(kinds.daemonSets, {}),
    podDisruptionBudgets: follow(kinds.podDisruptionBudgets, {}),
    persistentVolumeClaims: follow(kinds.persistentVolumeClaims, {}),
    persistentVolumes: follow(kinds.persistentVolumes, {}),
    storageClasses: follow(kinds.storageClasses, {}),
    csiNodes: follow(kinds.csiNodes, {}),
    volumeAttachments: follow(kinds.volumeAttachments, { byNode: (attachment) => attachment.spec.nodeName }),
    namespaces: follow(kinds.namespaces, {}),
    priorityClasses: follow(kinds.priorityClasses, {}),
    ...(features?.nodeOverlays === true ? { nodeOverlays: follow(featureKinds.nodeOverlays, {}) } : {}),
    ...(features?.capacityBuffers === true
      ? {
          buffers: {
            capacityBuffers: follow(featureKinds.capacityBuffers, {}),
            podTemplates: follow(featureKinds.podTemplates, {}),
          },
        }
      : {}),
    ...(features?.services === true
      ? { services: follow(featureKinds.services, { byNamespace: ({ metadata }) => metadata.namespace }) }
      : {}),
    synced: () => followed.every(({ cache }) => cache.synced()),
  }

  return {
    caches,
    unsynced: () =>
      followed
        .filter(({ cache }) => !cache.synced())
        .map(({ plural, listWatch }) => {
          const error = listWatch.lastError()
          return error === undefined ? plural : `${plural} (${error.message})`
        }),
    stopped: Promise.all(followed.map(({ listWatch }) => listWatch.stopped)).then(() => undefined),
  }
}

/** How indexes name a NodeClass: `group/kind/name`. */
export const nodeClassKey = (reference: {
  readonly group: string
  readonly kind: string
  readonly name: string
}): string => `${reference.group}/${reference.kind}/${reference.name}`
