import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '@scantling/provider-kit'
import {
  type KubeClient,
  type KubeObject,
  type ResourceKind,
  type WatchEvent,
  loadConnection,
  makeHttpClient,
  makeTransport,
} from '../src/kube/index.ts'
import { type Answer, json, startScriptedServer, statusBody, watchLine } from './scripted-server.ts'

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string }
}

const pods: ResourceKind<Pod> = {
  apiVersion: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  project: (raw) => E.right(raw as Pod),
}
const nodePools: ResourceKind = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  plural: 'nodepools',
  namespaced: false,
  project: (raw) => E.right(raw as KubeObject),
}

const closers: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const connect = async (url: string, deadlineMs?: number): Promise<KubeClient> => {
  const connection = await loadConnection({ server: url, env: {}, clock: systemClock })()
  if (E.isLeft(connection)) throw new Error(connection.left)
  const transport = makeTransport(connection.right, systemClock)
  closers.push(transport.close)
  return makeHttpClient({ transport, clock: systemClock, ...(deadlineMs === undefined ? {} : { deadlineMs }) })
}

const serve = async (answer: Answer, deadlineMs?: number) => {
  const server = await startScriptedServer(answer)
  closers.push(server.close)
  return { server, client: await connect(server.url, deadlineMs) }
}

const leftOf = <L>(result: E.Either<L, unknown>): L => {
  if (E.isRight(result)) throw new Error(`expected a Left, got ${JSON.stringify(result.right)}`)
  return result.left
}

const web = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u1', resourceVersion: '7' },
}

describe('KubeClient over HTTP', () => {
  test('sends each call as the API documents it', async () => {
    const { server, client } = await serve((asked, response) =>
      json(response, 200, asked.path === '/version' ? { gitVersion: 'v1.34.2' } : web),
    )
    await client.get(pods, { namespace: 'default', name: 'web' })()
    await client.create(pods, { metadata: { name: 'web', namespace: 'default' } })()
    await client.update(nodePools, { metadata: { name: 'general', resourceVersion: '3' } })()
    await client.patch(nodePools, { name: 'general' }, { type: 'merge', body: { spec: { weight: 1 } } })()
    await client.patchStatus(pods, { namespace: 'default', name: 'web' }, { type: 'strategic', body: { status: {} } })()
    await client.patch(nodePools, { name: 'general' }, { type: 'json', body: [{ op: 'test', path: '/a', value: 1 }] })()
    await client.delete(
      pods,
      { namespace: 'default', name: 'web' },
      { uid: 'u1', resourceVersion: '7', gracePeriodSeconds: 1 },
    )()
    await client.evict({ namespace: 'default', name: 'web' }, { uid: 'u1' })()
    expect(await client.serverVersion()()).toEqual(E.right('1.34.2'))
    expect(
      server.asked.map((each) => [
        each.method,
        each.path,
        each.contentType,
        each.body === '' ? undefined : JSON.parse(each.body),
      ]),
    ).toEqual([
      ['GET', '/api/v1/namespaces/default/pods/web', undefined, undefined],
      [
        'POST',
        '/api/v1/namespaces/default/pods',
        'application/json',
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default' } },
      ],
      [
        'PUT',
        '/apis/karpenter.sh/v1/nodepools/general',
        'application/json',
        { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'general', resourceVersion: '3' } },
      ],
      ['PATCH', '/apis/karpenter.sh/v1/nodepools/general', 'application/merge-patch+json', { spec: { weight: 1 } }],
      ['PATCH', '/api/v1/namespaces/default/pods/web/status', 'application/strategic-merge-patch+json', { status: {} }],
      [
        'PATCH',
        '/apis/karpenter.sh/v1/nodepools/general',
        'application/json-patch+json',
        [{ op: 'test', path: '/a', value: 1 }],
      ],
      [
        'DELETE',
        '/api/v1/namespaces/default/pods/web',
        'application/json',
        {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          gracePeriodSeconds: 1,
          preconditions: { uid: 'u1', resourceVersion: '7' },
        },
      ],
      [
        'POST',
        '/api/v1/namespaces/default/pods/web/eviction',
        'application/json',
        {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name: 'web', namespace: 'default' },
          deleteOptions: { preconditions: { uid: 'u1' } },
        },
      ],
      ['GET', '/version', undefined, undefined],
    ])
  })

  test('reads pages and carries selectors', async () => {
    const { server, client } = await serve((_asked, response) =>
      json(response, 200, { kind: 'PodList', metadata: { resourceVersion: '12', continue: 'next' }, items: [web] }),
    )
    const page = await client.listPage(pods, { labelSelector: 'app=web', limit: 500, continue: 'a/b' })()
    expect(page).toEqual(E.right({ items: [web], resourceVersion: '12', continue: 'next' }))
    expect(server.asked[0]?.path).toBe('/api/v1/pods')
    expect(Object.fromEntries(server.asked[0]?.query ?? [])).toEqual({
      labelSelector: 'app=web',
      limit: '500',
      continue: 'a/b',
    })
  })

  test.each([
    [404, 'NotFound', 'NotFound'],
    [409, 'Conflict', 'Conflict'],
    [409, 'AlreadyExists', 'AlreadyExists'],
    [410, 'Expired', 'Gone'],
    [422, 'Invalid', 'Invalid'],
    [400, 'BadRequest', 'Invalid'],
    [401, 'Unauthorized', 'Forbidden'],
    [403, 'Forbidden', 'Forbidden'],
    [504, 'Timeout', 'Timeout'],
    [500, 'InternalError', 'Unknown'],
    [503, 'ServiceUnavailable', 'Unknown'],
  ])('classifies status %i %s as %s', async (code, reason, tag) => {
    const { client } = await serve((_asked, response) =>
      json(response, code, statusBody(code, reason, 'said the server')),
    )
    const error = leftOf(await client.get(pods, { namespace: 'default', name: 'web' })())
    expect(error).toMatchObject({ _tag: tag, status: code, reason })
    expect(error.message).toContain('Cannot get Pod default/web: said the server')
  })

  test('tells a test of a JSON patch that failed from an object that is refused', async () => {
    const causes: Array<object> = []
    const { client } = await serve((_asked, response) =>
      json(response, 422, statusBody(422, 'Invalid', 'no', { causes })),
    )
    const patch = (type: 'json' | 'merge') =>
      client.patch(pods, { namespace: 'default', name: 'web' }, { type, body: [] })()
    expect(leftOf(await patch('json'))).toMatchObject({ _tag: 'Conflict', status: 422 })
    expect(leftOf(await patch('merge'))).toMatchObject({ _tag: 'Invalid' })
    causes.push({ reason: 'FieldValueDuplicate', message: 'twice', field: 'spec.taints[1]' })
    expect(leftOf(await patch('json'))).toMatchObject({ _tag: 'Invalid' })
  })

  test('tells an eviction that a budget refuses from throttling, with the wait that the server asks for', async () => {
    const { client } = await serve((_asked, response) =>
      json(
        response,
        429,
        statusBody(429, 'TooManyRequests', 'Cannot evict pod', {
          causes: [{ reason: 'DisruptionBudget', message: 'needs 2 healthy pods' }],
        }),
        { 'retry-after': '10' },
      ),
    )
    expect(leftOf(await client.evict({ namespace: 'default', name: 'web' })())).toMatchObject({
      _tag: 'TooManyRequests',
      retryAfterMs: 10_000,
      causes: [{ reason: 'DisruptionBudget' }],
    })
  })

  test('ends a call at its deadline', async () => {
    const { client } = await serve(() => undefined, 50)
    expect(leftOf(await client.get(pods, { namespace: 'default', name: 'web' })())).toMatchObject({
      _tag: 'Timeout',
      message: 'Cannot get Pod default/web: no answer within 0.05 s',
    })
  })

  test('ends a call when its signal aborts', async () => {
    const abort = new AbortController()
    const { client } = await serve(() => abort.abort())
    expect(
      leftOf(await client.get(pods, { namespace: 'default', name: 'web' }, { signal: abort.signal })()),
    ).toMatchObject({ _tag: 'Cancelled' })
  })

  test('says which address does not answer and what to check', async () => {
    const free = createServer()
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
    const { port } = free.address() as AddressInfo
    await new Promise((resolve) => free.close(resolve))
    const client = await connect(`http://127.0.0.1:${port}`)
    const error = leftOf(await client.serverVersion()())
    expect(error._tag).toBe('Unreachable')
    expect(error.message).toBe(
      `Cannot read the API server's version: no answer from the API server at http://127.0.0.1:${port} (from --server): connection refused; check that it runs and that address and port are right`,
    )
  })

  test('refuses an answer that is no API server’s', async () => {
    const { client } = await serve((_asked, response) => response.end('<html>welcome</html>'))
    expect(leftOf(await client.get(nodePools, { name: 'general' })()).message).toContain(
      'check that the address is that of an API server',
    )
  })

  test('keeps connections between calls', async () => {
    let connections = 0
    const seen = new Set<unknown>()
    const { client } = await serve((_asked, response) => {
      if (!seen.has(response.socket)) connections++
      seen.add(response.socket)
      json(response, 200, web)
    })
    for (let call = 0; call < 20; call++) await client.get(pods, { namespace: 'default', name: 'web' })()
    expect(connections).toBe(1)
  })

  test('follows a watch whose chunks fall anywhere, inside UTF-8 sequences too', async () => {
    const text =
      watchLine('ADDED', { metadata: { name: 'größe-日本', resourceVersion: '8' } }) +
      watchLine('BOOKMARK', { metadata: { resourceVersion: '9' } })
    const { client } = await serve((_asked, response) => {
      response.writeHead(200)
      const bytes = Buffer.from(text)
      void (async () => {
        for (const byte of bytes) {
          response.write(Buffer.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
        response.end()
      })()
    })
    const events: Array<WatchEvent<Pod>> = []
    const end = await client.watch(pods, { resourceVersion: '7', timeoutSeconds: 60, stallMs: 5000 }, (event) =>
      events.push(event),
    )()
    expect(end).toEqual(E.right({ _tag: 'Closed' }))
    expect(events).toEqual([
      { _tag: 'Added', object: { metadata: { name: 'größe-日本', resourceVersion: '8' } } },
      { _tag: 'Bookmark', resourceVersion: '9' },
    ])
  })

  test('lets others have their turn while a burst of changes comes in', async () => {
    const line = watchLine('ADDED', { metadata: { name: 'web', resourceVersion: '8', padding: 'x'.repeat(1000) } })
    const { client } = await serve((_asked, response) => void response.end(line.repeat(2000)))
    const perTurn: Array<number> = []
    let ticking = true
    const tick = () => {
      perTurn.push(0)
      if (ticking) setImmediate(tick)
    }
    tick()
    const watch = client.watch(pods, { resourceVersion: '7', timeoutSeconds: 60, stallMs: 5000 }, () => {
      perTurn.push((perTurn.pop() ?? 0) + 1)
    })
    await Promise.all([watch(), watch(), watch()])
    ticking = false
    expect(perTurn.reduce((sum, events) => sum + events, 0)).toBe(6000)
    // 32 KiB of all together: what each of the three has read when the limit is met, 64 KiB at most, is taken as well.
    expect(Math.max(...perTurn)).toBeLessThan(225)
  })

  test('tells how a watch ended: 410 in the stream, 410 at once, a reset, silence, half a line, garbage', async () => {
    const endings: ReadonlyArray<readonly [string, Answer]> = [
      ['Gone', (_asked, response) => void response.end(watchLine('ERROR', statusBody(410, 'Expired', 'too old')))],
      ['Gone', (_asked, response) => json(response, 410, statusBody(410, 'Expired', 'too old'))],
      [
        'Unreachable',
        (_asked, response) => {
          response.write(watchLine('ADDED', web).slice(0, 20))
          setTimeout(() => response.destroy(), 20)
        },
      ],
      ['Timeout', (_asked, response) => void response.write(watchLine('ADDED', web))],
      ['Malformed', (_asked, response) => void response.end(watchLine('ADDED', web).slice(0, 20))],
      ['Malformed', (_asked, response) => void response.write('{"type":"ADDED","object"}\n')],
      ['Malformed', (_asked, response) => void response.write(watchLine('SURPRISE', web))],
    ]
    for (const [expected, answer] of endings) {
      const { client } = await serve(answer)
      const end = await client.watch(
        pods,
        { resourceVersion: '7', timeoutSeconds: 60, stallMs: 150 },
        () => undefined,
      )()
      expect(E.isLeft(end) ? end.left._tag : end.right._tag).toBe(expected)
    }
  })
})

describe('loadConnection()', () => {
  const directory = mkdtempSync(join(tmpdir(), 'scantling-kubeconfig-'))
  const file = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }
  const load = (kubeconfig: string) => loadConnection({ kubeconfig, env: {}, clock: systemClock })()

  test('refuses what is no kubeconfig in one sentence with file and remedy', async () => {
    const notOne = file('notes.txt', 'just some notes')
    expect(leftOf(await load(notOne))).toBe(
      `Cannot read kubeconfig ${notOne} (from --kubeconfig or KUBECONFIG): not a kubeconfig (no clusters, no contexts); expected YAML with clusters, users and contexts`,
    )
    expect(leftOf(await load(file('broken.yaml', 'clusters: ["')))).toMatch(
      /^Cannot read kubeconfig .*broken.yaml \(from --kubeconfig or KUBECONFIG\): not a kubeconfig \(.*\); expected YAML/,
    )
    expect(leftOf(await load(join(directory, 'absent')))).toMatch(/no such file; check the path$/)
    const noContext = file(
      'context.yaml',
      'apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: "https://a"}}]\ncontexts: [{name: one, context: {cluster: a, user: u}}]\nusers: [{name: u, user: {}}]\ncurrent-context: two\n',
    )
    expect(leftOf(await load(noContext))).toMatch(/current-context "two" is not among its contexts \(one\)/)
    expect(leftOf(await loadConnection({ server: 'localhost:8080', env: {}, clock: systemClock })())).toBe(
      'Cannot use --server "localhost:8080": not an http or https URL; write http://HOST:PORT',
    )
    expect(leftOf(await loadConnection({ env: { HOME: directory }, clock: systemClock })())).toMatch(
      /^Cannot find the API server/,
    )
  })

  test('uses server and token of a kubeconfig, over plain HTTP too', async () => {
    let authorization: string | undefined
    const server = await startScriptedServer((_asked, response) => {
      authorization = response.req.headers.authorization
      json(response, 200, web)
    })
    closers.push(server.close)
    const path = file(
      'good.yaml',
      `apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: "${server.url}"}}]\ncontexts: [{name: one, context: {cluster: a, user: u, namespace: tools}}]\nusers: [{name: u, user: {token: secret}}]\ncurrent-context: one\n`,
    )
    const connection = await loadConnection({ env: { KUBECONFIG: path }, clock: systemClock })()
    if (E.isLeft(connection)) throw new Error(connection.left)
    expect(connection.right.namespace).toBe('tools')
    const transport = makeTransport(connection.right, systemClock)
    closers.push(transport.close)
    const result = await makeHttpClient({ transport, clock: systemClock }).get(pods, {
      namespace: 'default',
      name: 'web',
    })()
    expect(E.isRight(result)).toBe(true)
    expect(authorization).toBe('Bearer secret')
  })
})
