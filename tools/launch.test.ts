import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { root } from './step.ts'

const run = (
  args: ReadonlyArray<string>,
  { cwd, env }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
) =>
  new Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>((resolve) => {
    const child = spawn(process.execPath, [path.join(root, 'tools/launch.mjs'), ...args], {
      cwd: cwd ?? root,
      env: { ...process.env, ...env },
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('close', (code) => resolve({ code, output, errors }))
  })

describe('launch', () => {
  let scratch = ''
  beforeAll(() => {
    scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'scantling-launch-')))
    fs.writeFileSync(
      path.join(scratch, 'entry.mjs'),
      'console.log(JSON.stringify([process.argv.slice(2), process.cwd(), process.execArgv])); process.exit(7)',
    )
  })
  afterAll(() => fs.rmSync(scratch, { recursive: true }))

  test('runs the entry in the caller’s directory, with its arguments and the source condition, and exits as it does', async () => {
    const { code, output } = await run([path.join(scratch, 'entry.mjs'), 'plan', '-f', 'a b.yaml'], { cwd: scratch })
    const [args, cwd, flags] = JSON.parse(output) as [ReadonlyArray<string>, string, ReadonlyArray<string>]
    expect({ code, args, cwd }).toEqual({ code: 7, args: ['plan', '-f', 'a b.yaml'], cwd: scratch })
    expect(flags).toContain('--conditions=@scantling/source')
  })

  test('--from-caller runs where npm was typed, not where npm went', async () => {
    const { output } = await run(['--from-caller', path.join(scratch, 'entry.mjs')], { env: { INIT_CWD: scratch } })
    expect((JSON.parse(output) as ReadonlyArray<unknown>)[1]).toBe(scratch)
  })

  test('passes a termination on, and waits for the orderly end', async () => {
    const entry = path.join(scratch, 'orderly.mjs')
    fs.writeFileSync(
      entry,
      "process.on('SIGTERM', () => process.exit(3)); console.log('up'); setInterval(() => {}, 1e6)",
    )
    const child = spawn(process.execPath, [path.join(root, 'tools/launch.mjs'), entry], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([3, null])
  })

  test('dies of the signal that its entry died of', async () => {
    const entry = path.join(scratch, 'killed.mjs')
    fs.writeFileSync(entry, "process.kill(process.pid, 'SIGKILL')")
    const child = spawn(process.execPath, [path.join(root, 'tools/launch.mjs'), entry], { stdio: 'ignore' })
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
  })

  test('without a network, one sentence says what to do', async () => {
    const env = {
      XDG_CACHE_HOME: path.join(scratch, 'cache'),
      npm_config_cache: path.join(scratch, 'npm'),
      npm_config_registry: 'http://127.0.0.1:9',
    }
    const { code, errors } = await run(['pnpm', '--version'], { env })
    expect(code).toBe(1)
    expect(errors).toMatch(
      /Cannot fetch @pnpm\/exe\S+ from the npm registry: connect to the network, or tell npm your proxy/,
    )
    expect(errors).not.toMatch(/\n\s+at /)
    expect(fs.readdirSync(path.join(scratch, 'cache', 'scantling'))).toEqual([])
  }, 60_000)
})
