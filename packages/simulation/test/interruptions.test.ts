import { describe, expect, test } from '@jest/globals'
import { conditionOf, kinds, runningPods, untilRunning, type VirtualCluster } from '../src/index.ts'
import { patchPool, reasonsOn, startRunning } from './running-cluster.ts'

const startWith = async (
  replicas: number,
  {
    annotations = {},
    pod = {},
  }: { readonly annotations?: Record<string, string>; readonly pod?: Record<string, unknown> } = {},
) => {
  const { cluster, run } = await startRunning({ replicas, pod })
  await patchPool(cluster, { metadata: { annotations } })
  await cluster.clock.advance(60_000)
  return { cluster, run }
}

/** Lets time pass until the machine is gone; what the fewest running pods were meanwhile. */
const fewestRunning = async (cluster: VirtualCluster, claim: string | undefined, withinMs = 600_000) => {
  let fewest = Number.POSITIVE_INFINITY
  await cluster.until(
    'the claim is gone',
    async () => {
      fewest = Math.min(fewest, await runningPods(cluster))
      return (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== claim)
    },
    withinMs,
  )
  return fewest
}

describe('a spot interruption with two minutes’ notice', () => {
  test('launches another machine at once and evicts when that is up, long before the end', async () => {
    const { cluster, run } = await startWith(5)
    const [machine] = cluster.machines()
    const [claim] = await cluster.all(kinds.nodeClaims)
    const before = run.effects.length
    const announcedMs = cluster.clock.nowMs()
    cluster.cloud.interrupt(machine?.id ?? '')
    await cluster.until('a claim is made', () =>
      run.effects.slice(before).some(({ name }) => name === 'create NodeClaim'),
    )
    expect(cluster.clock.nowMs() - announcedMs).toBeLessThan(2000)
    // Nothing new is put on it, and nothing is taken off it, while the other one starts.
    expect((await cluster.all(kinds.nodes))[0]?.spec.taints).toContainEqual(
      expect.objectContaining({ key: 'karpenter.sh/disrupted' }),
    )
    expect(
      conditionOf(
        (await cluster.all(kinds.nodeClaims)).find((one) => one.metadata.name === claim?.metadata.name),
        'DisruptionReason',
      ),
    ).toMatchObject({ status: 'True', reason: 'Interrupted' })
    await fewestRunning(cluster, claim?.metadata.name, 120_000)
    await untilRunning(cluster, 5, { withinMs: 60_000 })
    const effects = run.effects.slice(before)
    const atMs = (name: string) => effects.find((effect) => effect.name === name)?.atMs ?? 0
    expect(atMs('evict')).toBeGreaterThan(atMs('create Node'))
    expect(atMs('evict') - announcedMs).toBeLessThan(75_000)
    expect(effects.filter(({ name }) => name === 'create NodeClaim')).toHaveLength(1)
    expect(cluster.machines()).toHaveLength(1)
    expect(await reasonsOn(cluster, 'NodeClaim')).toEqual(
      expect.arrayContaining(['SpotInterruption', 'DisruptionLaunching', 'DisruptionTerminating']),
    )
    const metrics = await run.metrics()
    expect(metrics).toContain('karpenter_interruption_received_messages_total{message_type="SpotInterruption"} 1')
    expect(metrics).toMatch(/karpenter_interruption_deleted_messages_total 1/)
    expect(metrics).toMatch(/karpenter_nodeclaims_disrupted_total\{reason="spot_interruption",.*\} 1/)
    expect(run.errors).toEqual([])
  })

  test('evicts at once where the grace of its pods takes all the time there is', async () => {
    const { cluster, run } = await startWith(5, { pod: { terminationGracePeriodSeconds: 110 } })
    const [machine] = cluster.machines()
    const before = run.effects.length
    const announcedMs = cluster.clock.nowMs()
    cluster.cloud.interrupt(machine?.id ?? '')
    await cluster.until('pods are evicted', () => run.effects.slice(before).some(({ name }) => name === 'evict'))
    expect(cluster.clock.nowMs() - announcedMs).toBeLessThan(5000)
    expect(await reasonsOn(cluster, 'Node')).toContain('TerminatingOnInterruption')
  })

  test('goes on where a controller left it that died meanwhile, and ends the machine in time', async () => {
    const { cluster, run } = await startWith(5)
    const [machine] = cluster.machines()
    const [claim] = await cluster.all(kinds.nodeClaims)
    cluster.cloud.interrupt(machine?.id ?? '')
    await cluster.until('the node is marked', async () =>
      ((await cluster.all(kinds.nodes))[0]?.spec.taints ?? []).some(({ key }) => key === 'karpenter.sh/disrupted'),
    )
    run.kill()
    const next = await cluster.startController()
    await fewestRunning(cluster, claim?.metadata.name, 120_000)
    await untilRunning(cluster, 5, { withinMs: 120_000 })
    await cluster.clock.advance(400_000)
    expect(cluster.machines()).toHaveLength(1)
    expect(next.errors).toEqual([])
  })
})

describe('scheduled maintenance', () => {
  test('replaces the machine first, within its ten minutes', async () => {
    const { cluster } = await startWith(5)
    const [machine] = cluster.machines()
    const [claim] = await cluster.all(kinds.nodeClaims)
    cluster.cloud.interrupt(machine?.id ?? '', { kind: 'maintenance' })
    await fewestRunning(cluster, claim?.metadata.name)
    await untilRunning(cluster, 5, { withinMs: 60_000 })
    expect(cluster.machines().map(({ id }) => id)).not.toContain(machine?.id)
  })
})

describe('a machine that was stopped or ended', () => {
  test.each(['stop', 'terminate'] as const)('goes at once after %s', async (kind) => {
    const { cluster, run } = await startWith(5)
    const [machine] = cluster.machines()
    const before = run.effects.length
    cluster.cloud.interrupt(machine?.id ?? '', { kind })
    await cluster.clock.advance(3000)
    expect(run.effects.slice(before).map(({ name }) => name)).toContain('delete NodeClaim')
    await untilRunning(cluster, 5)
  })
})

describe('a recommendation to rebalance', () => {
  test('is told and changes nothing by itself', async () => {
    const { cluster } = await startWith(5)
    const [machine] = cluster.machines()
    cluster.cloud.interrupt(machine?.id ?? '', { kind: 'rebalance' })
    await cluster.clock.advance(300_000)
    expect(cluster.machines().map(({ id }) => id)).toEqual([machine?.id])
    expect((await reasonsOn(cluster, 'Node')).filter((reason) => reason === 'RebalanceRecommendation')).toHaveLength(1)
  })

  test('replaces the node where its NodePool asks for it, and not a second time for the same news', async () => {
    const { cluster, run } = await startWith(5, { annotations: { 'scantling.sh/rebalance': 'replace' } })
    const [machine] = cluster.machines()
    const [claim] = await cluster.all(kinds.nodeClaims)
    const before = run.effects.length
    cluster.cloud.interrupt(machine?.id ?? '', { kind: 'rebalance' })
    cluster.cloud.interrupt(machine?.id ?? '', { kind: 'rebalance' })
    await fewestRunning(cluster, claim?.metadata.name)
    await untilRunning(cluster, 5)
    const effects = run.effects.slice(before)
    expect(effects.filter(({ name }) => name === 'create NodeClaim')).toHaveLength(1)
    const index = (name: string) => effects.findIndex((effect) => effect.name === name)
    expect(index('evict')).toBeGreaterThan(index('create Node'))
    expect(cluster.machines()).toHaveLength(1)
  })
})
