import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { conditionOf, deployment, nodeClass, nodePool, startTestCluster, type TestCluster } from '../test-cluster.ts'

const quick = { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '1s' }
/** Machines of one size, so that pods spread over several. */
const ofFourCpus = {
  requirements: [
    { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
    { key: 'karpenter.kwok.sh/instance-cpu', operator: 'In', values: ['4'] },
  ],
}

describe('Disruption on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.startController()
    cluster.apply(nodeClass)
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    cluster.kubectl(['delete', 'deployment,poddisruptionbudget', '--all', '-n', 'default'])
    cluster.kubectl(['delete', 'nodepool', '--all', '--wait=false'])
    await cluster.until('nothing of an earlier test is left', () => cluster.claims().length === 0, 150_000)
  })

  const run = async (app: string, replicas: number) => {
    await cluster.until(`${replicas} pods of ${app} run`, () => cluster.running(`app=${app}`) === replicas, 120_000)
    await cluster.until('every node is initialized', () =>
      cluster.nodes().every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true'),
    )
  }

  test('nodes whose pods are gone go too, and their machines', async () => {
    cluster.apply(nodePool('default'), deployment('web', 10, { cpu: '1' }))
    await run('web', 10)
    cluster.kubectl(['scale', 'deployment', 'web', '--replicas=0'])
    await cluster.until('no node is left', () => cluster.nodes().length === 0 && cluster.claims().length === 0, 120_000)
    expect(cluster.list('pods', '-l', 'app=web')).toEqual([])
  })

  test('nodes that are half empty become fewer, and a budget of pods is kept all the while', async () => {
    cluster.apply(
      nodePool('default', { spec: { disruption: { ...quick, budgets: [{ nodes: '100%' }] } }, template: ofFourCpus }),
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web', namespace: 'default' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
      },
      deployment('web', 9, { cpu: '1' }),
    )
    await run('web', 9)
    const before = cluster.nodes().length
    expect(before).toBe(3)
    cluster.kubectl(['scale', 'deployment', 'web', '--replicas=3'])
    let fewest = 3
    await cluster.until(
      'one node is left',
      () => {
        const isScaled = cluster.list('pods', '-l', 'app=web').length <= 4
        if (isScaled) fewest = Math.min(fewest, cluster.running('app=web'))
        return cluster.nodes().length === 1
      },
      180_000,
    )
    expect(fewest).toBeGreaterThanOrEqual(2)
    await cluster.until('the pods run', () => cluster.running('app=web') === 3)
  })

  test('a pod that must not be moved holds its node, and its event says so', async () => {
    cluster.apply(
      nodePool('default', { spec: { disruption: { ...quick, budgets: [{ nodes: '100%' }] } }, template: ofFourCpus }),
      deployment('held', 1, { cpu: '100m' }, {}, { 'karpenter.sh/do-not-disrupt': 'true' }),
      deployment('web', 5, { cpu: '1' }),
    )
    await run('held', 1)
    await run('web', 5)
    const [held] = cluster.list('pods', '-l', 'app=held')
    cluster.kubectl(['scale', 'deployment', 'web', '--replicas=0'])
    await cluster.until('one node is left', () => cluster.nodes().length === 1, 120_000)
    expect(cluster.nodes()[0]?.metadata.name).toBe(held?.spec.nodeName)
    await cluster.until('an event tells why', () =>
      cluster.events('DisruptionBlocked').some(({ message = '' }) => message.includes('do-not-disrupt')),
    )
  })

  test('a node of an older template is replaced before it goes, one at a time where the budget says so', async () => {
    const budgets = [{ nodes: '1' }]
    cluster.apply(
      nodePool('default', {
        spec: { disruption: { ...quick, consolidateAfter: 'Never', budgets } },
        template: ofFourCpus,
      }),
      deployment('web', 6, { cpu: '1' }),
    )
    await run('web', 6)
    const before = cluster.nodes().map(({ metadata }) => metadata.uid)
    expect(before).toHaveLength(2)
    cluster.apply(
      nodePool('default', {
        spec: { disruption: { ...quick, consolidateAfter: 'Never', budgets } },
        template: { ...ofFourCpus, taints: [{ key: 'example.com/new', effect: 'PreferNoSchedule' }] },
      }),
    )
    let most = 0
    await cluster.until(
      'every node is new',
      () => {
        const marked = cluster
          .nodes()
          .filter(({ spec }) => spec.taints?.some(({ key }) => key === 'karpenter.sh/disrupted'))
        most = Math.max(most, marked.length)
        const now = cluster.nodes().map(({ metadata }) => metadata.uid)
        return now.length === 2 && !now.some((uid) => before.includes(uid))
      },
      240_000,
    )
    expect(most).toBe(1)
    await run('web', 6)
    expect(cluster.claims().every((claim) => conditionOf(claim, 'Drifted') === undefined)).toBe(true)
  })

  test('a node that has reached its age goes, and its pods run elsewhere', async () => {
    cluster.apply(
      nodePool('default', { template: { ...ofFourCpus, expireAfter: '30s' } }),
      deployment('web', 2, { cpu: '1' }),
    )
    await run('web', 2)
    const before = cluster.nodes().map(({ metadata }) => metadata.uid)
    await cluster.until(
      'the node is another',
      () => cluster.nodes().every(({ metadata }) => !before.includes(metadata.uid)) && cluster.running('app=web') === 2,
      180_000,
    )
  })
})
