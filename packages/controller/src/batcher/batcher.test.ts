import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { makeBatcher } from './batcher.ts'

const setup = () => {
  const clock = virtualClock(0)
  const batcher = makeBatcher({ clock, idleMs: 1000, maxMs: 10_000 })
  const endOf = (wait: Promise<boolean>) => {
    const end: { at?: number; filled?: boolean } = {}
    void wait.then((filled) => Object.assign(end, { at: clock.nowMs(), filled }))
    return end
  }
  return { clock, batcher, endOf }
}

describe('makeBatcher()', () => {
  test('P-BAT-02 says that nothing came after a second, and the loop goes on', async () => {
    const { clock, batcher, endOf } = setup()
    const end = endOf(batcher.wait())
    await clock.advance(5000)
    expect(end).toEqual({ at: 1000, filled: false })
  })

  test('P-BAT-02 ends the window when nothing new came for the idle time', async () => {
    const { clock, batcher, endOf } = setup()
    const end = endOf(batcher.wait())
    await clock.advance(400)
    batcher.trigger('a')
    await clock.advance(700)
    batcher.trigger('b')
    await clock.advance(5000)
    expect(end).toEqual({ at: 2100, filled: true })
  })

  test('P-BAT-02 ends the window at its longest while elements keep coming', async () => {
    const { clock, batcher, endOf } = setup()
    const end = endOf(batcher.wait())
    for (let element = 0; element < 40; element++) {
      batcher.trigger(`pod-${element}`)
      await clock.advance(500)
    }
    expect(end).toEqual({ at: 10_000, filled: true })
  })

  test('P-BAT-01 an element that is in the window neither opens nor extends it, and the set is cleared at its end', async () => {
    const { clock, batcher, endOf } = setup()
    const first = endOf(batcher.wait())
    batcher.trigger('a')
    await clock.advance(900)
    batcher.trigger('a')
    await clock.advance(100)
    expect(first).toEqual({ at: 1000, filled: true })
    const second = endOf(batcher.wait())
    batcher.trigger('a')
    await clock.advance(2000)
    expect(second).toEqual({ at: 2000, filled: true })
  })

  test('what came between two waits opens the next window at once', async () => {
    const { clock, batcher, endOf } = setup()
    batcher.trigger('a')
    const end = endOf(batcher.wait())
    await clock.advance(3000)
    expect(end).toEqual({ at: 1000, filled: true })
  })

  test('ends at once when its signal aborts', async () => {
    const { clock, batcher, endOf } = setup()
    const abort = new AbortController()
    const end = endOf(batcher.wait(abort.signal))
    batcher.trigger('a')
    await clock.advance(100)
    abort.abort()
    await clock.advance(100)
    expect(end).toEqual({ at: 100, filled: false })
    expect(clock.nextTimerMs()).toBeUndefined()
    expect(await batcher.wait(abort.signal)).toBe(false)
  })
})
