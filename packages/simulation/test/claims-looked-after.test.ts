import { describe, expect, test } from '@jest/globals'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { applyDefaults, applyDeployment, conditionOf, kinds, type VirtualCluster } from '../src/index.ts'
import { claimOf, keep, nodeOf, startRunning, type Beginning, startCluster } from './running-cluster.ts'

const startWith = (replicas: number, beginning: Beginning = {}) => startRunning({ replicas, pool: keep, ...beginning })

describe('expiration', () => {
  test('C-EXP-01 C-EXP-02 takes a claim at its age, whatever budgets and pods say, and counts it with its pods', async () => {
    const { cluster, run } = await startWith(5, { template: { expireAfter: '1h' } })
    const first = await claimOf(cluster)
    await cluster.face.patch({ ...kinds.nodes, name: (await nodeOf(cluster))?.metadata.name ?? '' }, 'merge', {
      metadata: { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } },
    })
    const bornMs = Date.parse(first?.metadata.creationTimestamp ?? '')
    await cluster.clock.advance(bornMs + 3_599_000 - cluster.clock.nowMs())
    expect((await claimOf(cluster))?.metadata.deletionTimestamp).toBeUndefined()
    await cluster.clock.advance(1000)
    expect((await claimOf(cluster))?.metadata.deletionTimestamp).toBeDefined()
    const metrics = await run.metrics()
    expect(metrics).toMatch(/karpenter_nodeclaims_disrupted_total\{reason="expired",nodepool="default",[^}]*\} 1/)
    expect(metrics).toMatch(/karpenter_pods_disruption_initiated_total\{reason="expired",nodepool="default",[^}]*\} 5/)
  })

  test('C-EXP-01 leaves a claim that never expires', async () => {
    const { cluster, run } = await startWith(1, { template: { expireAfter: 'Never' } })
    await cluster.clock.advance(3 * 3_600_000)
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(1)
    expect(await run.metrics()).not.toContain('reason="expired"')
  })
})

describe('consistency', () => {
  const shrink = async (cluster: VirtualCluster, memory: string) => {
    const node = await nodeOf(cluster)
    const ref = { ...kinds.nodes, name: node?.metadata.name ?? '' }
    await cluster.face.patch({ ...ref, subresource: 'status' }, 'merge', { status: { capacity: { cpu: memory } } })
  }

  test('C-CONSIST-01 C-CONSIST-02 C-CONSIST-03 says, every ten minutes, whether the node is what was bought', async () => {
    const { cluster } = await startWith(1)
    await cluster.clock.advance(1000)
    const found = async () => conditionOf(await claimOf(cluster), 'ConsistentStateFound')
    expect(await found()).toMatchObject({ status: 'True' })
    await shrink(cluster, '1')
    await cluster.clock.advance(590_000)
    expect(await found()).toMatchObject({ status: 'True' })
    await cluster.clock.advance(20_000)
    expect(await found()).toMatchObject({ status: 'False', reason: 'ConsistencyCheckFailed' })
    expect(await cluster.all(kinds.events)).toContainEqual(
      expect.objectContaining({
        reason: 'FailedConsistencyCheck',
        type: 'Warning',
        message: 'Expected 4 of resource cpu, but the node has 1',
        involvedObject: expect.objectContaining({ kind: 'NodeClaim' }),
      }),
    )
    await shrink(cluster, '4')
    await cluster.clock.advance(610_000)
    expect(await found()).toMatchObject({ status: 'True' })
    expect(conditionOf(await claimOf(cluster), 'Ready')?.status).toBe('True')
  })

  test('C-CONSIST-02 says nothing of claims that are not initialized', async () => {
    const cluster = await startCluster()
    await cluster.startController()
    await applyDefaults(cluster, keep, { startupTaints: [{ key: 'cni', effect: 'NoSchedule' }] })
    await applyDeployment(cluster, 'web', 1, '3')
    await cluster.clock.advance(900_000)
    expect(conditionOf(await claimOf(cluster), 'Registered')?.status).toBe('True')
    expect(conditionOf(await claimOf(cluster), 'ConsistentStateFound')).toBeUndefined()
  })
})

describe('hydration', () => {
  test('C-HYD-01 C-API-07 gives claims and Nodes of older versions the label of their NodeClass', async () => {
    const { cluster } = await startWith(1)
    const key = 'karpenter.kwok.sh/kwoknodeclass'
    const claim = await claimOf(cluster)
    const node = await nodeOf(cluster)
    expect([claim, node].map((one) => one?.metadata.labels?.[key])).toEqual(['default', 'default'])
    await cluster.face.patch({ ...kinds.nodes, name: node?.metadata.name ?? '' }, 'merge', {
      metadata: { labels: { [key]: null } },
    })
    await cluster.face.patch({ ...kinds.nodeClaims, name: claim?.metadata.name ?? '' }, 'merge', {
      metadata: { labels: { [key]: null } },
    })
    await cluster.clock.advance(1000)
    expect([await claimOf(cluster), await nodeOf(cluster)].map((one) => one?.metadata.labels?.[key])).toEqual([
      'default',
      'default',
    ])
  })
})

describe('what a NodePool provides', () => {
  test('ST-17 follows a claim to another NodePool', async () => {
    const { cluster } = await startWith(1)
    const reference = { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' }
    await cluster.face.create(kinds.nodePools, {
      metadata: { name: 'other' },
      spec: { ...keep, template: { spec: { nodeClassRef: reference, requirements: [] } } },
    })
    const provided = async () =>
      Object.fromEntries(
        (await cluster.all(kinds.nodePools)).map(({ metadata, status }) => [
          metadata.name,
          [status.nodes, status.resources?.['cpu'], status.resources?.['nodes']],
        ]),
      )
    await cluster.clock.advance(6000)
    expect(await provided()).toEqual({ default: [1, '4', '1'], other: [0, '0', '0'] })
    await cluster.face.patch({ ...kinds.nodeClaims, name: (await claimOf(cluster))?.metadata.name ?? '' }, 'merge', {
      metadata: { labels: { 'karpenter.sh/nodepool': 'other' } },
    })
    await cluster.clock.advance(6000)
    expect(await provided()).toEqual({ default: [0, '0', '0'], other: [1, '4', '1'] })
  })
})

describe('collection of claims', () => {
  test('C-GC-03 is counted, with the pods that have to move', async () => {
    let hidden: string | undefined
    const { cluster, run } = await startWith(1, {
      options: {
        providerOf: (provider) => ({
          ...provider,
          list: (call) =>
            TE.map((listed: { readonly instances: ReadonlyArray<{ readonly providerId: string }> }) => ({
              ...listed,
              instances: listed.instances.filter(({ providerId }) => providerId !== hidden),
            }))(provider.list(call) as never) as never,
          get: () => TE.left({ _tag: 'InstanceNotFound', message: 'gone' }),
        }),
      },
    })
    const claim = await claimOf(cluster)
    await cluster.clock.advance(120_000)
    hidden = claim?.status.providerID
    await cluster.until('it is collected', async () => (await claimOf(cluster))?.metadata.name !== claim?.metadata.name)
    expect(await run.metrics()).toMatch(/karpenter_nodeclaims_disrupted_total\{reason="garbage_collected",[^}]*\} 1/)
    expect(await run.metrics()).toMatch(
      /karpenter_pods_disruption_initiated_total\{reason="garbage_collected",[^}]*\} 1/,
    )
  })
})

describe('pod events', () => {
  const lastEventOf = async (cluster: VirtualCluster) => (await claimOf(cluster))?.status.lastPodEventTime

  test('C-POD-02 pods that are there when a controller starts are no news', async () => {
    const { cluster, run } = await startWith(2)
    await cluster.clock.advance(60_000)
    const before = await lastEventOf(cluster)
    run.kill()
    await cluster.startController()
    await cluster.clock.advance(60_000)
    expect(await lastEventOf(cluster)).toBe(before)
  })

  test('C-POD-03 pods of unknown nodes and of nodes without a claim are nobody’s', async () => {
    const { cluster, run } = await startWith(1)
    await cluster.clock.advance(60_000)
    const before = await lastEventOf(cluster)
    const pod = (name: string, nodeName: string) =>
      cluster.face.create(
        { ...kinds.pods, namespace: 'default' },
        { metadata: { name }, spec: { nodeName, containers: [{ name: 'main', image: 'pause' }] } },
      )
    await cluster.face.create(kinds.nodes, { metadata: { name: 'stranger' }, spec: { providerID: 'other://1' } })
    await pod('lost', 'nowhere')
    await pod('guest', 'stranger')
    await cluster.clock.advance(20_000)
    expect(await lastEventOf(cluster)).toBe(before)
    expect(run.errors).toEqual([])
  })
})
