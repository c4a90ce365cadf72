import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { deployment, nodeClass, nodePool, startTestCluster, type TestCluster } from '../test-cluster.ts'

describe('Provisioning on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.startController()
    cluster.apply(nodeClass, nodePool('default'))
  })
  afterAll(() => cluster.stop())

  test('pods that no node can take run on machines bought for them, in one batch', async () => {
    cluster.apply(deployment('web', 30, { cpu: '500m', memory: '512Mi' }))
    await cluster.until('30 pods run', () => cluster.running('app=web') === 30)
    const claims = cluster.claims()
    expect(claims.length).toBeLessThanOrEqual(2)
    await cluster.until('the nodes are initialized', () =>
      cluster.nodes().every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true'),
    )
    expect(cluster.nodes().map(({ spec }) => spec.providerID)).toEqual(claims.map(({ status }) => status?.providerID))
  })

  test('pods that spread over zones are spread by the real scheduler over machines in each zone', async () => {
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          // Without it the scheduler counts only zones that have a node already.
          minDomains: 3,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'spread' } },
        },
      ],
    }
    cluster.apply(deployment('spread', 9, { cpu: '1' }, spread))
    await cluster.until('9 pods run', () => cluster.running('app=spread') === 9)
    const zoneOf = new Map(
      cluster.nodes().map(({ metadata }) => [metadata.name, metadata.labels?.['topology.kubernetes.io/zone'] ?? '']),
    )
    const counts = new Map<string, number>()
    for (const { spec } of cluster.list('pods', '-l', 'app=spread')) {
      const zone = zoneOf.get(spec.nodeName ?? '') ?? ''
      counts.set(zone, (counts.get(zone) ?? 0) + 1)
    }
    const sizes = [...counts.values()]
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  })
})
