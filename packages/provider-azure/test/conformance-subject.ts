import { observedHost, type Fault, type MakeSubject, type Operation } from '@scantling/conformance'
import type { JsonObject } from '@scantling/core'
import { runUntilSettled, virtualClock, type VirtualClock } from '@scantling/provider-kit'
import { rightOf, startMs } from '@scantling/simulation/testing'
import type { AzureDetails } from '../src/instances/index.ts'
import type { AksNodeClass } from '../src/node-class/index.ts'
import { createFrom, provider } from '../src/provider.ts'
import { providerIdOf } from '../src/resource-id/index.ts'
import type { AzurePorts } from '../src/sdk/index.ts'
import type { AzureSettings } from '../src/settings.ts'
import {
  agentPool,
  defaultSizes,
  nodeGroup,
  subscription,
  World,
  type Resource,
  type ServiceError,
} from './emulator/index.ts'
import { fakeAzure } from './fake-azure/index.ts'
import { callFor, settingsFor } from './rig.ts'

const manifest = (spec: JsonObject, generation = 1): JsonObject => ({
  apiVersion: 'karpenter.azure.com/v1beta1',
  kind: 'AKSNodeClass',
  metadata: { name: 'default', generation },
  spec,
})

const machines = 'Microsoft.ContainerService/managedClusters/agentPools'
const vms = 'Microsoft.Compute/virtualMachines'
const shared = {
  resolve: 'Microsoft.Network/virtualNetworks/subnets/read',
  release: '',
  receive: '',
  tasks: 'Microsoft.Compute/locations/usages/read',
}
const actions: Readonly<Record<'vms' | 'machines', Readonly<Record<Operation, string>>>> = {
  vms: {
    ...shared,
    launch: `${vms}/write`,
    terminate: `${vms}/delete`,
    list: `${vms}/read`,
    get: `${vms}/read`,
    converge: `${vms}/write`,
  },
  machines: {
    ...shared,
    launch: `${machines}/machines/write`,
    terminate: `${machines}/deleteMachines/action`,
    list: `${machines}/machines/read`,
    get: `${machines}/machines/read`,
    converge: `${machines}/machines/write`,
  },
}
const failures: Readonly<Record<Fault, ServiceError>> = {
  throttled: {
    status: 429,
    code: 'TooManyRequests',
    message: 'Too many requests',
    // The second is the SDKs' to heed, the first ours.
    headers: { 'Retry-After': '5', 'retry-after-ms': '1' },
  },
  unauthorized: { status: 403, code: 'AuthorizationFailed', message: 'Not authorized' },
  quota: {
    status: 409,
    code: 'OperationNotAllowed',
    message:
      'Operation could not be completed as it results in exceeding approved standardDSv5Family Cores quota. Additional details - Current Limit: 10, Current Usage: 10, Additional Required: 2',
  },
  invalid: { status: 400, code: 'InvalidParameter', message: 'A parameter is invalid' },
  'server-error': { status: 500, code: 'InternalServerError', message: 'An internal error has occurred' },
  'answer-lost': { status: 503, code: 'ServiceUnavailable', message: 'The connection was reset' },
}
const soldOut: ServiceError = { status: 409, code: 'SkuNotAvailable', message: 'Sold out' }

/** How a provider comes to the world behind it. */
export interface Reach {
  readonly ports: AzurePorts
  /** How often a request is sent until the port takes a failure that may pass for one. */
  readonly tries: number
  readonly countCalls: () => number
  readonly pass: (ms: number) => Promise<void>
  readonly drive: <A>(work: Promise<A>) => Promise<A>
  readonly close: () => Promise<void>
}

const inMemory = async (world: World, clock: VirtualClock): Promise<Reach> => {
  const azure = fakeAzure(world)
  return {
    ports: azure.ports,
    tries: 1,
    countCalls: () => azure.calls.length,
    pass: (ms) => clock.advance(ms),
    drive: (work) => runUntilSettled(clock, work),
    close: async () => undefined,
  }
}

/** Subjects for the conformance suite over Azure, in memory by default, on virtual time, with pages of three. */
export const subjectOf =
  (
    way: 'vms' | 'machines',
    reachTo: (world: World, clock: VirtualClock) => Promise<Reach> = inMemory,
  ): MakeSubject<AksNodeClass, AzureDetails, AzureSettings> =>
  async () => {
    const clock = virtualClock(startMs)
    const sizes = defaultSizes.map((size) => ({ ...size }))
    const world = new World({ nowMs: clock.nowMs, operationMs: 1_000, pageSize: 3, sizes })
    const { ports, tries, countCalls, pass, drive, close } = await reachTo(world, clock)
    const host = observedHost(clock)
    const settings = settingsFor(
      way === 'vms'
        ? {}
        : {
            provisionMode: 'aksmachineapiheaderbatch',
            useSig: true,
            sigSubscriptionId: subscription,
            aksMachinesPoolName: agentPool,
          },
    )
    const create = async () => rightOf(await drive(createFrom(ports, settings, host, callFor())()))
    const isNode = ({ type }: Resource) =>
      type === vms || type === 'Microsoft.ContainerService/managedClusters/agentPools/machines'
    const idOf = ({ id, properties }: Resource) => providerIdOf(String(properties['resourceId'] ?? id))
    const nodeOf = (providerId: string): Resource => {
      const found = world.all().find((one) => isNode(one) && idOf(one).toLowerCase() === providerId.toLowerCase())
      if (found === undefined) throw new Error(`There is no machine ${providerId}`)
      return found
    }
    return {
      module: provider,
      provider: await create(),
      manifest: manifest({}),
      host,
      cluster: callFor().cluster,
      pass,
      drive,
      levers: {
        fail: (operation, fault, { skip = 0 } = {}) => {
          const error = failures[fault]
          const isLost = fault === 'answer-lost'
          const times = fault === 'throttled' || fault === 'server-error' ? tries : 1
          world.actionFaults.set(actions[way][operation], { error, times, skip, ...(isLost && { isAfter: true }) })
          // Where Compute takes no more requests, VMs are listed by Resource Graph.
          if (operation === 'list') world.actionFaults.set('Microsoft.ResourceGraph/resources/read', { error, times })
        },
        sellOut: (size) => void world.launchFaults.push({ size, phase: 'request', error: soldOut }),
        restock: () => void world.launchFaults.splice(0),
        present: async () =>
          world.all().flatMap((one) => (isNode(one) && one.deletedAtMs === undefined ? [idOf(one)] : [])),
        startForeign: async () => {
          const tags = { 'karpenter.azure.com_cluster': 'theirs', 'karpenter.sh_nodepool': 'default' }
          const foreign = world.put({
            id: `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/${vms}/aks-theirs-abcde`,
            name: 'aks-theirs-abcde',
            type: vms,
            location: world.location,
            zones: ['1'],
            tags,
            properties: {
              hardwareProfile: { vmSize: 'Standard_D2s_v5' },
              vmId: 'theirs',
              timeCreated: new Date(clock.nowMs()).toISOString(),
            },
          })
          return idOf(foreign)
        },
        endOutside: async (providerId) => void world.resources.delete(nodeOf(providerId).id.toLowerCase()),
        garble: async (providerId) => {
          const { properties } = nodeOf(providerId)
          delete properties['hardwareProfile']
          delete properties['hardware']
        },
        restart: create,
        countCalls,
        // Of a generation of their own, as the API server gives it to a spec that changed.
        changedManifest: manifest({ imageFamily: 'AzureLinux' }, 2),
        missingManifest: manifest(
          { vnetSubnetID: settings.vnetSubnetId.replace(/aks-subnet$/, 'nowhere').replace('aks-vnet', 'other-vnet') },
          3,
        ),
      },
      close,
    }
  }
