import { describe, expect, test } from '@jest/globals'

import type { InstanceType, Offering } from '../instance/index.ts'
import { labelKeys } from '../labels/index.ts'
import {
  copies,
  decide,
  instanceType,
  isIn,
  nodePool,
  offering,
  pod,
  preferring,
  requiring,
  reservationKey,
  reserved,
  snapshotFor,
  softSpread,
  usingClaims,
  web,
} from '../testing/index.ts'

const { capacityType, zone } = labelKeys
const full = '1500m'
const typed = (...offerings: ReadonlyArray<Offering>): ReadonlyArray<InstanceType> => [
  instanceType('only', 2, { offerings: [...offerings, offering('a', 'on-demand', 2)] }),
]
const soldOut: Offering = { ...reserved('a', 'r-1', 0), unavailable: { reason: 'SoldOut' } }

describe('reservations', () => {
  test('P-RSV-01: of several offerings of one reservation the smallest remainder counts, sold out ones included', () => {
    const types = typed(reserved('a', 'r-1', 5), reserved('b', 'r-1', 1))
    const pods = copies(3, (name) => pod(name, full))
    expect(decide({ types, pods }).launches).toEqual(['default: p0'])
    expect(decide({ types: typed(reserved('a', 'r-1', 5)), pods }).launches).toHaveLength(3)
    expect(decide({ types: typed(soldOut, reserved('b', 'r-1', 5)), pods }).launches).toEqual([])
  })

  test('P-RSV-02: a node holds one unit however many pods it gets, and a second node needs another', () => {
    const types = typed(reserved('a', 'r-1', 1))
    const pods = copies(2, (name) => pod(name, '700m'))
    expect(decide({ types, pods }).launches).toEqual(['default: p0 p1'])
    const three = decide({ types, pods: copies(3, (name) => pod(name, '700m')) })
    expect(three.rejections).toEqual(['p2 deferred: ReservationsTaken'])
  })

  test('P-RSV-03: a node holds a unit of every reservation that it may use, and gives back what it no longer may', () => {
    const types = typed(reserved('a', 'r-1', 1), reserved('b', 'r-2', 1))
    const open = decide({ types, pods: [pod('p', full)] })
    expect(open.demanded(reservationKey)).toEqual([`${reservationKey} In [r-1 r-2]`])
    // The second pod ties the first one's node to zone b: r-1 is free for the third.
    const tied = [
      pod('p0', '1'),
      pod('p1', '800m', requiring([isIn(zone, 'b')])),
      pod('p2', '700m', requiring([isIn(zone, 'a')])),
    ]
    const decision = decide({ types, pods: tied })
    expect(decision.launches).toEqual(['default: p0 p1', 'default: p2'])
    expect(decision.demanded(reservationKey)).toEqual([`${reservationKey} In [r-2]`, `${reservationKey} In [r-1]`])
  })

  test('P-RSV-04: without the gate a reserved offering is one of several', () => {
    const decision = decide({
      types: typed(reserved('a', 'r-1', 1)),
      pods: copies(3, (name) => pod(name, full)),
      gates: { reservedCapacity: false },
    })
    expect(decision.launches).toHaveLength(3)
    expect(decision.valuesOf(capacityType)).toEqual(Array.from({ length: 3 }, () => 'on-demand reserved'))
  })

  test('P-RSV-05: strict: a pod that would leave a node without its reservation waits; fallback lets it in', () => {
    const types = typed(reserved('a', 'r-1', 1))
    const onDemand = requiring([isIn(capacityType, 'on-demand')])
    const pods = [pod('p0', '1'), pod('p1', '700m', onDemand)]
    expect(decide({ types, pods }).rejections).toEqual([])
    expect(decide({ types, pods }).launches).toEqual(['default: p0', 'default: p1'])
    const together = decide({ types, pods }, { reservedOfferings: 'fallback' })
    expect(together.launches).toEqual(['default: p0 p1'])
  })

  test('P-RSV-06, P-QUE-08: a pod that waits for a reservation is neither relaxed nor sent to a lesser NodePool', () => {
    const nodePools = [nodePool('heavy', { weight: 2 }), nodePool('light', { weight: 1 })]
    const wishing = preferring([1, isIn(zone, 'a')])
    const types = typed(reserved('a', 'r-1', 1))
    const instanceTypes = new Map([
      ['heavy', types],
      ['light', [instanceType('other', 2)]],
    ])
    const decision = decide({ nodePools, instanceTypes, pods: copies(2, (name) => pod(name, full, wishing)) })
    expect(decision.launches).toEqual(['heavy: p0'])
    expect(decision.rejections).toEqual(['p1 deferred: ReservationsTaken'])
    expect(decision.plan.stats.relaxedPods).toEqual([])
    expect(decision.plan.rejections[0]?.mayResolveByWaiting).toBe(true)
  })

  test('P-RSV-06: a heavier NodePool that has no place for the pod does not keep it from a lighter one that has', () => {
    const nodePools = [nodePool('heavy', { weight: 2 }), nodePool('light', { weight: 1 })]
    const instanceTypes = new Map([
      ['heavy', [instanceType('other', 2)]],
      ['light', typed(reserved('a', 'r-1', 1))],
    ])
    const decision = decide({ nodePools, instanceTypes, pods: copies(2, (name) => pod(name, full)) })
    expect(decision.launches).toEqual(['heavy: p0', 'heavy: p1'])
  })

  test('P-RSV-07: what was asked of the capacity type gives way to the reservation that is held', () => {
    const requirements = [
      { key: capacityType, operator: 'In' as const, values: ['reserved', 'on-demand'], minValues: 2 },
    ]
    const decision = decide({
      types: typed(reserved('a', 'r-1', 1)),
      nodePools: [nodePool('default', { requirements })],
      pods: [pod('p', full)],
    })
    expect(decision.demanded(capacityType)).toEqual([`${capacityType} In [reserved]`])
  })

  test('P-RSV-08: of two single reservations one node holds both, so that the next pod waits for the pass after', () => {
    const types = typed(reserved('a', 'r-1', 1), reserved('b', 'r-2', 1))
    const pods = copies(3, (name) => pod(name, full))
    expect(decide({ types, pods }).launches).toEqual(['default: p0'])
    // Launched into r-1, the rest follows with r-2; when none is left they go on demand.
    expect(decide({ types: typed(soldOut, reserved('b', 'r-2', 1)), pods: pods.slice(1) }).launches).toEqual([
      'default: p1',
    ])
    expect(decide({ types: typed(soldOut), pods: pods.slice(2) }).valuesOf(capacityType)).toEqual(['on-demand'])
  })

  test('P-RSV-09: a node that is on a reservation takes more pods while one survives', () => {
    const types = typed(reserved('a', 'r-1', 1))
    const pods = [web('p0', '700m', softSpread(zone, { maxSkew: 9 })), web('p1', '600m')]
    const decision = decide({ types, pods })
    expect(decision.launches).toEqual(['default: p0 p1'])
    expect(decision.demanded(reservationKey)).toEqual([`${reservationKey} In [r-1]`])
  })

  test('P-PRV-05: provisioning defers, a simulation that may fall back buys otherwise', () => {
    const scene = { types: typed(reserved('a', 'r-1', 1)), pods: copies(2, (name) => pod(name, full)) }
    expect(decide(scene, { reservedOfferings: 'strict' }).launches).toHaveLength(1)
    expect(decide(scene, { reservedOfferings: 'fallback' }).valuesOf(capacityType)).toEqual([
      'reserved',
      'on-demand reserved',
    ])
  })

  test('P-CPI-09: which label names a reservation, and what volumes may not use, is the provider’s to say', () => {
    const types = typed(reserved('a', 'r-1', 1))
    const { labelRules } = snapshotFor({})
    const { reservation: _, ...without } = labelRules
    const pods = copies(2, (name) => pod(name, full))
    expect(decide({ types, pods }).demanded(reservationKey)).toEqual([`${reservationKey} In [r-1]`])
    expect(decide({ types, pods, labelRules: without }).demanded(reservationKey)).not.toContain(
      `${reservationKey} In [r-1]`,
    )
    const claims = new Map([
      ['default/c', { namespace: 'default', name: 'c', isDeleting: false, isBindCompleted: true, volumeName: 'v' }],
    ])
    const driver = 'old.example.com'
    const persistentVolumes = new Map([
      ['v', { name: 'v', isDeleting: false, isNodeLocal: false, driver, nodeTerms: [] }],
    ])
    const volumes = { claims, persistentVolumes, storageClasses: new Map() }
    const picky = { ...labelRules, unsupportedProvisioners: new Set([driver]) }
    const mounting = [pod('p', full, usingClaims('c'))]
    expect(decide({ volumes, pods: mounting }).launches).toHaveLength(1)
    expect(decide({ volumes, pods: mounting, labelRules: picky }).rejections).toEqual(['p ignored: VolumeClaimRefused'])
  })
})
