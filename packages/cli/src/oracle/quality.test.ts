import { expect, test } from '@jest/globals'

import { isAsGood } from './quality.ts'

test('isAsGood() takes a hundredth more of anything for as good, and no more', () => {
  const theirs = { unplaced: 100, nodes: 1000, pricePerHour: 50 }
  expect(isAsGood({ unplaced: 101, nodes: 900, pricePerHour: 50.4 }, theirs)).toBe(true)
  expect(isAsGood({ ...theirs, unplaced: 102 }, theirs)).toBe(false)
  expect(isAsGood({ ...theirs, nodes: 1011 }, theirs)).toBe(false)
  expect(isAsGood({ ...theirs, pricePerHour: 50.6 }, theirs)).toBe(false)
})
