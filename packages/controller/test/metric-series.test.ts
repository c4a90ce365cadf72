import { afterEach, describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { resource } from '@scantling/kube-sim'
import { startConditionMetrics, startNodeMetrics, startPodMetrics } from '../src/reconcilers/metrics/index.ts'
import { makeContext } from '../src/reconcilers/index.ts'
import { runController } from '../src/run-controller.ts'
import { startCluster } from './kube-sim-cluster.ts'
import { settingsOf } from './settings.ts'
import { toyController } from './toy-provider.ts'

const closers: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const conditions = (...types: ReadonlyArray<string>) =>
  types.map((type) => ({ type, status: 'True', reason: type, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }))

const claimOf = (index: number) => ({
  metadata: { name: `claim-${index}`, labels: { 'karpenter.sh/nodepool': `pool-${index % 5}` } },
  spec: { nodeClassRef: { group: 'toy.example', kind: 'ToyClass', name: 'default' }, requirements: [] },
})
const nodeOf = (index: number) => ({
  metadata: {
    name: `node-${index}`,
    labels: {
      'karpenter.sh/nodepool': `pool-${index % 5}`,
      'karpenter.sh/initialized': 'true',
      'node.kubernetes.io/instance-type': `type-${index % 700}`,
    },
  },
  spec: { providerID: `toy://${index}` },
  status: {
    capacity: { cpu: '4', memory: '8Gi', pods: '110' },
    allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
    conditions: conditions('Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'),
  },
})
const podOf = (index: number) => ({
  metadata: { name: `pod-${index}`, namespace: 'default' },
  spec: {
    nodeName: `node-${index}`,
    containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu: '1' } } }],
  },
})

/** How many series a controller with this many nodes has, that of every family counted. */
const seriesAt = async (nodes: number, ...flags: ReadonlyArray<string>): Promise<number> => {
  const cluster = await startCluster()
  closers.push(cluster.close)
  const face = cluster.api.face('test')
  for (let index = 0; index < nodes; index++) {
    await face.create(resource('karpenter.sh/v1', 'nodeclaims'), claimOf(index))
    await face.create(resource('v1', 'nodes'), nodeOf(index))
    await face.create({ ...resource('v1', 'pods'), namespace: 'default' }, podOf(index))
  }
  const ports = ['--metrics-port=0', '--health-probe-port=0', '--bind-address=127.0.0.1', '--leader-elect=false']
  const started = await runController({
    settings: settingsOf(['--provider=toy', `--server=${cluster.url}`, ...ports, ...flags]),
    ...toyController,
    startReconcilers: (deps) => {
      const context = makeContext(deps)
      const stops = [startConditionMetrics(context), startNodeMetrics(context), startPodMetrics(context)]
      return { stopped: async () => stops.forEach((stop) => stop()) }
    },
  })()
  if (E.isLeft(started)) throw new Error(started.left)
  closers.push(started.right.stop)
  await started.right.ready
  const response = await fetch(`http://127.0.0.1:${started.right.metricsPort}/metrics`)
  return (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
}

describe('the number of metric series', () => {
  test('does not grow with nodes, pods and instance types, unless detail is asked for', async () => {
    const [small, large, detailed] = [await seriesAt(5), await seriesAt(1000), await seriesAt(100, '--metrics-detail')]
    expect(large).toBe(small)
    expect(large).toBeLessThan(1500)
    expect(detailed).toBeGreaterThan(100 * 15)
  }, 60_000)
})
