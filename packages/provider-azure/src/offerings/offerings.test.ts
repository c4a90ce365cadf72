import { describe, expect, test } from '@jest/globals'
import {
  OfferingMemories,
  Offerings,
  Requirement,
  Requirements,
  type InstanceType,
  type Offering,
  type UnavailableMark,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureSettingsOf, nodeClass, skuOf } from '../../test/builders.ts'
import { instanceTypeOf, type Sku } from '../instance-types/index.ts'
import { azureLabelKeys } from '../labels/index.ts'
import { missingPrice } from '../pricing/index.ts'
import { readUsages, type Usages } from '../quota/index.ts'
import {
  allSpot,
  armZonesOf,
  markOn,
  offeringsLike,
  offeringsOf,
  offeringsOfSize,
  placementScopeOf,
  wantsUltraSsd,
  zoneLabelOf,
  zoneLabelOfResource,
} from './index.ts'

const region = 'southcentralus'
const prices = { onDemand: new Map([['Standard_D2s_v3', 0.1]]), spot: new Map([['Standard_D2s_v3', 0.02]]) }
const of = (sku: Sku, usages?: Usages) => offeringsOf(sku, region, { prices, usages })
const wayOf = (offering: Offering) => `${Offerings.zoneOf(offering)} ${Offerings.capacityTypeOf(offering)}`
const value = (offering: Offering, key: string) =>
  Requirement.sortedValues(Requirements.get(offering.requirements, key)).join(',')

describe('offerings', () => {
  test('Z-OFF-01, Z-OFF-02: each zone that is not restricted and the region, on demand and as spot', () => {
    const zonal = of(skuOf('Standard_D2s_v3', {}, { zones: ['1', '2'] }))
    expect(zonal.map(wayOf)).toEqual([
      'southcentralus-1 on-demand',
      'southcentralus-1 spot',
      'southcentralus-2 on-demand',
      'southcentralus-2 spot',
      '0 on-demand',
      '0 spot',
    ])
    expect(of(skuOf('Standard_D2s_v3', {}, { zones: [] })).map(wayOf)).toEqual(['0 on-demand', '0 spot'])
    const first = zonal[1]
    expect(first && [...first.requirements.byKey.keys()].toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'karpenter.azure.com/placement-scope',
      'karpenter.azure.com/sku-storage-ultra-ssd',
      'karpenter.sh/capacity-type',
      'kubernetes.azure.com/priority',
      'kubernetes.azure.com/scalesetpriority',
      'topology.kubernetes.io/zone',
    ])
  })

  test('Z-LBL-12: an offering pins the priorities that its type leaves open', () => {
    const [onDemand, spot] = of(skuOf('Standard_D2s_v3'))
    for (const key of [azureLabelKeys.priority, azureLabelKeys.scaleSetPriority])
      expect([onDemand && value(onDemand, key), spot && value(spot, key)]).toEqual(['regular', 'spot'])
  })

  test('Z-LBL-09: the placement scope follows from the zone', () => {
    expect([placementScopeOf('westus-1'), placementScopeOf('0')]).toEqual(['zonal', 'regional'])
    expect(
      of(skuOf('Standard_D2s_v3', {}, { zones: ['3'] })).map((one) => value(one, azureLabelKeys.placementScope)),
    ).toEqual(['zonal', 'zonal', 'regional', 'regional'])
  })

  test('Z-OFF-03: on demand there must be room in the family’s quota', () => {
    const sku = skuOf('Standard_D8s_v3', { vCPUs: '8' })
    const usage = (currentValue: number) =>
      readUsages([{ name: { value: 'standardDSv3Family' }, currentValue, limit: 100 }])
    const available = (usages?: Usages) =>
      of(sku, usages)
        .filter(({ unavailable }) => unavailable === undefined)
        .map(wayOf).length
    expect([available(), available(usage(92)), available(usage(93))]).toEqual([8, 8, 4])
    expect(of(sku, usage(93))[0]?.unavailable).toEqual({
      reason: 'SubscriptionQuotaReached',
      message: expect.stringContaining('has 7 of 100 left'),
    })
    expect(of(sku, usage(93))[1]?.unavailable).toBeUndefined()
  })

  test('Z-OFF-04: spot must be sold, and no quota of a family counts for it', () => {
    const never = of(skuOf('Standard_D2s_v3', { LowPriorityCapable: 'False' }))
    expect(
      never.filter(({ unavailable }) => unavailable === undefined).every((one) => wayOf(one).endsWith('on-demand')),
    ).toBe(true)
    expect(never[1]?.unavailable?.reason).toBe('SpotNotSupported')
  })

  test('Z-OFF-05: one price in all zones; without one it is the highest, and still for sale', () => {
    expect(new Set(of(skuOf('Standard_D2s_v3')).map(({ pricePerHour }) => pricePerHour))).toEqual(new Set([0.1, 0.02]))
    const unknown = of(skuOf('Standard_D4s_v3', { vCPUs: '4' }))
    expect(unknown.every(({ pricePerHour, unavailable }) => pricePerHour === missingPrice && !unavailable)).toBe(true)
  })

  test('Z-OFF-06, Z-LBL-08: ultra disks by zone, and for the region by the size’s own word', () => {
    const details = {
      locationInfo: [
        {
          location: region,
          zones: ['1', '2'],
          zoneDetails: [{ name: ['2'], capabilities: [{ name: 'UltraSSDAvailable', value: 'True' }] }],
        },
      ],
    }
    const ultra = (sku: Sku) =>
      of(sku)
        .filter((one) => Offerings.capacityTypeOf(one) === 'spot')
        .map((one) => value(one, azureLabelKeys.skuUltraSsd))
    expect(ultra(skuOf('Standard_D2s_v3', {}, details))).toEqual(['false', 'false,true', 'false'])
    expect(ultra(skuOf('Standard_D2s_v3', { UltraSSDAvailable: 'True' }, details))).toEqual([
      'false',
      'false,true',
      'false,true',
    ])
  })

  test('Z-VM-11: ultra disks are wanted where a claim says so and nothing else', () => {
    const wants = (operator: 'In' | 'NotIn' | 'Exists', ...values: ReadonlyArray<string>) =>
      wantsUltraSsd(Requirements.fromSpecs([{ key: azureLabelKeys.skuUltraSsd, operator, values }]))
    expect([
      wants('In', 'true'),
      wants('NotIn', 'false'),
      wants('In', 'true', 'false'),
      wants('Exists'),
      wants('In', 'false'),
    ]).toEqual([true, true, false, false, false])
    expect(wantsUltraSsd(Requirements.empty)).toBe(false)
  })

  test('Z-OFF-07: zones of labels, of ARM and of resources', () => {
    expect(zoneLabelOf('WestUS2', '1')).toBe('westus2-1')
    expect([armZonesOf('westus2-3'), armZonesOf('0')]).toEqual([['3'], []])
    expect(zoneLabelOfResource('WestUS2', ['1'])).toEqual(E.right('westus2-1'))
    expect(zoneLabelOfResource('westus2', [])).toEqual(E.right('0'))
    expect(zoneLabelOfResource(undefined, undefined)).toEqual(E.right('0'))
    expect(E.isLeft(zoneLabelOfResource('westus2', ['1', '2']))).toBe(true)
    expect(E.isLeft(zoneLabelOfResource('', ['1']))).toBe(true)
  })

  test('Z-OFF-08: the region as a whole is a zone like others, which a demand for zones leaves out', () => {
    const demand = Requirements.fromSpecs([
      { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['southcentralus-1', 'southcentralus-2'] },
    ])
    const left = (sku: Sku) =>
      of(sku).filter(({ requirements }) => Requirements.intersects(requirements, demand)).length
    expect([left(skuOf('Standard_D2s_v3')), left(skuOf('Standard_D2s_v3', {}, { zones: [] }))]).toEqual([4, 0])
  })

  test('Z-OFF-09: there are no reserved offerings', () => {
    expect(of(skuOf('Standard_D2s_v3')).some(({ reservation }) => reservation !== undefined)).toBe(false)
    expect(new Set(of(skuOf('Standard_D2s_v3')).map(Offerings.capacityTypeOf))).toEqual(new Set(['on-demand', 'spot']))
  })
})

describe('marks', () => {
  const skus = [
    skuOf('Standard_D2s_v3'),
    skuOf('Standard_D8s_v3', { vCPUs: '8' }),
    skuOf('Standard_D16s_v3', { vCPUs: '16' }),
    skuOf('Standard_E8s_v5', { vCPUs: '8' }, { family: 'standardESv5Family' }),
  ] as const
  const types = skus.map((sku): InstanceType => instanceTypeOf(sku, of(sku), nodeClass(), azureSettingsOf(), '1.33.0'))
  const [, d8] = skus
  const mark = (match: Requirements, forMs = 60_000): UnavailableMark => markOn(match, forMs, 'Reason', 'message')
  const blocked = (marks: ReadonlyArray<UnavailableMark>, nowMs = 1) => {
    const memory = OfferingMemories.remember(OfferingMemories.empty, marks, 0)
    return OfferingMemories.applyMemory(types, memory, nowMs).flatMap(({ name, offerings }) => {
      const ways = offerings.filter(({ unavailable }) => unavailable !== undefined).map(wayOf)
      return ways.length === 0 ? [] : [`${name.replace('Standard_', '')}: ${ways.join(', ')}`]
    })
  }

  test('Z-UNAV-01, Z-UNAV-02, Z-UNAV-03: a size, larger ones of its family, a family, all of spot', () => {
    const spotInOne = { zone: 'southcentralus-1', capacityType: 'spot' }
    expect(blocked([mark(offeringsLike({ sku: d8, ...spotInOne }))])).toEqual([
      'D8s_v3: southcentralus-1 spot',
      'D16s_v3: southcentralus-1 spot',
    ])
    expect(blocked([mark(offeringsLike({ sku: d8, wholeFamily: true, ...spotInOne }))])).toEqual([
      'D2s_v3: southcentralus-1 spot',
      'D8s_v3: southcentralus-1 spot',
      'D16s_v3: southcentralus-1 spot',
    ])
    expect(blocked([mark(offeringsLike({ sku: { ...d8, quotaFamily: '' }, ...spotInOne }))])).toEqual([
      'D8s_v3: southcentralus-1 spot',
    ])
    expect(blocked([mark(allSpot)])).toEqual(
      skus.map(
        ({ name }) =>
          `${name.replace('Standard_', '')}: southcentralus-1 spot, southcentralus-2 spot, southcentralus-3 spot, 0 spot`,
      ),
    )
    expect(blocked([mark(offeringsLike({ sku: d8, scope: 'regional' }))])).toEqual([
      'D8s_v3: 0 on-demand, 0 spot',
      'D16s_v3: 0 on-demand, 0 spot',
    ])
    expect(blocked([mark(offeringsOfSize(16, 'on-demand'))])).toHaveLength(1)
  })

  test('Z-UNAV-03: each size keeps its own time: a short mark neither shortens nor lengthens another (W-06)', () => {
    const marks = [
      mark(offeringsLike({ sku: skus[2], zone: '0', capacityType: 'spot' }), 3_600_000),
      mark(offeringsLike({ sku: d8, zone: '0', capacityType: 'spot' }), 600_000),
    ]
    expect(blocked(marks, 599_999)).toEqual(['D8s_v3: 0 spot', 'D16s_v3: 0 spot'])
    expect(blocked(marks, 600_000)).toEqual(['D16s_v3: 0 spot'])
    expect(blocked([marks[0] as UnavailableMark, { ...(marks[0] as UnavailableMark), forMs: 1 }], 599_999)).toEqual([
      'D16s_v3: 0 spot',
    ])
  })

  test('Z-UNAV-04, Z-UNAV-05: types change when a mark comes or goes, and are the same objects otherwise', () => {
    const memory = OfferingMemories.remember(
      OfferingMemories.empty,
      [mark(offeringsLike({ sku: skus[3], capacityType: 'spot' }), 60_000)],
      0,
    )
    const during = OfferingMemories.applyMemory(types, memory, 1)
    expect(during.map((type, index) => type === types[index])).toEqual([true, true, true, false])
    expect(OfferingMemories.nextForgetMs(memory)).toBe(60_000)
    expect(OfferingMemories.applyMemory(types, memory, 60_000)).toBe(types)
  })

  test('Z-UNAV-06: what is known is a value of the process: it starts with nothing', () => {
    expect(OfferingMemories.applyMemory(types, OfferingMemories.empty, 0)).toBe(types)
  })
})
