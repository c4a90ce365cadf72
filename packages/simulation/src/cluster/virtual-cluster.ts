import * as E from 'fp-ts/lib/Either.js'
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
  type CancelSignal,
  type CloudProvider,
  type ClusterFacts,
  type CustomResource,
  type NodeClassObject,
  type ProviderHost,
} from '@scantling/core'
import {
  createApiServer,
  resource,
  startControllers,
  type ControllersOptions,
  type DraftObject,
  type Face,
} from '@scantling/kube-sim'
import { virtualClock, type Clock } from '@scantling/provider-kit'
import {
  createFrom,
  inProcessCloud,
  provider as kwok,
  simulatedCloud,
  type CloudOptions,
} from '@scantling/provider-kwok'
import { effectGate, type Effect, type FateOf } from './effects.ts'
import { catalog } from './catalog.ts'
import { inProcessClient } from './in-process-client.ts'
import type { Seen } from './kinds.ts'
import { slackClock, type Slack } from './slack-clock.ts'

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

const newYearMs = Date.UTC(2026, 0, 1)
const kwokModule = kwok as unknown as AnyProviderModule

export interface VirtualClusterOptions {
  /** When it begins. Default: the first moment of 2026. */
  readonly startMs?: number
  /** How long the cloud takes to answer a launch. */
  readonly launchMs?: number
  readonly cloud?: Partial<CloudOptions>
  readonly controllers?: ControllersOptions
  readonly server?: { readonly seed?: number; readonly historyLimit?: number }
  /** How late the controller's timers may be. Default: they are exact. */
  readonly slack?: Slack
  /** The provider as the controller sees it, in place of the one over the cloud. */
  readonly providerOf?: (provider: CloudProvider<NodeClassObject>) => CloudProvider<NodeClassObject>
  /** Makes a provider in place of the one over the simulated cloud; `moduleOf` gives its module. Called for every controller. */
  readonly makeProvider?: (host: ProviderHost, signal: CancelSignal) => Promise<CloudProvider<NodeClassObject>>
  /** What the controller knows of its cluster beside the name and version. */
  readonly facts?: Partial<ClusterFacts>
  /** What the controller takes the provider's module for, in place of that of the simulated cloud. */
  readonly moduleOf?: (module: AnyProviderModule) => AnyProviderModule
  /** How late the definitions of our kinds are there. Default: they are there from the start. */
  readonly definedAfterMs?: number
  /** The controller's own clock, which may be wrong; the cluster and the cloud keep the right time. */
  readonly controllerClock?: (clock: Clock) => Clock
}

/** A cluster, its cloud and its controller in one process on virtual time, each able to outlive the controller. */
export const startVirtualCluster = async (options: VirtualClusterOptions = {}) => {
  const clock = virtualClock(options.startMs ?? newYearMs)
  const providerModule = options.moduleOf?.(kwokModule) ?? kwokModule
  const ownClock = options.controllerClock?.(clock) ?? clock
  const controllerClock = options.slack === undefined ? ownClock : slackClock(ownClock, options.slack)
  const api = createApiServer({ clock, ...options.server })
  const face = api.face('user')
  const define = async () => {
    for (const kind of [
      nodePoolResource,
      nodeClaimResource,
      nodeOverlayResource,
      capacityBufferResource,
      ...providerModule.nodeClasses,
    ])
      await face.create(
        resource('apiextensions.k8s.io/v1', 'customresourcedefinitions'),
        crdOf(kind as CustomResource) as DraftObject,
      )
  }
  if (options.definedAfterMs === undefined) await define()
  else clock.setTimer(options.definedAfterMs, () => void define())
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
    fateOf: FateOf = () => 'pass',
    flags: ReadonlyArray<string> = [],
  ): Promise<ControllerRun> => {
    const errors: Array<string> = []
    const news: Array<string> = []
    const shutdown = new AbortController()
    const gate = effectGate(clock, fateOf, () => shutdown.abort())
    const log: Log = {
      debug: () => undefined,
      warn: () => undefined,
      with: () => log,
      info: (message, fields) => void news.push(`${message} ${JSON.stringify(fields)}`),
      error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
    }
    const parsed = parseSettings(
      { argv: ['--provider', providerModule.name, '--cluster-name', 'test', ...flags], env: {} },
      undefined,
    )
    if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
    const { settings } = parsed.right
    const metrics = makeMetrics()
    const random = seededRandom(1)
    const client = inProcessClient(api.face('controller'))
    const host = makeProviderHost({
      clock: controllerClock,
      random,
      metrics,
      log,
      gates: settings.featureGates,
      declared: providerModule.metrics ?? [],
      shutdown: shutdown.signal,
    })
    const live =
      options.makeProvider === undefined
        ? await overSimulatedCloud(inProcessCloud(cloud, controllerClock), host, shutdown.signal)
        : await options.makeProvider(host, shutdown.signal)
    const provider = options.providerOf?.(live) ?? live
    const caches = startCaches({
      client,
      clock: controllerClock,
      random,
      log,
      metrics,
      nodeClasses: providerModule.nodeClasses,
      features: followedFeatures(settings),
      signal: shutdown.signal,
    })
    while (!caches.caches.synced()) await clock.advance(10)
    startReconcilers({
      clock: controllerClock,
      // Planning never yields by the wall clock, so that a run is the same on a slow machine.
      steadyNowMs: () => 0,
      random,
      kube: gate.kube(client),
      caches: caches.caches,
      provider: observeProvider(
        gate.provider(provider, options.launchMs),
        providerModule.name,
        metrics,
        controllerClock,
      ),
      providerModule,
      settings,
      // Events are a courtesy: written by a client of their own, they are no effects.
      events: makeEventRecorder({ client, clock: controllerClock, random, metrics, log, signal: shutdown.signal }),
      metrics,
      log,
      clusterFacts: () => ({
        name: settings.clusterName,
        kubernetesVersion: '1.34.2',
        objects: {},
        ...options.facts,
      }),
      shutdown: shutdown.signal,
    })
    const { effects, isDead, kill } = gate
    const run: ControllerRun = { effects, news, metrics: metrics.render, errors, isDead, kill }
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
    one: async (ref: Parameters<Face['list']>[0], name: string): Promise<Seen | undefined> =>
      (await all(ref)).find(({ metadata }) => metadata.name === name),
    /** Machines that cost money: neither ended nor ending. */
    machines: () => cloud.everything().filter(({ state }) => state === 'pending' || state === 'running'),
    /** Lets time pass until the condition holds. Throws when it does not within `withinMs` of the cluster's time. */
    until: async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 600_000): Promise<void> => {
      const deadlineMs = clock.nowMs() + withinMs
      while (!(await holds())) {
        if (clock.nowMs() >= deadlineMs) throw new Error(`Waited in vain until ${what}${lastErrors(runs)}`)
        await clock.advance(500)
      }
    },
    stop: async () => {
      for (const { kill } of runs) kill()
      await running.stop()
    },
  }
}

/** What the controllers were last told of as errors, as the end of a sentence. */
const lastErrors = (runs: ReadonlyArray<ControllerRun>): string => {
  const told = runs.flatMap(({ errors }) => errors)
  return told.length === 0 ? '' : `; the last errors are ${told.slice(-3).join('; ')}`
}

const overSimulatedCloud = async (...parts: Parameters<typeof createFrom>): Promise<CloudProvider<NodeClassObject>> => {
  const created = await createFrom(...parts)
  if (E.isLeft(created)) throw new Error(created.left.message)
  return created.right as unknown as CloudProvider<NodeClassObject>
}

export type VirtualCluster = Awaited<ReturnType<typeof startVirtualCluster>>
