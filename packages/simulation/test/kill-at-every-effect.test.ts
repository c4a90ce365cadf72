import { describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  kinds,
  runningPods,
  type Fate,
  type FateOf,
  type VirtualCluster,
} from '../src/index.ts'
import { workUnder } from './meddled-controller.ts'

const pods = 50
// All of them take four minutes; the sample takes the first or last effect of each kind, and those between by turns.
const isWhole = process.env['SCANTLING_EVERY_EFFECT'] === '1'

const converged = async (cluster: VirtualCluster): Promise<boolean> => {
  if ((await runningPods(cluster)) !== pods) return false
  const nodes = await cluster.all(kinds.nodes)
  return nodes.every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true')
}

/** Launches 50 pods with a controller whose effects meet their fates. */
const launchUnder = (fateOf: FateOf) =>
  workUnder(fateOf, {
    options: { launchMs: 3000 },
    act: async (cluster) => {
      await applyDefaults(cluster)
      await applyDeployment(cluster, 'web', pods, '3')
    },
    isDone: converged,
  })

const planned = await launchUnder(() => 'pass')

/** Numbers of the effects to meddle with: all, or the `edge` of each kind and every `step`-th of the rest. */
const chosen = (edge: 'first' | 'last', step: (name: string) => number): ReadonlyArray<number> =>
  planned.effects.flatMap((name, index) => {
    const atEdge = edge === 'first' ? planned.effects.indexOf(name) : planned.effects.lastIndexOf(name)
    return isWhole || atEdge === index || index % step(name) === 0 ? [index + 1] : []
  })

const expectNothingLostOrDoubled = async (number: number, fate: Fate) => {
  const where = `${fate} effect ${number}, ${planned.effects[number - 1]}`
  try {
    const { running, claimed, machines, everLaunched, nodes } = await launchUnder((_, at) =>
      at === number ? fate : 'pass',
    )
    expect({ where, running, claimed, machines: machines.length, everLaunched, nodes }).toEqual({
      where,
      running: pods,
      claimed: machines,
      machines: planned.machines.length,
      everLaunched: planned.everLaunched,
      nodes: planned.nodes,
    })
  } catch (cause) {
    throw new Error(`After ${where}: ${String(cause)}`, { cause })
  }
}

const inTurn = (name: string) => (name === 'status of NodeClaim' ? 12 : 4)
const limitMs = isWhole ? 1_800_000 : 300_000

describe('a 50-pod launch', () => {
  test('takes ten machines, and an effect of every kind', () => {
    expect(planned).toMatchObject({ running: pods, everLaunched: 10, nodes: 10 })
    expect(planned.claimed).toEqual(planned.machines)
    expect(new Set(planned.effects)).toEqual(
      new Set([
        'status of KWOKNodeClass',
        'patch NodePool',
        'status of NodePool',
        'create NodeClaim',
        'patch NodeClaim',
        'launch',
        'status of NodeClaim',
        'create Node',
        'patch Node',
      ]),
    )
  })

  test(
    'L-LAUNCH-01 P-CST-01 goes on after the controller died before an effect, with every machine once',
    async () => {
      for (const number of chosen('first', inTurn)) await expectNothingLostOrDoubled(number, 'die before')
    },
    limitMs,
  )

  test(
    'L-LAUNCH-01 P-CST-01 goes on after the controller died between an effect and its answer, with every machine once',
    async () => {
      for (const number of chosen('last', inTurn)) await expectNothingLostOrDoubled(number, 'die after')
    },
    limitMs,
  )

  test(
    'comes through any one call that fails, whether it took effect or not',
    async () => {
      for (const number of chosen('first', () => 40)) await expectNothingLostOrDoubled(number, 'fail before')
      for (const number of chosen('last', () => 40)) await expectNothingLostOrDoubled(number, 'fail after')
    },
    limitMs,
  )
})
