import { describe, expect, test } from '@jest/globals'

import type { InstanceType } from '../instance/index.ts'
import { coreLabelKnowledge, labelKeys, Labels } from '../labels/index.ts'
import { Requirement, type RequirementSpec } from '../requirements/index.ts'
import { instanceType, offering, reserved, reservationKey } from '../testing/index.ts'
import { RequirementTable } from '../topology/index.ts'
import { Catalog } from './catalog.ts'
import { Offer } from './offer.ts'
import { ResourceColumns } from './resource-columns.ts'

const { wellKnown } = Labels.extend(coreLabelKnowledge, { wellKnown: [{ key: reservationKey }] })

const offerOf = (types: ReadonlyArray<InstanceType>, ...specs: ReadonlyArray<RequirementSpec>) => {
  const columns = new ResourceColumns()
  for (const type of types) {
    columns.observe(type.capacity)
    columns.observe(type.overhead.kubeReserved)
  }
  const table = new RequirementTable(wellKnown)
  const catalog = new Catalog(types, columns, table, reservationKey)
  const set = table.intern(new Map(specs.map((spec) => [spec.key, Requirement.fromSpec(spec)])))
  return Offer.of(catalog, set, catalog.candidates(table.empty).slice(), table)
}
const only = (...offerings: InstanceType['offerings']) => [instanceType('only', 2, { offerings })]
const isBelow = (types: ReadonlyArray<InstanceType>, ceiling: number, ...specs: ReadonlyArray<RequirementSpec>) =>
  offerOf(types, ...specs).below(ceiling).names.length === 1

describe('the price of a launch at its worst', () => {
  const spot = [offering('a', 'spot', 1), offering('b', 'spot', 3)]
  const onDemand = [offering('a', 'on-demand', 10)]

  test('P-PRC-04: it is the dearest offering of the capacity type that would be launched', () => {
    expect([isBelow(only(...spot), 3.01), isBelow(only(...spot), 3)]).toEqual([true, false])
    const inA = { key: labelKeys.zone, operator: 'In' as const, values: ['a'] }
    expect(isBelow(only(...spot), 3, inA)).toBe(true)
  })

  test('P-PRC-04: reserved goes before spot, and spot before on demand', () => {
    expect(isBelow(only(...onDemand, ...spot), 3.01)).toBe(true)
    expect(isBelow(only(...onDemand, ...spot, reserved('a', 'r-1', 1)), 0.01)).toBe(true)
    const notSpot = { key: labelKeys.capacityType, operator: 'In' as const, values: ['on-demand'] }
    expect(isBelow(only(...onDemand, ...spot), 10, notSpot)).toBe(false)
  })

  test('P-PRC-04: a type without an offering under the requirements is infinitely dear', () => {
    const nowhere = { key: labelKeys.zone, operator: 'In' as const, values: ['z'] }
    expect(isBelow(only(...spot), Number.MAX_VALUE, nowhere)).toBe(false)
  })

  test('P-PRC-05: what stays costs strictly less than the ceiling, and minValues are checked again', () => {
    const types = [2, 4, 8].map((cpu) => instanceType(`t${cpu}`, cpu))
    const wanting = { key: labelKeys.instanceType, operator: 'Exists' as const, minValues: 2 }
    const offer = offerOf(types, wanting)
    expect(offer.below(8).names).toEqual(['t2', 't4'])
    expect(offer.below(8).unmetMinValues()).toEqual([])
    expect(offer.below(4).names).toEqual(['t2'])
    expect(offer.below(4).unmetMinValues()).toEqual([{ key: labelKeys.instanceType, minValues: 2, values: 1 }])
  })
})
