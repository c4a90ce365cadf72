import { describe, expect, test } from '@jest/globals'
import type { CancelSignal } from '@scantling/core'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { backendPools, nodeSecurityGroupOf, poolIdsOf, securityGroups } from './index.ts'

const signal: CancelSignal = new AbortController().signal
const hour = 3_600_000

const pool = (name: string, addresses: ReadonlyArray<string> = []) => ({
  id: `/lb/${name}`,
  name,
  loadBalancerBackendAddresses: addresses.map((ipAddress) => ({ ipAddress })),
})

describe('pools of the load balancers', () => {
  test('Z-NET-01: those of the cluster’s two balancers, whatever their case, but not of IPv6 and not of addresses', () => {
    const balancers = [
      {
        name: 'Kubernetes',
        backendAddressPools: [pool('a'), pool('KUBERNETES-ipv6'), pool('addresses', ['10.0.0.1'])],
      },
      { name: 'kubernetes-internal', backendAddressPools: [pool('b', ['']), pool('aksOutboundBackendPool-IPv6')] },
      { name: 'mine', backendAddressPools: [pool('c')] },
      { name: 'kubernetes' },
    ]
    expect(poolIdsOf(balancers)).toEqual(['/lb/a', '/lb/b'])
    expect(poolIdsOf([])).toEqual([])
  })

  const counted = () => {
    const { clock, run } = recordingHost()
    let reads = 0
    const pools = backendPools({
      network: {
        listLoadBalancers: () => async () => {
          reads += 1
          await Promise.resolve()
          return E.right([{ name: 'kubernetes', backendAddressPools: [pool(String(reads))] }])
        },
      },
      resourceGroup: 'g',
      nowMs: clock.nowMs,
    })
    return { clock, run, pools, reads: () => reads }
  }

  test('Z-NET-01: are read once for two hours', async () => {
    const { clock, pools, reads } = counted()
    await Promise.all([pools.current(signal)(), pools.current(signal)()])
    await clock.advance(2 * hour - 1)
    await pools.current(signal)()
    expect(reads()).toBe(1)
    await clock.advance(1)
    expect(rightOf(await pools.current(signal)()).value).toEqual(['/lb/2'])
  })

  test('Z-NET-02: the first who finds them wrong has them read anew; who held the same reading shares that', async () => {
    const { pools, reads } = counted()
    const first = rightOf(await pools.current(signal)())
    const [one, other] = await Promise.all([pools.after(first, signal)(), pools.after(first, signal)()])
    expect(rightOf(one)).toEqual(rightOf(other))
    // Late, and of a reading that nobody has any more.
    expect(rightOf(await pools.after(first, signal)()).value).toEqual(['/lb/2'])
    expect(reads()).toBe(2)
    expect(rightOf(await pools.after(rightOf(one), signal)()).value).toEqual(['/lb/3'])
  })
})

test('a reading whose asker has left is taken again for those who share it', async () => {
  const leaving = new AbortController()
  let reads = 0
  const pools = backendPools({
    network: {
      listLoadBalancers: (_, own) => async () => {
        reads += 1
        await Promise.resolve()
        return own.aborted
          ? E.left({ action: 'a', code: 'Cancelled', message: 'Cancelled', phase: 'request' })
          : E.right([])
      },
    },
    resourceGroup: 'g',
    nowMs: () => 0,
  })
  const both = [pools.current(leaving.signal)(), pools.current(signal)()]
  leaving.abort()
  const [first, second] = await Promise.all(both)
  expect([first?._tag, second?._tag, reads]).toEqual(['Left', 'Right', 2])
})

describe('the security group of nodes', () => {
  const group = (name: string) => ({ id: `/nsg/${name}`, name })

  test('Z-NET-03: is the one that AKS named; with none or several nobody knows which', () => {
    const groups = [group('mine'), group('AKS-agentpool-12345678-NSG'), group('aks-agentpool-1234-nsg')]
    expect(rightOf(nodeSecurityGroupOf(groups, 'g')).name).toBe('AKS-agentpool-12345678-NSG')
    const problems = [[], [...groups, group('aks-agentpool-87654321-nsg')]].map(
      (some) => leftOf(nodeSecurityGroupOf(some, 'g')).message,
    )
    expect(problems).toEqual([
      expect.stringContaining('found none; check --node-resource-group'),
      expect.stringContaining('found 2; check --node-resource-group'),
    ])
  })

  test('Z-NET-03: once found it is kept; a failure is not', async () => {
    let reads = 0
    const found = securityGroups({
      network: {
        listSecurityGroups: () => async () => E.right((reads += 1) === 1 ? [] : [group('aks-agentpool-12345678-nsg')]),
      },
      resourceGroup: 'g',
      nowMs: () => reads * 1000 * hour,
    })
    expect(leftOf(await found.current(signal)())).toMatchObject({ field: 'node-resource-group' })
    const names = [await found.current(signal)(), await found.current(signal)()].map((one) => rightOf(one).value.name)
    expect(new Set(names)).toEqual(new Set(['aks-agentpool-12345678-nsg']))
    expect(reads).toBe(2)
  })
})
