import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import type { KubeClient } from '../kube/index.ts'
import { type Log, makeMetrics } from '../observability/index.ts'
import type { EventRecord } from './event-recorder.ts'
import { makeEventRecorder } from './make-event-recorder.ts'

const setup = (isDown = false) => {
  const clock = virtualClock(Date.parse('2026-01-01T00:00:00Z'))
  const written: Array<{
    readonly reason: string
    readonly message: string
    readonly metadata: { readonly namespace: string }
  }> = []
  const create = (_kind: unknown, object: object) => async () => {
    if (isDown) return E.left({ _tag: 'Unreachable' as const, message: 'down' })
    written.push(object as (typeof written)[number])
    return E.right({ metadata: {} })
  }
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    with: () => log,
  }
  const metrics = makeMetrics()
  const recorder = makeEventRecorder({
    client: { create } as unknown as KubeClient,
    clock,
    random: () => 0.5,
    metrics,
    log,
    signal: new AbortController().signal,
  })
  return { clock, written, recorder, metrics }
}

const nominated = (uid: string, message = 'Pod should schedule on: nodeclaim/a'): EventRecord => ({
  on: { apiVersion: 'v1', kind: 'Pod', name: `pod-${uid}`, namespace: 'web', uid },
  type: 'Normal',
  reason: 'Nominated',
  message,
  limit: { perSecond: 5, burst: 10 },
})

describe('makeEventRecorder()', () => {
  test('E-REC-01 E-REC-03 writes an event once per TTL, whatever its message', async () => {
    const { clock, written, recorder } = setup()
    recorder.record(nominated('1'))
    recorder.record(nominated('1', 'another text'))
    await clock.advance(119_000)
    recorder.record(nominated('1'))
    expect(written).toHaveLength(1)
    await clock.advance(2000)
    recorder.record(nominated('1'))
    await clock.advance(0)
    expect(written).toHaveLength(2)
  })

  test('E-REC-01 empty dedupe values disable dedupe, and an event may have its own TTL', async () => {
    const { clock, written, recorder } = setup()
    const base = { on: { apiVersion: 'v1', kind: 'Node', name: 'n' }, type: 'Normal', message: 'm' } as const
    recorder.record({ ...base, reason: 'Ready', dedupe: [] })
    recorder.record({ ...base, reason: 'Ready', dedupe: [] })
    recorder.record({ ...base, reason: 'Unconsolidatable', ttlMs: 900_000 })
    await clock.advance(899_000)
    recorder.record({ ...base, reason: 'Unconsolidatable', ttlMs: 900_000 })
    await clock.advance(0)
    expect(written.map((each) => each.reason)).toEqual(['Ready', 'Ready', 'Unconsolidatable'])
    expect(written[0]?.metadata.namespace).toBe('default')
  })

  test('E-REC-02 limits the events of one reason together, after dedupe', async () => {
    const { clock, written, recorder, metrics } = setup()
    for (let pod = 0; pod < 20; pod++) recorder.record(nominated(String(pod)))
    await clock.advance(1000)
    expect(written).toHaveLength(10)
    for (let pod = 100; pod < 120; pod++) recorder.record(nominated(String(pod)))
    await clock.advance(0)
    expect(written).toHaveLength(15)
    expect(await metrics.render()).toContain('scantling_events_dropped_total{cause="RateLimit"} 25')
  })

  test('E-REC-04 speaks as karpenter, so that what reads the reference’s events reads ours', async () => {
    const { clock, written, recorder } = setup()
    recorder.record(nominated('1'))
    await clock.advance(0)
    expect(written[0]).toMatchObject({ source: { component: 'karpenter' }, reportingComponent: 'karpenter' })
  })

  test('neither fails nor blocks while the API server is away', async () => {
    const { clock, recorder, metrics } = setup(true)
    recorder.record(nominated('1'))
    await clock.advance(0)
    expect(await metrics.render()).toContain('scantling_events_dropped_total{cause="Unreachable"} 1')
  })
})
