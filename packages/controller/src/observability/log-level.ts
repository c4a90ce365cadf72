import { readFileSync } from 'node:fs'
import type { CancelSignal } from '@scantling/core'
import { Cancelled, type Clock } from '@scantling/provider-kit'
import { type LogLevel, logLevels } from '../settings/index.ts'
import type { AdjustableLog } from './pino-log.ts'

/** Switches a log between debug and the level that it had; for a signal. Returns the level now. */
export const makeDebugSwitch = (log: AdjustableLog): (() => LogLevel) => {
  let usual: LogLevel = log.level()
  return () => {
    const before = log.level()
    const next = before === 'debug' ? (usual === 'debug' ? 'info' : usual) : 'debug'
    if (before !== 'debug') usual = before
    log.setLevel(next)
    return next
  }
}

export interface LevelFileOptions {
  readonly path: string
  /** The level while the file is not there, or empty. */
  readonly fallback: LogLevel
  readonly log: AdjustableLog
  readonly clock: Clock
  readonly signal: CancelSignal
}

const everyMs = 5000

/**
 * Keeps the level of a log as a file says, until the signal.
 *
 * The file is read every five seconds: a mounted ConfigMap changes by a link, which watchers of files miss. Only a
 * change of the file counts, so that a level set by a signal stays until then.
 */
export const followLevelFile = async ({ path, fallback, log, clock, signal }: LevelFileOptions): Promise<void> => {
  let known: string | undefined
  const look = () => {
    const text = readIfThere(path)
    if (text === known) return
    known = text
    const level = text === '' ? fallback : logLevels.find((each) => each === text)
    if (level === undefined)
      return log.warn('Cannot use the level in the file, keeping the one before', {
        path,
        'log-level': text,
        expected: logLevels.join(' | '),
      })
    if (level === log.level()) return
    log.setLevel(level)
    log.info('The log level changed', { 'log-level': level, path })
  }
  try {
    for (;;) {
      look()
      await clock.sleep(everyMs, signal)
    }
  } catch (cause) {
    if (!(cause instanceof Cancelled)) throw cause
  }
}

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim().toLowerCase()
  } catch {
    return ''
  }
}
