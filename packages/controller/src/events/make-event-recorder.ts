import * as E from 'fp-ts/lib/Either.js'
import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { KubeClient, ResourceKind } from '../kube/index.ts'
import { type Log, type Metrics, families } from '../observability/index.ts'
import type { EventRecord, EventRecorder } from './event-recorder.ts'

export interface EventRecorderOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly log: Log
  /** Ends the writing; what is still queued then is dropped. */
  readonly signal: CancelSignal
}

const eventKind: ResourceKind = {
  apiVersion: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  // What the server answers is of no interest.
  project: () => E.right({ metadata: {} }),
}

const component = 'karpenter'
const defaultTtlMs = 120_000
// At these bounds the newest events are dropped and the oldest memories forgotten: an event is a courtesy, not state.
const maxQueued = 2000
const maxRemembered = 20_000
const writers = 4

/**
 * Source: parity rows E-REC-01 to E-REC-04 and P-OBS-01.
 *
 * Equal events (same reason and dedupe values) within their TTL are written once; then the reason's token bucket, if it
 * has one, decides.
 */
export const makeEventRecorder = (options: EventRecorderOptions): EventRecorder => {
  const { client, clock, metrics, log, signal } = options
  const queue: Array<EventRecord> = []
  const untilMs = new Map<string, number>()
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  let writing = 0

  const isRepeat = (event: EventRecord): boolean => {
    const dedupe = event.dedupe ?? [event.on.uid ?? `${event.on.namespace ?? ''}/${event.on.name}`]
    if (dedupe.length === 0) return false
    const key = JSON.stringify([event.reason.toLowerCase(), event.on.kind, ...dedupe])
    const nowMs = clock.nowMs()
    if ((untilMs.get(key) ?? -Infinity) > nowMs) return true
    // Deleted first, so that the map stays in the order of writing and its first entry is the oldest.
    untilMs.delete(key)
    untilMs.set(key, nowMs + (event.ttlMs ?? defaultTtlMs))
    for (const [oldest, expiresMs] of untilMs) {
      if (expiresMs > nowMs && untilMs.size <= maxRemembered) break
      untilMs.delete(oldest)
    }
    return false
  }

  const isOverLimit = ({ reason, limit }: EventRecord): boolean => {
    if (limit === undefined) return false
    const nowMs = clock.nowMs()
    const bucket = buckets.get(reason) ?? { tokens: limit.burst, atMs: nowMs }
    const tokens = Math.min(limit.burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * limit.perSecond)
    buckets.set(reason, { tokens: tokens < 1 ? tokens : tokens - 1, atMs: nowMs })
    return tokens < 1
  }

  const write = async (): Promise<void> => {
    for (let event = queue.shift(); event !== undefined && !signal.aborted; event = queue.shift()) {
      const result = await client.create(eventKind, manifestOf(event), { signal })()
      if (E.isLeft(result)) {
        metrics.add(families.eventsDropped, { cause: result.left._tag })
        log.debug('Cannot write an event', { error: result.left.message, reason: event.reason })
      }
    }
  }

  const manifestOf = ({ on, type, reason, message }: EventRecord): object => {
    const nowMs = clock.nowMs()
    const timestamp = `${new Date(nowMs).toISOString().slice(0, 19)}Z`
    // Time and chance make the name unique, as client-go's do; events are never updated here.
    const suffix = `${nowMs.toString(16)}${Math.floor(options.random() * 2 ** 32).toString(16)}`
    const namespace = on.namespace ?? 'default'
    return {
      metadata: { name: `${on.name}.${suffix}`, namespace },
      involvedObject: {
        apiVersion: on.apiVersion,
        kind: on.kind,
        name: on.name,
        ...(on.namespace === undefined ? {} : { namespace: on.namespace }),
        ...(on.uid === undefined ? {} : { uid: on.uid }),
      },
      type,
      reason,
      // The server refuses longer ones.
      message: message.slice(0, 1024),
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
    }
  }

  return {
    record: (event) => {
      if (signal.aborted || isRepeat(event)) return
      if (isOverLimit(event)) return metrics.add(families.eventsDropped, { cause: 'RateLimit' })
      if (queue.length >= maxQueued) return metrics.add(families.eventsDropped, { cause: 'QueueFull' })
      queue.push(event)
      if (writing >= writers) return
      writing++
      void write().finally(() => writing--)
    },
  }
}
