import { expect, test } from '@jest/globals'
import { disruptionMethods } from '@scantling/core'
import { virtualClock } from '@scantling/provider-kit'
import type { ReconcilerContext } from '../context.ts'
import { disrupt, emptyMemory, worthTrying } from './loop.ts'
import { consolidationTypes, isConsolidation, reasonsOf } from './planning.ts'

test('ST-19 D-LOOP-12: a method that found nothing is not tried again before something changes, or five minutes have passed', async () => {
  const clock = virtualClock(0)
  let revision = 1
  const context = { clock, state: { revision: () => revision } } as unknown as ReconcilerContext
  const memory = emptyMemory()
  expect(worthTrying(context, memory)).toEqual(disruptionMethods)
  for (const method of ['emptiness', 'multi-node-consolidation'] as const)
    memory.fruitless.set(method, { revision: 1, atMs: 0 })
  expect(worthTrying(context, memory)).toEqual(['static-drift', 'drift', 'single-node-consolidation'])
  revision = 2
  expect(worthTrying(context, memory)).toEqual(disruptionMethods)
  revision = 1
  await clock.advance(299_999)
  expect(worthTrying(context, memory)).toHaveLength(3)
  await clock.advance(1)
  expect(worthTrying(context, memory)).toEqual(disruptionMethods)
})

test('D-LOOP-02, D-LOOP-09: methods are tried in their order, and each has a reason and a consolidation type, which drift has none of', () => {
  expect(disruptionMethods.map((method) => [method, reasonsOf[method], consolidationTypes[method]])).toEqual([
    ['emptiness', 'empty', 'empty'],
    ['static-drift', 'drifted', ''],
    ['drift', 'drifted', ''],
    ['multi-node-consolidation', 'underutilized', 'multi'],
    ['single-node-consolidation', 'underutilized', 'single'],
  ])
  expect(disruptionMethods.filter(isConsolidation)).toEqual([
    'emptiness',
    'multi-node-consolidation',
    'single-node-consolidation',
  ])
})

test('D-LOOP-03 D-LOOP-06: a pass on caches that are not synced does nothing, and one after a long pause says so', async () => {
  const clock = virtualClock(0)
  const told: Array<unknown> = []
  const context = {
    clock,
    caches: { synced: () => false },
    log: { debug: (_: string, fields: unknown) => void told.push(fields) },
  } as unknown as ReconcilerContext
  const memory = emptyMemory()
  expect(await disrupt(context, memory)).toBe('unsynced')
  await clock.advance(15 * 60_000)
  await disrupt(context, memory)
  expect(told).toEqual([])
  await clock.advance(15 * 60_000 + 1)
  await disrupt(context, memory)
  expect(told).toEqual([{ of: 'loop', 'minutes-since': 15 }])
})
