import { expect, test } from '@jest/globals'
import { applyDefaults, applyDeployment, kinds, scale, untilRunning, type Fate, type FateOf } from '../src/index.ts'
import { workUnder } from './meddled-controller.ts'

const pods = 8

/** Lets a cluster of two nodes run, keeps one of them busy and the other empty, and meddles from there on. */
const removeUnder = (fateOf: FateOf) =>
  workUnder(fateOf, {
    prepare: async (cluster) => {
      await applyDefaults(cluster)
      await applyDeployment(cluster, 'idle', pods, '3')
      await untilRunning(cluster, pods)
      await cluster.clock.advance(60_000)
    },
    act: async (cluster) => {
      await scale(cluster, 'idle', 0)
      await applyDeployment(cluster, 'late', 1, '1')
    },
    isDone: async (cluster) =>
      (await cluster.all(kinds.nodes)).length === 1 && (await cluster.all(kinds.nodeClaims)).length === 1,
  })

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
      nodes: 1,
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
