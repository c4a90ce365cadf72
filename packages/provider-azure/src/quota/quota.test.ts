import { describe, expect, test } from '@jest/globals'
import {
  afterReading,
  isSameUsages,
  quotaProblemOf,
  quotaRefreshMs,
  readUsages,
  regionalUsageOf,
  unknownUsages,
  type UsageRow,
} from './index.ts'

const row = (value: string, currentValue: number, limit: number): UsageRow => ({ name: { value }, currentValue, limit })
const minute = 60_000

describe('quota', () => {
  test('Z-QUO-01: read every ten minutes, and known by name', () => {
    expect(quotaRefreshMs).toBe(10 * minute)
    const usages = readUsages([row('standardDSv3Family', 4, 10), { name: { value: 'odd' } }, row('cores', 4, 100), {}])
    expect([...usages]).toEqual([
      ['standarddsv3family', { current: 4, limit: 10 }],
      ['cores', { current: 4, limit: 100 }],
    ])
  })

  test('Z-QUO-02: a failure keeps what is known for a quarter of an hour, then nothing is known', () => {
    const read = readUsages([row('a', 1, 2)])
    const known = afterReading(unknownUsages, read, 0)
    expect(afterReading(known, undefined, 15 * minute)).toBe(known)
    expect(afterReading(known, undefined, 15 * minute + 1)).toEqual(unknownUsages)
    expect(afterReading(unknownUsages, undefined, 99 * minute)).toBe(unknownUsages)
    const again = afterReading(known, readUsages([row('a', 1, 2)]), 14 * minute)
    expect(afterReading(again, undefined, 20 * minute)).toBe(again)
  })

  test.each([
    ['standardDSv3Family', 8, true],
    ['STANDARDDSV3FAMILY', 8, true],
    ['standardDSv3Family', 9, false],
    ['other', 64, true],
    ['', 64, true],
    ['standardDSv3Family', 0, true],
    ['empty', 2, false],
  ])('Z-QUO-03: family "%s" has room for %i vCPUs: %s', (quotaFamily, vCpus, hasRoom) => {
    const usages = readUsages([row('standardDSv3Family', 2, 10), row('empty', 0, 0)])
    expect(quotaProblemOf(usages, { name: 'sku', quotaFamily, vCpus }) === undefined).toBe(hasRoom)
  })

  test('Z-QUO-04: the same numbers are the same object, so that nothing is made anew', () => {
    const first = afterReading(unknownUsages, readUsages([row('a', 1, 2)]), 0)
    const same = afterReading(first, readUsages([row('a', 1, 2)]), 1)
    const other = afterReading(first, readUsages([row('a', 2, 2)]), 1)
    expect([same.usages === first.usages, other.usages === first.usages]).toEqual([true, false])
    expect([isSameUsages(undefined, new Map()), isSameUsages(first.usages, undefined)]).toEqual([true, false])
  })

  test('Z-QUO-05: the quota of the region is known and does not choose', () => {
    const usages = readUsages([row('cores', 100, 100), row('f', 0, 10)])
    expect(regionalUsageOf(usages)).toEqual({ current: 100, limit: 100 })
    expect(quotaProblemOf(usages, { name: 'sku', quotaFamily: 'f', vCpus: 2 })).toBeUndefined()
  })
})
