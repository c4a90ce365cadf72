import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
import {
  copies,
  decide,
  instanceType,
  isIn,
  nodePool,
  offering,
  pod,
  requiring,
  reserved,
  selecting,
  spread,
  web,
} from '../testing/index.ts'

const { zone, hostname, capacityType, arch, instanceType: typeKey } = labelKeys
const tier = 'example.com/tier'
const launched = (scene: Parameters<typeof decide>[0]) => decide({ pods: [pod('p')], ...scene }).plan.launches[0]!
const pool = (...requirements: ReadonlyArray<Parameters<typeof isIn>[0] | object>) => [
  nodePool('default', { requirements: requirements as never }),
]

describe('what a launch says', () => {
  test('P-FIN-01, P-SCH-02: nothing in it is a stand-in: no hostname, no mark of a started node', () => {
    const keys = [...launched({ pods: [web('p', '1', spread(hostname))] }).requirements.byKey.keys()]
    expect(keys.sort()).toEqual([capacityType, labelKeys.nodePool, typeKey, 'test.example.com/testnodeclass'].sort())
  })

  test('P-FIN-01: pods and daemons add up in its requests', () => {
    const { requests } = launched({ pods: [pod('p', '700m'), pod('q', '600m')] })
    expect(requests).toEqual({ cpu: '1300m', pods: '2' })
  })

  test('P-FIN-02: its labels are the template’s, those of its custom requirements, its NodePool and its NodeClass', () => {
    const nodePools = [nodePool('default', { labels: { team: 'x' }, requirements: [isIn(tier, 'gold')] })]
    expect(launched({ nodePools }).labels).toEqual({
      team: 'x',
      [tier]: 'gold',
      [labelKeys.nodePool]: 'default',
      'test.example.com/testnodeclass': 'default',
    })
  })

  test('P-FIN-02: taints and startup taints are the template’s', () => {
    const taints = [{ key: 'team', value: 'x', effect: 'NoSchedule' as const }]
    const startupTaints = [{ key: 'starting', value: '', effect: 'NoExecute' as const }]
    const pods = [pod('p', '1', { tolerations: [{ operator: 'Exists' }] })]
    expect(launched({ nodePools: [nodePool('default', { taints, startupTaints })], pods })).toMatchObject({
      taints,
      startupTaints,
    })
  })

  test('P-FIN-03, P-PRV-08: it names the cheapest 600 of its types, and the capacity types that those are sold as', () => {
    const dear = { offerings: [offering('a', 'spot', 9000)] }
    const types = Array.from({ length: 601 }, (_, index) =>
      instanceType(`t${index}`, 2, index === 300 ? dear : { offerings: [offering('a', 'on-demand', index)] }),
    )
    const decision = decide({ types, pods: [pod('p')] })
    expect(decision.plan.launches[0]?.instanceTypes).toHaveLength(600)
    expect(decision.types[0]?.split(' ')).not.toContain('t300')
    expect(decision.valuesOf(capacityType)).toEqual(['on-demand'])
  })

  test('P-FIN-03: the type requirement keeps its minValues', () => {
    const decision = decide({ nodePools: pool({ key: typeKey, operator: 'Exists', minValues: 2 }), pods: [pod('p')] })
    expect(decision.demanded(typeKey)).toEqual([`${typeKey} In [large small] minValues 2`])
  })

  test.each([
    ['In: one of the values', isIn(tier, 'gold', 'tin'), 'gold'],
    ['Exists: a number', { key: tier, operator: 'Exists' }, '0'],
    ['NotIn: a number that is not excluded', { key: tier, operator: 'NotIn', values: ['0'] }, '1'],
    ['a bound: a number within it', { key: tier, operator: 'Gt', values: ['4'] }, '5'],
    ['DoesNotExist: no label', { key: tier, operator: 'DoesNotExist' }, undefined],
  ])('P-FIN-04, P-REQ-13: a custom requirement becomes a label. %s', (_, requirement, expected) => {
    expect(launched({ nodePools: pool(requirement) }).labels[tier]).toBe(expected)
  })

  test('P-FIN-04: what pods demand of a custom label becomes the label', () => {
    const scene = {
      nodePools: pool({ key: tier, operator: 'Exists' }),
      pods: [pod('p', '1', selecting({ [tier]: 'tin' }))],
    }
    expect(launched(scene).labels[tier]).toBe('tin')
  })

  test('P-FIN-05: well-known requirements stay requirements', () => {
    const { labels, requirements } = launched({
      pods: [pod('p', '1', requiring([isIn(zone, 'a'), isIn(arch, 'amd64')]))],
    })
    for (const key of [zone, arch, typeKey, capacityType]) expect(labels).not.toHaveProperty([key])
    expect([zone, arch].map((key) => requirements.byKey.has(key))).toEqual([true, true])
  })
})

describe('prices', () => {
  const spotty = instanceType('spotty', 2, { offerings: [offering('a', 'spot', 1), offering('a', 'on-demand', 9)] })
  const steady = instanceType('steady', 2, { offerings: [offering('a', 'on-demand', 5)] })

  test('P-PRC-01: types stand by their cheapest offering that can be had under the requirements', () => {
    const zoned = [
      instanceType('x', 2, { offerings: [offering('a', 'spot', 5), offering('b', 'spot', 1)] }),
      instanceType('y', 2, { offerings: [offering('a', 'spot', 3), offering('b', 'spot', 9)] }),
    ]
    const order = (...constraints: Parameters<typeof pod>[2][]) =>
      decide({ types: zoned, pods: [pod('p', '1', ...constraints)] }).types
    expect(order()).toEqual(['x y'])
    expect(order(selecting({ [zone]: 'a' }))).toEqual(['y x'])
    const soldOut = { unavailable: { reason: 'SoldOut' } }
    const half = [
      instanceType('x', 2, { offerings: [offering('a', 'spot', 1, soldOut), offering('b', 'spot', 8)] }),
      zoned[1]!,
    ]
    expect(decide({ types: half, pods: [pod('p')] }).types).toEqual(['y x'])
  })

  test('P-PRC-02: a spot price says nothing where only on demand is allowed', () => {
    expect(decide({ types: [spotty, steady], pods: [pod('p')] }).types).toEqual(['spotty steady'])
    const nodePools = pool(isIn(capacityType, 'on-demand'))
    expect(decide({ types: [spotty, steady], nodePools, pods: [pod('p')] }).types).toEqual(['steady spotty'])
  })

  test('P-PRC-03: spot does not go before on demand: a launch allows both, unless it holds a reservation', () => {
    const cheap = instanceType('cheap', 2, { offerings: [offering('a', 'spot', 9), offering('a', 'on-demand', 1)] })
    const decision = decide({ types: [cheap], pods: [pod('p')] })
    expect([decision.valuesOf(capacityType), decision.plan.launches[0]?.pricePerHour]).toEqual([['on-demand spot'], 1])
    const held = instanceType('held', 2, { offerings: [...cheap.offerings, reserved('a', 'r-1', 1)] })
    expect(decide({ types: [held], pods: [pod('p')] }).valuesOf(capacityType)).toEqual(['reserved'])
  })

  test('P-PRC-06: what has no price is not bought, so that every launch has a cheapest offering', () => {
    const { pricePerHour: _, ...unpriced } = offering('a', 'on-demand', 0)
    const types = [instanceType('unpriced', 2, { offerings: [unpriced] }), instanceType('none', 2, { offerings: [] })]
    expect(decide({ types: [...types, steady], pods: [pod('p')] }).types).toEqual(['steady'])
    expect(decide({ types, pods: [pod('p')] }).rejections).toEqual(['p unplaced: NoInstanceTypes'])
  })

  test('P-ITO-05: a type that changes is seen as it is in the next pass, under the same name', () => {
    const away = { unavailable: { reason: 'SoldOut' } }
    const now = (rest: object) => [instanceType('only', 2, { offerings: [offering('a', 'on-demand', 1, rest)] })]
    expect(decide({ types: now({}), pods: [pod('p')] }).launches).toHaveLength(1)
    expect(decide({ types: now(away), pods: [pod('p')] }).launches).toEqual([])
    const larger = [{ ...now({})[0]!, capacity: { cpu: '8', memory: '8Gi', pods: '110' } as never }]
    expect(decide({ types: larger, pods: copies(2, (name) => pod(name, '3')) }).launches).toEqual(['default: p0 p1'])
  })

  test('P-ITO-02: an offering’s own capacity and overhead count for what is bought by it', () => {
    const bare = offering('a', 'on-demand', 1, { overhead: { cpu: '0' } as never })
    const types = [instanceType('only', 2, { offerings: [bare, offering('b', 'on-demand', 1)] })]
    const places = (where: string) =>
      decide({ types, pods: [pod('p', '2', selecting({ [zone]: where }))] }).launches.length
    expect([places('a'), places('b')]).toEqual([1, 0])
  })
})
