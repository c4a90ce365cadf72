import type {
  CloudProvider,
  Delivery,
  InstanceList,
  MaintenanceTask,
  MetricSpec,
  ProviderError,
  ProviderHost,
  ProviderModule,
} from '@scantling/core'
import { labelKeys } from '@scantling/core'
import { pages } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { generatedLabelKeys, kwokGroup } from '../catalog/index.ts'
import {
  httpCloud,
  inProcessCloud,
  loadCatalog,
  simulatedCloud,
  type CloudMessage,
  type KwokCloud,
  type SimulatedCloud,
} from '../cloud/index.ts'
import { loadCatalogCell, type CatalogCell } from './catalog-cell.ts'
import { providerErrorOf } from './error-codes.ts'
import { instanceOf, nameOf, tagKeys } from './instance.ts'
import { launch, soldOutForMs } from './launch.ts'
import { kwokNodeClass, type KwokNodeClass } from './node-class.ts'
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
    const simulated = simulatedCloud({ catalog: catalog.right, seed: settings.seed, nowMs: host.clock.nowMs })
    return createFrom(inProcessCloud(simulated, host.clock), host, call.signal, simulated)
  },
}

/**
 * The provider over any cloud that speaks the port; `inProcess` is given where the cloud's machines must be rebuilt
 * from claims.
 */
export const createFrom = async (
  cloud: KwokCloud,
  host: ProviderHost,
  signal: ProviderHost['shutdown'],
  inProcess?: SimulatedCloud,
): Promise<E.Either<ProviderError, CloudProvider<KwokNodeClass>>> => {
  const cell = await loadCatalogCell(cloud, signal)
  if (E.isRight(cell)) return E.right(providerOver(cloud, cell.right, host, inProcess))
  // The cloud may still be starting: the shell tries again where it is told when.
  return E.left(cell.left.code === 'Unreachable' ? { ...cell.left, retryAfterMs: unreachableRetryMs } : cell.left)
}

const providerOver = (
  cloud: KwokCloud,
  catalog: CatalogCell,
  host: ProviderHost,
  inProcess: SimulatedCloud | undefined,
): CloudProvider<KwokNodeClass> => {
  const list = (
    cluster: string,
    signal: ProviderHost['shutdown'],
  ): TE.TaskEither<ProviderError, InstanceList<unknown>> =>
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
    tasks: inProcess === undefined ? [refresh] : [refresh, rebuildTask(inProcess, host)],
    labels: catalog.labels,
  }
}

const deliveryOf = ({ receipt, kind, instance, sentAtMs, deadlineMs }: CloudMessage): Delivery => ({
  receipt,
  kind,
  sentAtMs,
  interruptions: [
    kind === 'RebalanceRecommendation'
      ? { id: instance, kind, action: 'notify', message: `${instance} may be interrupted soon` }
      : {
          id: instance,
          kind,
          action: 'drain',
          losesOfferingForMs: soldOutForMs,
          message: `${instance} is being taken away by the cloud`,
          ...(deadlineMs !== undefined && { deadlineMs }),
        },
  ],
})

/**
 * Tells a cloud that started empty, because it lives in this process, of the machines that claims already stand for.
 *
 * It gates everything else: a `list` before it would make all of them look lost.
 */
const rebuildTask = (simulated: SimulatedCloud, host: ProviderHost): MaintenanceTask<KwokNodeClass> => ({
  name: 'rebuild-instances',
  everyMs: 24 * 3_600_000,
  runsOn: 'leader',
  gatesReadiness: true,
  run: ({ claims }, call) =>
    TE.fromIO(() => {
      for (const { uid, name: claimName, providerId, labels, nodePool, nodeClass } of claims) {
        const name = providerId === undefined ? undefined : nameOf(providerId)
        const instanceType = labels[labelKeys.instanceType]
        const zone = labels[labelKeys.zone]
        const capacityType = labels[labelKeys.capacityType]
        if (name === undefined || !instanceType || !zone || !capacityType) continue
        simulated.adopt({
          token: uid,
          name,
          instanceType,
          zone,
          capacityType,
          launchedAtMs: host.clock.nowMs(),
          tags: {
            [tagKeys.cluster]: call.cluster.name,
            [tagKeys.nodeClaim]: claimName,
            [tagKeys.nodeClass]: nodeClass,
            ...(nodePool !== undefined && { [tagKeys.nodePool]: nodePool }),
          },
        })
      }
      return {}
    }),
})
