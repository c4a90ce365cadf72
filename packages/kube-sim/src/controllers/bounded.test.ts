import { describe, expect, test } from '@jest/globals'

import { forEachBounded } from './bounded.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('forEachBounded()', () => {
  test('runs everything, so many at a time', async () => {
    let active = 0
    let most = 0
    const done: Array<number> = []
    await forEachBounded(numbers(10), 3, async (item) => {
      active += 1
      most = Math.max(most, active)
      await turn()
      done.push(item)
      active -= 1
    })
    expect(most).toBe(3)
    expect(done).toEqual(numbers(10))
  })

  test('starts nothing more after a failure, and reports it', async () => {
    const started: Array<number> = []
    const run = forEachBounded(numbers(10), 2, async (item) => {
      started.push(item)
      await turn()
      if (item === 1) throw new Error('no')
    })
    await expect(run).rejects.toThrow('no')
    expect(started.length).toBeLessThan(10)
  })

  test('rests with all workers at once', async () => {
    let effects = 0
    const atPause: Array<number> = []
    const pause = async () => {
      atPause.push(effects)
      await turn()
      // Nobody went on during the rest but those already at work.
      expect(effects - (atPause.at(-1) ?? 0)).toBeLessThanOrEqual(8)
    }
    await forEachBounded(numbers(1000), 8, async () => void (effects += 1), pause)
    expect(effects).toBe(1000)
    expect(atPause).toHaveLength(10)
  })
})
