import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'

/** A program that runs beside the tests. */
export interface Child {
  readonly pid: number
  readonly send: (signal: NodeJS.Signals) => void
  /** Ends it, with force where asking is not enough, and resolves when it is gone. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  /** Rejects with what it said last when it ends unasked. */
  readonly running: Promise<never>
}

const stopWithinMs = 10_000
const keptCharacters = 3000

export interface ChildOptions {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** Its output goes there. */
  readonly log: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly onOutput?: (text: string) => void
}

export const startChild = ({ name, command, args, log, cwd, env, onOutput }: ChildOptions): Child => {
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  })
  const file = createWriteStream(log, { flags: 'a' })
  let said = ''
  let isAsked = false
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      file.write(chunk)
      const text = chunk.toString()
      said = (said + text).slice(-keptCharacters)
      onOutput?.(text)
    })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const running = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      file.end()
      if (!isAsked) reject(new Error(`${name} ended unasked (${signal ?? `exit ${code}`}): ${said.trim()}`))
    })
  })
  // Who waits for something of the program races it against this; who does not need not care.
  running.catch(() => undefined)
  return {
    pid: child.pid ?? 0,
    send: (signal) => void child.kill(signal),
    running,
    stop: async (signal = 'SIGTERM') => {
      isAsked = true
      if (child.exitCode !== null || child.signalCode !== null) return
      // A program that was paused hears nothing until it is woken.
      if (signal !== 'SIGKILL') child.kill('SIGCONT')
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
      await closed
      clearTimeout(timer)
    },
  }
}
