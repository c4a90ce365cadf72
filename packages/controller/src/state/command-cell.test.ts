import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { pendingPod } from '@scantling/core/testing'
import { makeAnnouncedCell } from './announced-cell.ts'
import { makeCommandCell, type RunningCommand } from './command-cell.ts'
import { makeMovedCell } from './moved-cell.ts'

const command = (id: string, candidates: ReadonlyArray<string>) =>
  ({ id, candidates: new Set(candidates), replacements: new Set() }) as unknown as RunningCommand

describe('commands under way', () => {
  test('D-QUEUE-01: a claim is part of one command at the most, and a second one takes nothing', () => {
    const cell = makeCommandCell()
    expect(cell.take(command('1', ['a', 'b']))).toBe(true)
    expect(cell.take(command('2', ['c', 'b']))).toBe(false)
    expect(cell.of('c')).toBeUndefined()
    expect(cell.of('a')?.id).toBe('1')
    expect(cell.candidates()).toBe(2)
    cell.release('1')
    expect(cell.take(command('2', ['c', 'b']))).toBe(true)
    expect(cell.all().map(({ id }) => id)).toEqual(['2'])
  })

  test('D-QUEUE-03: a claim that a command goes on without is free again', () => {
    const cell = makeCommandCell()
    cell.take(command('1', ['a', 'b']))
    cell.update(command('1', ['a']))
    expect(cell.of('b')).toBeUndefined()
    expect(cell.take(command('2', ['b']))).toBe(true)
  })
})

test('moved workloads are remembered by their owner for an hour', async () => {
  const clock = virtualClock(0)
  const moved = makeMovedCell(clock)
  const pod = (name: string, uid: string) =>
    pendingPod(name, {}, {}, { owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: uid, uid } })
  moved.note([pod('a-1', 'a'), pod('b-1', 'b'), pendingPod('bare')])
  await clock.advance(30 * 60_000)
  moved.note([pod('a-2', 'a')])
  expect([...moved.workloads()]).toEqual([
    ['b', 0],
    ['a', 30 * 60_000],
  ])
  await clock.advance(31 * 60_000)
  expect([...moved.workloads().keys()]).toEqual(['a'])
})

test('what the cloud announced is acted on once for each machine and kind, within a day', async () => {
  const clock = virtualClock(0)
  const announced = makeAnnouncedCell(clock)
  expect(announced.has('i-1', 'Spot')).toBe(false)
  announced.note('i-1', 'Spot')
  expect(announced.has('i-1', 'Spot')).toBe(true)
  expect(announced.has('i-1', 'Stop')).toBe(false)
  expect(announced.has('i-2', 'Spot')).toBe(false)
  await clock.advance(24 * 3_600_000)
  expect(announced.has('i-1', 'Spot')).toBe(false)
})
