import { describe, expect, test } from '@jest/globals'
import {
  applyDeployment,
  conditionOf,
  eventsOf,
  kinds,
  runningPods,
  scale,
  untilRunning,
  type VirtualCluster,
} from '../src/index.ts'
import { startRunning, type Beginning } from './running-cluster.ts'

const startWith = (replicas: number, beginning: Beginning = {}) => startRunning({ replicas, ...beginning })

const nodeCount = async (cluster: VirtualCluster) => (await cluster.all(kinds.nodes)).length
const deleteClaim = async (cluster: VirtualCluster, index = 0) => {
  const claim = (await cluster.all(kinds.nodeClaims))[index]
  if (claim === undefined) throw new Error('there is no claim')
  await cluster.face.delete({ ...kinds.nodeClaims, name: claim.metadata.name })
  return claim
}
const eventReasons = async (cluster: VirtualCluster) => (await eventsOf(cluster)).map(({ reason }) => reason)

describe('empty nodes', () => {
  test('D-EMPTY-01 C-CONS-02 D-VALID-01 stay for consolidateAfter and the wait for second thoughts, then go', async () => {
    const { cluster } = await startWith(5, {
      pool: { disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '60s', budgets: [{ nodes: '100%' }] } },
    })
    await scale(cluster, 'web', 0)
    await cluster.until('no pod is left', async () => (await cluster.all(kinds.pods)).length === 0)
    await cluster.clock.advance(70_000)
    expect(await nodeCount(cluster)).toBe(1)
    await cluster.until('the node is gone', async () => (await nodeCount(cluster)) === 0, 60_000)
  })

  test('D-EMPTY-01 stay for ever under consolidateAfter: Never', async () => {
    const { cluster } = await startWith(1, {
      pool: { disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: 'Never' } },
    })
    await scale(cluster, 'web', 0)
    await cluster.clock.advance(1_200_000)
    expect(await nodeCount(cluster)).toBe(1)
  })

  test('D-BUDG-12 D-BUDG-08 go one at a time under a budget of one', async () => {
    const budgets = [{ nodes: '1' }]
    const { cluster } = await startWith(15, {
      pool: { disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets } },
    })
    expect(await nodeCount(cluster)).toBe(3)
    await scale(cluster, 'web', 0)
    let mostAtOnce = 0
    await cluster.until('the nodes are gone', async () => {
      const nodes = await cluster.all(kinds.nodes)
      mostAtOnce = Math.max(mostAtOnce, nodes.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length)
      return nodes.length === 0
    })
    expect(mostAtOnce).toBe(1)
  })

  test('D-BUDG-11 stay under a budget of none, which the NodePool tells', async () => {
    const { cluster } = await startWith(1, {
      pool: { disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets: [{ nodes: '0' }] } },
    })
    await scale(cluster, 'web', 0)
    await cluster.clock.advance(300_000)
    expect(await nodeCount(cluster)).toBe(1)
    expect(await cluster.all(kinds.events)).toContainEqual(
      expect.objectContaining({
        reason: 'DisruptionBlocked',
        involvedObject: expect.objectContaining({ kind: 'NodePool', name: 'default' }),
      }),
    )
  })

  test('D-CAND-04 stay while the Node asks not to be disrupted', async () => {
    const { cluster } = await startWith(1)
    const [node] = await cluster.all(kinds.nodes)
    const ref = { ...kinds.nodes, name: node?.metadata.name ?? '' }
    const mark = (value: string | null) =>
      cluster.face.patch(ref, 'merge', { metadata: { annotations: { 'karpenter.sh/do-not-disrupt': value } } })
    await mark('true')
    await scale(cluster, 'web', 0)
    await cluster.clock.advance(300_000)
    expect(await nodeCount(cluster)).toBe(1)
    await mark(null)
    await cluster.until('the node is gone', async () => (await nodeCount(cluster)) === 0)
  })

  test('D-LOOP-04 lose the mark of a pass that died before it deleted them, when they are needed again', async () => {
    const { cluster, run } = await startWith(1)
    run.kill()
    const [node] = await cluster.all(kinds.nodes)
    const ref = { ...kinds.nodes, name: node?.metadata.name ?? '' }
    await cluster.face.patch(ref, 'merge', {
      spec: { taints: [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }] },
    })
    await cluster.startController()
    await cluster.clock.advance(15_000)
    expect((await cluster.all(kinds.nodes))[0]?.spec.taints ?? []).toEqual([])
    expect(await runningPods(cluster)).toBe(1)
  })
})

describe('a NodeClaim that is deleted', () => {
  test('L-FIN-02 T-TERM-05 T-TERM-09 T-TERM-10 takes its Node along in order, and its pods find another', async () => {
    const { cluster, run } = await startWith(5)
    const before = run.effects.length
    const claim = await deleteClaim(cluster)
    await cluster.until('the pods run elsewhere', async () => {
      const claims = await cluster.all(kinds.nodeClaims)
      return claims.every(({ metadata }) => metadata.name !== claim.metadata.name) && (await runningPods(cluster)) === 5
    })
    const names = run.effects.slice(before).map(({ name }) => name)
    const first = (name: string) => names.indexOf(name)
    expect(first('delete Node')).toBeGreaterThanOrEqual(0)
    expect(first('patch Node')).toBeGreaterThan(first('delete Node'))
    expect(first('evict')).toBeGreaterThan(first('patch Node'))
    expect(first('terminate')).toBeGreaterThan(names.lastIndexOf('evict'))
    expect(cluster.machines()).toHaveLength(1)
    expect(cluster.machines()[0]?.name).not.toBe(claim.status.providerID?.replace('kwok://', ''))
  })

  test('P-BAT-04 has its pods planned for as soon as it is marked, not at the next look', async () => {
    const { cluster, run } = await startWith(1)
    // Held back, the pod is not pending, so only the node can tell of it.
    await cluster.face.create(
      { ...kinds.budgets, namespace: 'default' },
      { metadata: { name: 'web' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } },
    )
    await cluster.clock.advance(2000)
    // Looks come every ten seconds; this is right after one.
    while (cluster.clock.nowMs() % 10_000 !== 1000) await cluster.clock.advance(10)
    const before = run.effects.length
    await deleteClaim(cluster)
    await cluster.until('a claim is made', () =>
      run.effects.slice(before).some(({ name }) => name === 'create NodeClaim'),
    )
    const atMs = (name: string) => run.effects.slice(before).find((effect) => effect.name === name)?.atMs ?? 0
    expect(atMs('create NodeClaim') - atMs('patch Node')).toBeLessThan(2000)
  })

  test('T-EVICT-06 T-DRAIN-03 waits for a PodDisruptionBudget, and goes when it allows', async () => {
    const { cluster } = await startWith(2)
    const budget = (minAvailable: number) => ({
      metadata: { name: 'web' },
      spec: { minAvailable, selector: { matchLabels: { app: 'web' } } },
    })
    await cluster.face.create({ ...kinds.budgets, namespace: 'default' }, budget(2))
    await cluster.clock.advance(2000)
    const claim = await deleteClaim(cluster)
    await cluster.clock.advance(300_000)
    expect(await nodeCount(cluster)).toBeGreaterThanOrEqual(1)
    const held = (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name === claim.metadata.name)
    expect(conditionOf(held, 'Drained')).toMatchObject({ status: 'Unknown', reason: 'Draining' })
    expect(await runningPods(cluster)).toBe(2)
    expect(await eventReasons(cluster)).toContain('FailedDraining')
    await cluster.face.patch({ ...kinds.budgets, namespace: 'default', name: 'web' }, 'merge', {
      spec: { minAvailable: 1 },
    })
    await cluster.until('the claim is gone', async () =>
      (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== claim.metadata.name),
    )
    await untilRunning(cluster, 2)
  })

  test('P-07 T-EVICT-04 T-EVICT-05 L-FIN-01 waits for pods that ask not to be disrupted until its grace ends', async () => {
    const { cluster } = await startWith(1, {
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
      template: { terminationGracePeriod: '10m' },
    })
    const claim = await deleteClaim(cluster)
    await cluster.clock.advance(500_000)
    const held = (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name === claim.metadata.name)
    expect(held?.metadata.annotations?.['karpenter.sh/nodeclaim-termination-timestamp']).toMatch(/^2026-01-01T00:1/)
    expect(conditionOf(held, 'Drained')).toMatchObject({ status: 'Unknown' })
    await cluster.until(
      'the claim is gone',
      async () => (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== claim.metadata.name),
      180_000,
    )
    expect(await eventReasons(cluster)).toContain('Disrupted')
  })

  test('T-TERM-02 goes when someone deletes its Node', async () => {
    const { cluster } = await startWith(1)
    await scale(cluster, 'web', 0)
    const [node] = await cluster.all(kinds.nodes)
    await cluster.face.delete({ ...kinds.nodes, name: node?.metadata.name ?? '' })
    await cluster.until(
      'all is gone',
      async () => (await cluster.all(kinds.nodeClaims)).length === 0 && (await nodeCount(cluster)) === 0,
    )
    expect(cluster.machines()).toEqual([])
  })

  test('C-EXP-01 expires at its age, and its pods move', async () => {
    const { cluster } = await startWith(1, { template: { expireAfter: '1h' } })
    const [claim] = await cluster.all(kinds.nodeClaims)
    await cluster.clock.advance(3_500_000)
    expect((await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)).toEqual([claim?.metadata.name])
    await cluster.until('it is replaced', async () =>
      (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== claim?.metadata.name),
    )
    await untilRunning(cluster, 1)
  })

  test('NP-DEL-01 goes with its NodePool', async () => {
    const { cluster } = await startWith(5)
    await cluster.face.delete({ ...kinds.nodePools, name: 'default' })
    await cluster.until(
      'all is gone',
      async () => (await cluster.all(kinds.nodeClaims)).length === 0 && (await nodeCount(cluster)) === 0,
    )
    expect(cluster.machines()).toEqual([])
    expect(await cluster.all(kinds.nodePools)).toEqual([])
  })
})

describe('a machine that the cloud takes away', () => {
  test('is drained in time, and its pods run on another of another kind', async () => {
    const { cluster, run } = await startWith(5)
    const [machine] = cluster.machines()
    cluster.cloud.interrupt(machine?.id ?? '')
    await cluster.until('another machine runs the pods', async () => {
      const pods = await cluster.all(kinds.pods)
      return (
        pods.length === 5 &&
        pods.every(({ spec, status }) => status.phase === 'Running' && spec.nodeName !== machine?.name)
      )
    })
    await cluster.until('the first is gone', async () => (await cluster.all(kinds.nodeClaims)).length === 1)
    const next = cluster.machines()
    expect(next.map(({ id }) => id)).not.toContain(machine?.id)
    expect(
      next.every(({ zone, instanceType }) => zone !== machine?.zone || instanceType !== machine?.instanceType),
    ).toBe(true)
    expect(await eventReasons(cluster)).toContain('SpotInterruption')
    expect(run.errors).toEqual([])
  })
})

describe('pod events', () => {
  const lastPodEvent = async (cluster: VirtualCluster) =>
    (await cluster.all(kinds.nodeClaims))[0]?.status.lastPodEventTime

  test('C-POD-01 C-POD-04 are noted on the claim once in ten seconds, and keep the node from being taken', async () => {
    const { cluster, run } = await startWith(5)
    await cluster.clock.advance(60_000)
    const [claim] = await cluster.all(kinds.nodeClaims)
    expect(conditionOf(claim, 'Consolidatable')).toMatchObject({ status: 'True' })
    const before = run.effects.length
    await scale(cluster, 'web', 4)
    await cluster.clock.advance(2000)
    await scale(cluster, 'web', 3)
    await cluster.clock.advance(5000)
    expect(Date.parse((await lastPodEvent(cluster)) ?? '')).toBeGreaterThan(cluster.clock.nowMs() - 9000)
    expect(conditionOf((await cluster.all(kinds.nodeClaims))[0], 'Consolidatable')).toBeUndefined()
    // One for the event and the condition.
    expect(run.effects.slice(before).map(({ name }) => name)).toEqual(['status of NodeClaim'])
    await cluster.clock.advance(30_000)
    expect(conditionOf((await cluster.all(kinds.nodeClaims))[0], 'Consolidatable')).toMatchObject({ status: 'True' })
  })

  test('C-POD-01 C-CONS-03 are none while the quiet time of a new node begins anyway', async () => {
    const { cluster } = await startWith(5)
    await cluster.until('it is initialized', async () => {
      const [claim] = await cluster.all(kinds.nodeClaims)
      return conditionOf(claim, 'Initialized')?.status === 'True'
    })
    await scale(cluster, 'web', 4)
    await cluster.clock.advance(3000)
    expect(await lastPodEvent(cluster)).toBeUndefined()
    await cluster.clock.advance(10_000)
    await scale(cluster, 'web', 3)
    await cluster.clock.advance(1000)
    expect(await lastPodEvent(cluster)).toBeDefined()
  })
})

describe('garbage', () => {
  test('C-GC-01 C-GC-02 a claim whose machine vanished is collected, and its pods move', async () => {
    const { cluster } = await startWith(1)
    const [machine] = cluster.machines()
    await cluster.clock.advance(120_000)
    cluster.cloud.terminate(machine?.id ?? '')
    await cluster.until('another machine runs the pod', async () => {
      const pods = await cluster.all(kinds.pods)
      return pods.some(({ spec, status }) => status.phase === 'Running' && spec.nodeName !== machine?.name)
    })
    await cluster.clock.advance(300_000)
    expect((await cluster.all(kinds.nodeClaims)).map(({ status }) => status.providerID)).toEqual(
      cluster.machines().map(({ name }) => `kwok://${name}`),
    )
    expect(await nodeCount(cluster)).toBe(1)
  })

  test('C-GC-03 a machine that no claim stands for is ended, after a while and not before', async () => {
    const { cluster } = await startWith(1)
    const launched = cluster.cloud.launch({
      token: 'nobody',
      instanceType: 'c-4x',
      zone: 'zone-a',
      capacityType: 'on-demand',
      tags: { ...cluster.machines()[0]?.tags, 'karpenter.sh/nodeclaim': 'gone' },
    })
    expect(launched._tag).toBe('Right')
    await cluster.clock.advance(240_000)
    expect(cluster.machines()).toHaveLength(2)
    await cluster.until('it is ended', () => cluster.machines().length === 1, 300_000)
    expect(await runningPods(cluster)).toBe(1)
  })
})

describe('a cluster at rest', () => {
  test('L-CTRL-03 sees no write of ours within five minutes', async () => {
    const { cluster, run } = await startWith(10)
    await cluster.clock.advance(120_000)
    const before = run.effects.length
    await cluster.clock.advance(300_000)
    expect(run.effects.slice(before)).toEqual([])
    expect(run.errors).toEqual([])
  })

  test('sees no write of a controller that was started again', async () => {
    const { cluster, run } = await startWith(10)
    await cluster.clock.advance(120_000)
    run.kill()
    const again = await cluster.startController()
    await cluster.clock.advance(300_000)
    expect(again.effects).toEqual([])
  })

  test('sees no write while pods wait that nothing can hold', async () => {
    const { cluster, run } = await startWith(1)
    await applyDeployment(cluster, 'huge', 3, '64')
    await cluster.clock.advance(120_000)
    const before = run.effects.length
    await cluster.clock.advance(300_000)
    expect(run.effects.slice(before)).toEqual([])
    expect(await eventReasons(cluster)).toContain('FailedScheduling')
  })
})
