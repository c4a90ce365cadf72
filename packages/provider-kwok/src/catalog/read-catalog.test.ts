import { describe, expect, test } from '@jest/globals'
import { Requirements, Resources } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { readCatalog } from './read-catalog.ts'

const offering = (capacityType = 'spot') => ({
  price: 0.5,
  requirements: [
    { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['test-zone-a'] },
    { key: 'karpenter.sh/capacity-type', operator: 'In', values: [capacityType] },
  ],
})
const entry = (changes: object = {}) => ({
  name: 'c-4x',
  architecture: 'amd64',
  operatingSystems: ['linux'],
  resources: { cpu: '4', memory: '8Gi' },
  offerings: [offering()],
  ...changes,
})
const errorsOf = (json: unknown) => {
  const read = readCatalog(json)
  return E.isLeft(read) ? read.left : []
}
const typesOf = (json: unknown) => {
  const read = readCatalog(json)
  if (E.isLeft(read)) throw new Error(read.left.join('\n'))
  return read.right
}

describe('readCatalog()', () => {
  test('fills in the defaults of the reference (K-03)', () => {
    const [type] = typesOf([entry()])
    expect(type?.capacity).toEqual(Resources.parse({ cpu: '4', memory: '8Gi', pods: '110' }))
    expect(type?.overhead.kubeReserved).toEqual(Resources.parse({ cpu: '100m', memory: '10Mi' }))
  })

  test('derives size and family from the name (K-04)', () => {
    const label = (name: string, key: string) => {
      const [type] = typesOf([entry({ name })])
      return type && Requirements.get(type.requirements, `karpenter.kwok.sh/${key}`).values
    }
    expect(label('m5.2xlarge', 'instance-size')).toEqual(new Set(['2xlarge']))
    expect(label('m5.2xlarge', 'instance-family')).toEqual(new Set(['m5']))
    expect(label('n2-standard-4', 'instance-size')).toEqual(new Set(['4']))
    expect(label('n2-standard-4', 'instance-family')).toEqual(new Set(['n2']))
    expect(label('Standard_D4s_v5', 'instance-family')).toEqual(new Set(['S']))
  })

  test('reads the fields of an offering in either case, and shares equal requirements', () => {
    const upper = {
      Price: 0.7,
      Available: false,
      Requirements: offering().requirements,
    }
    const [first, second] = typesOf([entry(), entry({ name: 'c-8x', offerings: [upper] })])
    expect(second?.offerings[0]?.pricePerHour).toBe(0.7)
    expect(first?.offerings[0]?.requirements).toBe(second?.offerings[0]?.requirements)
    // Offerings of a file are always on sale (K-03).
    expect(second?.offerings[0]?.unavailable).toBeUndefined()
  })

  test('says DoesNotExist of a key that only other types define (P-ITO-01)', () => {
    const [plain] = typesOf([entry(), entry({ name: 'gpu', labels: { 'example.com/gpu': 'x' } })])
    expect(plain && Requirements.render(plain.requirements)).toContain('example.com/gpu DoesNotExist')
  })

  test('P-LBL-06: every offering has one zone and one capacity type', () => {
    const [zone, capacityType] = offering().requirements
    for (const [requirements, missing] of [
      [[zone], 'karpenter.sh/capacity-type'],
      [[capacityType], 'topology.kubernetes.io/zone'],
      [[{ ...zone, values: ['a', 'b'] }, capacityType], 'topology.kubernetes.io/zone'],
    ] as const)
      expect(errorsOf([entry({ offerings: [{ price: 1, requirements }] })])).toEqual([
        `[0].offerings[0].Requirements: Required value: one requirement ${missing} In with a single value`,
      ])
  })

  test('names every mistake by its path', () => {
    expect(errorsOf('no list')).toEqual(['Expected the catalogue to be a list of instance types, found "no list"'])
    expect(errorsOf([])).toEqual(['Expected at least one instance type, found an empty list'])
    expect(errorsOf([entry(), entry()])).toEqual(['[1].name: Duplicate value: "c-4x" is the name of [0]'])
    expect(
      errorsOf([
        entry({ resources: { cpu: '4', memory: '1.5Gii' } }),
        entry({ name: '', offerings: [{ price: -1, requirements: [] }] }),
        entry({ name: 'x', labels: { a: 1 } }),
        7,
      ]),
    ).toEqual([
      '[0].resources[memory]: Invalid value: "1.5Gii": Cannot parse quantity "1.5Gii": unknown suffix "Gii"',
      '[1].name: Invalid value: "": expected the name of the instance type',
      '[1].offerings[0].Price: Invalid value: -1: expected a price per hour of at least 0',
      '[1].offerings[0].Requirements: Required value: one requirement topology.kubernetes.io/zone In with a single value',
      '[1].offerings[0].Requirements: Required value: one requirement karpenter.sh/capacity-type In with a single value',
      '[2].labels: Invalid value: {"a":1}: expected an object of texts by label key',
      '[3]: Invalid value: 7: expected an instance type',
    ])
  })
})
