import { describe, expect, test } from '@jest/globals'
import { configMaps, failureOf, startTestServer } from '../../test/server-fixture.ts'
import type { WatchEvent } from '../face.ts'

describe('watches', () => {
  const collect = () => {
    const events: string[] = []
    const onEvent = (event: WatchEvent) => {
      const { object } = event
      if (event.type === 'ERROR') events.push(`ERROR ${(object as { code: number }).code}`)
      else if (event.type === 'BOOKMARK') {
        events.push(
          `BOOKMARK${event.object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true' ? ' end' : ''}`,
        )
      } else events.push(`${event.type} ${event.object.metadata.name}`)
    }
    return { events, onEvent }
  }

  test('never call back from inside a write, and see every change in order', async () => {
    const { face, clock } = startTestServer()
    const { events, onEvent } = collect()
    const stop = face.watch(configMaps, {}, onEvent)
    const write = face.create(configMaps, { metadata: { name: 'a' } })
    expect(events).toEqual([])
    await write
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { data: { k: 'v' } })
    await face.delete({ ...configMaps, name: 'a' })
    await clock.advance(0)
    expect(events).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
    stop()
    await face.create(configMaps, { metadata: { name: 'b' } })
    await clock.advance(0)
    expect(events).toHaveLength(3)
  })

  test('resume from a version, and answer 410 for one that was compacted', async () => {
    const { face, server, clock } = startTestServer()
    const { metadata } = await face.list(configMaps)
    await face.create(configMaps, { metadata: { name: 'a' } })
    const resumed = collect()
    face.watch(configMaps, { resourceVersion: metadata.resourceVersion }, resumed.onEvent)
    await clock.advance(0)
    expect(resumed.events).toEqual(['ADDED a'])
    server.compact()
    const late = collect()
    let ended = false
    face.watch(configMaps, { resourceVersion: metadata.resourceVersion }, late.onEvent, () => (ended = true))
    await clock.advance(0)
    expect(late.events).toEqual(['ERROR 410'])
    expect(ended).toBe(true)
  })

  test('a version from before a restart is told to list again', async () => {
    const { face, server, clock } = startTestServer()
    const newer = String(server.revision() + 1)
    const { events, onEvent } = collect()
    face.watch(configMaps, { resourceVersion: newer }, onEvent)
    await clock.advance(0)
    expect(events).toEqual(['ERROR 410'])
    expect(await failureOf(face.list(configMaps, { resourceVersion: newer }))).toMatchObject({
      code: 504,
      causes: [{ reason: 'ResourceVersionTooLarge' }],
    })
  })

  test('an event ring that overflows answers 410, too', async () => {
    const { face, clock } = startTestServer({ historyLimit: 5 })
    const { metadata } = await face.list(configMaps)
    for (let index = 0; index < 20; index++) await face.create(configMaps, { metadata: { name: `c${index}` } })
    const { events, onEvent } = collect()
    face.watch(configMaps, { resourceVersion: metadata.resourceVersion }, onEvent)
    await clock.advance(0)
    expect(events).toEqual(['ERROR 410'])
  })

  test('send initial events, then their end, then bookmarks, then time out', async () => {
    const { face, clock } = startTestServer()
    await face.create(configMaps, { metadata: { name: 'a' } })
    const { events, onEvent } = collect()
    let ended = 0
    face.watch(
      configMaps,
      { sendInitialEvents: true, allowWatchBookmarks: true, timeoutSeconds: 90 },
      onEvent,
      () => ended++,
    )
    await clock.advance(0)
    expect(events).toEqual(['ADDED a', 'BOOKMARK end'])
    await clock.advance(61_000)
    expect(events.slice(2)).toEqual(['BOOKMARK'])
    expect(ended).toBe(0)
    await clock.advance(30_000)
    expect(events.slice(3)).toEqual(['BOOKMARK'])
    expect(ended).toBe(1)
    await face.create(configMaps, { metadata: { name: 'b' } })
    await clock.advance(0)
    expect(events).toHaveLength(4)
  })

  test('begin with no initial events on a server that does not serve them', async () => {
    const { face, clock } = startTestServer({ watchList: false })
    await face.create(configMaps, { metadata: { name: 'a' } })
    const { events, onEvent } = collect()
    face.watch(configMaps, { sendInitialEvents: true, allowWatchBookmarks: true }, onEvent)
    await clock.advance(0)
    expect(events).toEqual(['ERROR 422'])
  })

  test('an object that begins or ceases to match is added or deleted for the watcher', async () => {
    const { face, clock } = startTestServer()
    const { events, onEvent } = collect()
    face.watch(configMaps, { labelSelector: 'on=yes' }, onEvent)
    await face.create(configMaps, { metadata: { name: 'a' } })
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { metadata: { labels: { on: 'yes' } } })
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { data: { k: 'v' } })
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { metadata: { labels: { on: 'no' } } })
    await clock.advance(0)
    expect(events).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
  })
})
