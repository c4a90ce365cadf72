import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { makeRateLimiter } from './rate-limiter.ts'

describe('makeRateLimiter()', () => {
  test('O-09 lets a burst through at once, then callers at the pace, in the order they came', async () => {
    const clock = virtualClock(0)
    const limiter = makeRateLimiter({ perSecond: 10, burst: 3 }, clock)
    const passed: Array<string> = []
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      void limiter.take().then(() => passed.push(`${name}@${clock.nowMs()}`))
    await clock.advance(1000)
    expect(passed).toEqual(['a@0', 'b@0', 'c@0', 'd@100', 'e@200'])
  })

  test('saves up no more than a burst', async () => {
    const clock = virtualClock(0)
    const limiter = makeRateLimiter({ perSecond: 10, burst: 2 }, clock)
    await clock.advance(60_000)
    const passed: Array<number> = []
    for (let index = 0; index < 4; index++) void limiter.take().then(() => passed.push(clock.nowMs() - 60_000))
    await clock.advance(1000)
    expect(passed).toEqual([0, 0, 100, 200])
  })
})
