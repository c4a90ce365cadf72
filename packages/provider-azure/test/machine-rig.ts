import {
  Requirements,
  type Call,
  type CancelSignal,
  type InstanceType,
  type LaunchFailure,
  type LaunchRequest,
  type Launched,
} from '@scantling/core'
import { systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { createCatalog } from '../src/catalog/index.ts'
import type { AzureDetails } from '../src/instances/index.ts'
import { planLaunch } from '../src/launch/index.ts'
import { createMachines, type Machines } from '../src/machines/index.ts'
import type { AksNodeClass } from '../src/node-class/index.ts'
import type { AzurePorts, ObservedRequest } from '../src/sdk/index.ts'
import type { AzureSettings } from '../src/settings.ts'
import { azureSettingsOf, claimOf, nodeClass } from './builders.ts'
import {
  agentPool,
  clusterGroup,
  managedCluster,
  nodeGroup,
  startEmulator,
  subscription,
  type Emulator,
  type WorldOptions,
} from './emulator/index.ts'
import { portsTo } from './sdk-ports.ts'

export const signal: CancelSignal = new AbortController().signal

/** An image of the shared galleries, which machines need. */
const image = {
  id: '/subscriptions/s/resourceGroups/AKS-Ubuntu/providers/Microsoft.Compute/galleries/AKSUbuntu/images/2204gen2containerd/versions/202511.11.0',
  requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }],
}

/** A class that is ready for machines. */
export const machineClass = (spec: Readonly<Record<string, unknown>> = {}): AksNodeClass =>
  nodeClass(spec, { images: [image] })

export interface MachineRig {
  readonly emulator: Emulator
  readonly ports: AzurePorts
  readonly machines: Machines
  readonly types: ReadonlyArray<InstanceType>
  readonly call: Call
  readonly launch: (
    name: string,
    changes?: Partial<LaunchRequest<AksNodeClass>>,
    launchCall?: Call,
  ) => Promise<E.Either<LaunchFailure, Launched<AzureDetails>>>
  /** Another process over the same cloud. */
  readonly restarted: () => Promise<MachineRig>
  /** The next so many machines are made, and the answers get lost. */
  readonly losePuts: (count: number) => void
  readonly requests: () => ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** Machines over the real SDKs and the emulator. */
export const startMachineRig = async (
  world: WorldOptions = {},
  changes: Partial<AzureSettings> = {},
): Promise<MachineRig> => {
  const emulator = await startEmulator(world)
  const settings = azureSettingsOf({
    subscriptionId: subscription,
    location: 'westeurope',
    clusterResourceGroup: clusterGroup,
    nodeResourceGroup: nodeGroup,
    provisionMode: 'aksmachineapi',
    useSig: true,
    sigSubscriptionId: 's',
    aksMachinesPoolName: agentPool,
    batchIdleMs: 40,
    batchMaxMs: 500,
    ...changes,
  })
  return rigOver(emulator, settings)
}

const rigOver = async (emulator: Emulator, settings: AzureSettings): Promise<MachineRig> => {
  const observed: Array<ObservedRequest> = []
  const ports = portsTo(emulator, {
    machinesPool: settings.aksMachinesPoolName,
    observe: (request) => void observed.push(request),
  })
  const catalog = createCatalog(settings)
  const skus = await ports.compute.listSkus({ location: settings.location }, signal)()
  if (E.isLeft(skus)) throw new Error(skus.left.message)
  catalog.takeSkus(skus.right)
  const of = machineClass()
  const types = catalog.instanceTypes(of, '1.33.5')
  if (E.isLeft(types)) throw new Error(types.left.message)
  let lost = 0
  const machines = createMachines({
    port: {
      ...ports.containerService,
      putMachine: (input, putSignal) => async () => {
        const sent = await ports.containerService.putMachine(input, putSignal)()
        if (lost === 0) return sent
        lost -= 1
        return E.left({ action: '', code: 'InternalServerError', message: 'lost', status: 500, phase: 'request' })
      },
    },
    settings,
    clusterName: managedCluster,
    host: { clock: systemClock, log: () => undefined, shutdown: signal },
    skuOf: catalog.sku,
  })
  const call: Call = { signal, cluster: { name: managedCluster, kubernetesVersion: '1.33.5', objects: {} } }
  const [first, ...rest] = types.right.filter(({ name }) => name === 'Standard_D2s_v5')
  if (first === undefined) throw new Error('The emulator sells no Standard_D2s_v5')
  observed.splice(0)
  return {
    emulator,
    ports,
    machines,
    types: types.right,
    call,
    launch: async (name, changes = {}, launchCall = call) => {
      const request: LaunchRequest<AksNodeClass> = {
        token: name,
        claim: claimOf({
          name,
          requirements: Requirements.fromLabels({
            'karpenter.sh/capacity-type': 'on-demand',
            'topology.kubernetes.io/zone': 'westeurope-1',
          }),
        }),
        nodeClass: of,
        candidates: [first, ...rest],
        minValues: 'strict',
        ...changes,
      }
      const plan = planLaunch(request, { skuOf: catalog.sku, random: () => 0.5 })
      return E.isLeft(plan) ? plan : machines.launch({ request, plan: plan.right }, launchCall)()
    },
    restarted: () => rigOver(emulator, settings),
    losePuts: (count) => {
      lost = count
    },
    requests: () => observed.map(({ action, code }) => `${action.replace(/.*\/(?=[^/]+\/[^/]+$)/, '')} ${code}`),
    close: () => emulator.close(),
  }
}
