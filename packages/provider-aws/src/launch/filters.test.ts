import { describe, expect, test } from '@jest/globals'
import { Requirements, Resources, type InstanceType, type Offering, type RequirementSpec } from '@scantling/core'
import { leftOf, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { awsLabelKeys, awsResources } from '../labels/index.ts'
import { claimFor } from '../../test/rig.ts'
import { filters } from './filters.ts'
import { mostTypes, planLaunch } from './plan.ts'

const capacityType = 'karpenter.sh/capacity-type'
const zoneKey = 'topology.kubernetes.io/zone'

const offering = (zone: string, type: string, pricePerHour: number, rest: Partial<Offering> = {}): Offering => ({
  requirements: Requirements.fromLabels({ [zoneKey]: zone, [capacityType]: type }),
  pricePerHour,
  ...rest,
})
const reserved = (
  zone: string,
  id: string,
  options: {
    readonly remaining?: number
    readonly type?: string
    readonly interruptible?: boolean
    readonly price?: number
  } = {},
): Offering => ({
  requirements: Requirements.fromLabels({
    [zoneKey]: zone,
    [capacityType]: 'reserved',
    [awsLabelKeys.reservationId]: id,
    [awsLabelKeys.reservationType]: options.type ?? 'default',
    [awsLabelKeys.reservationInterruptible]: String(options.interruptible ?? false),
  }),
  pricePerHour: options.price ?? 0.00000001,
  reservation: { remaining: options.remaining ?? 5, observedAtMs: 0 },
})
const type = (name: string, offerings: ReadonlyArray<Offering>, rest: Partial<InstanceType> = {}): InstanceType => ({
  name,
  requirements: Requirements.fromLabels({
    'node.kubernetes.io/instance-type': name,
    [awsLabelKeys.size]: name.split('.')[1] ?? '',
    'kubernetes.io/arch': 'amd64',
  }),
  capacity: Resources.parse({ cpu: '4', memory: '8Gi', pods: '29' }),
  overhead: { kubeReserved: {}, systemReserved: {}, evictionThreshold: {} },
  offerings,
  imageId: 'ami-1',
  ...rest,
})
const claim = (...specs: ReadonlyArray<RequirementSpec>) =>
  claimFor('c', { requirements: Requirements.fromSpecs(specs), requests: Resources.parse({ cpu: '1' }) })
const anyCapacity = { key: capacityType, operator: 'In', values: ['reserved', 'spot', 'on-demand'] } as const
const named = (name: string) => {
  const found = filters.find((one) => one.name === name)
  if (found === undefined) throw new Error(name)
  return found
}
const shown = (types: ReadonlyArray<InstanceType>) =>
  types.map(({ name, offerings }) => [name, offerings.map(({ pricePerHour }) => pricePerHour)])
const reservations = (types: ReadonlyArray<InstanceType>) =>
  types.map(({ name, offerings }) => [
    name,
    offerings.map(
      ({ requirements }) => [...(requirements.byKey.get(awsLabelKeys.reservationId)?.values ?? ['none'])][0],
    ),
  ])

describe('filters of launches', () => {
  test('come in the order of the reference', () => {
    expect(filters.map(({ name }) => name)).toEqual([
      'compatible-available',
      'capacity-reservation-type',
      'capacity-block',
      'reserved-offering',
      'exotic',
      'spot-offering',
    ])
  })

  test('A-FLT-01: what is incompatible, sold out, or too small for the requests in its offering goes', () => {
    const types = [
      type('m5.large', [
        offering('a', 'spot', 1, { unavailable: { reason: 'SoldOut' } }),
        offering('b', 'spot', 2),
        offering('b', 'on-demand', 3),
      ]),
      type('m5.small', [offering('b', 'spot', 1, { capacity: Resources.parse({ cpu: '500m' }) })]),
      type('m6g.large', [offering('b', 'spot', 1)], {
        requirements: Requirements.fromLabels({ 'kubernetes.io/arch': 'arm64' }),
      }),
    ]
    const wish = claim(
      { key: capacityType, operator: 'In', values: ['spot'] },
      { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
    )
    expect(shown(named('compatible-available').apply(types, wish))).toEqual([['m5.large', [2]]])
  })

  test('A-FLT-01: labels of NodePools, which claims state and types do not know, take nothing away', () => {
    const types = [type('m5.large', [offering('b', 'on-demand', 3)])]
    const labelled = claim(anyCapacity, { key: 'example.com/team', operator: 'In', values: ['web'] })
    expect(named('compatible-available').apply(types, labelled)).toEqual(types)
  })

  test('A-FLT-02: of the kinds of reservations the one with the cheapest offering stays, plain ones first', () => {
    const { apply } = named('capacity-reservation-type')
    const types = [
      type('a.large', [reserved('a', 'cr-block', { type: 'capacity-block', price: 2 }), offering('a', 'spot', 1)]),
      type('b.large', [
        reserved('a', 'cr-plain', { price: 1 }),
        reserved('b', 'cr-taken', { price: 1, interruptible: true }),
      ]),
    ]
    expect(reservations(apply(types, claim(anyCapacity)))).toEqual([['b.large', ['cr-plain']]])
    const cheaperBlock = [
      type('c.large', [reserved('a', 'cr-cheap', { type: 'capacity-block', price: 0.5 })]),
      ...types,
    ]
    expect(reservations(apply(cheaperBlock, claim(anyCapacity)))).toEqual([
      ['c.large', ['cr-cheap']],
      ['a.large', ['cr-block']],
    ])
    const spotOnly = claim({ key: capacityType, operator: 'In', values: ['spot'] })
    expect(apply(types, spotOnly)).toBe(types)
    const plain = [type('m5.large', [offering('a', 'spot', 1)])]
    expect(apply(plain, claim(anyCapacity))).toBe(plain)
  })

  test('A-FLT-03: of capacity blocks one type stays, with its one cheapest block', () => {
    const { apply } = named('capacity-block')
    const block = (zone: string, id: string, price: number) => reserved(zone, id, { type: 'capacity-block', price })
    const types = [
      type('p5.48xlarge', [block('a', 'cr-1', 3), block('b', 'cr-2', 2)]),
      type('p4d.24xlarge', [block('a', 'cr-3', 4)]),
    ]
    expect(reservations(apply(types, claim(anyCapacity)))).toEqual([['p5.48xlarge', ['cr-2']]])
    const plain = [type('m5.large', [reserved('a', 'cr-4')])]
    expect(apply(plain, claim(anyCapacity))).toBe(plain)
  })

  test('A-FLT-04: in each zone the reservation with most room stays; without any nothing changes', () => {
    const { apply } = named('reserved-offering')
    const types = [
      type('m5.large', [
        reserved('a', 'cr-small', { remaining: 1 }),
        reserved('a', 'cr-large', { remaining: 9 }),
        reserved('b', 'cr-b'),
      ]),
      type('c5.large', [offering('a', 'on-demand', 1)]),
    ]
    expect(reservations(apply(types, claim(anyCapacity)))).toEqual([['m5.large', ['cr-large', 'cr-b']]])
    const none = types.slice(1)
    expect(apply(none, claim(anyCapacity))).toBe(none)
  })

  test('A-FLT-05: accelerators and bare metal go, unless asked for by minValues or alone', () => {
    const { apply } = named('exotic')
    const gpu = type('g4dn.xlarge', [offering('a', 'spot', 1)], {
      capacity: Resources.parse({ [awsResources.nvidiaGpu]: '1' }),
    })
    const metal = type('m5.metal', [offering('a', 'spot', 1)])
    const plain = type('m5.large', [offering('a', 'spot', 1)])
    const names = (types: ReadonlyArray<InstanceType>) => types.map(({ name }) => name)
    expect(names(apply([gpu, metal, plain], claim(anyCapacity)))).toEqual(['m5.large'])
    expect(names(apply([gpu, metal], claim(anyCapacity)))).toEqual(['g4dn.xlarge', 'm5.metal'])
    const flexible = claim({ key: 'node.kubernetes.io/instance-type', operator: 'Exists', minValues: 2 })
    expect(names(apply([gpu, plain], flexible))).toEqual(['g4dn.xlarge', 'm5.large'])
  })

  test('A-FLT-06: spot that costs more than the cheapest on-demand goes, where both may be had', () => {
    const { apply } = named('spot-offering')
    const types = [
      type('m5.large', [offering('a', 'spot', 0.5), offering('a', 'on-demand', 1)]),
      type('m5.xlarge', [offering('a', 'spot', 1.5), offering('b', 'spot', 1)]),
      type('m5.2xlarge', [offering('a', 'spot', 2)]),
    ]
    const both = claim({ key: capacityType, operator: 'In', values: ['spot', 'on-demand'] })
    expect(shown(apply(types, both))).toEqual([
      ['m5.large', [0.5, 1]],
      ['m5.xlarge', [1]],
    ])
    expect(apply(types, claim({ key: capacityType, operator: 'In', values: ['spot'] }))).toBe(types)
    const flexible = claim({ key: capacityType, operator: 'Exists', minValues: 2 })
    expect(apply(types, flexible)).toBe(types)
  })
})

describe('planLaunch()', () => {
  const plan = (
    types: ReadonlyArray<InstanceType>,
    wish = claim(anyCapacity),
    minValues: 'strict' | 'best-effort' = 'strict',
  ) => planLaunch({ candidates: types as never, claim: wish, minValues })
  const many = Array.from({ length: 70 }, (_, index) => type(`m5.x${index}`, [offering('a', 'on-demand', 70 - index)]))

  test('A-LCH-01: nothing left is a shortage; otherwise the sixty cheapest types, if minValues allow it', () => {
    expect(leftOf(plan([type('m5.large', [offering('a', 'spot', 1, { unavailable: { reason: 'x' } })])]))).toContain(
      'compatible-available',
    )
    const cut = rightOf(plan(many))
    expect(cut.types).toHaveLength(mostTypes)
    expect(cut.types[0]?.name).toBe('m5.x69')
    expect(cut.hasMore).toBe(true)
    const flexible = claim({ key: 'node.kubernetes.io/instance-type', operator: 'Exists', minValues: 65 })
    expect(leftOf(plan(many, flexible))).toContain('65')
    expect(E.isRight(plan(many, flexible, 'best-effort'))).toBe(true)
  })

  test('A-LCH-02, A-CR-09: reserved before spot before on-demand, of what is allowed and there', () => {
    const all = type('m5.large', [offering('a', 'on-demand', 2), offering('a', 'spot', 1), reserved('a', 'cr-1')])
    expect(rightOf(plan([all])).capacityType).toBe('reserved')
    const noReserved = claim({ key: capacityType, operator: 'In', values: ['spot', 'on-demand'] })
    expect(rightOf(plan([all], noReserved)).capacityType).toBe('spot')
    const dear = type('m5.large', [offering('a', 'on-demand', 1), offering('a', 'spot', 2)])
    expect(rightOf(plan([dear], noReserved)).capacityType).toBe('on-demand')
    const full = type('m5.large', [offering('a', 'spot', 1), reserved('a', 'cr-1', { remaining: 0 })])
    expect(rightOf(plan([full])).capacityType).toBe('spot')
  })

  test('A-LCH-03: default tenancy where it is allowed, else dedicated', () => {
    const types = [type('m5.large', [offering('a', 'on-demand', 1)])]
    const tenancy = (...values: ReadonlyArray<string>) =>
      ({ key: awsLabelKeys.tenancy, operator: 'In', values }) as const
    expect(rightOf(plan(types, claim())).tenancy).toBe('default')
    expect(rightOf(plan(types, claim(tenancy('dedicated', 'default')))).tenancy).toBe('default')
    expect(rightOf(plan(types, claim(tenancy('dedicated')))).tenancy).toBe('dedicated')
  })

  test('A-LCH-12: on-demand bought where spot is allowed is told when there were few pools to choose from', () => {
    const spotToo = claim({ key: capacityType, operator: 'In', values: ['spot', 'on-demand'] })
    const few = [type('m5.large', [offering('a', 'on-demand', 1), offering('b', 'on-demand', 1)])]
    expect(rightOf(plan(few, spotToo)).isInflexible).toBe(true)
    expect(rightOf(plan(many, spotToo)).isInflexible).toBe(false)
    expect(rightOf(plan(few, claim({ key: capacityType, operator: 'In', values: ['on-demand'] }))).isInflexible).toBe(
      false,
    )
  })

  test('A-FLT-07: each filter but the first says what it took away, five names of it', () => {
    const metals = Array.from({ length: 7 }, (_, index) => type(`m${index}.metal`, [offering('a', 'on-demand', 1)]))
    const [first] = rightOf(plan([...metals, type('m5.large', [offering('a', 'on-demand', 1)])])).rejected
    expect(first).toEqual({ filter: 'exotic', types: metals.slice(0, 5).map(({ name }) => name), count: 7 })
  })

  test('A-PG-03: one partition is chosen, the lexically smallest that claim and type allow', () => {
    const partitions = Requirements.fromSpecs([
      { key: awsLabelKeys.placementGroupPartition, operator: 'In', values: ['1', '2', '3'] },
    ])
    const base = type('m5.large', [offering('a', 'on-demand', 1)])
    const types = [{ ...base, requirements: Requirements.and(base.requirements, partitions) }]
    const partition = (operator: 'In' | 'NotIn', ...values: ReadonlyArray<string>) =>
      claim({ key: awsLabelKeys.placementGroupPartition, operator, values })
    expect(rightOf(plan(types, partition('In', '3', '2'))).partition).toBe('2')
    // The reference would take the excluded value (W-11).
    expect(rightOf(plan(types, partition('NotIn', '1'))).partition).toBe('2')
    expect(rightOf(plan(types, claim())).partition).toBeUndefined()
  })
})
