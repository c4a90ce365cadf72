import { describe, expect, test } from '@jest/globals'
import { provision } from '../src/reconcilers/provisioning/index.ts'
import { largeBatch } from './large-batch.ts'
import { watchTurns } from './loop-turns.ts'

// npm run bench:loop-delay measures 30,000; in one piece these alone would take many times the bound.
// Probes and leases wait this long at the most. CPU time counts: the wall would count what else the machine does.
const boundMs = 100

describe('a pass over thousands of pods', () => {
  test.each([
    ['that all find a place', {}],
    ['that find none', { nodes: '0' }],
  ])(
    'lets the event loop turn while it reads, plans, announces and creates for pods %s',
    async (_, limits) => {
      const { context, stop } = await largeBatch(5000, limits)()
      const turns = watchTurns()
      await provision(context)
      const { cpu } = await turns()
      stop()
      expect(cpu.max).toBeLessThan(boundMs)
    },
    60_000,
  )
})
