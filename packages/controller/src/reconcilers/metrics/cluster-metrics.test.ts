import { describe, expect, test } from '@jest/globals'
import { Resources } from '@scantling/core'
import { makeMetrics } from '../../observability/index.ts'
import { reportCluster } from './cluster-metrics.ts'
import type { ReconcilerContext } from '../context.ts'

describe('reportCluster()', () => {
  test('M-NODE-03 reports nodes, sync and requests over allocatable, and nothing where there is nothing to fill', async () => {
    const pod = (cpu: string, phase = 'Running') => ({ phase, requests: Resources.parse({ cpu }) })
    const node = (cpu: string, pods: ReadonlyArray<unknown>) => ({
      node: { allocatable: Resources.parse({ cpu }), capacity: {}, labels: {}, taints: [] },
      isManaged: false,
      pods,
    })
    const metrics = makeMetrics()
    reportCluster({
      metrics,
      caches: { synced: () => true },
      state: { nodes: () => [node('4', [pod('1'), pod('3', 'Succeeded')]), node('4', [pod('1')])] },
    } as unknown as ReconcilerContext)
    const text = await metrics.render()
    expect(text).toContain('karpenter_cluster_state_node_count 2')
    expect(text).toContain('karpenter_cluster_state_synced 1')
    expect(text).toContain('karpenter_cluster_utilization_percent{resource_type="cpu"} 25')
    expect(text).not.toContain('resource_type="memory"')
  })
})
