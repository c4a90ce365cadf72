import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { deployment, nodeClass, nodePool, startTestCluster, type TestCluster } from '../test-cluster.ts'

describe('Disruption on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.startController()
    cluster.apply(nodeClass, nodePool('default'))
  })
  afterAll(() => cluster.stop())

  test('nodes whose pods are gone go too, and their machines', async () => {
    cluster.apply(deployment('web', 10, { cpu: '1' }))
    await cluster.until('10 pods run', () => cluster.running('app=web') === 10)
    cluster.kubectl(['scale', 'deployment', 'web', '--replicas=0'])
    await cluster.until('no node is left', () => cluster.nodes().length === 0 && cluster.claims().length === 0, 120_000)
    expect(cluster.list('pods', '-l', 'app=web')).toEqual([])
  })
})
