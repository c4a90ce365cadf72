import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import { type VirtualClock, virtualClock } from '@scantling/provider-kit'
import { type KubeClient, type KubeError, makeKinds } from '../kube/index.ts'
import type { Log } from '../observability/index.ts'
import { runLeaderElection } from './leader-election.ts'

const said: Array<string> = []
const log: Log = {
  debug: () => undefined,
  info: (message, fields) => void said.push(`${message} ${JSON.stringify(fields)}`),
  warn: () => undefined,
  error: () => undefined,
  with: () => log,
}
const { leases } = makeKinds()
const ref = { namespace: 'kube-system', name: 'karpenter-leader-election' }

/** A Lease behind an API that can be cut off. */
const startLease = () => {
  let lease: { metadata: { resourceVersion: string }; spec: Record<string, unknown> } | undefined
  let version = 0
  const fail = (tag: 'NotFound' | 'Conflict' | 'AlreadyExists' | 'Unreachable') =>
    E.left<KubeError>({ _tag: tag, message: tag })
  const stored = () => {
    const read = leases.project({ metadata: { ...ref, ...lease?.metadata }, spec: lease?.spec })
    if (E.isLeft(read)) throw new Error(read.left)
    return E.right(read.right)
  }
  const clientOf = (isCut: () => boolean) =>
    ({
      get: () => async () => (isCut() ? fail('Unreachable') : lease === undefined ? fail('NotFound') : stored()),
      create: (_kind: unknown, object: { spec: Record<string, unknown> }) => async () => {
        if (isCut()) return fail('Unreachable')
        if (lease !== undefined) return fail('AlreadyExists')
        lease = { metadata: { resourceVersion: String(++version) }, spec: object.spec }
        return stored()
      },
      patch:
        (
          _kind: unknown,
          _ref: unknown,
          { body }: { body: { metadata: { resourceVersion: string }; spec: Record<string, unknown> } },
        ) =>
        async () => {
          if (isCut()) return fail('Unreachable')
          if (lease === undefined || body.metadata.resourceVersion !== lease.metadata.resourceVersion)
            return fail('Conflict')
          lease = { metadata: { resourceVersion: String(++version) }, spec: { ...lease.spec, ...body.spec } }
          return stored()
        },
    }) as unknown as KubeClient
  return { clientOf, holder: () => lease?.spec['holderIdentity'] }
}

const startReplica = (clock: VirtualClock, api: ReturnType<typeof startLease>, identity: string) => {
  const state = { cut: false, lost: 0, pausedMs: 0 }
  const abort = new AbortController()
  const election = runLeaderElection({
    client: api.clientOf(() => state.cut),
    kind: leases,
    lease: ref,
    identity,
    // Each replica's wall clock is wrong by minutes, which must not matter.
    clock: { ...clock, nowMs: () => clock.nowMs() + (identity === 'a' ? 300_000 : -300_000) },
    steadyNowMs: clock.nowMs,
    random: () => 0.5,
    log,
    signal: abort.signal,
    onLost: () => state.lost++,
  })
  return { ...election, state, abort }
}

describe('runLeaderElection()', () => {
  test('O-07 elects one, and hands over at once when it gives the Lease up', async () => {
    const clock = virtualClock(0)
    const api = startLease()
    const a = startReplica(clock, api, 'a')
    const b = startReplica(clock, api, 'b')
    await clock.advance(30_000)
    const [first, second] = a.isLeader() ? [a, b] : [b, a]
    expect([first.isLeader(), second.isLeader()]).toEqual([true, false])
    const holder = first === a ? 'a' : 'b'
    expect(said).toEqual([
      `This replica leads {"identity":"${holder}"}`,
      `Waiting for the lease that another holds {"holder":"${holder}"}`,
    ])
    first.abort.abort()
    await clock.advance(5_000)
    await first.stopped
    expect(second.isLeader()).toBe(true)
    second.abort.abort()
    await clock.advance(0)
    expect(api.holder()).toBe('')
  })

  test('a standby waits a whole lease duration of its own clock, and the old leader has stopped before', async () => {
    const clock = virtualClock(0)
    const api = startLease()
    const a = startReplica(clock, api, 'a')
    await clock.advance(1000)
    const b = startReplica(clock, api, 'b')
    await clock.advance(20_000)
    expect(a.isLeader()).toBe(true)
    a.state.cut = true
    const cutAtMs = clock.nowMs()
    while (!b.isLeader()) {
      await clock.advance(100)
      expect(a.isLeader() && b.isLeader()).toBe(false)
      expect(clock.nowMs() - cutAtMs).toBeLessThan(25_000)
    }
    // The last renewal can be one retry older than the cut.
    expect(clock.nowMs() - cutAtMs).toBeGreaterThan(12_900)
    expect(a.state.lost).toBe(1)
    b.abort.abort()
    await clock.advance(0)
  })

  test('a leader that was paused finds on waking that it may not act', async () => {
    const clock = virtualClock(0)
    const api = startLease()
    let steadyMs = 0
    const abort = new AbortController()
    const election = runLeaderElection({
      client: api.clientOf(() => false),
      kind: leases,
      lease: ref,
      identity: 'a',
      clock,
      steadyNowMs: () => steadyMs,
      random: () => 0,
      log,
      signal: abort.signal,
      onLost: () => undefined,
    })
    await clock.advance(10)
    await election.elected
    expect(election.isLeader()).toBe(true)
    // Nothing ran meanwhile, no timer either.
    steadyMs += 60_000
    expect(election.isLeader()).toBe(false)
    abort.abort()
    await clock.advance(0)
  })
})
