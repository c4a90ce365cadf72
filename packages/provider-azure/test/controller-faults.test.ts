import { afterEach, describe, expect, test } from '@jest/globals'
import { applyDeployment, conditionOf, runningPods, scale, untilRunning } from '@scantling/simulation'
import { endedAfter } from '@scantling/simulation/testing'
import { agentPool, launchErrors, nodeGroup, subscription, type ServiceError } from './emulator/index.ts'
import { azureKinds as kinds } from './kinds.ts'
import { applyAzureDefaults, startVirtualAzure, type VirtualAzure } from './virtual-controller.ts'

const vmType = 'Microsoft.Compute/virtualMachines'
const nicType = 'Microsoft.Network/networkInterfaces'
const minute = 60_000

const stopping = endedAfter(afterEach)
const start = async () => stopping(await startVirtualAzure())
const isEmpty = (azure: VirtualAzure) => azure.vms().length + azure.nics().length + azure.disks().length === 0

describe('what goes wrong in Azure', () => {
  const fault = (code: string, status: number, message = code): ServiceError => ({ status, code, message })

  test.each([
    [
      'an identity without a role',
      `${nicType}/write`,
      fault('AuthorizationFailed', 403, 'no authorization'),
      'Unauthorized',
      /assign the controller’s identity a role with Microsoft\.Network\/networkInterfaces\/write/,
    ],
    [
      'a token that is over',
      `${vmType}/write`,
      fault('ExpiredAuthenticationToken', 401, 'The access token expired'),
      'CreateInstanceFailed',
      /workload identity, managed identity/,
    ],
    [
      'a subscription that is not there',
      `${vmType}/write`,
      fault('SubscriptionNotFound', 404, 'no such subscription'),
      'CreateInstanceFailed',
      /check AZURE_SUBSCRIPTION_ID/,
    ],
    [
      'a policy that denies',
      `${vmType}/write`,
      launchErrors.policy,
      'RequestDisallowedByPolicy',
      /exempt Microsoft\.Compute\/virtualMachines\/write from it/,
    ],
    [
      'a subnet that is full',
      `${nicType}/write`,
      fault('SubnetIsFull', 400, 'Subnet is full'),
      'SubnetIsFull',
      /a subnet with free addresses/,
    ],
  ])(
    '%s is told on the claim with the remedy, and cured it goes on',
    async (_, action, error, reason, remedy) => {
      const azure = await start()
      await azure.startController()
      azure.world.actionFaults.set(action, { error })
      await applyAzureDefaults(azure)
      await applyDeployment(azure, 'web', 1, '1')
      await azure.until('a claim says why', async () => {
        const launched = conditionOf((await azure.all(kinds.nodeClaims))[0], 'Launched')
        return launched?.status === 'Unknown' && launched.reason === reason && remedy.test(launched.message ?? '')
      })
      expect(azure.vms()).toEqual([])
      azure.world.actionFaults.clear()
      await untilRunning(azure, 1)
      expect(azure.vms()).toHaveLength(1)
      await scale(azure, 'web', 0)
      await azure.until('nothing is left', () => isEmpty(azure))
    },
    60_000,
  )

  test('an image family that there is not for the version is told on the class, with the remedy, and cured it goes on', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure, { nodeClass: { imageFamily: 'AzureLinux', fipsMode: 'FIPS' } })
    await applyDeployment(azure, 'web', 1, '1')
    await azure.until(
      'the class says why',
      async () => conditionOf(await azure.one(kinds.nodeClasses, 'default'), 'ImagesReady')?.status === 'False',
    )
    expect(conditionOf(await azure.one(kinds.nodeClasses, 'default'), 'ImagesReady')?.message).toMatch(
      /--use-sig, or spec\.fipsMode/,
    )
    await azure.face.patch({ ...kinds.nodeClasses, name: 'default' }, 'merge', { spec: { fipsMode: 'Disabled' } })
    await untilRunning(azure, 1)
  }, 60_000)

  test('a size that is not sold here is left alone, and another is bought for the same claim', async () => {
    const azure = await start()
    const controller = await azure.startController()
    azure.world.launchFaults.push({ phase: 'request', error: launchErrors.skuNotAvailable, times: 2 })
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 1, '1')
    await untilRunning(azure, 1)
    const puts = controller.azure.calls.filter(({ method, action }) => method === 'PUT' && action === `${vmType}/write`)
    const sizes = puts.map(({ body }) => JSON.stringify((body['properties'] ?? body)['hardwareProfile' as never]))
    // In its zones, in the region as a whole, and then something else.
    expect([sizes.length, new Set(sizes).size]).toEqual([3, 2])
    expect(new Set(puts.map(({ path }) => path)).size).toBe(1)
  }, 60_000)

  const withdraw = async (azure: VirtualAzure) => {
    await scale(azure, 'web', 0)
    for (const { metadata } of await azure.all(kinds.nodeClaims))
      await azure.face.delete({ ...kinds.nodeClaims, name: metadata.name })
  }

  test('Z-GC-03: a claim that goes while Azure has no room takes the interface along that was kept for its next try', async () => {
    const azure = await start()
    await azure.startController()
    azure.world.launchFaults.push({ phase: 'request', error: launchErrors.zonalAllocationFailed })
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 1, '1')
    await azure.until('an interface waits for its VM', () => azure.nics().length > 0)
    await withdraw(azure)
    await azure.until('nothing is left', () => isEmpty(azure), minute)
    expect(await azure.all(kinds.nodeClaims)).toEqual([])
  })

  test.each([
    ['the interface', `${nicType}/write`],
    ['the VM', `${vmType}/write`],
  ])(
    'Z-CP-16: a claim that goes while no controller runs takes along what the last one began: %s',
    async (_, action) => {
      const azure = await start()
      const first = await azure.startController((effect) => (effect.action === action ? 'lost' : 'pass'))
      await applyAzureDefaults(azure)
      await applyDeployment(azure, 'web', 1, '1')
      await azure.until('the controller is dead', () => first.isDead())
      await withdraw(azure)
      expect(isEmpty(azure)).toBe(false)
      await azure.startController()
      await azure.until('nothing is left', () => isEmpty(azure), minute)
      expect(await azure.all(kinds.nodeClaims)).toEqual([])
    },
  )
})

describe('machines of AKS whose claims go', () => {
  const machineType = 'Microsoft.ContainerService/managedClusters/agentPools/machines'
  const settings = {
    provisionMode: 'aksmachineapiheaderbatch',
    useSig: true,
    sigSubscriptionId: subscription,
    aksMachinesPoolName: agentPool,
  } as const
  const startTwo = async () => {
    const azure = stopping(await startVirtualAzure({ settings }))
    const { azure: port } = await azure.startController()
    await applyAzureDefaults(azure)
    const machines = () =>
      azure.world
        .all()
        .flatMap(({ type, name, deletedAtMs }) => (type === machineType && deletedAtMs === undefined ? [name] : []))
    const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [one] } } }
    return { azure, port, machines, apart }
  }
  const one = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' }
  const puts = (port: { readonly calls: ReadonlyArray<{ readonly method: string; readonly action: string }> }) =>
    port.calls.filter(({ method, action }) => method === 'PUT' && action === `${machineType}/write`).length

  test('Z-BAT-05: one that is deleted while its batch gathers takes its machine along, and leaves the other its own', async () => {
    const { azure, port, machines, apart } = await startTwo()
    await applyDeployment(azure, 'web', 2, '1', apart)
    await azure.until('both have claims', async () => (await azure.all(kinds.nodeClaims)).length === 2)
    expect(puts(port)).toBe(0)
    const [name = ''] = (await azure.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)
    await scale(azure, 'web', 1)
    await azure.face.delete({ ...kinds.nodeClaims, name })
    await azure.until('both were made', () => puts(port) === 1)
    await azure.until('one is gone', async () => (await azure.all(kinds.nodeClaims)).length === 1, minute)
    await azure.until('its machine is gone', () => machines().length === 1, minute)
    await untilRunning(azure, 1)
  })

  test('Z-BAT-08: one that is deleted while its machine comes to nothing goes with it', async () => {
    const { azure, machines } = await startTwo()
    azure.world.launchFaults.push({ phase: 'operation', error: launchErrors.overconstrainedZonal })
    await applyDeployment(azure, 'web', 1, '1')
    await azure.until('a machine is being made', () => machines().length === 1)
    const [name = ''] = (await azure.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)
    await scale(azure, 'web', 0)
    await azure.face.delete({ ...kinds.nodeClaims, name })
    await azure.until('the claim is gone', async () => (await azure.all(kinds.nodeClaims)).length === 0, minute)
    await azure.until('the machine is gone', () => machines().length === 0, minute)
  })
})

describe('the end of a process at any effect', () => {
  const scenario = async (azure: VirtualAzure, number: number, fate: 'dead' | 'lost') => {
    let effect = ''
    const first = await azure.startController(({ action, number: at }) => {
      if (at !== number) return 'pass'
      effect = action
      return fate
    })
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 1, '1')
    const isOver = async () => first.isDead() || (await runningPods(azure)) === 1
    await azure.until('the pod runs, or the controller is dead', isOver)
    if (!first.isDead()) {
      await azure.until(
        'the claim is done',
        async () => azure.world.below(azure.world.list(nodeGroup, vmType)[0] as never).length > 0 || first.isDead(),
      )
      await scale(azure, 'web', 0)
      await azure.until('nothing is left, or the controller is dead', () => first.isDead() || isEmpty(azure))
    }
    const died = first.isDead()
    if (!died) return { effect, died }
    await azure.clock.advance(20_000)
    const next = await azure.startController()
    await azure.until('the pods are as wanted', async () => (await runningPods(azure)) === (await wanted(azure)))
    // Never two VMs for one claim, nor one for none.
    await azure.until('each claim has its VM', async () => {
      const claims = (await azure.all(kinds.nodeClaims)).map(({ metadata }) => `aks-${metadata.name}`)
      return claims.toSorted().join() === azure.vms().toSorted().join()
    })
    await scale(azure, 'web', 0)
    await azure.until('nothing is left', () => isEmpty(azure), 20 * minute)
    await azure.until('no claim is left', async () => (await azure.all(kinds.nodeClaims)).length === 0)
    expect(next.errors).toEqual([])
    return { effect, died }
  }
  const wanted = async (azure: VirtualAzure): Promise<number> => {
    const [web] = await azure.all(kinds.deployments)
    return (web?.spec as { readonly replicas?: number } | undefined)?.replicas ?? 0
  }

  test.each(['dead', 'lost'] as const)(
    'Z-CP-16: loses nothing and leaves nothing behind, whether it ends before the effect or before its answer (%s)',
    async (fate) => {
      const met: Array<string> = []
      for (let number = 1; ; number += 1) {
        const azure = await start()
        const { effect, died } = await scenario(azure, number, fate)
        await azure.stop()
        if (!died) break
        met.push(effect)
      }
      expect(met).toEqual([`${nicType}/write`, `${vmType}/write`, `${vmType}/extensions/write`, `${vmType}/delete`])
    },
    120_000,
  )
})
