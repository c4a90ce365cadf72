import { describe, expect, test } from '@jest/globals'
import type { InstanceType } from '@scantling/core'
import { instanceType, offering } from '@scantling/core/testing'
import { virtualClock } from '@scantling/provider-kit'
import { makeMetrics } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { runInstanceTypeMetrics } from './instance-type-metrics.ts'

const sold = (name: string, ...offerings: ReadonlyArray<InstanceType['offerings'][number]>): InstanceType => ({
  ...instanceType(name, 2),
  offerings,
})
const soldOut = { reason: 'sold out' }

const run = (byPool: () => ReadonlyMap<string, ReadonlyArray<InstanceType>>, reservedCapacity = false) => {
  const clock = virtualClock(0)
  const metrics = makeMetrics()
  const stop = new AbortController()
  void runInstanceTypeMetrics({
    clock,
    metrics,
    shutdown: stop.signal,
    steadyNowMs: () => 0,
    clusterFacts: () => ({ name: 'demo', kubernetesVersion: '1.34', objects: {} }),
    state: { nodePools: () => [], settings: { featureGates: { reservedCapacity } } },
    types: { ofNodePools: () => Promise.resolve(byPool()) },
  } as unknown as ReconcilerContext)
  const text = async () => {
    await clock.advance(60_000)
    const lines = (await metrics.render()).split('\n')
    return lines.filter((line) => line.startsWith('karpenter_cloudprovider_instance_type')).sort()
  }
  return { text, stop: () => stop.abort() }
}

describe('metrics of instance types', () => {
  test('A-ITP-09: processors and bytes of memory of each type, until nobody may launch it any more', async () => {
    let pools = new Map([['a', [sold('m5.large'), sold('c5.large')]]])
    const { text, stop } = run(() => pools)
    expect(await text()).toEqual([
      'karpenter_cloudprovider_instance_type_cpu_cores{instance_type="c5.large"} 2',
      'karpenter_cloudprovider_instance_type_cpu_cores{instance_type="m5.large"} 2',
      'karpenter_cloudprovider_instance_type_memory_bytes{instance_type="c5.large"} 8589934592',
      'karpenter_cloudprovider_instance_type_memory_bytes{instance_type="m5.large"} 8589934592',
    ])
    pools = new Map([['a', [sold('m5.large')]]])
    expect((await text()).join('\n')).not.toContain('c5.large')
    stop()
  })

  test('A-OFF-10: an offering open to one NodePool is available, the lowest price counts, and nothing reserved is nought', async () => {
    const on = { ...offering('a', 'on-demand', 2), unavailable: soldOut }
    const pools = new Map([
      ['first', [sold('m5.large', on, { ...offering('b', 'spot', 1), unavailable: soldOut })]],
      // The third NodePool has a NodeClass that is not there, and is left out by who lists the types.
      ['second', [sold('m5.large', offering('a', 'on-demand', 3))]],
    ])
    const { text, stop } = run(() => pools, true)
    const of = (metric: string, capacityType: string, zone: string) =>
      `karpenter_cloudprovider_instance_type_offering_${metric}{instance_type="m5.large",capacity_type="${capacityType}",zone="${zone}"}`
    expect((await text()).filter((line) => line.includes('_offering_'))).toEqual([
      `${of('available', 'on-demand', 'a')} 1`,
      `${of('available', 'reserved', 'a')} 0`,
      `${of('available', 'reserved', 'b')} 0`,
      `${of('available', 'spot', 'b')} 0`,
      `${of('price_estimate', 'on-demand', 'a')} 2`,
      `${of('price_estimate', 'spot', 'b')} 1`,
    ])
    stop()
  })
})
