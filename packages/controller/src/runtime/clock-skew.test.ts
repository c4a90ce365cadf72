import { describe, expect, test } from '@jest/globals'
import type { Log } from '../observability/index.ts'
import { makeClockSkewWatch } from './clock-skew.ts'

describe('makeClockSkewWatch()', () => {
  test('tells of minutes, in both directions, and not again for a while', () => {
    const said: Array<string> = []
    let steadyMs = 0
    let skewMs = 0
    const serverMs = Date.parse('2026-01-01T00:00:00Z')
    const note = makeClockSkewWatch({
      nowMs: () => serverMs + skewMs,
      steadyNowMs: () => steadyMs,
      log: { warn: (message: string) => void said.push(message) } as unknown as Log,
    })
    const look = (afterMs: number, withSkewMs: number) => {
      steadyMs += afterMs
      skewMs = withSkewMs
      note('Thu, 01 Jan 2026 00:00:00 GMT')
    }
    look(0, 90_000)
    look(31_000, 420_000)
    look(31_000, 420_000)
    look(600_000, -420_000)
    expect(said.map((line) => line.slice(0, 62))).toEqual([
      "The clock of this machine is 420s ahead of the API server's; e",
      "The clock of this machine is 420s behind the API server's; exp",
    ])
    note('not a date')
    expect(said).toHaveLength(2)
  })
})
