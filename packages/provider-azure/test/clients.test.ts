import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import type { Accepted, AzurePorts } from '../src/sdk/index.ts'
import { launchErrors, networkOf, nodeGroup, startEmulator, subnetId, type Emulator } from './emulator/index.ts'
import { portsTo } from './sdk-ports.ts'

const signal = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined }
const location = 'westeurope'
const subnet = { id: subnetId }

describe('ports over the SDKs of Azure', () => {
  let emulator: Emulator
  let ports: AzurePorts
  const seen: Array<string> = []
  beforeAll(async () => {
    emulator = await startEmulator()
    ports = portsTo(emulator, {
      auxiliaryToken: () => Promise.resolve('gallery'),
      nowMs: () => 0,
      observe: ({ action, code }) => void seen.push(`${action} ${code}`),
    })
  })
  afterAll(() => emulator.close())

  const finished = async <A>(begun: E.Either<unknown, Accepted<A>>, action: string) => {
    if (E.isLeft(begun)) return begun
    for (;;) {
      const { statusUrl } = begun.right
      if (statusUrl === undefined) return E.right({ _tag: 'Succeeded' as const })
      const state = await ports.operation({ statusUrl, action }, signal)()
      if (E.isLeft(state) || state.right._tag !== 'Running') return state
      await new Promise((wake) => setTimeout(wake, 5))
    }
  }
  const putNic = (name: string) =>
    ports.network.putNic(
      {
        resourceGroup: nodeGroup,
        name,
        body: {
          location,
          ipConfigurations: [{ name, primary: true, subnet }],
          tags: { 'karpenter.sh_nodepool': 'default' },
        },
      },
      signal,
    )()
  const putVm = (name: string, zone = '1') =>
    ports.compute.putVm(
      {
        resourceGroup: nodeGroup,
        name,
        body: {
          location,
          zones: [zone],
          hardwareProfile: { vmSize: 'Standard_D2s_v5' },
          networkProfile: {
            networkInterfaces: [{ id: `${networkOf}/networkInterfaces/${name}`, deleteOption: 'Delete' }],
          },
          tags: { 'karpenter.sh_nodepool': 'default' },
        },
      },
      signal,
    )()

  test('Z-NIC-06, Z-VM-12: a create is accepted with its id, and how it goes on is asked for apart', async () => {
    expect(await finished(await putNic('aks-a'), 'nic')).toEqual(E.right({ _tag: 'Succeeded' }))
    const begun = await putVm('aks-a')
    expect(begun).toMatchObject({ right: { resource: { name: 'aks-a', timeCreated: expect.any(Date) } } })
    expect(await finished(begun, 'vm')).toEqual(E.right({ _tag: 'Succeeded' }))
    expect(await ports.compute.getVm({ resourceGroup: nodeGroup, name: 'aks-a' }, signal)()).toMatchObject({
      right: { name: 'aks-a', provisioningState: 'Succeeded' },
    })
    expect(seen).toContain('Microsoft.Compute/virtualMachines/write 201')
  })

  test('Z-VM-16: the token for galleries of another tenant goes with it', () => {
    const put = emulator.calls.find(({ method, path }) => method === 'PUT' && path.includes('virtualMachines'))
    expect(put?.headers['x-ms-authorization-auxiliary']).toBe('Bearer gallery')
    expect(put?.headers['user-agent']).toMatch(/^scantling-test /)
  })

  test('an operation that fails tells its code and details', async () => {
    await finished(await putNic('aks-b'), 'nic')
    const error = { ...launchErrors.zonalAllocationFailed, details: [{ code: 'Inner', message: 'why' }] }
    emulator.world.launchFaults.push({ phase: 'operation', error, times: 1 })
    expect(await finished(await putVm('aks-b'), 'vm')).toMatchObject({
      right: {
        _tag: 'Failed',
        error: { code: 'ZonalAllocationFailed', phase: 'operation', details: [{ code: 'Inner' }] },
      },
    })
  })

  test('a request that is refused tells its code, status and how long to wait', async () => {
    emulator.world.launchFaults.push({ phase: 'request', error: launchErrors.skuNotAvailable, times: 1 })
    expect(await putVm('aks-c')).toMatchObject({ left: { code: 'NotFound', status: 404, phase: 'request' } })
    await finished(await putNic('aks-c'), 'nic')
    expect(await putVm('aks-c')).toMatchObject({ left: { code: 'SkuNotAvailable', status: 409 } })
    emulator.world.actionFaults.set('Microsoft.Compute/virtualMachines/read', {
      error: { ...launchErrors.throttled, headers: { 'Retry-After': '0' } },
    })
    expect(await ports.compute.getVm({ resourceGroup: nodeGroup, name: 'aks-c' }, signal)()).toMatchObject({
      left: { code: 'TooManyRequests', retryAfterMs: 0 },
    })
    emulator.world.actionFaults.clear()
  })

  test('lists come whole: sizes, quotas, prices, versions of images, machines and Resource Graph', async () => {
    const count = async (listed: E.Either<unknown, ReadonlyArray<unknown>>) =>
      E.isRight(listed) ? listed.right.length : -1
    expect(await count(await ports.compute.listSkus({ location }, signal)())).toBe(emulator.world.sizes.length)
    expect(await count(await ports.compute.listUsages({ location }, signal)())).toBeGreaterThan(5)
    expect(await count(await ports.others.listPrices({ region: location }, signal)())).toBe(
      4 * emulator.world.sizes.length,
    )
    expect(await count(await ports.containerService.listNodeImageVersions({ location }, signal)())).toBe(10)
    const query = `Resources | where type == 'microsoft.compute/virtualmachines' | where resourceGroup == '${nodeGroup.toLowerCase()}' | where tags has_cs 'karpenter.sh_nodepool'`
    expect(await count(await ports.resourceGraph.query({ query }, signal)())).toBeGreaterThan(0)
  })

  test('machines are made, read and ended', async () => {
    const body = { zones: ['1'], properties: { hardware: { vmSize: 'Standard_D2s_v5' } } }
    expect(await finished(await ports.containerService.putMachine({ name: 'm1', body }, signal)(), 'put')).toEqual(
      E.right({ _tag: 'Succeeded' }),
    )
    expect(await ports.containerService.putMachine({ name: 'm1', body, ifMatch: 'other' }, signal)()).toMatchObject({
      left: { code: 'PreconditionFailed', status: 412 },
    })
    expect(await ports.containerService.getMachine({ name: 'm1' }, signal)()).toMatchObject({ right: { name: 'm1' } })
    await finished(await ports.containerService.deleteMachines({ names: ['m1'] }, signal)(), 'delete')
    expect(await ports.containerService.listMachines({}, signal)()).toEqual(E.right([]))
  })

  test('a name that is taken is refused where it must be free, lists are whole, and why a VM failed can be read later', async () => {
    await finished(await putNic('aks-d'), 'nic')
    emulator.world.launchFaults.push({ phase: 'operation', error: launchErrors.allocationFailed, times: 1 })
    await finished(await putVm('aks-d'), 'vm')
    const body = { location, hardwareProfile: { vmSize: 'Standard_D2s_v5' } }
    const again = { resourceGroup: nodeGroup, name: 'aks-d', body, onlyIfAbsent: true } as const
    expect(await ports.compute.putVm(again, signal)()).toMatchObject({ left: { status: 412 } })
    const seenVm = { resourceGroup: nodeGroup, name: 'aks-d', withInstanceView: true } as const
    expect(await ports.compute.getVm(seenVm, signal)()).toMatchObject({
      right: {
        provisioningState: 'Failed',
        instanceView: { statuses: [{ code: 'ProvisioningState/failed/AllocationFailed' }] },
      },
    })
    for (const listed of [
      await ports.compute.listVms({ resourceGroup: nodeGroup }, signal)(),
      await ports.network.listNics({ resourceGroup: nodeGroup }, signal)(),
    ])
      expect(E.isRight(listed) && listed.right.map(({ name }) => name)).toContain('aks-d')
    const extension = { resourceGroup: nodeGroup, name: 'aks-a', extension: 'e', body: { location } }
    await finished(await ports.compute.putExtension(extension, signal)(), 'extension')
    expect(await ports.compute.getVm({ resourceGroup: nodeGroup, name: 'aks-a' }, signal)()).toMatchObject({
      right: { resources: [{ id: expect.stringMatching(/aks-a\/extensions\/e$/) }] },
    })
  })

  test('Z-AUTH-04: every call says who calls, and what passes by itself is tried again', async () => {
    const agents = emulator.calls.map(({ headers }) => headers['user-agent'] ?? '')
    expect(agents.every((agent) => agent.startsWith('scantling-test '))).toBe(true)
    const before = seen.length
    const read = (number: number) => ports.compute.getVm({ resourceGroup: nodeGroup, name: `aks-${number}` }, signal)()
    // The wait that the service asks for counts; here it asks for none.
    for (const status of [429, 503]) {
      emulator.world.actionFaults.set('Microsoft.Compute/virtualMachines/read', {
        error: { status, code: 'Later', message: 'later', headers: { 'Retry-After': '0' } },
        times: 2,
      })
      expect(await read(status)).toMatchObject({ left: { code: 'ResourceNotFound', status: 404 } })
    }
    // One line for a call, however many attempts it took.
    expect(seen.length - before).toBe(2)
  })

  test('a call that is cancelled says so', async () => {
    const aborted = { ...signal, aborted: true }
    expect(await ports.compute.getVm({ resourceGroup: nodeGroup, name: 'aks-a' }, aborted)()).toMatchObject({
      left: { code: 'Cancelled' },
    })
  })
})
