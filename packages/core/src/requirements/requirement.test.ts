import { describe, expect, test } from '@jest/globals'
import {
  allowsAbsence,
  doesNotExist,
  exists,
  fromSpec,
  has,
  hasIntersection,
  intersection,
  isIn,
  notIn,
  operatorOf,
  parseInteger,
  render,
  singleValue,
  sortedValues,
  toSpecs,
  type Requirement,
  type RequirementSpec,
} from './requirement.ts'

const key = 'key'
const subsets = <A>(list: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  list.reduce<ReadonlyArray<ReadonlyArray<A>>>((all, one) => [...all, ...all.map((set) => [...set, one])], [[]])

// Everything that one key can ask of three values and the bounds around them.
const specs: ReadonlyArray<RequirementSpec> = [
  ...subsets(['a', '1', '2']).flatMap((values) => [
    { key, operator: 'In' as const, values },
    { key, operator: 'NotIn' as const, values },
  ]),
  { key, operator: 'Exists' },
  { key, operator: 'DoesNotExist' },
  ...(['Gt', 'Lt', 'Gte', 'Lte'] as const).flatMap((operator) =>
    ['0', '1', '2', '3'].map((value) => ({ key, operator, values: [value] })),
  ),
]
const every = specs.map(fromSpec)
// `other` stands for all text that nobody names, `-7` and `9` for all integers beyond the bounds.
const universe = ['a', 'other', '-7', '0', '1', '2', '3', '9']
const allowed = (requirement: Requirement) => universe.filter((value) => has(requirement, value))

/** What Kubernetes says of a label that is there. */
const meets = (value: string, { operator, values = [] }: RequirementSpec): boolean => {
  const number = /^-?[0-9]+$/.test(value) ? Number(value) : undefined
  const bound = Number(values[0])
  switch (operator) {
    case 'In':
      return values.includes(value)
    case 'NotIn':
      return !values.includes(value)
    case 'Exists':
      return true
    case 'DoesNotExist':
      return false
    case 'Gt':
      return number !== undefined && number > bound
    case 'Lt':
      return number !== undefined && number < bound
    case 'Gte':
      return number !== undefined && number >= bound
    case 'Lte':
      return number !== undefined && number <= bound
  }
}

describe('a requirement', () => {
  test('P-REQ-01 P-REQ-12 allows the values that its operator allows, for every operator', () => {
    for (const spec of specs) {
      expect([spec, allowed(fromSpec(spec))]).toEqual([spec, universe.filter((value) => meets(value, spec))])
    }
  })

  test('P-REQ-01 encodes operators as a set of values and its complement', () => {
    expect(fromSpec({ key, operator: 'In', values: ['a'] })).toEqual(isIn(key, ['a']))
    expect(fromSpec({ key, operator: 'NotIn', values: ['a'] })).toEqual(notIn(key, ['a']))
    expect(fromSpec({ key, operator: 'Exists' })).toEqual(exists(key))
    expect(fromSpec({ key, operator: 'DoesNotExist' })).toEqual(doesNotExist(key))
    expect(fromSpec({ key, operator: 'In', values: ['a', 'b'], minValues: 2 }).minValues).toBe(2)
  })

  test.each([
    ['Gt', '4', { gte: 5 }],
    ['Gte', '4', { gte: 4 }],
    ['Lt', '4', { lte: 3 }],
    ['Lte', '4', { lte: 4 }],
    ['Gt', 'many', { gte: 1 }],
  ] as const)('P-REQ-02 P-REQ-03 %s %s becomes an inclusive bound', (operator, value, bounds) => {
    expect(fromSpec({ key, operator, values: [value] })).toMatchObject({ complement: true, ...bounds })
  })

  test('P-REQ-03 Gt the largest integer allows nothing and loses its minValues', () => {
    expect(parseInteger('9223372036854775807')).toBe(2 ** 63)
    const spec = { key, operator: 'Gt', values: ['9223372036854775807'], minValues: 3 } as const
    expect(fromSpec(spec)).toEqual(doesNotExist(key))
  })

  test('P-REQ-08 reads integers as Go does, with a sign and digits and nothing else', () => {
    expect(
      ['5', '+5', '-5', '007', '1.5', '1e3', ' 5', '', '0x1', '99999999999999999999', '9223372036854775808'].map(
        parseInteger,
      ),
    ).toEqual([5, 5, -5, 7, undefined, undefined, undefined, undefined, undefined, undefined, undefined])
  })
})

describe('intersection()', () => {
  test('P-REQ-05 P-REQ-06 P-REQ-08 allows exactly what both allow, for every pair', () => {
    for (const a of every)
      for (const b of every) {
        const both = allowed(a).filter((value) => has(b, value))
        expect([render(a), render(b), allowed(intersection(a, b))]).toEqual([render(a), render(b), both])
      }
  })

  test('gives the same whichever comes first, and changes nothing when repeated', () => {
    for (const a of every)
      for (const b of every) {
        const once = intersection(a, b)
        expect(intersection(b, a)).toEqual(once)
        expect(allowed(intersection(once, b))).toEqual(allowed(once))
      }
  })

  test('P-REQ-07 keeps bounds on complements only', () => {
    for (const a of every)
      for (const b of every) {
        const { complement, gte, lte } = intersection(a, b)
        if (!complement) expect([gte, lte]).toEqual([undefined, undefined])
      }
  })

  test('P-REQ-05 P-REQ-10 takes the tighter bounds and the larger minValues, also when nothing is left', () => {
    const low = { ...fromSpec({ key, operator: 'Lte', values: ['2'] }), minValues: 2 }
    const high = { ...fromSpec({ key, operator: 'Gte', values: ['3'] }), minValues: 5 }
    expect(intersection(low, high)).toEqual({ ...doesNotExist(key), minValues: 5 })
    expect(operatorOf(intersection(isIn(key, ['a']), isIn(key, ['b'])))).toBe('DoesNotExist')
    expect(intersection(low, fromSpec({ key, operator: 'Lte', values: ['1'] }))).toMatchObject({ lte: 1, minValues: 2 })
  })

  test('P-REQ-08 drops excluded values that the bounds exclude already', () => {
    const left = intersection(notIn(key, ['a', '1', '9']), fromSpec({ key, operator: 'Lte', values: ['5'] }))
    expect([...left.values]).toEqual(['1'])
  })

  test('changes neither side', () => {
    const a = isIn(key, ['a', '1'])
    intersection(a, notIn(key, ['a']))
    expect(sortedValues(a)).toEqual(['1', 'a'])
  })
})

describe('hasIntersection()', () => {
  test('P-REQ-09 is true where some value meets both, for every pair', () => {
    for (const a of every)
      for (const b of every) {
        // Bounds of two complements count alone; see the next test.
        if (a.complement && b.complement) continue
        const expected = universe.some((value) => has(a, value) && has(b, value))
        expect([render(a), render(b), hasIntersection(a, b)]).toEqual([render(a), render(b), expected])
      }
  })

  test('P-REQ-09 takes two complements to overlap unless their bounds contradict each other', () => {
    for (const a of every.filter(({ complement }) => complement))
      for (const b of every.filter(({ complement }) => complement)) {
        const contradict =
          Math.max(a.gte ?? -Infinity, b.gte ?? -Infinity) > Math.min(a.lte ?? Infinity, b.lte ?? Infinity)
        expect(hasIntersection(a, b)).toBe(!contradict)
      }
    const onlyOne = intersection(
      fromSpec({ key, operator: 'Gte', values: ['1'] }),
      fromSpec({ key, operator: 'Lte', values: ['1'] }),
    )
    expect(hasIntersection(onlyOne, notIn(key, ['1']))).toBe(true)
  })
})

describe('how a requirement reads', () => {
  test('P-REQ-11 bounds read as Exists, with exclusions as NotIn', () => {
    const bound = fromSpec({ key, operator: 'Gt', values: ['1'] })
    expect([bound, intersection(bound, notIn(key, ['5'])), isIn(key, []), isIn(key, ['a'])].map(operatorOf)).toEqual([
      'Exists',
      'NotIn',
      'DoesNotExist',
      'In',
    ])
    expect([bound, notIn(key, ['a']), doesNotExist(key), isIn(key, ['a'])].map(allowsAbsence)).toEqual([
      false,
      true,
      true,
      false,
    ])
  })

  test('P-REQ-14 the values of a complement are the excluded ones, and never its only one', () => {
    expect(sortedValues(notIn(key, ['b', 'a']))).toEqual(['a', 'b'])
    expect(singleValue(notIn(key, ['a']))).toBeUndefined()
    expect(singleValue(isIn(key, ['a', 'b']))).toBeUndefined()
    expect(singleValue(isIn(key, ['a']))).toBe('a')
  })

  test('P-REQ-15 P-REQ-16 written down and read again it allows the same, but for exclusions beside a bound', () => {
    for (const a of every)
      for (const b of every) {
        const made = intersection(a, b)
        const again = toSpecs(made).map(fromSpec).reduce(intersection)
        const isLossy = (made.gte !== undefined || made.lte !== undefined) && made.values.size > 0
        if (!isLossy) expect(allowed(again)).toEqual(allowed(made))
      }
    const range = { ...exists(key), gte: 2, lte: 4, minValues: 2 }
    expect(toSpecs(range)).toEqual([
      { key, operator: 'Gte', values: ['2'], minValues: 2 },
      { key, operator: 'Lte', values: ['4'], minValues: 2 },
    ])
    expect(toSpecs({ ...range, values: new Set(['3']) })).toEqual(toSpecs(range))
  })

  test.each([
    [isIn(key, ['b', 'a']), 'key In [a b]'],
    [notIn(key, ['g', 'f', 'e', 'd', 'c', 'b', 'a']), 'key NotIn [a b c d e and 2 others]'],
    [exists(key), 'key Exists'],
    [doesNotExist(key), 'key DoesNotExist'],
    [{ ...exists(key), gte: 2, lte: 4, minValues: 1 }, 'key Exists >=2 <=4 minValues 1'],
  ])('P-REQ-17 %# as text', (requirement, text) => {
    expect(render(requirement)).toBe(text)
  })
})
