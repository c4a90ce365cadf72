import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { managedNode, nodePool, runningPod, sceneOf, type Scene } from '../testing/index.ts'
import { score } from './balanced.ts'
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
