import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { httpCloud, provider, type Bill, type KwokNodeClass } from '../src/index.ts'
import { hostOn, never, nodeClass, smallCatalog } from './subject.ts'

const main = fileURLToPath(new URL('../src/cloud/main.ts', import.meta.url))
const running: Array<ChildProcess> = []
const directories: Array<string> = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

const temporary = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'kwok-cloud-'))
  directories.push(directory)
  return directory
}
const spawnCloud = (args: ReadonlyArray<string>): ChildProcess => {
  const child = spawn(process.execPath, ['--conditions=@scantling/source', main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  running.push(child)
  return child
}
const start = async (
  ...args: ReadonlyArray<string>
): Promise<{ readonly url: string; readonly child: ChildProcess }> => {
  const child = spawnCloud(args)
  if (child.stdout === null) throw new Error('Expected a pipe')
  for await (const line of createInterface({ input: child.stdout }))
    return { url: (JSON.parse(line) as { readonly url: string }).url, child }
  throw new Error('Expected the cloud to say that it is ready')
}
const failureOf = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly text: string }>((resolve) => {
    const child = spawnCloud(args)
    let text = ''
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('close', (code) => resolve({ code, text }))
  })
const send = (
  url: string,
  path: string,
  options: { readonly method?: string; readonly body?: string; readonly host?: string } = {},
) =>
  new Promise<{ readonly status: number; readonly body: unknown }>((resolve, reject) => {
    const outgoing = request(
      url + path,
      { method: options.method ?? 'GET', ...(options.host !== undefined && { headers: { host: options.host } }) },
      (incoming) => {
        let text = ''
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(options.body)
  })

const cluster = { name: 'test', kubernetesVersion: '1.36.3', objects: {} }
const call = { signal: never, cluster }
const connect = async (cloudUrl: string) => {
  const created = await provider.create({ cloudUrl, catalog: '', seed: '', latency: 1 }, hostOn(systemClock), call)()
  if (E.isLeft(created)) throw new Error(created.left.message)
  return created.right
}
const launch = async (to: Awaited<ReturnType<typeof connect>>, token: string, own: KwokNodeClass = nodeClass) => {
  const types = await to.instanceTypes(own, call)()
  if (E.isLeft(types)) throw new Error(types.left.message)
  const [first, ...rest] = types.right
  if (first === undefined) throw new Error('Expected types')
  const result = await to.launch(
    {
      token,
      nodeClass: own,
      candidates: [first, ...rest],
      minValues: 'strict',
      claim: {
        name: `claim-${token}`,
        uid: token,
        generation: 1,
        nodePool: 'default',
        nodeClass: 'default',
        labels: {},
        annotations: {},
        requirements: { byKey: new Map() },
        requests: {},
        taints: [],
        startupTaints: [],
        registered: false,
        deleting: false,
      },
    },
    call,
  )()
  if (E.isLeft(result)) throw new Error(result.left.error.message)
  return result.right.instance
}

describe('the cloud as a process', () => {
  test('keeps its machines and their tokens when it is killed and started again', async () => {
    const state = join(temporary(), 'state.json')
    const first = await start('--state', state, '--catalog', 'kwok')
    const machine = await launch(await connect(first.url), 't-1')
    first.child.kill('SIGKILL')
    const second = await start('--state', state, '--catalog', 'kwok')
    const again = await connect(second.url)
    expect((await launch(again, 't-1')).providerId).toBe(machine.providerId)
    const list = await again.list(call)()
    expect(E.isRight(list) && list.right.instances).toHaveLength(1)
    expect(machine.labels).toMatchObject({ 'kwok.x-k8s.io/node': 'fake' })
  }, 30_000)

  test('runs faster than life, bills what ran, and delivers interruptions', async () => {
    const { url } = await start('--speed', '1000', '--catalog', 'kwok')
    const cloud = await connect(url)
    const machine = await launch(cloud, 't-1')
    await new Promise((resolve) => setTimeout(resolve, 60))
    const found = await cloud.get?.(machine, call)()
    expect(found).toMatchObject({ right: { phase: 'running' } })
    const [alias] = machine.aliases ?? []
    await send(url, '/control/interrupt', {
      method: 'POST',
      body: JSON.stringify({ instance: alias, noticeMs: 60_000 }),
    })
    const received = await cloud.interruptions?.receive(call)()
    expect(received).toMatchObject({
      right: [{ kind: 'SpotInterruption', interruptions: [{ id: machine.providerId, action: 'drain' }] }],
    })
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(await cloud.terminate(machine, call)()).toEqual(E.right('Gone'))
    const { body } = await send(url, '/bill')
    expect((body as Bill).total).toBeGreaterThan(0)
    expect((body as Bill).perHour).toBe(0)
  }, 30_000)

  test('answers loopback names alone, and says what is wrong with a request', async () => {
    const { url } = await start('--catalog', 'kwok')
    expect((await send(url, '/bill', { host: 'evil.example' })).status).toBe(403)
    expect((await send(url, '/bill', { host: `localhost:${new URL(url).port}` })).status).toBe(200)
    expect(await send(url, '/instances', { method: 'POST', body: '{"token":""}' })).toEqual({
      status: 400,
      body: { code: 'InvalidParameter', message: 'The body is not a valid launch request' },
    })
    expect((await send(url, '/instances', { method: 'POST', body: 'no json' })).status).toBe(400)
    expect((await send(url, '/nowhere')).body).toMatchObject({ message: 'There is nothing at GET /nowhere' })
    expect((await send(url, '/instances/i-none')).status).toBe(404)
  }, 30_000)

  test('says in one sentence why it cannot start', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const broken = join(temporary(), 'types.json')
    writeFileSync(broken, JSON.stringify([{ ...smallCatalog[0], architecture: 7 }]))
    const [inUse, notANumber, noFile, badFile] = await Promise.all([
      failureOf('--port', String(port), '--catalog', 'kwok'),
      failureOf('--speed', 'fast'),
      failureOf('--catalog', 'nothing-of-the-kind'),
      failureOf('--catalog', broken),
    ])
    taken.close()
    expect(inUse).toEqual({
      code: 1,
      text: `Port ${port} of 127.0.0.1 is in use; give another --port, or 0 for any free one\n`,
    })
    expect(notANumber.text).toBe('Cannot use --speed "fast": expected a number of at least 0.01\n')
    expect(noFile.text).toContain('Cannot read catalogue nothing-of-the-kind')
    expect(badFile.text).toBe(
      `${broken}: [0].architecture: Invalid value: 7: expected an architecture such as amd64 or arm64\n`,
    )
  }, 30_000)
})

describe('the provider without its cloud', () => {
  test('create() is to be tried again while the cloud is not there', async () => {
    const created = await provider.create(
      { cloudUrl: 'http://127.0.0.1:1', catalog: '', seed: '', latency: 1 },
      hostOn(systemClock),
      call,
    )()
    expect(created).toMatchObject({ left: { _tag: 'Unknown', code: 'Unreachable', retryAfterMs: 1000 } })
  })

  test('a call that gets no answer ends in time, or when it is cancelled', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const address = silent.address()
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
    const cloud = httpCloud(url, { timeoutMs: 100 })
    expect(await cloud.get('x', never)()).toMatchObject({ left: { code: 'Unreachable' } })
    const controller = new AbortController()
    const waiting = cloud.receive(20_000, controller.signal)()
    controller.abort()
    expect(await waiting).toMatchObject({ left: { code: 'Cancelled' } })
    cloud.close()
    silent.close()
  })
})
