import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import type { InstanceType } from '../instance/index.ts'
import { coreLabelKnowledge, labelKeys } from '../labels/index.ts'
import { Resources, type ResourceList } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { instanceType, offering } from '../testing/index.ts'
import { RequirementTable } from '../topology/index.ts'
import { Catalog } from './catalog.ts'
import { ResourceColumns } from './resource-columns.ts'

const { wellKnown } = coreLabelKnowledge

const compiled = (types: ReadonlyArray<InstanceType>, requests: ResourceList = Resources.empty) => {
  const columns = new ResourceColumns()
  columns.observe(requests)
  for (const type of types) {
    columns.observe(type.capacity)
    columns.observe(type.overhead.kubeReserved)
    for (const { capacity } of type.offerings) columns.observe(capacity ?? {})
  }
  const table = new RequirementTable(wellKnown)
  return { columns, table, catalog: new Catalog(types, columns, table, undefined) }
}

const zone = fc.constantFrom('a', 'b', 'c')
const types = fc.array(
  fc.record({
    cpu: fc.integer({ min: 1, max: 6 }),
    offerings: fc.array(
      fc.tuple(zone, fc.constantFrom('spot', 'on-demand'), fc.integer({ min: 1, max: 9 }), fc.boolean()),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    arch: fc.constantFrom('amd64', 'arm64', undefined),
  }),
  { minLength: 1, maxLength: 40 },
)
const demands = fc.array(
  fc.record({
    key: fc.constantFrom(labelKeys.zone, labelKeys.capacityType, labelKeys.arch, labelKeys.instanceType),
    operator: fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const),
    values: fc.subarray(['a', 'b', 'spot', 'on-demand', 'amd64', 't0', 't1', 't33'], { minLength: 1 }),
  }),
  { maxLength: 3 },
)

describe('Catalog', () => {
  test('P-FLT-01: its bitsets say what comparing every type with the requirements says', () => {
    fc.assert(
      fc.property(types, demands, fc.integer({ min: 0, max: 7000 }), (specs, demand, milli) => {
        const list = specs.map(({ cpu, offerings, arch }, index) => {
          const type = instanceType(`t${index}`, cpu, {
            offerings: offerings.map(([at, kind, price, isAvailable]) =>
              offering(at, kind, price, isAvailable ? {} : { unavailable: { reason: 'None' } }),
            ),
          })
          const byKey = new Map(type.requirements.byKey)
          if (arch === undefined) byKey.delete(labelKeys.arch)
          else byKey.set(labelKeys.arch, Requirement.isIn(labelKeys.arch, [arch]))
          return { ...type, requirements: { byKey } }
        })
        const needed = Resources.parse({ cpu: `${milli}m` })
        const { catalog, columns, table } = compiled(list, needed)
        const requirements = Requirements.fromSpecs(demand)
        const mask = catalog.candidates(table.supply(requirements)).slice()
        catalog.keepFitting(mask, columns.vector(needed), undefined)
        const expected = list.flatMap((type, index) =>
          Requirements.intersects(type.requirements, requirements) &&
          Resources.fits(needed, Resources.subtract(type.capacity, type.overhead.kubeReserved)) &&
          type.offerings.some(
            (one) =>
              one.unavailable === undefined && Requirements.isCompatible(requirements, one.requirements, wellKnown),
          )
            ? [index]
            : [],
        )
        expect(catalog.typesIn(mask)).toEqual(expected)
      }),
    )
  })

  test('P-PRC-01: orders by the cheapest offering that the requirements admit, then by name', () => {
    const { catalog, table } = compiled([
      instanceType('b', 2, { offerings: [offering('a', 'spot', 1), offering('a', 'on-demand', 9)] }),
      instanceType('c', 2, { offerings: [offering('a', 'on-demand', 5)] }),
      instanceType('a', 2, { offerings: [offering('a', 'on-demand', 5)] }),
      instanceType('none', 2, { offerings: [offering('a', 'spot', 1, { unavailable: { reason: 'None' } })] }),
    ])
    const names = (requirements: Requirements) =>
      catalog.priceOrder(table.supply(requirements)).map((type) => catalog.types[type]?.name)
    expect(names(Requirements.empty)).toEqual(['b', 'a', 'c', 'none'])
    expect(names(Requirements.of([Requirement.isIn(labelKeys.capacityType, ['on-demand'])]))).toEqual([
      'a',
      'c',
      'b',
      'none',
    ])
  })

  test('P-ITO-03: huge pages come out of the memory, which stays at least zero', () => {
    const { catalog, columns } = compiled([
      instanceType('some', 1, { capacity: Resources.parse({ memory: '4Gi', 'hugepages-2Mi': '1Gi' }) }),
      instanceType('all', 1, { capacity: Resources.parse({ memory: '1Gi', 'hugepages-2Mi': '2Gi' }) }),
    ])
    const memory = columns.index('memory')!
    expect([...catalog.allocatable[memory]!].map((amount) => columns.quantity(memory, amount))).toEqual(['3Gi', '0'])
  })

  test('P-ITO-04: offerings of equal overrides share one amount, beside the type as it stands', () => {
    const roomy = { capacity: Resources.parse({ cpu: '4' }) }
    const { catalog } = compiled([
      instanceType('t', 2, {
        offerings: [offering('a', 'spot', 1, roomy), offering('b', 'spot', 1, roomy), offering('c', 'spot', 1)],
      }),
    ])
    expect(catalog.typeOf).toEqual([0, 0])
  })
})
