import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { Quantity, Resources } from '../quantity/index.ts'
import { quantity } from '../testing/index.ts'
import { ResourceColumns } from './resource-columns.ts'

describe('ResourceColumns', () => {
  test('adds and compares exactly what Quantity adds and compares', () => {
    fc.assert(
      fc.property(fc.array(quantity, { minLength: 2, maxLength: 6 }), (amounts) => {
        const columns = new ResourceColumns()
        for (const amount of amounts) columns.observe({ cpu: amount })
        const [first, second] = amounts.map((amount) => columns.vector({ cpu: amount })[0]!)
        expect(Math.sign(first! - second!)).toBe(Math.sign(Quantity.compare(amounts[0]!, amounts[1]!)))
        const sum = columns.quantity(0, first! + second!)
        expect(Quantity.equals(sum, Quantity.add(amounts[0]!, amounts[1]!))).toBe(true)
      }),
    )
  })

  test('saturates far beyond any machine instead of losing digits', () => {
    const columns = new ResourceColumns()
    const list = Resources.parse({ memory: '8Ei' })
    columns.observe(list)
    expect(columns.vector(list)[0]).toBe(2 ** 52)
  })

  test('lists resources by name, in whatever order they were observed', () => {
    const columns = new ResourceColumns()
    const list = Resources.parse({ pods: '1', memory: '1Gi', cpu: '1' })
    columns.observe(list)
    expect(Object.keys(columns.list(columns.vector(list)))).toEqual(['cpu', 'memory', 'pods'])
  })

  test('leaves zeros out of lists', () => {
    const columns = new ResourceColumns()
    const list = Resources.parse({ cpu: '1', gpu: '0' })
    columns.observe(list)
    expect(Object.keys(columns.list(columns.vector(list)))).toEqual(['cpu'])
  })
})
