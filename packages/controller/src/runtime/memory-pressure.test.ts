import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { silentLog } from '../../test/silent-log.ts'
import { makeMetrics } from '../observability/index.ts'
import { collectGarbage, watchMemory } from './memory-pressure.ts'

const setup = (limitBytes: number | undefined) => {
  const clock = virtualClock(0)
  const metrics = makeMetrics()
  const lines: Array<string> = []
  const abort = new AbortController()
  let resident = 0
  let garbage = 0
  let collections = 0
  const memory = watchMemory({
    limitBytes,
    clock,
    metrics,
    log: { ...silentLog, warn: (line) => void lines.push(line), info: (line) => void lines.push(line) },
    signal: abort.signal,
    residentBytes: () => resident + garbage,
    collect: () => {
      collections++
      garbage = 0
    },
  })
  const use = async (bytes: number, garbageBytes = 0) => {
    resident = bytes
    garbage = garbageBytes
    await clock.advance(1000)
    return memory.isHigh()
  }
  return { clock, metrics, lines, use, abort, collections: () => collections }
}

describe('watchMemory()', () => {
  test('O-06 above nine tenths of the limit garbage goes first, and work is held back only where that does not help', async () => {
    const { use, collections, lines, metrics } = setup(1000)
    expect(await use(890)).toBe(false)
    expect(collections()).toBe(0)
    expect(await use(500, 450)).toBe(false)
    expect(collections()).toBe(1)
    expect(lines).toEqual([])
    expect(await use(901)).toBe(true)
    expect(await metrics.render()).toContain('scantling_memory_pressure 1')
    expect(lines).toHaveLength(1)
  })

  test('what was held back waits until there is room again, and collections are rare', async () => {
    const { clock, use, collections, lines, metrics } = setup(1000)
    expect(await use(950)).toBe(true)
    expect(await use(850)).toBe(true)
    expect(await use(799)).toBe(false)
    expect(await metrics.render()).toContain('scantling_memory_pressure 0')
    expect(lines).toEqual([expect.stringMatching(/^Memory is short/), 'Memory is no longer short'])
    await use(950)
    expect(collections()).toBe(1)
    await clock.advance(30_000)
    expect(collections()).toBe(2)
  })

  test('without a limit it is never high, and it ends with the signal', async () => {
    const unlimited = setup(undefined)
    expect(await unlimited.use(10 ** 12)).toBe(false)
    const ended = setup(1000)
    ended.abort.abort()
    expect(await ended.use(1000)).toBe(false)
  })

  test('collectGarbage() collects what nobody holds', () => {
    let garbage: ReadonlyArray<object> = Array.from({ length: 500_000 }, (_, index) => ({ index }))
    const before = process.memoryUsage().heapUsed
    expect(garbage).toHaveLength(500_000)
    garbage = []
    collectGarbage()
    expect(before - process.memoryUsage().heapUsed).toBeGreaterThan(8 * 2 ** 20)
  })
})
