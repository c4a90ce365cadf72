/** The object that an event is about. */
export interface EventTarget {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
}

export interface EventRecord {
  readonly on: EventTarget
  readonly type: 'Normal' | 'Warning'
  /** The reference's reason: `Nominated`, `FailedScheduling`, `DisruptionBlocked`. */
  readonly reason: string
  readonly message: string
  /** With the reason, what makes two events the same (default: the target's uid or name); empty: never the same. */
  readonly dedupe?: ReadonlyArray<string>
  /** How long an equal event is suppressed (default 2 min). */
  readonly ttlMs?: number
  /** A token bucket that all events of this reason share, checked after dedupe. */
  readonly limit?: { readonly perSecond: number; readonly burst: number }
}

/** Writes Kubernetes events in the background; recording never blocks, never fails, and is bounded in memory. */
export interface EventRecorder {
  readonly record: (event: EventRecord) => void
}
