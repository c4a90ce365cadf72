import type {
  CancelSignal,
  CloudProvider,
  Delivery,
  InstanceList,
  MaintenanceTask,
  MetricSpec,
  ProviderError,
  ProviderHost,
  ProviderModule,
} from '@scantling/core'
import { pages } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { generatedLabelKeys, kwokGroup } from '../catalog/index.ts'
import {
  httpCloud,
  loadCatalog,
  scaledLatencies,
  simulatedCloud,
  type CloudMessage,
  type KwokCloud,
} from '../cloud/index.ts'
import { loadCatalogCell, type CatalogCell } from './catalog-cell.ts'
import { providerErrorOf } from './error-codes.ts'
import { instanceOf, nameOf, providerIdOf, tagKeys } from './instance.ts'
import { launch, soldOutForMs } from './launch.ts'
import { kwokNodeClass, type KwokNodeClass } from './node-class.ts'
import { rebuiltFromClaims } from './rebuilt-from-claims.ts'
import { kwokSettings, type KwokSettings } from './settings.ts'

const launchAttempts: MetricSpec = {
  name: 'scantling_kwok_launches_total',
  type: 'counter',
  help: 'Launches asked of the simulated cloud, by how they ended.',
  labels: ['result'],
}

const unreachableRetryMs = 1000
const catalogEveryMs = 60_000
const longPollMs = 20_000

/**
 * The provider of the simulated cloud: the embedded default, and the example for authors of others.
 *
 * With `kwok-cloud-url` the cloud is a process of its own, which outlives the controller. Without, it lives in this
 * process and is rebuilt from the NodeClaims after a restart.
 */
export const provider: ProviderModule<KwokNodeClass, unknown, KwokSettings> = {
  name: 'kwok',
  nodeClasses: [kwokNodeClass],
  settings: kwokSettings,
  // A live provider narrows this to what its catalogue defines.
  labels: { wellKnown: generatedLabelKeys.map((key) => ({ key })), restricted: [kwokGroup] },
  traits: {
    kubelet: 'simulated',
    repair: [
      { conditionType: 'Ready', status: 'False', tolerationMs: 600_000 },
      { conditionType: 'Ready', status: 'Unknown', tolerationMs: 600_000 },
    ],
  },
  metrics: [launchAttempts],
  create: (settings, host, call) => async () => {
    if (settings.cloudUrl !== '') {
      const cloud = httpCloud(settings.cloudUrl)
      host.shutdown.addEventListener('abort', cloud.close)
      return createFrom(cloud, host, call.signal)
    }
    const catalog = loadCatalog(settings.catalog, settings.seed)
    if (E.isLeft(catalog)) return E.left({ _tag: 'InvalidRequest', message: catalog.left.join('; ') })
    const simulated = simulatedCloud({
      catalog: catalog.right,
      seed: settings.seed,
      nowMs: host.clock.nowMs,
      ...scaledLatencies(settings.latency),
    })
    const { cloud, task } = rebuiltFromClaims(simulated, host.clock)
    return createFrom(cloud, host, call.signal, [task])
  },
}

/** The provider over any cloud that speaks the port, with tasks beside those of its own. */
export const createFrom = async (
  cloud: KwokCloud,
  host: ProviderHost,
  signal: CancelSignal,
  tasks: ReadonlyArray<MaintenanceTask<KwokNodeClass>> = [],
): Promise<E.Either<ProviderError, CloudProvider<KwokNodeClass>>> => {
  const cell = await loadCatalogCell(cloud, signal)
  if (E.isRight(cell)) return E.right(providerOver(cloud, cell.right, host, tasks))
  // The cloud may still be starting: the shell tries again where it is told when.
  return E.left(cell.left.code === 'Unreachable' ? { ...cell.left, retryAfterMs: unreachableRetryMs } : cell.left)
}

const providerOver = (
  cloud: KwokCloud,
  catalog: CatalogCell,
  host: ProviderHost,
  tasks: ReadonlyArray<MaintenanceTask<KwokNodeClass>>,
): CloudProvider<KwokNodeClass> => {
  const list = (cluster: string, signal: CancelSignal): TE.TaskEither<ProviderError, InstanceList<unknown>> =>
    pipe(
      pages(
        (page) =>
          pipe(
            cloud.list({ tags: { [tagKeys.cluster]: cluster }, ...(page !== undefined && { page }) }, signal),
            TE.bimap(providerErrorOf, ({ instances, nextPage }) => ({
              items: instances,
              ...(nextPage !== undefined && { next: nextPage }),
            })),
          ),
        (page): ProviderError => ({ _tag: 'Unknown', message: `The list of instances does not get past page ${page}` }),
      ),
      TE.map((machines) => ({ instances: machines.map(instanceOf), unreadable: [] })),
    )
  const named = (providerId: string): E.Either<ProviderError, string> => {
    const name = nameOf(providerId)
    return name === undefined
      ? E.left({
          _tag: 'InvalidRequest',
          message: `Cannot use provider id ${JSON.stringify(providerId)}: expected kwok://NAME`,
        })
      : E.right(name)
  }
  const refresh: MaintenanceTask<KwokNodeClass> = {
    name: 'catalog',
    everyMs: catalogEveryMs,
    runsOn: 'every-replica',
    run: (_view, call) => async () => E.map(() => ({}))(await catalog.refresh(call.signal)),
  }
  return {
    instanceTypes: () => TE.fromIO(() => catalog.types()),
    launch: (request, call) => async () => {
      const launched = await launch(cloud, request, call)()
      host.record(launchAttempts, 1, { result: E.isRight(launched) ? 'launched' : launched.left.error._tag })
      return launched
    },
    terminate:
      ({ providerId }, call) =>
      async () => {
        const name = named(providerId)
        if (E.isLeft(name)) return name
        const ended = await cloud.terminate(name.right, call.signal)()
        if (E.isRight(ended)) return E.right('Started')
        const error = providerErrorOf(ended.left)
        return error._tag === 'InstanceNotFound' ? E.right('Gone') : E.left(error)
      },
    list: (call) => list(call.cluster.name, call.signal),
    get: ({ providerId }, call) =>
      pipe(
        TE.fromEither(named(providerId)),
        TE.chain((name) => pipe(cloud.get(name, call.signal), TE.bimap(providerErrorOf, instanceOf))),
      ),
    interruptions: {
      receive: (call) =>
        pipe(
          cloud.receive(longPollMs, call.signal),
          TE.bimap(providerErrorOf, (messages) => messages.map(deliveryOf)),
        ),
      acknowledge: (receipts, call) => pipe(cloud.acknowledge(receipts, call.signal), TE.mapLeft(providerErrorOf)),
    },
    tasks: [refresh, ...tasks],
    labels: catalog.labels,
  }
}

const deliveryOf = ({ receipt, kind, instance, name, sentAtMs, deadlineMs }: CloudMessage): Delivery => ({
  receipt,
  kind,
  sentAtMs,
  interruptions: [
    {
      id: providerIdOf(name),
      kind,
      action: kind === 'RebalanceRecommendation' ? 'notify' : 'drain',
      message: `${instance} ${announcements[kind]}`,
      // Only for spot is the loss of a machine a sign that there is no more of its kind.
      ...(kind === 'SpotInterruption' && { losesOfferingForMs: soldOutForMs }),
      ...(deadlineMs !== undefined && { deadlineMs }),
    },
  ],
})

const announcements: Readonly<Record<CloudMessage['kind'], string>> = {
  SpotInterruption: 'is being taken away by the cloud',
  RebalanceRecommendation: 'may be interrupted soon',
  ScheduledMaintenance: 'is to be retired for maintenance',
  InstanceStopped: 'was stopped',
  InstanceTerminated: 'was terminated',
}
