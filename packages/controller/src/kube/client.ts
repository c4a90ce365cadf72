import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CancelSignal } from '@scantling/core'
import type { KubeError } from './kube-error.ts'
import type { KubeObject, ObjectRef, ResourceKind } from './resource-kind.ts'

/** Options of one call; the deadline defaults to the client's (30 s). */
export interface CallOptions {
  readonly signal?: CancelSignal
  readonly deadlineMs?: number
}

export interface ListQuery {
  /** Without it: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  /** `'0'`: any version that the server has in its cache. */
  readonly resourceVersion?: string
}

export interface ListPage<A> {
  readonly items: ReadonlyArray<A>
  readonly resourceVersion: string
  /** Present while more pages follow. */
  readonly continue?: string
}

export interface WatchQuery {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Absent: the watch begins with the present state as Added events, closed by a Bookmark that `endsInitial`. */
  readonly resourceVersion?: string
  /** The server ends the watch after this time. */
  readonly timeoutSeconds: number
  /** Without a byte for this long the stream counts as dead (`Timeout`). */
  readonly stallMs: number
}

export type WatchEvent<A> =
  | { readonly _tag: 'Added' | 'Modified' | 'Deleted'; readonly object: A }
  | { readonly _tag: 'Bookmark'; readonly resourceVersion: string; readonly endsInitial?: true }
  /** An object that was added or changed to something that cannot be read; as if it were gone. */
  | { readonly _tag: 'Unreadable'; readonly key: string }

/** How a watch ended without failing: the server closed it, or sent a line that is no event (so events may be lost). */
export type WatchEnd = { readonly _tag: 'Closed' } | { readonly _tag: 'Malformed'; readonly line: string }

/** A patch; `merge` and `json` work on every kind, `strategic` on built-in kinds only. A `test` that fails is a `Conflict`. */
export type PatchBody =
  | { readonly type: 'merge' | 'strategic'; readonly body: object }
  | { readonly type: 'json'; readonly body: ReadonlyArray<object> }

export interface DeleteOptions extends CallOptions {
  /** Preconditions: the delete is a `Conflict` when the object is another by now. */
  readonly uid?: string
  readonly resourceVersion?: string
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

/**
 * The calls that the controller makes to the API server, and no more.
 *
 * Each returns a Left for an expected failure (`KubeError`) and never retries by itself: retrying is the work queue's job.
 * Answers are projected by the kind. A write that ended `Unreachable`, `Timeout` or `Cancelled` may have happened.
 */
export interface KubeClient {
  readonly get: <A extends KubeObject>(
    kind: ResourceKind<A>,
    ref: ObjectRef,
    options?: CallOptions,
  ) => TaskEither<KubeError, A>
  readonly listPage: <A extends KubeObject>(
    kind: ResourceKind<A>,
    query: ListQuery,
    options?: CallOptions,
  ) => TaskEither<KubeError, ListPage<A>>
  /**
   * Follows one watch until it ends; `onEvent` is called synchronously for each event, in order.
   *
   * Errors: `Gone` when the resourceVersion is too old, whether the server says so at once or in the stream; `Invalid`
   * when no resourceVersion was given and the server cannot begin with the present state (before 1.32); `Unreachable` when the connection broke; `Timeout` when it went silent.
   */
  readonly watch: <A extends KubeObject>(
    kind: ResourceKind<A>,
    query: WatchQuery,
    onEvent: (event: WatchEvent<A>) => unknown,
    signal?: CancelSignal,
  ) => TaskEither<KubeError, WatchEnd>
  /** Creates `object` (a whole manifest; apiVersion and kind are filled in) in its own `metadata.namespace`. */
  readonly create: <A extends KubeObject>(
    kind: ResourceKind<A>,
    object: object,
    options?: CallOptions,
  ) => TaskEither<KubeError, A>
  /** Replaces a whole object; `metadata.resourceVersion` in it makes the write conditional. For kinds we hold whole (Lease). */
  readonly update: <A extends KubeObject>(
    kind: ResourceKind<A>,
    object: object,
    options?: CallOptions,
  ) => TaskEither<KubeError, A>
  /** Patches spec and metadata. A `metadata.resourceVersion` in a merge patch makes it conditional (`Conflict`). */
  readonly patch: <A extends KubeObject>(
    kind: ResourceKind<A>,
    ref: ObjectRef,
    patch: PatchBody,
    options?: CallOptions,
  ) => TaskEither<KubeError, A>
  /** As `patch`, on the status sub-resource. */
  readonly patchStatus: <A extends KubeObject>(
    kind: ResourceKind<A>,
    ref: ObjectRef,
    patch: PatchBody,
    options?: CallOptions,
  ) => TaskEither<KubeError, A>
  readonly delete: <A extends KubeObject>(
    kind: ResourceKind<A>,
    ref: ObjectRef,
    options?: DeleteOptions,
  ) => TaskEither<KubeError, void>
  /** Asks for the eviction of a pod. `TooManyRequests` with a `DisruptionBudget` cause: a budget refuses it for now. */
  readonly evict: (ref: ObjectRef, options?: DeleteOptions) => TaskEither<KubeError, void>
  /** The server's `gitVersion` without the `v`: `1.34.2`. */
  readonly serverVersion: (options?: CallOptions) => TaskEither<KubeError, string>
}
