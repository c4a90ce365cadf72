import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { decodeCatalog, nodeClassSchema, readScenario, type CloudProvider, type NodeClassObject } from '@scantling/core'
import { systemClock } from '@scantling/provider-kit'
import { startCaches } from '../src/cache/index.ts'
import { makeEventRecorder } from '../src/events/index.ts'
import type { KubeClient, KubeObject, ResourceKind } from '../src/kube/index.ts'
import { makeMetrics } from '../src/observability/index.ts'
import type { AnyProviderModule } from '../src/provider-loader/index.ts'
import { makeContext } from '../src/reconcilers/index.ts'
import type { ReconcilerContext } from '../src/reconcilers/context.ts'
import { seededRandom, steadyNowMs } from '../src/runtime/index.ts'
import { parseSettings } from '../src/settings/index.ts'
import { silentLog } from './silent-log.ts'

const nodeClass = { group: 'toy.example', kind: 'ToyClass', name: 'default' }
const createdAt = '2026-03-02T11:59:00Z'
const cpus = ['100m', '250m', '500m', '1', '1500m']
const memories = ['100M', '256Mi', '512Mi', '1Gi', '2Gi', '4Gi']
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** An object as the API server would list it. */
type Manifest = Record<string, unknown> & { readonly metadata: object }

/** The reference's mix of diverse pods: plain, spread by zone and by host, with affinity and anti-affinity (P-OBS-04). */
export const diversePod = (index: number, random: () => number): Manifest => {
  const pick = <A>(values: ReadonlyArray<A>): A => values[Math.floor(random() * values.length)]!
  const selector = (key: string) => ({ labelSelector: { matchLabels: { [key]: pick(letters) } } })
  const kind = index % 6
  const own = pick(letters)
  const spread = (topologyKey: string) => ({
    topologySpreadConstraints: [
      { ...selector('my-label'), maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' },
    ],
  })
  const affinity = (name: string, term: object) => ({
    affinity: { [name]: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
  })
  const asks = [
    {},
    {},
    spread('topology.kubernetes.io/zone'),
    spread('kubernetes.io/hostname'),
    affinity('podAffinity', {
      labelSelector: { matchLabels: { 'my-affinity': own } },
      topologyKey: 'topology.kubernetes.io/zone',
    }),
    affinity('podAntiAffinity', {
      labelSelector: { matchLabels: { app: 'nginx' } },
      topologyKey: 'kubernetes.io/hostname',
    }),
  ][kind]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${index}`,
      namespace: 'default',
      uid: `${Math.floor(random() * 2 ** 32).toString(16)}-${index}`,
      resourceVersion: String(index + 1),
      creationTimestamp: createdAt,
      labels: kind === 4 ? { 'my-affinity': own } : kind === 5 ? { app: 'nginx' } : { 'my-label': own },
    },
    spec: {
      ...asks,
      containers: [{ name: 'app', image: 'app', resources: { requests: { cpu: pick(cpus), memory: pick(memories) } } }],
    },
    status: {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
    },
  }
}

const nodePool = (limits: object): Manifest => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default', uid: 'pool', resourceVersion: '1', creationTimestamp: createdAt },
  spec: { limits, template: { spec: { nodeClassRef: nodeClass, requirements: [] } } },
  status: {
    conditions: ['NodeClassReady', 'ValidationSucceeded', 'Ready'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      lastTransitionTime: createdAt,
    })),
  },
})

const toyClass: Manifest = {
  apiVersion: 'toy.example/v1',
  kind: 'ToyClass',
  metadata: { name: 'default', uid: 'class', resourceVersion: '1', creationTimestamp: createdAt },
  spec: {},
}

/** The 400 types of the scheduling bench, with the labels that they define. */
const benchTypes = () => {
  const file = new URL('../../../vectors/catalogs/bench400.json.gz', import.meta.url)
  const catalog = decodeCatalog(JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')))
  if (E.isLeft(catalog)) throw new Error('Cannot read the catalogue of the bench')
  const pool = { ...nodePool({}), spec: { template: { spec: { nodeClassRef: kwokClass, requirements: [] } } } }
  const scenario = {
    version: 1,
    name: 'types',
    kind: 'provision',
    now: createdAt,
    catalog: 'bench400',
    objects: [pool],
  }
  const read = readScenario(scenario, () => catalog.right)
  if (E.isLeft(read)) throw new Error(read.left.join('; '))
  const { instanceTypes, labelRules } = read.right.snapshot
  return { types: instanceTypes.get('default') ?? [], wellKnown: labelRules.knowledge.wellKnown }
}

const kwokClass = { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }

/** An API server of lists alone; what is created is answered in a turn of the event loop of its own, as a socket would. */
const listsOnly = (objects: ReadonlyMap<string, ReadonlyArray<Manifest>>): KubeClient => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const project = <A extends KubeObject>(kind: ResourceKind<A>, raw: unknown): A => {
    const projected = kind.project(raw)
    if (E.isLeft(projected)) throw new Error(`${kind.kind}: ${projected.left}`)
    return projected.right
  }
  let created = 0
  const client: Partial<KubeClient> = {
    listPage:
      (kind, { limit = 500, continue: from = '0' }) =>
      async () => {
        await turn()
        const all = objects.get(kind.plural) ?? []
        const to = Number(from) + limit
        const items = all.slice(Number(from), to).map((raw) => project(kind, raw))
        return E.right({ items, resourceVersion: '1', ...(to < all.length ? { continue: String(to) } : {}) })
      },
    watch: (_kind, _query, _onEvent, signal) => () =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve(E.right({ _tag: 'Closed' })))),
    create: (kind, raw) => async () => {
      await turn()
      created += 1
      const { metadata, ...rest } = JSON.parse(JSON.stringify(raw)) as Manifest
      const known = {
        name: `new-${created}`,
        uid: `new-${created}`,
        resourceVersion: '2',
        creationTimestamp: createdAt,
      }
      return E.right(
        project(kind, { apiVersion: kind.apiVersion, kind: kind.kind, ...rest, metadata: { ...known, ...metadata } }),
      )
    },
  }
  return client as KubeClient
}

/** A controller without its loops: caches that are synced, and nothing read from them yet. */
export interface LargeBatch {
  readonly context: ReconcilerContext
  readonly stop: () => void
}

/** A cluster in which so many pods wait; the answer starts a controller on it. */
export const largeBatch = (pods: number, limits: object = { cpu: '10000000' }): (() => Promise<LargeBatch>) => {
  const random = seededRandom(1)
  const shutdown = new AbortController()
  const signal = shutdown.signal
  const { types, wellKnown } = benchTypes()
  const providerModule: AnyProviderModule = {
    name: 'toy',
    nodeClasses: [
      {
        group: nodeClass.group,
        kind: nodeClass.kind,
        names: { plural: 'toyclasses' },
        versions: [{ name: 'v1', schema: nodeClassSchema<NodeClassObject>(nodeClass.kind, { size: 'integer?' }) }],
      },
    ],
    labels: { wellKnown: [...wellKnown].map((key) => ({ key })) },
    create: () => TE.left({ _tag: 'Unknown', message: 'not created here' }),
  }
  const provider: CloudProvider<NodeClassObject> = {
    instanceTypes: () => TE.right(types),
    launch: () => TE.left({ error: { _tag: 'InsufficientCapacity', message: 'none' }, reason: 'None' }),
    terminate: () => TE.right('Gone'),
    list: () => TE.right({ instances: [], unreadable: [] }),
  }
  const kube = listsOnly(
    new Map([
      ['pods', Array.from({ length: pods }, (_, index) => diversePod(index, random))],
      ['nodepools', [nodePool(limits)]],
      ['toyclasses', [toyClass]],
    ]),
  )
  const parsed = parseSettings({ argv: ['--provider', 'kwok', '--cluster-name', 'test'], env: {} }, undefined)
  if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
  const { settings } = parsed.right
  return async () => {
    const [clock, metrics, log] = [systemClock, makeMetrics(), silentLog]
    const { nodeClasses } = providerModule
    const { caches } = startCaches({
      client: kube,
      clock,
      random,
      log,
      metrics,
      nodeClasses,
      isStartStreamed: false,
      signal,
    })
    while (!caches.synced()) await new Promise((resolve) => setTimeout(resolve, 5))
    const context = makeContext({
      clock,
      steadyNowMs,
      random,
      kube,
      caches,
      provider,
      providerModule,
      settings,
      events: makeEventRecorder({ client: kube, clock, random, metrics, log, signal }),
      metrics,
      log,
      clusterFacts: () => ({ name: 'test', kubernetesVersion: '1.34.2', objects: {} }),
      shutdown: signal,
    })
    return { context, stop: () => shutdown.abort() }
  }
}
