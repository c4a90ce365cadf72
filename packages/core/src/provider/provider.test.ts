import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { allocatableOfType, Offerings, type InstanceType } from '../instance/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { applyMemory, empty as emptyMemory, forget, isMarked, nextForgetMs, remember } from './offering-memory.ts'
import { bootLabels, bootTaints } from './boot.ts'
import { claimLabels, launchedFacts } from './launched-facts.ts'
import type { Instance } from './instance.ts'
import { applyLedger, empty as emptyLedger, enter, settle } from './reservation-ledger.ts'
import { truncateTypes, unmetMinValues } from './truncate-types.ts'
import { completeWellKnown } from './well-known-completion.ts'

const zone = 'topology.kubernetes.io/zone'
const capacityType = 'karpenter.sh/capacity-type'
const offering = (inZone: string, type: string) => ({
  requirements: Requirements.fromLabels({ [zone]: inZone, [capacityType]: type }),
  pricePerHour: 1,
})
const typeNamed = (name: string, changes: Partial<InstanceType> = {}): InstanceType => ({
  name,
  requirements: Requirements.fromLabels({ 'node.kubernetes.io/instance-type': name, size: '8', family: 'm' }),
  capacity: Resources.parse({ cpu: '8', memory: '32Gi', pods: '58' }),
  overhead: {
    kubeReserved: Resources.parse({ cpu: '100m', memory: '1Gi' }),
    systemReserved: Resources.parse({ memory: '1Gi' }),
    evictionThreshold: Resources.parse({ memory: '100Mi', 'ephemeral-storage': '1Gi' }),
  },
  offerings: [offering('a', 'spot'), offering('a', 'on-demand'), offering('b', 'spot')],
  ...changes,
})
const specs = (...list: Parameters<typeof Requirements.fromSpecs>[0]) => Requirements.fromSpecs(list)
const mark = (match: Requirements, forMs = 1000) => ({ match, forMs, reason: 'SoldOut' })
const soldOut = ({ offerings }: InstanceType) => offerings.map(({ unavailable }) => unavailable !== undefined)

describe('allocatableOfType()', () => {
  test('takes the three overheads off the resources in capacity alone (P-ITO-03)', () => {
    expect(allocatableOfType(typeNamed('m'))).toEqual(Resources.parse({ cpu: '7900m', memory: '30620Mi', pods: '58' }))
  })
  test('takes huge pages out of memory, down to zero (P-ITO-03)', () => {
    const capacity = { ...typeNamed('m').capacity, ...Resources.parse({ 'hugepages-2Mi': '2Gi' }) }
    expect(allocatableOfType(typeNamed('m', { capacity }))['memory']).toBe('28572Mi')
    const all = { ...capacity, ...Resources.parse({ 'hugepages-1Gi': '64Gi' }) }
    expect(allocatableOfType(typeNamed('m', { capacity: all }))['memory']).toBe('0')
  })
  test("lays an offering's capacity and total overhead over the type's (P-ITO-04)", () => {
    const over = {
      ...offering('a', 'spot'),
      capacity: Resources.parse({ cpu: '4' }),
      overhead: Resources.parse({ memory: '2Gi' }),
    }
    expect(allocatableOfType(typeNamed('m'), over)).toEqual(
      Resources.parse({ cpu: '3900m', memory: '30Gi', pods: '58' }),
    )
  })
})

describe('Offerings', () => {
  test('offeringIn() is the first of a zone and capacity type, sold out or not (P-ITO-07)', () => {
    const soldOutOne = { ...offering('b', 'spot'), unavailable: { reason: 'SoldOut' } }
    const type = typeNamed('m', { offerings: [offering('a', 'spot'), soldOutOne, offering('b', 'spot')] })
    expect(Offerings.offeringIn(type, { zone: 'b', capacityType: 'spot' })).toBe(soldOutOne)
    expect(Offerings.offeringIn(type, { zone: 'b', capacityType: 'on-demand' })).toBeUndefined()
  })
  test('zoneOf() and capacityTypeOf() read single values (P-ITO-08)', () => {
    const one = offering('a', 'spot')
    expect([Offerings.zoneOf(one), Offerings.capacityTypeOf(one)]).toEqual(['a', 'spot'])
    const many = { requirements: Requirements.of([Requirement.isIn(zone, ['a', 'b'])]) }
    expect([Offerings.zoneOf(many), Offerings.capacityTypeOf(many)]).toEqual([undefined, undefined])
  })
})

describe('OfferingMemories', () => {
  const types = [typeNamed('m'), typeNamed('n')]
  test('marks one offering of one type and leaves the other type the same object', () => {
    const memory = remember(
      emptyMemory,
      [mark(Requirements.fromLabels({ 'node.kubernetes.io/instance-type': 'm', [zone]: 'a', [capacityType]: 'spot' }))],
      0,
    )
    const [m, n] = applyMemory(types, memory, 999)
    expect(m && soldOut(m)).toEqual([true, false, false])
    expect(n).toBe(types[1])
    expect(applyMemory(types, memory, 1000)).toBe(types)
    expect(nextForgetMs(memory)).toBe(1000)
    expect(forget(memory, 1000)).toEqual(emptyMemory)
  })
  test('marks all spot, or the larger sizes of a group, with one mark', () => {
    const spot = mark(Requirements.fromLabels({ [capacityType]: 'spot' }))
    expect(applyMemory(types, remember(emptyMemory, [spot], 0), 0).map(soldOut)).toEqual([
      [true, false, true],
      [true, false, true],
    ])
    const size = (n: string) =>
      mark(specs({ key: 'family', operator: 'In', values: ['m'] }, { key: 'size', operator: 'Gt', values: [n] }))
    const [first] = types
    const [one] = first?.offerings ?? []
    expect(first && one && isMarked(first, one, size('7'))).toBe(true)
    expect(first && one && isMarked(first, one, size('8'))).toBe(false)
  })
  test('does not concern a type that lacks a key of the mark', () => {
    const memory = remember(emptyMemory, [mark(specs({ key: 'gpu', operator: 'NotIn', values: ['x'] }))], 0)
    expect(applyMemory(types, memory, 0)).toBe(types)
  })
  test('keeps the later end when the same offerings are marked again', () => {
    const again = remember(remember(emptyMemory, [mark(specs(), 5000)], 0), [mark(specs(), 1000)], 10)
    expect(again.marks.map(({ untilMs }) => untilMs)).toEqual([5000])
  })
})

describe('ReservationLedgers', () => {
  const reserved = typeNamed('r', {
    offerings: [
      {
        requirements: Requirements.fromLabels({ [zone]: 'a', [capacityType]: 'reserved', 'cr-id': 'cr-1' }),
        reservation: { remaining: 2, observedAtMs: 100 },
      },
    ],
  })
  const left = (ledger: typeof emptyLedger) =>
    applyLedger([reserved], ledger, 'cr-id').map(({ offerings }) => offerings[0]?.reservation?.remaining)
  const launched = (instance: string, atMs: number) =>
    ({ reservation: 'cr-1', instance, change: 'launched', atMs }) as const
  test('counts what happened since the report, once each and never below zero', () => {
    let ledger = enter(enter(emptyLedger, launched('i-1', 150)), launched('i-1', 160))
    expect(left(ledger)).toEqual([1])
    ledger = enter(ledger, launched('i-0', 50))
    expect(left(ledger)).toEqual([1])
    expect(left(enter(ledger, { ...launched('i-1', 200), change: 'ended' }))).toEqual([2])
    expect(left(['i-2', 'i-3', 'i-4'].reduce((next, id) => enter(next, launched(id, 300)), ledger))).toEqual([0])
    expect(settle(ledger, 150)).toEqual(emptyLedger)
    expect(applyLedger([reserved], settle(ledger, 150), 'cr-id')[0]).toBe(reserved)
  })
})

describe('completeWellKnown()', () => {
  test('gives every well-known key one requirement (P-ITO-01)', () => {
    const known = new Set([zone, capacityType, 'gpu', 'size', 'karpenter.sh/nodepool'])
    const types = [typeNamed('m')]
    const [type] = completeWellKnown(types, known)
    const of = (key: string) => type && Requirement.render(Requirements.get(type.requirements, key))
    expect(of(zone)).toBe(`${zone} In [a b]`)
    expect(of('gpu')).toBe('gpu DoesNotExist')
    expect(of('size')).toBe('size In [8]')
    // A claim's template defines its NodePool; a type that refused the key would refuse every claim.
    expect(type?.requirements.byKey.has('karpenter.sh/nodepool')).toBe(false)
    const complete = completeWellKnown(types, known)
    expect(completeWellKnown(complete, known)).toBe(complete)
  })
})

describe('launchedFacts()', () => {
  const type = typeNamed('m', {
    requirements: Requirements.of([
      ...typeNamed('m').requirements.byKey.values(),
      Requirement.isIn('tenancy', ['default', 'dedicated']),
      Requirement.isIn('hyperv', ['2']),
      Requirement.isIn('cr-id', ['cr-1']),
      Requirement.doesNotExist('gpu'),
    ]),
    capacity: Resources.parse({ cpu: '8', memory: '32Gi', 'nvidia.com/gpu': '0', efa: '4' }),
  })
  const policy = { wellKnown: [], internal: ['hyperv'], reservation: { id: 'cr-id', all: ['cr-id'] } }
  const instance: Instance = {
    providerId: 'x://1',
    phase: 'running',
    instanceType: 'm',
    zone: 'b',
    capacityType: 'spot',
    owner: {},
    labels: { own: '1' },
    capacity: Resources.parse({ efa: '0' }),
  }
  test('labels with single values of type and offering (P-CPI-08)', () => {
    expect(claimLabels(type, type.offerings[2], policy)).toEqual({
      'node.kubernetes.io/instance-type': 'm',
      size: '8',
      family: 'm',
      [zone]: 'b',
      [capacityType]: 'spot',
    })
    const reserved = { requirements: Requirements.fromLabels({ 'cr-id': 'cr-1' }) }
    expect(claimLabels(type, reserved, policy)['cr-id']).toBe('cr-1')
  })
  test('leaves out amounts of zero, and lets the instance speak last', () => {
    const facts = launchedFacts(instance, type, policy)
    expect(facts.labels).toMatchObject({ own: '1', [zone]: 'b' })
    expect(facts.capacity).toEqual(Resources.parse({ cpu: '8', memory: '32Gi' }))
    expect(facts.allocatable).toEqual(Resources.parse({ cpu: '7900m', memory: '30620Mi' }))
  })
  test('says what the instance says when its type is gone', () => {
    expect(launchedFacts(instance, undefined).labels).toEqual({
      'node.kubernetes.io/instance-type': 'm',
      [zone]: 'b',
      [capacityType]: 'spot',
      own: '1',
    })
  })
})

describe('boot', () => {
  test('bootTaints() adds the unregistered mark after the taints of the claim', () => {
    const taint = { key: 'team', value: 'a', effect: 'NoSchedule' } as const
    expect(bootTaints({ taints: [taint], startupTaints: [taint] })).toEqual([
      taint,
      { key: 'karpenter.sh/unregistered', effect: 'NoExecute' },
    ])
  })
  test('bootLabels() leaves out what a kubelet may not set', () => {
    expect(
      bootLabels(
        {
          labels: { 'example.com/team': 'a', 'node-restriction.kubernetes.io/x': '1', bare: '1' },
          requirements: Requirements.fromLabels({ 'node.kubernetes.io/ok': '1', [zone]: 'a' }),
        },
        { [zone]: 'b' },
      ),
    ).toEqual({ 'example.com/team': 'a', bare: '1', 'node.kubernetes.io/ok': '1', [zone]: 'b' })
  })
})

describe('truncateTypes()', () => {
  const family = (name: string) => typeNamed(name, { requirements: Requirements.fromLabels({ family: name }) })
  const types = ['a', 'a', 'b'].map(family)
  const requirements = specs({ key: 'family', operator: 'Exists', minValues: 2 })
  test('counts those values of the types that the requirement still allows (P-MIN-01)', () => {
    expect(unmetMinValues(types, requirements)).toEqual([])
    expect(unmetMinValues(types.slice(0, 2), requirements)).toEqual([{ key: 'family', minValues: 2, reached: 1 }])
    const narrowed = specs({ key: 'family', operator: 'In', values: ['b', 'c'], minValues: 2 })
    expect(unmetMinValues(types, narrowed)).toEqual([{ key: 'family', minValues: 2, reached: 1 }])
  })
  test('refuses under strict what no longer meets minValues, and lets it pass otherwise (P-MIN-06)', () => {
    const cut = (minValues: 'strict' | 'best-effort') => truncateTypes(types, { requirements, limit: 2, minValues })
    expect(E.isLeft(cut('strict'))).toBe(true)
    expect(cut('best-effort')).toEqual(E.right(types.slice(0, 2)))
    expect(truncateTypes(types, { requirements, limit: 3, minValues: 'strict' })).toEqual(E.right(types))
  })
})
