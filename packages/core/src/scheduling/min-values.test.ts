import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
import type { RequirementSpec } from '../requirements/index.ts'
import { copies, decide, inZone, instanceType, nodePool, offering, pod, selecting } from '../testing/index.ts'

const { instanceType: typeKey, zone } = labelKeys
const family = 'example.com/family'
const sizes = [instanceType('small', 2), instanceType('medium', 4), instanceType('large', 8)]
const wanting = (...requirements: ReadonlyArray<RequirementSpec>) => [nodePool('default', { requirements })]
const atLeast = (key: string, minValues: number): RequirementSpec => ({ key, operator: 'Exists', minValues })
const bestEffort = { minValuesPolicy: 'BestEffort' as const }

describe('minValues', () => {
  test('P-MIN-01: values are those that the remaining types have between them and the requirement allows', () => {
    const some: RequirementSpec = { key: typeKey, operator: 'In', values: ['small', 'medium', 'other'], minValues: 2 }
    expect(decide({ types: sizes, nodePools: wanting(some), pods: [pod('p')] }).types).toEqual(['small medium'])
    expect(decide({ types: sizes, nodePools: wanting(some), pods: [pod('p', '3')] }).launches).toEqual([])
    // The reference counts what the node's own narrowing leaves of a type's values, too.
    expect(
      decide({ types: sizes, nodePools: wanting(atLeast(zone, 2)), pods: [pod('p', '1', inZone('a'))] }).launches,
    ).toEqual([])
    // All types sell in two zones.
    expect(decide({ types: sizes, nodePools: wanting(atLeast(zone, 2)), pods: [pod('p')] }).launches).toHaveLength(1)
    expect(decide({ types: sizes, nodePools: wanting(atLeast(zone, 3)), pods: [pod('p')] }).launches).toEqual([])
  })

  test('P-MIN-01: a type without the key adds nothing', () => {
    const requirements = wanting(atLeast(family, 1))
    expect(decide({ types: sizes, nodePools: requirements, pods: [pod('p')] }).launches).toEqual([])
  })

  test('P-MIN-02: every key is held to its own number, and the reason says what each reached', () => {
    const nodePools = wanting(atLeast(typeKey, 2), atLeast(zone, 2))
    expect(decide({ types: sizes, nodePools, pods: [pod('p', '3')] }).types).toEqual(['medium large'])
    expect(decide({ types: sizes, nodePools, pods: [pod('p', '7')] }).plan.rejections[0]?.reasons).toEqual([
      { _tag: 'MinValuesUnmet', nodePool: 'default', keys: [{ key: typeKey, minValues: 2, values: 1 }] },
    ])
  })

  test('P-MIN-02: where nothing fits at all, that is the reason, and not minValues', () => {
    const nodePools = wanting(atLeast(typeKey, 3))
    expect(decide({ types: sizes, nodePools, pods: [pod('p', '70')] }).rejections).toEqual([
      'p unplaced: NoInstanceTypeFits',
    ])
  })

  test('P-MIN-03: of several numbers on one key the largest counts', () => {
    const nodePools = wanting(atLeast(typeKey, 1), atLeast(typeKey, 3), atLeast(typeKey, 2))
    expect(decide({ types: sizes, nodePools, pods: [pod('p')] }).launches).toHaveLength(1)
    expect(decide({ types: sizes, nodePools, pods: [pod('p', '3')] }).launches).toEqual([])
  })

  test('P-MIN-04: strict: a pod that would leave too few types goes to another node, or another NodePool', () => {
    const nodePools = [...wanting(atLeast(typeKey, 3)), nodePool('a-fallback')]
    const decision = decide({ types: sizes, nodePools, pods: [pod('p0', '1500m'), pod('p1', '1400m')] })
    expect(decision.launches).toEqual(['default: p0', 'default: p1'])
    expect(decide({ types: sizes, nodePools, pods: [pod('p', '3')] }).launches).toEqual(['a-fallback: p'])
  })

  test('P-MIN-05, P-INF-07: best effort lowers the number when a node is opened, never to add to one', () => {
    const nodePools = wanting(atLeast(typeKey, 3))
    const scene = { types: sizes, nodePools, settings: bestEffort }
    const opened = decide({ ...scene, pods: [pod('p', '3')] })
    expect(opened.demanded(typeKey)).toEqual([`${typeKey} In [large medium] minValues 2`])
    const added = decide({ ...scene, pods: [pod('p0', '1500m'), pod('p1', '1400m')] })
    expect(added.launches).toEqual(['default: p0', 'default: p1'])
    expect(added.demanded(typeKey)).toEqual([
      `${typeKey} In [large medium small] minValues 3`,
      `${typeKey} In [large medium small] minValues 3`,
    ])
  })

  test('P-MIN-05: each claim says whether its own minValues were lowered; the reference repeats the last (W26)', () => {
    const nodePools = wanting(atLeast(typeKey, 3))
    const scene = { types: sizes, nodePools, settings: bestEffort, pods: [pod('p0', '3900m'), pod('p1', '1')] }
    const saying = (strategy: 'reference' | 'first-fit') =>
      decide(scene, { strategy }).plan.launches.map(
        ({ annotations }) => annotations['karpenter.sh/nodeclaim-min-values-relaxed'],
      )
    // p1 could join p0 unless that left fewer types than the lowered number: here it opens its own.
    expect(saying('first-fit')).toEqual(['true', 'false'])
    expect(saying('reference')).toEqual(['false', 'false'])
  })

  test('P-MIN-06, P-FLT-09: strict: what the cheapest 600 types do not reach rejects the pods of the claim', () => {
    const many = Array.from({ length: 601 }, (_, index) =>
      instanceType(`t${index}`, 2, { offerings: [offering('a', 'on-demand', index)] }),
    )
    const nodePools = wanting(atLeast(typeKey, 601))
    expect(
      decide({ types: many, nodePools, pods: copies(2, (name) => pod(name, '100m')) }).plan.rejections,
    ).toMatchObject(
      ['p0', 'p1'].map((name) => ({
        pod: { name },
        verdict: 'unplaced',
        reasons: [
          { _tag: 'MinValuesUnmet', nodePool: 'default', keys: [{ key: typeKey, minValues: 601, values: 600 }] },
        ],
      })),
    )
    const relaxed = decide({ types: many, nodePools, settings: bestEffort, pods: [pod('p')] })
    expect(relaxed.plan.launches[0]?.instanceTypes).toHaveLength(600)
    expect(relaxed.demanded(typeKey)[0]).toContain('minValues 601')
  })

  test('P-SCH-04: a NodePool whose own types cannot reach its minValues takes no part, and the others do', () => {
    const nodePools = [...wanting(atLeast(typeKey, 9)), nodePool('a-fallback')]
    expect(decide({ types: sizes, nodePools, pods: [pod('p')] }).launches).toEqual(['a-fallback: p'])
    const alone = decide({ types: sizes, nodePools: wanting(atLeast(typeKey, 9)), pods: [pod('p')] })
    expect(alone.plan.rejections[0]?.reasons).toEqual([{ _tag: 'NoInstanceTypes', nodePools: ['default'] }])
  })

  test('minValues that cannot be met reject their pods alone', () => {
    const nodePools = [
      nodePool('picky', { requirements: [atLeast(typeKey, 9)], labels: { pool: 'picky' } }),
      nodePool('plain'),
    ]
    const pods = [pod('p', '1', selecting({ pool: 'picky' })), pod('q')]
    const decision = decide({ types: sizes, nodePools, pods })
    expect(decision.launches).toEqual(['plain: q'])
    expect(decision.rejections).toHaveLength(1)
  })
})
