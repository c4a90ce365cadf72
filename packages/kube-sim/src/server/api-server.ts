import type { Clock } from '@scantling/provider-kit'
import type { Face, KubeObject } from '../face.ts'
import { builtInTypes, eventsAlias } from '../resources/index.ts'
import type { Core } from './core.ts'
import { startDefining } from './definitions.ts'
import { startCollecting } from './deletion.ts'
import { createIdentity, timestamp } from './identity.ts'
import { createFace } from './in-process.ts'
import { createInterceptors, type Interceptors } from './interceptors.ts'
import { createRegistry, type Surroundings } from './registry.ts'
import { createRequests, type Requests } from './requests.ts'
import { createStore } from './store.ts'

export interface ApiServerOptions {
  readonly clock: Clock
  /** Seeds UIDs and generated names. Default 1. */
  readonly seed?: number
  /** How many changes of each resource are kept for watches that resume. Default 5,000. */
  readonly historyLimit?: number
  /** `false`: watches cannot begin with what there is, as on servers before 1.32. Default true. */
  readonly watchList?: boolean
}

/** An in-memory Kubernetes API server. */
export interface ApiServer {
  readonly clock: Clock
  /** An in-process client; its name is what interceptors know it by. */
  readonly face: (client: string) => Face
  readonly interceptors: Interceptors
  /** Forgets the history: watches and pages that resume from before now answer 410. */
  readonly compact: () => void
  /** The newest resource version. */
  readonly revision: () => number
  /** The pipeline under both faces, for another face to be put on it. */
  readonly requests: Requests
  readonly core: Core
}

const presetNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

const presetPriorities: ReadonlyArray<readonly [string, number]> = [
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]

/** Starts an API server with the built-in resources and the usual namespaces. Nothing listens yet. */
export const createApiServer = (options: ApiServerOptions): ApiServer => {
  const { clock, seed = 1, historyLimit = 5_000, watchList = true } = options
  const store = createStore(historyLimit)
  const registry = createRegistry()
  const surroundings: Surroundings = {
    peek: (key, namespace, name) => store.collection(key).get(namespace, name),
    values: (key) => store.collection(key).view.values(),
  }
  const core: Core = {
    clock,
    store,
    registry,
    identity: createIdentity(seed),
    surroundings,
    isWatchListServed: watchList,
  }
  for (const type of builtInTypes) registry.register(type, type.plural === 'events' ? eventsAlias : [])
  startDefining(core)
  startCollecting(core)
  const requests = createRequests(core)
  const interceptors = createInterceptors()
  for (const name of presetNamespaces) store.put('namespaces', presetNamespace(core, name))
  for (const [name, value] of presetPriorities) {
    store.put('priorityclasses.scheduling.k8s.io', presetPriorityClass(core, name, value))
  }
  return {
    clock,
    face: (client) => createFace(core, requests, interceptors, client),
    interceptors,
    compact: () => {
      store.compact()
      requests.expireTokens()
    },
    revision: store.revision,
    requests,
    core,
  }
}

const presetNamespace = (core: Core, name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    uid: core.identity.uid(),
    resourceVersion: '',
    creationTimestamp: timestamp(core.clock.nowMs()),
    labels: { 'kubernetes.io/metadata.name': name },
  },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
})

const presetPriorityClass = (core: Core, name: string, value: number): KubeObject => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: {
    name,
    uid: core.identity.uid(),
    resourceVersion: '',
    generation: 1,
    creationTimestamp: timestamp(core.clock.nowMs()),
  },
  value,
  preemptionPolicy: 'PreemptLowerPriority',
})
