import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import type { DeploymentObject, IntOrPercent } from '../objects.ts'
import { grownNewSet, proportionalSizes, rolloutBounds, shrunkOldSets } from './rollout.ts'

const deployment = (replicas: number, maxSurge: IntOrPercent, maxUnavailable: IntOrPercent) =>
  ({
    spec: { replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } },
  }) as unknown as DeploymentObject

describe('rolloutBounds()', () => {
  test.each([
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [10, 0, 0, 0, 1],
    [3, '0%', '10%', 0, 1],
    [4, 2, '100%', 2, 4],
  ] as const)(
    'of %d pods with surge %s and unavailable %s',
    (replicas, surge, unavailable, maxSurge, maxUnavailable) => {
      expect(rolloutBounds(deployment(replicas, surge, unavailable))).toEqual({ maxSurge, maxUnavailable })
    },
  )
})

describe('a rolling update', () => {
  const count = fc.integer({ min: 0, max: 20 })

  test('never exceeds its bounds, and ends, whatever order pods become available in', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        count,
        count,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (wanted, surge, unavailable, stream) => {
          const bounds = rolloutBounds(deployment(wanted, surge, unavailable))
          let newest = { name: 'new', replicas: 0, available: 0 }
          let old = { name: 'old', replicas: wanted, available: wanted }
          for (let step = 0; step < 400; step += 1) {
            newest = { ...newest, replicas: grownNewSet(wanted, bounds, newest, [old]) }
            const shrunk = shrunkOldSets(wanted, bounds, newest, [old])[0] ?? old
            old = { ...shrunk, available: Math.min(shrunk.available, shrunk.replicas) }
            expect(newest.replicas + old.replicas).toBeLessThanOrEqual(wanted + bounds.maxSurge)
            expect(newest.available + old.available).toBeGreaterThanOrEqual(wanted - bounds.maxUnavailable)
            if (old.replicas === 0 && newest.available === wanted) return
            const more = Math.ceil((stream.next().value ?? 1) * (newest.replicas - newest.available))
            newest = { ...newest, available: newest.available + more }
          }
          throw new Error(`Not complete: ${JSON.stringify({ newest, old })}`)
        },
      ),
    )
  })

  test('drops unavailable old pods first', () => {
    const bounds = { maxSurge: 0, maxUnavailable: 2 }
    const old = [
      { name: 'a', replicas: 5, available: 5 },
      { name: 'b', replicas: 5, available: 3 },
    ]
    const newest = { name: 'new', replicas: 0, available: 0 }
    expect(shrunkOldSets(10, bounds, newest, old).map(({ replicas }) => replicas)).toEqual([5, 3])
  })
})

describe('proportionalSizes()', () => {
  test('follows the documented example: 10 to 15 with surge 3 in mid-rollout', () => {
    const sizes = proportionalSizes(
      [
        { name: 'old', replicas: 8, available: 8 },
        { name: 'new', replicas: 5, available: 0 },
      ],
      18,
    )
    expect([...sizes]).toEqual([
      ['old', 11],
      ['new', 7],
    ])
  })

  test('hands out exactly what is allowed', () => {
    const replicas = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(replicas, fc.integer({ min: 0, max: 300 }), (list, allowed) => {
        const sizes = proportionalSizes(
          list.map((n, i) => ({ name: `s${i}`, replicas: n, available: n })),
          allowed,
        )
        expect([...sizes.values()].reduce((sum, size) => sum + size, 0)).toBe(allowed)
      }),
    )
  })
})
