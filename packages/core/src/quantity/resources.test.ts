import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { Quantity, Resources } from './index.ts'

// Amounts whose sums change between families as they are printed: `1Ki` and `1` make `1025`, which is decimal.
const amount = fc.constantFrom(
  '0',
  '1',
  '-1',
  '1023',
  '-1024',
  '500m',
  '-500m',
  '1Ki',
  '-1Ki',
  '3Gi',
  '2k',
  '1e3',
  '7n',
)
const list = fc
  .dictionary(fc.constantFrom('cpu', 'memory', 'constructor'), amount, { maxKeys: 3, noNullPrototype: true })
  .map(Resources.parse)

describe('add()', () => {
  test('of many lists says what adding one after the other says, to the letter', () => {
    fc.assert(
      fc.property(fc.array(list, { maxLength: 8 }), (lists) => {
        const oneByOne = lists.reduce((sum, next) => Resources.add(sum, next), Resources.empty)
        expect(Resources.add(...lists)).toEqual(oneByOne)
      }),
      { numRuns: 500 },
    )
  })

  test('sum() of none is zero', () => {
    expect(Quantity.sum([])).toBe('0')
  })
})
