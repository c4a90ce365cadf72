import type {
  Call,
  CloudProvider,
  InstanceType,
  MaintenanceTask,
  ProviderError,
  ProviderHost,
  ProviderModule,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { bottlerocketVersion, nodeLabels, nodeTaints, resolveKubelet, userDataOf } from './bootstrap/index.ts'
import { converger } from './converge.ts'
import { drift } from './drift.ts'
import { providerErrorOf } from './error-codes.ts'
import {
  createInstanceTypes,
  loadCatalogue,
  type Catalogue,
  type InstanceTypesSettings,
  type PlacementGroup,
} from './instance-types/index.ts'
import { instances as instancesOf, type Ec2Details } from './instances/index.ts'
import { instanceStatusTask, interruptionQueue } from './interruption/index.ts'
import { readKubelet } from './kubelet/index.ts'
import { awsLabelPolicy } from './labels/index.ts'
import { launcher, launchTemplates, machineTemplates, type UserDataWish } from './launch/index.ts'
import { awsMetrics, requests, requestSeconds, userDataBytes } from './metrics.ts'
import {
  addressLedger,
  instanceProfiles,
  noZonalShifts,
  placementGroupFinder,
  securityGroupFinder,
  subnetFinder,
  zonalShifts,
} from './network/index.ts'
import { ec2NodeClass, familyOf, type Ec2NodeClass } from './node-class/index.ts'
import { shippedPrices } from './offline/index.ts'
import { createPriceBook, hasPriceList, type ShippedPrices } from './pricing/index.ts'
import { reservations as reservationsOf } from './reservations/index.ts'
import { imageFinder, parameters as parametersOf, probes as probesOf, resolver } from './resolve/index.ts'
import { connect, type AwsPorts } from './sdk/index.ts'
import { awsSettings, type AwsSettings } from './settings.ts'
import { checkConnectivity, clusterDiscovery, zonalShiftResource } from './start-up.ts'
import { awsTraits } from './traits.ts'

const hourMs = 3_600_000
const catalogueEveryMs = 12 * hourMs
const onDemandPricesEveryMs = 12 * hourMs
const profilesEveryMs = 1_800_000
const userAgent = 'scantling/0.1.0'

/** Prices to begin with, where none were read yet. */
const noShippedPrices: ShippedPrices = { source: 'none shipped', byRegion: new Map() }

/**
 * Machines of Amazon EC2, described by EC2NodeClasses.
 *
 * Credentials come from the SDK's default chain. The start-up check needs EC2; all else may fail and come back.
 */
export const provider: ProviderModule<Ec2NodeClass, Ec2Details, AwsSettings> = {
  name: 'aws',
  nodeClasses: [ec2NodeClass],
  settings: awsSettings,
  labels: awsLabelPolicy,
  traits: awsTraits,
  metrics: awsMetrics,
  create: (settings, host, call) =>
    pipe(
      connect(
        {
          region: settings.region,
          endpoint: settings.endpoint,
          userAgent,
          nowMs: host.clock.nowMs,
          observe: ({ action, code, durationMs }) => {
            const [service = '', operation = ''] = action.split(':')
            host.record(requests, 1, { service, operation, code })
            host.record(requestSeconds, durationMs / 1000, { service, operation, code })
          },
        },
        call.signal,
      ),
      TE.mapLeft(providerErrorOf),
      TE.chainFirst((ports) => checkConnectivity(ports, call.signal)),
      TE.chain((ports) => createFrom(ports, settings, host, call, pricesToBeginWith(ports.region, settings, host))),
    ),
}

const pricesToBeginWith = (
  region: string,
  { isolatedVpc }: Pick<AwsSettings, 'isolatedVpc'>,
  host: ProviderHost,
): ShippedPrices => {
  const found = shippedPrices()
  if (found !== undefined && !hasPriceList(region, isolatedVpc))
    host.log('warn', 'On-demand prices are synthetic: there is no price list here; set prices with NodeOverlays', {
      source: found.source,
    })
  return found ?? noShippedPrices
}

/**
 * The provider over any ports.
 *
 * `shipped` are prices to begin with. Errors: zonal shifts are on and the cluster takes no part in them.
 */
export const createFrom = (
  ports: AwsPorts,
  settings: AwsSettings,
  host: ProviderHost,
  call: Call,
  shipped: ShippedPrices = noShippedPrices,
): TE.TaskEither<ProviderError, CloudProvider<Ec2NodeClass, Ec2Details>> => {
  const discovery = clusterDiscovery({ eks: ports.eks, settings, nowMs: host.clock.nowMs })
  const shiftedResource: TE.TaskEither<ProviderError, string | undefined> = settings.enableZonalShift
    ? zonalShiftResource(ports, discovery, call)
    : TE.right(undefined)
  return pipe(
    shiftedResource,
    TE.map((resource) => {
      const shifts =
        resource === undefined ? undefined : zonalShifts({ port: ports.zonalShift, resource, nowMs: host.clock.nowMs })
      return providerOver({ ports, settings, host, shipped, discovery, shifts })
    }),
  )
}

interface Parts {
  readonly ports: AwsPorts
  readonly settings: AwsSettings
  readonly host: ProviderHost
  readonly shipped: ShippedPrices
  readonly discovery: ReturnType<typeof clusterDiscovery>
  readonly shifts: ReturnType<typeof zonalShifts> | undefined
}

const providerOver = (parts: Parts): CloudProvider<Ec2NodeClass, Ec2Details> => {
  const { ports, settings, host, shipped, discovery, shifts } = parts
  const { ec2, region } = ports
  const { nowMs } = host.clock
  const usesReservations = host.gates['reservedCapacity'] ?? true
  const typeSettings: InstanceTypesSettings = {
    region,
    vmMemoryOverheadPercent: settings.vmMemoryOverheadPercent,
    reservedEnis: settings.reservedEnis,
    allowsExpressions: settings.awsFeatureGates.NodeClassCEL,
    usesReservations,
  }

  let catalogue: Catalogue | undefined
  const zoneIds = new Map<string, string>()
  const { shifted } = shifts ?? noZonalShifts
  const addresses = addressLedger({ ttlMs: addressesKnownMs(settings), nowMs })
  const subnets = subnetFinder({ ec2, addresses, refreshMs: settings.subnetRefreshIntervalMs, nowMs })
  const securityGroups = securityGroupFinder({ ec2, nowMs })
  const placementGroups = placementGroupFinder({ ec2, nowMs })
  const profiles = instanceProfiles({ iam: ports.iam, region, nowMs })
  const reservations = reservationsOf({ ec2, host })
  const prices = createPriceBook({ ports, shipped, isIsolated: settings.isolatedVpc, nowMs })
  const instanceTypes = createInstanceTypes(typeSettings, (message) =>
    host.log('debug', 'Kubelet expression dropped', { message }),
  )
  const instances = instancesOf({
    ec2,
    host,
    knowsReservations: usesReservations,
    zoneIdOf: (zone) => zoneIds.get(zone),
    shiftedZoneOf: (zone) => {
      const id = zoneIds.get(zone)
      return id !== undefined && shifted().has(id) ? id : undefined
    },
  })
  const templates = launchTemplates({ ec2, host })
  const kubeletOf = (nodeClass: Ec2NodeClass, name: string) => {
    const info = catalogue?.types.get(name)
    return info === undefined
      ? E.left(`instance type ${name} is not in the catalogue`)
      : instanceTypes.kubeletOf(nodeClass, info)
  }
  const machines = machineTemplates({
    region,
    controlsReservations: usesReservations,
    kubeletOf,
    userDataOf: userDataFor,
    clusterCidrOf: (one) => pipe(discovery.serviceCidrOf(one), TE.mapLeft(providerErrorOf)),
  })
  const placementGroupOf = (
    nodeClass: Ec2NodeClass,
    { signal }: Call,
  ): TE.TaskEither<ProviderError, PlacementGroup | undefined> =>
    placementGroups.isKnown(nodeClass)
      ? TE.right(placementGroups.known(nodeClass))
      : pipe(placementGroups.find(nodeClass, signal), TE.mapLeft(providerErrorOf))
  const typesWith = (
    types: ReturnType<typeof createInstanceTypes>,
    nodeClass: Ec2NodeClass,
    group: PlacementGroup | undefined,
  ): E.Either<ProviderError, ReadonlyArray<InstanceType>> =>
    types.of({
      nodeClass,
      catalogue,
      prices: prices.prices(),
      shiftedZoneIds: shifted(),
      exhaustedSubnetIds: addresses.exhausted(),
      reservationCounts: reservations.counts(),
      ...(group !== undefined && { placementGroup: group }),
    })
  const learnZones = ({ status }: Ec2NodeClass) => {
    for (const { zone, zoneID } of status.subnets) if (zoneID !== undefined) zoneIds.set(zone, zoneID)
  }

  const launch = launcher({ ec2, host, addresses, instances, reservations, templates, machines, placementGroupOf })
  const parameters = parametersOf({ ports, nowMs })
  const probes = probesOf({ ec2, templates, machines, nowMs })
  const resolve = resolver({
    images: imageFinder({ ec2, parameters, refreshMs: settings.amiRefreshIntervalMs, nowMs }),
    subnets,
    securityGroups,
    placementGroups,
    profiles,
    ...(usesReservations && { reservations }),
    catalogue: () => catalogue,
    instanceTypes,
    // Of a status that is not written yet: what is kept for the written one stays as it is.
    typesFor: (nodeClass, group) => typesWith(createInstanceTypes(typeSettings), nodeClass, group),
    clusterCidrOf: discovery.serviceCidrOf,
    probes,
    allowsExpressions: settings.awsFeatureGates.NodeClassCEL,
    disableDryRun: settings.disableDryRun,
    nowMs,
  })

  const loadTypes: MaintenanceTask<Ec2NodeClass> = {
    name: 'instance-types',
    everyMs: catalogueEveryMs,
    runsOn: 'every-replica',
    gatesReadiness: true,
    run:
      (_view, { signal }) =>
      async () => {
        const isFirst = catalogue === undefined
        const loaded = await loadCatalogue(ec2, signal)
        if (E.isLeft(loaded)) return E.left(providerErrorOf(loaded.left))
        catalogue = loaded.right
        // The first types should have prices; that there are none yet is no reason to wait.
        if (isFirst) await Promise.all([prices.refreshOnDemand(signal), prices.refreshSpot(signal)])
        return E.right({})
      },
  }
  const priceTask = (
    name: string,
    everyMs: number,
    refresh: typeof prices.refreshSpot,
  ): MaintenanceTask<Ec2NodeClass> => ({
    name,
    everyMs,
    runsOn: 'every-replica',
    run:
      (_view, { signal }) =>
      async () => {
        const refreshed = await refresh(signal)
        return E.isLeft(refreshed) ? E.left(providerErrorOf(refreshed.left)) : E.right({})
      },
  })
  const collectProfiles: MaintenanceTask<Ec2NodeClass> = {
    name: 'instance-profiles',
    everyMs: profilesEveryMs,
    runsOn: 'leader',
    run:
      (view, { cluster, signal }) =>
      async () => {
        const collected = await profiles.collect(view, cluster.name, signal)()
        if (E.isLeft(collected)) return E.left(providerErrorOf(collected.left))
        if (collected.right.length > 0) host.log('info', 'Deleted unused instance profiles', { names: collected.right })
        return E.right({})
      },
  }

  return {
    instanceTypes: (nodeClass, one) =>
      pipe(
        placementGroupOf(nodeClass, one),
        TE.chain((group) => TE.fromEither(typesWith(instanceTypes, nodeClass, group))),
      ),
    launch: (request, one) =>
      pipe(
        discovery.complete(one),
        TE.mapLeft((error) => ({ error, reason: 'ClusterEndpointUnknown' })),
        TE.chain((completed) => launch(request, completed)),
      ),
    terminate: ({ providerId }, { cluster, signal }) => instances.terminate(providerId, cluster.name, signal),
    list: ({ cluster, signal }) => instances.list(cluster.name, signal),
    get: ({ providerId }, { signal }) => instances.get(providerId, signal),
    resolve: (input, one) => async () => {
      const completed = await discovery.complete(one)()
      // What of the cluster is not known is told by the steps that need it.
      const resolution = await resolve(input, E.isRight(completed) ? completed.right : one)()
      if (E.isRight(resolution)) learnZones(input.nodeClass)
      return resolution
    },
    release: (nodeClass, { cluster, signal }) =>
      pipe(
        settings.isolatedVpc ? TE.right(undefined) : profiles.release(nodeClass, cluster.name, signal),
        TE.chain(() => templates.release(nodeClass.metadata.name, cluster.name, signal)),
        TE.bimap(providerErrorOf, () => {
          probes.forget(nodeClass.metadata.name)
          instanceTypes.forget(nodeClass)
          host.record(userDataBytes, undefined, { nodeclass: nodeClass.metadata.name })
        }),
      ),
    drift,
    converge: converger(instances),
    ...(settings.interruptionQueue !== '' && {
      interruptions: interruptionQueue({
        sqs: ports.sqs,
        name: settings.interruptionQueue,
        rebalance: settings.rebalanceRecommendations,
        host,
      }),
    }),
    tasks: [
      loadTypes,
      priceTask('on-demand-prices', onDemandPricesEveryMs, prices.refreshOnDemand),
      priceTask('spot-prices', settings.spotPriceRefreshIntervalMs, prices.refreshSpot),
      parameters.task,
      templates.task,
      instanceStatusTask({ ec2, host }),
      ...(settings.isolatedVpc ? [] : [collectProfiles]),
      ...(usesReservations ? [reservations.task] : []),
      ...(shifts === undefined ? [] : [shifts.task]),
    ],
  }
}

/** Counts of free addresses outlive their refresh, so that one that fails does not lose them. */
const addressesKnownMs = ({ subnetRefreshIntervalMs }: AwsSettings): number =>
  Math.max(300_000, subnetRefreshIntervalMs + 240_000)

/** User data of a machine, from what its class says and what is known of its type and cluster. */
const userDataFor = ({
  nodeClass,
  claim,
  capacityType,
  kubelet,
  call: { cluster },
  clusterCidr,
}: UserDataWish): E.Either<string, string> => {
  const { spec, status } = nodeClass
  const settings = readKubelet(spec.kubelet)
  if (E.isLeft(settings)) return settings
  const family = familyOf(spec)
  const version = bottlerocketVersion(spec, status.amis)
  return pipe(
    userDataOf(family, {
      clusterName: cluster.name,
      clusterEndpoint: cluster.endpoint ?? '',
      ...(cluster.caBundle !== undefined && { caBundle: cluster.caBundle }),
      ...(clusterCidr !== undefined && { clusterCidr }),
      kubelet: resolveKubelet(
        { settings: settings.right, ...(spec.kubelet !== undefined && { fields: spec.kubelet }) },
        kubelet,
        cluster.dnsServiceIp,
      ),
      taints: nodeTaints(claim),
      labels: nodeLabels(family, claim, capacityType),
      ...(spec.userData !== undefined && { userData: spec.userData }),
      ...(spec.instanceStorePolicy !== undefined && { instanceStorePolicy: spec.instanceStorePolicy }),
      ...(version !== undefined && { bottlerocketVersion: version }),
    }),
    E.map(({ base64 }) => base64),
  )
}
