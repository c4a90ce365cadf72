import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { simulate } from '../src/index.ts'

const kept = readFileSync(fileURLToPath(new URL('../seeds.txt', import.meta.url)), 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '')
  .map((line) => Number(line.split(' ')[0]))

// Two that killed controllers, lost answers, short capacity and interruptions fall into.
const always = [1, 4]

describe('simulate()', () => {
  test.each([...new Set([...always, ...kept])])(
    'seed %d: nothing that must not be under faults, and rest when healed',
    async (seed) => {
      const { violations, effects, launches } = await simulate({ seed })
      expect(violations).toEqual([])
      expect(effects).toBeGreaterThan(50)
      expect(launches).toBeGreaterThan(1)
    },
    120_000,
  )

  test('equal seeds give equal traces, others give others', async () => {
    const [first, second, other] = [
      await simulate({ seed: 2 }),
      await simulate({ seed: 2 }),
      await simulate({ seed: 3 }),
    ]
    expect(second?.trace).toBe(first?.trace)
    expect(other?.trace).not.toBe(first?.trace)
  }, 120_000)
})
