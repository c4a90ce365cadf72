/**
 * The in-process face of the embedded API server: what controllers inside this process program against.
 *
 * It has the same semantics as the HTTP face (both are thin layers over one request pipeline): every object returned is
 * shared with the store and with other readers, so it must never be mutated; a write takes a fresh object or a patch.
 */

/** One entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** What one manager owns of an object, from its first server-side apply on. */
export interface ManagedFields {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time?: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: { readonly [step: string]: unknown }
}

/** Metadata as the server stores it: `uid`, `resourceVersion` and `creationTimestamp` are always present. */
export interface ObjectMeta {
  readonly name: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: ReadonlyArray<string>
  readonly ownerReferences?: ReadonlyArray<OwnerReference>
  readonly managedFields?: ReadonlyArray<ManagedFields>
}

/** A stored object. Never mutated: a write replaces it, so readers may keep it as a snapshot. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

/** An object on its way in: the server fills what is missing of `metadata`, `apiVersion` and `kind`. */
export interface DraftObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Partial<ObjectMeta>
  readonly [field: string]: unknown
}

/** Which resource, and which object or sub-resource of it. The core group is `''`. */
export interface ResourceRef {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** The `Status` object that the API server answers a failed call with. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    readonly causes?: ReadonlyArray<StatusCause>
    readonly retryAfterSeconds?: number
  }
  readonly code?: number
}

/** A call that the API server refused. `code`, `reason` and `details` are what its `Status` says. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: Status
  constructor(status: Status) {
    super(status.message ?? status.reason ?? 'Unknown failure')
    this.status = status
  }
  get code(): number {
    return this.status.code ?? 500
  }
  get reason(): string {
    return this.status.reason ?? ''
  }
  get causes(): ReadonlyArray<StatusCause> {
    return this.status.details?.causes ?? []
  }
}

export interface ListOptions {
  /** As in the API: `app=web,tier in (a,b),!canary`. */
  readonly labelSelector?: string
  /** As in the API: `spec.nodeName=node-1,status.phase!=Failed`. */
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
}

export interface KubeList<T extends KubeObject = KubeObject> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly resourceVersion: string
    readonly continue?: string
    readonly remainingItemCount?: number
  }
  readonly items: ReadonlyArray<T>
}

export interface WriteOptions {
  /** Run everything but the commit. */
  readonly dryRun?: boolean
  readonly fieldManager?: string
  /** Of a server-side apply: take fields from other managers. */
  readonly force?: boolean
  /** What to do with fields that the schema does not know: default `Ignore` in process, `Warn` over HTTP. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
  /** Called with each warning that a real server would put into a `Warning` header. */
  readonly onWarning?: (text: string) => void
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: boolean
}

export interface WatchOptions {
  /** Absent or `'0'`: the present state as ADDED events first. Otherwise: what happened after this version. */
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  /** The present state as ADDED events, closed by a BOOKMARK annotated `k8s.io/initial-events-end: "true"` where bookmarks are allowed. */
  readonly sendInitialEvents?: boolean
  readonly allowWatchBookmarks?: boolean
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** The server ends the watch after this much of the clock's time. Default in process: never. */
  readonly timeoutSeconds?: number
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | {
      readonly type: 'BOOKMARK'
      readonly object: {
        readonly apiVersion: string
        readonly kind: string
        readonly metadata: {
          readonly resourceVersion: string
          readonly annotations?: Readonly<Record<string, string>>
        }
      }
    }
  /** The watch is over; 410 means list again. */
  | { readonly type: 'ERROR'; readonly object: Status }

/**
 * A live, read-only, synchronous view of one resource: no copying, no interceptors, always the newest state.
 *
 * For controllers, which would keep exactly such caches; it saves them the caches, not the watch that wakes them.
 */
export interface ResourceView<T extends KubeObject = KubeObject> {
  readonly size: number
  readonly get: (name: string, namespace?: string) => T | undefined
  readonly byUid: (uid: string) => T | undefined
  /** All objects, or those of one namespace, in order of creation of their keys. Cost: O(result). */
  readonly values: (namespace?: string) => IterableIterator<T>
  /** Objects with an owner reference (of any kind) to this UID. Cost: O(result). */
  readonly ownedBy: (ownerUid: string) => IterableIterator<T>
  /** Pods by `spec.nodeName`; `''` gives those not yet bound. Empty for other resources. Cost: O(result). */
  readonly onNode: (nodeName: string) => IterableIterator<T>
}

/**
 * One client of the embedded API server.
 *
 * Errors: every method rejects with a `StatusError`; a `watch` reports its failure as an ERROR event, then ends.
 */
export interface Face {
  readonly get: <T extends KubeObject = KubeObject>(ref: ResourceRef) => Promise<T>
  readonly list: <T extends KubeObject = KubeObject>(ref: ResourceRef, options?: ListOptions) => Promise<KubeList<T>>
  /** With `subresource: 'binding' | 'eviction'` and the pod's name in `ref`, posts to that sub-resource. */
  readonly create: <T extends KubeObject = KubeObject>(
    ref: ResourceRef,
    body: DraftObject,
    options?: WriteOptions,
  ) => Promise<T>
  /** Replaces the object; a `metadata.resourceVersion` in the body must be the current one. */
  readonly update: <T extends KubeObject = KubeObject>(
    ref: ResourceRef,
    body: DraftObject,
    options?: WriteOptions,
  ) => Promise<T>
  readonly patch: <T extends KubeObject = KubeObject>(
    ref: ResourceRef,
    type: PatchType,
    body: unknown,
    options?: WriteOptions,
  ) => Promise<T>
  /** Resolves to the object as it was last (or with its deletionTimestamp, when something still holds it). */
  readonly delete: <T extends KubeObject = KubeObject>(ref: ResourceRef, options?: DeleteOptions) => Promise<T>
  /**
   * Calls `onEvent` in order, never from inside another call (a microtask later at the earliest).
   *
   * The returned function stops it; `onEnd` is called once when the server ends it (timeout, or after an ERROR).
   */
  readonly watch: <T extends KubeObject = KubeObject>(
    ref: ResourceRef,
    options: WatchOptions,
    onEvent: (event: WatchEvent<T>) => void,
    onEnd?: () => void,
  ) => () => void
  /** Throws a 404 `StatusError` for a resource that is not registered. `group` is `''` for the core group. */
  readonly peek: <T extends KubeObject = KubeObject>(group: string, plural: string) => ResourceView<T>
}

/** A reference to a whole resource: `resource('apps/v1', 'deployments')`, `resource('v1', 'pods')`. */
export const resource = (apiVersion: string, plural: string): ResourceRef => {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion, plural }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), plural }
}

/** A reference to the same place as `object`: its namespace and name, and optionally a sub-resource of it. */
export const refTo = (
  base: ResourceRef,
  object: { readonly metadata: { readonly name: string; readonly namespace?: string } },
  subresource?: string,
): ResourceRef => ({
  group: base.group,
  version: base.version,
  plural: base.plural,
  name: object.metadata.name,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  ...(subresource === undefined ? {} : { subresource }),
})
