import { expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  kinds,
  runningPods,
  scale,
  untilRunning,
  type Fate,
  type FateOf,
} from '../src/index.ts'
import { workUnder } from './meddled-controller.ts'

const disruption = {
  consolidationPolicy: 'WhenEmptyOrUnderutilized',
  consolidateAfter: '30s',
  budgets: [{ nodes: '1' }],
}

/** Lets one large node become too large for its pod, and meddles while it is replaced by a small one. */
const replaceUnder = async (fateOf: FateOf) => {
  let mostUnavailableMs = 0
  let downSinceMs: number | undefined
  const outcome = await workUnder(fateOf, {
    prepare: async (cluster) => {
      await applyDefaults(cluster, { disruption })
      await applyDeployment(cluster, 'web', 5, '3')
      await untilRunning(cluster, 5)
      await scale(cluster, 'web', 1)
      await cluster.until('one is left', async () => (await cluster.all(kinds.pods)).length === 1)
      await cluster.clock.advance(20_000)
    },
    // The node becomes consolidatable by itself.
    act: async () => undefined,
    isDone: async (cluster) => {
      const nodes = await cluster.all(kinds.nodes)
      const isDown = (await runningPods(cluster)) === 0
      downSinceMs = isDown ? (downSinceMs ?? cluster.clock.nowMs()) : undefined
      if (downSinceMs !== undefined)
        mostUnavailableMs = Math.max(mostUnavailableMs, cluster.clock.nowMs() - downSinceMs)
      return (
        nodes.length === 1 &&
        nodes[0]?.metadata.labels?.['node.kubernetes.io/instance-type'] === 'c-4x' &&
        (await cluster.all(kinds.nodeClaims)).length === 1
      )
    },
  })
  return { ...outcome, mostUnavailableMs }
}

const planned = await replaceUnder(() => 'pass')

const expectReplaced = async (number: number, fate: Fate, mostLaunched = 2) => {
  const where = `${fate} effect ${number}, ${planned.effects[number - 1]}`
  try {
    const outcome = await replaceUnder((_, at) => (at === number ? fate : 'pass'))
    const { running, everLaunched, taints, machines } = outcome
    expect(everLaunched).toBeLessThanOrEqual(mostLaunched)
    expect({ where, running, taints, machines: machines.length }).toEqual({
      where,
      running: 1,
      taints: [],
      machines: 1,
    })
    expect(outcome.claimed).toEqual(outcome.machines)
    // The pod moves to a machine that is there already: it waits for no launch.
    expect(outcome.mostUnavailableMs).toBeLessThan(10_000)
  } catch (cause) {
    throw new Error(`After ${where}: ${String(cause)}`, { cause })
  }
}

test('a node is replaced by a cheaper one, which is bought once', () => {
  expect(planned).toMatchObject({ running: 1, claimed: planned.machines, everLaunched: 2, taints: [] })
  expect(planned.effects).toEqual(
    expect.arrayContaining(['patch Node', 'create NodeClaim', 'launch', 'delete NodeClaim', 'evict', 'terminate']),
  )
})

test('D-QUEUE-01 D-LOOP-04 a controller killed at any effect of a replacement loses no machine and buys none twice', async () => {
  for (let number = 1; number <= planned.effects.length; number++)
    await expectReplaced(number, number % 2 === 0 ? 'die before' : 'die after')
}, 600_000)

// A creation whose answer is lost is taken back with the rest of its command: the machine is found to replace nothing.
test('D-QUEUE-03 D-QUEUE-13 a replacement comes through any one call that fails, whether it took effect or not', async () => {
  const firstOf = planned.effects.map((name, index) => planned.effects.indexOf(name) === index)
  for (let number = 1; number <= planned.effects.length; number++) {
    if (firstOf[number - 1] !== true) continue
    await expectReplaced(number, 'fail before', 3)
    await expectReplaced(number, 'fail after', 3)
  }
}, 600_000)
