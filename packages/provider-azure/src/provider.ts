import { readFileSync } from 'node:fs'
import {
  type Call,
  type CloudProvider,
  type InstanceType,
  type LaunchRequest,
  type MaintenanceTask,
  type ProviderError,
  type ProviderHost,
  type ProviderModule,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { auxiliaryTokens, environmentOf, scopeOf, type AzureEnvironment } from './auth/index.ts'
import { createCatalog } from './catalog/index.ts'
import { driftOf } from './drift.ts'
import { providerErrorOf } from './error-codes.ts'
import { imageCatalog, maintenanceWindowRead } from './image/index.ts'
import type { AzureDetails } from './instances/index.ts'
import { labelPolicy } from './labels/index.ts'
import { launchOnce, planLaunch, serviceBootData, type LaunchPath } from './launch/index.ts'
import { localDnsReads } from './local-dns/index.ts'
import { createMachines } from './machines/index.ts'
import { azureMetrics, imageSelectionErrors, requests, requestSeconds } from './metrics.ts'
import { vnetGuidOf } from './network/index.ts'
import { aksNodeClass, type AksNodeClass } from './node-class/index.ts'
import { hasPriceList, priceRefreshMs } from './pricing/index.ts'
import { quotaRefreshMs } from './quota/index.ts'
import { createResolver } from './resolve/index.ts'
import { connect, type AzurePorts, type ConnectOptions } from './sdk/index.ts'
import { azureSettings, problemsWithCluster, usesMachines, type AzureSettings } from './settings.ts'
import { checkConnectivity } from './start-up.ts'
import { azureTraits } from './traits.ts'
import { vmPath } from './vm-path.ts'

const catalogueEveryMs = 12 * 3_600_000
const tokenTimeoutMs = 10_000
const userAgent = 'scantling/v0.1.0'

/**
 * VMs and AKS machines of Azure, described by AKSNodeClasses.
 *
 * Credentials come from the SDK's default chain. The start-up check needs the subscription, the region and the node
 * resource group; all else may fail and come back.
 */
export const provider: ProviderModule<AksNodeClass, AzureDetails, AzureSettings> = {
  name: 'azure',
  nodeClasses: [aksNodeClass],
  settings: azureSettings,
  labels: labelPolicy,
  traits: azureTraits,
  metrics: azureMetrics,
  reads: [maintenanceWindowRead, ...localDnsReads],
  create: (settings, host, call) =>
    pipe(
      TE.fromEither(environmentFor(settings, call)),
      TE.chain((environment) =>
        pipe(
          connect(connectOptionsFor(settings, environment, host, call), call.signal),
          TE.chainFirst((ports) => checkConnectivity(ports, settings, host.clock, call.signal)),
          TE.chain((ports) =>
            createFrom(
              ports,
              { ...settings, cloud: environment.name },
              host,
              call,
              hasPriceList(environment.resourceManagerEndpoint),
            ),
          ),
        ),
      ),
    ),
}

/**
 * The provider over any ports. `isPriced`: there is a list of prices for the cloud.
 *
 * Errors: nodes need the GUID of the cluster's network, and it cannot be found.
 */
export const createFrom = (
  ports: AzurePorts,
  settings: AzureSettings,
  host: ProviderHost,
  call: Call,
  isPriced = true,
): TE.TaskEither<ProviderError, CloudProvider<AksNodeClass, AzureDetails>> =>
  pipe(
    vnetGuidOf(ports.network, settings, call.signal),
    TE.map((vnetGuid) =>
      providerOver({ ports, settings: { ...settings, vnetGuid }, host, clusterName: call.cluster.name, isPriced }),
    ),
  )

const environmentFor = (settings: AzureSettings, { cluster }: Call): E.Either<ProviderError, AzureEnvironment> => {
  const invalid = (message: string): ProviderError => ({ _tag: 'InvalidRequest', message })
  const problems = problemsWithCluster(cluster)
  if (problems.length > 0) return E.left(invalid(problems.join('\n')))
  return E.mapLeft(invalid)(environmentOf(settings, (path) => readFileSync(path, 'utf8')))
}

const connectOptionsFor = (
  settings: AzureSettings,
  environment: AzureEnvironment,
  host: ProviderHost,
  { cluster }: Call,
): ConnectOptions => {
  const scope = scopeOf(environment)
  const { sigAccessTokenServerUrl } = settings
  return {
    subscriptionId: settings.subscriptionId,
    tenantId: settings.tenantId,
    authorityHost: environment.activeDirectoryEndpoint,
    clusterResourceGroup: settings.clusterResourceGroup,
    clusterName: cluster.name,
    machinesPool: settings.aksMachinesPoolName,
    endpoint: environment.resourceManagerEndpoint,
    scope,
    priceList: '',
    nodeBootstrappingUrl: settings.nodeBootstrappingServerUrl,
    userAgent,
    nowMs: host.clock.nowMs,
    ...(settings.useSig &&
      sigAccessTokenServerUrl !== '' && {
        auxiliaryToken: auxiliaryTokens({
          url: sigAccessTokenServerUrl,
          scope,
          get: async (url) => {
            const answer = await fetch(url, { signal: AbortSignal.timeout(tokenTimeoutMs) })
            return { status: answer.status, text: await answer.text() }
          },
          nowMs: host.clock.nowMs,
        }),
      }),
    observe: ({ action, code, durationMs }) => {
      host.record(requests, 1, { action, code })
      host.record(requestSeconds, durationMs / 1000, { action, code })
      if (settings.enableAzureSdkLogging) host.log('debug', 'Request to Azure', { action, code, durationMs })
    },
  }
}

interface Parts {
  readonly ports: AzurePorts
  readonly settings: AzureSettings
  readonly host: ProviderHost
  readonly clusterName: string
  readonly isPriced: boolean
}

const providerOver = ({
  ports,
  settings,
  host,
  clusterName,
  isPriced,
}: Parts): CloudProvider<AksNodeClass, AzureDetails> => {
  const { compute, network, containerService } = ports
  const { nowMs } = host.clock
  const { location } = settings
  const catalog = createCatalog(settings)
  const typesOf = (nodeClass: AksNodeClass, { cluster }: Call): E.Either<ProviderError, ReadonlyArray<InstanceType>> =>
    catalog.instanceTypes(nodeClass, nodeClass.status.kubernetesVersion ?? cluster.kubernetesVersion)
  const resolve = createResolver({
    calls: {
      getSubnet: ({ resourceGroup, vnet, subnet }, signal) =>
        network.getSubnet({ resourceGroup, name: vnet, subnet }, signal),
      getDiskEncryptionSet: compute.getDiskEncryptionSet,
    },
    images: imageCatalog({
      calls: {
        communityImageVersions: (gallery, definition, signal) =>
          compute.listCommunityImageVersions({ location, gallery, definition }, signal),
        nodeImageVersions: (signal) => containerService.listNodeImageVersions({ location }, signal),
      },
      ...(settings.useSig && { sigSubscription: settings.sigSubscriptionId }),
      nowMs,
    }),
    settings,
    nowMs,
  })
  const vms = vmPath({
    ports,
    settings,
    host,
    skuOf: catalog.sku,
    typesOf,
    ...(settings.provisionMode === 'bootstrappingclient' && {
      bootDataOf: serviceBootData({ others: ports.others, settings, host }),
    }),
  })
  const machines =
    usesMachines(settings) || settings.manageExistingAksMachines
      ? createMachines({ port: containerService, settings, clusterName, host, skuOf: catalog.sku })
      : undefined
  // Machines come first: their VMs could be taken for ours.
  const paths: ReadonlyArray<LaunchPath> = [...(machines === undefined ? [] : [machines]), vms.path]
  const launchPath = usesMachines(settings) ? (machines ?? vms.path) : vms.path
  const pathOf = (target: Parameters<LaunchPath['owns']>[0]) => paths.find((path) => path.owns(target))
  const strange = (providerId: string): ProviderError => ({
    _tag: 'InvalidRequest',
    message: `Cannot use provider id ${JSON.stringify(providerId)}: expected a VM in resource group ${settings.nodeResourceGroup} of subscription ${settings.subscriptionId}`,
  })
  const plan = (request: LaunchRequest<AksNodeClass>) => {
    const planned = planLaunch(request, { skuOf: catalog.sku, random: host.random })
    if (E.isLeft(planned) && planned.left.reason === 'ImageNotFound')
      host.record(imageSelectionErrors, 1, { family: request.nodeClass.spec.imageFamily })
    return planned
  }

  const readUsages: MaintenanceTask<AksNodeClass>['run'] =
    (_view, { signal }) =>
    async () => {
      const usages = await compute.listUsages({ location }, signal)()
      catalog.takeUsages(E.isRight(usages) ? usages.right : undefined, nowMs())
      return E.isLeft(usages) ? E.left(providerErrorOf(usages.left)) : E.right({})
    }
  const readPrices: MaintenanceTask<AksNodeClass>['run'] =
    (_view, { signal }) =>
    async () => {
      const prices = await ports.others.listPrices({ region: location }, signal)()
      if (E.isLeft(prices)) return E.left(providerErrorOf(prices.left))
      catalog.takePrices(prices.right)
      return E.right({})
    }
  let hasTypes = false
  const loadTypes: MaintenanceTask<AksNodeClass> = {
    name: 'instance-types',
    everyMs: catalogueEveryMs,
    runsOn: 'every-replica',
    gatesReadiness: true,
    run: (view, call) => async () => {
      const listed = await compute.listSkus({ location }, call.signal)()
      if (E.isLeft(listed)) return E.left(providerErrorOf(listed.left))
      const taken = catalog.takeSkus(listed.right)
      if (E.isLeft(taken)) return taken
      // The first types should have prices and quotas; that there are none yet is no reason to wait.
      if (!hasTypes) await Promise.all([readUsages(view, call)(), ...(isPriced ? [readPrices(view, call)()] : [])])
      hasTypes = true
      host.log('debug', 'VM sizes read', { used: taken.right.skus.length, dropped: taken.right.dropped.length })
      return E.right({})
    },
  }

  return {
    instanceTypes: (nodeClass, one) => TE.fromEither(typesOf(nodeClass, one)),
    launch: launchOnce((request, one) =>
      pipe(
        TE.fromEither(plan(request)),
        TE.chain((planned) => launchPath.launch({ request, plan: planned }, one)),
      ),
    ),
    terminate: (target, one) => pathOf(target)?.terminate(target, one) ?? TE.left(strange(target.providerId)),
    list: (one) =>
      pipe(
        TE.sequenceArray(paths.map((path) => path.list(one))),
        TE.map((lists) => ({
          instances: lists.flatMap(({ instances }) => instances),
          unreadable: lists.flatMap(({ unreadable }) => unreadable),
        })),
      ),
    get: (target, one) => pathOf(target)?.get(target, one) ?? TE.left(strange(target.providerId)),
    resolve,
    drift: driftOf(settings),
    converge: (subject, one) => {
      const { claim, instance } = subject
      const target = { providerId: instance.providerId, claim }
      return pathOf(target)?.converge(subject, one) ?? TE.right({ _tag: 'Converged' })
    },
    tasks: [
      loadTypes,
      { name: 'quotas', everyMs: quotaRefreshMs, runsOn: 'every-replica', run: readUsages },
      ...(isPriced
        ? [{ name: 'prices', everyMs: priceRefreshMs, runsOn: 'every-replica' as const, run: readPrices }]
        : []),
      ...vms.tasks,
    ],
  }
}
