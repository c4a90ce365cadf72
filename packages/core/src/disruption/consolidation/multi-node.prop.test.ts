import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { instanceType, managedNode, nodePool, runningPod, sceneOf } from '../../testing/index.ts'
import type { Snapshot } from '../../cluster/index.ts'
import { planDisruption, type DisruptionOptions, type DisruptionPlan } from '../index.ts'

const types = [1, 2, 4, 8].map((cpu) => instanceType(`cpu-${cpu}`, 2 * cpu))
const pool = (budget: string) =>
  nodePool('default', {
    requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfterMs: 0,
      budgets: [{ nodes: budget }],
    },
  })

const cluster = fc.record({
  budget: fc.constantFrom('100%', '2', '3'),
  nodes: fc.array(
    fc.record({
      size: fc.nat(3),
      pods: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
      isStuck: fc.integer({ min: 0, max: 5 }).map((one) => one === 0),
    }),
    { minLength: 2, maxLength: 8 },
  ),
})

const sceneFrom = (drawn: typeof cluster extends fc.Arbitrary<infer A> ? A : never) => {
  const nodes = drawn.nodes.map(({ size, pods, isStuck }, index) => {
    const name = `node-${index}`
    const constraints = isStuck ? { nodeSelector: { 'kubernetes.io/hostname': name } } : {}
    return managedNode(name, {
      type: types[size]!.name,
      cpu: 2 ** (size + 1),
      pods: pods.map((share, slot) =>
        runningPod(`${name}-${slot}`, { cpu: `${share * 10 * 2 ** size}m` }, constraints),
      ),
    })
  })
  return sceneOf({ nodes, types, nodePools: [pool(drawn.budget)] })
}
const methods = ['multi-node-consolidation', 'single-node-consolidation'] as const
const consolidated = (snapshot: Snapshot, options: DisruptionOptions) =>
  planDisruption(snapshot, { ...options, methods })
const savings = ({ commands }: DisruptionPlan) => commands.reduce((sum, { savingsPerHour }) => sum + savingsPerHour, 0)

describe('consolidation', () => {
  test('past the prefix: first-fit never saves less than the reference, and keeps the budget', () => {
    let more = 0
    fc.assert(
      fc.property(cluster, (drawn) => {
        const snapshot = sceneFrom(drawn)
        const reference = consolidated(snapshot, { strategy: 'reference' })
        const ours = consolidated(snapshot, { strategy: 'first-fit', churn: 'allow' })
        const gain = savings(ours) - savings(reference)
        expect(gain).toBeGreaterThanOrEqual(0)
        if (gain > 0) more += 1
        const [command] = ours.commands
        const most = drawn.budget === '100%' ? drawn.nodes.length : Number(drawn.budget)
        expect(command?.candidates.length ?? 2).toBeLessThanOrEqual(most)
      }),
      { numRuns: 200, seed: 1 },
    )
    expect(more).toBeGreaterThan(0)
  })

  test('D-CONS-06: what replaces nodes costs less than they do', () => {
    fc.assert(
      fc.property(cluster, (drawn) => {
        for (const strategy of ['reference', 'first-fit'] as const) {
          for (const { candidates, replacements } of consolidated(sceneFrom(drawn), { strategy }).commands) {
            const before = candidates.reduce((sum, { pricePerHour }) => sum + pricePerHour, 0)
            // Whichever types and places come: the dearest of each replacement together cost less.
            const atWorst = replacements.reduce(
              (sum, { instanceTypes = [] }) =>
                sum +
                Math.max(
                  ...instanceTypes.flatMap(({ offerings }) =>
                    offerings.map(({ pricePerHour = Number.NaN }) => pricePerHour),
                  ),
                ),
              0,
            )
            if (replacements.length > 0) expect(atWorst).toBeLessThan(before)
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})
