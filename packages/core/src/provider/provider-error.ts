/**
 * An expected failure of a call to a cloud.
 *
 * What the shell does, by tag:
 *
 * | tag | effect |
 * |---|---|
 * | InstanceNotFound | gone: finish the termination, or collect the claim |
 * | InsufficientCapacity | delete the claim; plan again |
 * | NodeClassNotReady | delete the claim; resolve again |
 * | QuotaExceeded | reason on Launched; the same claim again with the candidates that remain, none: as InsufficientCapacity |
 * | InvalidRequest, Unauthorized | reason on Launched; back off, never stop for good |
 * | Throttled, Unknown | back off |
 */
export type ProviderError = {
  /** A sentence without a final period. */
  readonly message: string
  /** The cloud's own code. */
  readonly code?: string
  /** Logged. */
  readonly cause?: unknown
  readonly requestId?: string
  /** Replaces the shell's back-off. */
  readonly retryAfterMs?: number
} & (
  | { readonly _tag: 'InstanceNotFound' }
  | { readonly _tag: 'InsufficientCapacity' }
  | { readonly _tag: 'NodeClassNotReady' }
  | { readonly _tag: 'QuotaExceeded'; readonly quota?: string }
  | { readonly _tag: 'InvalidRequest'; readonly field?: string }
  | { readonly _tag: 'Unauthorized'; readonly action?: string }
  | { readonly _tag: 'Throttled' }
  | { readonly _tag: 'Unknown' }
)
