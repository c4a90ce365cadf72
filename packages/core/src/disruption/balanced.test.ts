import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { managedNode, nodePool, runningPod, sceneOf, type Scene } from '../testing/index.ts'
import { poolTotals, score, unbalanced } from './balanced.ts'
import type { CandidateState } from './candidate.ts'
import { evictionCost, lifetimeCost, rescheduleCost } from './cost.ts'
import { disruptionByMethod, planDisruption } from './index.ts'

const positive = fc.double({ min: 0.01, max: 1e6, noNaN: true })

describe('score()', () => {
  test('D-BAL-02: nothing saved or nothing to compare with scores 0', () => {
    const totals = { pricePerHour: 10, disruption: 10 }
    expect(score({ savings: 0, disruption: 1 }, totals)).toBe(0)
    expect(score({ savings: 1, disruption: 1 }, { pricePerHour: 0, disruption: 10 })).toBe(0)
    expect(score({ savings: 1, disruption: 1 }, undefined)).toBe(0)
    expect(score({ savings: 1, disruption: 0 }, totals)).toBe(Number.POSITIVE_INFINITY)
  })

  test('D-BAL-13: does not depend on the currency, and taking a whole pool away scores 1', () => {
    fc.assert(
      fc.property(positive, positive, positive, (savings, disruption, rate) => {
        const totals = { pricePerHour: 3 * savings, disruption: 2 * disruption }
        const one = score({ savings, disruption }, totals)
        const other = score({ savings: savings * rate, disruption }, { ...totals, pricePerHour: 3 * savings * rate })
        expect(other).toBeCloseTo(one, 6)
        expect(score({ savings, disruption }, { pricePerHour: savings, disruption })).toBe(1)
      }),
    )
  })
})

describe('Balanced NodePools', () => {
  const balanced = nodePool('default', {
    disruption: { consolidationPolicy: 'Balanced', consolidateAfterMs: 0, budgets: [] },
  })
  const pods = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => runningPod(`${name}-${index}`, { cpu: '100m' }))
  const single = (scene: Scene) =>
    disruptionByMethod(sceneOf({ nodePools: [balanced], ...scene }), { strategy: 'reference' }).at(-1)

  test('D-BAL-08: a cheap node with many pods stays, a dear one with few goes', () => {
    const nodes = [
      managedNode('cheap', { type: 'small', cpu: 2, pods: pods('cheap', 9) }),
      managedNode('dear', { pods: pods('dear', 1) }),
    ]
    const found = single({ nodes })
    expect(found?.commands.map(({ candidates }) => candidates[0].node)).toEqual(['dear'])
    const plan = planDisruption(sceneOf({ nodePools: [balanced], nodes: nodes.slice(0, 1) }), { strategy: 'reference' })
    // Alone in its pool, the cheap node would score 1.
    expect(plan.blocked.map(({ reason }) => reason._tag)).toEqual(['NotCheaper'])
    const crowded = [...nodes.slice(0, 1), managedNode('other', { pods: pods('other', 1), conditions: [] })]
    expect(single({ nodes: crowded })?.blocked).toContainEqual(
      expect.objectContaining({ node: 'cheap', reason: expect.objectContaining({ _tag: 'NotWorthwhile' }) }),
    )
  })
})

describe('what a move is worth', () => {
  const of = (name: string, consolidationPolicy: 'Balanced' | 'WhenEmptyOrUnderutilized') =>
    nodePool(name, { disruption: { consolidationPolicy, consolidateAfterMs: 0, budgets: [] } })
  const candidate = (
    pool: ReturnType<typeof nodePool>,
    name: string,
    pricePerHour: number,
    rescheduleCost: number,
  ): CandidateState => ({
    state: managedNode(name, { poolName: pool.name }),
    nodePool: pool,
    candidate: { node: name, claim: name, nodePool: pool.name, pricePerHour, rescheduleCost },
  })
  const balanced = of('balanced', 'Balanced')
  const other = of('other', 'Balanced')
  const free = of('free', 'WhenEmptyOrUnderutilized')
  const totals = new Map([
    ['balanced', { pricePerHour: 100, disruption: 100 }],
    ['other', { pricePerHour: 100, disruption: 100 }],
  ])
  const verdict = (moved: ReadonlyArray<CandidateState>, savings: number, known = totals) =>
    unbalanced(moved, savings, known)?._tag ?? 'worth it'

  test('D-BAL-01, D-BAL-09: half of its share of disruption must be saved; a pool without totals is refused', () => {
    const move = [candidate(balanced, 'a', 10, 10)]
    expect(verdict(move, 5)).toBe('worth it')
    expect(verdict(move, 4.9)).toBe('NotWorthwhile')
    expect(verdict(move, 10, new Map())).toBe('NotWorthwhile')
  })

  test('D-BAL-06, D-BAL-07: savings are shared out by what each pool’s nodes cost, and every Balanced pool must agree', () => {
    // 16 saved, three quarters of it by `balanced`: 12 for 20, and 4 for 4.
    const move = [candidate(balanced, 'a', 30, 20), candidate(other, 'b', 10, 4)]
    expect(verdict(move, 16)).toBe('worth it')
    expect(unbalanced([candidate(balanced, 'a', 30, 20), candidate(other, 'b', 10, 9)], 16, totals)).toMatchObject({
      nodePool: 'other',
    })
    // The disruption of a pool is that of all its nodes together.
    expect(verdict([candidate(balanced, 'a', 15, 10), candidate(balanced, 'b', 15, 10)], 9.9)).toBe('NotWorthwhile')
    // Other policies impose nothing.
    expect(verdict([candidate(free, 'a', 30, 50), candidate(other, 'b', 10, 4)], 16)).toBe('worth it')
  })

  test('D-BAL-14: without the Balanced policy any saving is worth any disruption', () => {
    expect(verdict([candidate(free, 'a', 10, 1000)], 0.01, new Map())).toBe('worth it')
  })

  test('D-BAL-03, D-BAL-04, D-BAL-05: totals are those of all nodes of pools that have a candidate', () => {
    const nodes = [
      managedNode('a', { pods: [runningPod('a-1')] }),
      // No candidate, yet it costs, and its pods of DaemonSets do not count.
      managedNode('b', {
        conditions: [],
        labels: { 'karpenter.sh/initialized': 'false' },
        pods: [
          runningPod('b-1'),
          runningPod('b-2', {}, {}, { owner: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd' } }),
        ],
      }),
      managedNode('c', { poolName: 'far' }),
    ]
    const snapshot = sceneOf({ nodes, nodePools: [nodePool('default'), nodePool('far')] })
    const own = candidate(nodePool('default'), 'a', 8, 2)
    const found = poolTotals([{ ...own, state: snapshot.nodes[0]! }], snapshot)
    expect([...found]).toEqual([['default', { pricePerHour: 16, disruption: 4 }]])
    // Where claims do not say what was bought, the candidates' prices are what is known.
    const bare = snapshot.nodes.map((state) => ({ ...state, claim: { ...state.claim!, labels: {} } }))
    expect(poolTotals([{ ...own, state: bare[0]! }], { ...snapshot, nodes: bare }).get('default')?.pricePerHour).toBe(8)
  })
})

describe('costs', () => {
  const pod = (disruption: object, priority = 0) =>
    runningPod('p', {}, {}, { priority, disruption: { deletionCost: 0, ...disruption } })

  test('D-COST-01: 1, shifted by the own cost and the priority, within [-10, 10]', () => {
    expect(evictionCost(pod({}))).toBe(1)
    expect(evictionCost(pod({ deletionCost: 2 ** 27 }))).toBe(2)
    expect(evictionCost(pod({}, 2 ** 25))).toBe(2)
    expect(evictionCost(pod({}, 2_000_001_000))).toBe(10)
    expect(evictionCost(pod({}, -2_000_000_000))).toBe(-10)
  })

  test('D-COST-01: karpenter.sh/disruption-cost counts instead; a managed pod-deletion-cost does not count', () => {
    expect(evictionCost(pod({ deletionCost: 2 ** 27, disruptionCost: 0 }))).toBe(1)
    expect(evictionCost(pod({ deletionCost: 2 ** 27 }), { podDeletionCostManagement: true })).toBe(1)
  })

  test('D-COST-02: 1 and what the pods that must move cost, none below 0', () => {
    expect(rescheduleCost([pod({}), pod({}, -2_000_000_000)])).toBe(2)
  })

  test('D-COST-03, D-COST-04: weighted by the share of life that is left', () => {
    const node = managedNode('a', { pods: [pod({}), pod({})], claim: { expireAfterMs: 1000, createdAtMs: 0 } })
    expect(lifetimeCost(node, 250)).toBe(1.5)
    expect(lifetimeCost(node, 2000)).toBe(0)
    expect(lifetimeCost(managedNode('b', { pods: [pod({})] }), 2000)).toBe(1)
  })
})
