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

/** A toy API server of one kind: versions, pages, watches from a version, and faults on demand. */
const startToyServer = async () => {
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
    cut: () => watches.forEach((watch) => watch.destroy()),
    end: () => {
      for (const watch of watches) watch.end()
      watches.clear()
    },
    write: (text: string) => watches.forEach((watch) => watch.write(text)),
    watching: () => watches.size,
    names: () => [...objects.keys()].sort(),
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
) => {
  const toy = await startToyServer()
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

describe('runListWatch()', () => {
  test('lists in pages, then follows the watch', async () => {
    const { toy, cache, running, inStep } = await start({ pageSize: 2 })
    expect(toy.lists()).toBe(2)
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
    const { running } = await start({ pageSize: 2 }, (toy) =>
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
    expect(running.lastError()).toMatchObject({ _tag: 'Forbidden', message: 'Cannot list pods: pods is forbidden' })
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
