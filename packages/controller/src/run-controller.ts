import { hostname } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CloudProvider, Findings, NodeClassObject, ProviderError } from '@scantling/core'
import { type Clock, systemClock } from '@scantling/provider-kit'
import type { Build } from './build.ts'
import { type RunningCaches, startCaches } from './cache/index.ts'
import { makeEventRecorder } from './events/index.ts'
import { type KubeClient, loadConnection, makeHttpClient, makeKinds, makeTransport } from './kube/index.ts'
import { type LeaderElection, fenceClient, fenceProvider, runLeaderElection } from './leader-election/index.ts'
import { type SnapshotEndpointOptions, profileEndpoints, snapshotEndpoint } from './debug/index.ts'
import {
  type Endpoint,
  type Log,
  type RunningEndpoints,
  families,
  makeMetrics,
  serveEndpoints,
  text,
} from './observability/index.ts'
import { makeProviderHost, observeProvider, runTasks } from './provider-host/index.ts'
import type { AnyProviderModule } from './provider-loader/index.ts'
import {
  type ControllerDeps,
  type RunningReconcilers,
  reportProcess,
  makeClockSkewWatch,
  makeServerWarnings,
  seededRandom,
  startClusterFacts,
  steadyNowMs,
  watchEventLoopDelay,
  watchMemory,
} from './runtime/index.ts'
import { followedFeatures, type Settings } from './settings/index.ts'

export interface ControllerOptions {
  readonly settings: Settings
  readonly providerModule: AnyProviderModule
  /** As the provider's SettingsSpec decoded them. */
  readonly providerSettings: unknown
  /** Time of everything but sockets and leases, which live in the network's time. */
  readonly clock: Clock
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called once the caches are synced and this replica leads. */
  readonly startReconcilers: (deps: ControllerDeps) => RunningReconcilers
  readonly build: Build
}

/** A controller at work. */
export interface RunningController {
  readonly metricsPort: number
  readonly healthProbePort: number
  /** Where snapshots are served on loopback, if they are. */
  readonly debugPort: number | undefined
  /** Resolves when the reconcilers run; rejects with the reason when they never will. */
  readonly ready: Promise<void>
  /** Finishes what is in flight, gives the lease up, closes everything. Calling it again changes nothing. */
  readonly stop: () => Promise<void>
  /** Resolves after `stop`, or when the controller had to stop by itself; right: as asked, left: why not. */
  readonly stopped: Promise<E.Either<string, void>>
}

// In-flight effects end within their own deadlines; what is slower is cut off, before the kubelet would kill us.
const drainMs = 25_000
const syncPollMs = 50
const syncReportMs = 10_000

/**
 * Starts the controller: probes, connection, caches, provider, leadership, reconcilers.
 *
 * Left: what a user did wrong, as sentences: a port in use, no API server, a provider that refuses. Caches that cannot
 * sync are no such error: they are retried for ever, and `/readyz` says what is missing.
 */
export const runController =
  (options: ControllerOptions): TaskEither<string, RunningController> =>
  async () => {
    const { settings, clock, log, providerModule } = options
    const random = seededRandom(settings.seed === 0 ? systemClock.nowMs() : settings.seed)
    const metrics = makeMetrics({ detail: settings.metricsDetail })
    reportProcess(metrics)
    metrics.set(families.buildInfo, { ...options.build, goversion: process.version, goarch: process.arch }, 1)

    // Two signals: work stops at the first, what it needs to end well (watches, writes, lease) at the second.
    const shutdown = new AbortController()
    const teardown = new AbortController()
    const closers: Array<() => unknown> = []
    const closeAll = async () => {
      teardown.abort()
      for (const close of closers.splice(0).reverse()) await close()
    }
    const refuse = async (message: string): Promise<E.Left<string>> => {
      shutdown.abort()
      await closeAll()
      return { _tag: 'Left', left: message }
    }

    let running: RunningCaches | undefined
    let waitingTasks = (): ReadonlyArray<string> => []
    const readiness = (): ReadonlyArray<string> =>
      running === undefined
        ? ['the API server has not answered yet']
        : [...running.unsynced(), ...waitingTasks().map((task) => `the provider's task ${task}`)]
    const memory = watchMemory({
      limitBytes: settings.memoryLimitBytes,
      clock: systemClock,
      metrics,
      log,
      signal: teardown.signal,
    })
    let reconcilers: RunningReconcilers | undefined
    const take = async () => reconcilers?.takeSnapshot?.()
    const opened = await openEndpoints(settings, { metrics: metrics.render, readiness, snapshot: { take, memory } })
    if (E.isLeft(opened)) return refuse(opened.left)
    closers.push(opened.right.close)
    const { debugPort } = opened.right
    if (debugPort !== undefined) log.info('Serving snapshots', { url: `http://127.0.0.1:${debugPort}/debug/snapshot` })

    const connection = await loadConnection({
      server: settings.server,
      kubeconfig: settings.kubeconfig,
      env: options.env,
      clock: systemClock,
    })()
    if (E.isLeft(connection)) return refuse(connection.left)
    const transport = makeTransport(connection.right, systemClock, {
      onDate: makeClockSkewWatch({ nowMs: systemClock.nowMs, steadyNowMs, log }),
      onWarning: makeServerWarnings(log),
    })
    closers.push(transport.close)
    const clientOptions = {
      transport,
      clock,
      onRequest: (method: string, status: number) =>
        metrics.add(families.restClientRequests, { method, code: status === 0 ? '<error>' : String(status) }),
      onUnreadable: (kind: { readonly kind: string }, ref: string, reason: string) =>
        log.warn('Cannot read an object, leaving it out', { kind: kind.kind, name: ref, error: reason }),
    }
    const client = makeHttpClient({
      ...clientOptions,
      rateLimit: { perSecond: settings.kubeClientQps, burst: settings.kubeClientBurst },
    })
    const version = await client.serverVersion({ deadlineMs: 10_000 })()
    if (E.isLeft(version)) return refuse(version.left.message)
    log.info('Connected to the API server', { server: connection.right.server, version: version.right })

    running = startCaches({
      client,
      clock,
      random,
      log,
      metrics,
      nodeClasses: providerModule.nodeClasses,
      features: followedFeatures(settings),
      isStartStreamed: settings.watchList,
      memory,
      signal: teardown.signal,
    })
    const caches = running
    closers.push(() => caches.stopped)
    watchEventLoopDelay({ clock: systemClock, metrics, log, signal: teardown.signal })
    const systemNamespace = options.env['SYSTEM_NAMESPACE'] ?? connection.right.namespace ?? 'kube-system'
    const facts = await startClusterFacts({
      client,
      clock,
      settings,
      reads: providerModule.reads ?? [],
      systemNamespace,
      kubernetesVersion: version.right,
      signal: teardown.signal,
    })
    const host = makeProviderHost({
      clock,
      random,
      metrics,
      log: log.with({ provider: providerModule.name }),
      gates: settings.featureGates,
      declared: providerModule.metrics ?? [],
      shutdown: shutdown.signal,
    })
    const created = await createProvider(options, host, { signal: shutdown.signal, cluster: facts.current() })
    if (E.isLeft(created)) return refuse(`Cannot start provider ${providerModule.name}: ${created.left.message}`)

    // They keep a standby warm, so they do not wait for leadership; what they find counts only for a leader.
    let onFindings: (findings: Findings) => Promise<void> = async () => undefined
    const everyReplica = runTasks({
      tasks: (created.right.tasks ?? []).filter(({ runsOn }) => runsOn === 'every-replica'),
      clock,
      log,
      clusterFacts: facts.current,
      viewFor: () => ({ nodeClasses: [], claims: [] }),
      onFindings: (findings) => onFindings(findings),
      shutdown: shutdown.signal,
    })
    waitingTasks = () => [...everyReplica.waiting(), ...(reconcilers?.waiting?.() ?? [])]
    let election: LeaderElection | undefined
    let tellStopped: (outcome: E.Either<string, void>) => void = () => {}
    const stopped = new Promise<E.Either<string, void>>((resolve) => (tellStopped = resolve))
    let stopping: Promise<void> | undefined
    const stopWith = (outcome: E.Either<string, void>): Promise<void> =>
      (stopping ??= (async () => {
        log.info('Stopping, finishing what is in flight')
        shutdown.abort()
        const drained = Promise.all([reconcilers?.stopped(), everyReplica.stopped()]).then(() => true)
        const isDrained = await Promise.race([drained, systemClock.sleep(drainMs, teardown.signal).then(() => false)])
        if (!isDrained) log.warn('Some work did not end in time; the next start will take it up again')
        teardown.abort()
        await election?.stopped
        await closeAll()
        log.info('Stopped')
        tellStopped(outcome)
      })())

    const leaderElect = settings.leaderElect && !settings.disableLeaderElection
    if (leaderElect) {
      election = runLeaderElection({
        // A client without the limit: load on the other must not starve the lease.
        client: makeHttpClient(clientOptions),
        kind: makeKinds().leases,
        lease: { namespace: settings.leaderElectionNamespace || systemNamespace, name: settings.leaderElectionName },
        identity: `${hostname()}_${process.pid}_${Math.floor(random() * 2 ** 32).toString(16)}`,
        clock: systemClock,
        steadyNowMs,
        random,
        log,
        signal: teardown.signal,
        onLost: () => void stopWith(E.left('leadership was lost')),
      })
    }
    const isLeader = election?.isLeader ?? (() => true)
    const observed = observeProvider(created.right, providerModule.name, metrics, clock)
    const fenced: { readonly kube: KubeClient; readonly provider: CloudProvider<NodeClassObject> } = leaderElect
      ? { kube: fenceClient(client, isLeader), provider: fenceProvider(observed, isLeader) }
      : { kube: client, provider: observed }

    const begin = async () => {
      await untilSynced(caches, shutdown.signal, log)
      await election?.elected
      await everyReplica.ready
      if (shutdown.signal.aborted) return
      metrics.set(families.leaderElectionStatus, { name: settings.leaderElectionName }, 1)
      reconcilers = options.startReconcilers({
        clock,
        steadyNowMs,
        random,
        kube: fenced.kube,
        caches: caches.caches,
        provider: fenced.provider,
        providerModule,
        settings,
        events: makeEventRecorder({ client: fenced.kube, clock, random, metrics, log, signal: teardown.signal }),
        metrics,
        log,
        memory,
        clusterFacts: facts.current,
        everyReplica: { listen: (listener) => void (onFindings = listener) },
        shutdown: shutdown.signal,
      })
      log.info('Started', { provider: providerModule.name, objects: caches.caches.pods.size() })
    }
    const ready = begin()
    ready.catch((cause: unknown) => {
      const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
      log.error('Cannot start, please report this', { error: reason })
      void stopWith(E.left(`the controller failed to start: ${String(cause)}`))
    })
    return E.right({
      metricsPort: opened.right.metricsPort,
      healthProbePort: opened.right.healthProbePort,
      debugPort,
      ready,
      stop: () => stopWith(E.right(undefined)),
      stopped,
    })
  }

interface Served {
  readonly metrics: () => Promise<string>
  readonly readiness: () => ReadonlyArray<string>
  readonly snapshot: SnapshotEndpointOptions
}

interface OpenedPorts {
  readonly metricsPort: number
  readonly healthProbePort: number
  readonly debugPort: number | undefined
  readonly close: () => Promise<unknown>
}

const openEndpoints = async (settings: Settings, served: Served): Promise<E.Either<string, OpenedPorts>> => {
  const { bindAddress, metricsPort, healthProbePort, debugPort, enableProfiling } = settings
  const opened: Array<RunningEndpoints> = []
  const close = () => Promise.all(opened.map((each) => each.close()))
  const open = async (host: string, port: number, flag: string, endpoints: Readonly<Record<string, Endpoint>>) => {
    const running = await serveEndpoints({ host, port, flag, endpoints })()
    if (E.isRight(running)) opened.push(running.right)
    else await close()
    return running
  }
  const metrics = await open(bindAddress, metricsPort, '--metrics-port', {
    '/metrics': async () => ({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: await served.metrics(),
    }),
    ...(enableProfiling ? profileEndpoints() : {}),
  })
  if (E.isLeft(metrics)) return metrics
  const probes = await open(bindAddress, healthProbePort, '--health-probe-port', {
    '/healthz': () => Promise.resolve(text(200, 'ok\n')),
    '/readyz': () => {
      const missing = served.readiness()
      return Promise.resolve(
        missing.length === 0 ? text(200, 'ok\n') : text(503, `waiting for ${missing.join(', ')}\n`),
      )
    },
  })
  if (E.isLeft(probes)) return probes
  // On loopback whatever the other ports listen on: what a cluster runs is nobody else's business.
  const debug =
    debugPort === undefined
      ? undefined
      : await open('127.0.0.1', debugPort, '--debug-port', { '/debug/snapshot': snapshotEndpoint(served.snapshot) })
  if (debug !== undefined && E.isLeft(debug)) return debug
  return E.right({
    metricsPort: metrics.right.port,
    healthProbePort: probes.right.port,
    debugPort: debug?.right.port,
    close,
  })
}

/** Creates the provider; an error with `retryAfterMs` is waited out. */
const createProvider = async (
  { providerModule, providerSettings, clock, log }: ControllerOptions,
  host: Parameters<AnyProviderModule['create']>[1],
  call: Parameters<AnyProviderModule['create']>[2],
): Promise<E.Either<ProviderError, CloudProvider<NodeClassObject>>> => {
  for (;;) {
    const created = await providerModule.create(providerSettings, host, call)()
    if (E.isRight(created) || created.left.retryAfterMs === undefined || call.signal.aborted) return created
    log.warn('The provider cannot start yet, trying again', { error: created.left.message })
    await clock.sleep(created.left.retryAfterMs, call.signal)
  }
}

const untilSynced = async (caches: RunningCaches, signal: AbortSignal, log: Log): Promise<void> => {
  let reportAtMs = systemClock.nowMs() + syncReportMs
  while (!caches.caches.synced() && !signal.aborted) {
    if (systemClock.nowMs() > reportAtMs) {
      log.warn('Still waiting for the first list of some kinds', { waiting: [...caches.unsynced()] })
      reportAtMs += syncReportMs
    }
    await systemClock.sleep(syncPollMs)
  }
}
