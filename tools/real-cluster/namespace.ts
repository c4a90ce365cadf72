import { spawn, spawnSync } from 'node:child_process'

const marker = 'SCANTLING_NETWORK_NAMESPACE'

/** Whether this process runs where nothing can leave the machine and every port is free. */
export const isIsolated = (): boolean => process.env[marker] === '1'

/** Why a network namespace cannot be had here, or `undefined`. */
export const isolationObstacle = (): string | undefined => {
  const tried = spawnSync('unshare', ['-rn', 'sh', '-c', networkSetup], { encoding: 'utf8' })
  if (tried.status === 0) return undefined
  const why = tried.error === undefined ? tried.stderr.trim() : 'there is no unshare on this machine'
  return `A cluster needs a network namespace of its own, which cannot be had here: ${why}`
}

// kwok gives pods addresses of 10.0.0.0/8: kept on this machine, they answer as loopback does.
const networkSetup = 'ip link set lo up && ip route add local 10.0.0.0/8 dev lo'

export interface Isolated {
  readonly env?: NodeJS.ProcessEnv
  /** Gets what the program writes; without it the program has this terminal. */
  readonly onOutput?: (text: string) => void
  /** Ends the program and all that it started. */
  readonly signal?: AbortSignal
}

/**
 * Runs a program in a network namespace of its own; resolves with its exit code, and leaves nothing of it running.
 *
 * Needs no root.
 */
export const runIsolated = (
  command: string,
  args: ReadonlyArray<string>,
  { env = {}, onOutput, signal }: Isolated = {},
): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn('unshare', ['-rn', 'sh', '-c', `${networkSetup} && exec "$0" "$@"`, command, ...args], {
      stdio: onOutput === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, [marker]: '1' },
      // A group of its own, which ends as a whole; a terminal's signals reach only its own group.
      detached: onOutput !== undefined,
    })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => onOutput?.(String(chunk)))
    const end = (how: NodeJS.Signals) => {
      try {
        process.kill(onOutput === undefined ? (child.pid ?? 0) : -(child.pid ?? 0), how)
      } catch {
        // It is gone already.
      }
    }
    for (const asked of ['SIGINT', 'SIGTERM'] as const) process.once(asked, () => end(asked))
    signal?.addEventListener('abort', () => end('SIGKILL'))
    child.once('error', reject)
    child.once('exit', () => {
      // What a failed start left behind.
      if (onOutput !== undefined) end('SIGKILL')
    })
    child.once('close', (code, ended) => resolve(code ?? (ended === null ? 1 : 128)))
  })
