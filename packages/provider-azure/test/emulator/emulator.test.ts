import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
} from '@azure/core-rest-pipeline'
import { ComputeManagementClient } from '@azure/arm-compute'
import { ContainerServiceClient } from '@azure/arm-containerservice'
import { NetworkManagementClient } from '@azure/arm-network'
import { ResourceGraphClient } from '@azure/arm-resourcegraph'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  agentPool,
  clusterGroup,
  launchErrors,
  managedCluster,
  networkOf,
  nodeGroup,
  startEmulator,
  subnetId,
  subscription,
  type Emulator,
} from './index.ts'

const credential = {
  getToken: () => Promise.resolve({ token: 'emulated', expiresOnTimestamp: Date.now() + 3_600_000 }),
}
const location = 'westeurope'
const polled = { updateIntervalInMs: 5 }
const subnet = { id: subnetId }

const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

describe('the emulator, asked by the SDKs', () => {
  let emulator: Emulator
  let compute: ComputeManagementClient
  let network: NetworkManagementClient
  let containers: ContainerServiceClient
  let graph: ResourceGraphClient
  beforeAll(async () => {
    emulator = await startEmulator({ quotas: { families: { standardESv5Family: 8 } } })
    const options = { endpoint: emulator.url, tlsOptions: { ca: emulator.ca }, retryOptions: { maxRetries: 0 } }
    compute = new ComputeManagementClient(credential, subscription, options)
    network = new NetworkManagementClient(credential, subscription, options)
    containers = new ContainerServiceClient(credential, subscription, options)
    graph = new ResourceGraphClient(credential, options)
  })
  afterAll(() => emulator.close())
  beforeEach(() => {
    emulator.world.launchFaults.length = 0
    emulator.world.actionFaults.clear()
  })

  const pipeline = () => createPipelineFromOptions({ tlsOptions: { ca: emulator.ca } })
  const createNic = (name: string) =>
    network.networkInterfaces.createOrUpdate(
      nodeGroup,
      name,
      {
        location,
        tags: { 'karpenter.azure.com_cluster': 'test', 'karpenter.sh_nodepool': 'default' },
        ipConfigurations: [{ name, primary: true, privateIPAllocationMethod: 'Dynamic', subnet }],
      },
      polled,
    )

  const createMachine = (name: string, vmSize = 'Standard_D2s_v5', more: object = {}) =>
    compute.virtualMachines.createOrUpdate(
      nodeGroup,
      name,
      {
        location,
        zones: ['1'],
        tags: { 'karpenter.azure.com_cluster': 'test', 'karpenter.sh_nodepool': 'default' },
        hardwareProfile: { vmSize },
        storageProfile: { osDisk: { name, createOption: 'FromImage', deleteOption: 'Delete' } },
        osProfile: { computerName: name, adminUsername: 'azureuser', customData: 'Ym9vdA==' },
        networkProfile: {
          networkInterfaces: [{ id: `${networkOf}/networkInterfaces/${name}`, primary: true, deleteOption: 'Delete' }],
        },
        priority: 'Regular',
        ...more,
      },
      polled,
    )

  const codeOf = async (call: PromiseLike<unknown>): Promise<string> => {
    try {
      await call
      return 'none'
    } catch (cause) {
      const { code, message } = cause as { readonly code?: string; readonly message: string }
      return code ?? message
    }
  }

  test('lists sizes and quotas over several pages', async () => {
    const skus = await collect(compute.resourceSkus.list({ filter: `location eq '${location}'` }))
    expect(skus.length).toBe(emulator.world.sizes.length)
    expect(skus[0]).toMatchObject({ name: 'Standard_D2s_v5', family: 'standardDSv5Family' })
    const usages = await collect(compute.usage.list(location))
    expect(usages.find(({ name }) => name.value === 'cores')).toMatchObject({ currentValue: 0 })
  })

  test('creates a machine with its NIC, shows it, and takes all of it away again', async () => {
    const nic = await createNic('aks-a')
    expect(nic).toMatchObject({ name: 'aks-a', provisioningState: 'Succeeded' })
    const machine = await createMachine('aks-a')
    expect(machine).toMatchObject({ name: 'aks-a', zones: ['1'], provisioningState: 'Succeeded' })
    expect(machine.osProfile?.customData).toBeUndefined()
    expect(emulator.world.list(nodeGroup, 'Microsoft.Compute/disks')).toHaveLength(1)
    expect(await codeOf(network.networkInterfaces.delete(nodeGroup, 'aks-a'))).toBe('NicInUse')
    const found = await graph.resources({
      subscriptions: [subscription],
      query: `Resources | where type == 'microsoft.compute/virtualmachines' | where resourceGroup == '${nodeGroup.toLowerCase()}' | where tags has_cs 'karpenter.sh_nodepool' | where not(tags has_cs 'karpenter.azure.com_aksmachine_nodeclaim')`,
      options: { resultFormat: 'objectArray' },
    })
    expect(found.data).toMatchObject([{ name: 'aks-a', resourceGroup: nodeGroup.toLowerCase() }])
    await compute.virtualMachines.delete(nodeGroup, 'aks-a', { forceDeletion: true, ...polled })
    expect(await codeOf(compute.virtualMachines.get(nodeGroup, 'aks-a'))).toBe('ResourceNotFound')
    expect(emulator.world.list(nodeGroup, 'Microsoft.Compute/disks')).toEqual([])
    expect(await codeOf(network.networkInterfaces.get(nodeGroup, 'aks-a'))).toBe('ResourceNotFound')
  })

  test('a second create of a machine must be the same machine', async () => {
    await createNic('aks-b')
    await createMachine('aks-b')
    expect(await codeOf(createMachine('aks-b'))).toBe('none')
    expect(await codeOf(createMachine('aks-b', 'Standard_D4s_v5'))).toBe('PropertyChangeNotAllowed')
    await compute.virtualMachines.delete(nodeGroup, 'aks-b', polled)
  })

  test('refuses what quotas do not allow, and says so as ARM does', async () => {
    await createNic('aks-c')
    expect(await codeOf(createMachine('aks-c', 'Standard_E16s_v5'))).toBe('OperationNotAllowed')
  })

  test('fails at once or after the acceptance, as it is told', async () => {
    await createNic('aks-d')
    emulator.world.launchFaults.push({ zone: '1', phase: 'request', error: launchErrors.skuNotAvailable, times: 1 })
    expect(await codeOf(createMachine('aks-d'))).toBe('SkuNotAvailable')
    emulator.world.launchFaults.push({
      zone: '1',
      phase: 'operation',
      error: launchErrors.zonalAllocationFailed,
      times: 1,
    })
    expect(await codeOf(createMachine('aks-d'))).toContain('ZonalAllocationFailed')
    expect(await codeOf(network.networkInterfaces.delete(nodeGroup, 'aks-d'))).toBe('NicReservedForAnotherVm')
  })

  test('answers 403 to what the role does not allow, with the action that is missing', async () => {
    emulator.world.allowedActions = new Set(['Microsoft.Compute/skus/read'])
    expect(await codeOf(compute.virtualMachines.get(nodeGroup, 'aks-a'))).toBe('AuthorizationFailed')
    emulator.world.allowedActions = undefined
  })

  test('throttles', async () => {
    emulator.world.actionFaults.set('Microsoft.Compute/virtualMachines/read', {
      error: launchErrors.throttled,
      times: 1,
    })
    expect(await codeOf(compute.virtualMachines.get(nodeGroup, 'aks-a'))).toBe('TooManyRequests')
    expect(await codeOf(compute.virtualMachines.get(nodeGroup, 'aks-a'))).toBe('ResourceNotFound')
  })

  test('makes machines of an agent pool, one at a time and in batches, and ends them by name', async () => {
    const pool = `/subscriptions/${subscription}/resourceGroups/${clusterGroup}/providers/Microsoft.ContainerService/managedClusters/${managedCluster}/agentPools/${agentPool}`
    const put = (name: string, headers: Readonly<Record<string, string>> = {}) =>
      pipeline().sendRequest(
        createDefaultHttpClient(),
        requestOf(
          'PUT',
          `${emulator.url}${pool}/machines/${name}`,
          { properties: { hardware: { vmSize: 'Standard_D2s_v5' } }, zones: ['2'] },
          headers,
        ),
      )
    expect((await put('m1')).status).toBe(201)
    const batch = {
      batchMachines: ['m2', 'm3'].map((machineName) => ({ machineName, zones: ['1'], tags: { a: 'b' } })),
    }
    expect((await put('m2', { BatchPutMachine: JSON.stringify(batch) })).status).toBe(201)
    const machines = await collect(containers.machines.list(clusterGroup, managedCluster, agentPool))
    expect(new Set(machines.map(({ name }) => name))).toEqual(new Set(['m1', 'm2', 'm3']))
    await containers.agentPools.deleteMachines(
      clusterGroup,
      managedCluster,
      agentPool,
      {
        machineNames: ['m1', 'm2', 'm3'],
      },
      polled,
    )
    expect(await collect(containers.machines.list(clusterGroup, managedCluster, agentPool))).toEqual([])
  })
})

const requestOf = (method: 'PUT', url: string, body: object, headers: Readonly<Record<string, string>>) =>
  createPipelineRequest({
    method,
    url: `${url}?api-version=2026-02-02-preview`,
    body: JSON.stringify(body),
    headers: createHttpHeaders({ 'content-type': 'application/json', ...headers }),
  })
