import { describe, expect, test } from '@jest/globals'
import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { batch, virtualClock } from './index.ts'

const never = new AbortController().signal

const make = (
  run?: (
    inputs: ReadonlyArray<string>,
    signal: CancelSignal,
  ) => TE.TaskEither<string, ReadonlyArray<E.Either<string, string>>>,
) => {
  const clock = virtualClock(0)
  const batches: Array<ReadonlyArray<string>> = []
  const call = batch<string, string, string>({
    keyOf: (input) => input.slice(0, 1),
    idleMs: 100,
    maxMs: 250,
    maxItems: 3,
    clock,
    run: (inputs, signal) => {
      batches.push(inputs)
      return run?.(inputs, signal) ?? TE.right(inputs.map((input) => E.right(input.toUpperCase())))
    },
    cancelled: () => 'cancelled',
    unanswered: () => 'unanswered',
  })
  return { clock, batches, call }
}

describe('batch()', () => {
  test('joins calls of one key that come close together', async () => {
    const { clock, batches, call } = make()
    const results = Promise.all([call('a1', never)(), call('b1', never)(), call('a2', never)()])
    await clock.advance(99)
    expect(batches).toEqual([])
    await clock.advance(1)
    expect(batches).toEqual([['a1', 'a2'], ['b1']])
    expect(await results).toEqual([E.right('A1'), E.right('B1'), E.right('A2')])
  })

  test('leaves at the latest after maxMs, and at once when full', async () => {
    const { clock, batches, call } = make()
    void call('a1', never)()
    await clock.advance(90)
    void call('a2', never)()
    await clock.advance(90)
    expect(batches).toEqual([])
    void call('b1', never)()
    void call('b2', never)()
    void call('b3', never)()
    await clock.advance(0)
    expect(batches).toEqual([['b1', 'b2', 'b3']])
    await clock.advance(70)
    expect(batches).toEqual([
      ['b1', 'b2', 'b3'],
      ['a1', 'a2'],
    ])
  })

  test('gives each caller its own result, and all of them a failure of the whole', async () => {
    const mixed = make((inputs) => TE.right(inputs.map((input) => (input === 'a1' ? E.left('no') : E.right('yes')))))
    const results = Promise.all([mixed.call('a1', never)(), mixed.call('a2', never)()])
    await mixed.clock.advance(100)
    expect(await results).toEqual([E.left('no'), E.right('yes')])
    const short = make(() => TE.right([E.right('only one')]))
    const both = Promise.all([short.call('a1', never)(), short.call('a2', never)()])
    await short.clock.advance(100)
    expect(await both).toEqual([E.right('only one'), E.left('unanswered')])
    const broken = make(() => TE.left('all'))
    const failed = Promise.all([broken.call('a1', never)(), broken.call('a2', never)()])
    await broken.clock.advance(100)
    expect(await failed).toEqual([E.left('all'), E.left('all')])
  })

  test('rejects every caller on a bug', async () => {
    const { clock, call } = make(() => () => Promise.reject(new Error('bug')))
    const caught = call('a1', never)().catch((bug: unknown) => bug)
    await clock.advance(100)
    expect(await caught).toEqual(new Error('bug'))
  })

  test('goes without a caller that left, and is aborted only when all have', async () => {
    let aborted = false
    const { clock, batches, call } = make((_inputs, signal) => () => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      return new Promise(() => undefined)
    })
    const [early, first, second] = [new AbortController(), new AbortController(), new AbortController()]
    const left = call('a0', early.signal)()
    void call('a1', first.signal)()
    void call('a2', second.signal)()
    early.abort()
    expect(await left).toEqual(E.left('cancelled'))
    await clock.advance(100)
    expect(batches).toEqual([['a1', 'a2']])
    first.abort()
    expect(aborted).toBe(false)
    second.abort()
    expect(aborted).toBe(true)
  })

  test('a call after all others left begins a batch of its own', async () => {
    const { clock, batches, call } = make()
    const early = new AbortController()
    void call('a1', early.signal)()
    early.abort()
    const late = call('a2', never)()
    await clock.advance(100)
    expect(await late).toEqual(E.right('A2'))
    expect(batches).toEqual([['a2']])
  })
})
