import { afterEach, describe, expect, jest, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  kinds,
  runningPods,
  startVirtualCluster,
  type VirtualCluster,
} from '../src/index.ts'

// Virtual time is cheap, but a busy machine takes its time for it.
jest.setTimeout(60_000)

const closers: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const startWith = async (
  replicas: number,
  {
    annotations = {},
    pod = {},
  }: { readonly annotations?: Record<string, string>; readonly pod?: Record<string, unknown> } = {},
) => {
  const cluster = await startVirtualCluster()
  closers.push(cluster.stop)
  const run = await cluster.startController()
  await applyDefaults(cluster)
  await cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', { metadata: { annotations } })
  await applyDeployment(cluster, 'web', replicas, '3', pod)
  await cluster.until('all run', async () => (await runningPods(cluster)) === replicas)
  await cluster.until('all nodes are initialized', async () =>
    (await cluster.all(kinds.nodes)).every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true'),
  )
  await cluster.clock.advance(60_000)
  return { cluster, run }
}

interface SeenEvent {
  readonly reason: string
  readonly message: string
  readonly involvedObject: { readonly kind: string; readonly name: string }
}
const events = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.events)) as unknown as ReadonlyArray<SeenEvent>
const reasonsOn = async (cluster: VirtualCluster, kind: string) =>
  (await events(cluster)).filter(({ involvedObject }) => involvedObject.kind === kind).map(({ reason }) => reason)

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
    await cluster.until('all run again', async () => (await runningPods(cluster)) === 5, 60_000)
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
    await cluster.until('all run again', async () => (await runningPods(cluster)) === 5, 120_000)
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
    await cluster.until('all run again', async () => (await runningPods(cluster)) === 5, 60_000)
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
    await cluster.until('all run again', async () => (await runningPods(cluster)) === 5)
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
    await cluster.until('all run again', async () => (await runningPods(cluster)) === 5)
    const effects = run.effects.slice(before)
    expect(effects.filter(({ name }) => name === 'create NodeClaim')).toHaveLength(1)
    const index = (name: string) => effects.findIndex((effect) => effect.name === name)
    expect(index('evict')).toBeGreaterThan(index('create Node'))
    expect(cluster.machines()).toHaveLength(1)
  })
})
