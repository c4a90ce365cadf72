import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The reference itself as a program, built from `tools/oracle`. */
export interface Oracle {
  /** Where it is, for callers that measure it. */
  readonly binary: string
  /** Runs it; returns its standard output. Throws with its standard error when it fails. */
  readonly run: (args: ReadonlyArray<string>) => string
}

const sources = fileURLToPath(new URL('../../../../tools/oracle', import.meta.url))
const catalogs = fileURLToPath(new URL('../../../../vectors/catalogs', import.meta.url))
const largestOutput = 2 ** 30

/**
 * The oracle, built on first use into the user's cache under a name that its sources decide.
 *
 * Left out of reach (neither Go nor Python on the machine, or the build fails): the reason as a sentence.
 */
export const findOracle = (say: (line: string) => void): Oracle | string => {
  const binary = join(cacheDirectory(), `oracle-${fingerprint()}`, 'oracle')
  if (!existsSync(binary)) {
    if (!['go', 'python3'].some(isInstalled))
      return 'The oracle needs Go, or Python 3 to fetch it; neither is on this machine'
    say('Building the oracle from Karpenter’s Go module; this takes some minutes, once')
    const unfinished = `${binary}.${process.pid}`
    mkdirSync(join(binary, '..'), { recursive: true })
    const built = spawnSync('bash', [join(sources, 'build'), unfinished], { stdio: ['ignore', 'ignore', 'pipe'] })
    if (built.status !== 0)
      return `The oracle cannot be built: ${String(built.stderr).trim().split('\n').slice(-3).join(' ')}`
    renameSync(unfinished, binary)
  }
  return {
    binary,
    run: (args) => {
      const ran = spawnSync(binary, args, {
        env: { ...process.env, ORACLE_CATALOGS: catalogs },
        maxBuffer: largestOutput,
        encoding: 'utf8',
      })
      if (ran.status !== 0)
        throw new Error(`oracle ${args[0] ?? ''} failed: ${ran.stderr.trim() || ran.error?.message}`)
      return ran.stdout
    },
  }
}

const isInstalled = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined

const cacheDirectory = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'scantling')

const fingerprint = (): string => {
  const hash = createHash('sha256')
  for (const file of readdirSync(sources).sort())
    if (/\.go$|^go\.(mod|sum)$/.test(file)) hash.update(file).update(readFileSync(join(sources, file)))
  return hash.digest('hex').slice(0, 16)
}
