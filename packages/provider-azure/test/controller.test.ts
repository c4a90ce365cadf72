import { describe, expect, test } from '@jest/globals'
import { applyDefaults, conditionOf, startVirtualAzure } from './virtual-cluster.ts'

describe('the controller over a small Azure, on virtual time', () => {
  test('pods get a VM with its interface, it joins, is consolidated, and nothing is left', async () => {
    const azure = await startVirtualAzure()
    await azure.startController()
    await applyDefaults(azure)
    await azure.deploy('web', 3, '1500m')
    await azure.until('the pods run', async () => (await azure.runningPods()) === 3)
    const before = azure.vms().length
    expect(before).toBeGreaterThan(0)
    expect(azure.nics().length).toBe(before)
    const [claim] = await azure.all('nodeClaims')
    expect(conditionOf(claim, 'Ready')).toMatchObject({ status: 'True' })
    await azure.scale('web', 0)
    await azure.until('nothing is left', () => azure.vms().length + azure.nics().length + azure.disks().length === 0)
    await azure.until('no claim is left', async () => (await azure.all('nodeClaims')).length === 0)
    await azure.stop()
  }, 60_000)
})
