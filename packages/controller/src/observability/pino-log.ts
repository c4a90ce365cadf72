import * as E from 'fp-ts/lib/Either.js'
import { type DestinationStream, pino } from 'pino'
import { type LogLevel } from '../settings/index.ts'
import type { Log, LogFields } from './log.ts'

export interface LogOptions {
  readonly level: LogLevel
  readonly nowMs: () => number
  /** Default: standard output. */
  readonly destination?: DestinationStream
  /** Of which the program was made, written into every line; absent or empty: unknown. */
  readonly commit?: string
}

/** A log whose level can be changed while it runs. */
export interface AdjustableLog extends Log {
  readonly level: () => LogLevel
  readonly setLevel: (level: LogLevel) => void
}

// Written at once, as the reference does: what pino buffers it flushes at exit, and there it tries for ever to write to
// a pipe whose reader is gone.
const standardOutput = (): DestinationStream => pino.destination({ dest: 1, sync: true })

/**
 * Where log lines go, by the reference's words for it: `stdout`, `stderr` or the path of a file, which is appended to.
 *
 * Left: a sentence about the first file that cannot be opened.
 */
export const logDestination = (paths: ReadonlyArray<string>): E.Either<string, DestinationStream> => {
  const streams: Array<DestinationStream> = []
  for (const path of paths) {
    try {
      streams.push(
        path === 'stdout' ? standardOutput() : pino.destination({ dest: path === 'stderr' ? 2 : path, sync: true }),
      )
    } catch (cause) {
      return E.left(
        `Cannot use log-output-paths ${JSON.stringify(path)}: ${String(cause)}; expected stdout, stderr or a file`,
      )
    }
  }
  const [first] = streams
  if (first !== undefined && streams.length === 1) return E.right(first)
  return E.right({ write: (line) => streams.forEach((stream) => stream.write(line)) })
}

/**
 * JSON lines with the reference's keys: `level` in capitals, `time` in ISO 8601, `logger`, `commit`
 * where one is known, `message`, then the fields.
 *
 * A field that names one object, such as `NodeClaim`, is written as the reference writes it, `{"name": "…"}`. Of equal
 * messages the first hundred of a second are written, then each hundredth.
 *
 * Source: parity row O-15.
 */
export const makeLog = ({ level, nowMs, destination, commit = '' }: LogOptions): AdjustableLog => {
  const root = pino(
    {
      level,
      base: { logger: 'controller', ...(commit === '' ? {} : { commit }) },
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination ?? standardOutput(),
  )
  const isSampled = makeSampling(nowMs)
  // Levels are checked against the root, because a child of pino keeps the level it was born with.
  const write = (logger: pino.Logger, at: LogLevel) => (message: string, fields: LogFields | undefined) => {
    if (!root.isLevelEnabled(at) || !isSampled(`${at} ${message}`)) return
    logger[at](withReferences(fields ?? {}), message)
  }
  const wrap = (logger: pino.Logger): Log => ({
    debug: write(logger, 'debug'),
    info: write(logger, 'info'),
    warn: write(logger, 'warn'),
    error: write(logger, 'error'),
    with: (fields: LogFields) => wrap(logger.child(withReferences(fields), { level: 'trace' })),
  })
  return {
    ...wrap(root),
    level: () => root.level as LogLevel,
    setLevel: (next) => {
      root.level = next
    },
  }
}

const firstLines = 100
const thenEach = 100

/** Whether to write a line, by its level and message. */
const makeSampling = (nowMs: () => number): ((line: string) => boolean) => {
  const counts = new Map<string, number>()
  let second = 0
  return (line) => {
    const now = Math.floor(nowMs() / 1000)
    if (now !== second) {
      counts.clear()
      second = now
    }
    const count = (counts.get(line) ?? 0) + 1
    counts.set(line, count)
    return count <= firstLines || (count - firstLines) % thenEach === 0
  }
}

const isKind = (key: string): boolean => /^(Node|NodePool|NodeClaim|Pod|[A-Za-z0-9]*NodeClass)$/.test(key)

const withReferences = (fields: LogFields): LogFields => {
  if (!Object.keys(fields).some(isKind)) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (!isKind(key) || typeof value !== 'string') return [key, value]
      const [name = '', namespace] = value.split('/').reverse()
      return [key, namespace === undefined ? { name } : { name, namespace }]
    }),
  )
}
