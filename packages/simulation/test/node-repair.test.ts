import { describe, expect, test } from '@jest/globals'
import type { AnyProviderModule } from '@scantling/controller'
import type { RepairPolicy } from '@scantling/core'
import { eventsOf, kinds, untilRunning, type VirtualCluster, type VirtualClusterOptions } from '../src/index.ts'
import { keep, startRunning, type Beginning } from './running-cluster.ts'

const badDisk: RepairPolicy = { conditionType: 'BadDisk', status: 'True', tolerationMs: 600_000 }
const withPolicies = (...repair: ReadonlyArray<RepairPolicy>): VirtualClusterOptions => ({
  moduleOf: (module): AnyProviderModule => ({ ...module, traits: { ...module.traits, repair } }),
})
const startWith = async (nodes: number, beginning: Beginning = {}) => {
  const { cluster, run } = await startRunning({
    // Five pods fill the larger machine.
    replicas: nodes * 5,
    pool: keep,
    flags: ['--feature-gates', 'NodeRepair=true'],
    options: withPolicies(badDisk),
    ...beginning,
  })
  expect(await cluster.all(kinds.nodes)).toHaveLength(nodes)
  return { cluster, run, names: (await cluster.all(kinds.nodes)).map(({ metadata }) => metadata.name) }
}

const report = ({ face, clock }: VirtualCluster, node: string, type: string, status: string, atMs = clock.nowMs()) =>
  face.patch({ ...kinds.nodes, name: node, subresource: 'status' }, 'strategic', {
    status: {
      conditions: [
        {
          type,
          status,
          reason: 'Tested',
          message: 'sectors are bad',
          lastTransitionTime: new Date(atMs).toISOString(),
        },
      ],
    },
  })
const isThere = async (cluster: VirtualCluster, node: string) =>
  (await cluster.all(kinds.nodes)).some(
    ({ metadata }) => metadata.name === node && metadata.deletionTimestamp === undefined,
  )
/** The kinds of the objects that were told of with this reason. */
const toldOn = async (cluster: VirtualCluster, reason: string) =>
  (await eventsOf(cluster, { reason })).map(({ involvedObject }) => involvedObject.kind).toSorted()

describe('node repair', () => {
  test('H-HEALTH-03 H-HEALTH-07 H-HEALTH-08 replaces a node whose condition held for as long as its provider has patience', async () => {
    const { cluster, run, names } = await startWith(2)
    const [ill = ''] = names
    await report(cluster, ill, 'BadDisk', 'True')
    await cluster.clock.advance(595_000)
    expect(await isThere(cluster, ill)).toBe(true)
    // No replacement stands by before.
    expect(cluster.machines()).toHaveLength(2)
    await cluster.clock.advance(10_000)
    expect(await isThere(cluster, ill)).toBe(false)
    await untilRunning(cluster, 10)
    await cluster.until('the node is gone', async () =>
      (await cluster.all(kinds.nodes)).every(({ metadata }) => metadata.name !== ill),
    )
    expect(await cluster.all(kinds.nodes)).toHaveLength(2)
    const metrics = await run.metrics()
    expect(metrics).toContain(
      'karpenter_nodeclaims_unhealthy_disrupted_total{condition="bad_disk",nodepool="default",capacity_type="on-demand",image_id=""} 1',
    )
    expect(metrics).toMatch(/karpenter_nodeclaims_disrupted_total\{reason="unhealthy",[^}]*\} 1/)
    expect(metrics).toMatch(/karpenter_pods_disruption_initiated_total\{reason="unhealthy",[^}]*\} 5/)
    expect(await toldOn(cluster, 'NodeRepairing')).toEqual(['Node'])
  })

  test('H-HEALTH-03 leaves a node alone that recovers in time', async () => {
    const { cluster, names } = await startWith(2)
    const [ill = ''] = names
    await report(cluster, ill, 'BadDisk', 'True')
    await cluster.clock.advance(500_000)
    await report(cluster, ill, 'BadDisk', 'False')
    await cluster.clock.advance(900_000)
    expect(await isThere(cluster, ill)).toBe(true)
  })

  test('H-HEALTH-01 is off unless its feature gate is on and the provider has policies', async () => {
    const off = await startWith(1, { flags: [] })
    await report(off.cluster, off.names[0] ?? '', 'BadDisk', 'True')
    const none = await startWith(1, { options: withPolicies() })
    await report(none.cluster, none.names[0] ?? '', 'BadDisk', 'True')
    for (const { cluster, names } of [off, none]) {
      await cluster.clock.advance(1_200_000)
      expect(await isThere(cluster, names[0] ?? '')).toBe(true)
    }
  })

  test('H-HEALTH-02 heartbeats wake nothing, a changed condition does', async () => {
    const { cluster, run } = await startWith(1)
    const passes = async () =>
      Number(
        /controller_runtime_reconcile_total\{controller="node.health",result="success"\} (\d+)/.exec(
          await run.metrics(),
        )?.[1] ?? 0,
      )
    await cluster.clock.advance(60_000)
    const before = await passes()
    await cluster.clock.advance(600_000)
    expect(await passes()).toBe(before)
    await report(cluster, (await cluster.all(kinds.nodes))[0]?.metadata.name ?? '', 'Other', 'True')
    await cluster.clock.advance(1000)
    expect(await passes()).toBe(before + 1)
  })

  test('H-HEALTH-04 stops while more than a fifth of the NodePool is unhealthy, which Node, NodeClaim and NodePool tell', async () => {
    const { cluster, names } = await startWith(5)
    for (const name of names.slice(0, 2)) await report(cluster, name, 'BadDisk', 'True')
    await cluster.clock.advance(1_000_000)
    for (const name of names) expect(await isThere(cluster, name)).toBe(true)
    expect(new Set(await toldOn(cluster, 'NodeRepairBlocked'))).toEqual(new Set(['Node', 'NodeClaim', 'NodePool']))
    // One of them recovers by itself; the other is replaced at the next look.
    await report(cluster, names[1] ?? '', 'BadDisk', 'False')
    await cluster.clock.advance(310_000)
    expect(await isThere(cluster, names[0] ?? '')).toBe(false)
    expect(await isThere(cluster, names[1] ?? '')).toBe(true)
  })

  test('H-HEALTH-05 H-HEALTH-06 waits for neither budgets, do-not-disrupt nor the configured grace', async () => {
    const { cluster, names } = await startWith(1, {
      template: { terminationGracePeriod: '24h' },
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
    })
    const [ill = ''] = names
    await cluster.face.patch({ ...kinds.nodes, name: ill }, 'merge', {
      metadata: { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } },
    })
    await report(cluster, ill, 'BadDisk', 'True')
    await cluster.clock.advance(600_500)
    const claim = (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.deletionTimestamp !== undefined)
    expect(claim?.metadata.annotations?.['karpenter.sh/nodeclaim-termination-timestamp']).toBe(
      claim?.metadata.deletionTimestamp,
    )
    await cluster.until(
      'the node is gone',
      async () => (await cluster.all(kinds.nodes)).every(({ metadata }) => metadata.name !== ill),
      120_000,
    )
  })

  test('H-HEALTH-06 pulls the deadline of a claim that is going already, and never later', async () => {
    const { cluster, names } = await startWith(2, {
      template: { terminationGracePeriod: '24h' },
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
    })
    const [ill = ''] = names
    const claim = (await cluster.all(kinds.nodeClaims)).find(({ status }) => status.providerID === `kwok://${ill}`)
    const ref = { ...kinds.nodeClaims, name: claim?.metadata.name ?? '' }
    const key = 'karpenter.sh/nodeclaim-termination-timestamp'
    const past = new Date(cluster.clock.nowMs() - 1000).toISOString().replace('.000', '')
    await cluster.face.patch(ref, 'merge', { metadata: { annotations: { [key]: past } } })
    await report(cluster, ill, 'BadDisk', 'True', cluster.clock.nowMs() - 600_000)
    await cluster.clock.advance(500)
    const seen = (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name === ref.name)
    expect(seen?.metadata.deletionTimestamp).toBeDefined()
    expect(seen?.metadata.annotations?.[key]).toBe(past)
  })

  test('H-HEALTH-06 a claim that drains until a far deadline gets the deadline of now', async () => {
    const { cluster, names } = await startWith(2, {
      template: { terminationGracePeriod: '24h' },
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
    })
    const [ill = ''] = names
    const claim = (await cluster.all(kinds.nodeClaims)).find(({ status }) => status.providerID === `kwok://${ill}`)
    await cluster.face.delete({ ...kinds.nodeClaims, name: claim?.metadata.name ?? '' })
    await cluster.clock.advance(60_000)
    expect((await cluster.all(kinds.nodes)).map(({ metadata }) => metadata.name)).toContain(ill)
    await report(cluster, ill, 'BadDisk', 'True', cluster.clock.nowMs() - 600_000)
    await cluster.until(
      'the node is gone',
      async () => (await cluster.all(kinds.nodes)).every(({ metadata }) => metadata.name !== ill),
      120_000,
    )
  })

  test('K-09 a node of the simulated cloud whose kubelet falls silent is replaced after ten minutes', async () => {
    const { cluster, names } = await startWith(2, { options: {} })
    const [silent = ''] = names
    await cluster.face.patch({ ...kinds.nodes, name: silent }, 'merge', {
      metadata: { annotations: { 'sim.scantling.sh/kubelet': 'stopped' } },
    })
    await cluster.clock.advance(500_000)
    expect(await isThere(cluster, silent)).toBe(true)
    await cluster.until(
      'the node is gone',
      async () => (await cluster.all(kinds.nodes)).every(({ metadata }) => metadata.name !== silent),
      400_000,
    )
    await untilRunning(cluster, 10)
  })

  test('a condition with a deadline is an announcement: no gate, no breaker, and pods have until then', async () => {
    const preempted: RepairPolicy = {
      conditionType: 'Preempted',
      status: 'True',
      tolerationMs: 0,
      deadlineMs: ({ lastTransitionAtMs }) => lastTransitionAtMs + 30_000,
    }
    const { cluster, names } = await startWith(2, { options: withPolicies(preempted), flags: [] })
    const atMs = Math.floor(cluster.clock.nowMs() / 1000) * 1000
    for (const name of names) await report(cluster, name, 'Preempted', 'True', atMs)
    await cluster.clock.advance(1000)
    for (const name of names) expect(await isThere(cluster, name)).toBe(false)
    const [claim] = await cluster.all(kinds.nodeClaims)
    expect(Date.parse(claim?.metadata.annotations?.['karpenter.sh/nodeclaim-termination-timestamp'] ?? '')).toBe(
      atMs + 30_000,
    )
  })
})
