import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import { decodeNodeOverlay } from '../api/index.ts'
import type { NodeOverlay } from '../cluster/index.ts'
import { ingestNodeOverlay, parsePriceChange } from '../ingest/index.ts'
import { Offerings, type InstanceType } from '../instance/index.ts'
import { coreLabelKnowledge, Labels } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { changedPrice, evaluateOverlays, overlayAnnotations, overlayCondition, type OverlayInput } from './index.ts'

const zoneKey = 'topology.kubernetes.io/zone'
const capacityTypeKey = 'karpenter.sh/capacity-type'
const reservationKey = 'test.example.com/reservation'
const knowledge = Labels.extend(coreLabelKnowledge, { wellKnown: [{ key: reservationKey }] })

const type = (name: string, changes: Partial<InstanceType> = {}): InstanceType => ({
  name,
  requirements: Requirements.of([
    Requirement.isIn('node.kubernetes.io/instance-type', [name]),
    Requirement.isIn(zoneKey, ['a', 'b']),
    Requirement.isIn(capacityTypeKey, ['spot', 'on-demand', 'reserved']),
    Requirement.isIn(reservationKey, ['r-1']),
  ]),
  capacity: Resources.parse({ cpu: '4', memory: '16Gi', pods: '110' }),
  overhead: { kubeReserved: Resources.empty, systemReserved: Resources.empty, evictionThreshold: Resources.empty },
  offerings: [
    ...['a', 'b'].flatMap((zone) =>
      ['spot', 'on-demand'].map((capacityType) => ({
        requirements: Requirements.of([
          Requirement.isIn(zoneKey, [zone]),
          Requirement.isIn(capacityTypeKey, [capacityType]),
        ]),
        pricePerHour: capacityType === 'spot' ? 1 : 2,
        overhead: Resources.parse({ memory: '1Gi' }),
      })),
    ),
    {
      requirements: Requirements.of([
        Requirement.isIn(zoneKey, ['a']),
        Requirement.isIn(capacityTypeKey, ['reserved']),
        Requirement.isIn(reservationKey, ['r-1']),
      ]),
      pricePerHour: 0.5,
    },
  ],
  devices: { gpu: 'kept' },
  ...changes,
})

const overlay = (name: string, spec: object): NodeOverlay => {
  const decoded = decodeNodeOverlay({
    apiVersion: 'karpenter.sh/v1alpha1',
    kind: 'NodeOverlay',
    metadata: { name },
    spec: { requirements: [], ...spec },
  })
  if (E.isLeft(decoded)) throw new Error(JSON.stringify(decoded.left))
  return ingestNodeOverlay(decoded.right, knowledge)
}

const needs = (key: string, ...values: ReadonlyArray<string>) => ({ key, operator: 'In', values })

const small = type('small')
const large = type('large')
const inputOf = (overlays: ReadonlyArray<NodeOverlay>, changes: Partial<OverlayInput> = {}): OverlayInput => ({
  overlays,
  nodePools: [
    { name: 'default', labels: {} },
    { name: 'other', labels: { team: 'x' } },
  ],
  instanceTypes: new Map([
    ['default', [small, large]],
    ['other', [small, large]],
  ]),
  labelRules: {
    knowledge,
    reservation: { id: reservationKey, all: [reservationKey] },
    unsupportedTopologyKeys: new Set(),
    unsupportedProvisioners: new Set(),
  },
  ...changes,
})

const pricesOf = (evaluated: ReturnType<typeof evaluateOverlays>, pool: string, name: string) =>
  evaluated.instanceTypes
    .get(pool)!
    .find((one) => one.name === name)!
    .offerings.map((offering) => [
      `${Offerings.zoneOf(offering)}/${Offerings.capacityTypeOf(offering)}`,
      offering.pricePerHour,
    ])

describe('price changes', () => {
  test.each([
    ['0.25', 2, 0.25],
    ['+10%', 2, 2.2],
    ['-50%', 2, 1],
    ['-100%', 2, 0],
    ['+5', 2, 7],
    ['-.5', 2, 1.5],
    ['-5', 2, 0],
  ])('P-ITO-06 P-OVA-02: %s of %d is %d', (text, price, expected) => {
    expect(changedPrice(price, parsePriceChange(text)!)).toBeCloseTo(expected)
  })

  test.each(['', '5%', '-101%', '+', 'free', '1e3', '.5'])('P-OVA-02: %j is no change of price', (text) => {
    expect(text === '.5' ? decodeNodeOverlay({ spec: { price: text } })._tag : parsePriceChange(text)).toEqual(
      text === '.5' ? 'Left' : undefined,
    )
  })

  test('X-OVL-04 P-ITO-06: an adjustment of a price that is not known leaves it unknown; a replacement sets it', () => {
    expect(changedPrice(undefined, parsePriceChange('+10%')!)).toBeUndefined()
    expect(changedPrice(undefined, parsePriceChange('0.3')!)).toBe(0.3)
  })
})

describe('what an overlay selects', () => {
  test('X-OVL-04 P-OVC-02 P-OVC-03: a price goes to the offerings that match, a capacity to the whole type', () => {
    const evaluated = evaluateOverlays(
      inputOf([
        overlay('spot-a', {
          requirements: [
            needs('node.kubernetes.io/instance-type', 'small'),
            needs(zoneKey, 'a'),
            needs(capacityTypeKey, 'spot'),
          ],
          price: '0.1',
          capacity: { 'example.com/gpu': '2' },
        }),
      ]),
    )
    expect(pricesOf(evaluated, 'default', 'small')).toEqual([
      ['a/spot', 0.1],
      ['a/on-demand', 2],
      ['b/spot', 1],
      ['b/on-demand', 2],
      ['a/reserved', 0.5],
    ])
    const [first, second] = evaluated.instanceTypes.get('default')!
    expect(Resources.get(first!.capacity, 'example.com/gpu')).toBe('2')
    expect(Resources.get(first!.capacity, 'cpu')).toBe('4')
    expect(second).toBe(large)
  })

  test('P-OVC-02: labels of the NodePool and its name count, and a label nobody defines matches nothing', () => {
    const named = evaluateOverlays(
      inputOf([overlay('one', { requirements: [needs('karpenter.sh/nodepool', 'other')], price: '9' })]),
    )
    expect(named.instanceTypes.get('default')![0]).toBe(small)
    expect(pricesOf(named, 'other', 'small')[0]).toEqual(['a/spot', 9])
    const labelled = evaluateOverlays(inputOf([overlay('two', { requirements: [needs('team', 'x')], price: '9' })]))
    expect(labelled.instanceTypes.get('default')![0]).toBe(small)
    expect(pricesOf(labelled, 'other', 'small')[0]).toEqual(['a/spot', 9])
    const unknown = evaluateOverlays(inputOf([overlay('three', { requirements: [needs('nobody', 'x')], price: '9' })]))
    expect(unknown.instanceTypes.get('other')![0]).toBe(small)
    expect(unknown.verdicts.get('three')).toEqual({ _tag: 'Valid' })
  })

  test('P-OVC-02: an overlay for a reservation leaves the other offerings of the type alone', () => {
    const evaluated = evaluateOverlays(
      inputOf([overlay('reserved', { requirements: [needs(reservationKey, 'r-1')], price: '0' })]),
    )
    expect(pricesOf(evaluated, 'default', 'small').map(([, price]) => price)).toEqual([1, 2, 1, 2, 0])
  })
})

describe('which overlay wins', () => {
  test('P-OVC-04 P-OVA-05: the heaviest decides a price, prices never stack, and others add resources', () => {
    const evaluated = evaluateOverlays(
      inputOf([
        overlay('light', { priceAdjustment: '-50%', capacity: { 'a.com/x': '1', 'a.com/y': '1' }, weight: 1 }),
        overlay('heavy', { priceAdjustment: '+100%', capacity: { 'a.com/x': '7' }, weight: 10 }),
      ]),
    )
    expect(pricesOf(evaluated, 'default', 'small')[0]).toEqual(['a/spot', 2])
    const { capacity } = evaluated.instanceTypes.get('default')![0]!
    expect([Resources.get(capacity, 'a.com/x'), Resources.get(capacity, 'a.com/y')]).toEqual(['7', '1'])
    expect([...evaluated.verdicts.values()].map(({ _tag }) => _tag)).toEqual(['Valid', 'Valid'])
  })

  test('X-OVL-02 P-OVC-05 P-OVA-05: of equal weight the name later in the alphabet stays, and nothing of the other applies', () => {
    const evaluated = evaluateOverlays(
      inputOf([
        overlay('alpha', {
          price: '5',
          capacity: { 'a.com/x': '1' },
          requirements: [needs('karpenter.sh/nodepool', 'default', 'other')],
        }),
        overlay('zeta', { price: '5', requirements: [needs('karpenter.sh/nodepool', 'default')] }),
      ]),
    )
    expect(evaluated.verdicts.get('zeta')).toEqual({ _tag: 'Valid' })
    expect(evaluated.verdicts.get('alpha')).toMatchObject({ _tag: 'Conflict', other: 'zeta', nodePool: 'default' })
    // Identical values conflict, too, and the pool that only alpha selects is untouched.
    expect(evaluated.instanceTypes.get('other')![0]).toBe(small)
  })

  test('P-OVC-05: two of equal weight that speak of different offerings or resources do not conflict', () => {
    const evaluated = evaluateOverlays(
      inputOf([
        overlay('one', { requirements: [needs(zoneKey, 'a')], price: '5' }),
        overlay('two', { requirements: [needs(zoneKey, 'b')], price: '6' }),
        overlay('three', { capacity: { 'a.com/x': '1' } }),
        overlay('four', { capacity: { 'a.com/y': '1' } }),
      ]),
    )
    expect([...evaluated.verdicts.values()].every(({ _tag }) => _tag === 'Valid')).toBe(true)
    expect(pricesOf(evaluated, 'default', 'large').map(([, price]) => price)).toEqual([5, 5, 6, 6, 5])
  })

  test('P-OVC-05: a conflict over a resource names it', () => {
    const evaluated = evaluateOverlays(
      inputOf([overlay('one', { capacity: { 'a.com/x': '1' } }), overlay('two', { capacity: { 'a.com/x': '1' } })]),
    )
    expect(overlayCondition(evaluated.verdicts.get('one')!)).toMatchObject({
      status: 'False',
      reason: 'Conflict',
      message: expect.stringContaining('NodeOverlay two of the same weight speaks of resource a.com/x'),
    })
  })

  test('X-OVL-02 P-OVC-06 P-OVA-04: an overlay that is invalid at run time is skipped and says why', () => {
    const invalid: NodeOverlay = {
      ...overlay('bad', { price: '5' }),
      ...ingestNodeOverlay(
        {
          metadata: { name: 'bad' },
          spec: {
            requirements: [needs('kubernetes.io/hostname', 'x')],
            price: '5',
            capacity: Resources.parse({ cpu: '1' }),
          },
        } as never,
        knowledge,
      ),
    }
    const evaluated = evaluateOverlays(inputOf([invalid]))
    expect(evaluated.instanceTypes.get('default')![0]).toBe(small)
    const condition = overlayCondition(evaluated.verdicts.get('bad')!)
    expect(condition).toMatchObject({ status: 'False', reason: 'RuntimeValidation' })
    expect(condition.message).toContain('spec.requirements[0].key')
    expect(condition.message).toContain('spec.capacity[cpu]')
  })

  test('X-OVL-03 P-OVC-07: a pool whose types are not known stays unevaluated, the others go on', () => {
    const evaluated = evaluateOverlays(
      inputOf([overlay('one', { price: '5' })], { instanceTypes: new Map([['other', [small]]]) }),
    )
    expect([...evaluated.instanceTypes.keys()]).toEqual(['other'])
    expect(pricesOf(evaluated, 'other', 'small')[0]).toEqual(['a/spot', 5])
  })
})

describe('copies', () => {
  test('P-OVC-08: inputs stay as they are, what is not changed is shared, and devices and overrides are kept', () => {
    const before = JSON.stringify(small.offerings.map(({ pricePerHour }) => pricePerHour))
    const evaluated = evaluateOverlays(
      inputOf([overlay('one', { requirements: [needs(capacityTypeKey, 'spot')], price: '5' })]),
    )
    const copy = evaluated.instanceTypes.get('default')![0]!
    expect(JSON.stringify(small.offerings.map(({ pricePerHour }) => pricePerHour))).toBe(before)
    expect(copy.requirements).toBe(small.requirements)
    expect(copy.overhead).toBe(small.overhead)
    expect(copy.devices).toBe(small.devices)
    expect(copy.offerings[1]).toBe(small.offerings[1])
    expect(copy.offerings[0]!.overhead).toBe(small.offerings[0]!.overhead)
  })

  test('P-OVC-08: a second evaluation returns the same objects, except for the type that changed', () => {
    const overlays = [overlay('one', { price: '5' })]
    const first = evaluateOverlays(inputOf(overlays))
    const second = evaluateOverlays(inputOf(overlays), first)
    expect(second.instanceTypes.get('default')).toBe(first.instanceTypes.get('default'))
    const soldOut = { ...large, offerings: large.offerings.map((one) => ({ ...one, unavailable: { reason: 'test' } })) }
    const third = evaluateOverlays(
      inputOf(overlays, { instanceTypes: new Map([['default', [small, soldOut]]]) }),
      second,
    )
    expect(third.instanceTypes.get('default')![0]).toBe(first.instanceTypes.get('default')![0])
    expect(third.instanceTypes.get('default')![1]!.offerings[0]).toMatchObject({
      pricePerHour: 5,
      unavailable: { reason: 'test' },
    })
    const changed = evaluateOverlays(inputOf([overlay('one', { price: '6' })]), second)
    expect(pricesOf(changed, 'default', 'small')[0]).toEqual(['a/spot', 6])
  })

  test('P-OVC-03: a resource that an offering states for itself takes the overlay, too', () => {
    const own = type('own', {
      offerings: [{ ...small.offerings[0]!, capacity: Resources.parse({ 'a.com/x': '1', cpu: '3' }) }],
    })
    const evaluated = evaluateOverlays(
      inputOf([overlay('one', { capacity: { 'a.com/x': '4' } })], { instanceTypes: new Map([['default', [own]]]) }),
    )
    expect(evaluated.instanceTypes.get('default')![0]!.offerings[0]!.capacity).toMatchObject({
      'a.com/x': '4',
      cpu: '3',
    })
  })

  test('X-OVL-04 P-ITO-09 P-FIN-06: claims say whether overlays had a say', () => {
    const { instanceTypes } = evaluateOverlays(
      inputOf([
        overlay('price', { requirements: [needs(capacityTypeKey, 'spot')], price: '5' }),
        overlay('capacity', { capacity: { 'a.com/x': '4' } }),
      ]),
    )
    const types = instanceTypes.get('default')!
    expect(overlayAnnotations(types, Requirements.empty)).toEqual({
      'karpenter.sh/price-overlay-applied': 'true',
      'karpenter.sh/capacity-overlay-applied': 'true',
    })
    const onDemand = Requirements.of([Requirement.isIn(capacityTypeKey, ['on-demand'])])
    expect(overlayAnnotations(types, onDemand)).toEqual({ 'karpenter.sh/capacity-overlay-applied': 'true' })
    expect(overlayAnnotations([small], Requirements.empty)).toEqual({})
  })
})
