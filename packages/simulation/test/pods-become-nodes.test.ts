import { describe, expect, test } from '@jest/globals'
import { applyDefaults, applyDeployment, conditionOf, eventsOf, kinds, scale, untilRunning } from '../src/index.ts'
import { startCluster } from './running-cluster.ts'

describe('pods that wait', () => {
  test('P-PRV-01 P-FIN-02 P-FIN-03 become NodeClaims of their NodePool, which say what may be bought', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(cluster, {}, { expireAfter: '720h' })
    await applyDeployment(cluster, 'web', 10, '1')
    await cluster.until('there is a claim', async () => (await cluster.all(kinds.nodeClaims)).length > 0)
    const [claim] = (await cluster.all(kinds.nodeClaims)) as unknown as ReadonlyArray<{
      metadata: { labels: object; annotations: object; ownerReferences: object; name: string }
      spec: { requirements: ReadonlyArray<{ key: string }>; resources: object; expireAfter: string }
    }>
    expect(claim?.metadata.name).toMatch(/^default-/)
    expect(claim?.metadata.labels).toMatchObject({ 'karpenter.sh/nodepool': 'default' })
    expect(claim?.metadata.annotations).toMatchObject({ 'karpenter.sh/nodepool-hash-version': expect.any(String) })
    expect(claim?.metadata.ownerReferences).toMatchObject([
      { kind: 'NodePool', name: 'default', blockOwnerDeletion: true },
    ])
    expect(claim?.spec.requirements).toContainEqual({
      key: 'node.kubernetes.io/instance-type',
      operator: 'In',
      values: ['c-16x'],
    })
    expect(claim?.spec.resources).toEqual({ requests: { cpu: '10', pods: '10' } })
    expect(claim?.spec.expireAfter).toBe('720h')
  })

  test('L-REG-06 L-INIT-06 run on Nodes that are registered and initialized, and leave Nodes that go', async () => {
    const cluster = await startCluster()
    const run = await cluster.startController()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 10, '1')
    await untilRunning(cluster, 10)
    const [node] = await cluster.all(kinds.nodes)
    expect(node?.metadata.labels).toMatchObject({
      'karpenter.sh/registered': 'true',
      'karpenter.sh/initialized': 'true',
      'karpenter.sh/nodepool': 'default',
      'node.kubernetes.io/instance-type': 'c-16x',
      'karpenter.sh/capacity-type': 'on-demand',
    })
    expect(node?.spec.taints ?? []).toEqual([])
    const [claim] = await cluster.all(kinds.nodeClaims)
    expect(conditionOf(claim, 'Ready')).toMatchObject({ status: 'True' })
    await cluster.clock.advance(10_000)
    const [pool] = await cluster.all(kinds.nodePools)
    expect(pool?.status).toMatchObject({ nodes: 1, resources: { cpu: '16', nodes: '1' } })

    await scale(cluster, 'web', 0)
    await cluster.until('the Nodes are gone', async () => (await cluster.all(kinds.nodes)).length === 0)
    await cluster.until('the claims are gone', async () => (await cluster.all(kinds.nodeClaims)).length === 0)
    expect(cluster.machines()).toEqual([])
    await cluster.clock.advance(10_000)
    expect((await cluster.all(kinds.nodePools))[0]?.status).toMatchObject({ nodes: 0, resources: { cpu: '0' } })
    expect(run.errors).toEqual([])
  })

  test('P-BAT-02 of one burst share a pass, and those of a second burst use the room that is left', async () => {
    const cluster = await startCluster()
    const run = await cluster.startController()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 10, '1')
    await cluster.clock.advance(3000)
    await applyDeployment(cluster, 'api', 5, '1')
    await untilRunning(cluster, 15)
    expect(run.effects.filter(({ name }) => name === 'create NodeClaim')).toHaveLength(1)
    expect(cluster.machines()).toHaveLength(1)
  })

  test('L-LAUNCH-03 L-GATES buy elsewhere when the cheapest offering is sold out, and say so', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(cluster)
    cluster.cloud.setCapacity([{ instanceType: 'c-16x', remaining: 0 }])
    await applyDeployment(cluster, 'web', 4, '3')
    await untilRunning(cluster, 4)
    expect(cluster.machines().map(({ instanceType }) => instanceType)).toEqual(['c-4x', 'c-4x', 'c-4x', 'c-4x'])
    const reasons = (await eventsOf(cluster)).map(({ reason }) => reason)
    expect(reasons).toContain('InsufficientCapacityError')
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(4)
  })

  test('L-LAUNCH-05 stay with their claim while the cloud errs, and the claim says how', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(cluster)
    cluster.cloud.setFaults([{ operation: 'launch', code: 'InternalError', message: 'the cloud is unwell' }])
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.clock.advance(60_000)
    const claims = await cluster.all(kinds.nodeClaims)
    expect(claims).toHaveLength(1)
    expect(conditionOf(claims[0], 'Launched')).toMatchObject({ status: 'Unknown', message: 'the cloud is unwell' })
    cluster.cloud.setFaults([])
    await untilRunning(cluster, 1)
    expect(cluster.cloud.everything()).toHaveLength(1)
  })

  test('L-LIVE-02 get another claim when a launch has failed for five minutes', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(cluster)
    cluster.cloud.setFaults([{ operation: 'launch', code: 'InternalError', message: 'the cloud is unwell' }])
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.until('there is a claim', async () => (await cluster.all(kinds.nodeClaims)).length > 0)
    const first = (await cluster.all(kinds.nodeClaims))[0]?.metadata.name
    await cluster.clock.advance(280_000)
    expect((await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)).toEqual([first])
    await cluster.until(
      'the claim is given up',
      async () => (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== first),
      120_000,
    )
    cluster.cloud.setFaults([])
    await untilRunning(cluster, 1)
  })

  test('L-LIVE-03 get another machine when the first has not joined within fifteen minutes', async () => {
    const cluster = await startCluster({ cloud: { bootMs: [3_600_000, 3_600_000] } })
    await cluster.startController()
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.until('a machine is bought', () => cluster.machines().length === 1)
    const first = cluster.machines()[0]?.id
    await cluster.clock.advance(14 * 60_000)
    expect(cluster.machines().map(({ id }) => id)).toEqual([first])
    await cluster.until('another machine is bought', () => cluster.machines().some(({ id }) => id !== first), 180_000)
    expect(cluster.machines().map(({ id }) => id)).not.toContain(first)
  })

  test('NP-READY-01 wait while the NodeClass is missing, and the NodePool says which', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(
      cluster,
      {},
      { nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'later' } },
    )
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.clock.advance(30_000)
    const [pool] = await cluster.all(kinds.nodePools)
    expect(conditionOf(pool, 'NodeClassReady')).toMatchObject({
      status: 'False',
      reason: 'NodeClassNotFound',
      message: 'KWOKNodeClass later does not exist; create it or correct spec.template.spec.nodeClassRef.name',
    })
    expect(conditionOf(pool, 'Ready')).toMatchObject({ status: 'False' })
    expect(await cluster.all(kinds.nodeClaims)).toEqual([])
    await cluster.face.create(kinds.nodeClasses, { metadata: { name: 'later' }, spec: {} })
    await untilRunning(cluster, 1)
  })

  test('NP-VAL-01 are not placed by a NodePool that is invalid, which says what is wrong with it', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(
      cluster,
      {},
      {
        requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['sometimes'] }],
      },
    )
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.clock.advance(30_000)
    const [pool] = await cluster.all(kinds.nodePools)
    expect(conditionOf(pool, 'ValidationSucceeded')).toMatchObject({
      status: 'False',
      reason: 'NodePoolValidationFailed',
      message:
        'spec.template.spec.requirements[0].values: Invalid value: ["sometimes"]: none of them exists; expected on-demand | spot | reserved',
    })
    expect(await cluster.all(kinds.nodeClaims)).toEqual([])
  })

  test('P-PRV-09 P-LIM-01 stop at the limits of their NodePool', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(cluster, { limits: { cpu: '32' } })
    await applyDeployment(cluster, 'web', 60, '1')
    await cluster.clock.advance(300_000)
    const cpus = cluster.machines().reduce((sum, { instanceType }) => sum + (instanceType === 'c-16x' ? 16 : 4), 0)
    expect(cpus).toBeLessThanOrEqual(32)
    expect(cpus).toBeGreaterThan(16)
    const [pool] = await cluster.all(kinds.nodePools)
    expect(Number(pool?.status.resources?.['cpu'])).toBe(cpus)
  })
})
