import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const entry = join(dirname(fileURLToPath(import.meta.url)), '../src/main.ts')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-sim-main-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Runs the entry; `ready` resolves to its first line on standard output, or `undefined` when it ends without one. */
const start = (...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, ['--conditions=@scantling/source', entry, ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = new Promise<{ readonly code: number | null; readonly err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, err }))
  })
  const ready = new Promise<string | undefined>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      if (out.includes('\n')) resolve(out)
    })
    void ended.then(() => resolve(undefined))
  })
  return { child, ready, ended }
}

test('says where it listens, serves the definitions it was given, refuses a taken port, stops on SIGTERM', async () => {
  const readyFile = join(directory, 'ready.json')
  await writeFile(
    join(directory, 'crd.yaml'),
    `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {plural: widgets, kind: Widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`,
  )
  const running = start('--crds', directory, '--ready-file', readyFile, '--speed', '10', '--clock-origin', '1000')
  const { url, speed } = JSON.parse((await running.ready) ?? '') as { readonly url: string; readonly speed: number }
  expect(speed).toBe(10)
  expect(JSON.parse(await readFile(readyFile, 'utf8'))).toMatchObject({ url })
  expect((await fetch(`${url}/apis/example.com/v1/widgets`)).status).toBe(200)
  const taken = start('--port', new URL(url).port)
  expect(await taken.ended).toEqual({
    code: 1,
    err: `Cannot listen on 127.0.0.1:${new URL(url).port}: the port is in use; choose another with --port\n`,
  })
  // An open watch must not keep it from stopping.
  const watch = await fetch(`${url}/api/v1/pods?watch=1`)
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
  await watch.text().catch(() => undefined)
}, 30_000)

test.each([
  [['--port', 'x'], 'Cannot use --port "x": expected a whole number from 0 to 65535\n'],
  [['--speed', '0'], 'Cannot use --speed "0": expected a number greater than 0\n'],
  [['--crds', '/nowhere'], 'Cannot read definitions from "/nowhere": no such file or directory\n'],
])(
  'one sentence for %j',
  async (args, sentence) => {
    expect(await start(...args).ended).toEqual({ code: 1, err: sentence })
  },
  20_000,
)

test('a definition file that is no YAML is named with its document', async () => {
  const path = join(directory, 'broken.yaml')
  await writeFile(path, 'a: b\n---\na: [b\n')
  const { code, err } = await start('--crds', path).ended
  expect(code).toBe(1)
  expect(err).toContain(`Cannot read definitions from "${path}", document 2: `)
  expect(err.trim().split('\n')).toHaveLength(1)
}, 20_000)
