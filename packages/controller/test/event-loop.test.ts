import { describe, expect, test } from '@jest/globals'
import { provision } from '../src/reconcilers/provisioner.ts'
import { largeBatch } from './large-batch.ts'
import { watchTurns } from './loop-turns.ts'

// Probes and leases wait this long at the most. CPU time counts: the wall would count what else the machine does.
const boundMs = 100

describe('a pass over 20,000 pods', () => {
  test.each([
    ['that all find a place', {}],
    ['that find none', { nodes: '0' }],
  ])(
    'lets the event loop turn while it reads, plans, announces and creates for pods %s',
    async (_, limits) => {
      const { context, stop } = await largeBatch(20_000, limits)()
      const turns = watchTurns()
      await provision(context)
      const { cpu } = await turns()
      stop()
      expect(cpu.max).toBeLessThan(boundMs)
    },
    60_000,
  )
})
