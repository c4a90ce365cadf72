import { expect, test } from '@jest/globals'

import { compare } from './compare.ts'

test('ARM64 on spot holds the same pods for less than half', () => {
  const { today, tomorrow } = compare()
  expect(today.unplaced + tomorrow.unplaced).toBe(0)
  expect(today.nodes).toBeGreaterThan(0)
  expect(tomorrow.pricePerHour).toBeLessThan(today.pricePerHour / 2)
})
