import * as E from 'fp-ts/lib/Either.js'
import type { CancelSignal } from '@scantling/core'
import { Cancelled, type Clock } from '@scantling/provider-kit'
import type { Log } from '../observability/index.ts'
import type { KubeClient, WatchEnd, WatchEvent } from './client.ts'
import type { KubeError } from './kube-error.ts'
import type { KubeObject, ResourceKind } from './resource-kind.ts'
import { keyOf } from './resource-kind.ts'
import { isNewer } from './resource-version.ts'
import type { StreamedStart } from './streamed-start.ts'

/** Where a list-watch puts what it learns. */
export interface ListWatchSink<A> {
  /** The whole state as of `resourceVersion`; what is not in it is gone. */
  readonly replace: (items: ReadonlyArray<A>, resourceVersion: string) => void
  readonly apply: (event: Exclude<WatchEvent<A>, { readonly _tag: 'Bookmark' }>) => void
  /** The resourceVersion held for a key; `undefined`: the object is not held. */
  readonly versionOf: (key: string) => string | undefined
  readonly keys: () => Iterable<string>
}

/** Counts what went on; each is a metric of the controller. */
export interface ListWatchStats {
  /** Times the whole state was taken, by list or by the beginning of a watch. */
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
  /** Shared by all that follow one server, so that one of them finds out whether a watch can begin with what there is. */
  readonly streamedStart: StreamedStart
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
 * Keeps a sink in step with one kind of object: takes the whole state once, then follows watches, for ever.
 *
 * - The whole state comes as the beginning of a watch, one object at a time, so that a large cluster is never held as
 *   text; by a list in pages where the server does not do that, or did not bring it to its end.
 * - A watch that ends or breaks is resumed from the last resourceVersion seen; only 410, a malformed line or a missed
 *   event leads to a new start. A start that breaks midway changes nothing.
 * - Failures back off exponentially with jitter, or as long as the server asks.
 * - Every `checkEveryMs` a list is compared with the sink while the watch goes on. What the watch should have brought
 *   and did not is counted and repaired.
 *
 * Source: KEP-3157 (watch-list), as client-go's reflector does it.
 */
export const runListWatch = <A extends KubeObject>(options: ListWatchOptions<A>): RunningListWatch => {
  const { client, kind, sink, clock, random, signal, streamedStart } = options
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
  // The newest resourceVersion that the watch has brought us to; empty: the whole state is to be taken first.
  let version = ''
  // The last watch that should have begun with the whole state did not: this time it is listed.
  let isListDue = false
  // What a watch has brought of the whole state so far; it counts when it is complete.
  let initial: Map<string, A> | undefined
  // Ends the watch under way, when what it brings can no longer be trusted.
  let abortWatch = () => {}
  let starts = 0
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

  const begin = (items: ReadonlyArray<A>, asOf: string): void => {
    count('lists')
    sink.replace(items, asOf)
    version = asOf
    starts++
    succeeded()
  }

  const relist = async (): Promise<void> => {
    const items: Array<A> = []
    const listed = await listAll((item) => items.push(item))
    if (E.isLeft(listed)) return failed(listed.left)
    isListDue = false
    begin(items, listed.right)
  }

  const onEvent = (event: WatchEvent<A>): void => {
    if (initial !== undefined) return onInitialEvent(event, initial)
    succeeded()
    if (event._tag === 'Bookmark') {
      version = event.resourceVersion
      return
    }
    count('events')
    if (event._tag !== 'Unreadable') version = event.object.metadata.resourceVersion ?? version
    if (event._tag === 'Deleted') deletedMeanwhile?.add(keyOf(event.object))
    sink.apply(event)
  }

  const onInitialEvent = (event: WatchEvent<A>, items: Map<string, A>): void => {
    streamedStart.told(true)
    switch (event._tag) {
      case 'Added':
      case 'Modified':
        items.set(keyOf(event.object), event.object)
        return
      case 'Deleted':
        items.delete(keyOf(event.object))
        return
      case 'Unreadable':
        items.delete(event.key)
        return
      case 'Bookmark':
        // Any other bookmark means that the server took this for an ordinary watch, which has no such end.
        if (event.endsInitial !== true) return abortWatch()
        initial = undefined
        begin([...items.values()], event.resourceVersion)
    }
  }

  /** One watch; without a version it is to begin with the whole state. */
  const watchOnce = async (): Promise<void> => {
    count('watches')
    const startedMs = clock.nowMs()
    const timeoutSeconds = Math.ceil((watchTimeoutMs * (1 + random())) / 1000)
    const from = version === '' ? {} : { resourceVersion: version }
    initial = version === '' ? new Map() : undefined
    const query = { ...scope, ...from, timeoutSeconds, stallMs }
    const abort = new AbortController()
    const onAbort = () => abort.abort()
    abortWatch = onAbort
    signal.addEventListener('abort', onAbort)
    // It may have ended while another was finding out how to begin.
    if (signal.aborted) onAbort()
    const result = await client.watch(kind, query, (event) => abort.signal.aborted || onEvent(event), abort.signal)()
    signal.removeEventListener('abort', onAbort)
    if (initial !== undefined) return notBegun(result, initial.size > 0)
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

  /** A watch that was to begin with the whole state has ended before that was complete. */
  const notBegun = async (result: E.Either<KubeError, WatchEnd>, hasBegun: boolean): Promise<void> => {
    initial = undefined
    const tag = E.isLeft(result) ? result.left._tag : result.right._tag
    // A server that refuses, or leaves the first who tries without a word, is not asked again.
    streamedStart.told(tag === 'Invalid' || (tag === 'Timeout' && !hasBegun) ? false : undefined)
    const isLost = tag === 'Unreachable' || tag === 'TooManyRequests' || tag === 'Forbidden' || tag === 'NotFound'
    isListDue = !isLost
    if (E.isLeft(result) && isLost) return failed(result.left)
    if (tag === 'Malformed') count('malformedLines')
    if (!signal.aborted) log.debug('The watch did not begin with what there is, listing', { ended: tag })
  }

  const ended = async (end: WatchEnd, lastedMs: number): Promise<void> => {
    switch (end._tag) {
      case 'Malformed':
        count('malformedLines')
        log.warn('The watch brought a line that is no event, starting over', { line: end.line })
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
    const startsBefore = starts
    try {
      // Only versions are kept, so that the check of a large cluster does not hold it twice.
      const versions = new Map<string, string | undefined>()
      const listed = await listAll((item) => versions.set(keyOf(item), item.metadata.resourceVersion))
      if (E.isLeft(listed)) return
      const asOf = listed.right
      const deadlineMs = clock.nowMs() + 2 * stallMs
      while (isNewer(asOf, version)) {
        // Version '' means that everything is taken again anyway; a watch without bookmarks may never say that it has caught up.
        if (version === '' || clock.nowMs() > deadlineMs) return
        await clock.sleep(1000, signal)
      }
      // What went by a new start is no deletion that we were told of.
      if (starts !== startsBefore) return
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
      log.error('The watch missed events, starting over', { missed })
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

  const follow = untilAborted(async () =>
    version === '' && (isListDue || !(await streamedStart.isWorthTrying())) ? relist() : watchOnce(),
  )
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
