import { expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  kinds,
  runningPods,
  scale,
  startVirtualCluster,
  untilRunning,
  type Effect,
  type Fate,
} from '../src/index.ts'

const pods = 8

/** Lets a cluster of two nodes run, keeps one of them busy and the other empty, and meddles from there on. */
const removeUnder = async (fateOf: (effect: Effect, number: number) => Fate) => {
  const cluster = await startVirtualCluster()
  try {
    let meddling = false
    let number = 0
    const first = await cluster.startController((effect) => (meddling ? fateOf(effect, ++number) : 'pass'))
    await applyDefaults(cluster, {}, {})
    await applyDeployment(cluster, 'idle', pods, '3')
    await untilRunning(cluster, pods)
    await cluster.clock.advance(60_000)
    meddling = true
    const before = first.effects.length
    await scale(cluster, 'idle', 0)
    await applyDeployment(cluster, 'late', 1, '1')
    const isRemoved = async () =>
      (await cluster.all(kinds.nodes)).length === 1 && (await cluster.all(kinds.nodeClaims)).length === 1
    await cluster.until('one node is left or the controller is dead', async () => first.isDead() || (await isRemoved()))
    if (first.isDead()) await cluster.startController()
    await cluster.until('one node is left', isRemoved)
    // Time for a collection of garbage, and for anything that would be ended late.
    await cluster.clock.advance(130_000)
    return {
      effects: first.effects.slice(before).map(({ name }) => name),
      running: await runningPods(cluster),
      claimed: (await cluster.all(kinds.nodeClaims)).map(({ status }) => status.providerID),
      machines: cluster.machines().map(({ name }) => `kwok://${name}`),
      everLaunched: cluster.cloud.everything().length,
      taints: (await cluster.all(kinds.nodes)).flatMap(({ spec }) => spec.taints ?? []),
    }
  } finally {
    await cluster.stop()
  }
}

const planned = await removeUnder(() => 'pass')

test('an empty node is removed while a busy one stays', () => {
  expect(planned).toMatchObject({ running: 1, claimed: planned.machines, everLaunched: 2, taints: [] })
  expect(planned.effects).toEqual(
    expect.arrayContaining(['patch Node', 'delete NodeClaim', 'delete Node', 'terminate']),
  )
})

test('D-LOOP-04 L-FIN-03 T-TERM-10 a controller killed at any effect of a removal leaves no machine behind and takes none too many', async () => {
  for (let number = 1; number <= planned.effects.length; number++) {
    const fate: Fate = number % 2 === 0 ? 'die before' : 'die after'
    const { effects: _, ...outcome } = await removeUnder((_effect, at) => (at === number ? fate : 'pass'))
    const where = `${fate} effect ${number}, ${planned.effects[number - 1]}`
    expect({ where, ...outcome, claimed: outcome.claimed.length, machines: outcome.machines.length }).toEqual({
      where,
      running: 1,
      claimed: 1,
      machines: 1,
      everLaunched: 2,
      taints: [],
    })
    expect(outcome.claimed).toEqual(outcome.machines)
  }
}, 300_000)

test('a removal comes through any one call that fails, whether it took effect or not', async () => {
  for (let number = 1; number <= planned.effects.length; number++) {
    const fate: Fate = number % 2 === 0 ? 'fail before' : 'fail after'
    const { effects: _, ...outcome } = await removeUnder((_effect, at) => (at === number ? fate : 'pass'))
    const where = `${fate} effect ${number}, ${planned.effects[number - 1]}`
    expect({ where, running: outcome.running, everLaunched: outcome.everLaunched, taints: outcome.taints }).toEqual({
      where,
      running: 1,
      everLaunched: 2,
      taints: [],
    })
    expect(outcome.claimed).toEqual(outcome.machines)
  }
}, 300_000)
