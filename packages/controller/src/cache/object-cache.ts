import type { KubeObject, ResourceKind } from '../kube/index.ts'

/** One step in the life of a cached object. */
export type Change<A> =
  | { readonly _tag: 'Added'; readonly key: string; readonly current: A }
  | { readonly _tag: 'Modified'; readonly key: string; readonly previous: A; readonly current: A }
  | { readonly _tag: 'Deleted'; readonly key: string; readonly previous: A }

/** Secondary keys of an object: `{ byNode: (pod) => pod.spec.nodeName ?? [] }`. */
export type Indexers<A, I extends string> = {
  readonly [K in I]: (object: A) => string | ReadonlyArray<string> | undefined
}

/** What readers see of a cache: lookups are synchronous and reflect the last event applied. */
export interface ObjectCache<A extends KubeObject, I extends string = never> {
  readonly kind: ResourceKind<A>
  /** Whether a full list has been applied since the start. */
  readonly synced: () => boolean
  readonly size: () => number
  /** By `namespace/name`, or `name` for cluster-scoped kinds. */
  readonly get: (key: string) => A | undefined
  readonly values: () => IterableIterator<A>
  /** The objects whose index `name` yields `value`, in no particular order. */
  readonly by: (name: I, value: string) => ReadonlyArray<A>
  /** Calls `listener` synchronously after each change. The returned function removes it. */
  readonly onChange: (listener: (change: Change<A>) => void) => () => void
  /**
   * Takes in the answer to one of our own writes, so that the next read sees it before the watch does.
   *
   * Older than what is cached, or known to be deleted: ignored.
   */
  readonly observe: (object: A) => void
}
