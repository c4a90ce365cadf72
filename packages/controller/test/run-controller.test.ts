import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, test } from '@jest/globals'
import { makeKinds } from '../src/kube/index.ts'
import type { ControllerDeps } from '../src/runtime/index.ts'
import { type ControllerOptions, type RunningController, runController } from '../src/run-controller.ts'
import { parseSettings } from '../src/settings/index.ts'
import { startCluster } from './kube-sim-cluster.ts'
import { toyController, toyProvider } from './toy-provider.ts'

const closers: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
  const deadlineMs = Date.now() + 5000
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

type Env = Readonly<Record<string, string>>

const start = async (
  url: string,
  flags: ReadonlyArray<string> = [],
  overrides: Partial<ControllerOptions> = {},
  env: Env = {},
) => {
  const argv = [
    '--provider',
    'toy',
    '--server',
    url,
    '--metrics-port',
    '0',
    '--health-probe-port',
    '0',
    '--bind-address',
    '127.0.0.1',
    '--leader-elect=false',
    ...flags,
  ]
  const parsed = parseSettings({ argv, env }, undefined)
  if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
  const seen: { deps?: ControllerDeps } = {}
  const result = await runController({
    settings: parsed.right.settings,
    ...toyController,
    startReconcilers: (deps) => {
      seen.deps = deps
      return { stopped: () => Promise.resolve() }
    },
    ...overrides,
  })()
  if (E.isRight(result)) closers.push(result.right.stop)
  return { result, seen }
}

const startReady = async (
  url: string,
  flags: ReadonlyArray<string> = [],
  overrides: Partial<ControllerOptions> = {},
  env: Env = {},
) => {
  const { result, seen } = await start(url, flags, overrides, env)
  if (E.isLeft(result)) throw new Error(result.left)
  await result.right.ready
  return { controller: result.right, deps: seen.deps as ControllerDeps }
}

const cluster = async (options = {}) => {
  const made = await startCluster(options)
  closers.push(made.close)
  return made
}

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

const podManifest = (name: string, spec: object = {}) => ({
  metadata: { name, namespace: 'default', labels: { app: 'web' } },
  spec: {
    containers: [
      {
        name: 'c',
        image: 'none',
        env: [{ name: 'PASSWORD', value: 'hunter2' }],
        resources: { requests: { cpu: '1' } },
      },
    ],
    ...spec,
  },
})

describe('runController() against the embedded API server', () => {
  test.each([
    ['begins its watches with what there is', true, {}, 'streams'],
    ['lists on a server that cannot do that', false, {}, 'lists'],
    ['lists where KUBE_FEATURE_WatchListClient is false', true, { KUBE_FEATURE_WatchListClient: 'false' }, 'lists'],
  ] as const)('%s', async (_name, watchList, env, expected) => {
    const { url, api, client } = await cluster({ watchList })
    const { pods } = makeKinds()
    await client.create(pods, podManifest('before'))()
    const calls: Array<string> = []
    api.interceptors.add(({ verb, resource }) => {
      calls.push(`${verb} ${resource}`)
      return undefined
    })
    const { deps } = await startReady(url, [], {}, env)
    expect(deps.caches.pods.get('default/before')).toBeDefined()
    await client.create(pods, podManifest('after'))()
    await until('it arrives', () => deps.caches.pods.get('default/after') !== undefined)
    expect(calls.filter((call) => call === 'list pods')).toHaveLength(expected === 'lists' ? 1 : 0)
  })

  test('O-20 O-10 O-11 is ready when every kind is listed, serves metrics, and follows what happens', async () => {
    const { url, client } = await cluster()
    const { controller, deps } = await startReady(url)
    expect(await get(controller.healthProbePort, '/healthz')).toEqual({ status: 200, body: 'ok\n' })
    expect(await get(controller.healthProbePort, '/readyz')).toEqual({ status: 200, body: 'ok\n' })
    expect((await get(controller.metricsPort, '/metrics')).body).toMatch(
      /karpenter_build_info\{version="0.0.0",commit="abcdef0"/,
    )
    const { pods, nodeClasses } = deps.caches
    await client.create(pods.kind, podManifest('web-1'))()
    const toyClasses = nodeClasses.get('toy.example/ToyClass')
    if (toyClasses === undefined) throw new Error('no cache for ToyClass')
    await client.create(toyClasses.kind, { metadata: { name: 'default' }, spec: { size: 3 } })()
    await until('both arrive', () => pods.get('default/web-1') !== undefined && toyClasses.get('default') !== undefined)
    expect(JSON.stringify(pods.get('default/web-1'))).not.toContain('hunter2')
    expect(pods.by('byNode', '')).toHaveLength(1)
    await client.delete(pods.kind, { namespace: 'default', name: 'web-1' }, { gracePeriodSeconds: 0 })()
    await until('it goes', () => pods.size() === 0)
  })

  test('reads its own writes at once, and lost races as conflicts', async () => {
    const { url } = await cluster()
    const { deps } = await startReady(url)
    const { kube, caches } = deps
    const created = await kube.create(caches.pods.kind, podManifest('web-1'))()
    if (E.isLeft(created)) throw new Error(created.left.message)
    caches.pods.observe(created.right)
    expect(caches.pods.get('default/web-1')?.metadata.uid).toBe(created.right.metadata.uid)
    const ref = { namespace: 'default', name: 'web-1' }
    expect(await kube.create(caches.pods.kind, podManifest('web-1'))()).toMatchObject({
      left: { _tag: 'AlreadyExists' },
    })
    const stale = { type: 'merge' as const, body: { metadata: { resourceVersion: '1', labels: { app: 'api' } } } }
    expect(await kube.patch(caches.pods.kind, ref, stale)()).toMatchObject({ left: { _tag: 'Conflict' } })
    expect(await kube.delete(caches.pods.kind, ref, { uid: 'another' })()).toMatchObject({ left: { _tag: 'Conflict' } })
    expect(await kube.get(caches.pods.kind, { namespace: 'default', name: 'nobody' })()).toMatchObject({
      left: { _tag: 'NotFound' },
    })
    expect(E.isRight(await kube.evict(ref, { uid: created.right.metadata.uid })())).toBe(true)
  })

  test('waits for CRDs that are missing, and says so in readyz', async () => {
    const { url, installCrds } = await cluster({ withCrds: false })
    const { result } = await start(url)
    const controller = (result as E.Right<RunningController>).right
    await until('readyz names it', async () =>
      /nodepools \(Cannot watch nodepools: /.test((await get(controller.healthProbePort, '/readyz')).body),
    )
    expect((await get(controller.healthProbePort, '/readyz')).status).toBe(503)
    await installCrds()
    await controller.ready
    expect((await get(controller.healthProbePort, '/readyz')).status).toBe(200)
  })

  test('comes through compactions without missing anything', async () => {
    const { url, api, client } = await cluster()
    const { deps } = await startReady(url)
    const { pods } = deps.caches
    for (let round = 0; round < 5; round++) {
      await client.create(pods.kind, podManifest(`web-${round}`))()
      api.compact()
    }
    await until('all arrive', () => pods.size() === 5)
  })

  test('one sentence for each mistake: no API server, a port in use, a provider that refuses', async () => {
    expect((await start('http://127.0.0.1:1')).result).toEqual(
      E.left(
        expect.stringMatching(
          /^Cannot read the API server's version: no answer from the API server at http:\/\/127.0.0.1:1 \(from --server\): connection refused; check/,
        ),
      ),
    )
    const { url } = await cluster()
    const { controller } = await startReady(url)
    expect((await start(url, ['--metrics-port', String(controller.metricsPort)])).result).toEqual(
      E.left(
        `Cannot listen on 127.0.0.1:${controller.metricsPort} (--metrics-port): the port is in use; stop the other process or choose another port with --metrics-port`,
      ),
    )
    const refusing = {
      ...toyProvider,
      create: () => () =>
        Promise.resolve(E.left({ _tag: 'Unauthorized' as const, message: 'no credentials; log in first' })),
    }
    expect((await start(url, [], { providerModule: refusing })).result).toEqual(
      E.left('Cannot start provider toy: no credentials; log in first'),
    )
  })

  test('stops in order: no new work, what is in flight ends, then the connections', async () => {
    const { url } = await cluster()
    const order: Array<string> = []
    const { controller, deps } = await startReady(url, ['--leader-elect=true'], {
      startReconcilers: (given) => {
        given.shutdown.addEventListener('abort', () => order.push('asked to stop'))
        return {
          stopped: async () => {
            await new Promise((resolve) => setTimeout(resolve, 50))
            const write = await given.kube.create(given.caches.pods.kind, podManifest('last'))()
            order.push(E.isRight(write) ? 'last write made' : write.left.message)
          },
        }
      },
    })
    expect(deps).toBeUndefined()
    await Promise.all([controller.stop(), controller.stop()])
    expect(order).toEqual(['asked to stop', 'last write made'])
    expect(await controller.stopped).toEqual(E.right(undefined))
    await expect(get(controller.healthProbePort, '/healthz')).rejects.toThrow()
  })

  test('O-07 the second replica waits for the first, and takes over when it stops', async () => {
    const { url } = await cluster()
    const first = await startReady(url, ['--leader-elect=true'])
    const { result } = await start(url, ['--leader-elect=true'])
    const second = (result as E.Right<RunningController>).right
    let isSecondReady = false
    void second.ready.then(() => (isSecondReady = true))
    await until('the standby is synced', async () => (await get(second.healthProbePort, '/readyz')).status === 200)
    expect(isSecondReady).toBe(false)
    await first.controller.stop()
    await second.ready
  }, 15_000)
})
