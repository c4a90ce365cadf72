import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The controller as a Deployment starts it, without the environment of whoever runs the tests. */
const run = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) => {
    const child = spawn(
      process.execPath,
      ['--conditions=@scantling/source', '--disable-warning=ExperimentalWarning', entry, ...args],
      { env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('close', (code) => resolve({ code, out, err }))
  })

describe('scantling-controller', () => {
  let scratch = ''
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'scantling-main-'))
  })
  afterAll(() => rmSync(scratch, { recursive: true }))
  const file = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text)
    return join(scratch, name)
  }
  const ports = ['--metrics-port', '0', '--health-probe-port', '0', '--bind-address', '127.0.0.1']

  test('--help prints every flag to standard output; a wrong flag is one line on standard error', async () => {
    const [help, wrong] = await Promise.all([run('--help'), run('--batch-max-duration', 'soon', '--nonsense')])
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toMatch(/--kubeconfig .*\n[^]*Provider kwok:\n.*--kwok-cloud-url/)
    expect(wrong.code).toBe(2)
    expect(wrong.err.trim().split('\n').sort()).toEqual([
      'Cannot use --batch-max-duration "soon": expected a duration such as 10s or 1m30s',
      'Cannot use flag --nonsense: there is no such flag; see --help',
    ])
  }, 30_000)

  test('one sentence for a kubeconfig that is none, and for an API server that does not answer', async () => {
    const context =
      'clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]\ncontexts: [{name: x, context: {cluster: a, user: u}}]\n'
    const said = await Promise.all([
      run('--kubeconfig', join(scratch, 'nowhere'), ...ports),
      run('--kubeconfig', file('broken', 'a: b: c\n'), ...ports),
      run('--kubeconfig', file('other', 'hello: world\n'), ...ports),
      run('--kubeconfig', file('undecided', `${context}users: [{name: u, user: {}}]\n`), ...ports),
      run('--server', 'http://127.0.0.1:1', ...ports),
    ])
    const expected = [
      /^Cannot read kubeconfig \S+nowhere \(from --kubeconfig or KUBECONFIG\): no such file; check the path\n$/,
      /^Cannot read kubeconfig \S+broken \(from --kubeconfig or KUBECONFIG\): not a kubeconfig \(.*\); expected YAML with clusters, users and contexts\n$/,
      /^Cannot read kubeconfig \S+other \(from --kubeconfig or KUBECONFIG\): not a kubeconfig \(no clusters, no contexts\); expected YAML/,
      /^Cannot use kubeconfig \S+undecided \(from --kubeconfig or KUBECONFIG\): it has no current-context; run kubectl config use-context NAME \(contexts: x\)\n$/,
      /^Cannot read the API server's version: no answer from the API server at http:\/\/127\.0\.0\.1:1 \(from --server\): connection refused; check that it runs and that address and port are right\n$/,
    ]
    for (const [index, { code, err }] of said.entries()) {
      expect(err).toMatch(expected[index] as RegExp)
      expect(code).toBe(1)
    }
  }, 60_000)
})
