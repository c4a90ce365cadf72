import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createApiServer, listen, resource, type ApiServer, type Listener } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'

const pods = { ...resource('v1', 'pods'), namespace: 'default' }
const configMaps = '/api/v1/namespaces/default/configmaps'
const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

let server: ApiServer
let listener: Listener

beforeEach(async () => {
  server = createApiServer({ clock: systemClock })
  listener = await listen(server, { port: 0 })
})
afterEach(() => listener.close())

const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${listener.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    code: response.status,
    headers: response.headers,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    body: (response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text) as any,
  }
}

const configMap = (name: string, more: object = {}) => ({ metadata: { name }, ...more })
const podBody = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: 'main', image: 'web' }] } })

/** Opens a watch and gives the parsed events as they come. */
const openWatch = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${listener.url}${path}`, { headers })
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  const events: { type: string; object: Record<string, unknown> & { metadata: Record<string, unknown> } }[] = []
  let ended = false
  let rest = ''
  const pumping = (async () => {
    for (;;) {
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) break
      rest += decoder.decode(chunk.value, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) events.push(JSON.parse(line))
    }
  })()
    .catch(() => undefined)
    .finally(() => (ended = true))
  const until = async (count: number) => {
    const startMs = systemClock.nowMs()
    while (events.length < count && !ended && systemClock.nowMs() - startMs < 5000) await systemClock.sleep(5)
    return events
  }
  return {
    response,
    events,
    until,
    isEnded: () => ended,
    close: async () => {
      await reader?.cancel()
      await pumping
    },
  }
}

describe('objects over HTTP', () => {
  test('create, read, replace, patch, delete with the codes of the API server', async () => {
    const created = await call('POST', configMaps, configMap('a', { data: { k: '1' } }))
    expect(created.code).toBe(201)
    expect((await call('POST', configMaps, configMap('a'))).body).toMatchObject({ code: 409, reason: 'AlreadyExists' })
    const path = `${configMaps}/a`
    expect((await call('PUT', path, { ...created.body, data: { k: '2' } })).code).toBe(200)
    expect((await call('PUT', path, { ...created.body, data: { k: '3' } })).code).toBe(409)
    const merge = { 'content-type': 'application/merge-patch+json' }
    expect((await call('PATCH', path, { data: { k: '4' } }, merge)).body.data).toEqual({ k: '4' })
    const json = { 'content-type': 'application/json-patch+json' }
    expect((await call('PATCH', path, [{ op: 'remove', path: '/data/k' }], json)).body.data).toEqual({})
    const apply = { 'content-type': 'application/apply-patch+yaml' }
    expect((await call('PATCH', `${path}?fieldManager=me`, 'data: {y: "5"}', apply)).body.data).toEqual({ y: '5' })
    expect((await call('PATCH', path, 'data: {}', apply)).code).toBe(422)
    expect((await call('PATCH', path, '{}', { 'content-type': 'text/plain' })).code).toBe(415)
    const gone = await call('DELETE', path)
    expect(gone.body).toMatchObject({ kind: 'Status', status: 'Success', details: { kind: 'configmaps', name: 'a' } })
    expect((await call('GET', path)).body).toMatchObject({ kind: 'Status', code: 404, reason: 'NotFound' })
  })

  test('YAML bodies are read, protobuf is refused, broken JSON is a 400', async () => {
    const yaml = { 'content-type': 'application/yaml' }
    expect((await call('POST', configMaps, 'metadata: {name: y}\ndata: {k: v}', yaml)).code).toBe(201)
    const protobuf = { 'content-type': 'application/vnd.kubernetes.protobuf' }
    expect((await call('POST', configMaps, 'x', protobuf)).code).toBe(415)
    expect((await call('GET', configMaps, undefined, { accept: 'application/vnd.kubernetes.protobuf' })).code).toBe(406)
    expect((await call('POST', configMaps, '{')).body).toMatchObject({ code: 400, reason: 'BadRequest' })
    expect((await call('POST', configMaps, { metadata: { name: 'x'.repeat(4 * 1024 * 1024) } })).code).toBe(413)
  })

  test('lists carry a version, a kind, and pages', async () => {
    for (const name of ['a', 'b', 'c']) await call('POST', configMaps, configMap(name))
    const page = await call('GET', `${configMaps}?limit=2`)
    expect(page.body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { remainingItemCount: 1 } })
    const rest = await call('GET', `${configMaps}?limit=2&continue=${page.body.metadata.continue}`)
    expect(rest.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['c'])
    expect((await call('DELETE', `${configMaps}?labelSelector=!x`)).body.items).toHaveLength(3)
    expect((await call('GET', configMaps)).body.items).toEqual([])
  })

  test('a dry run answers as if, and changes nothing', async () => {
    expect((await call('POST', `${configMaps}?dryRun=All`, configMap('a'))).code).toBe(201)
    expect((await call('GET', `${configMaps}/a`)).code).toBe(404)
  })

  test('eviction answers 429 with the budget as its cause', async () => {
    await call('POST', '/api/v1/namespaces/default/pods', {
      ...podBody('a'),
      metadata: { name: 'a', labels: { app: 'x' } },
    })
    const face = server.face('test')
    await face.create({ ...pods, name: 'a', subresource: 'binding' }, { target: { name: 'n' } })
    await face.patch({ ...pods, name: 'a', subresource: 'status' }, 'merge', { status: { phase: 'Running' } })
    await call('POST', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', {
      metadata: { name: 'b' },
      spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'x' } } },
    })
    const refused = await call('POST', '/api/v1/namespaces/default/pods/a/eviction', { metadata: { name: 'a' } })
    expect(refused.code).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('10')
    expect(refused.body.details.causes[0].reason).toBe('DisruptionBudget')
  })

  test('tables have the columns that kubectl shows', async () => {
    await call('POST', '/api/v1/namespaces/default/pods', podBody('a'))
    const table = (await call('GET', '/api/v1/pods', undefined, { accept: tableAccept })).body
    expect(table.kind).toBe('Table')
    expect(table.columnDefinitions.slice(0, 5).map(({ name }: { name: string }) => name)).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
    ])
    expect(table.rows[0].cells.slice(0, 4)).toEqual(['a', '0/1', 'Pending', '0'])
    expect(table.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } })
  })

  test('discovery lists every resource, in both forms', async () => {
    const plain = await call('GET', '/apis/apps/v1')
    expect(plain.body.resources.map(({ name }: { name: string }) => name)).toContain('deployments/scale')
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
    const aggregated = await call('GET', '/apis', undefined, { accept })
    expect(aggregated.headers.get('content-type')).toContain('as=APIGroupDiscoveryList')
    expect(aggregated.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toContain('apps')
    expect((await call('GET', '/version')).body.minor).toBe('34')
    expect((await call('GET', '/readyz')).body).toBe('ok')
    expect((await call('GET', '/apis/none/v1')).code).toBe(404)
    expect((await call('GET', '/openapi/v3/apis/apps/v1')).body.openapi).toBe('3.0.0')
  })
})

describe('watches over HTTP', () => {
  test('stream changes, with initial events and their end', async () => {
    await call('POST', configMaps, configMap('a'))
    const watch = await openWatch(
      `${configMaps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    )
    await watch.until(2)
    expect(watch.events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK'])
    expect(watch.events[1]?.object).toMatchObject({
      kind: 'ConfigMap',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    })
    await call('POST', configMaps, configMap('b'))
    await call('DELETE', `${configMaps}/a`)
    await watch.until(4)
    expect(watch.events.slice(2).map(({ type, object }) => `${type} ${String(object.metadata['name'])}`)).toEqual([
      'ADDED b',
      'DELETED a',
    ])
    await watch.close()
  })

  test('answer 410 as an event, end on time, and refuse what makes no sense', async () => {
    const { body } = await call('GET', configMaps)
    await call('POST', configMaps, configMap('a'))
    await call('POST', '/kube-sim/compact')
    const late = await openWatch(`${configMaps}?watch=1&resourceVersion=${body.metadata.resourceVersion}`)
    expect((await late.until(1))[0]).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    const short = await openWatch(`${configMaps}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true`)
    await short.until(99)
    expect(short.isEnded()).toBe(true)
    expect(short.events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK'])
    expect((await call('GET', `${configMaps}?watch=1&sendInitialEvents=true`)).code).toBe(422)
    expect((await call('GET', `${configMaps}?watch=1&fieldSelector=a.b=c`)).code).toBe(400)
    expect((await call('GET', `${configMaps}?watch=1&resourceVersion=abc`)).code).toBe(400)
  })

  test('carry rows for those who want a table, columns only once', async () => {
    const watch = await openWatch(`${configMaps}?watch=1`, { accept: tableAccept })
    await call('POST', configMaps, configMap('a'))
    await call('POST', configMaps, configMap('b'))
    await watch.until(2)
    expect(watch.events.map(({ object }) => [object['kind'], object['columnDefinitions'] === null])).toEqual([
      ['Table', false],
      ['Table', true],
    ])
    await watch.close()
  })

  test('a watcher that does not read is cut off, and others are not', async () => {
    const face = server.face('test')
    const good = await openWatch(`${configMaps}?watch=1`)
    const socket = connect(listener.port, '127.0.0.1')
    socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    socket.on('error', () => undefined)
    socket.pause()
    await systemClock.sleep(50)
    const rssBefore = process.memoryUsage().rss
    const ref = { ...resource('v1', 'configmaps'), namespace: 'default', name: 'big' }
    await face.create({ ...ref }, { metadata: { name: 'big' }, data: { text: 'x'.repeat(2000) } })
    // The sockets' own buffers take some; then the server's queue of references fills to its bound.
    for (let index = 0; index < 60_000; index++) {
      await face.patch(ref, 'merge', { data: { index: String(index) } })
      if (index % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.resume()
    await closed
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(600 * 1024 * 1024)
    await good.until(60_001)
    expect(good.events.length).toBe(60_001)
    await good.close()
  }, 60_000)

  test('a client that goes away leaves no watcher behind', async () => {
    const watch = await openWatch(`${configMaps}?watch=1`)
    await watch.close()
    await call('POST', configMaps, configMap('a'))
    await systemClock.sleep(20)
    expect(watch.events).toEqual([])
  })
})

describe('the listener', () => {
  const rawStatus = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port: listener.port, path: '/version', headers }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      request.on('error', reject)
      request.end()
    })

  test('answers only requests that mean this machine', async () => {
    expect(await rawStatus({ host: 'evil.example:80' })).toBe(403)
    expect(await rawStatus({ host: `localhost:${listener.port}` })).toBe(200)
    expect(await rawStatus({ host: `127.0.0.1:${listener.port}`, origin: 'http://evil.example' })).toBe(403)
  })

  test('says in one sentence that its port is in use', async () => {
    await expect(listen(server, { port: listener.port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${listener.port}: the port is in use; choose another with --port`,
    )
  })

  test('takes fault rules over HTTP', async () => {
    const rule = { verb: 'create', resource: 'configmaps', times: 1, fail: { code: 429, retryAfterSeconds: 3 } }
    expect((await call('POST', '/kube-sim/faults', rule)).code).toBe(201)
    const failed = await call('POST', configMaps, configMap('a'))
    expect(failed.code).toBe(429)
    expect(failed.headers.get('retry-after')).toBe('3')
    expect((await call('POST', configMaps, configMap('a'))).code).toBe(201)
    await call('POST', '/kube-sim/fail-nth', { n: 2, fail: { code: 500 } })
    expect((await call('GET', configMaps)).code).toBe(200)
    expect((await call('GET', configMaps)).code).toBe(500)
    await call('POST', '/kube-sim/faults', { delayMs: 60, verb: 'get' })
    const startMs = systemClock.nowMs()
    await call('GET', `${configMaps}/a`)
    expect(systemClock.nowMs() - startMs).toBeGreaterThanOrEqual(55)
    await call('DELETE', '/kube-sim/faults')
    expect((await call('POST', '/kube-sim/faults', { verbs: 'get' })).code).toBe(400)
    expect((await call('GET', '/kube-sim/state')).body).toMatchObject({ calls: expect.any(Number) })
  })

  test('an answer can be lost after the call took effect', async () => {
    await call('POST', '/kube-sim/faults', { verb: 'create', when: 'after', times: 1, fail: { code: 504 } })
    expect((await call('POST', configMaps, configMap('a'))).code).toBe(504)
    expect((await call('GET', `${configMaps}/a`)).code).toBe(200)
  })
})
