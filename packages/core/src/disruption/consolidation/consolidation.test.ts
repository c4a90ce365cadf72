import { describe, expect, test } from '@jest/globals'

import type { Snapshot, StateNode } from '../../cluster/index.ts'
import { Resources } from '../../quantity/index.ts'
import { managedNode, nodePool, offering, instanceType, pendingPod, runningPod, sceneOf } from '../../testing/index.ts'
import type { Scene } from '../../testing/index.ts'
import { disruptionByMethod, planDisruption, type MethodOutcome } from '../index.ts'

// A pool that says nothing of the capacity type may launch spot.
const onDemand = nodePool('default', {
  requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
})
const outcome = (snapshot: Snapshot, method: MethodOutcome['method']): MethodOutcome => {
  const found = disruptionByMethod(snapshot, { strategy: 'reference' }).find((one) => one.method === method)
  if (found === undefined) throw new Error(`There is no method ${method}`)
  return found
}
const single = (scene: Scene) => outcome(sceneOf(scene), 'single-node-consolidation')
const multi = (scene: Scene) => outcome(sceneOf(scene), 'multi-node-consolidation')
const commands = ({ commands: found }: MethodOutcome) =>
  found.map(
    ({ candidates, replacements }) =>
      `${candidates
        .map(({ node }) => node)
        .sort()
        .join(
          ' ',
        )} -> ${replacements.map(({ instanceTypes = [] }) => instanceTypes.map(({ name }) => name).join(' ')).join(', ')}`,
  )
const reasons = ({ blocked }: MethodOutcome) => blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)

const half = (name: string) => [runningPod(`${name}-pod`, { cpu: '3' })]
const full = (name: string) => [runningPod(`${name}-pod`, { cpu: '7' })]
const two = (parts: Partial<StateNode> = {}) => [
  managedNode('one', { pods: half('one') }),
  managedNode('two', { pods: half('two'), rest: parts }),
]

describe('single-node consolidation', () => {
  test('D-CONS-03: takes a node away whose pods fit elsewhere, even where its price is unknown', () => {
    expect(commands(single({ nodes: two() }))).toEqual(['one -> '])
    const types = [instanceType('large', 8, { offerings: [offering('c', 'on-demand', 8)] })]
    const found = single({ nodes: two(), types })
    expect(found.candidates.map(({ candidate }) => candidate.pricePerHour)).toEqual([0, 0])
    expect(commands(found)).toEqual(['one -> '])
  })

  test('D-CONS-05, D-CONS-06: replaces a node by types that are sure to cost less', () => {
    const nodes = [managedNode('one', { pods: half('one') })]
    const types = [instanceType('large', 8), instanceType('medium', 4), instanceType('small', 2)]
    const found = single({ nodes, types, nodePools: [onDemand] })
    expect(commands(found)).toEqual(['one -> medium'])
    expect(found.commands[0]?.savingsPerHour).toBe(4)
  })

  test('D-CONS-06: the dearest offering of a type counts, not the cheapest', () => {
    const nodes = [managedNode('one', { pods: half('one') })]
    const mixed = instanceType('medium', 4, {
      offerings: [offering('a', 'on-demand', 4), offering('b', 'on-demand', 9)],
    })
    const found = single({ nodes, types: [instanceType('large', 8), mixed] })
    expect(commands(found)).toEqual([])
    expect(found.blocked[0]?.reason).toEqual({ _tag: 'NotCheaper', pricePerHour: 8, cheapestPerHour: 4 })
  })

  test('D-CONS-04: one node is the most that consolidation buys', () => {
    const pods = ['x', 'y'].map((name) => runningPod(name, { cpu: '3' }))
    const nodes = [managedNode('one', { pods })]
    const types = [instanceType('large', 8), instanceType('medium', 4)]
    // Anti-affinity keeps the pods apart.
    const apart = pods.map((pod) => ({
      ...pod,
      labels: { app: 'x' },
      constraints: {
        ...pod.constraints,
        podAntiAffinity: {
          required: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } }, namespaces: [] },
          ],
          preferred: [],
        },
      },
    }))
    const found = single({ nodes: nodes.map((state) => ({ ...state, pods: apart })), types })
    expect(found.blocked[0]?.reason).toEqual({ _tag: 'NeedsSeveralNodes', nodes: 2 })
  })

  test('D-CONS-08: what may be spot or on demand is pinned to spot, for which the price was reckoned', () => {
    const nodes = [managedNode('one', { pods: half('one') })]
    const both = instanceType('medium', 4, { offerings: [offering('a', 'spot', 1), offering('a', 'on-demand', 9)] })
    const [command] = single({ nodes, types: [instanceType('large', 8), both] }).commands
    const [replacement] = command?.replacements ?? []
    expect([...(replacement?.requirements.byKey.get('karpenter.sh/capacity-type')?.values ?? [])]).toEqual(['spot'])
  })

  test('first-fit pins to spot only what is sold as spot, so that the launch can succeed', () => {
    const snapshot = sceneOf({
      nodes: [managedNode('one', { pods: half('one') })],
      types: [instanceType('large', 8), instanceType('medium', 4)],
    })
    const capacityTypes = (strategy: 'reference' | 'first-fit') =>
      planDisruption(snapshot, { strategy }).commands.flatMap(({ replacements }) =>
        replacements.map(({ requirements }) => [
          ...(requirements.byKey.get('karpenter.sh/capacity-type')?.values ?? []),
        ]),
      )
    expect(capacityTypes('reference')).toEqual([['spot']])
    expect(capacityTypes('first-fit')).toEqual([['on-demand']])
  })

  test('D-CONS-07: minValues bind when prices are compared, under BestEffort as well', () => {
    const pool = nodePool('default', {
      requirements: [{ key: 'node.kubernetes.io/instance-type', operator: 'Exists', minValues: 2 }],
    })
    const nodes = [managedNode('one', { pods: half('one') })]
    const types = [instanceType('large', 8), instanceType('medium', 4)]
    for (const minValuesPolicy of ['Strict', 'BestEffort'] as const) {
      const found = single({ nodes, types, nodePools: [pool], settings: { minValuesPolicy } })
      expect(reasons(found)).toEqual(['one: MinValuesUnmetIfCheaper'])
    }
  })

  test('D-CONS-01: says of each node that it may not look at why', () => {
    const pool = (name: string, disruption: object) =>
      nodePool(name, {
        disruption: {
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          consolidateAfterMs: 0,
          budgets: [],
          ...disruption,
        },
      })
    const nodePools = [
      nodePool('default'),
      pool('static', {}),
      pool('never', { consolidateAfterMs: undefined }),
      pool('empty', { consolidationPolicy: 'WhenEmpty' }),
    ].map((one) => (one.name === 'static' ? { ...one, replicas: 1 } : one))
    const nodes = [
      managedNode('a-static', { poolName: 'static', pods: full('a') }),
      managedNode('b-unknown', { type: 'gone', pods: full('b') }),
      managedNode('c-zoneless', { pods: full('c'), labels: { 'topology.kubernetes.io/zone': undefined as never } }),
      managedNode('d-never', { poolName: 'never', pods: full('d') }),
      managedNode('e-empty', { poolName: 'empty', pods: full('e') }),
      managedNode('f-busy', { pods: full('f'), conditions: ['Initialized'] }),
      managedNode('g-idle'),
    ]
    expect(reasons(single({ nodes, nodePools }))).toEqual([
      'a-static: StaticNodePool',
      'b-unknown: InstanceTypeUnknown',
      'c-zoneless: LabelMissing',
      'd-never: ConsolidationDisabled',
      'e-empty: OnlyWhenEmpty',
      'f-busy: NotConsolidatable',
    ])
  })

  test('D-SIM-08: pods that wait already do not keep a node, running ones without a place do', () => {
    const waiting = pendingPod('waiting', { cpu: '100' })
    expect(commands(single({ nodes: two(), pods: [waiting] }))).toEqual(['one -> '])
    const pinned = runningPod('pinned', { cpu: '1' }, { nodeSelector: { 'kubernetes.io/hostname': 'one' } })
    const found = single({ nodes: [managedNode('one', { pods: [pinned] }), managedNode('two')] })
    expect(found.blocked[0]?.reason).toEqual({ _tag: 'PodsWithoutPlace', pods: ['default/pinned'], total: 1 })
  })

  test('D-SIM-07: a node that has not finished starting is no place to count on', () => {
    const starting = managedNode('two', { labels: { 'karpenter.sh/initialized': 'false' }, conditions: [] })
    const found = single({ nodes: [managedNode('one', { pods: full('one') }), starting] })
    expect(found.blocked[0]?.reason).toEqual({ _tag: 'NeedsUninitializedNode', pod: 'default/one-pod', node: 'two' })
  })

  test('D-SIM-05: a node within its consolidateAfter is not filled by consolidation', () => {
    const resting = nodePool('resting', {
      disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfterMs: 1000, budgets: [] },
    })
    const nodes = [
      managedNode('one', { pods: full('one') }),
      managedNode('two', { poolName: 'resting', conditions: ['Initialized'] }),
    ]
    const nodePools = [nodePool('default'), resting]
    expect(reasons(single({ nowMs: 999, nodes, nodePools }))).toContain('one: NotCheaper')
    expect(commands(single({ nowMs: 1000, nodes, nodePools }))).toEqual(['one -> '])
  })

  test('D-SIM-11: without a NodePool that takes pods nothing is decided', () => {
    const nodePools = [nodePool('default', { isReady: false })]
    expect(reasons(single({ nodes: two(), nodePools }))).toEqual(['one: NoNodePools', 'two: NoNodePools'])
  })

  test('D-SINGLE-01, D-SINGLE-03: NodePools take turns, and one without budget is passed over', () => {
    const closed = nodePool('closed', {
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfterMs: 0,
        budgets: [{ nodes: '0' }],
      },
    })
    const nodes = [
      managedNode('one', { poolName: 'closed', pods: half('one') }),
      managedNode('two', { pods: [...half('two'), runningPod('more', { cpu: '1' })] }),
      managedNode('three', { pods: full('three') }),
    ]
    const found = single({ nodes, nodePools: [nodePool('default'), closed] })
    expect(commands(found)).toEqual(['two -> '])
    expect(reasons(found)).toEqual(['one: Budget', 'three: NotCheaper'])
  })
})

describe('spot-to-spot consolidation', () => {
  const spot = (name: string, price: number) =>
    instanceType(name, 8, { offerings: [offering('a', 'spot', price), offering('a', 'on-demand', 10 * price)] })
  const many = (count: number) => [
    spot('large', 100),
    ...Array.from({ length: count }, (_, index) => spot(`t${String(index).padStart(2, '0')}`, index + 1)),
  ]
  const nodes = [managedNode('one', { capacityType: 'spot', pods: full('one') })]
  const gates = { spotToSpotConsolidation: true }

  test('D-SPOT-01: is off by its gate, even where an on-demand node would be cheaper', () => {
    expect(reasons(single({ nodes, types: many(20) }))).toEqual(['one: SpotToSpotDisabled'])
  })

  test('D-SPOT-04, D-SPOT-05: needs 15 cheaper types and launches the 15 cheapest', () => {
    expect(single({ nodes, types: many(14), gates }).blocked[0]?.reason).toEqual({
      _tag: 'SpotToSpotInflexible',
      types: 14,
      needed: 15,
    })
    const [command] = single({ nodes, types: many(20), gates }).commands
    const names = command?.replacements[0]?.instanceTypes?.map(({ name }) => name)
    expect(names).toHaveLength(15)
    expect(names?.[14]).toBe('t14')
  })

  test('D-SPOT-03: asks for no flexibility where several nodes become one', () => {
    const pair = ['one', 'two'].map((name) => managedNode(name, { capacityType: 'spot', pods: half(name) }))
    const found = multi({
      nodes: pair.map((state) => ({ ...state, pods: state.pods.map((pod) => ({ ...pod, requests: big })) })),
      types: [spot('large', 100), instanceType('huge', 16, { offerings: [offering('a', 'spot', 150)] })],
      gates,
    })
    expect(commands(found)).toEqual(['one two -> huge'])
  })
  const big = Resources.parse({ cpu: '7', pods: '1' })
})

describe('multi-node consolidation', () => {
  test('D-MULTI-06: nodes are not merged into one of a type that one of them has', () => {
    const nodes = ['one', 'two'].map((name) => managedNode(name, { pods: half(name) }))
    // Merging both into a large one is the same as keeping one of them.
    expect(commands(multi({ nodes, types: [instanceType('large', 8)] }))).toEqual([])
    const cheaper = instanceType('other', 8, { offerings: [offering('a', 'on-demand', 7)] })
    expect(commands(multi({ nodes, types: [instanceType('large', 8), cheaper], nodePools: [onDemand] }))).toEqual([
      'one two -> other',
    ])
  })

  test('D-MULTI-01: takes no more nodes of a NodePool than its budgets allow', () => {
    const pool = nodePool('default', {
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfterMs: 0,
        budgets: [{ nodes: '2' }],
      },
    })
    const tiny = (name: string) => [runningPod(`${name}-pod`, { cpu: '1' })]
    const nodes = ['a', 'b', 'c', 'd'].map((name) => managedNode(name, { pods: tiny(name) }))
    expect(commands(multi({ nodes, nodePools: [pool] }))).toEqual(['a b -> '])
  })

  test('past the prefix: first-fit goes on where one node near the front fails every prefix', () => {
    const stuck = runningPod('stuck', { cpu: '1' }, { nodeSelector: { 'kubernetes.io/hostname': 'a' } })
    const tiny = (name: string) => [1, 2].map((slot) => runningPod(`${name}-${slot}`, { cpu: '1' }))
    const nodes = [
      managedNode('a', { pods: [stuck] }),
      ...['b', 'c', 'd'].map((name) => managedNode(name, { pods: tiny(name) })),
    ]
    const snapshot = sceneOf({ nodes })
    expect(planDisruption(snapshot, { strategy: 'reference' }).method).toBe('single-node-consolidation')
    const plan = planDisruption(snapshot, { strategy: 'first-fit' })
    expect(plan.method).toBe('multi-node-consolidation')
    expect(plan.commands[0]?.candidates.map(({ node }) => node)).toEqual(['b', 'c', 'd'])
  })
})
