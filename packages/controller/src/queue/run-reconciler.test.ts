import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { makeMetrics } from '../observability/index.ts'
import type { Log } from '../observability/index.ts'
import type { ReconcileError, ReconcileResult } from './reconciler.ts'
import { type RunReconcilerDeps, passesAtOnce, runReconciler } from './run-reconciler.ts'

type Outcome = E.Either<ReconcileError, ReconcileResult>

const setup = (
  pass: (key: string, count: number) => Promise<Outcome> | Outcome,
  concurrency = 2,
  more: Pick<RunReconcilerDeps, 'settings' | 'memory'> = {},
) => {
  const clock = virtualClock(0)
  const abort = new AbortController()
  const metrics = makeMetrics()
  const lines: Array<string> = []
  const log: Log = {
    debug: (message) => lines.push(`debug ${message}`),
    info: (message) => lines.push(`info ${message}`),
    warn: (message) => lines.push(`warn ${message}`),
    error: (message) => lines.push(`error ${message}`),
    with: () => log,
  }
  const passes: Array<string> = []
  const running = runReconciler(
    {
      name: 'test',
      concurrency,
      reconcile: (key) => async () => {
        passes.push(`${clock.nowMs()} ${key}`)
        return pass(key, passes.filter((each) => each.endsWith(` ${key}`)).length)
      },
    },
    { clock, random: () => 1, metrics, log, shutdown: abort.signal, ...more },
  )
  return { clock, abort, metrics, lines, passes, running, queue: running.queue }
}

const done: Outcome = E.right({})

describe('runReconciler()', () => {
  test('runs a key once however often it was added', async () => {
    const { clock, passes, queue } = setup(() => done)
    queue.add('a')
    queue.add('a')
    queue.add('b')
    await clock.advance(0)
    expect(passes).toEqual(['0 a', '0 b'])
  })

  test('runs a key again that was added while it was in work, and never twice at a time', async () => {
    const { clock, passes, queue } = setup(async () => {
      await clock.sleep(100)
      return done
    })
    queue.add('a')
    await clock.advance(10)
    queue.add('a')
    queue.add('a')
    await clock.advance(80)
    expect(passes).toEqual(['0 a'])
    await clock.advance(500)
    expect(passes).toEqual(['0 a', '100 a'])
  })

  test('keeps within its concurrency, first in first out', async () => {
    const { clock, passes, queue } = setup(async () => {
      await clock.sleep(100)
      return done
    })
    for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key)
    await clock.advance(1000)
    expect(passes).toEqual(['0 a', '0 b', '100 c', '100 d', '200 e'])
  })

  test('backs off per key, and forgets after a success', async () => {
    const { clock, passes, queue } = setup((_key, count) =>
      count <= 3 ? E.left({ _tag: 'Unknown', message: 'no' }) : done,
    )
    queue.add('a')
    await clock.advance(10_000)
    expect(passes).toEqual(['0 a', '100 a', '300 a', '700 a'])
    queue.add('a')
    await clock.advance(0)
    expect(passes).toHaveLength(5)
  })

  test('waits as long as an error asks for, and as long as a result asks for', async () => {
    const { clock, passes, queue } = setup((_key, count) =>
      count === 1
        ? E.left({ _tag: 'Throttled', message: 'slow down', retryAfterMs: 5000 })
        : count === 2
          ? E.right({ requeueAfterMs: 1000 })
          : done,
    )
    queue.add('a')
    await clock.advance(60_000)
    expect(passes).toEqual(['0 a', '5000 a', '6000 a'])
  })

  test('of several waits for one key the earliest counts', async () => {
    const { clock, passes, queue } = setup(() => done)
    queue.addAfter('a', 500)
    queue.addAfter('a', 200)
    queue.addAfter('a', 900)
    await clock.advance(2000)
    expect(passes).toEqual(['200 a'])
  })

  test('counts and logs expected failures, bugs, lost races and refusals apart', async () => {
    const { clock, lines, metrics, queue } = setup((key) => {
      if (key === 'bug') throw new Error('oops')
      return E.left({ _tag: key, message: 'no', isRefusal: key === 'Refused' })
    })
    for (const key of ['bug', 'Unknown', 'Conflict', 'Refused']) queue.add(key)
    await clock.advance(50)
    expect(lines.sort()).toEqual([
      'debug Reconciler will ask again',
      'debug Reconciler will read again',
      'error Reconciler error',
      'error Reconciler failed unexpectedly, please report this',
    ])
    const text = await metrics.render()
    expect(text).toContain('controller_runtime_reconcile_panics_total{controller="test"} 1')
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="test"} 1')
    expect(text).toContain('controller_runtime_reconcile_total{controller="test",result="requeue"} 2')
    expect(text).toContain('controller_runtime_reconcile_total{controller="test",result="error"} 2')
  })

  test('begins nothing after shutdown and finishes what is in flight', async () => {
    let finished = 0
    const { clock, abort, passes, queue, running } = setup(async () => {
      await clock.sleep(100)
      finished++
      return E.right({ requeueAfterMs: 10 })
    }, 1)
    queue.add('a')
    queue.add('b')
    queue.addAfter('c', 50)
    await clock.advance(10)
    abort.abort()
    queue.add('d')
    const stopped = running.stopped()
    await clock.advance(1000)
    await stopped
    expect(passes).toEqual(['0 a'])
    expect(finished).toBe(1)
  })

  test('starts many passes over several turns of the event loop', async () => {
    const { passes, queue } = setup(() => done, 1000)
    for (let key = 0; key < 200; key++) queue.add(String(key))
    await Promise.resolve()
    await Promise.resolve()
    expect(passes.length).toBeLessThan(200)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(passes.length).toBe(200)
  })

  test('with more CPU more passes run at once, in a line from one core to sixty', async () => {
    expect([1, 1000, 1001, 30_500, 60_000, 99_000].map((milli) => passesAtOnce(10, milli))).toEqual([
      10, 10, 11, 55, 100, 100,
    ])
    expect(passesAtOnce(1, 60_000)).toBe(1)
    const { clock, passes, queue } = setup(() => clock.sleep(100).then(() => done), 10, {
      settings: { cpuRequestsMilli: 60_000 },
    })
    for (let key = 0; key < 150; key++) queue.add(String(key))
    await clock.advance(50)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(passes).toHaveLength(100)
  })

  test('while memory is short a tenth of the passes run at once, and all are made in the end', async () => {
    let isHigh = true
    const { clock, passes, queue } = setup(() => clock.sleep(100).then(() => done), 20, {
      memory: { isHigh: () => isHigh },
    })
    for (let key = 0; key < 30; key++) queue.add(String(key))
    await clock.advance(50)
    expect(passes).toHaveLength(2)
    isHigh = false
    await clock.advance(100)
    expect(passes.length).toBeGreaterThan(20)
    await clock.advance(1000)
    expect(passes).toHaveLength(30)
  })
})
