import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { describe, expect, test } from '@jest/globals'
import { typeOf } from '../../test/listed-types.ts'
import { typeInfo } from '../../test/subjects.ts'
import { incompatibilityOf } from './index.ts'

describe('compatibility', () => {
  const of = (
    name: string,
    spec: Readonly<Record<string, unknown>>,
    rest: object = {},
    info: Partial<InstanceTypeInfo> = {},
  ) => incompatibilityOf({ info: typeInfo(name, info), family: 'AL2', spec, ...rest })?.reason
  const nic = (
    networkCardIndex: number,
    deviceIndex: number,
    interfaceType: 'interface' | 'efa-only' = 'interface',
  ) => ({ networkCardIndex, deviceIndex, interfaceType })
  test('A-CMP-01: network interfaces', () => {
    const with_ = (name: string, list: ReadonlyArray<unknown>, info: Partial<InstanceTypeInfo> = {}) =>
      of(name, { networkInterfaces: list }, {}, info)
    const { NetworkInfo = {} } = typeInfo('m5.large')
    expect(with_('m5.large', [nic(0, 0), nic(0, 2)])).toBeUndefined()
    expect(with_('m5.large', [nic(0, 0), nic(0, 3)])).toBe('NetworkInterfacesUnsupported')
    expect(with_('m5.large', [nic(0, 0), nic(1, 0)])).toBe('NetworkInterfacesUnsupported')
    expect(with_('p4d.24xlarge', [nic(0, 0), nic(1, 1, 'efa-only')])).toBeUndefined()
    expect(with_('m5.large', [nic(0, 0), nic(0, 1, 'efa-only')])).toBe('NetworkInterfacesUnsupported')
    expect(with_('m5.large', [nic(0, 0)], { NetworkInfo: { ...NetworkInfo, EnaSupport: 'unsupported' } })).toBe(
      'NetworkInterfacesUnsupported',
    )
    expect(with_('m5.large', [nic(0, 0)], { NetworkInfo: {} })).toBe('NetworkInterfacesUnsupported')
    expect(with_('m5.large', [], { NetworkInfo: {} })).toBeUndefined()
  })
  test('A-CMP-02: AL2023 does not run on a1', () => {
    expect([
      of('a1.large', {}, { family: 'AL2023' }),
      of('a1.large', {}),
      of('m6g.large', {}, { family: 'AL2023' }),
    ]).toEqual(['ImageFamilyUnsupported', undefined, undefined])
  })
  test('A-CMP-03: nested virtualization', () => {
    const on = { cpuOptions: { nestedVirtualization: 'enabled' } }
    expect([
      of('m8i.large', on),
      of('m5.large', on),
      of('m5.large', { cpuOptions: { nestedVirtualization: 'disabled' } }),
    ]).toEqual([undefined, 'NestedVirtualizationUnsupported', undefined])
  })
  test('A-CMP-04: the strategy of a placement group, on a type that says nothing of groups, too (W-18)', () => {
    const group = { placementGroup: { id: 'pg-1', strategy: 'cluster' } }
    expect([of('m5.large', {}, group), of('t3.large', {}, group)]).toEqual([undefined, 'PlacementStrategyUnsupported'])
    expect(
      incompatibilityOf({ info: {}, family: 'AL2', spec: {}, placementGroup: { id: 'pg-1', strategy: 'spread' } })
        ?.reason,
    ).toBe('PlacementStrategyUnsupported')
  })
  test('A-CMP-05: connection tracking needs Nitro, which bare metal does not have (S-20)', () => {
    const tracking = { connectionTracking: { udpTimeout: 30 } }
    expect([of('m5.large', tracking), of('m5.metal', tracking), of('c3.large', tracking)]).toEqual([
      undefined,
      'ConnectionTrackingUnsupported',
      'ConnectionTrackingUnsupported',
    ])
  })
  test('A-CMP-06: prefixes and the interface’s own address must fit on an interface', () => {
    expect([
      of('m5.large', { ipPrefixCount: 9 }),
      of('m5.large', { ipPrefixCount: 10 }),
      of('m5.large', { ipPrefixCount: 0 }),
    ]).toEqual([undefined, 'TooManyPrefixes', undefined])
  })
  test('what is not compatible is listed with every offering unavailable, and says why', () => {
    const type = typeOf('m5.large', { cpuOptions: { nestedVirtualization: 'enabled' } })
    expect(new Set(type.offerings.map(({ unavailable }) => unavailable?.reason))).toEqual(
      new Set(['NestedVirtualizationUnsupported']),
    )
  })
})
