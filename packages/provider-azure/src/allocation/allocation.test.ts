import { describe, expect, test } from '@jest/globals'
import { Offerings, Requirement, Requirements, type InstanceType, type Offering } from '@scantling/core'
import { rankOfferings } from './index.ts'

const offering = (zone: string, capacityType: string, pricePerHour?: number, isSoldOut = false): Offering => ({
  requirements: Requirements.of([
    Requirement.isIn('topology.kubernetes.io/zone', [zone]),
    Requirement.isIn('karpenter.sh/capacity-type', [capacityType]),
  ]),
  ...(pricePerHour !== undefined && { pricePerHour }),
  ...(isSoldOut && { unavailable: { reason: 'SoldOut' } }),
})
const type = (name: string, ...offerings: ReadonlyArray<Offering>): InstanceType => ({
  name,
  requirements: Requirements.empty,
  capacity: {},
  overhead: { kubeReserved: {}, systemReserved: {}, evictionThreshold: {} },
  offerings,
})
const rank = (types: ReadonlyArray<InstanceType>, requirements = Requirements.empty, random = () => 0.5) =>
  rankOfferings(types, requirements, random).map(
    (way) => `${way.type.name} ${Offerings.zoneOf(way.offering)} ${Offerings.capacityTypeOf(way.offering)}`,
  )

describe('allocation', () => {
  test('Z-ALLOC-01: what is sold out or does not meet the claim is left out, with types that have nothing else', () => {
    const onlySpot = Requirements.fromLabels({ 'karpenter.sh/capacity-type': 'spot' })
    expect(
      rank(
        [
          type('a', offering('w-1', 'on-demand', 1), offering('w-1', 'spot', 0.5, true)),
          type('b', offering('w-1', 'on-demand', 1), offering('w-1', 'spot', 0.5)),
        ],
        onlySpot,
      ),
    ).toEqual(['b w-1 spot'])
  })

  test('Z-ALLOC-02: the cheapest, at one price spot first, then a zone', () => {
    const one = type(
      'a',
      offering('0', 'on-demand', 1),
      offering('w-1', 'on-demand', 1),
      offering('0', 'spot', 1),
      offering('w-1', 'spot', 1),
      offering('w-2', 'on-demand', 0.9),
      offering('w-3', 'on-demand'),
    )
    expect(rank([one])).toEqual([
      'a w-2 on-demand',
      'a w-1 spot',
      'a 0 spot',
      'a w-1 on-demand',
      'a 0 on-demand',
      'a w-3 on-demand',
    ])
  })

  test('Z-ALLOC-02: zones that are equal take turns', () => {
    const one = type('a', ...['w-1', 'w-2', 'w-3'].map((zone) => offering(zone, 'spot', 1)))
    const firsts = new Map<string, number>()
    let seed = 1
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    for (let round = 0; round < 300; round += 1) {
      const [first = ''] = rank([one], Requirements.empty, random)
      firsts.set(first, (firsts.get(first) ?? 0) + 1)
    }
    expect(firsts.size).toBe(3)
    expect(Math.min(...firsts.values())).toBeGreaterThan(60)
  })

  test('Z-ALLOC-03: across types by their best, then by name; regional spot beats zonal on demand', () => {
    expect(
      rank([
        type('b', offering('w-1', 'on-demand', 1)),
        type('c', offering('0', 'spot', 1)),
        type('a', offering('w-1', 'on-demand', 1)),
        type('d', offering('w-1', 'on-demand', 0.5)),
      ]),
    ).toEqual(['d w-1 on-demand', 'c 0 spot', 'a w-1 on-demand', 'b w-1 on-demand'])
  })

  test('Z-ALLOC-04: nothing left is nothing, and the next best is there to be tried', () => {
    expect(rank([])).toEqual([])
    expect(rank([type('a', offering('w-1', 'spot', 1, true))])).toEqual([])
    expect(rank([type('a', offering('w-1', 'spot', 1), offering('0', 'spot', 1))])).toHaveLength(2)
  })

  test('Z-ALLOC-05: what comes in stays as it is', () => {
    const types = [
      type('b', offering('w-2', 'spot', 2), offering('w-1', 'spot', 1)),
      type('a', offering('w-1', 'spot', 3)),
    ]
    const before = types.map(({ name, offerings }) => [name, ...offerings.map(Offerings.zoneOf)])
    rank(types)
    expect(types.map(({ name, offerings }) => [name, ...offerings.map(Offerings.zoneOf)])).toEqual(before)
  })
})
