import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  deployment,
  nodeClass,
  nodePool,
  startTestCluster,
  type RunningController,
  type TestCluster,
} from '../test-cluster.ts'

const flags = ['--leader-elect=true', '--leader-election-namespace=kube-system']

describe('Two controllers on a real control plane', () => {
  let cluster: TestCluster
  let second: RunningController | undefined
  beforeAll(async () => {
    cluster = await startTestCluster()
    cluster.apply(nodeClass, nodePool('default'))
  })
  afterAll(() => cluster.stop())

  const holder = () =>
    cluster.list('leases').find(({ metadata }) => metadata.name === 'karpenter-leader-election')?.spec.holderIdentity ??
    ''

  test('one leads; when it is killed the other takes over, and nothing is bought twice', async () => {
    const first = await cluster.startController('first', { flags })
    await cluster.until('the first leads', () => holder() !== '')
    const before = holder()
    second = await cluster.startController('second', { flags })
    cluster.apply(deployment('web', 4, { cpu: '500m' }))
    await cluster.until('4 pods run', () => cluster.running('app=web') === 4)
    await first.stop('SIGKILL')
    cluster.kubectl(['scale', 'deployment', 'web', '--replicas=40'])
    await cluster.until('the second leads', () => holder() !== before && holder() !== '', 60_000)
    await cluster.until('40 pods run', () => cluster.running('app=web') === 40, 120_000)
    const machines = cluster.claims().map(({ status }) => status?.providerID)
    expect(new Set(machines).size).toBe(machines.length)
  })

  test('a leader that was paused and wakes up changes nothing that the new one has done', async () => {
    const before = holder()
    await cluster.startController('third', { flags })
    second?.send('SIGSTOP')
    await cluster.until('the third leads', () => holder() !== before && holder() !== '', 60_000)
    cluster.kubectl(['scale', 'deployment', 'web', '--replicas=80'])
    await cluster.until('80 pods run', () => cluster.running('app=web') === 80, 150_000)
    const settled = cluster.claims().map(({ metadata }) => metadata.uid)
    second?.send('SIGCONT')
    await new Promise((wake) => setTimeout(wake, 20_000))
    expect(new Set(cluster.claims().map(({ metadata }) => metadata.uid))).toEqual(new Set(settled))
    expect(holder()).not.toBe(before)
  })
})
