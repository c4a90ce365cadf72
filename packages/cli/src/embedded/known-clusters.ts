import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from './cache-directory.ts'

/** An embedded cluster that runs on this machine, as other commands find it. */
export interface KnownCluster {
  readonly server: string
  readonly cloud: string
  /** Its clock, where it is not the wall's. */
  readonly speed?: number
  readonly clockOriginMs?: number
  /** The process that it ends with. */
  readonly pid: number
}

const directoryIn = (env: NodeJS.ProcessEnv) => join(cacheDirectory(env), 'clusters')

/**
 * Lets other commands of this user find a cluster. Returns what takes the note away again.
 *
 * A note that cannot be written is no reason to stop: the commands then have to be told where the cluster is.
 */
export const noteCluster = (cluster: KnownCluster, env: NodeJS.ProcessEnv): (() => void) => {
  const directory = directoryIn(env)
  const file = join(directory, `${cluster.pid}.json`)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(file, JSON.stringify(cluster))
  } catch {
    return () => undefined
  }
  return () => rmSync(file, { force: true })
}

/** The clusters that run now; notes of processes that are gone are swept away. */
export const knownClusters = (env: NodeJS.ProcessEnv): ReadonlyArray<KnownCluster> => {
  const directory = directoryIn(env)
  return filesIn(directory).flatMap((name) => {
    const file = join(directory, name)
    const cluster = read(file)
    if (cluster !== undefined && isAlive(cluster.pid)) return [cluster]
    rmSync(file, { force: true })
    return []
  })
}

const filesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .sort()
  } catch {
    return []
  }
}

const read = (file: string): KnownCluster | undefined => {
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as Partial<KnownCluster>
    const { server, cloud, pid, speed, clockOriginMs } = known
    if (typeof server !== 'string' || typeof cloud !== 'string' || typeof pid !== 'number') return undefined
    const isScaled = typeof speed === 'number' && typeof clockOriginMs === 'number'
    return { server, cloud, pid, ...(isScaled && { speed, clockOriginMs }) }
  } catch {
    return undefined
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}
