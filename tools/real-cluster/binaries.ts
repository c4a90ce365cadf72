import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname

/**
 * The directory with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok and its stages, built
 * from their Go modules on first use into the user's cache, under a name that sources and versions decide.
 *
 * Cost: some seven minutes on two cores the first time, 430 MB.
 * Errors: the reason as a sentence, where Go and Python are both missing or the build fails.
 */
export const findControlPlane = async (
  say: (line: string) => void,
): Promise<{ readonly binaries: string } | string> => {
  const binaries = join(cacheDirectory(), `control-plane-${fingerprint()}`)
  if (existsSync(join(binaries, 'complete'))) return { binaries }
  if (!['go', 'python3'].some(isInstalled))
    return 'The control plane needs Go, or Python 3 to fetch it; neither is on this machine'
  say('Building a Kubernetes control plane from its Go modules; this takes some minutes, once')
  const unfinished = `${binaries}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  const failure = await build(unfinished)
  if (failure !== undefined) {
    rmSync(unfinished, { recursive: true, force: true })
    return `The control plane cannot be built: ${failure}`
  }
  writeFileSync(join(unfinished, 'complete'), '')
  // Another process may have been faster; one of the two is as good as the other.
  if (existsSync(binaries)) rmSync(unfinished, { recursive: true, force: true })
  else renameSync(unfinished, binaries)
  return { binaries }
}

const build = (into: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = spawn('bash', [join(here, 'build'), into], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)))
    child.once('error', ({ message }) => resolve(message))
    child.once('close', (code) => resolve(code === 0 ? undefined : said.trim().split('\n').slice(-3).join(' ')))
  })

const isInstalled = (program: string): boolean =>
  spawnSync(program, [program === 'go' ? 'version' : '--version'], { stdio: 'ignore' }).error === undefined

const cacheDirectory = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'scantling')

const fingerprint = (): string => {
  const hash = createHash('sha256')
  for (const file of ['build', 'kubernetes/go.mod', 'kubernetes/go.sum']) hash.update(readFileSync(join(here, file)))
  return hash.digest('hex').slice(0, 16)
}
