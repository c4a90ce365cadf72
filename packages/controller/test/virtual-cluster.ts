import * as E from 'fp-ts/lib/Either.js'
import {
  capacityBufferResource,
  crdOf,
  nodeClaimResource,
  nodeOverlayResource,
  nodePoolResource,
  type CloudProvider,
  type CustomResource,
  type NodeClassObject,
} from '@scantling/core'
import {
  createApiServer,
  resource,
  startControllers,
  type ControllersOptions,
  type DraftObject,
  type Face,
} from '@scantling/kube-sim'
import { virtualClock } from '@scantling/provider-kit'
import {
  createFrom,
  inProcessCloud,
  provider as kwok,
  simulatedCloud,
  type CatalogEntry,
  type CloudOptions,
} from '@scantling/provider-kwok'
import { startCaches } from '../src/cache/index.ts'
import { makeEventRecorder } from '../src/events/index.ts'
import type { KubeClient, KubeError } from '../src/kube/index.ts'
import { makeMetrics, type Log } from '../src/observability/index.ts'
import { makeProviderHost, observeProvider } from '../src/provider-host/index.ts'
import type { AnyProviderModule } from '../src/provider-loader/index.ts'
import { startReconcilers } from '../src/reconcilers/index.ts'
import { seededRandom } from '../src/runtime/index.ts'
import { followedFeatures, parseSettings } from '../src/settings/index.ts'
import { inProcessClient } from './in-process-client.ts'
import { silentLog } from './silent-log.ts'

/** One outgoing call of the controller that changes something. */
export interface Effect {
  /** `create NodeClaim`, `launch`. */
  readonly name: string
  readonly atMs: number
}

/** What becomes of an effect. `die`: the process ends there, and nothing that it does afterwards reaches anyone. */
export type Fate = 'pass' | 'die before' | 'die after' | 'fail before' | 'fail after'

export interface ControllerRun {
  /** Every effect so far, those that failed included. */
  readonly effects: ReadonlyArray<Effect>
  readonly isDead: () => boolean
  /** What the log was told of as ordinary news, with its fields. */
  readonly news: ReadonlyArray<string>
  /** The metrics as they are served. */
  readonly metrics: () => Promise<string>
  /** Errors that the log was told of. */
  readonly errors: ReadonlyArray<string>
  /** Ends it as a crash does. */
  readonly kill: () => void
}

export const kinds = {
  pods: resource('v1', 'pods'),
  nodes: resource('v1', 'nodes'),
  events: resource('v1', 'events'),
  deployments: resource('apps/v1', 'deployments'),
  budgets: resource('policy/v1', 'poddisruptionbudgets'),
  nodePools: resource('karpenter.sh/v1', 'nodepools'),
  nodeClaims: resource('karpenter.sh/v1', 'nodeclaims'),
  overlays: resource('karpenter.sh/v1alpha1', 'nodeoverlays'),
  buffers: resource('autoscaling.x-k8s.io/v1beta1', 'capacitybuffers'),
  podTemplates: resource('v1', 'podtemplates'),
  services: resource('v1', 'services'),
  nodeClasses: resource('karpenter.kwok.sh/v1alpha1', 'kwoknodeclasses'),
} as const

const startMs = Date.UTC(2026, 0, 1)
const providerModule = kwok as unknown as AnyProviderModule

/** Types with 4 and 16 CPUs in two zones, the smaller dearer by the CPU. */
export const catalog: ReadonlyArray<CatalogEntry> = [
  { cpu: 4, price: 0.2 },
  { cpu: 16, price: 0.7 },
].map(({ cpu, price }) => ({
  name: `c-${cpu}x`,
  architecture: 'amd64',
  operatingSystems: ['linux'],
  resources: { cpu: String(cpu), memory: `${cpu * 4}Gi`, pods: '110' },
  offerings: ['zone-a', 'zone-b'].flatMap((zone) =>
    ['on-demand', 'spot'].map((capacityType) => ({
      Price: capacityType === 'spot' ? price / 2 : price,
      Available: true,
      Requirements: [
        { key: 'topology.kubernetes.io/zone', operator: 'In' as const, values: [zone] },
        { key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: [capacityType] },
      ],
    })),
  ),
}))

/** An object as these tests read it. */
export interface Seen {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly finalizers?: ReadonlyArray<string>
    readonly deletionTimestamp?: string
    readonly resourceVersion: string
    readonly ownerReferences?: ReadonlyArray<{ readonly kind: string; readonly name: string }>
  }
  readonly spec: {
    readonly nodeName?: string
    readonly providerID?: string
    readonly taints?: ReadonlyArray<{ readonly key: string; readonly effect: string }>
  }
  readonly status: {
    readonly phase?: string
    readonly providerID?: string
    readonly lastPodEventTime?: string
    readonly nodes?: number
    readonly resources?: Readonly<Record<string, string>>
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
    }>
  }
}

export interface VirtualClusterOptions {
  /** How long the cloud takes to answer a launch. */
  readonly launchMs?: number
  readonly cloud?: Partial<CloudOptions>
  readonly controllers?: ControllersOptions
  /** The provider as the controller sees it, in place of the one over the cloud. */
  readonly providerOf?: (provider: CloudProvider<NodeClassObject>) => CloudProvider<NodeClassObject>
}

/** A cluster, its cloud and its controller in one process on virtual time, each able to outlive the controller. */
export const startVirtualCluster = async (options: VirtualClusterOptions = {}) => {
  const clock = virtualClock(startMs)
  const api = createApiServer({ clock })
  const face = api.face('user')
  for (const kind of [
    nodePoolResource,
    nodeClaimResource,
    nodeOverlayResource,
    capacityBufferResource,
    ...kwok.nodeClasses,
  ])
    await face.create(
      resource('apiextensions.k8s.io/v1', 'customresourcedefinitions'),
      crdOf(kind as CustomResource) as DraftObject,
    )
  const simErrors: Array<string> = []
  const running = startControllers(api.face('controllers'), clock, {
    onError: (error, controller, key) => void simErrors.push(`${controller} ${key}: ${String(error)}`),
    ...options.controllers,
  })
  const cloud = simulatedCloud({
    catalog,
    seed: 'test',
    nowMs: clock.nowMs,
    writeLimit: undefined,
    readLimit: undefined,
    ...options.cloud,
  })
  const runs: Array<ControllerRun> = []

  /** Starts a controller; `fateOf` decides what becomes of its effects, the first of which is number 1. */
  const startController = async (
    fateOf: (effect: Effect, number: number) => Fate = () => 'pass',
    flags: ReadonlyArray<string> = [],
  ): Promise<ControllerRun> => {
    const effects: Array<Effect> = []
    const errors: Array<string> = []
    const news: Array<string> = []
    const shutdown = new AbortController()
    let dead = false
    const kill = () => {
      dead = true
      shutdown.abort()
    }
    const nothing = new Promise<never>(() => undefined)
    const gate = async <L, A>(
      name: string,
      failure: L,
      call: () => Promise<E.Either<L, A>>,
    ): Promise<E.Either<L, A>> => {
      if (dead) return nothing
      const effect = { name, atMs: clock.nowMs() }
      effects.push(effect)
      const fate = fateOf(effect, effects.length)
      if (fate === 'die before') {
        kill()
        return nothing
      }
      if (fate === 'fail before') return E.left(failure)
      const answer = await call()
      if (fate === 'die after') kill()
      return dead ? nothing : fate === 'fail after' ? E.left(failure) : answer
    }
    const log: Log = {
      ...silentLog,
      with: () => log,
      info: (message, fields) => void news.push(`${message} ${JSON.stringify(fields)}`),
      error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
    }
    const parsed = parseSettings(
      { argv: ['--provider', 'kwok', '--cluster-name', 'test', ...flags], env: {} },
      undefined,
    )
    if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
    const { settings } = parsed.right
    const metrics = makeMetrics()
    const random = seededRandom(1)
    const client = inProcessClient(api.face('controller'))
    const lost: KubeError = { _tag: 'Timeout', message: 'The answer was lost' }
    const kube: KubeClient = {
      ...client,
      create:
        (kind, ...rest) =>
        () =>
          gate(`create ${kind.kind}`, lost, client.create(kind, ...rest)),
      update:
        (kind, ...rest) =>
        () =>
          gate(`update ${kind.kind}`, lost, client.update(kind, ...rest)),
      patch:
        (kind, ...rest) =>
        () =>
          gate(`patch ${kind.kind}`, lost, client.patch(kind, ...rest)),
      patchStatus:
        (kind, ...rest) =>
        () =>
          gate(`status of ${kind.kind}`, lost, client.patchStatus(kind, ...rest)),
      delete:
        (kind, ...rest) =>
        () =>
          gate(`delete ${kind.kind}`, lost, client.delete(kind, ...rest)),
      evict:
        (...call) =>
        () =>
          gate('evict', lost, client.evict(...call)),
    }
    const host = makeProviderHost({
      clock,
      random,
      metrics,
      log,
      gates: settings.featureGates,
      declared: providerModule.metrics ?? [],
      shutdown: shutdown.signal,
    })
    const created = await createFrom(inProcessCloud(cloud, clock), host, shutdown.signal)
    if (E.isLeft(created)) throw new Error(created.left.message)
    const live = created.right as unknown as CloudProvider<NodeClassObject>
    const provider = options.providerOf?.(live) ?? live
    const unknown = { _tag: 'Unknown' as const, message: 'The answer was lost' }
    const gated: CloudProvider<NodeClassObject> = {
      ...provider,
      launch: (request, call) => () =>
        gate('launch', { error: unknown, reason: 'LaunchFailed' }, async () => {
          const launched = await provider.launch(request, call)()
          if (options.launchMs !== undefined) await clock.sleep(options.launchMs)
          return launched
        }),
      terminate: (target, call) => () => gate('terminate', unknown, provider.terminate(target, call)),
    }
    const caches = startCaches({
      client,
      clock,
      random,
      log,
      metrics,
      nodeClasses: providerModule.nodeClasses,
      features: followedFeatures(settings),
      signal: shutdown.signal,
    })
    while (!caches.caches.synced()) await clock.advance(10)
    startReconcilers({
      clock,
      // Planning never yields by the wall clock, so that a run is the same on a slow machine.
      steadyNowMs: () => 0,
      random,
      kube,
      caches: caches.caches,
      provider: observeProvider(gated, 'kwok', metrics, clock),
      providerModule,
      settings,
      // Events are a courtesy: written by a client of their own, they are no effects.
      events: makeEventRecorder({ client, clock, random, metrics, log, signal: shutdown.signal }),
      metrics,
      log,
      clusterFacts: () => ({ name: settings.clusterName, kubernetesVersion: '1.34.2', objects: {} }),
      shutdown: shutdown.signal,
    })
    const run: ControllerRun = { effects, news, metrics: metrics.render, errors, isDead: () => dead, kill }
    runs.push(run)
    return run
  }

  const all = async (ref: Parameters<Face['list']>[0]): Promise<ReadonlyArray<Seen>> =>
    (await face.list(ref)).items as unknown as ReadonlyArray<Seen>
  return {
    clock,
    api,
    face,
    cloud,
    simErrors,
    startController,
    all,
    /** Machines that cost money: neither ended nor ending. */
    machines: () => cloud.everything().filter(({ state }) => state === 'pending' || state === 'running'),
    /** Lets time pass until the condition holds. Throws when it does not within `withinMs` of the cluster's time. */
    until: async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 600_000): Promise<void> => {
      const deadlineMs = clock.nowMs() + withinMs
      while (!(await holds())) {
        if (clock.nowMs() >= deadlineMs) throw new Error(`Waited in vain until ${what}`)
        await clock.advance(500)
      }
    },
    stop: async () => {
      for (const { kill } of runs) kill()
      await running.stop()
    },
  }
}

export type VirtualCluster = Awaited<ReturnType<typeof startVirtualCluster>>

/** A NodeClass and a NodePool that launches anything and lets empty nodes go after 30 s. */
export const applyDefaults = async (
  cluster: VirtualCluster,
  spec: Record<string, unknown> = {},
  template: Record<string, unknown> = {},
) => {
  await cluster.face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: {} })
  await cluster.face.create(kinds.nodePools, {
    metadata: { name: 'default' },
    spec: {
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets: [{ nodes: '100%' }] },
      ...spec,
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          ...template,
        },
      },
    },
  })
}

export const applyDeployment = (
  { face }: VirtualCluster,
  name: string,
  replicas: number,
  cpu: string,
  more: Record<string, unknown> = {},
  annotations: Record<string, string> = {},
) =>
  face.create(
    { ...kinds.deployments, namespace: 'default' },
    {
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, annotations },
          spec: { containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu } } }], ...more },
        },
      },
    },
  )

export const scale = ({ face }: VirtualCluster, name: string, replicas: number) =>
  face.patch({ ...kinds.deployments, namespace: 'default', name }, 'merge', { spec: { replicas } })

/** How many pods run. */
export const runningPods = async (cluster: VirtualCluster): Promise<number> =>
  (await cluster.all(kinds.pods)).filter(({ status }) => status.phase === 'Running').length

export const conditionOf = (object: Seen | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type)
