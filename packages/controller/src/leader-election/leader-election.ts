import * as E from 'fp-ts/lib/Either.js'
import type { CancelSignal, LeaseObject } from '@scantling/core'
import { Cancelled, type Clock } from '@scantling/provider-kit'
import type { KubeClient, KubeError, ResourceKind } from '../kube/index.ts'
import type { Log } from '../observability/index.ts'

export interface LeaderElectionOptions {
  readonly client: KubeClient
  readonly kind: ResourceKind<LeaseObject>
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Names this replica; different for every process, restarts of one included. */
  readonly identity: string
  /** Wall-clock time for what is written into the Lease, sleeping, and nothing else. */
  readonly clock: Clock
  /** A clock that never jumps: who may act is decided by it alone, because no two machines agree on the time. */
  readonly steadyNowMs: () => number
  readonly random: () => number
  readonly log: Log
  /** Ends the candidacy; a leader gives the Lease up. */
  readonly signal: CancelSignal
  /** Called once, when leadership is lost; the process has to stop at once. */
  readonly onLost: () => void
  /** The reference's defaults: 15 s, 10 s, 2 s. */
  readonly timing?: { readonly leaseMs: number; readonly renewDeadlineMs: number; readonly retryMs: number }
}

export interface LeaderElection {
  /** Resolves when this replica leads; never when the signal aborts first. */
  readonly elected: Promise<void>
  /** Whether this replica may act right now. A process that was paused learns here that its time is over. */
  readonly isLeader: () => boolean
  /** Resolves after the signal aborted, when the Lease was given up. */
  readonly stopped: Promise<void>
}

/**
 * Elects one leader among replicas by a Lease.
 *
 * Safety rests on durations, not on clocks that agree: a standby takes the Lease only after it has watched the same
 * record stand still for a whole lease duration of its own steady clock; a leader stops acting when it has not renewed
 * for the shorter renew deadline of its own.
 */
export const runLeaderElection = (options: LeaderElectionOptions): LeaderElection => {
  const { client, kind, lease, identity, clock, steadyNowMs, signal } = options
  const timing = options.timing ?? { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 }
  const log = options.log.with({ lease: `${lease.namespace}/${lease.name}` })
  let observed: { readonly version: string; readonly atMs: number } | undefined
  // Steady time at which our last successful write of the Lease was begun.
  let renewedAtMs = -Infinity
  let toldHolder = ''
  let wasElected = false
  let isLost = false
  let tellElected = () => {}
  const elected = new Promise<void>((resolve) => (tellElected = resolve))

  const isLeader = () => wasElected && !isLost && steadyNowMs() - renewedAtMs < timing.renewDeadlineMs

  const record = (transitions: number, acquiredAt: string | undefined) => {
    const now = new Date(clock.nowMs()).toISOString().replace('Z', '000Z')
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(timing.leaseMs / 1000),
      acquireTime: acquiredAt ?? now,
      renewTime: now,
      leaseTransitions: transitions,
    }
  }

  /** One attempt to take or keep the Lease. `Raced`: somebody else wrote in between, which the next attempt will read. */
  const attempt = async (): Promise<E.Either<KubeError, 'Ours' | 'Theirs' | 'Raced'>> => {
    const begunMs = steadyNowMs()
    const call = { deadlineMs: Math.max(timing.renewDeadlineMs / 2, 100) }
    const read = await client.get(kind, lease, call)()
    if (E.isLeft(read) && read.left._tag !== 'NotFound') return read
    let written: E.Either<KubeError, LeaseObject>
    if (E.isLeft(read)) {
      const object = { metadata: lease, spec: record(0, undefined) }
      written = await client.create(kind, object, call)()
    } else {
      const { metadata, spec } = read.right
      const holder = spec.holderIdentity ?? ''
      if (holder !== identity && holder !== '') {
        if (holder !== toldHolder) log.info('Waiting for the lease that another holds', { holder })
        toldHolder = holder
        if (observed?.version !== metadata.resourceVersion)
          observed = { version: metadata.resourceVersion, atMs: begunMs }
        const leaseMs = Math.max((spec.leaseDurationSeconds ?? 0) * 1000, timing.leaseMs)
        if (begunMs - observed.atMs < leaseMs) return E.right('Theirs')
      }
      const transitions = (spec.leaseTransitions ?? 0) + (holder === identity ? 0 : 1)
      const acquiredAt = holder === identity ? spec.acquireTime : undefined
      // With the version in it the patch is refused if anyone else wrote in between.
      const body = {
        metadata: { resourceVersion: metadata.resourceVersion },
        spec: record(transitions, acquiredAt),
      }
      written = await client.patch(kind, lease, { type: 'merge', body }, call)()
    }
    if (E.isRight(written)) {
      renewedAtMs = begunMs
      return E.right('Ours')
    }
    return written.left._tag === 'Conflict' || written.left._tag === 'AlreadyExists' ? E.right('Raced') : written
  }

  const giveUp = async (): Promise<void> => {
    const read = await client.get(kind, lease, { deadlineMs: timing.retryMs })()
    if (E.isLeft(read) || read.right.spec.holderIdentity !== identity) return
    const { resourceVersion } = read.right.metadata
    const body = { metadata: { resourceVersion }, spec: { holderIdentity: '' } }
    await client.patch(kind, lease, { type: 'merge', body }, { deadlineMs: timing.retryMs })()
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const result = await attempt()
      if (E.isLeft(result)) log.warn('Cannot renew the lease, trying again', { error: result.left.message })
      if (wasElected && (!isLeader() || (E.isRight(result) && result.right === 'Theirs'))) {
        isLost = true
        log.error('Leadership was lost: the lease was not renewed in time, or another replica took it', { identity })
        return options.onLost()
      }
      if (!wasElected && E.isRight(result) && result.right === 'Ours') {
        wasElected = true
        log.info('This replica leads', { identity })
        tellElected()
      }
      // Half the wait as jitter, so that standbys do not all try in the same moment.
      const waitMs = timing.retryMs * (wasElected ? 1 : 1 + options.random() / 2)
      await clock.sleep(waitMs, signal).catch((cause: unknown) => {
        if (!(cause instanceof Cancelled)) throw cause
      })
    }
    if (isLeader()) await giveUp()
  }

  return { elected, isLeader, stopped: run() }
}
