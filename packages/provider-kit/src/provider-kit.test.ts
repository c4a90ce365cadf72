import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import {
  fingerprint,
  memoize,
  pages,
  pollUntil,
  stable,
  tokenBucket,
  traverseBounded,
  runUntilSettled,
  virtualClock,
  type Look,
} from './index.ts'

const never = new AbortController().signal

describe('tokenBucket()', () => {
  test('lets a burst through, then the rate, and says when to come back', () => {
    let now = 0
    const bucket = tokenBucket({ burst: 2, perSecond: 4, nowMs: () => now })
    expect([bucket.take(), bucket.take()]).toEqual([{ _tag: 'Admitted' }, { _tag: 'Admitted' }])
    expect(bucket.take()).toEqual({ _tag: 'Refused', retryAfterMs: 250 })
    now = 250
    expect(bucket.take()._tag).toBe('Admitted')
    now = 100
    expect(bucket.take()._tag).toBe('Refused')
    now = 100_000
    expect([1, 2, 3].map(() => bucket.take()._tag)).toEqual(['Admitted', 'Admitted', 'Refused'])
  })
})

describe('stable()', () => {
  const make = () =>
    stable<{ name: string; price: number }, { price: number }>({
      keyOf: ({ name }) => name,
      fingerprintOf: JSON.stringify,
      make: ({ price }) => ({ price }),
    })
  test('keeps array and objects while nothing changed, and the objects that did not', () => {
    const cell = make()
    const first = cell.next([
      { name: 'a', price: 1 },
      { name: 'b', price: 2 },
    ])
    expect(
      cell.next([
        { name: 'a', price: 1 },
        { name: 'b', price: 2 },
      ]),
    ).toBe(first)
    const second = cell.next([
      { name: 'a', price: 1 },
      { name: 'b', price: 3 },
    ])
    expect(second).not.toBe(first)
    expect(second[0]).toBe(first[0])
    expect(second[1]).toEqual({ price: 3 })
    expect(cell.next([{ name: 'a', price: 1 }])).toEqual([{ price: 1 }])
  })
})

describe('pages()', () => {
  const fetchFrom = (list: Readonly<Record<string, E.Either<string, { items: Array<number>; next?: string }>>>) =>
    pages<string, number>(
      (page) => TE.fromEither(list[page ?? 'first'] ?? E.left('no such page')),
      (page) => `endless at ${page}`,
    )
  test('joins all pages in order', async () => {
    const all = fetchFrom({
      first: E.right({ items: [1, 2], next: 'p2' }),
      p2: E.right({ items: [], next: 'p3' }),
      p3: E.right({ items: [3] }),
    })
    expect(await all()).toEqual(E.right([1, 2, 3]))
  })
  test('fails with the page that fails, and on a list that does not end', async () => {
    expect(await fetchFrom({ first: E.right({ items: [1], next: 'p2' }), p2: E.left('gone') })()).toEqual(
      E.left('gone'),
    )
    const endless = fetchFrom({ first: E.right({ items: [1], next: 'p2' }), p2: E.right({ items: [1], next: 'p2' }) })
    expect(await endless()).toEqual(E.left('endless at p2'))
  })
})

describe('traverseBounded()', () => {
  test('runs at most so many at once, in order', async () => {
    const clock = virtualClock(0)
    let running = 0
    let most = 0
    const all = traverseBounded(3, (item: number) => async () => {
      most = Math.max(most, ++running)
      await clock.sleep(10 - item)
      running--
      return E.right(item * 2)
    })([0, 1, 2, 3, 4, 5, 6, 7])()
    await clock.advance(100)
    expect(await all).toEqual(E.right([0, 2, 4, 6, 8, 10, 12, 14]))
    expect(most).toBe(3)
  })
  test('starts nothing after a failure, and waits for what runs', async () => {
    const clock = virtualClock(0)
    const started: Array<number> = []
    let finished = 0
    const all = traverseBounded(2, (item: number) => async () => {
      started.push(item)
      await clock.sleep(item === 0 ? 10 : 50)
      finished++
      return item === 0 ? E.left('no') : E.right(item)
    })([0, 1, 2, 3])()
    await clock.advance(100)
    expect(await all).toEqual(E.left('no'))
    expect([started, finished]).toEqual([[0, 1], 2])
  })
  test('takes an empty list', async () => {
    expect(await traverseBounded(2, () => TE.left('never'))([])()).toEqual(E.right([]))
  })
})

describe('pollUntil()', () => {
  const make = (looks: ReadonlyArray<E.Either<string, Look<string>>>, signal = never) => {
    const clock = virtualClock(0)
    const at: Array<number> = []
    const result = pollUntil(
      async () => {
        at.push(clock.nowMs())
        return looks[Math.min(at.length, looks.length) - 1] ?? E.left('none')
      },
      { everyMs: 100, timeoutMs: 450, clock, signal, timedOut: () => 'timed out', cancelled: () => 'cancelled' },
    )()
    return { clock, at, result }
  }
  const again = (retryAfterMs?: number): E.Either<string, Look<string>> =>
    E.right({ _tag: 'Again', ...(retryAfterMs !== undefined && { retryAfterMs }) })
  test('looks at once, then by the interval or as told', async () => {
    const { clock, at, result } = make([again(), again(30), E.right({ _tag: 'Done', value: 'x' })])
    await clock.advance(1000)
    expect(await result).toEqual(E.right('x'))
    expect(at).toEqual([0, 100, 130])
  })
  test('gives up in time, on an error, and when cancelled', async () => {
    const late = make([again()])
    await late.clock.advance(1000)
    expect(await late.result).toEqual(E.left('timed out'))
    expect(late.at).toEqual([0, 100, 200, 300, 400])
    expect(await make([E.left('bad')]).result).toEqual(E.left('bad'))
    const controller = new AbortController()
    const stopped = make([again()], controller.signal)
    await stopped.clock.advance(50)
    controller.abort()
    expect(await stopped.result).toEqual(E.left('cancelled'))
  })
})

describe('runUntilSettled()', () => {
  test('moves time until the work has settled, and no further than it needs', async () => {
    const clock = virtualClock(0)
    expect(
      await runUntilSettled(
        clock,
        clock.sleep(95).then(() => 'x'),
      ),
    ).toBe('x')
    expect(clock.nowMs()).toBe(100)
    await expect(runUntilSettled(clock, Promise.reject(new Error('bad')))).rejects.toThrow('bad')
    await expect(runUntilSettled(clock, new Promise(() => undefined), 600_000)).rejects.toThrow('does not settle')
  })
})

describe('memoize()', () => {
  const make = (staleMs = 0) => {
    const clock = virtualClock(0)
    let loads = 0
    let failing = false
    const memo = memoize<string, string, number>({
      idOf: (key) => key,
      load: () => async () => {
        const mine = ++loads
        await clock.sleep(10)
        return failing ? E.left('down') : E.right(mine)
      },
      ttlMs: 100,
      staleMs,
      maxEntries: 2,
      nowMs: clock.nowMs,
    })
    const get = async (key: string) => {
      const result = memo.get(key)()
      await clock.advance(10)
      return result
    }
    return { clock, memo, get, loads: () => loads, fail: (now: boolean) => (failing = now) }
  }
  test('shares one load, and loads anew when the time is up', async () => {
    const { clock, memo, get, loads } = make()
    const both = Promise.all([memo.get('a')(), memo.get('a')()])
    await clock.advance(10)
    expect(await both).toEqual([E.right(1), E.right(1)])
    expect(await get('a')).toEqual(E.right(1))
    await clock.advance(100)
    expect(await get('a')).toEqual(E.right(2))
    expect(loads()).toBe(2)
  })
  test('serves the last good value through a failure, for a while, and remembers no failure', async () => {
    const { clock, get, memo, fail } = make(50)
    await get('a')
    fail(true)
    await clock.advance(100)
    expect(await get('a')).toEqual(E.right(1))
    await clock.advance(50)
    expect(await get('a')).toEqual(E.left('down'))
    expect(memo.peek('a')).toBe(1)
    fail(false)
    expect(E.isRight(await get('a'))).toBe(true)
  })
  test('drops what was used longest ago, and a load under way that was dropped', async () => {
    const { clock, get, memo } = make()
    await get('a')
    await get('b')
    await get('a')
    await get('c')
    expect([memo.peek('a'), memo.peek('b'), memo.peek('c')]).toEqual([1, undefined, 3])
    const under = memo.get('d')()
    memo.drop('d')
    await clock.advance(10)
    expect(await under).toEqual(E.right(4))
    expect(memo.peek('d')).toBeUndefined()
  })
})

describe('fingerprint()', () => {
  test('depends on content, not on the order of keys', () => {
    expect(fingerprint({ a: [1, { c: null, b: 'x' }], d: true })).toBe(
      fingerprint({ d: true, a: [1, { b: 'x', c: null }] }),
    )
    expect(fingerprint({ a: [1, 2] })).not.toBe(fingerprint({ a: [2, 1] }))
    expect(fingerprint('1')).not.toBe(fingerprint(1))
    expect(fingerprint({})).toMatch(/^[0-9a-f]{16}$/)
  })
})
