import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { describe, expect, test } from '@jest/globals'
import {
  completeWellKnown,
  coreLabelKnowledge,
  labelKeys,
  Labels,
  launchedFacts,
  Requirement,
  Requirements,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import {
  catalogueWith,
  leastInput,
  prices,
  settings,
  listOf,
  typesOf,
  typeOf,
  family,
  valuesOf,
} from '../../test/listed-types.ts'
import { nodeClass, reservation, resolvedStatus, typeInfo } from '../../test/subjects.ts'
import { awsLabelKeys, awsLabelPolicy } from '../labels/index.ts'
import { catalogueOf, createInstanceTypes, type InstanceTypesInput, type InstanceTypesSettings } from './index.ts'

describe('types of a NodeClass', () => {
  const wellKnown = Labels.extend(coreLabelKnowledge, awsLabelPolicy).wellKnown
  test('A-LBL-02: every well-known key has a requirement once the shell has completed them', () => {
    const [type] = completeWellKnown([typeOf('m5.large')], wellKnown)
    const missing = [...wellKnown].filter((key) => type?.requirements.byKey.has(key) === false)
    // What a claim gets from its NodePool, NodeClass and the shell.
    expect(missing.filter((key) => key !== labelKeys.nodePool)).toEqual([])
    const gpu = type && Requirements.get(type.requirements, awsLabelKeys.gpuCount)
    expect(gpu && Requirement.operatorOf(gpu)).toBe('DoesNotExist')
  })
  test('A-LBL-03: zones are those of the type and the NodeClass both, with their ids where these are known', () => {
    const inTwo = typesOf({ catalogue: catalogueWith([typeInfo('m5.large')], ['eu-west-1b', 'eu-west-1c']) })[0]
    expect(inTwo && [valuesOf(inTwo, labelKeys.zone), valuesOf(inTwo, awsLabelKeys.zoneId)]).toEqual([
      ['eu-west-1b'],
      ['euw1-az2'],
    ])
    const old = typesOf({
      nodeClass: nodeClass({}, { ...resolvedStatus, subnets: [{ id: 's', zone: 'eu-west-1a' }] }),
    })[0]
    expect(old && valuesOf(old, awsLabelKeys.zoneId)).toBeUndefined()
    const nowhere = typesOf({ catalogue: catalogueWith([typeInfo('m5.large')], ['eu-west-1c']) })[0]
    expect(nowhere && valuesOf(nowhere, labelKeys.zone)).toEqual([])
  })
  test('A-LBL-04, A-LBL-05: capacity types of EC2, and reserved with the keys of the reservations that match', () => {
    const reserved = nodeClass(
      {},
      {
        ...resolvedStatus,
        capacityReservations: [
          reservation('cr-1'),
          reservation('cr-2', { reservationType: 'capacity-block', interruptible: true }),
          reservation('cr-3', { instanceType: 'c3.large' }),
        ],
      },
    )
    const of = (changes: Partial<InstanceTypesSettings>, info: Partial<InstanceTypeInfo> = {}) =>
      typesOf({ nodeClass: reserved, catalogue: catalogueWith([typeInfo('m5.large', info)]) }, changes)[0]
    const with_ = of({})
    expect(
      with_ &&
        [
          labelKeys.capacityType,
          awsLabelKeys.reservationId,
          awsLabelKeys.reservationType,
          awsLabelKeys.reservationInterruptible,
        ].map((key) => valuesOf(with_, key)),
    ).toEqual([
      ['on-demand', 'reserved', 'spot'],
      ['cr-1', 'cr-2'],
      ['capacity-block', 'default'],
      ['false', 'true'],
    ])
    const without = of({ usesReservations: false }, { SupportedUsageClasses: ['on-demand', 'capacity-block'] })
    expect(
      without && [valuesOf(without, labelKeys.capacityType), valuesOf(without, awsLabelKeys.reservationId)],
    ).toEqual([['on-demand'], undefined])
  })
  test('A-LBL-08: a claim gets the single values of type and offering, reservation keys from a reserved one alone', () => {
    const reserved = nodeClass({}, { ...resolvedStatus, capacityReservations: [reservation('cr-1')] })
    const [type] = typesOf({ nodeClass: reserved, catalogue: catalogueWith([typeInfo('m5.large')]) })
    const labels = (capacityType: 'spot' | 'reserved') =>
      launchedFacts(
        { providerId: 'p', phase: 'running', instanceType: 'm5.large', zone: 'eu-west-1a', capacityType, owner: {} },
        type,
        awsLabelPolicy,
      ).labels
    expect(labels('spot')).toMatchObject({
      [labelKeys.zone]: 'eu-west-1a',
      [awsLabelKeys.zoneId]: 'euw1-az1',
      [labelKeys.capacityType]: 'spot',
      [awsLabelKeys.family]: 'm5',
    })
    const keys = [awsLabelKeys.reservationId, awsLabelKeys.tenancy, 'scantling.sh/ec2-vcpu-quota']
    expect(keys.map((key) => labels('spot')[key])).toEqual([undefined, undefined, undefined])
    expect(labels('reserved')[awsLabelKeys.reservationId]).toBe('cr-1')
  })
  test('A-LBL-09: a placement group and its partitions are labels of every type', () => {
    const [type] = typesOf({
      placementGroup: { id: 'pg-1', strategy: 'partition', partitionCount: 3 },
      catalogue: catalogueWith([typeInfo('m5.large')]),
    })
    expect(
      type && [valuesOf(type, awsLabelKeys.placementGroupId), valuesOf(type, awsLabelKeys.placementGroupPartition)],
    ).toEqual([['pg-1'], ['1', '2', '3']])
    const [spread] = typesOf({
      placementGroup: { id: 'pg-2', strategy: 'spread' },
      catalogue: catalogueWith([typeInfo('m5.large')]),
    })
    expect(spread && valuesOf(spread, awsLabelKeys.placementGroupPartition)).toBeUndefined()
  })
  test('A-ITP-07: Windows boots on x86 alone, under its build', () => {
    const of = (name: string, spec = {}) =>
      [labelKeys.os, labelKeys.windowsBuild].map((key) => valuesOf(typeOf(name, spec), key))
    expect(of('m5.large', family('Windows2019'))).toEqual([['windows'], ['10.0.17763']])
    expect(of('m6g.large', family('Windows2019'))).toEqual([[], ['10.0.17763']])
    expect(of('m6g.large')).toEqual([['linux'], undefined])
  })
  test('A-ITP-04, A-ITP-06: while nothing changed, the same array of the same objects; what changed is new, the rest is not', () => {
    const types = createInstanceTypes(settings)
    const of = (input: Partial<InstanceTypesInput> = {}) => {
      const found = types.of({ ...leastInput, ...input })
      if (E.isLeft(found)) throw new Error(found.left.message)
      return found.right
    }
    const first = of()
    expect(of()).toBe(first)
    // Equal facts in new objects: the status was written again, the prices were read again.
    expect(of({ nodeClass: nodeClass({}, { ...resolvedStatus, conditions: [] }, { generation: 2 }) })).toBe(first)
    expect(of({ prices: { ...prices, onDemand: new Map(prices.onDemand) } })).toBe(first)
    const dearer = of({ prices: { ...prices, onDemand: new Map([...prices.onDemand, ['m5.large', 2]]) } })
    expect(dearer).not.toBe(first)
    expect(dearer.filter((type, index) => type !== first[index]).map(({ name }) => name)).toEqual(['m5.large'])
    const kinds: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { kubelet: { maxPods: 5 } },
      { blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { volumeSize: '9Gi' } }] },
      { instanceStorePolicy: 'RAID0' },
      { cpuOptions: { nestedVirtualization: 'enabled' } },
      { connectionTracking: { udpTimeout: 30 } },
      { amiFamily: 'Custom' },
      { ipPrefixCount: 20 },
    ]
    // The reference's key lacks the image family and nested virtualization (W-04).
    for (const spec of kinds) expect(of({ nodeClass: nodeClass(spec, resolvedStatus) })).not.toBe(first)
    // Another NodeClass has its own.
    const other = of({ nodeClass: nodeClass({}, resolvedStatus, { uid: 'uid-2' }) })
    expect([of({ nodeClass: nodeClass({}, resolvedStatus, { uid: 'uid-2' }) }) === other, other.length]).toEqual([
      true,
      first.length,
    ])
    types.forget(nodeClass({}, resolvedStatus))
    expect(of()).not.toBe(first)
  })
  test('A-ITP-05: no list without catalogue or subnets', () => {
    expect(listOf({ catalogue: undefined })).toMatchObject({ left: { _tag: 'Unknown', retryAfterMs: 1000 } })
    expect(listOf({ catalogue: catalogueOf([typeInfo('m5.large')], []) })).toMatchObject({ left: { _tag: 'Unknown' } })
    expect(listOf({ nodeClass: nodeClass() })).toMatchObject({ left: { _tag: 'NodeClassNotReady' } })
  })
  test('A-ITP-08: each type names the image that a launch would boot, by which the shell learns its memory', () => {
    expect([
      typeOf('m5.large').imageId,
      typeOf('m6g.large').imageId,
      typeOf('g4dn.8xlarge').imageId,
      typeOf('inf2.xlarge').imageId,
    ]).toEqual(['ami-amd', 'ami-arm', 'ami-gpu', undefined])
  })
})
