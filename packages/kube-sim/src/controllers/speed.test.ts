import { expect, test } from '@jest/globals'

import { phaseCounts, oneContainer, startTestCluster } from '../../test/cluster-fixture.ts'

// Measured: about 2 CPU seconds on a quiet machine. The limit is generous: machines are small and shared.
const limitCpuMs = 20_000

test('2,000 pods run on 100 nodes within a few CPU seconds, spread over zones', async () => {
  const cluster = startTestCluster()
  for (let index = 0; index < 100; index += 1) {
    await cluster.addNode(`n${index}`, {
      labels: { 'topology.kubernetes.io/zone': `z${index % 3}` },
      allocatable: { cpu: '16', memory: '64Gi' },
    })
  }
  await cluster.clock.advance(1000)
  const before = process.cpuUsage()
  await cluster.addDeployment('plain', 1000, { spec: oneContainer({ cpu: '500m', memory: '512Mi' }) })
  await cluster.addDeployment('spread', 1000, {
    spec: {
      ...oneContainer({ cpu: '500m', memory: '512Mi' }),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'spread' } },
        },
      ],
    },
  })
  await cluster.clock.advance(5000)
  const used = process.cpuUsage(before)
  expect(phaseCounts(cluster.pods())).toEqual({ Running: 2000 })
  const perZone = new Map<string, number>()
  for (const pod of cluster.pods()) {
    if (pod.metadata.labels?.['app'] !== 'spread') continue
    const zone = cluster.node(pod.spec.nodeName ?? '').metadata.labels?.['topology.kubernetes.io/zone'] ?? ''
    perZone.set(zone, (perZone.get(zone) ?? 0) + 1)
  }
  expect([...perZone.values()].sort((a, b) => a - b)).toEqual([333, 333, 334])
  expect((used.user + used.system) / 1000).toBeLessThan(limitCpuMs)
  expect(cluster.errors).toEqual([])
  await cluster.stop()
}, 60_000)
