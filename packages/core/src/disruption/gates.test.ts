import { describe, expect, test } from '@jest/globals'
import type { Pod, PodDisruptionBudget, StateNode } from '../cluster/index.ts'
import { instanceType, managedNode, nodePool, offering, runningPod, sceneOf, type Scene } from '../testing/index.ts'
import { disruptionByMethod, nodePricePerHour, planDisruption, planEmptiness } from './index.ts'

const pod = (name: string, parts: Partial<Pod> = {}): Pod => runningPod(name, { cpu: '1' }, {}, parts)
const daemon = { owner: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd' } }
const keep = { disruption: { deletionCost: 0, doNotDisrupt: { sinceMs: 0 } } }
const cheap = { disruption: { deletionCost: -(2 ** 31) }, priority: -(2 ** 28) }
const emptied = (scene: Scene) => {
  const { commands, blocked } = planDisruption(sceneOf(scene), { strategy: 'reference', methods: ['emptiness'] })
  return {
    going: commands.flatMap(({ candidates }) => candidates.map(({ node }) => node)),
    staying: blocked.map(({ node, reason }) => `${node}: ${reason._tag}`),
  }
}
const gate = (state: StateNode, scene: Scene = {}) => {
  const { staying } = emptied({ nodes: [state], ...scene })
  return staying.map((text) => text.slice(text.indexOf(' ') + 1)).join()
}
const budget = (name: string, parts: Partial<PodDisruptionBudget> = {}): PodDisruptionBudget => ({
  namespace: 'default',
  name,
  selector: {},
  disruptionsAllowed: 1,
  unhealthyPodEvictionPolicy: 'IfHealthyBudget',
  ...parts,
})

describe('emptiness', () => {
  test('D-EMPTY-02 D-CAND-06 D-CAND-13: asks neither for a price nor for the labels that tell it', () => {
    const bare = {
      'node.kubernetes.io/instance-type': undefined as never,
      'topology.kubernetes.io/zone': undefined as never,
      'karpenter.sh/capacity-type': undefined as never,
    }
    const nodes = [managedNode('a', { labels: bare }), managedNode('b', { type: 'gone' })]
    expect(emptied({ nodes }).going).toEqual(['a', 'b'])
    for (const state of nodes) expect(nodePricePerHour(state, [instanceType('large', 8)])).toBe(0)
  })

  test('D-CAND-13: the first offering of zone and capacity type counts, sold out or not', () => {
    const types = [
      instanceType('large', 8, {
        offerings: [
          offering('b', 'on-demand', 1),
          { ...offering('a', 'on-demand', 2), unavailable: { reason: 'sold out' } as never },
          offering('a', 'on-demand', 3),
        ],
      }),
    ]
    expect(nodePricePerHour(managedNode('n'), types)).toBe(2)
    expect(nodePricePerHour(managedNode('n', { zone: 'c' }), types)).toBe(0)
  })

  test('D-EMPTY-03: one command takes all that the budget allows, the dearest first', () => {
    const nodes = ['a', 'b', 'c'].map((name, index) => managedNode(name, { type: `t-${index}` }))
    const types = [1, 2, 3].map((price, index) =>
      instanceType(`t-${index}`, 8, { offerings: [offering('a', 'on-demand', price)] }),
    )
    const two = nodePool('default', {
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfterMs: 0, budgets: [{ nodes: '2' }] },
    })
    const { commands } = planEmptiness(sceneOf({ nodes, types, nodePools: [two] }))
    expect(commands.map(({ candidates }) => candidates.map(({ node }) => node))).toEqual([['c', 'b']])
  })

  test('D-EMPTY-07: a node that holds room for a buffer is not empty', () => {
    expect(emptied({ nodes: [managedNode('a', { rest: { bufferPods: 1 } }), managedNode('b')] }).going).toEqual(['b'])
  })

  test('D-EMPTY-08 D-CAND-16: pods that cost nothing to move leave a node empty, by the budget for empty nodes', () => {
    const nodes = [managedNode('a', { pods: [pod('p', cheap)] })]
    expect(emptied({ nodes })).toEqual({ going: ['a'], staying: [] })
    const closed = (reason: 'Empty' | 'Underutilized') =>
      nodePool('default', {
        disruption: {
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          consolidateAfterMs: 0,
          budgets: [{ nodes: '0', reasons: [reason] }],
        },
      })
    expect(emptied({ nodes, nodePools: [closed('Empty')] }).going).toEqual([])
    expect(emptied({ nodes, nodePools: [closed('Underutilized')] }).going).toEqual(['a'])
  })

  test('D-CAND-12: nodes of static NodePools are left to static drift', () => {
    const nodePools = [{ ...nodePool('default'), replicas: 1 }]
    const found = disruptionByMethod(sceneOf({ nodes: [managedNode('a', { driftedAtMs: 1 })], nodePools }), {
      strategy: 'reference',
    })
    expect(found.filter(({ candidates }) => candidates.length > 0).map(({ method }) => method)).toEqual([
      'static-drift',
    ])
  })
})

describe('what keeps a node from every method', () => {
  test('D-CAND-05: a NodePool that is missing or offers no types', () => {
    expect(gate(managedNode('a', { poolName: 'gone' }))).toBe('NodePoolNotFound')
    expect(gate(managedNode('a'), { instanceTypes: new Map() })).toBe('NodePoolNotFound')
    expect(gate(managedNode('a'), { instanceTypes: new Map([['default', []]]) })).toBe('NodePoolNotFound')
  })

  test.each<readonly [string, Partial<Pod>, string]>([
    ['a pod that asks', keep, 'PodDoNotDisrupt'],
    ['a mirror pod that asks', { ...keep, isMirror: true }, 'PodDoNotDisrupt'],
    ['a DaemonSet pod that asks', { ...keep, ...daemon }, 'PodDoNotDisrupt'],
    ['a pod on its way out that asks', { ...keep, deletionTimestampMs: 5 }, ''],
    ['a pod that is done and asks', { ...keep, phase: 'Succeeded' }, ''],
    [
      'a pod whose time has passed',
      { disruption: { deletionCost: 0, doNotDisrupt: { sinceMs: 0, forMs: 5 } } },
      'NotEmpty',
    ],
  ])('P-05 D-CAND-15 D-CAND-09: %s', (_, parts, expected) => {
    expect(gate(managedNode('a', { pods: [pod('p', parts)] }), { nowMs: 5 })).toBe(expected)
  })

  test.each<readonly [string, ReadonlyArray<PodDisruptionBudget>, Partial<Pod>, string]>([
    ['P-12: one that allows none', [budget('x', { disruptionsAllowed: 0 })], {}, 'PodDisruptionBudget'],
    ['P-12: one that allows some', [budget('x')], {}, 'NotEmpty'],
    ['P-11: two, whatever they allow', [budget('x'), budget('y')], {}, 'PodDisruptionBudget'],
    ['P-11: one of another namespace', [budget('x', { namespace: 'other', disruptionsAllowed: 0 })], {}, 'NotEmpty'],
    [
      'P-11: one that selects others',
      [budget('x', { selector: { matchLabels: { app: 'other' } }, disruptionsAllowed: 0 })],
      {},
      'NotEmpty',
    ],
    [
      'P-13: AlwaysAllow lets an unready pod go',
      [budget('x', { disruptionsAllowed: 0, unhealthyPodEvictionPolicy: 'AlwaysAllow' })],
      { isReady: false },
      'NotEmpty',
    ],
    [
      'P-13: and keeps a ready one',
      [budget('x', { disruptionsAllowed: 0, unhealthyPodEvictionPolicy: 'AlwaysAllow' })],
      { isReady: true },
      'PodDisruptionBudget',
    ],
    ['D-CAND-15: a mirror pod is not evicted', [budget('x', { disruptionsAllowed: 0 })], { isMirror: true }, ''],
    ['D-CAND-15: a DaemonSet pod is', [budget('x', { disruptionsAllowed: 0 })], daemon, 'PodDisruptionBudget'],
    [
      'P-14: a selector that cannot be read keeps the pods of its namespace, and nothing else',
      [budget('x', { selector: { matchExpressions: [{ key: 'a', operator: 'Near' }] }, disruptionsAllowed: 0 })],
      {},
      'PodDisruptionBudget',
    ],
  ])(
    'P-11, P-12, P-13, P-14, D-CAND-15, D-CONS-12: PodDisruptionBudgets, %s',
    (_, podDisruptionBudgets, parts, expected) => {
      expect(gate(managedNode('a', { pods: [pod('p', parts)] }), { podDisruptionBudgets })).toBe(expected)
    },
  )

  test('P-12: each pod is asked for by itself: a budget of one lets a node of two pods go', () => {
    const nodes = [managedNode('a', { pods: [pod('p'), pod('q')] })]
    expect(emptied({ nodes, podDisruptionBudgets: [budget('x')] }).staying).toEqual(['a: NotEmpty'])
  })
})
