import * as E from 'fp-ts/lib/Either.js'
import type { CancelSignal } from '@scantling/core'
import { Cancelled, type Clock } from '@scantling/provider-kit'
import type { Log } from '../observability/index.ts'
import type { KubeClient, WatchEnd, WatchEvent } from './client.ts'
import type { KubeError } from './kube-error.ts'
import type { KubeObject, ResourceKind } from './resource-kind.ts'
import { keyOf } from './resource-kind.ts'
import { isNewer } from './resource-version.ts'

/** Where a list-watch puts what it learns. */
export interface ListWatchSink<A> {
  /** A full list as of `resourceVersion`; what is not in it is gone. */
  readonly replace: (items: ReadonlyArray<A>, resourceVersion: string) => void
  readonly apply: (event: Exclude<WatchEvent<A>, { readonly _tag: 'Bookmark' }>) => void
  /** The resourceVersion held for a key; `undefined`: the object is not held. */
  readonly versionOf: (key: string) => string | undefined
  readonly keys: () => Iterable<string>
}

/** Counts what went on; each is a metric of the controller. */
export interface ListWatchStats {
  readonly lists: number
  readonly watches: number
  readonly events: number
  /** Watches that broke, went silent or were refused. */
  readonly failures: number
  /** Lines that were no event; each forces a list. */
  readonly malformedLines: number
  /** Times the server had forgotten our resourceVersion (410). */
  readonly expirations: number
  /** Changes that the periodic check found and no watch had brought. Anything but 0 is a bug, ours or the server's. */
  readonly missedEvents: number
}

export interface ListWatchOptions<A extends KubeObject> {
  readonly client: KubeClient
  readonly kind: ResourceKind<A>
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly sink: ListWatchSink<A>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Ends the list-watch. */
  readonly signal: CancelSignal
  readonly onStats?: (stats: ListWatchStats) => void
  readonly pageSize?: number
  /** While it says so, pages are small and nothing is compared with the server again (default: never). */
  readonly isMemoryShort?: () => boolean
  /** A watch lasts between once and twice this long, so that many do not end together (5 min). */
  readonly watchTimeoutMs?: number
  /** A watch without a byte for this long is dead; servers send bookmarks every minute (90 s). */
  readonly stallMs?: number
  /** How often a fresh list is compared with what the watch brought (10 min, jittered). */
  readonly checkEveryMs?: number
  /** First and longest back-off after a failure (200 ms, 30 s). */
  readonly backoffMs?: { readonly first: number; readonly longest: number }
}

export interface RunningListWatch {
  readonly stats: () => ListWatchStats
  /** The last failure while there has been no success since; for readiness and its message. */
  readonly lastError: () => KubeError | undefined
  /** Resolves after the signal aborted. */
  readonly stopped: Promise<void>
}

const smallPage = 50

/**
 * Keeps a sink in step with one kind of object: lists once, then follows watches, for ever.
 *
 * - A watch that ends or breaks is resumed from the last resourceVersion seen; only 410, a malformed line or a missed
 *   event leads to a new list.
 * - Failures back off exponentially with jitter, or as long as the server asks.
 * - Every `checkEveryMs` a list is compared with the sink while the watch goes on. What the watch should have brought
 *   and did not is counted and repaired.
 */
export const runListWatch = <A extends KubeObject>(options: ListWatchOptions<A>): RunningListWatch => {
  const { client, kind, sink, clock, random, signal } = options
  const { isMemoryShort = () => false } = options
  const { pageSize = 500, watchTimeoutMs = 300_000, stallMs = 90_000, checkEveryMs = 600_000 } = options
  const backoffMs = options.backoffMs ?? { first: 200, longest: 30_000 }
  const log = options.log.with({ resource: kind.plural })
  const scope = {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  }
  const stats = { lists: 0, watches: 0, events: 0, failures: 0, malformedLines: 0, expirations: 0, missedEvents: 0 }
  let lastError: KubeError | undefined
  let failuresInRow = 0
  // The newest resourceVersion that the watch has brought us to; empty: list first.
  let version = ''
  // Ends the watch under way, when what it brings can no longer be trusted.
  let abortWatch = () => {}
  // Keys deleted while a check is under way: the list that it compares with may still hold them.
  let deletedMeanwhile: Set<string> | undefined

  const count = (name: keyof ListWatchStats, by = 1) => {
    stats[name] += by
    options.onStats?.(stats)
  }

  const succeeded = () => {
    failuresInRow = 0
    lastError = undefined
  }

  const failed = async (error: KubeError): Promise<void> => {
    if (error._tag === 'Cancelled') return
    count('failures')
    lastError = error
    const exponential = Math.min(backoffMs.first * 2 ** Math.min(failuresInRow, 16), backoffMs.longest)
    failuresInRow++
    const delayMs = error.retryAfterMs ?? exponential * (0.5 + random() / 2)
    // A connection that breaks once is everyday life; one that stays broken is worth a line.
    const level = failuresInRow >= 3 || error._tag === 'Forbidden' ? 'warn' : 'debug'
    log[level]('Cannot follow the API server, trying again', {
      error: error.message,
      'retry-after-ms': Math.round(delayMs),
    })
    await clock.sleep(delayMs, signal)
  }

  /** Lists all pages; `keep` takes each object as its page arrives. Right: the version that the list shows. */
  const listAll = async (keep: (item: A) => void): Promise<E.Either<KubeError, string>> => {
    let next: string | undefined
    for (;;) {
      const limit = isMemoryShort() ? Math.min(pageSize, smallPage) : pageSize
      const query = { ...scope, limit, ...(next === undefined ? {} : { continue: next }) }
      const page = await client.listPage(kind, query, { signal })()
      if (E.isLeft(page)) return page
      page.right.items.forEach(keep)
      next = page.right.continue
      // All pages show the state at the first page's version, which every page repeats.
      if (next === undefined) return E.right(page.right.resourceVersion)
    }
  }

  const relist = async (): Promise<void> => {
    count('lists')
    const items: Array<A> = []
    const listed = await listAll((item) => items.push(item))
    if (E.isLeft(listed)) return failed(listed.left)
    sink.replace(items, listed.right)
    version = listed.right
    succeeded()
  }

  const onEvent = (event: WatchEvent<A>): void => {
    failuresInRow = 0
    lastError = undefined
    if (event._tag === 'Bookmark') {
      version = event.resourceVersion
      return
    }
    count('events')
    if (event._tag !== 'Unreadable') version = event.object.metadata.resourceVersion ?? version
    if (event._tag === 'Deleted') deletedMeanwhile?.add(keyOf(event.object))
    sink.apply(event)
  }

  const watchOnce = async (): Promise<void> => {
    count('watches')
    const startedMs = clock.nowMs()
    const timeoutSeconds = Math.ceil((watchTimeoutMs * (1 + random())) / 1000)
    const query = { ...scope, resourceVersion: version, timeoutSeconds, stallMs }
    const abort = new AbortController()
    const onAbort = () => abort.abort()
    abortWatch = onAbort
    signal.addEventListener('abort', onAbort)
    const result = await client.watch(kind, query, (event) => abort.signal.aborted || onEvent(event), abort.signal)()
    signal.removeEventListener('abort', onAbort)
    if (abort.signal.aborted) return
    if (E.isLeft(result)) {
      if (result.left._tag === 'Gone') {
        count('expirations')
        version = ''
        return
      }
      // An answer that no repetition of this watch will change is worth a fresh start.
      if (result.left._tag === 'Invalid' || result.left._tag === 'Unknown') version = ''
      return failed(result.left)
    }
    return ended(result.right, clock.nowMs() - startedMs)
  }

  const ended = async (end: WatchEnd, lastedMs: number): Promise<void> => {
    switch (end._tag) {
      case 'Malformed':
        count('malformedLines')
        log.warn('The watch brought a line that is no event, listing again', { line: end.line })
        version = ''
        return
      case 'Closed':
        // A server that closes each watch at once would otherwise be asked in a tight loop.
        if (lastedMs < 1000) await clock.sleep(backoffMs.first * (0.5 + random()), signal)
        return
    }
  }

  /** Compares a fresh list with the sink, once the watch has come as far as the list. */
  const check = async (): Promise<void> => {
    deletedMeanwhile = new Set()
    try {
      // Only versions are kept, so that the check of a large cluster does not hold it twice.
      const versions = new Map<string, string | undefined>()
      const listed = await listAll((item) => versions.set(keyOf(item), item.metadata.resourceVersion))
      if (E.isLeft(listed)) return
      const asOf = listed.right
      const deadlineMs = clock.nowMs() + 2 * stallMs
      while (isNewer(asOf, version)) {
        // Version '' means that a list is due anyway; a watch without bookmarks may never say that it has caught up.
        if (version === '' || clock.nowMs() > deadlineMs) return
        await clock.sleep(1000, signal)
      }
      let missed = 0
      for (const [key, itemVersion] of versions) {
        const held = sink.versionOf(key)
        if (held === undefined ? !deletedMeanwhile.has(key) : isNewer(itemVersion, held)) missed++
      }
      for (const key of sink.keys()) {
        if (!versions.has(key) && !isNewer(sink.versionOf(key), asOf)) missed++
      }
      if (missed === 0) return
      count('missedEvents', missed)
      log.error('The watch missed events, listing again', { missed })
      version = ''
      abortWatch()
    } finally {
      deletedMeanwhile = undefined
    }
  }

  const untilAborted = async (pass: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        await pass()
      } catch (cause) {
        if (cause instanceof Cancelled) return
        throw cause
      }
    }
  }

  const follow = untilAborted(() => (version === '' ? relist() : watchOnce()))
  const checks = untilAborted(async () => {
    await clock.sleep(checkEveryMs * (0.5 + random()), signal)
    if (version !== '' && !isMemoryShort()) await check()
  })
  return {
    stats: () => ({ ...stats }),
    lastError: () => lastError,
    stopped: Promise.all([follow, checks]).then(() => undefined),
  }
}
