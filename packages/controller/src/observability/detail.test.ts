import { describe, expect, test } from '@jest/globals'
import { type MetricFamily, families, isDetailed, makeMetrics } from './index.ts'

describe('detail of metrics', () => {
  test('families with a series for each pod, node or instance type are detail, by their labels', () => {
    const detailed = Object.values<MetricFamily>(families).filter(isDetailed)
    expect(detailed.map(({ name }) => name).sort()).toEqual([
      'karpenter_cloudprovider_instance_type_cpu_cores',
      'karpenter_cloudprovider_instance_type_memory_bytes',
      'karpenter_cloudprovider_instance_type_offering_available',
      'karpenter_cloudprovider_instance_type_offering_price_estimate',
      'karpenter_pods_provisioning_scheduling_undecided_time_seconds',
      'karpenter_pods_provisioning_unbound_time_seconds',
      'karpenter_pods_provisioning_unstarted_time_seconds',
      'karpenter_pods_state',
      'karpenter_pods_unbound_time_seconds',
      'karpenter_pods_unstarted_time_seconds',
    ])
    expect(isDetailed({ labels: ['instance_type', 'zone'] })).toBe(true)
    expect(isDetailed({ labels: ['image', 'size', 'zone'] })).toBe(true)
    expect(isDetailed({ labels: ['nodepool', 'capacity_type'] })).toBe(false)
  })

  test('without detail they are not kept, and nothing else is left out, renamed or stripped', async () => {
    const offered: MetricFamily = {
      name: 'cloud_offered',
      type: 'gauge',
      help: 'Offered',
      labels: ['instance_type', 'zone'],
    }
    const texts = [true, false].map((detail) => {
      const metrics = makeMetrics({ detail })
      metrics.set(offered, { instance_type: 'm5.large', zone: 'a' }, 1)
      metrics.set(families.nodePoolsCost, { nodepool: 'default' }, 3)
      metrics.remove(offered, { instance_type: 'x', zone: 'a' })
      return metrics.render()
    })
    const [all = '', usual = ''] = await Promise.all(texts)
    expect(all).toContain('cloud_offered{instance_type="m5.large",zone="a"} 1')
    expect(usual).not.toContain('cloud_offered')
    expect(all).toContain(usual.trim())
    expect(usual).toContain('karpenter_nodepools_cost_total{nodepool="default"} 3')
  })
})
