import { describe, expect, test } from '@jest/globals'

import { Resources } from '../quantity/index.ts'
import {
  managedNode,
  nodePool,
  reserved,
  runningPod,
  sceneOf,
  instanceType,
  reservationKey,
  type Scene,
} from '../testing/index.ts'
import { disruptionByMethod, type MethodOutcome } from './index.ts'

const outcome = (scene: Scene, method: MethodOutcome['method'] = 'drift'): MethodOutcome => {
  const found = disruptionByMethod(sceneOf(scene), { strategy: 'reference' }).find((one) => one.method === method)
  if (found === undefined) throw new Error(`There is no method ${method}`)
  return found
}
const taken = ({ commands }: MethodOutcome) => commands.flatMap(({ candidates }) => candidates.map(({ node }) => node))
const reasons = ({ blocked }: MethodOutcome) => blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)
const pod = (name: string, rest = {}) => runningPod(name, { cpu: '7' }, {}, rest)

describe('drift', () => {
  test('D-DRIFT-01: takes drifted nodes whatever their policy, and no others', () => {
    const never = nodePool('default', {
      disruption: { consolidationPolicy: 'WhenEmpty', budgets: [] },
    })
    const nodes = [managedNode('a', { pods: [pod('a')] }), managedNode('b', { pods: [pod('b')], driftedAtMs: 1 })]
    expect(taken(outcome({ nodes, nodePools: [never] }))).toEqual(['b'])
  })

  test('D-DRIFT-02: nodes without a pod to move come first, then the longest drifted', () => {
    const nodes = [
      managedNode('a', { pods: [pod('a')], driftedAtMs: 2 }),
      managedNode('b', { pods: [pod('b')], driftedAtMs: 1 }),
      managedNode('c', { driftedAtMs: 3 }),
    ]
    expect(taken(outcome({ nodes }))).toEqual(['c'])
    expect(taken(outcome({ nodes: nodes.slice(0, 2) }))).toEqual(['b'])
  })

  test('D-DRIFT-03: passes over a node whose pods have no place, and over pools without budget', () => {
    const closed = nodePool('closed', {
      disruption: { consolidationPolicy: 'WhenEmpty', budgets: [{ nodes: '0', reasons: ['Drifted'] }] },
    })
    const stuck = runningPod('stuck', { cpu: '1' }, { nodeSelector: { 'kubernetes.io/hostname': 'a' } })
    const nodes = [
      managedNode('a', { pods: [stuck], driftedAtMs: 1 }),
      managedNode('b', { pods: [pod('b')], driftedAtMs: 2, poolName: 'closed' }),
      managedNode('c', { pods: [pod('c')], driftedAtMs: 3 }),
    ]
    const found = outcome({ nodes, nodePools: [nodePool('default'), closed] })
    expect(taken(found)).toEqual(['c'])
    expect(reasons(found)).toEqual(['a: PodsWithoutPlace', 'b: Budget'])
  })

  test('D-DRIFT-04: as many replacements as the pods need, at any price', () => {
    const pods = ['x', 'y'].map((name) => runningPod(name, { cpu: '3' }))
    const nodes = [managedNode('a', { pods, driftedAtMs: 1 })]
    const [command] = outcome({ nodes, types: [instanceType('large', 4)] }).commands
    expect(command?.replacements).toHaveLength(2)
  })

  test('D-DRIFT-06, D-CAND-08: pods hold a node of a claim without terminationGracePeriod only', () => {
    const held = pod('a', { disruption: { deletionCost: 0, doNotDisrupt: {} } })
    const node = (claim: object) => managedNode('a', { pods: [held], driftedAtMs: 1, claim })
    expect(taken(outcome({ nodes: [node({})] }))).toEqual([])
    const found = outcome({ nodes: [node({ terminationGracePeriodMs: 60_000 })] })
    expect(taken(found)).toEqual(['a'])
    // Nothing is bought for a pod that cannot be evicted now (D-SIM-03).
    expect(found.commands[0]?.replacements).toEqual([])
  })

  test('terminates first where only the slot in its own full reservation would take the pods', () => {
    const types = [instanceType('large', 8, { offerings: [reserved('a', 'r-1', 0)] })]
    const nodes = [
      managedNode('a', {
        pods: [pod('a')],
        driftedAtMs: 1,
        capacityType: 'reserved',
        labels: { [reservationKey]: 'r-1' },
      }),
    ]
    expect(reasons(outcome({ nodes, types }))).toEqual(['a: PodsWithoutPlace'])
    const [command] = outcome({ nodes, types, gates: { terminateFirstDrift: true } }).commands
    expect(command).toMatchObject({ terminateFirst: 'no-reserved-capacity', replacements: [] })
  })
})

describe('static drift', () => {
  const pool = (limits?: string, replicas = 2) =>
    nodePool('static', {
      replicas,
      ...(limits === undefined ? {} : { limits: Resources.parse({ nodes: limits }) }),
      disruption: { consolidationPolicy: 'WhenEmpty', budgets: [{ nodes: '100%' }] },
    })
  const nodes = ['a', 'b'].map((name, index) =>
    managedNode(name, { poolName: 'static', pods: [pod(name)], driftedAtMs: 2 - index }),
  )
  const find = (scene: Scene) => outcome(scene, 'static-drift')

  test('D-SDRIFT-04: each node for one more of its pool, without asking where pods go', () => {
    const found = find({ nodes, nodePools: [pool()] })
    expect(taken(found)).toEqual(['b', 'a'])
    expect(found.commands.map(({ replacements }) => replacements.map(({ nodePool }) => nodePool))).toEqual([
      ['static'],
      ['static'],
    ])
  })

  test('D-SDRIFT-03: within the limit on nodes; at it, only where terminating first is allowed', () => {
    expect(reasons(find({ nodes, nodePools: [pool('3')] }))).toEqual(['a: AtNodeLimit'])
    expect(reasons(find({ nodes, nodePools: [pool('2')] }))).toEqual(['b: AtNodeLimit', 'a: AtNodeLimit'])
    const found = find({ nodes, nodePools: [pool('2')], gates: { terminateFirstDrift: true } })
    expect(found.commands.map(({ terminateFirst }) => terminateFirst)).toEqual(['static-at-limit', 'static-at-limit'])
  })

  test('D-SDRIFT-02: a pool with more nodes than replicas shrinks first', () => {
    expect(reasons(find({ nodes, nodePools: [pool(undefined, 1)] }))).toEqual(['b: AboveReplicas', 'a: AboveReplicas'])
  })

  test('D-SDRIFT-06: pools go by themselves, as far as their limits let each', () => {
    const free = { ...pool(undefined, 5), name: 'free' }
    const others = [managedNode('c', { poolName: 'free', driftedAtMs: 0 })]
    const found = find({ nodes: [...nodes, ...others], nodePools: [pool('3'), free] })
    expect(taken(found).sort()).toEqual(['b', 'c'])
    expect(reasons(find({ nodes, nodePools: [pool(undefined, 0)] }))).toEqual(['b: AboveReplicas', 'a: AboveReplicas'])
  })

  test('D-BUDG-12: the budget is kept within the pass', () => {
    const tight = { ...pool(), disruption: { ...pool().disruption, budgets: [{ nodes: '1' }] } }
    const found = find({ nodes, nodePools: [tight] })
    expect(taken(found)).toEqual(['b'])
    expect(reasons(found)).toEqual(['a: Budget'])
  })
})
