import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { parseIndexes, renderIndexes } from './indexes.ts'

describe('indexes as text', () => {
  test('come back as they were, without those beyond the limit', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(30)), fc.nat(31), (indexes, limit) => {
        expect(parseIndexes(renderIndexes(indexes), limit)).toEqual(
          new Set(indexes.filter((index) => index < limit).sort((a, b) => a - b)),
        )
      }),
    )
  })

  test.each([
    [[], ''],
    [[4], '4'],
    [[1, 0], '0,1'],
    [[0, 1, 2, 5, 7, 8, 9], '0-2,5,7-9'],
  ])('%j are %s', (indexes, text) => {
    expect(renderIndexes(indexes)).toBe(text)
  })

  test('that are none are none', () => {
    expect(parseIndexes('x,-3,2-,4', 10)).toEqual(new Set([4]))
  })
})
