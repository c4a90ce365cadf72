import { spawn, type ChildProcess, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@scantling/provider-kit'

const requirements = fileURLToPath(new URL('./moto-requirements.txt', import.meta.url))
const oldestMinor = 10
const installMs = 240_000
const startMs = 60_000
const staleLockMs = 300_000

/** A Python that can run moto; `undefined` where there is none. */
export const findPython = (): string | undefined =>
  ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'].find((name) => {
    const { status, stdout } = spawnSync(name, ['-c', 'import sys, venv, ensurepip; print(sys.version_info[1])'], {
      encoding: 'utf8',
    })
    return status === 0 && Number(stdout) >= oldestMinor
  })

/**
 * The directory of a virtual environment with moto, made in the user's cache the first time.
 *
 * It is built aside and renamed into place, under a lock: two runs at once wait for one installation.
 */
export const bringMoto = async (python: string, say: (sentence: string) => void): Promise<string> => {
  const digest = createHash('sha256').update(readFileSync(requirements)).update(python).digest('hex').slice(0, 12)
  const base = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'scantling')
  const home = join(base, `moto-${digest}`)
  if (isWhole(home)) return home
  mkdirSync(base, { recursive: true })
  const lock = `${home}.lock`
  while (!tryLock(lock)) {
    await systemClock.sleep(500)
    if (isWhole(home)) return home
  }
  try {
    if (isWhole(home)) return home
    say('bringing moto 5.2.1 into the cache (once) …')
    rmSync(home, { recursive: true, force: true })
    run(python, ['-m', 'venv', home])
    run(join(home, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-input',
      '-r',
      requirements,
    ])
    writeFileSync(join(home, 'complete.tmp'), '')
    renameSync(join(home, 'complete.tmp'), join(home, 'complete'))
    say('… done')
    return home
  } finally {
    rmSync(lock, { force: true })
  }
}

const isWhole = (home: string): boolean => existsSync(join(home, 'complete'))

const tryLock = (lock: string): boolean => {
  try {
    closeSync(openSync(lock, 'wx'))
    return true
  } catch {
    if (existsSync(lock) && systemClock.nowMs() - statSync(lock).mtimeMs > staleLockMs) rmSync(lock, { force: true })
    return false
  }
}

const run = (command: string, args: ReadonlyArray<string>): void => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: installMs })
  if (status !== 0)
    throw new Error(`Cannot bring moto: ${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`)
}

/** A moto that listens. */
export interface Moto {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Starts moto on a free port of this machine and waits until it answers. */
export const startMoto = async (home: string): Promise<Moto> => {
  const port = await freePort()
  const child = spawn(join(home, 'bin', 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      // Without its own images it starts faster; tests register what they need.
      MOTO_AMIS_PATH: fileURLToPath(new URL('./no-images.json', import.meta.url)),
      PYTHONUNBUFFERED: '1',
    },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)))
  const url = `http://127.0.0.1:${port}`
  const untilMs = systemClock.nowMs() + startMs
  for (;;) {
    if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}: ${said}`)
    const isUp = await fetch(`${url}/moto-api/data.json`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return { url, stop: () => end(child) }
    if (systemClock.nowMs() > untilMs) {
      await end(child)
      throw new Error(`moto did not answer within ${startMs / 1000} s: ${said}`)
    }
    await systemClock.sleep(100)
  }
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('close', () => resolve())
    child.kill('SIGKILL')
  })

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1')
    server.once('error', reject)
    server.once('listening', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
