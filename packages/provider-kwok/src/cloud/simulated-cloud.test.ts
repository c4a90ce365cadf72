import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { cloudOn, smallCatalog } from '../../test/subject.ts'
import type { CloudOptions, LaunchInput } from './index.ts'
import { simulatedCloud } from './simulated-cloud.ts'
import { selects } from './selector.ts'

const input = (token: string, changes: Partial<LaunchInput> = {}): LaunchInput => ({
  token,
  instanceType: 'c-2x',
  zone: 'zone-a',
  capacityType: 'spot',
  tags: { cluster: 'x' },
  ...changes,
})
const make = (options: Partial<CloudOptions> = {}) => {
  const clock = virtualClock(1_000_000)
  return { clock, cloud: cloudOn(clock, options) }
}
const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}
const codeOf = (result: E.Either<{ readonly code: string }, unknown>) =>
  E.isLeft(result) ? result.left.code : undefined
const hourMs = 3_600_000

describe('simulatedCloud()', () => {
  test('boots in twenty to forty seconds, the same for the same seed', async () => {
    const { clock, cloud } = make()
    const delays = Array.from({ length: 50 }, (_, index) => {
      const { runningAtMs, launchedAtMs } = right(cloud.launch(input(`t-${index}`)))
      return runningAtMs - launchedAtMs
    })
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(20_000)
    expect(Math.max(...delays)).toBeLessThanOrEqual(40_000)
    expect(new Set(delays).size).toBeGreaterThan(10)
    expect(right(make().cloud.launch(input('t-7')))).toEqual(right(cloud.get(right(cloud.launch(input('t-7'))).id)))
    await clock.advance(40_000)
    expect(right(cloud.list({ tags: {} })).instances.every(({ state }) => state === 'running')).toBe(true)
  })

  test('adds the registration delay that a NodeClass asks for', () => {
    const { cloud } = make()
    const { runningAtMs, launchedAtMs } = right(cloud.launch(input('t', { registrationDelayMs: 600_000 })))
    expect(runningAtMs - launchedAtMs).toBeGreaterThanOrEqual(620_000)
  })

  test('gives every machine an id and a host name of its own', () => {
    const { cloud } = make({ writeLimit: undefined })
    const all = Array.from({ length: 2000 }, (_, index) => right(cloud.launch(input(`t-${index}`))))
    expect(new Set(all.map(({ id }) => id)).size).toBe(2000)
    expect(new Set(all.map(({ name }) => name)).size).toBe(2000)
    expect(all[0]?.name).toMatch(/^ip-10-\d+-\d+-\d+$/)
    expect(all[0]?.id).toMatch(/^i-[0-9a-f]{17}$/)
  })

  test('never starts a second machine for a token, not even after the first has ended', async () => {
    const { clock, cloud } = make()
    const { id } = right(cloud.launch(input('t')))
    right(cloud.terminate(id))
    expect(right(cloud.launch(input('t', { zone: 'zone-b' }))).state).toBe('terminating')
    await clock.advance(10_000)
    expect(codeOf(cloud.launch(input('t')))).toBe('InstanceEnded')
    expect(codeOf(cloud.terminate(id))).toBe('InstanceNotFound')
  })

  test('refuses an offering that the catalogue lacks', () => {
    expect(codeOf(make().cloud.launch(input('t', { zone: 'zone-z' })))).toBe('InvalidParameter')
  })

  test('runs out of capacity by offering, and has it again when a machine ends', () => {
    const { cloud } = make()
    cloud.setCapacity([
      { instanceType: 'c-*', zone: 'zone-a', remaining: 2 },
      { capacityType: 'on-demand', remaining: 0 },
    ])
    const first = right(cloud.launch(input('t-1')))
    right(cloud.launch(input('t-2', { instanceType: 'c-4x' })))
    expect(codeOf(cloud.launch(input('t-3')))).toBe('InsufficientInstanceCapacity')
    expect(codeOf(cloud.launch(input('t-4', { zone: 'zone-b', capacityType: 'on-demand' })))).toBe(
      'InsufficientInstanceCapacity',
    )
    right(cloud.launch(input('t-5', { zone: 'zone-b' })))
    right(cloud.terminate(first.id))
    right(cloud.terminate(first.id))
    right(cloud.launch(input('t-3')))
    expect(codeOf(cloud.launch(input('t-6')))).toBe('InsufficientInstanceCapacity')
  })

  test('interrupts with notice: a message now, the machine gone at the deadline', async () => {
    const { clock, cloud } = make()
    const { id, name } = right(cloud.launch(input('t')))
    await clock.advance(60_000)
    right(cloud.interrupt(name, { noticeMs: 120_000 }))
    const [message] = right(cloud.receive())
    expect(message).toMatchObject({ kind: 'SpotInterruption', instance: id, deadlineMs: clock.nowMs() + 120_000 })
    expect(right(cloud.receive())).toEqual([])
    await clock.advance(30_000)
    // What was not acknowledged comes again.
    expect(right(cloud.receive())).toEqual([message])
    right(cloud.acknowledge([message?.receipt ?? '']))
    await clock.advance(30_000)
    expect(right(cloud.receive())).toEqual([])
    expect(right(cloud.get(id)).state).toBe('running')
    await clock.advance(60_000)
    expect(codeOf(cloud.get(id))).toBe('InstanceNotFound')
  })

  test('announces each kind of interruption, and lets the machine go on, stop or end as it says', async () => {
    const { clock, cloud } = make()
    const kinds = ['rebalance', 'maintenance', 'stop', 'terminate'] as const
    const ids = kinds.map((kind) => right(cloud.launch(input(kind))).id)
    await clock.advance(60_000)
    for (const [index, kind] of kinds.entries()) right(cloud.interrupt(ids[index] ?? '', { kind }))
    const nowMs = clock.nowMs()
    expect(right(cloud.receive()).map(({ kind, deadlineMs }) => ({ kind, deadlineMs }))).toEqual([
      { kind: 'RebalanceRecommendation', deadlineMs: undefined },
      { kind: 'ScheduledMaintenance', deadlineMs: nowMs + 600_000 },
      { kind: 'InstanceStopped', deadlineMs: nowMs },
      { kind: 'InstanceTerminated', deadlineMs: nowMs },
    ])
    expect(right(cloud.list({ tags: {} })).instances.map(({ state }) => state)).toEqual([
      'running',
      'running',
      'stopped',
    ])
    await clock.advance(600_001)
    expect(right(cloud.list({ tags: {} })).instances.map(({ state }) => state)).toEqual(['running', 'stopped'])
    expect(cloud.bill().lines.filter(({ untilMs }) => untilMs === undefined)).toHaveLength(1)
    expect(right(cloud.terminate(ids[2] ?? '')).state).toBe('terminating')
  })

  test('bills each machine from launch to termination, spot at the price of the day', async () => {
    const { clock, cloud } = make()
    const spot = right(cloud.launch(input('t-1')))
    const onDemand = right(cloud.launch(input('t-2', { capacityType: 'on-demand' })))
    await clock.advance(hourMs)
    cloud.changePrices([{ instanceType: 'c-2x', factor: 3 }])
    await clock.advance(hourMs)
    right(cloud.terminate(spot.id))
    await clock.advance(hourMs)
    const bill = cloud.bill()
    const costOf = (id: string) => bill.lines.find((line) => line.id === id)?.cost
    expect(costOf(spot.id)).toBeCloseTo(0.02 + 0.06, 10)
    expect(costOf(onDemand.id)).toBeCloseTo(3 * 0.06, 10)
    expect(bill.total).toBeCloseTo(0.26, 10)
    expect(bill.perHour).toBeCloseTo(0.06, 10)
    expect(bill.lines.find(({ id }) => id === spot.id)?.untilMs).toBe(1_000_000 + 2 * hourMs)
  })

  test('sends the catalogue again only when prices changed', () => {
    const { cloud } = make()
    const { version, entries } = right(cloud.catalog())
    expect(entries).toHaveLength(smallCatalog.length)
    expect(right(cloud.catalog(version))).toEqual({ version })
    cloud.changePrices([{ instanceType: 'c-4x', capacityType: 'spot', pricePerHour: 9 }])
    const next = right(cloud.catalog(version))
    expect(next.version).not.toBe(version)
    expect(next.entries?.[0]).toBe(entries?.[0])
    expect(next.entries?.[1]?.offerings.map(({ Price }) => Price)).toContain(9)
  })

  test('throttles launches apart from reads, and says when to come back', async () => {
    const { clock, cloud } = make({ writeLimit: { burst: 2, perSecond: 1 } })
    right(cloud.launch(input('t-1')))
    right(cloud.launch(input('t-2')))
    expect(cloud.launch(input('t-3'))).toMatchObject({ left: { code: 'RequestLimitExceeded', retryAfterMs: 1000 } })
    right(cloud.list({ tags: {} }))
    await clock.advance(1000)
    right(cloud.launch(input('t-3')))
  })

  test('fails the n-th call by rule, before or after its effect', () => {
    const { cloud } = make()
    cloud.setFaults([
      { operation: 'launch', skip: 1, times: 1, code: 'InternalError' },
      { operation: 'terminate', code: 'InternalError', when: 'after', times: 1 },
    ])
    const { id } = right(cloud.launch(input('t-1')))
    expect(codeOf(cloud.launch(input('t-2')))).toBe('InternalError')
    right(cloud.launch(input('t-2')))
    expect(codeOf(cloud.terminate(id))).toBe('InternalError')
    expect(right(cloud.get(id)).state).toBe('terminating')
  })

  test('goes on from its state as if nothing had happened', async () => {
    const { clock, cloud } = make()
    const { id } = right(cloud.launch(input('t-1')))
    cloud.setCapacity([{ remaining: 0 }])
    right(cloud.interrupt(id))
    const revived = simulatedCloud({
      catalog: smallCatalog,
      seed: 'test',
      nowMs: clock.nowMs,
      state: JSON.parse(JSON.stringify(cloud.state())),
    })
    expect(revived.state()).toEqual(cloud.state())
    expect(right(revived.launch(input('t-1'))).id).toBe(id)
    expect(codeOf(revived.launch(input('t-2')))).toBeUndefined()
    await clock.advance(120_000)
    expect(codeOf(revived.get(id))).toBe('InstanceNotFound')
    expect(right(revived.receive())).toHaveLength(1)
  })

  test('lists in pages that launches in between do not shift', () => {
    const { cloud } = make()
    for (const token of ['a', 'b', 'c']) right(cloud.launch(input(token)))
    const first = right(cloud.list({ tags: { cluster: 'x' }, limit: 2 }))
    right(cloud.launch(input('d')))
    const second = right(cloud.list({ tags: {}, limit: 2, page: first.nextPage ?? '' }))
    expect([...first.instances, ...second.instances]).toHaveLength(4)
    expect(second.nextPage).toBeUndefined()
    expect(codeOf(cloud.list({ tags: {}, page: 'nowhere' }))).toBe('InvalidParameter')
    expect(right(cloud.list({ tags: { constructor: 'x' } })).instances).toEqual([])
  })
})

describe('selects()', () => {
  const key = { instanceType: 'c7g.2xlarge', zone: 'us-west-2a', capacityType: 'spot' }
  test.each([
    ['c7g.2xlarge', true],
    ['*', true],
    ['c7g.*', true],
    ['*.2xlarge', true],
    ['c*g*large', true],
    ['c7g', false],
    ['*.4xlarge', false],
    ['c7g.2xlarge*x', false],
    ['c7g.2xlargelarge*', false],
  ])('%s means c7g.2xlarge: %s', (instanceType, expected) => {
    expect(selects({ instanceType }, key)).toBe(expected)
  })
})
