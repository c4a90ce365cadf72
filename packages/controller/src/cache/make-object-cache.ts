import { type KubeObject, type ListWatchSink, type ResourceKind, isNewer, keyOf } from '../kube/index.ts'
import type { Change, Indexers, ObjectCache } from './object-cache.ts'

export interface ObjectCacheOptions<A extends KubeObject, I extends string> {
  readonly kind: ResourceKind<A>
  readonly indexers: Indexers<A, I>
  /** A listener threw: a bug, which must not end the watch that called it. */
  readonly onListenerError: (cause: unknown) => void
}

/** A cache for readers and the sink through which list-watch fills it. */
export interface FilledCache<A extends KubeObject, I extends string> {
  readonly cache: ObjectCache<A, I>
  readonly sink: ListWatchSink<A>
}

// Enough to outlive the race between an answer to a write and the watch event of the delete that followed it.
const rememberedDeletes = 4096

export const makeObjectCache = <A extends KubeObject, I extends string>(
  options: ObjectCacheOptions<A, I>,
): FilledCache<A, I> => {
  const { kind, indexers } = options
  const objects = new Map<string, A>()
  const indexes = new Map<string, Map<string, Map<string, A>>>()
  const indexNames = Object.keys(indexers) as Array<I>
  for (const name of indexNames) indexes.set(name, new Map())
  const listeners = new Set<(change: Change<A>) => void>()
  const deletedUids = new Set<string>()
  let synced = false

  const indexValues = (name: I, object: A): ReadonlyArray<string> => {
    const values = indexers[name](object)
    return values === undefined ? [] : typeof values === 'string' ? [values] : values
  }

  const unindex = (key: string, object: A) => {
    for (const name of indexNames) {
      const index = indexes.get(name) as Map<string, Map<string, A>>
      for (const value of indexValues(name, object)) {
        const bucket = index.get(value)
        bucket?.delete(key)
        if (bucket?.size === 0) index.delete(value)
      }
    }
  }

  const reindex = (key: string, object: A) => {
    for (const name of indexNames) {
      const index = indexes.get(name) as Map<string, Map<string, A>>
      for (const value of indexValues(name, object)) {
        const bucket = index.get(value)
        if (bucket === undefined) index.set(value, new Map([[key, object]]))
        else bucket.set(key, object)
      }
    }
  }

  const tell = (change: Change<A>) => {
    for (const listener of listeners) {
      try {
        listener(change)
      } catch (cause) {
        options.onListenerError(cause)
      }
    }
  }

  const put = (current: A) => {
    const key = keyOf(current)
    const previous = objects.get(key)
    const version = current.metadata.resourceVersion
    if (previous !== undefined) {
      const held = previous.metadata.resourceVersion
      if (version !== undefined && !isNewer(version, held)) return
      unindex(key, previous)
    }
    objects.set(key, current)
    reindex(key, current)
    if (previous === undefined) tell({ _tag: 'Added', key, current })
    else if (previous.metadata.uid !== current.metadata.uid) {
      // The name was given to a new object; whoever tracks by uid must see the old one go.
      tell({ _tag: 'Deleted', key, previous })
      tell({ _tag: 'Added', key, current })
    } else tell({ _tag: 'Modified', key, previous, current })
  }

  const remove = (key: string, previous: A) => {
    objects.delete(key)
    unindex(key, previous)
    const uid = previous.metadata.uid
    if (uid !== undefined) {
      deletedUids.add(uid)
      for (const oldest of deletedUids) {
        if (deletedUids.size <= rememberedDeletes) break
        deletedUids.delete(oldest)
      }
    }
    tell({ _tag: 'Deleted', key, previous })
  }

  const cache: ObjectCache<A, I> = {
    kind,
    synced: () => synced,
    size: () => objects.size,
    get: (key) => objects.get(key),
    values: () => objects.values(),
    by: (name, value) => {
      const bucket = indexes.get(name)?.get(value)
      return bucket === undefined ? [] : [...bucket.values()]
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    observe: (object) => {
      const uid = object.metadata.uid
      if (uid !== undefined && deletedUids.has(uid)) return
      put(object)
    },
  }

  const sink: ListWatchSink<A> = {
    versionOf: (key) => {
      const held = objects.get(key)
      return held === undefined ? undefined : (held.metadata.resourceVersion ?? '')
    },
    keys: () => objects.keys(),
    apply: (event) => {
      if (event._tag === 'Unreadable') {
        const held = objects.get(event.key)
        return held === undefined ? undefined : remove(event.key, held)
      }
      if (event._tag !== 'Deleted') return put(event.object)
      const key = keyOf(event.object)
      const held = objects.get(key)
      if (held === undefined) return
      // The delete of an older namesake, while our own create of the new one was taken in first.
      if (held.metadata.uid !== event.object.metadata.uid) return
      remove(key, held)
    },
    replace: (items, resourceVersion) => {
      const listed = new Set<string>()
      for (const item of items) {
        listed.add(keyOf(item))
        put(item)
      }
      for (const [key, held] of objects) {
        // Newer than the list: our own write, whose event the next watch will bring.
        if (!listed.has(key) && !isNewer(held.metadata.resourceVersion, resourceVersion)) remove(key, held)
      }
      synced = true
    },
  }
  return { cache, sink }
}
