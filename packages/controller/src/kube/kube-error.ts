/** One detail of a refusal, as the API server states it (`status.details.causes`). */
export interface StatusCause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

/**
 * Every expected failure of a call to the API server; callers act on `_tag`, people read `message`.
 *
 * - `NotFound`: the object, or its whole kind, is not there.
 * - `Conflict`: the object changed since it was read, or a precondition (uid, resourceVersion) did not hold. Read again.
 * - `AlreadyExists`: a create found the name taken.
 * - `Gone`: the resourceVersion or continue token is older than the server's history. List again.
 * - `TooManyRequests`: throttled, or an eviction that a disruption budget refuses (`causes` holds `DisruptionBudget`).
 * - `Invalid`: the server refused the object; `causes` names the fields.
 * - `Forbidden`: credentials missing, expired (401) or without the right (403).
 * - `Unreachable`: no answer came: refused, reset, unknown host, TLS. The effect of a write may have happened.
 * - `Timeout`: the client-side deadline passed. The effect of a write may have happened.
 * - `Cancelled`: the caller's signal aborted. The effect of a write may have happened.
 * - `Unknown`: anything else, 5xx included; retried with back-off.
 */
export type KubeError = {
  /** A sentence that names the call, the object and the server's words. */
  readonly message: string
  readonly status?: number
  /** The API server's own word, such as `AlreadyExists` or `Expired`. */
  readonly reason?: string
  readonly retryAfterMs?: number
  readonly cause?: unknown
} & (
  | { readonly _tag: 'TooManyRequests' | 'Invalid'; readonly causes: ReadonlyArray<StatusCause> }
  | {
      readonly _tag:
        | 'NotFound'
        | 'Conflict'
        | 'AlreadyExists'
        | 'Gone'
        | 'Forbidden'
        | 'Unreachable'
        | 'Timeout'
        | 'Cancelled'
        | 'Unknown'
    }
)
