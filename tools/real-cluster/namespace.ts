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

/** Runs a program in a network namespace of its own; resolves with its exit code. Needs no root. */
export const runIsolated = (command: string, args: ReadonlyArray<string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn('unshare', ['-rn', 'sh', '-c', `${networkSetup} && exec "$0" "$@"`, command, ...args], {
      stdio: 'inherit',
      env: { ...process.env, [marker]: '1' },
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)))
  })
