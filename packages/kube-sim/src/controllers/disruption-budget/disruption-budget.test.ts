import { describe, expect, test } from '@jest/globals'

import { clusterForEach } from '../../../test/cluster-for-each.ts'
import { StatusError } from '../../face.ts'
import type { DisruptionBudgetObject } from '../objects.ts'
import { refs } from '../refs.ts'
import { budgetCounts } from './budget-status.ts'

describe('budgetCounts()', () => {
  test.each([
    [
      { minAvailable: 2 },
      { pods: 3, healthy: 3, wanted: 5 },
      { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 },
    ],
    [
      { minAvailable: '50%' },
      { pods: 3, healthy: 3, wanted: 5 },
      { expectedPods: 5, desiredHealthy: 3, disruptionsAllowed: 0 },
    ],
    [
      { maxUnavailable: 1 },
      { pods: 3, healthy: 3, wanted: 3 },
      { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 },
    ],
    [
      { maxUnavailable: '30%' },
      { pods: 7, healthy: 7, wanted: 7 },
      { expectedPods: 7, desiredHealthy: 4, disruptionsAllowed: 3 },
    ],
    [
      { maxUnavailable: 9 },
      { pods: 2, healthy: 1, wanted: 2 },
      { expectedPods: 2, desiredHealthy: 0, disruptionsAllowed: 1 },
    ],
    [
      { minAvailable: 1 },
      { pods: 0, healthy: 0, wanted: 0 },
      { expectedPods: 0, desiredHealthy: 1, disruptionsAllowed: 0 },
    ],
  ])('of %j with %j', (spec, input, expected) => {
    expect(budgetCounts({ spec, ...input })).toMatchObject(expected)
  })

  test('cannot tell a share of pods without a controller', () => {
    expect(budgetCounts({ spec: { maxUnavailable: 1 }, pods: 1, healthy: 1, wanted: undefined })).toBeUndefined()
    expect(budgetCounts({ spec: { minAvailable: '1%' }, pods: 1, healthy: 1, wanted: undefined })).toBeUndefined()
  })
})

describe('a PodDisruptionBudget', () => {
  const cluster = clusterForEach(async (fresh) => {
    await fresh.addNode('n0')
    await fresh.addDeployment('web', 3)
    await fresh.clock.advance(4000)
  })
  const addBudget = (spec: object) =>
    cluster.face.create(
      { ...refs.disruptionBudgets, namespace: 'default' },
      { metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'web' } }, ...spec } },
    )
  const status = () =>
    cluster.face.peek<DisruptionBudgetObject>('policy', 'poddisruptionbudgets').get('web', 'default')?.status
  const evict = async (name: string): Promise<number> => {
    try {
      await cluster.face.create(
        { ...refs.pods, namespace: 'default', name, subresource: 'eviction' },
        { metadata: { name } },
      )
      return 201
    } catch (error) {
      if (error instanceof StatusError) return error.code
      throw error
    }
  }

  test('is counted from the Deployment above its pods', async () => {
    await addBudget({ maxUnavailable: '34%' })
    await cluster.clock.advance(100)
    expect(status()).toMatchObject({
      observedGeneration: 1,
      expectedPods: 3,
      currentHealthy: 3,
      desiredHealthy: 1,
      disruptionsAllowed: 2,
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
    })
  })

  test('lets evictions through one by one as pods come back', async () => {
    await addBudget({ minAvailable: 2 })
    await cluster.clock.advance(100)
    const [first, second] = cluster.pods().map(({ metadata }) => metadata.name)
    expect(await evict(first ?? '')).toBe(201)
    expect(await evict(second ?? '')).toBe(429)
    await cluster.clock.advance(200)
    expect(status()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 0 })
    expect(await evict(second ?? '')).toBe(429)
    await cluster.clock.advance(5000)
    expect(status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 })
    expect(status()?.disruptedPods ?? {}).toEqual({})
    expect(await evict(second ?? '')).toBe(201)
  })

  test('counts what the Deployment wants during a rollout, not what its ReplicaSets hold', async () => {
    await cluster.face.patch({ ...refs.deployments, namespace: 'default', name: 'web' }, 'strategic', {
      spec: {
        strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 0 } },
        template: { spec: { containers: [{ name: 'main', image: 'two' }] } },
      },
    })
    await addBudget({ maxUnavailable: 1 })
    await cluster.clock.advance(500)
    expect(cluster.pods()).toHaveLength(6)
    expect(status()).toMatchObject({ expectedPods: 3, desiredHealthy: 2 })
  })

  test('says when it cannot be computed', async () => {
    await cluster.addPod('bare', {}, { labels: { app: 'web' } })
    await addBudget({ maxUnavailable: 1 })
    // The ReplicaSet selects its template hash, too, so the bare pod stays without a controller.
    await cluster.clock.advance(100)
    expect(status()).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed' }],
    })
  })
})
