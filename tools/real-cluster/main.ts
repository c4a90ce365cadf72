import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { goObstacle } from '../built-from-go.ts'
import { findHelm } from '../helm/helm.ts'
import { findControlPlane, findReference, minors } from './binaries.ts'
import { startControlPlane } from './control-plane.ts'
import { isIsolated, isolationObstacle, runIsolated } from './namespace.ts'

/*
 * `npm run e2e:cluster [-- --smoke | NAME…] [--at-once N] [--kubernetes 1.34]`: our controller against a real Kubernetes control plane.
 * `npm run e2e:cluster -- --up`: such a plane to try things on, in a shell of its own, until the shell ends.
 *
 * Ends with `N passed, N failed`.
 */
const root = resolve(import.meta.dirname, '../..')
const args = process.argv.slice(2)
const say = (line: string) => void process.stdout.write(`${line}\n`)

const withValue: ReadonlyArray<string> = ['--at-once', '--kubernetes']
const valueOf = (flag: string): string | undefined => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined)

/** Begun with, so that the end does not wait for it alone. */
const longest = 'scheduler'

/** What .ci/run has time for, the longest first. */
const smoke = ['disruption', 'role', 'provisioning', 'newcomer']
const smokeLimitMs = 11 * 60_000

const main = async (): Promise<number> => {
  if (isIsolated()) return up()
  const obstacle = isolationObstacle() ?? goObstacle('A Kubernetes control plane')
  if (obstacle !== undefined) {
    say(`skipped: ${obstacle}`)
    say('0 passed, 0 failed, 1 skipped')
    return 0
  }
  const minor = minors.find((one) => one === (valueOf('--kubernetes') ?? minors[0]))
  if (minor === undefined)
    return fail(`Cannot run Kubernetes ${valueOf('--kubernetes')}: there are ${minors.join(' and ')}`)
  const [plane, helm] = [await findControlPlane(say, minor), await findHelm(say)]
  for (const failure of [plane, helm]) if (typeof failure === 'string') return fail(failure)
  if (typeof plane === 'string' || typeof helm === 'string') return 1
  const bundled = spawnSync(process.execPath, [...process.execArgv, join(root, 'deploy/bundle.ts'), 'kwok'], {
    encoding: 'utf8',
    cwd: root,
  })
  if (bundled.status !== 0) return fail(`Cannot bundle the controller: ${bundled.stderr}`)
  if (!args.includes('--smoke') && !args.includes('--up') && namesOf(args).includes('handover')) {
    const reference = await findReference(say)
    if (typeof reference === 'string') return fail(reference)
    process.env['SCANTLING_REFERENCE'] = reference.binaries
  }
  process.env['SCANTLING_CONTROL_PLANE'] = plane.binaries
  process.env['SCANTLING_HELM'] = helm.binaries
  process.env['SCANTLING_BUNDLE'] = join(root, 'dist/scantling-controller-kwok.mjs')
  if (args.includes('--up')) return runIsolated(process.execPath, [...process.execArgv, import.meta.filename, '--up'])
  return test()
}

const fail = (why: string): number => {
  say(why)
  say('0 passed, 1 failed')
  return 1
}

/** Every file has a control plane of its own; two at once, since most of their time is waiting. */
const test = async (): Promise<number> => {
  const isSmoke = args.includes('--smoke')
  const names = isSmoke ? smoke : namesOf(args)
  const queue = [...names]
  const limit = new AbortController()
  const timer = isSmoke ? setTimeout(() => limit.abort(), smokeLimitMs) : undefined
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const { code, output } = limit.signal.aborted ? { code: 1, output: '' } : await testFile(name, limit.signal)
      say(`--- ${name}\n${output.trim()}`)
      if (limit.signal.aborted) say(`${name} did not end within ${smokeLimitMs / 60_000} minutes of the start`)
      const { passed, failed, skipped } = countsOf(name)
      counts.passed += passed
      counts.failed += failed === 0 && code !== 0 ? 1 : failed
      counts.skipped += skipped
    }
  }
  const atOnce = Number(valueOf('--at-once') ?? 2)
  await Promise.all(Array.from({ length: atOnce }, worker))
  clearTimeout(timer)
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  say(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`)
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1
}

const namesOf = (given: ReadonlyArray<string>): ReadonlyArray<string> => {
  const all = readdirSync(join(import.meta.dirname, 'e2e')).map((file) => file.replace('.e2e.ts', ''))
  const named = given.filter((arg, index) => !arg.startsWith('--') && !withValue.includes(given[index - 1] ?? ''))
  return all
    .filter((name) => named.length === 0 || named.some((start) => name.startsWith(start)))
    .sort((a, b) => Number(b === longest) - Number(a === longest))
}

const resultsOf = (name: string): string => join(root, `test-results/cluster-${name}.json`)

/** What the reporter wrote of a file's tests; nothing where it did not come to its end. */
const countsOf = (name: string) => {
  const { tests } = existsSync(resultsOf(name))
    ? (JSON.parse(readFileSync(resultsOf(name), 'utf8')) as { tests: ReadonlyArray<{ status: string }> })
    : { tests: [] }
  const count = (...states: ReadonlyArray<string>) => tests.filter(({ status }) => states.includes(status)).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('pending', 'todo') }
}

const testFile = async (name: string, signal: AbortSignal) => {
  rmSync(resultsOf(name), { force: true })
  let output = ''
  const started = performance.now()
  const code = await runIsolated(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--config',
      join(import.meta.dirname, 'jest.config.mjs'),
      `/${name}.e2e.ts`,
      '--verbose',
    ],
    { env: { SCANTLING_E2E: name, SCANTLING_SUITE: `cluster-${name}` }, onOutput: (text) => (output += text), signal },
  )
  say(`${name}: exit ${code} after ${Math.round((performance.now() - started) / 1000)} s`)
  return { code, output }
}

const up = async (): Promise<number> => {
  const binaries = process.env['SCANTLING_CONTROL_PLANE'] ?? ''
  const plane = await startControlPlane(binaries)
  say(`A control plane listens at ${plane.server}; kubectl and KUBECONFIG are set in this shell, whose end is its end`)
  const env = {
    ...process.env,
    KUBECONFIG: plane.kubeconfig,
    PATH: `${binaries}${delimiter}${process.env['PATH'] ?? ''}`,
  }
  const shell = spawnSync(process.env['SHELL'] ?? 'sh', [], { stdio: 'inherit', env })
  await plane.stop()
  return shell.status ?? 0
}

process.exitCode = await main()
