import { expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { makeShortageCell } from './shortage-cell.ts'

test('two claims given up in a row are a shortage, until a machine comes or nobody asks for ten minutes', async () => {
  const clock = virtualClock(0)
  const shortages = makeShortageCell(clock)
  shortages.gaveUp('a')
  expect(shortages.isShort('a')).toBe(false)
  shortages.gaveUp('a')
  expect([shortages.isShort('a'), shortages.isShort('b'), shortages.mayTry('a')]).toEqual([true, false, false])
  await clock.advance(60_000)
  expect([shortages.isShort('a'), shortages.mayTry('a')]).toEqual([true, true])
  shortages.launched('a')
  expect(shortages.isShort('a')).toBe(false)
  shortages.gaveUp('a')
  shortages.gaveUp('a')
  await clock.advance(600_000)
  expect(shortages.isShort('a')).toBe(false)
})
