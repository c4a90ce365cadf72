import { describe, expect, test } from '@jest/globals'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import type { AzureSettings } from '../src/settings.ts'
import { agentPool, subscription, World } from './emulator/index.ts'
import { fakeAzure, type FakeAzure } from './fake-azure/index.ts'
import { claimFor, rig } from './rig.ts'

const machines: Partial<AzureSettings> = {
  provisionMode: 'aksmachineapi',
  useSig: true,
  sigSubscriptionId: subscription,
  aksMachinesPoolName: agentPool,
}
const { clock } = recordingHost()
const smallAzure = (): FakeAzure => fakeAzure(new World({ nowMs: clock.nowMs, operationMs: 1_000, pageSize: 1_000 }))
const living = (azure: FakeAzure, settings: Partial<AzureSettings> = {}) => rig({ azure, clock, settings })
const launched = async (made: Awaited<ReturnType<typeof living>>, name: string) =>
  rightOf(await made.launch(claimFor(name))).instance
const owners = async (made: Awaited<ReturnType<typeof living>>) =>
  rightOf(await made.list())
    .instances.map(({ owner, details }) => `${details?._tag} ${owner.nodeClaim}`)
    .sort((a, b) => (a < b ? -1 : 1))

describe('VMs and machines side by side', () => {
  test('Z-MACH-02: where VMs are made, machines are seen only if the setting says so', async () => {
    const azure = smallAzure()
    const machine = await launched(await living(azure, machines), 'first-aaaaa')
    const blind = await living(azure)
    expect(await owners(blind)).toEqual([])
    expect(leftOf(await blind.get(machine.providerId))._tag).toBe('InstanceNotFound')
    const calls = azure.calls.filter(({ action }) => action.includes('agentPools')).length
    expect(await owners(blind)).toEqual([])
    expect(azure.calls.filter(({ action }) => action.includes('agentPools'))).toHaveLength(calls)

    const { provisionMode: _, ...pool } = machines
    const seeing = await living(azure, {
      ...pool,
      provisionMode: 'aksscriptless',
      manageExistingAksMachines: true,
      sigAccessTokenServerUrl: 'http://127.0.0.1',
    })
    expect(await owners(seeing)).toEqual(['Machine first-aaaaa'])
    expect(rightOf(await seeing.get(machine.providerId)).owner.nodeClaim).toBe('first-aaaaa')
  })

  test('Z-MACH-21, Z-CP-05: nodes of either kind are told, read, ended, whichever is made now; machines bring nothing of ours', async () => {
    const azure = smallAzure()
    const vm = await launched(await living(azure), 'second-bbbbb')
    const made = await living(azure, machines)
    const nics = made.nics()
    const machine = await launched(made, 'third-ccccc')
    expect(machine.details?._tag).toBe('Machine')
    // Interface, boot data, balancer and security group are AKS' affair.
    expect(made.nics()).toEqual(nics)
    const put = azure.calls.find(({ method, path }) => method === 'PUT' && path.endsWith('/machines/third-ccccc'))
    expect(JSON.stringify(put?.body)).not.toMatch(/customData|loadBalancer|networkSecurityGroup|userAssignedIdentities/)
    expect(await owners(made)).toEqual(['Machine third-ccccc', 'Vm second-bbbbb'])
    for (const { providerId, owner } of [vm, machine]) expect(rightOf(await made.get(providerId)).owner).toEqual(owner)
    for (const { providerId } of [vm, machine]) expect(rightOf(await made.terminate(providerId))).toBe('Started')
    await clock.advance(10_000)
    for (const { providerId } of [vm, machine]) expect(rightOf(await made.terminate(providerId))).toBe('Gone')
    expect(await owners(made)).toEqual([])
  })

  test('a wrong agent pool, a missing right, a size that is not sold: reasons with their remedy', async () => {
    const azure = smallAzure()
    const made = await living(azure, machines)
    const { world } = azure
    const write = 'Microsoft.ContainerService/managedClusters/agentPools/machines/write'
    world.actionFaults.set(write, { error: { status: 403, code: 'AuthorizationFailed', message: 'no' }, times: 1 })
    expect(leftOf(await made.launch(claimFor('a-aaaaa')))).toMatchObject({
      reason: 'Unauthorized',
      error: { _tag: 'Unauthorized', message: expect.stringContaining(write) },
    })
    world.actionFaults.set(write, {
      error: { status: 403, code: 'RequestDisallowedByPolicy', message: 'policy p' },
      times: 1,
    })
    expect(leftOf(await made.launch(claimFor('b-bbbbb')))).toMatchObject({ reason: 'RequestDisallowedByPolicy' })
    world.actionFaults.set(write, {
      error: { status: 400, code: 'VMSizeNotSupported', message: 'not allowed in your subscription' },
      times: 1,
    })
    expect(leftOf(await made.launch(claimFor('c-ccccc')))).toMatchObject({ reason: 'SKUNotAvailable', keepClaim: true })
    // And the next one goes through.
    expect((await launched(made, 'd-ddddd')).owner.nodeClaim).toBe('d-ddddd')
  })
})
