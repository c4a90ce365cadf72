import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The controller as a process of its own. */
export interface ControllerProcess {
  readonly start: () => void
  /** Ends it as a crash does. */
  readonly kill: () => Promise<void>
  /** The last lines that it wrote. */
  readonly said: () => string
  /** Why no controller runs though nobody killed it. */
  readonly death: () => string | undefined
}

const main = fileURLToPath(new URL('../../../controller/src/main.ts', import.meta.url))
const keptLines = 40

/**
 * Makes the controller with a provider of this repository, which is not started yet.
 *
 * On a machine that does too much at once a Lease may run out: then it is started again, as a Deployment would.
 */
export const controllerProcess = ({
  provider,
  flags,
  environment,
}: {
  readonly provider: string
  readonly flags: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
}): ControllerProcess => {
  const lines: Array<string> = []
  let running: ChildProcess | undefined
  let death: string | undefined
  const start = () => {
    const child = spawn(
      process.execPath,
      [
        ...['--conditions=@scantling/source', '--disable-warning=ExperimentalWarning', main],
        ...['--provider', provider, ...flags],
      ],
      {
        // Providers are found from where the controller stands.
        cwd: fileURLToPath(new URL(`../../../provider-${provider}/`, import.meta.url)),
        stdio: ['ignore', 'pipe', 'pipe'],
        // A clean environment: no key of anybody's is read.
        env: {
          PATH: process.env['PATH'],
          HOME: '/nonexistent',
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
          ...environment,
        },
      },
    )
    let hasLostLease = false
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        hasLostLease ||= line.includes('leadership was lost')
        lines.push(line)
        if (lines.length > keptLines) lines.shift()
      })
    child.once('close', (code, signal) => {
      if (running !== child) return
      if (hasLostLease) start()
      else death = `The controller ended by itself with ${code ?? signal}`
    })
    running = child
    death = undefined
  }
  return {
    start,
    kill: async () => {
      const child = running
      running = undefined
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      await new Promise((resolve) => {
        child.once('close', resolve)
        child.kill('SIGKILL')
      })
    },
    said: () => lines.join('\n'),
    death: () => death,
  }
}
