import { afterEach, describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  kinds,
  runningPods,
  scale,
  startVirtualCluster,
  type Effect,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '../src/index.ts'

const closers: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const keep = { disruption: { consolidateAfter: 'Never', budgets: [{ nodes: '0' }] } }

/** What a controller asks of the API server from a burst of pods on, until a minute after its nodes are initialized. */
const burst = async (nodes: number, options: VirtualClusterOptions = {}) => {
  const cluster = await startVirtualCluster(options)
  closers.push(cluster.stop)
  const run = await cluster.startController()
  await applyDefaults(cluster, keep)
  await cluster.clock.advance(20_000)
  const before = run.effects.length
  await applyDeployment(cluster, 'web', 5 * nodes, '3')
  await cluster.until('all run', async () => (await runningPods(cluster)) === 5 * nodes)
  await cluster.until('all are initialized', () => areInitialized(cluster))
  await cluster.clock.advance(60_000)
  expect(await cluster.all(kinds.nodeClaims)).toHaveLength(nodes)
  expect(run.errors).toEqual([])
  return { cluster, run, effects: run.effects.slice(before).filter(({ name }) => name !== 'launch') }
}

const areInitialized = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodeClaims)).every((claim) => conditionOf(claim, 'Ready')?.status === 'True')

interface EventSeen {
  readonly reason: string
  readonly source?: { readonly component?: string }
  readonly involvedObject: { readonly kind: string }
}

const countsOf = (effects: ReadonlyArray<Effect>) => {
  const counts = new Map<string, number>()
  for (const { name } of effects) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

describe('a node costs the API server', () => {
  test('L-CTRL-05 seven writes: two that create, one of the claim, two of its status, two of the Node', async () => {
    const { effects } = await burst(10)
    const { 'status of NodePool': ofPool = 0, ...ofNodes } = countsOf(effects)
    expect(ofNodes).toEqual({
      'create NodeClaim': 10,
      'patch NodeClaim': 10,
      'status of NodeClaim': 20,
      'create Node': 10,
      'patch Node': 20,
    })
    // One with the claims' first word, one with the first node that joined.
    expect(ofPool).toBeLessThanOrEqual(3)
  })

  test('L-CTRL-05 one more where it takes its time to become Ready, and what happened when is told right', async () => {
    const { cluster, effects } = await burst(4, {
      controllers: { kubelet: { bootLatency: { fromMs: 30_000, toMs: 30_000 } } },
    })
    const { 'status of NodeClaim': ofStatus, 'patch Node': ofNodes } = countsOf(effects)
    expect({ ofStatus, ofNodes }).toEqual({ ofStatus: 12, ofNodes: 8 })
    for (const claim of await cluster.all(kinds.nodeClaims)) {
      const at = (type: string) => Date.parse(conditionOf(claim, type)?.lastTransitionTime ?? '')
      expect(at('Initialized') - at('Registered')).toBeGreaterThanOrEqual(29_000)
      const node = claim.status.providerID?.replace('kwok://', '')
      const patched = effects.find(({ name, subject }) => name === 'patch Node' && subject === node)
      expect(Math.abs(at('Registered') - (patched?.atMs ?? 0))).toBeLessThanOrEqual(1000)
    }
  })

  test('M-STATUS-01 E-REC-03 nine events: what its claim has come to, that it is Ready, and that it stays', async () => {
    const { cluster } = await burst(10)
    const events = (await cluster.all(kinds.events)) as unknown as ReadonlyArray<EventSeen>
    const counts = new Map<string, number>()
    for (const { source, reason, involvedObject } of events) {
      const name = `${involvedObject.kind} ${reason}`
      if (source?.component === 'karpenter' && /^Node(Claim)? /.test(name))
        counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect(Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))).toEqual({
      'Node DisruptionBlocked': 10,
      'Node Ready': 10,
      'Node Unconsolidatable': 10,
      'NodeClaim DisruptionBlocked': 10,
      'NodeClaim Initialized': 10,
      'NodeClaim Launched': 10,
      'NodeClaim Ready': 10,
      'NodeClaim Registered': 10,
      'NodeClaim Unconsolidatable': 10,
    })
  })

  test('C-API-11 no write that another writer of ours has outdated', async () => {
    const { effects } = await burst(10)
    expect(effects.filter(({ refusal }) => refusal !== undefined)).toEqual([])
  })
})

describe('a node that goes costs the API server', () => {
  test('D-QUEUE-02 T-TERM-06 T-TERM-07 C-POD-01 eleven writes: five of the claim’s status, three of the Node, and three that end both', async () => {
    const cluster = await startVirtualCluster()
    closers.push(cluster.stop)
    const run = await cluster.startController()
    await applyDefaults(cluster, {
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets: [{ nodes: '100%' }] },
    })
    await applyDeployment(cluster, 'web', 20, '3')
    await cluster.until('all run', async () => (await runningPods(cluster)) === 20)
    await cluster.until('all are initialized', () => areInitialized(cluster))
    await cluster.clock.advance(60_000)
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(4)
    const before = run.effects.length
    await scale(cluster, 'web', 0)
    await cluster.until('all are gone', async () => (await cluster.all(kinds.nodeClaims)).length === 0)
    const { terminate: _, 'status of NodePool': __, ...ofNodes } = countsOf(run.effects.slice(before))
    expect(ofNodes).toEqual({
      // Its pods went; it has been quiet; it is chosen; it drains; it is drained, detached, and its instance ends.
      'status of NodeClaim': 5 * 4,
      // The taint when it is chosen; the mark for load balancers when it goes; its finalizer.
      'patch Node': 3 * 4,
      'delete NodeClaim': 4,
      'delete Node': 4,
      'patch NodeClaim': 4,
    })
    expect(run.effects.filter(({ refusal }) => refusal !== undefined)).toEqual([])
    expect(run.errors).toEqual([])
  })
})

describe('what a NodePool says of its nodes', () => {
  const passesOf = async ({ metrics }: Awaited<ReturnType<typeof burst>>['run'], controller: string) => {
    const lines = (await metrics()).split('\n').filter((line) => line.startsWith('controller_runtime_reconcile_total{'))
    return lines
      .filter((line) => line.includes(`controller="${controller}"`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  test('NP-COUNT-01 is counted now and then while nodes join one after another, not once for each', async () => {
    const { cluster, run } = await burst(1, { controllers: { kubelet: { bootLatency: { fromMs: 0, toMs: 4500 } } } })
    const passes = { pool: await passesOf(run, 'nodepool.status'), claims: await passesOf(run, 'nodeclaim.disruption') }
    const startedMs = cluster.clock.nowMs()
    await applyDeployment(cluster, 'more', 100, '3')
    await cluster.until('all run', async () => (await runningPods(cluster)) === 105)
    await cluster.until('all are initialized', () => areInitialized(cluster))
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(21)
    // Every five seconds in any case; twenty more were they counted with each node, as each count is a walk over all.
    const inAnyCase = (cluster.clock.nowMs() - startedMs) / 5000
    expect((await passesOf(run, 'nodepool.status')) - passes.pool).toBeLessThan(inAnyCase + 12)
    // Nothing in a claim hangs on what its NodePool says of the others.
    expect((await passesOf(run, 'nodeclaim.disruption')) - passes.claims).toBeLessThan(4.5 * 20)
  })
})
