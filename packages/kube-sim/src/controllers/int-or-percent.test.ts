import { expect, test } from '@jest/globals'

import { resolveIntOrPercent } from './int-or-percent.ts'

test.each([
  [3, 10, 'up', 3],
  ['25%', 10, 'up', 3],
  ['25%', 10, 'down', 2],
  ['0%', 10, 'up', 0],
  ['7', 10, 'up', 7],
  ['much', 10, 'up', 0],
] as const)('%s of %d rounded %s is %d', (value, total, round, expected) => {
  expect(resolveIntOrPercent(value, total, round)).toBe(expected)
})
