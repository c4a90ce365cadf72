import { StatusError, type KubeObject, type Status, type WatchOptions } from '../face.ts'
import { present, type Core, type Target } from './core.ts'
import { expired, forbiddenValue, invalidListOptions } from './failures.ts'
import { parseRevision, selectorOf } from './reading.ts'
import type { Change } from './store.ts'

/** One event on its way to a watcher. `object` is shared; equal objects are the same object, for caches of their bytes. */
export type WatchMessage =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly revision: number; readonly initialEventsEnd: boolean }
  | { readonly type: 'ERROR'; readonly status: Status }

/** Receives messages synchronously, while the change is being committed: it must only note them. */
export interface WatchSink {
  readonly onMessage: (message: WatchMessage) => void
  /** The server is done with this watch (timeout, or after an ERROR). Not called for a stop by the client. */
  readonly onEnd: () => void
}

const bookmarkIntervalMs = 60_000

/**
 * Starts a watch. Sends its first messages before it returns.
 *
 * Errors: 400 for a selector that cannot be parsed and 422 for initial events where they are not served, thrown; 410 for a version no longer kept, as an ERROR message.
 */
export const startWatch = (core: Core, target: Target, options: WatchOptions, sink: WatchSink): (() => void) => {
  if (options.sendInitialEvents !== undefined && !core.isWatchListServed) {
    throw invalidListOptions(
      forbiddenValue(
        'sendInitialEvents',
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      ),
    )
  }
  const matches = selectorOf(target, options)
  const collection = core.store.collection(target.key)
  const from =
    options.resourceVersion === undefined || options.resourceVersion === '' ? 0 : parseRevision(options.resourceVersion)
  const inScope = (object: KubeObject): boolean =>
    target.allNamespaces || (object.metadata.namespace ?? '') === target.namespace
  const selected = (object: KubeObject): boolean => inScope(object) && (matches === undefined || matches(object))
  const send = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) =>
    sink.onMessage({ type, object: present(target.served, object) })

  // An object that begins or ceases to match is added or deleted for this watcher.
  const onChange = ({ type, object, previous, revision }: Change) => {
    if (revision <= from) return
    const before = previous !== undefined && selected(previous)
    if (type === 'DELETED') {
      if (before) send('DELETED', object)
      return
    }
    const now = selected(object)
    if (now) send(before ? 'MODIFIED' : 'ADDED', object)
    else if (before) send('DELETED', object)
  }

  const initial = options.sendInitialEvents === true || (options.sendInitialEvents === undefined && from === 0)
  if (initial) {
    for (const object of collection.sorted(target.allNamespaces ? undefined : target.namespace)) {
      if (matches === undefined || matches(object)) send('ADDED', object)
    }
    if (options.sendInitialEvents === true && options.allowWatchBookmarks === true) {
      sink.onMessage({ type: 'BOOKMARK', revision: core.store.revision(), initialEventsEnd: true })
    }
  } else {
    try {
      // A version this server has not reached comes from before a restart. Kubernetes would wait for it, for ever here.
      if (from > core.store.revision()) {
        throw expired(`resource version ${from} is newer than the newest, ${core.store.revision()}: list again`)
      }
      for (const change of collection.changesAfter(from)) onChange(change)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      sink.onMessage({ type: 'ERROR', status: error.status })
      sink.onEnd()
      return () => undefined
    }
  }

  const stopChanges = collection.subscribe(onChange)
  let cancelBookmark: () => void = () => undefined
  const bookmark = () => {
    sink.onMessage({ type: 'BOOKMARK', revision: core.store.revision(), initialEventsEnd: false })
    cancelBookmark = core.clock.setTimer(bookmarkIntervalMs, bookmark)
  }
  if (options.allowWatchBookmarks === true) cancelBookmark = core.clock.setTimer(bookmarkIntervalMs, bookmark)
  const stop = () => {
    stopChanges()
    cancelBookmark()
    cancelTimeout()
  }
  const cancelTimeout =
    options.timeoutSeconds === undefined
      ? () => undefined
      : core.clock.setTimer(options.timeoutSeconds * 1000, () => {
          if (options.allowWatchBookmarks === true) {
            sink.onMessage({ type: 'BOOKMARK', revision: core.store.revision(), initialEventsEnd: false })
          }
          stop()
          sink.onEnd()
        })
  return stop
}
