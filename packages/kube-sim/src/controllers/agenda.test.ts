import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import * as fc from 'fast-check'

import { startAgenda } from './agenda.ts'
import { heap } from './heap.ts'
import { keyedQueue } from './keyed-queue.ts'

describe('heap()', () => {
  test('gives back everything in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const items = heap<number>((a, b) => a < b)
        for (const number of numbers) items.push(number)
        const popped: Array<number> = []
        for (let item = items.pop(); item !== undefined; item = items.pop()) popped.push(item)
        expect(popped).toEqual([...numbers].sort((a, b) => a - b))
      }),
    )
  })
})

describe('startAgenda()', () => {
  test('runs in order of due time, then of creation, and not what was cancelled', async () => {
    const clock = virtualClock(0)
    const agenda = startAgenda(clock)
    const ran: Array<string> = []
    const note = (name: string) => () => void ran.push(`${name}@${clock.nowMs()}`)
    agenda.after(20, note('c'))
    agenda.after(10, note('a'))
    agenda.after(10, note('b'))
    agenda.after(15, note('never'))()
    await clock.advance(30)
    expect(ran).toEqual(['a@10', 'b@10', 'c@20'])
  })

  test('runs nothing after it was stopped', async () => {
    const clock = virtualClock(0)
    const agenda = startAgenda(clock)
    let count = 0
    agenda.after(10, () => (count += 1))
    agenda.stop()
    agenda.after(10, () => (count += 1))
    await clock.advance(100)
    expect(count).toBe(0)
    expect(clock.nextTimerMs()).toBeUndefined()
  })
})

describe('keyedQueue()', () => {
  const start = (process: (key: string) => Promise<void>) => {
    const clock = virtualClock(0)
    const agenda = startAgenda(clock)
    const errors: Array<unknown> = []
    const queue = keyedQueue({ agenda, clock, process, onError: (error) => errors.push(error) })
    return { clock, queue, errors }
  }

  test('never works on a key twice at once, and again on what was added meanwhile', async () => {
    let active = 0
    let most = 0
    let runs = 0
    const { clock, queue } = start(async () => {
      active += 1
      runs += 1
      most = Math.max(most, active)
      await clock.sleep(10)
      active -= 1
    })
    queue.add('a')
    queue.add('a')
    await clock.advance(5)
    queue.add('a')
    queue.add('a')
    await clock.advance(100)
    expect([most, runs]).toEqual([1, 2])
  })

  test('comes back to a key that failed, each time twice as late', async () => {
    const at: Array<number> = []
    const { clock, queue, errors } = start(async () => {
      at.push(clock.nowMs())
      if (at.length < 4) throw new Error('not yet')
    })
    queue.add('a')
    await clock.advance(1000)
    expect(at).toEqual([0, 20, 60, 140])
    expect(errors).toHaveLength(3)
  })

  test('keeps the earliest of several delays', async () => {
    const at: Array<number> = []
    const { clock, queue } = start(async () => void at.push(clock.nowMs()))
    queue.addAfter('a', 50)
    queue.addAfter('a', 20)
    queue.addAfter('a', 30)
    await clock.advance(100)
    expect(at).toEqual([20])
  })

  test('time stands still while keys wait, however many there are', async () => {
    const at = new Set<number>()
    const { clock, queue } = start(async () => void at.add(clock.nowMs()))
    for (let index = 0; index < 1000; index += 1) queue.add(`key-${index}`)
    await clock.advance(10)
    expect([...at]).toEqual([0])
  })

  test('waits on stop for what is under way, and takes nothing more', async () => {
    let done = false
    const { clock, queue } = start(async () => {
      await clock.sleep(10)
      done = true
    })
    queue.add('a')
    await clock.advance(1)
    const stopped = queue.stop()
    queue.add('b')
    await clock.advance(20)
    await stopped
    expect(done).toBe(true)
  })
})
