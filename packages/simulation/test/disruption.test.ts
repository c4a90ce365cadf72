import { describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  eventsOf,
  kinds,
  runningPods,
  scale,
  untilRunning,
  type VirtualCluster,
} from '../src/index.ts'
import {
  patchPool,
  patchTemplate,
  reasonsOn,
  startRunning,
  typesOf,
  untilInitialized,
  type Beginning,
  startCluster,
} from './running-cluster.ts'

const underutilized = {
  consolidationPolicy: 'WhenEmptyOrUnderutilized',
  consolidateAfter: '30s',
  budgets: [{ nodes: '100%' }],
}

const startWith = (replicas: number, { pool = {}, ...beginning }: Beginning = {}) =>
  startRunning({ replicas, pool: { disruption: underutilized, ...pool }, ...beginning })
const protect = (cluster: VirtualCluster, name: string) =>
  cluster.face.patch({ ...kinds.nodes, name }, 'merge', {
    metadata: { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } },
  })
const isTainted = (node: Awaited<ReturnType<VirtualCluster['all']>>[number]) =>
  (node.spec.taints ?? []).some(({ key }) => key === 'karpenter.sh/disrupted')
const team = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodes)).map(({ metadata }) => metadata.labels?.['team'])

describe('consolidation', () => {
  test('D-LOOP-01 D-LOOP-07 D-LOOP-10 D-LOOP-11 D-LOOP-08 D-QUEUE-02 D-QUEUE-04…06 D-QUEUE-08 D-QUEUE-11 D-QUEUE-12 D-QUEUE-14 D-QUEUE-20: replaces a node that is too large, the replacement first, and no pod waits', async () => {
    const { cluster, run } = await startWith(5)
    expect(await typesOf(cluster)).toEqual(['c-16x'])
    await scale(cluster, 'web', 1)
    const before = run.effects.length
    let mostClaims = 0
    await cluster.until('the small node alone is left', async () => {
      const types = await typesOf(cluster)
      mostClaims = Math.max(mostClaims, (await cluster.all(kinds.nodeClaims)).length)
      return types.length === 1 && types[0] === 'c-4x'
    })
    await untilRunning(cluster, 1)
    const names = run.effects.slice(before).map(({ name }) => name)
    expect(names.indexOf('create NodeClaim')).toBeGreaterThan(names.indexOf('patch Node'))
    expect(names.indexOf('delete NodeClaim')).toBeGreaterThan(names.indexOf('create Node'))
    // Provisioning has not bought a second one for the same pod.
    expect(names.filter((name) => name === 'create NodeClaim')).toHaveLength(1)
    expect(mostClaims).toBe(2)
    expect(cluster.machines()).toHaveLength(1)
    expect(conditionOf((await cluster.all(kinds.nodeClaims))[0], 'DisruptionReason')).toBeUndefined()
    const metrics = await run.metrics()
    for (const line of [
      'karpenter_nodeclaims_created_total{reason="underutilized",nodepool="default",min_values_relaxed="false"} 1',
      'karpenter_voluntary_disruption_decisions_total{decision="replace",reason="underutilized",consolidation_type="single"} 1',
      'karpenter_voluntary_disruption_decisions_by_nodepool_total{nodepool="default",decision="replace",reason="underutilized",consolidation_type="single"} 1',
      'karpenter_nodeclaims_disrupted_total{reason="underutilized",nodepool="default",capacity_type="on-demand",consolidation_policy="when_empty_or_underutilized",termination_mode="graceful"} 1',
      'karpenter_pods_disruption_initiated_total{reason="underutilized",nodepool="default",capacity_type="on-demand",consolidation_policy="when_empty_or_underutilized",termination_mode="graceful"} 1',
      // The wait before a decision is carried out counts.
      'karpenter_voluntary_disruption_decision_evaluation_duration_seconds_sum{reason="underutilized",consolidation_type="single"} 15',
    ])
      expect(metrics).toContain(line)
    expect(await reasonsOn(cluster, 'NodeClaim')).toEqual(
      expect.arrayContaining([
        'ConsolidationCandidate',
        'DisruptionLaunching',
        'DisruptionWaitingReadiness',
        'DisruptionTerminating',
      ]),
    )
    expect(await reasonsOn(cluster, 'Node')).toContain('DisruptionTerminating')
    const told = run.news.filter((line) => line.startsWith('Disrupting nodes '))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/"command-id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"/)
    expect(run.errors).toEqual([])
  })

  test('D-QUEUE-09 D-QUEUE-13 D-QUEUE-17 D-QUEUE-18: a node stays whose replacement is deleted, without a mark, and is replaced later', async () => {
    const { cluster, run } = await startWith(5)
    const [old] = await cluster.all(kinds.nodeClaims)
    await scale(cluster, 'web', 1)
    const replacement = async () =>
      (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name !== old?.metadata.name)
    await cluster.until('a replacement is launched', async () => (await replacement())?.status.providerID !== undefined)
    expect((await cluster.all(kinds.nodes)).some(isTainted)).toBe(true)
    await cluster.face.delete({ ...kinds.nodeClaims, name: (await replacement())?.metadata.name ?? '' })
    await cluster.until('the mark is gone', async () => !(await cluster.all(kinds.nodes)).some(isTainted), 5000)
    const kept = (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name === old?.metadata.name)
    expect(kept?.metadata.deletionTimestamp).toBeUndefined()
    expect(conditionOf(kept, 'DisruptionReason')).toBeUndefined()
    expect(await runningPods(cluster)).toBe(1)
    expect(await run.metrics()).toContain(
      'karpenter_voluntary_disruption_queue_failures_total{decision="replace",reason="underutilized",consolidation_type="single"} 1',
    )
    await cluster.until('it is replaced', async () => (await typesOf(cluster)).join() === 'c-4x')
    expect(cluster.machines()).toHaveLength(1)
  })

  test.each([
    ['churn', (cluster: VirtualCluster, node: string) => protect(cluster, node)],
    [
      'budget',
      (cluster: VirtualCluster) => patchPool(cluster, { spec: { disruption: { budgets: [{ nodes: '0' }] } } }),
    ],
  ])(
    'D-CONS-10 D-SINGLE-05 D-MULTI-09: what is to be replaced is told; a decision that no longer holds after the wait is dropped and told why: %s',
    async (kind, change) => {
      const { cluster, run } = await startWith(5)
      await scale(cluster, 'web', 1)
      await cluster.until('it is proposed', async () =>
        (await reasonsOn(cluster, 'Node')).includes('ConsolidationCandidate'),
      )
      const approved =
        'karpenter_consolidation_moves_total{decision="approved",nodepool="default",policy="WhenEmptyOrUnderutilized"} 1'
      expect(await run.metrics()).toContain(approved)
      const [node] = await cluster.all(kinds.nodes)
      await change(cluster, node?.metadata.name ?? '')
      await cluster.clock.advance(60_000)
      const rejected = await eventsOf(cluster, { reason: 'ConsolidationRejected' })
      expect(rejected.map(({ involvedObject }) => involvedObject.kind).sort()).toEqual(['Node', 'NodeClaim'])
      expect(rejected[0]?.message).toContain(`(${kind})`)
      expect((await cluster.all(kinds.nodes)).some(isTainted)).toBe(false)
      expect(run.effects.filter(({ name }) => name === 'create NodeClaim')).toHaveLength(1)
    },
  )

  test('D-CONS-10 D-MULTI-11: where several nodes no longer can go, the same pass looks for one', async () => {
    const requirements = [
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
      { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['c-4x'] },
    ]
    const { cluster, run } = await startWith(1, { template: { requirements } })
    // Four nodes, each filled up and then almost empty.
    await applyDeployment(cluster, 'filler', 3, '3')
    await untilRunning(cluster, 4)
    await untilInitialized(cluster)
    await applyDeployment(cluster, 'small', 4, '600m')
    await untilRunning(cluster, 8)
    for (const name of ['web', 'filler']) await scale(cluster, name, 0)
    const movesOf = async () => Number(/consolidation_moves_total\{.*\} (\d+)/.exec(await run.metrics())?.[1] ?? 0)
    await cluster.until('several are proposed', async () => (await movesOf()) === 1)
    // What only goes is told once it does.
    expect(await reasonsOn(cluster, 'Node')).not.toContain('ConsolidationCandidate')
    const [, ...others] = await cluster.all(kinds.nodes)
    for (const { metadata } of others) await protect(cluster, metadata.name)
    await cluster.until('they are refused', async () =>
      (await reasonsOn(cluster, 'Node')).includes('ConsolidationRejected'),
    )
    expect(await movesOf()).toBe(2)
    await cluster.until('one goes', async () => (await typesOf(cluster)).length === others.length)
    expect(await run.metrics()).toContain(
      'karpenter_voluntary_disruption_decisions_total{decision="delete",reason="underutilized",consolidation_type="single"} 1',
    )
  })

  test('stays below the limits of its NodePool while both machines are up', async () => {
    const { cluster } = await startWith(5, { pool: { limits: { nodes: '1' } } })
    await scale(cluster, 'web', 1)
    await cluster.clock.advance(300_000)
    expect(cluster.cloud.everything()).toHaveLength(1)
    expect(await reasonsOn(cluster, 'Node')).toContain('Unconsolidatable')
    await patchPool(cluster, { spec: { limits: { nodes: '2' } } })
    await cluster.until('it is replaced', async () => (await typesOf(cluster)).join() === 'c-4x')
  })

  test('E-REC-03 D-CAND-03 D-CAND-07: tells on Node and claim which pod and which budget keep a node, one that can never be satisfied included', async () => {
    const { cluster } = await startWith(5)
    await cluster.face.create(
      { ...kinds.budgets, namespace: 'default' },
      { metadata: { name: 'never' }, spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } } },
    )
    await scale(cluster, 'web', 1)
    await cluster.clock.advance(300_000)
    expect(await typesOf(cluster)).toEqual(['c-16x'])
    const told = (await eventsOf(cluster)).filter(
      ({ reason, message }) => reason === 'DisruptionBlocked' && message.includes('default/never'),
    )
    expect(new Set(told.map(({ involvedObject }) => involvedObject.kind))).toEqual(new Set(['Node', 'NodeClaim']))
    // Equal news is told once in two minutes, and not with every look.
    expect(told.length).toBeLessThanOrEqual(8)
  })
})

describe('drift', () => {
  const never = { consolidateAfter: 'Never', budgets: [{ nodes: '1' }] }
  const drift = (cluster: VirtualCluster) => patchTemplate(cluster, { metadata: { labels: { team: 'a' } } })

  test('D-DRIFT-05 D-VALID-08 D-QUEUE-07: is carried out without a wait, replacement first', async () => {
    const { cluster, run } = await startWith(5, { pool: { disruption: never } })
    // Until then its pods are new, and expected on it (ST-11).
    await cluster.clock.advance(30_000)
    const before = run.effects.length
    await drift(cluster)
    await cluster.until('it is drifted', async () =>
      (await cluster.all(kinds.nodeClaims)).some((claim) => conditionOf(claim, 'Drifted') !== undefined),
    )
    const driftedMs = cluster.clock.nowMs()
    await cluster.until('a node has a mark', async () => (await cluster.all(kinds.nodes)).some(isTainted))
    // Looks come every ten seconds.
    expect(cluster.clock.nowMs() - driftedMs).toBeLessThanOrEqual(10_500)
    await cluster.until('it is replaced', async () => (await team(cluster)).join() === 'a')
    await untilRunning(cluster, 5)
    const names = run.effects.slice(before).map(({ name }) => name)
    expect(names.indexOf('evict')).toBeGreaterThan(names.indexOf('create Node'))
    // A command looks every second whether its replacement is up.
    const initialized = conditionOf((await cluster.all(kinds.nodeClaims))[0], 'Initialized') as unknown as {
      readonly lastTransitionTime: string
    }
    const deleted = run.effects.slice(before).find(({ name }) => name === 'delete NodeClaim')
    expect((deleted?.atMs ?? Number.NaN) - Date.parse(initialized.lastTransitionTime)).toBeLessThan(2000)
    expect(await run.metrics()).toContain(
      'karpenter_voluntary_disruption_decisions_total{decision="replace",reason="drifted",consolidation_type=""} 1',
    )
    expect(cluster.cloud.everything()).toHaveLength(2)
  })

  test('D-QUEUE-15 D-QUEUE-19 D-LOOP-03: several replacements are under way at once, as the budget allows, and each ends by itself', async () => {
    const disruption = { consolidateAfter: 'Never', budgets: [{ nodes: '2' }] }
    const { cluster } = await startWith(20, { pool: { disruption } })
    expect(await typesOf(cluster)).toHaveLength(4)
    await drift(cluster)
    let mostAtOnce = 0
    await cluster.until(
      'all are replaced',
      async () => {
        const nodes = await cluster.all(kinds.nodes)
        mostAtOnce = Math.max(mostAtOnce, nodes.filter((node) => isTainted(node)).length)
        return (await team(cluster)).every((label) => label === 'a')
      },
      1_800_000,
    )
    expect(mostAtOnce).toBe(2)
    await untilRunning(cluster, 20)
    expect(cluster.cloud.everything()).toHaveLength(8)
  })

  test('D-QUEUE-10 D-DRIFT-07 D-DRIFT-08: keeps a node whose replacement never joins, and tries again', async () => {
    let isStuck = false
    const cluster = await startCluster()
    const run = await cluster.startController(({ name }) =>
      isStuck && name === 'create Node' ? 'fail before' : 'pass',
    )
    await applyDefaults(cluster, { disruption: never })
    await applyDeployment(cluster, 'web', 5, '3')
    await untilRunning(cluster, 5)
    await untilInitialized(cluster)
    isStuck = true
    await drift(cluster)
    await cluster.until('a node has a mark', async () => (await cluster.all(kinds.nodes)).some(isTainted))
    await cluster.clock.advance(590_000)
    expect((await cluster.all(kinds.nodes)).some(isTainted)).toBe(true)
    await cluster.until('the mark is gone', async () => !(await cluster.all(kinds.nodes)).some(isTainted), 30_000)
    expect(await runningPods(cluster)).toBe(5)
    expect(await run.metrics()).toContain(
      'karpenter_voluntary_disruption_queue_failures_total{decision="replace",reason="drifted",consolidation_type=""} 1',
    )
    isStuck = false
    await cluster.until('it is replaced', async () => (await team(cluster)).join() === 'a')
    await cluster.clock.advance(400_000)
    expect(cluster.machines()).toHaveLength(1)
  })

  test('D-SDRIFT-01 D-SDRIFT-05 D-SDRIFT-06: static pools are replaced node by node as limits allow, and keep their number', async () => {
    const cluster = await startCluster()
    const run = await cluster.startController(() => 'pass', ['--feature-gates', 'StaticCapacity=true'])
    await applyDefaults(cluster, {
      replicas: 3,
      limits: { nodes: '5' },
      disruption: { budgets: [{ nodes: '100%' }] },
    })
    await cluster.until('three nodes have started', async () => {
      const nodes = await cluster.all(kinds.nodes)
      return (
        nodes.length === 3 && nodes.every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true')
      )
    })
    await drift(cluster)
    let fewest = 3
    let most = 3
    await cluster.until('all are replaced', async () => {
      const claims = await cluster.all(kinds.nodeClaims)
      most = Math.max(most, claims.length)
      const ready = (await cluster.all(kinds.nodes)).filter(
        ({ metadata }) =>
          metadata.deletionTimestamp === undefined && metadata.labels?.['karpenter.sh/initialized'] === 'true',
      )
      fewest = Math.min(fewest, ready.length)
      const labels = await team(cluster)
      return labels.length === 3 && labels.every((label) => label === 'a')
    })
    await cluster.clock.advance(120_000)
    expect({ fewest, most }).toEqual({ fewest: 3, most: 5 })
    expect(cluster.cloud.everything()).toHaveLength(6)
    expect(run.errors).toEqual([])
  })
})

describe('empty nodes', () => {
  test('D-EMPTY-04 D-EMPTY-05 D-VALID-05: a pod that comes during the wait keeps its node, and the others go', async () => {
    const { cluster, run } = await startWith(10)
    expect(await typesOf(cluster)).toHaveLength(2)
    await scale(cluster, 'web', 0)
    await cluster.until('no pod is left', async () => (await cluster.all(kinds.pods)).length === 0)
    // The decision falls between 30 and 40 seconds after that, and holds 15 seconds later.
    await cluster.clock.advance(43_000)
    await applyDeployment(cluster, 'late', 1, '1')
    await cluster.until('one node is left', async () => (await typesOf(cluster)).length === 1)
    expect(await runningPods(cluster)).toBe(1)
    const metrics = await run.metrics()
    expect(metrics).toContain('karpenter_voluntary_disruption_failed_validations_total{consolidation_type="empty"} 1')
    expect(metrics).toContain(
      'karpenter_voluntary_disruption_decisions_total{decision="delete",reason="empty",consolidation_type="empty"} 1',
    )
    expect(await reasonsOn(cluster, 'Node')).not.toContain('ConsolidationRejected')
  })
})

describe('empty nodes whose writes fail', () => {
  test('D-QUEUE-03 D-QUEUE-16: one that cannot be marked stays for now, and the others go', async () => {
    let failures = 0
    const cluster = await startCluster()
    let isStubborn = false
    const run = await cluster.startController(({ name }) => {
      if (!isStubborn || name !== 'patch Node' || failures > 0) return 'pass'
      failures += 1
      return 'fail before'
    })
    await applyDefaults(cluster, { disruption: underutilized }, { terminationGracePeriod: '10m' })
    await applyDeployment(cluster, 'web', 10, '3')
    await untilRunning(cluster, 10)
    await untilInitialized(cluster)
    await cluster.clock.advance(40_000)
    isStubborn = true
    await scale(cluster, 'web', 0)
    await cluster.until('one is deleted', async () =>
      (await cluster.all(kinds.nodeClaims)).some(({ metadata }) => metadata.deletionTimestamp !== undefined),
    )
    expect(failures).toBe(1)
    const staying = (await cluster.all(kinds.nodeClaims)).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )
    expect(staying).toHaveLength(1)
    await cluster.until('all are gone', async () => (await cluster.all(kinds.nodes)).length === 0)
    expect(await run.metrics()).toContain(
      'karpenter_nodeclaims_disrupted_total{reason="empty",nodepool="default",capacity_type="on-demand",consolidation_policy="when_empty_or_underutilized",termination_mode="eventual"} 2',
    )
  })
})

describe('budgets', () => {
  test('D-LOOP-13 D-BUDG-05: a node that only a budget keeps goes when its window has closed, though nothing else changed', async () => {
    // Simulations begin at midnight.
    const budgets = [{ nodes: '0', schedule: '0 0 * * *', duration: '10m' }]
    const { cluster } = await startWith(5, { pool: { disruption: { ...underutilized, budgets } } })
    await scale(cluster, 'web', 0)
    const openMs = 10 * 60_000 - (cluster.clock.nowMs() % 86_400_000)
    await cluster.clock.advance(openMs - 1000)
    expect(await typesOf(cluster)).toHaveLength(1)
    await cluster.until('the node is gone', async () => (await typesOf(cluster)).length === 0, 60_000)
  })

  test('D-BUDG-13: hold up neither expiry, nor deletion by hand, nor the cloud', async () => {
    const disruption = { consolidateAfter: 'Never', budgets: [{ nodes: '0' }] }
    const isGone = async (cluster: VirtualCluster, name: string | undefined) =>
      (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== name)
    const { cluster } = await startWith(5, { pool: { disruption }, template: { expireAfter: '15m' } })
    const name = async () => (await cluster.all(kinds.nodeClaims))[0]?.metadata.name
    const first = await name()
    cluster.cloud.interrupt(cluster.machines()[0]?.id ?? '')
    await cluster.until('the interrupted one is gone', () => isGone(cluster, first))
    const second = await name()
    await cluster.face.delete({ ...kinds.nodeClaims, name: second ?? '' })
    await cluster.until('the deleted one is gone', () => isGone(cluster, second))
    const third = await name()
    await cluster.until('the expired one is gone', () => isGone(cluster, third), 1_200_000)
    await untilRunning(cluster, 5)
  })
})

describe('pods on nodes that go', () => {
  test('D-QUEUE-21: are planned for again and again, for as long as their node is marked', async () => {
    const { cluster } = await startWith(5, { pool: { disruption: { consolidateAfter: 'Never' } } })
    const [claim] = await cluster.all(kinds.nodeClaims)
    // A budget keeps the pods where they run, and the limit keeps them from another place: none of them is pending.
    await cluster.face.create(
      { ...kinds.budgets, namespace: 'default' },
      { metadata: { name: 'web' }, spec: { minAvailable: 5, selector: { matchLabels: { app: 'web' } } } },
    )
    await patchPool(cluster, { spec: { limits: { nodes: '0' } } })
    await cluster.clock.advance(30_000)
    await cluster.face.delete({ ...kinds.nodeClaims, name: claim?.metadata.name ?? '' })
    await cluster.clock.advance(60_000)
    expect(cluster.cloud.everything()).toHaveLength(1)
    await patchPool(cluster, { spec: { limits: { nodes: '5' } } })
    await cluster.clock.advance(15_000)
    expect(cluster.cloud.everything()).toHaveLength(2)
  })
})

describe('what a NodePool is told', () => {
  test('D-LOOP-05 D-BUDG-06 D-BUDG-10: of a budget with a schedule that cannot be read, which keeps every node, and of one whose window never opens', async () => {
    const budgets = [
      { nodes: '2', schedule: '61 25 * * *', duration: '1h' },
      { nodes: '1', schedule: '0 0 31 2 *', duration: '1h' },
    ]
    const { cluster, run } = await startWith(5, { pool: { disruption: { ...underutilized, budgets } } })
    await scale(cluster, 'web', 0)
    await cluster.clock.advance(300_000)
    expect(await typesOf(cluster)).toHaveLength(1)
    const told = await eventsOf(cluster, { kind: 'NodePool' })
    const warnings = told.filter(({ type, reason }) => type === 'Warning' && reason.includes('Budget'))
    expect(warnings.map(({ reason }) => reason).sort()).toEqual(['BudgetNeverActive', 'InvalidBudget'])
    expect(warnings.find(({ reason }) => reason === 'InvalidBudget')?.message).toContain('61 25 * * *')
    expect(told.map(({ reason }) => reason)).toContain('DisruptionBlocked')
    expect(await run.metrics()).toContain(
      'karpenter_nodepools_allowed_disruptions{nodepool="default",reason="Empty"} 0',
    )
    await patchPool(cluster, { spec: { disruption: { budgets: [{ nodes: '1' }] } } })
    await cluster.until('the node is gone', async () => (await typesOf(cluster)).length === 0)
  })
})

describe('pods that ask not to be disrupted', () => {
  test('P-03 P-04: hear until when, that it has elapsed, or that nobody understands them', async () => {
    const { cluster } = await startWith(1)
    for (const [name, value] of [
      ['for-ever', 'true'],
      ['a-while', '2m'],
      ['garbled', 'soon'],
      ['no', 'false'],
    ])
      await applyDeployment(cluster, name ?? '', 1, '100m', {}, { 'karpenter.sh/do-not-disrupt': value ?? '' })
    await untilRunning(cluster, 5)
    await cluster.clock.advance(200_000)
    const told = (await eventsOf(cluster))
      .filter(({ involvedObject, reason }) => involvedObject.kind === 'Pod' && /Disrupt/.test(reason))
      .map(
        ({ involvedObject, reason, type }) =>
          `${involvedObject.name.replace(/-[a-z0-9]+-[a-z0-9]+$/, '')} ${type} ${reason}`,
      )
    expect(new Set(told)).toEqual(
      new Set([
        'a-while Normal DoNotDisruptUntil',
        'a-while Normal DoNotDisruptGracePeriodElapsed',
        'garbled Warning InvalidDoNotDisruptAnnotation',
        'no Warning InvalidDoNotDisruptAnnotation',
      ]),
    )
  })
})

describe('scantling.sh/replace-before-evict', () => {
  const annotate = (cluster: VirtualCluster, annotations: Record<string, string>) =>
    patchPool(cluster, { metadata: { annotations } })

  test('an expired node is replaced before its first pod is evicted', async () => {
    const { cluster, run } = await startWith(5, {
      pool: { disruption: { consolidateAfter: 'Never' } },
      template: { expireAfter: '15m' },
    })
    await annotate(cluster, { 'scantling.sh/replace-before-evict': 'true' })
    const [old] = await cluster.all(kinds.nodeClaims)
    const before = run.effects.length
    await cluster.until(
      'the old one is gone',
      async () => (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== old?.metadata.name),
      1_200_000,
    )
    await untilRunning(cluster, 5)
    const names = run.effects.slice(before).map(({ name }) => name)
    expect(names.indexOf('create Node')).toBeGreaterThanOrEqual(0)
    expect(names.indexOf('evict')).toBeGreaterThan(names.indexOf('create Node'))
    expect(names.filter((name) => name === 'create NodeClaim')).toHaveLength(1)
    expect(await run.metrics()).toMatch(/karpenter_nodeclaims_disrupted_total\{reason="expired",.*\} 1/)
  })

  test('a wrong value is a condition of the NodePool', async () => {
    const { cluster } = await startWith(1)
    await annotate(cluster, { 'scantling.sh/replace-before-evict': 'maybe' })
    await cluster.until(
      'the pool says so',
      async () =>
        conditionOf((await cluster.all(kinds.nodePools))[0], 'ValidationSucceeded')?.reason ===
        'NodePoolValidationFailed',
    )
  })

  test('with surge, the only pod of a Deployment runs on the replacement before it leaves the old node', async () => {
    const { cluster, run } = await startWith(1, {
      pool: { disruption: { consolidateAfter: 'Never', budgets: [{ nodes: '1' }] } },
    })
    await annotate(cluster, { 'scantling.sh/surge': 'true' })
    await patchTemplate(cluster, { metadata: { labels: { team: 'a' } } })
    let fewest = 1
    await cluster.until('it is replaced', async () => {
      fewest = Math.min(fewest, await runningPods(cluster))
      return (await team(cluster)).join() === 'a'
    })
    expect(fewest).toBe(1)
    expect(run.effects.map(({ name }) => name)).not.toContain('evict')
    expect(cluster.cloud.everything()).toHaveLength(2)
  })
})
