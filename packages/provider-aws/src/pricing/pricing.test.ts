import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import type { AwsError, AwsPorts } from '../sdk/index.ts'
import {
  createPriceBook,
  hasPriceList,
  initialPrices,
  onDemandPriceOf,
  onDemandQueries,
  readPriceList,
  readSpotPrices,
  spotPriceOf,
  spotQuery,
  withOnDemand,
  withSpot,
  type ShippedPrices,
} from './index.ts'
import { shippedPrices } from '../offline/index.ts'
import { pricingRegionOf } from '../sdk/index.ts'

const shipped = {
  source: 'shipped 2026-01-01',
  byRegion: new Map([
    ['us-east-1', new Map([['m5.large', 0.096]])],
    ['cn-north-1', new Map([['m5.large', 0.7]])],
  ]),
}
const item = (instanceType: string, price: string, unit = 'USD') =>
  JSON.stringify({
    product: { attributes: { instanceType } },
    terms: { OnDemand: { a: { priceDimensions: { b: { pricePerUnit: { [unit]: price } } } } } },
  })
const hour = 3_600_000

describe('prices before and after reading them', () => {
  test('A-PRC-01: those shipped for the region, else those of us-east-1, and the output says which', () => {
    const here = initialPrices(shipped, 'cn-north-1')
    const elsewhere = initialPrices(shipped, 'eu-west-1')
    expect([onDemandPriceOf(here, 'm5.large'), here.source]).toEqual([0.7, 'shipped 2026-01-01'])
    expect([onDemandPriceOf(elsewhere, 'm5.large'), elsewhere.source]).toEqual([
      0.096,
      'shipped 2026-01-01 (those of us-east-1)',
    ])
  })
  test('A-PRC-02: spot is as on demand until spot prices are known; then a zone without one has none', () => {
    const before = initialPrices(shipped, 'us-east-1')
    expect(spotPriceOf(before, 'm5.large', 'any')).toBe(0.096)
    const after = withSpot(before, new Map([['m5.large', new Map([['a', 0.03]])]]), 10)
    expect([
      spotPriceOf(after, 'm5.large', 'a'),
      spotPriceOf(after, 'm5.large', 'b'),
      spotPriceOf(after, 'c5.large', 'a'),
    ]).toEqual([0.03, undefined, undefined])
  })
  test('A-PRC-05: new prices lie over the old', () => {
    const prices = withOnDemand(initialPrices(shipped, 'us-east-1'), new Map([['c5.large', 0.08]]), 7)
    expect([onDemandPriceOf(prices, 'm5.large'), onDemandPriceOf(prices, 'c5.large'), prices.source]).toEqual([
      0.096,
      0.08,
      'AWS Price List',
    ])
  })
  test('A-PRC-08: spot prices of other zones are kept, but not those that EC2 has not told of for a day (W-02)', () => {
    const told = (zone: string, price: number) => new Map([['m5.large', new Map([[zone, price]])]])
    const first = withSpot(initialPrices(shipped, 'us-east-1'), told('a', 1), 0)
    const second = withSpot(first, told('b', 2), 23 * hour)
    expect([spotPriceOf(second, 'm5.large', 'a'), spotPriceOf(second, 'm5.large', 'b')]).toEqual([1, 2])
    expect(spotPriceOf(withSpot(second, told('b', 3), 24 * hour), 'm5.large', 'a')).toBeUndefined()
  })
})

describe('the price list', () => {
  test('A-PRC-04: two questions, shared hardware and bare metal', () => {
    const filters = onDemandQueries('eu-west-1').map(({ Filters }) =>
      Object.fromEntries((Filters ?? []).map(({ Field, Value }) => [Field, Value])),
    )
    const common = {
      regionCode: 'eu-west-1',
      serviceCode: 'AmazonEC2',
      preInstalledSw: 'NA',
      operatingSystem: 'Linux',
      capacitystatus: 'Used',
      marketoption: 'OnDemand',
    }
    expect(filters).toEqual([
      { ...common, tenancy: 'Shared', productFamily: 'Compute Instance' },
      { ...common, tenancy: 'Dedicated', productFamily: 'Compute Instance (bare metal)' },
    ])
    expect(onDemandQueries('eu-west-1').map(({ ServiceCode, MaxResults }) => [ServiceCode, MaxResults])).toEqual([
      ['AmazonEC2', 100],
      ['AmazonEC2', 100],
    ])
  })
  test('A-PRC-05: dollars, yuan in China; zeros and what cannot be read are passed over', () => {
    const items = [
      item('m5.large', '0.096'),
      item('c5.large', '0.0000'),
      item('r5.large', 'free'),
      'no json',
      '{}',
      item('t3.large', '5', 'CNY'),
    ]
    expect([...readPriceList(items, 'us-east-1')]).toEqual([['m5.large', 0.096]])
    expect([...readPriceList(items, 'cn-north-1')]).toEqual([['t3.large', 5]])
  })
  test('A-PRC-06: where the list answers', () => {
    expect(['ap-southeast-2', 'cn-north-1', 'eu-west-1', 'us-west-2', 'sa-east-1'].map(pricingRegionOf)).toEqual([
      'ap-south-1',
      'cn-northwest-1',
      'eu-central-1',
      'us-east-1',
      'us-east-1',
    ])
  })
  test('A-PRC-09: the questions know no Windows and no dedicated tenancy: one price for all', () => {
    expect(
      onDemandQueries('eu-west-1').every(({ Filters }) =>
        Filters?.some(({ Field, Value }) => Field === 'operatingSystem' && Value === 'Linux'),
      ),
    ).toBe(true)
  })
  test('A-PRC-08: the history of spot: Linux, from now on, the newest of each pool, none without a time', () => {
    expect(spotQuery(1000)).toEqual({
      ProductDescriptions: ['Linux/UNIX', 'Linux/UNIX (Amazon VPC)'],
      StartTime: new Date(1000),
      MaxResults: 2000,
    })
    const entry = (SpotPrice: string, at: number | undefined, AvailabilityZone = 'a') => ({
      InstanceType: 'm5.large' as const,
      AvailabilityZone,
      SpotPrice,
      ...(at !== undefined && { Timestamp: new Date(at) }),
    })
    const read = readSpotPrices([
      entry('0.03', 1),
      entry('0.04', 3),
      entry('0.05', 2),
      entry('0.01', undefined),
      entry('x', 9),
      entry('0.02', 1, 'b'),
    ])
    expect([...read].map(([type, zones]) => [type, [...zones]])).toEqual([
      [
        'm5.large',
        [
          ['a', 0.04],
          ['b', 0.02],
        ],
      ],
    ])
  })
})

describe('the price book', () => {
  const signal = new AbortController().signal
  const book = (
    options: {
      readonly isolated?: boolean
      readonly region?: string
      readonly answers?: Array<ReadonlyArray<string> | AwsError>
      readonly spot?: ReadonlyArray<object> | AwsError
      readonly begun?: ShippedPrices
    } = {},
  ) => {
    const { isolated = false, region = 'us-east-1', answers = [], spot = [], begun = shipped } = options
    let asked = 0
    const ports = {
      region,
      pricing: {
        getProducts: () => () => {
          const answer = answers[asked++ % answers.length] ?? []
          return Promise.resolve('code' in answer ? E.left(answer) : E.right({ PriceList: [...answer] }))
        },
      },
      ec2: {
        describeSpotPriceHistory: () => () =>
          Promise.resolve('code' in spot ? E.left(spot) : E.right({ SpotPriceHistory: [...spot] })),
      },
    } as unknown as AwsPorts
    return {
      book: createPriceBook({ ports, shipped: begun, isIsolated: isolated, nowMs: () => 42 }),
      asked: () => asked,
    }
  }
  const failure: AwsError = { action: 'pricing:GetProducts', code: 'AccessDenied', message: 'no' }
  test('A-PRC-03, A-PRC-05: what fails or says nothing leaves the old prices, and the same object', async () => {
    for (const answers of [[failure], [[item('m5.large', '1')], []]]) {
      const { book: one } = book({ answers })
      const before = one.prices()
      expect(E.isLeft(await one.refreshOnDemand(signal))).toBe(true)
      expect(one.prices()).toBe(before)
    }
    const { book: right } = book({ answers: [[item('m5.large', '1')], [item('m5.metal', '5')]] })
    expect(await right.refreshOnDemand(signal)).toEqual(E.right(undefined))
    expect([onDemandPriceOf(right.prices(), 'm5.large'), onDemandPriceOf(right.prices(), 'm5.metal')]).toEqual([1, 5])
  })
  test('A-PRC-01, A-PRC-07: prices that were made up serve where there is no list, and go whole when it comes', async () => {
    const begun = shippedPrices()
    expect(begun?.source).toMatch(/^synthetic: .*no price of AWS, of \d{4}-\d\d-\d\d$/)
    const isolated = book({ isolated: true, ...(begun !== undefined && { begun }) }).book
    await isolated.refreshOnDemand(signal)
    expect(onDemandPriceOf(isolated.prices(), 'c5.large')).toBeGreaterThan(0)
    const listed = book({ answers: [[item('m5.large', '1')], [item('m5.metal', '5')]], ...(begun && { begun }) }).book
    await listed.refreshOnDemand(signal)
    expect([...listed.prices().onDemand]).toEqual([
      ['m5.large', 1],
      ['m5.metal', 5],
    ])
  })
  test('A-PRC-08: spot prices that say nothing are an error', async () => {
    expect(await book().book.refreshSpot(signal)).toMatchObject({ left: { code: 'EmptyAnswer' } })
    expect(E.isLeft(await book({ spot: failure }).book.refreshSpot(signal))).toBe(true)
    const { book: right } = book({
      spot: [{ InstanceType: 'm5.large', AvailabilityZone: 'a', SpotPrice: '0.03', Timestamp: new Date(1) }],
    })
    await right.refreshSpot(signal)
    expect(spotPriceOf(right.prices(), 'm5.large', 'a')).toBe(0.03)
  })
  test('A-PRC-07: no question out of an isolated VPC or in GovCloud', async () => {
    expect([
      hasPriceList('us-gov-west-1', false),
      hasPriceList('us-east-1', true),
      hasPriceList('us-east-1', false),
    ]).toEqual([false, false, true])
    const isolated = book({ isolated: true, answers: [failure] })
    expect(await isolated.book.refreshOnDemand(signal)).toEqual(E.right(undefined))
    expect(isolated.asked()).toBe(0)
  })
})
