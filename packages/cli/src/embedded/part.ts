import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { compileCache } from './cache-directory.ts'

/** One process of the embedded cluster. */
export interface Part {
  readonly pid: number
  /** Asks the process to stop, ends it if it does not, and resolves when it is gone. */
  readonly stop: () => Promise<void>
  /** Kills it outright, as a power cut would. */
  readonly kill: () => Promise<void>
  /** Resolves when the process ends without having been asked to. */
  readonly failed: Promise<PartFailure>
}

export interface PartFailure {
  /** `exit 1`, `SIGKILL`. */
  readonly how: string
  /** The last lines of its standard error. */
  readonly said: string
}

export interface PartOptions {
  readonly entry: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
  /** Each line of its standard output. */
  readonly onLine: (line: string) => void
}

// Half of what Node keeps for new objects by default stays resident in an idle process for nothing.
const youngGenerationMb = 2
const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href
const stopWithinMs = 10_000
const keptErrorLines = 20

/** Starts one process under this Node, with workspace packages resolved to their sources. */
export const startPart = ({ entry, args, env = {}, cwd, onLine }: PartOptions): Part => {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@scantling/source',
      '--disable-warning=ExperimentalWarning',
      `--max-semi-space-size=${youngGenerationMb}`,
      `--import=${endWithParent}`,
      entry,
      ...args,
    ],
    {
      cwd,
      env: { ...process.env, ...compileCache(process.env), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in a terminal is for the parent, which then stops its parts in order.
      detached: true,
    },
  )
  const errors: Array<string> = []
  let asked = false
  createInterface({ input: child.stdout }).on('line', onLine)
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line)
    if (errors.length > keptErrorLines) errors.shift()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const failed = new Promise<PartFailure>((resolve) => {
    child.once('error', (cause) => resolve({ how: 'no start', said: cause.message }))
    child.once('close', (code, signal) => {
      if (!asked) resolve({ how: signal ?? `exit ${code}`, said: errors.join('\n') })
    })
  })
  const end = async (signal: NodeJS.Signals) => {
    asked = true
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    await ended
    clearTimeout(timer)
  }
  return { pid: child.pid ?? 0, stop: () => end('SIGTERM'), kill: () => end('SIGKILL'), failed }
}
