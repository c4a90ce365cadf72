import {
  followedFeatures,
  makeEventRecorder,
  makeMetrics,
  makeProviderHost,
  observeProvider,
  parseSettings,
  seededRandom,
  startCaches,
  startReconcilers,
  type AnyProviderModule,
  type Log,
} from '@scantling/controller'
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
import { createApiServer, resource, startControllers, type DraftObject, type Face } from '@scantling/kube-sim'
import { virtualClock } from '@scantling/provider-kit'
import { effectGate, inProcessClient, type FateOf } from '@scantling/simulation'
import * as E from 'fp-ts/lib/Either.js'
import { createFrom, provider as azureModule } from '../src/provider.ts'
import type { AzureSettings } from '../src/settings.ts'
import { nodeGroup, World, type WorldOptions } from './emulator/index.ts'
import { fakeAzure, type Fate } from './fake-azure/index.ts'
import { runKubelets } from './kubelets.ts'
import { callFor, settingsFor, startMs } from './rig.ts'

const providerModule = azureModule as unknown as AnyProviderModule

export const kinds = {
  pods: resource('v1', 'pods'),
  nodes: resource('v1', 'nodes'),
  events: resource('v1', 'events'),
  deployments: { ...resource('apps/v1', 'deployments'), namespace: 'default' },
  nodePools: resource('karpenter.sh/v1', 'nodepools'),
  nodeClaims: resource('karpenter.sh/v1', 'nodeclaims'),
  nodeClasses: resource('karpenter.azure.com/v1beta1', 'aksnodeclasses'),
}

export interface Seen {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly finalizers?: ReadonlyArray<string>
    readonly deletionTimestamp?: string
  }
  readonly spec: { readonly providerID?: string; readonly nodeName?: string }
  readonly status?: {
    readonly phase?: string
    readonly providerID?: string
    readonly imageID?: string
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }>
  }
  readonly reason?: string
  readonly message?: string
}

/** What becomes of a write to Azure, told by its action and its number in the life of the controller. */
export type AzureFateOf = (effect: { readonly action: string; readonly number: number }) => Fate

export interface ControllerRun {
  readonly isDead: () => boolean
  readonly kill: () => void
  readonly metrics: () => Promise<string>
  readonly errors: ReadonlyArray<string>
  readonly azure: ReturnType<typeof fakeAzure>
}

/** A cluster, a small Azure and the controller in one process on virtual time; the first two outlive the third. */
export const startVirtualAzure = async (
  options: {
    readonly world?: WorldOptions
    readonly settings?: Partial<AzureSettings>
    /** How late the definitions of our kinds are there. */
    readonly definedAfterMs?: number
  } = {},
) => {
  const clock = virtualClock(startMs)
  const api = createApiServer({ clock })
  const face = api.face('user')
  const define = async () => {
    for (const kind of [
      nodePoolResource,
      nodeClaimResource,
      nodeOverlayResource,
      capacityBufferResource,
      ...azureModule.nodeClasses,
    ])
      await face.create(
        resource('apiextensions.k8s.io/v1', 'customresourcedefinitions'),
        crdOf(kind as CustomResource) as DraftObject,
      )
  }
  if (options.definedAfterMs === undefined) await define()
  else clock.setTimer(options.definedAfterMs, () => void define())
  const running = startControllers(api.face('controllers'), clock, { onError: () => undefined })
  const world = new World({ nowMs: clock.nowMs, operationMs: 5_000, pageSize: 1_000, ...options.world })
  const kubelets = runKubelets(world, face, clock)
  const runs: Array<ControllerRun> = []

  const startController = async (
    fates: { readonly kube?: FateOf; readonly azure?: AzureFateOf } = {},
    flags: ReadonlyArray<string> = [],
  ): Promise<ControllerRun> => {
    const errors: Array<string> = []
    const shutdown = new AbortController()
    const azure = fakeAzure(world)
    const gate = effectGate(clock, fates.kube ?? (() => 'pass'), () => shutdown.abort())
    azure.fateOf = (effect) => {
      if (gate.isDead()) return 'dead'
      const fate = effect.number === 0 ? 'pass' : (fates.azure?.(effect) ?? 'pass')
      if (fate === 'dead' || fate === 'lost') gate.kill()
      return fate
    }
    const log: Log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      with: () => log,
      error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
    }
    const parsed = parseSettings(
      { argv: ['--provider', 'azure', '--cluster-name', 'test', ...flags], env: {} },
      undefined,
    )
    if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
    const { settings } = parsed.right
    const metrics = makeMetrics()
    const random = seededRandom(1)
    const client = inProcessClient(api.face('controller'))
    const host = makeProviderHost({
      clock,
      random,
      metrics,
      log,
      gates: settings.featureGates,
      declared: azureModule.metrics ?? [],
      shutdown: shutdown.signal,
    })
    const created = await createFrom(azure.ports, settingsFor(options.settings), host, callFor(shutdown.signal))()
    if (E.isLeft(created)) throw new Error(created.left.message)
    const provider = created.right as unknown as CloudProvider<NodeClassObject>
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
      kube: gate.kube(client),
      caches: caches.caches,
      provider: observeProvider(provider, 'azure', metrics, clock),
      providerModule,
      settings,
      events: makeEventRecorder({ client, clock, random, metrics, log, signal: shutdown.signal }),
      metrics,
      log,
      clusterFacts: () => callFor().cluster,
      shutdown: shutdown.signal,
    })
    const run: ControllerRun = { isDead: gate.isDead, kill: gate.kill, metrics: metrics.render, errors, azure }
    runs.push(run)
    return run
  }

  const all = async (kind: keyof typeof kinds): Promise<ReadonlyArray<Seen>> =>
    (await face.list(kinds[kind])).items as unknown as ReadonlyArray<Seen>
  const named = (type: string) => world.list(nodeGroup, type).map(({ name }) => name)
  return {
    clock,
    face,
    world,
    startController,
    all,
    one: async (kind: keyof typeof kinds, name: string) =>
      (await all(kind)).find(({ metadata }) => metadata.name === name),
    vms: () => named('Microsoft.Compute/virtualMachines'),
    nics: () => named('Microsoft.Network/networkInterfaces'),
    disks: () => named('Microsoft.Compute/disks'),
    runningPods: async () => (await all('pods')).filter(({ status }) => status?.phase === 'Running').length,
    deploy: (name: string, replicas: number, cpu: string, more: Readonly<Record<string, unknown>> = {}) =>
      face.create(kinds.deployments, {
        metadata: { name },
        spec: {
          replicas,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu } } }], ...more },
          },
        },
      }),
    scale: (name: string, replicas: number) =>
      face.patch({ ...kinds.deployments, name }, 'merge', { spec: { replicas } }),
    /** Lets time pass until the condition holds. Throws when it does not within `withinMs` of the cluster's time. */
    until: async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 900_000): Promise<void> => {
      const deadlineMs = clock.nowMs() + withinMs
      while (!(await holds())) {
        if (clock.nowMs() >= deadlineMs)
          throw new Error(
            `Waited in vain until ${what}: ${runs
              .flatMap(({ errors }) => errors)
              .slice(-3)
              .join('; ')}`,
          )
        await clock.advance(500)
      }
    },
    stop: async () => {
      for (const { kill } of runs) kill()
      kubelets.stop()
      await running.stop()
    },
  }
}

export type VirtualAzure = Awaited<ReturnType<typeof startVirtualAzure>>

/** A class and a pool that launches anything on demand and consolidates after 30 s. */
export const applyDefaults = async (
  { face }: { readonly face: Face },
  changes: {
    readonly spec?: Readonly<Record<string, unknown>>
    readonly template?: Readonly<Record<string, unknown>>
    readonly nodeClass?: Readonly<Record<string, unknown>>
    /** Of the pool. */
    readonly annotations?: Readonly<Record<string, string>>
  } = {},
): Promise<void> => {
  await face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: changes.nodeClass ?? {} })
  await face.create(kinds.nodePools, {
    metadata: { name: 'default', annotations: changes.annotations ?? {} },
    spec: {
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfter: '30s',
        budgets: [{ nodes: '100%' }],
      },
      ...changes.spec,
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.azure.com', kind: 'AKSNodeClass', name: 'default' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          ...changes.template,
        },
      },
    },
  })
}

export const conditionOf = (object: Seen | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type)
