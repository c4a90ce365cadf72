import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { findHelm } from '../helm/helm.ts'
import { findControlPlane } from './binaries.ts'
import { startControlPlane } from './control-plane.ts'
import { isIsolated, isolationObstacle, runIsolated } from './namespace.ts'

/*
 * `npm run e2e:cluster [-- --smoke | NAME…]`: our controller against a real Kubernetes control plane.
 * `npm run e2e:cluster -- --up`: such a plane to try things on, in a shell of its own, until the shell ends.
 */
const root = resolve(import.meta.dirname, '../..')
const args = process.argv.slice(2)
const say = (line: string) => void process.stdout.write(`${line}\n`)

/** What .ci/run has time for. */
const smoke = ['provisioning', 'disruption', 'role']

const main = async (): Promise<number> => {
  if (isIsolated()) return args.includes('--up') ? up() : test()
  const obstacle = isolationObstacle()
  const found = obstacle ?? (await findControlPlane(say))
  if (typeof found === 'string') {
    say(`Skipped: ${found}`)
    // No success without a run where a run was promised.
    return process.env['CI'] === 'true' ? 1 : 0
  }
  process.env['SCANTLING_CONTROL_PLANE'] = found.binaries
  const helm = await findHelm(say)
  if (typeof helm === 'string') say(helm)
  else process.env['SCANTLING_HELM'] = helm.binaries
  return runIsolated(process.execPath, [...process.execArgv, import.meta.filename, ...args])
}

const test = (): number => {
  const named = args.filter((arg) => !arg.startsWith('--'))
  const patterns = args.includes('--smoke') ? smoke : named
  const ran = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--config',
      join(import.meta.dirname, 'jest.config.mjs'),
      ...patterns.map((name) => `/${name}`),
    ],
    { stdio: 'inherit', cwd: root },
  )
  return ran.status ?? 1
}

const up = async (): Promise<number> => {
  const binaries = process.env['SCANTLING_CONTROL_PLANE'] ?? ''
  const plane = await startControlPlane(binaries)
  say(`A control plane listens at ${plane.server}; kubectl and KUBECONFIG are set in this shell, whose end is its end`)
  const env = { ...process.env, KUBECONFIG: plane.kubeconfig, PATH: `${binaries}:${process.env['PATH'] ?? ''}` }
  const shell = spawnSync(process.env['SHELL'] ?? 'sh', [], { stdio: 'inherit', env })
  await plane.stop()
  return shell.status ?? 0
}

process.exitCode = await main()
