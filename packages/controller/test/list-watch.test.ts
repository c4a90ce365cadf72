import type { ServerResponse } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '@scantling/provider-kit'
import { makeObjectCache } from '../src/cache/index.ts'
import {
  type KubeObject,
  type ListWatchOptions,
  type ResourceKind,
  loadConnection,
  makeHttpClient,
  makeStreamedStart,
  makeTransport,
  runListWatch,
} from '../src/kube/index.ts'
import { silentLog } from './silent-log.ts'
import { type Asked, json, startScriptedServer, statusBody, watchLine } from './scripted-server.ts'

const pods: ResourceKind = {
  apiVersion: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  project: (raw) => E.right(raw as KubeObject),
}

interface Logged {
  readonly version: number
  readonly line: string
}

/** What a toy server makes of a watch that is to begin with what there is. */
type WatchList = 'served' | 'refused' | 'ignored' | 'silent' | 'cut'

/** A toy API server of one kind: versions, pages, watches from a version or with what there is, and faults on demand. */
const startToyServer = async (watchList: WatchList = 'served') => {
  const objects = new Map<string, KubeObject>()
  const history: Array<Logged> = []
  const watches = new Set<ServerResponse>()
  let version = 100
  let oldest = 0
  // Each list or watch request takes the next fault, if any.
  const faults: Array<(asked: Asked, response: ServerResponse) => boolean> = []
  // Events that no watch is told, as if the server had lost them.
  let muted = false

  const emit = (type: string, object: KubeObject) => {
    const line = watchLine(type, object)
    if (muted) return
    history.push({ version, line })
    for (const watch of watches) watch.write(line)
  }
  const put = (name: string) => {
    version++
    const before = objects.get(name)
    const object = {
      metadata: {
        name,
        namespace: 'default',
        uid: before?.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(version),
      },
    }
    objects.set(name, object)
    emit(before === undefined ? 'ADDED' : 'MODIFIED', object)
    return object
  }
  const remove = (name: string) => {
    version++
    const before = objects.get(name) as KubeObject
    objects.delete(name)
    emit('DELETED', { metadata: { ...before.metadata, resourceVersion: String(version) } })
  }
  const bookmark = () => {
    for (const watch of watches) watch.write(watchLine('BOOKMARK', { metadata: { resourceVersion: String(version) } }))
  }

  const server = await startScriptedServer((asked, response) => {
    if (faults.shift()?.(asked, response)) return
    if (asked.query.get('watch') === null) {
      const limit = Number(asked.query.get('limit'))
      const [listVersion, start] = (asked.query.get('continue') ?? `${version}:0`).split(':')
      const names = [...objects.keys()]
      const from = Number(start)
      const items = names.slice(from, from + limit).map((name) => objects.get(name))
      const more = from + limit < names.length ? { continue: `${listVersion}:${from + limit}` } : {}
      return json(response, 200, { metadata: { resourceVersion: listVersion, ...more }, items })
    }
    if (asked.query.get('sendInitialEvents') === 'true' && watchList !== 'ignored') {
      if (watchList === 'refused')
        return json(response, 422, statusBody(422, 'Invalid', 'sendInitialEvents: Forbidden'))
      response.writeHead(200)
      response.flushHeaders()
      if (watchList === 'silent') return
      for (const object of objects.values()) response.write(watchLine('ADDED', object))
      if (watchList === 'cut') return void response.end()
      const annotations = { 'k8s.io/initial-events-end': 'true' }
      response.write(watchLine('BOOKMARK', { metadata: { resourceVersion: String(version), annotations } }))
      watches.add(response)
      response.on('close', () => watches.delete(response))
      return
    }
    const from = Number(asked.query.get('resourceVersion'))
    if (from < oldest) return json(response, 410, statusBody(410, 'Expired', 'too old resource version'))
    response.writeHead(200)
    response.flushHeaders()
    for (const logged of history) if (logged.version > from) response.write(logged.line)
    watches.add(response)
    response.on('close', () => watches.delete(response))
  })
  return {
    ...server,
    put,
    remove,
    bookmark,
    faults,
    mute: (on: boolean) => (muted = on),
    compact: () => (oldest = version),
    /** Adds an object unseen by any watch, and breaks them all, too old by then to be resumed. */
    forget: (unseen: string) => {
      muted = true
      put(unseen)
      muted = false
      oldest = version
      watches.forEach((watch) => watch.destroy())
    },
    cut: () => watches.forEach((watch) => watch.destroy()),
    end: () => {
      for (const watch of watches) watch.end()
      watches.clear()
    },
    write: (text: string) => watches.forEach((watch) => watch.write(text)),
    watching: () => watches.size,
    names: () => [...objects.keys()].sort(),
    streams: () => server.asked.filter((asked) => asked.query.get('sendInitialEvents') === 'true').length,
    lists: () => server.asked.filter((asked) => asked.query.get('watch') === null).length,
  }
}

const closers: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const follow = async (url: string, overrides: Partial<ListWatchOptions<KubeObject>> = {}) => {
  const connection = await loadConnection({ server: url, env: {}, clock: systemClock })()
  if (E.isLeft(connection)) throw new Error(connection.left)
  const transport = makeTransport(connection.right, systemClock)
  const stop = new AbortController()
  const { cache, sink } = makeObjectCache({ kind: pods, indexers: {}, onListenerError: () => undefined })
  const running = runListWatch({
    client: makeHttpClient({ transport, clock: systemClock, deadlineMs: 2000 }),
    kind: pods,
    sink,
    clock: systemClock,
    random: () => 0.5,
    log: silentLog,
    signal: stop.signal,
    streamedStart: makeStreamedStart(true),
    backoffMs: { first: 5, longest: 20 },
    ...overrides,
  })
  closers.push(async () => {
    stop.abort()
    await running.stopped
    transport.close()
  })
  return { cache, running }
}

const until = async (what: string, holds: () => boolean) => {
  const deadlineMs = Date.now() + 4000
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const start = async (
  overrides: Partial<ListWatchOptions<KubeObject>> = {},
  before: (toy: Awaited<ReturnType<typeof startToyServer>>) => void = () => undefined,
  watchList: WatchList = 'served',
) => {
  const toy = await startToyServer(watchList)
  closers.push(toy.close)
  toy.put('a')
  toy.put('b')
  toy.put('c')
  before(toy)
  const { cache, running } = await follow(toy.url, overrides)
  const inStep = () =>
    until(
      'the cache is in step',
      () =>
        cache.synced() &&
        [...cache.values()]
          .map((each) => String(each.metadata.name))
          .sort()
          .join() === toy.names().join(),
    )
  await inStep()
  await until('a watch is open', () => toy.watching() > 0)
  return { toy, cache, running, inStep }
}

describe('runListWatch() on a server that begins watches with what there is', () => {
  test('lists nothing', async () => {
    const { toy, running, inStep } = await start()
    toy.put('d')
    toy.remove('a')
    await inStep()
    expect(toy.lists()).toBe(0)
    expect(running.stats()).toMatchObject({ lists: 1, watches: 1, events: 2, failures: 0 })
  })

  test('lets go what a new start does not bring, and nothing when the start breaks midway', async () => {
    const { toy, cache, running, inStep } = await start()
    toy.mute(true)
    toy.put('d')
    toy.remove('b')
    toy.mute(false)
    toy.compact()
    let seenMidway = ''
    const object = { metadata: { name: 'a', namespace: 'default', uid: 'uid-101', resourceVersion: '101' } }
    toy.faults.push(
      () => false,
      (_asked, response) => {
        response.write(watchLine('ADDED', object))
        setTimeout(() => {
          seenMidway = [...cache.values()].map(({ metadata }) => metadata.name).join()
          response.destroy()
        }, 30)
        return true
      },
    )
    toy.cut()
    await inStep()
    expect(seenMidway).toBe('a,b,c')
    expect(running.stats()).toMatchObject({ expirations: 1, lists: 2, failures: 2 })
    expect(toy.lists()).toBe(0)
  })

  test('takes what changes while it begins', async () => {
    const { cache } = await start({}, (toy) => {
      toy.faults.push((_asked, response) => {
        const of = (name: string, resourceVersion: string) => ({
          metadata: { name, namespace: 'default', uid: name, resourceVersion },
        })
        response.write(watchLine('ADDED', of('a', '101')) + watchLine('ADDED', of('gone', '99')))
        response.write(watchLine('ADDED', of('b', '102')) + watchLine('MODIFIED', of('b', '103')))
        response.write(watchLine('DELETED', of('gone', '103')) + watchLine('ADDED', of('c', '103')))
        const annotations = { 'k8s.io/initial-events-end': 'true' }
        response.write(watchLine('BOOKMARK', { metadata: { resourceVersion: '103', annotations } }))
        setTimeout(() => response.end(), 50)
        return true
      })
    })
    expect(cache.get('default/b')?.metadata.resourceVersion).toBe('103')
  })

  test('lists this once where a start is ended before its end', async () => {
    const { toy, running } = await start({}, () => undefined, 'cut')
    expect(toy.streams()).toBe(1)
    expect(toy.lists()).toBe(1)
    toy.forget('d')
    await until('it starts again', () => running.stats().lists === 2)
    expect(toy.streams()).toBe(2)
  })
})

describe('runListWatch() on a server that cannot begin watches with what there is', () => {
  test.each(['refused', 'silent', 'ignored'] as const)('lists: %s', async (watchList) => {
    const { toy, running } = await start({ stallMs: 300 }, (one) => watchList === 'ignored' && ignoring(one), watchList)
    expect(toy.lists()).toBe(1)
    toy.put('d')
    await until('the change arrives', () => running.stats().events > 0)
    expect(running.stats().lists).toBe(1)
  })

  // A server from before initial events sends what there is and never says that it was all.
  const ignoring = (toy: Awaited<ReturnType<typeof startToyServer>>) => {
    const bookmarks = setInterval(toy.bookmark, 20)
    closers.push(() => clearInterval(bookmarks))
  }

  test('asks such a server once, for whichever kind comes first', async () => {
    const streamedStart = makeStreamedStart(true)
    const toy = await startToyServer('refused')
    closers.push(toy.close)
    toy.put('a')
    const followed = await Promise.all(Array.from({ length: 5 }, () => follow(toy.url, { streamedStart })))
    await until('all have begun', () => followed.every(({ cache }) => cache.synced()))
    toy.forget('d')
    await until('all begin again', () => followed.every(({ running }) => running.stats().lists === 2))
    expect(toy.streams()).toBe(1)
    expect(toy.lists()).toBe(10)
    expect(followed.every(({ running }) => running.lastError() === undefined)).toBe(true)
  })

  test('asks again after a trial that showed nothing', async () => {
    const streamedStart = makeStreamedStart(true)
    const toy = await startToyServer()
    closers.push(toy.close)
    toy.faults.push((_asked, response) => (response.destroy(), true))
    const followed = await Promise.all(Array.from({ length: 3 }, () => follow(toy.url, { streamedStart })))
    await until('all have begun', () => followed.every(({ cache }) => cache.synced()))
    expect(toy.lists()).toBe(0)
  })
})

describe('runListWatch()', () => {
  test('lists in pages, then follows the watch', async () => {
    const { toy, cache, running, inStep } = await start({ pageSize: 2, streamedStart: makeStreamedStart(false) })
    expect(toy.lists()).toBe(2)
    expect(toy.streams()).toBe(0)
    toy.put('d')
    toy.remove('a')
    await inStep()
    const changed = toy.put('b')
    await until(
      'the change arrives',
      () => cache.get('default/b')?.metadata.resourceVersion === changed.metadata.resourceVersion,
    )
    expect(running.stats()).toMatchObject({ lists: 1, watches: 1, events: 3, failures: 0 })
  })

  test('resumes a watch that was reset or closed, without a new list', async () => {
    const { toy, running, inStep } = await start()
    toy.cut()
    toy.put('d')
    await inStep()
    await until('a watch is open again', () => toy.watching() > 0)
    toy.end()
    toy.remove('a')
    await inStep()
    expect(running.stats().lists).toBe(1)
    expect(running.stats().watches).toBeGreaterThanOrEqual(3)
  })

  test('resumes a watch that went silent', async () => {
    const { toy, running, inStep } = await start({ stallMs: 50 })
    await until('the stall is seen', () => running.stats().failures > 0)
    toy.put('d')
    await inStep()
    expect(running.stats().lists).toBe(1)
  })

  test('starts over when the server has forgotten the version', async () => {
    const { toy, running, inStep } = await start()
    toy.mute(true)
    toy.put('d')
    toy.remove('b')
    toy.mute(false)
    toy.compact()
    toy.cut()
    await inStep()
    expect(running.stats()).toMatchObject({ expirations: 1, lists: 2 })
  })

  test('starts over after a line that is no event', async () => {
    const { toy, running, inStep } = await start()
    toy.mute(true)
    toy.put('d')
    toy.mute(false)
    toy.write('{"type":"MODIFIED","obj\n')
    await inStep()
    expect(running.stats()).toMatchObject({ malformedLines: 1, lists: 2 })
  })

  test('survives any fault in its first requests', async () => {
    const refuse = (code: number, reason: string) => (_asked: Asked, response: ServerResponse) => {
      json(response, code, statusBody(code, reason, reason))
      return true
    }
    const { running } = await start({ pageSize: 2, streamedStart: makeStreamedStart(false) }, (toy) =>
      toy.faults.push(
        refuse(503, 'ServiceUnavailable'),
        refuse(429, 'TooManyRequests'),
        refuse(403, 'Forbidden'),
        (_asked, response) => (response.destroy(), true),
        (_asked, response) => (response.end('{"items":['), true),
        // The second page of a list whose continue token expired.
        () => false,
        refuse(410, 'Expired'),
      ),
    )
    expect(running.stats().failures).toBe(6)
    expect(running.lastError()).toBeUndefined()
  })

  test('names its last failure while it cannot list', async () => {
    const toy = await startToyServer()
    closers.push(toy.close)
    for (let fault = 0; fault < 1000; fault++)
      toy.faults.push(
        (_asked, response) => (json(response, 403, statusBody(403, 'Forbidden', 'pods is forbidden')), true),
      )
    const { cache, running } = await follow(toy.url)
    await until('it has failed', () => running.lastError() !== undefined)
    expect(running.lastError()).toMatchObject({ _tag: 'Forbidden', message: 'Cannot watch pods: pods is forbidden' })
    expect(cache.synced()).toBe(false)
  })

  test('finds, counts and repairs what the watch should have brought', async () => {
    const { toy, cache, running, inStep } = await start({ checkEveryMs: 100 })
    toy.mute(true)
    toy.put('d')
    toy.put('a')
    toy.remove('b')
    toy.mute(false)
    toy.bookmark()
    await inStep()
    expect(running.stats()).toMatchObject({ missedEvents: 3, lists: 2 })
    expect(cache.get('default/a')?.metadata.resourceVersion).toBe('105')
  })

  test('counts nothing as missed while changes go on', async () => {
    const { toy, running, inStep } = await start({ checkEveryMs: 30 })
    for (let round = 0; round < 60; round++) {
      toy.put(`pod-${round}`)
      if (round > 5) toy.remove(`pod-${round - 5}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await inStep()
    expect(toy.lists()).toBeGreaterThan(2)
    expect(running.stats()).toMatchObject({ missedEvents: 0, lists: 1 })
  })
})
