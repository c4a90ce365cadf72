import { describe, expect, test } from '@jest/globals'
import { coreLabelKnowledge } from '../labels/index.ts'
import { Requirement, Requirements, type RequirementSpec } from './index.ts'

const none: ReadonlySet<string> = new Set()
const one = (key: string): ReadonlyArray<RequirementSpec> => [
  { key, operator: 'In', values: ['a'] },
  { key, operator: 'In', values: ['a', '1'] },
  { key, operator: 'NotIn', values: ['a'] },
  { key, operator: 'Exists' },
  { key, operator: 'DoesNotExist' },
  { key, operator: 'Gt', values: ['0'] },
  { key, operator: 'Lte', values: ['1'] },
]
const labelSets = [undefined, 'a', 'b', '1', '7'].flatMap((x) =>
  [undefined, 'a', '1'].map((y) => ({ ...(x !== undefined && { x }), ...(y !== undefined && { y }) })),
)

/** What Kubernetes' node selector says of one expression. */
const matches = (
  labels: Readonly<Record<string, string>>,
  { key, operator, values = [] }: RequirementSpec,
): boolean => {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  if (value === undefined) return operator === 'NotIn' || operator === 'DoesNotExist'
  const number = /^[0-9]+$/.test(value) ? Number(value) : undefined
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
      return number !== undefined && number > Number(values[0])
    case 'Lt':
      return number !== undefined && number < Number(values[0])
    case 'Gte':
      return number !== undefined && number >= Number(values[0])
    case 'Lte':
      return number !== undefined && number <= Number(values[0])
  }
}

describe('a set of requirements', () => {
  test('P-RQS-01 is never loosened by adding', () => {
    for (const first of one('x'))
      for (const second of one('x')) {
        const both = Requirements.get(Requirements.fromSpecs([first, second]), 'x')
        for (const value of ['a', 'b', '1', '7'])
          if (Requirement.has(both, value))
            expect(matches({ x: value }, first) && matches({ x: value }, second)).toBe(true)
      }
    expect(Requirements.toSpecs(Requirements.fromLabels({ x: 'a', y: 'b' }))).toEqual([
      { key: 'x', operator: 'In', values: ['a'] },
      { key: 'y', operator: 'In', values: ['b'] },
    ])
  })

  test('P-RQS-02 says Exists of a key that it does not mention', () => {
    expect(Requirements.get(Requirements.empty, 'x')).toEqual(Requirement.exists('x'))
    expect(Requirements.has(Requirements.empty, 'constructor')).toBe(false)
  })

  test('holds labels that are named like members of every object', () => {
    const labels = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>
    const set = Requirements.fromLabels(labels)
    expect([...set.byKey.keys()].sort()).toEqual(['__proto__', 'constructor'])
    expect(Requirements.isCompatible(set, Requirements.fromLabels(labels), none)).toBe(true)
    expect(Requirements.isCompatible(Requirements.empty, Requirements.fromLabels(labels), none)).toBe(false)
  })

  test('P-REQ-04 rewrites keys first, then the values of the key, for every operator', () => {
    const known = {
      aliases: new Map([['old', 'new']]),
      normalizedValues: new Map([['new', new Map([['1', 'one']])]]),
    }
    for (const operator of ['In', 'NotIn'] as const) {
      const spec = { key: 'old', operator, values: ['1', '2'] }
      expect(Requirements.toSpecs(Requirements.fromSpecs([spec], known))).toEqual([
        { key: 'new', operator, values: ['2', 'one'] },
      ])
      expect(spec.values).toEqual(['1', '2'])
    }
    expect(
      Requirements.has(Requirements.fromLabels({ 'beta.kubernetes.io/arch': 'arm64' }), 'kubernetes.io/arch'),
    ).toBe(true)
    expect(coreLabelKnowledge.aliases.get('beta.kubernetes.io/arch')).toBe('kubernetes.io/arch')
  })

  test('P-RQS-13 has minValues when a member does', () => {
    const spec: RequirementSpec = { key: 'x', operator: 'In', values: ['a', 'b'], minValues: 2 }
    expect(Requirements.hasMinValues(Requirements.fromSpecs([spec]))).toBe(true)
    expect(Requirements.hasMinValues(Requirements.fromSpecs(one('x')))).toBe(false)
  })

  test('P-RQS-12 reads sorted, without the hostname', () => {
    const set = Requirements.fromLabels({ y: '2', 'kubernetes.io/hostname': 'n1', x: '1' })
    expect(Requirements.render(set)).toBe('x In [1], y In [2]')
  })

  test('and() keeps the first set when the second adds nothing', () => {
    const set = Requirements.fromLabels({ x: 'a' })
    expect(Requirements.and(set, Requirements.empty)).toBe(set)
    expect(Requirements.and(Requirements.empty, set)).toBe(set)
    expect(Requirements.render(Requirements.and(set, Requirements.fromLabels({ y: 'b' })))).toBe('x In [a], y In [b]')
    expect(Requirements.render(Requirements.without(set, ['x']))).toBe('')
  })
})

describe('compatibility', () => {
  test('P-RQS-03 P-RQS-04 of the labels of a node is what the node selector of Kubernetes says', () => {
    for (const labels of labelSets)
      for (const x of one('x'))
        for (const y of one('y')) {
          const node = Requirements.fromLabels(labels as Record<string, string>)
          const expected = matches(labels as Record<string, string>, x) && matches(labels as Record<string, string>, y)
          const demand = Requirements.fromSpecs([x, y])
          expect([labels, x, y, Requirements.isCompatible(node, demand, none)]).toEqual([labels, x, y, expected])
        }
  })

  test('P-RQS-04 P-RQS-05 overlaps where a value meets both, or both are content without the label', () => {
    for (const a of one('x'))
      for (const b of one('x')) {
        const isFree = ({ operator }: RequirementSpec) => operator === 'NotIn' || operator === 'DoesNotExist'
        const expected =
          (isFree(a) && isFree(b)) ||
          ['a', 'b', '1', '7', '0'].some((value) => matches({ x: value }, a) && matches({ x: value }, b))
        expect([a, b, Requirements.intersects(Requirements.fromSpecs([a]), Requirements.fromSpecs([b]))]).toEqual([
          a,
          b,
          expected,
        ])
      }
  })

  test('P-RQS-06 keys that are allowed to be undefined need no definition', () => {
    for (const x of one('x')) {
      const demand = Requirements.fromSpecs([x])
      expect(Requirements.isCompatible(Requirements.empty, demand, new Set(['x']))).toBe(true)
      const isFree = x.operator === 'NotIn' || x.operator === 'DoesNotExist'
      expect(Requirements.isCompatible(Requirements.empty, demand, none)).toBe(isFree)
    }
  })

  test('P-RQS-07 has a direction: only what is demanded must be defined', () => {
    const plain = Requirements.fromLabels({ x: 'a' })
    const more = Requirements.fromLabels({ x: 'a', y: 'b' })
    expect(Requirements.isCompatible(more, plain, none)).toBe(true)
    expect(Requirements.isCompatible(plain, more, none)).toBe(false)
    expect(Requirements.intersects(plain, more)).toBe(true)
  })

  test('P-RQS-03 P-RQS-08 names what is missing before what does not overlap, in the order of the demand', () => {
    const supply = Requirements.fromLabels({ x: 'a', y: 'a' })
    const demand = Requirements.fromSpecs([
      { key: 'y', operator: 'In', values: ['b'] },
      { key: 'z', operator: 'Exists' },
      { key: 'x', operator: 'In', values: ['b'] },
    ])
    expect(Requirements.conflict(supply, demand, none)).toMatchObject({ _tag: 'UndefinedLabel', key: 'z' })
    expect(Requirements.conflicts(supply, demand, none).map(({ _tag, key }) => [_tag, key])).toEqual([
      ['NoCommonValue', 'y'],
      ['UndefinedLabel', 'z'],
      ['NoCommonValue', 'x'],
    ])
    expect(Requirements.conflict(supply, Requirements.fromLabels({ x: 'a' }), none)).toBeUndefined()
  })
})
