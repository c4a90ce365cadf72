import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import { generateCatalog } from '@scantling/provider-kwok'
import { dailyCurve, parseLoadCurve, replay, sampleManifests } from '../src/index.ts'

const hourMs = 3_600_000

describe('replay()', () => {
  test('a day on a small fleet breaks no rule, goes in no circle, and gives the same trace again', async () => {
    const run = (days: number) =>
      replay({
        manifests: sampleManifests(6),
        curve: dailyCurve,
        days,
        seed: 'test',
        catalog: generateCatalog('ec2-like'),
      })
    const first = await run(1)
    expect(first).toMatchObject({ violations: [], replacementCycles: 0, pending: 0 })
    expect(first.launches).toBeGreaterThanOrEqual(first.peakNodes)
    expect(first.cost.paid).toBeGreaterThan(0)
    expect(first.cost.onDemand).toBeCloseTo(first.cost.paid)
    const hours = 6 / 24
    expect((await run(hours)).trace).toBe((await run(hours)).trace)
  }, 300_000)
})

describe('parseLoadCurve()', () => {
  test('draws straight lines between times of the day, over and over', () => {
    const curve = parseLoadCurve('c', '06:00 1 # morning\n\n18:00 0.5')
    if (E.isLeft(curve)) throw new Error(curve.left.join())
    const at = (hours: number) => curve.right.at(hours * hourMs)
    expect([at(6), at(12), at(18), at(0), at(30)].map((load) => Number(load.toFixed(3)))).toEqual([
      1, 0.75, 0.5, 0.75, 1,
    ])
  })

  test('names each line that it cannot read', () => {
    expect(parseLoadCurve('c', '06:00 1\nnoon 2\n05:00 1\n25:00 1')).toEqual(
      E.left([
        'c, line 2: Cannot read "noon 2": expected a time and a load, such as "06:30 0.8" or "36h 1"',
        'c, line 3: Cannot use 05:00: times must rise from line to line',
        'c, line 4: Cannot read "25:00 1": expected a time and a load, such as "06:30 0.8" or "36h 1"',
      ]),
    )
    expect(E.isLeft(parseLoadCurve('c', '# nothing'))).toBe(true)
  })
})
