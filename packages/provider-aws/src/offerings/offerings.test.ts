import { describe, expect, test } from '@jest/globals'
import { labelKeys, Offerings, Requirement, Requirements, type Offering } from '@scantling/core'
import { nodeClass, resolvedStatus, typeInfo } from '../../test/subjects.ts'
import { awsLabelKeys } from '../labels/index.ts'
import { zonesOf } from '../node-class/index.ts'
import { initialPrices, withSpot } from '../pricing/index.ts'
import { offeringsMaker, soldCapacityTypes, type OfferingsContext } from './index.ts'

const { status } = nodeClass({}, resolvedStatus)
const prices = initialPrices(
  { source: 'test', byRegion: new Map([['us-east-1', new Map([['m5.large', 0.1]])]]) },
  'us-east-1',
)
const context: OfferingsContext = {
  zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
  nodeClassZones: zonesOf(status),
  prices,
  shiftedZoneIds: new Set(),
  exhaustedSubnetIds: new Set(),
  reservationCounts: new Map(),
  usesReservations: true,
}
const plain = { info: typeInfo('m5.large'), soldIn: new Set(context.zones), reservations: [] }
const make = (
  changes: Partial<OfferingsContext> = {},
  type: Partial<Parameters<ReturnType<typeof offeringsMaker>>[0]> = {},
) => offeringsMaker({ ...context, ...changes })({ ...plain, ...type })
const summary = (offerings: ReadonlyArray<Offering>) =>
  offerings.map((one) =>
    [Offerings.zoneOf(one), Offerings.capacityTypeOf(one), one.unavailable?.reason ?? 'available'].join(' '),
  )
const labelOf = ({ requirements }: Offering, key: string) => {
  const requirement = requirements.byKey.get(key)
  return requirement && (Requirement.singleValue(requirement) ?? Requirement.operatorOf(requirement))
}
const reservation = (changes: object = {}) => ({
  id: 'cr-1',
  availabilityZone: 'eu-west-1a',
  instanceMatchCriteria: 'targeted' as const,
  instanceType: 'm5.large',
  ownerID: '012345678901',
  reservationType: 'default' as const,
  state: 'active' as const,
  ...changes,
})
const counts = new Map([['cr-1', { remaining: 3, observedAtMs: 7 }]])
const reservedOnes = (offerings: ReadonlyArray<Offering>) =>
  offerings.filter((one) => Offerings.capacityTypeOf(one) === 'reserved')

describe('offerings', () => {
  test('A-OFF-02: one per zone of the region and capacity type; a zone id in zones of the NodeClass (S-15)', () => {
    const offerings = make()
    expect(summary(offerings)).toEqual([
      'eu-west-1a on-demand available',
      'eu-west-1b on-demand available',
      'eu-west-1c on-demand NoSubnetInZone',
      'eu-west-1a spot available',
      'eu-west-1b spot available',
      'eu-west-1c spot NoSubnetInZone',
    ])
    expect(offerings.slice(0, 3).map((one) => labelOf(one, awsLabelKeys.zoneId))).toEqual([
      'euw1-az1',
      'euw1-az2',
      undefined,
    ])
    expect(offerings.every((one) => labelOf(one, awsLabelKeys.reservationId) === 'DoesNotExist')).toBe(true)
    expect(soldCapacityTypes({ SupportedUsageClasses: ['spot', 'capacity-block'] })).toEqual(['spot'])
  })
  test('A-OFF-03: available only where the type is compatible, sold, reachable and not shifted away from', () => {
    const first = (...args: Parameters<typeof make>) => summary(make(...args))[0]
    expect(first({}, { soldIn: new Set(['eu-west-1b']) })).toBe('eu-west-1a on-demand NotSoldInZone')
    expect(first({ shiftedZoneIds: new Set(['euw1-az1']) })).toBe('eu-west-1a on-demand ZoneShifted')
    expect(first({}, { incompatibility: { reason: 'Odd', message: 'odd' } })).toBe('eu-west-1a on-demand Odd')
    expect(summary(make({ shiftedZoneIds: new Set(['euw1-az1']) }))[1]).toBe('eu-west-1b on-demand available')
  })
  test('A-ICE-03: subnets without addresses close a zone only when all of it are', () => {
    const twice = zonesOf({ subnets: [...status.subnets, { id: 'subnet-c', zone: 'eu-west-1a', zoneID: 'euw1-az1' }] })
    const of = (...ids: ReadonlyArray<string>) =>
      summary(make({ nodeClassZones: twice, exhaustedSubnetIds: new Set(ids) }))[0]
    expect([of('subnet-a'), of('subnet-a', 'subnet-c')]).toEqual([
      'eu-west-1a on-demand available',
      'eu-west-1a on-demand SubnetsExhausted',
    ])
  })
  test('A-OFF-04: without a price there is none to plan with, but an overlay may set one', () => {
    const unpriced = make({ prices: { ...prices, onDemand: new Map() } })
    expect(unpriced.map(({ pricePerHour, unavailable }) => [pricePerHour, unavailable?.reason])[0]).toEqual([
      undefined,
      undefined,
    ])
    const spotInA = withSpot(prices, new Map([['m5.large', new Map([['eu-west-1a', 0.03]])]]), 1)
    expect(make({ prices: spotInA }).map(({ pricePerHour }) => pricePerHour)).toEqual([
      0.1,
      0.1,
      0.1,
      0.03,
      undefined,
      undefined,
    ])
  })
  test('A-OFF-05: offerings of all types share what nothing sets apart', () => {
    const maker = offeringsMaker(context)
    const [one, other] = [maker(plain), maker({ ...plain, info: typeInfo('m5.xlarge') })]
    expect(one[0]?.requirements).toBe(other[0]?.requirements)
  })
  test('A-OFF-06: a reservation of the type is an offering, nearly free, with what is left of it', () => {
    const [only, ...more] = reservedOnes(
      make(
        { reservationCounts: counts },
        { reservations: [reservation({ interruptible: true, reservationType: 'capacity-block' })] },
      ),
    )
    expect(more).toEqual([])
    expect(only).toMatchObject({ pricePerHour: 0.1 / 10_000_000, reservation: { remaining: 3, observedAtMs: 7 } })
    expect(
      only &&
        [
          labelKeys.zone,
          awsLabelKeys.zoneId,
          awsLabelKeys.reservationId,
          awsLabelKeys.reservationType,
          awsLabelKeys.reservationInterruptible,
        ].map((key) => labelOf(only, key)),
    ).toEqual(['eu-west-1a', 'euw1-az1', 'cr-1', 'capacity-block', 'true'])
    expect(reservedOnes(make({ usesReservations: false }, { reservations: [reservation()] }))).toEqual([])
    const unpriced = reservedOnes(
      make({ prices: { ...prices, onDemand: new Map() } }, { reservations: [reservation()] }),
    )
    expect(unpriced[0]).toMatchObject({ pricePerHour: 0, reservation: { remaining: 0 } })
  })
  test('A-OFF-07: a reserved offering is available like others, and not once its end is near', () => {
    const of = (changes: Partial<OfferingsContext>, type: object) =>
      summary(
        reservedOnes(make({ reservationCounts: counts, ...changes }, { reservations: [reservation()], ...type })),
      )[0]
    expect(of({}, {})).toBe('eu-west-1a reserved available')
    expect(of({}, { reservations: [reservation({ state: 'expiring' })] })).toBe(
      'eu-west-1a reserved ReservationExpiring',
    )
    expect(of({ shiftedZoneIds: new Set(['euw1-az1']) }, {})).toBe('eu-west-1a reserved ZoneShifted')
    expect(of({}, { soldIn: new Set(['eu-west-1b']) })).toBe('eu-west-1a reserved NotSoldInZone')
  })
  test('A-OFF-01, A-OFF-08: a group of partitions multiplies every offering, reserved ones too; other groups do not', () => {
    const partitioned = make(
      { placementGroup: { strategy: 'partition', partitionCount: 3 }, reservationCounts: counts },
      { reservations: [reservation()] },
    )
    expect(partitioned).toHaveLength(3 * 7)
    expect(reservedOnes(partitioned).map((one) => labelOf(one, awsLabelKeys.placementGroupPartition))).toEqual([
      '1',
      '2',
      '3',
    ])
    expect(make({ placementGroup: { strategy: 'cluster' } })).toHaveLength(6)
    const [any] = make({ placementGroup: { strategy: 'partition', partitionCount: 2 } })
    expect(any && Requirements.has(any.requirements, awsLabelKeys.placementGroupPartition)).toBe(true)
  })
})
