import { type DestinationStream, pino } from 'pino'
import type { Log, LogFields } from './log.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly nowMs: () => number
  /** Default: standard output. */
  readonly destination?: DestinationStream
}

/** A log whose level can be changed while it runs. */
export interface AdjustableLog extends Log {
  readonly setLevel: (level: LogOptions['level']) => void
}

// Written at once, as the reference does: what pino buffers it flushes at exit, and there it tries for ever to write to
// a pipe whose reader is gone.
const standardOutput = (): DestinationStream => pino.destination({ dest: 1, sync: true })

/**
 * JSON lines with the reference's keys: `level` in capitals, `time` in ISO 8601, `logger`, `message`, then the fields.
 *
 * Source: parity row O-15.
 */
export const makeLog = ({ level, nowMs, destination }: LogOptions): AdjustableLog => {
  const root = pino(
    {
      level,
      base: { logger: 'controller' },
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination ?? standardOutput(),
  )
  // Levels are checked against the root, because a child of pino keeps the level it was born with.
  const wrap = (logger: pino.Logger): Log => ({
    debug: (message, fields) => root.isLevelEnabled('debug') && logger.debug(fields ?? {}, message),
    info: (message, fields) => root.isLevelEnabled('info') && logger.info(fields ?? {}, message),
    warn: (message, fields) => root.isLevelEnabled('warn') && logger.warn(fields ?? {}, message),
    error: (message, fields) => root.isLevelEnabled('error') && logger.error(fields ?? {}, message),
    with: (fields: LogFields) => wrap(logger.child(fields, { level: 'trace' })),
  })
  return {
    ...wrap(root),
    setLevel: (next) => {
      root.level = next
    },
  }
}
