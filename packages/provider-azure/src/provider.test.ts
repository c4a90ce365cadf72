import { describe, expect, test } from '@jest/globals'
import { claimFor, rig, rightOf } from '../test/rig.ts'

describe('the provider over a small Azure', () => {
  test('a claim becomes a VM with its interface, is made to the end, and goes without a trace', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    expect([made.vms(), made.nics(), made.disks()]).toEqual([
      ['aks-general-abcde'],
      ['aks-general-abcde'],
      ['aks-general-abcde'],
    ])
    expect(await made.converged(claim, instance.providerId)).toMatchObject({ _tag: 'Converged' })
    expect(rightOf(await made.list()).instances).toHaveLength(1)
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Started')
    await made.clock.advance(5_000)
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Gone')
    expect([made.vms(), made.nics(), made.disks()]).toEqual([[], [], []])
  })
})
