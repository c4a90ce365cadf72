/** `node --test` drives the suite here; jest and vitest would do as well. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { describeCloudProvider, observedHost, type Fault, type Operation, type Subject } from '@scantling/conformance'
import { systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { provider, type BoxClass, type BoxSettings } from 'box-provider'

const codes: Readonly<Record<Fault, string>> = {
  throttled: 'SlowDown',
  unauthorized: 'Forbidden',
  quota: 'QuotaUsed',
  invalid: 'BadRequest',
  'server-error': 'Broken',
  'answer-lost': 'Broken',
}
const calls: Partial<Record<Operation, string>> = {
  launch: 'POST boxes',
  terminate: 'DELETE boxes',
  list: 'GET boxes',
  get: 'GET boxes',
}
const running = new Set<ReturnType<typeof spawn>>()
after(() => running.forEach((child) => child.kill()))

const makeSubject = async (): Promise<Subject<BoxClass, unknown, BoxSettings>> => {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv.filter((flag) => !flag.startsWith('--test')),
      fileURLToPath(import.meta.resolve('box-provider/cloud')),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_TEST_CONTEXT: '' } },
  )
  running.add(child)
  const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout! }).once('line', resolve))
  const { url } = JSON.parse(line) as { readonly url: string }
  const control = async (body: object) => {
    const response = await fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(body) })
    return (await response.json()) as {
      readonly calls: number
      readonly started?: { readonly id: string }
      readonly present: ReadonlyArray<string>
    }
  }
  const host = observedHost(systemClock)
  const cluster = { name: 'conformance', kubernetesVersion: '1.36.3', objects: {} }
  const create = async () => {
    const created = await provider.create({ url }, host, { signal: host.shutdown, cluster })()
    if (E.isLeft(created)) throw new Error(created.left.message)
    return created.right
  }
  return {
    module: provider,
    provider: await create(),
    manifest: { apiVersion: 'box.example.com/v1', kind: 'BoxClass', metadata: { name: 'default' }, spec: {} },
    host,
    pass: async (passMs) => void (await control({ passMs })),
    levers: {
      fail: async (operation, fault, { skip = 0 } = {}) =>
        void (await control({
          fault: { call: calls[operation] ?? '', code: codes[fault], after: fault === 'answer-lost', skip },
        })),
      sellOut: async (sellOut) => void (await control({ sellOut })),
      restock: async () => void (await control({ sellOut: '' })),
      present: async () => (await control({})).present.map((id) => `box://${id}`),
      startForeign: async () => `box://${(await control({ foreign: true })).started?.id}`,
      endOutside: async (providerId) => {
        await fetch(`${url}/boxes/${providerId.slice('box://'.length)}`, { method: 'DELETE' })
        await control({ passMs: 60_000 })
      },
      restart: create,
    },
    close: async () => {
      child.kill()
      running.delete(child)
    },
  }
}

describeCloudProvider('box-provider', makeSubject, {
  runner: {
    describe: (title, body) => void describe(title, { concurrency: 4 }, body),
    test: (title, body, timeout = 30_000) => void test(title, { timeout }, body),
  },
  notSupported: [
    // A class names a rack and nothing else; boxes have no images, tags known late, queue or changing prices.
    ...(['resolve', 'release', 'drift', 'converge', 'interruptions', 'tasks', 'hash'] as const),
    ...([
      'changePrice',
      'changedManifest',
      'missingManifest',
      'interrupt',
      'sendGarbage',
      'garble',
      'hideNew',
      'countCalls',
    ] as const),
  ],
})
