import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { type AdjustableLog, followLevelFile, logDestination, makeDebugSwitch, makeLog } from './index.ts'

const setup = (level: 'debug' | 'info' = 'info') => {
  const clock = virtualClock(Date.UTC(2026, 0, 2, 3, 4, 5))
  const written: Array<string> = []
  const log = makeLog({ level, nowMs: clock.nowMs, destination: { write: (line) => void written.push(line) } })
  return { clock, log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('makeLog()', () => {
  test('lines are JSON with the keys of the reference: level, time, logger, message, then the fields', () => {
    const { log, lines } = setup()
    log.with({ controller: 'nodeclaim.lifecycle' }).info('Launched NodeClaim', {
      NodeClaim: 'general-abc',
      'provider-id': 'aws:///a/i-1',
      'instance-type': 'm5.large',
      allocatable: { cpu: '2' },
    })
    expect(lines()).toEqual([
      {
        level: 'INFO',
        time: '2026-01-02T03:04:05.000Z',
        logger: 'controller',
        message: 'Launched NodeClaim',
        controller: 'nodeclaim.lifecycle',
        NodeClaim: { name: 'general-abc' },
        'provider-id': 'aws:///a/i-1',
        'instance-type': 'm5.large',
        allocatable: { cpu: '2' },
      },
    ])
    expect(Object.keys(lines()[0] ?? {}).slice(0, 2)).toEqual(['level', 'time'])
  })

  test('the commit that the program was made of stands in every line', () => {
    const written: Array<string> = []
    makeLog({ level: 'info', nowMs: () => 0, destination: { write: (line) => void written.push(line) }, commit: 'abc' })
      .with({ controller: 'x' })
      .info('y')
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ commit: 'abc', controller: 'x', message: 'y' })
  })

  test('objects are named as the reference names them, pods with their namespace', () => {
    const { log, lines } = setup()
    log.warn('x', { Pod: 'default/web', EC2NodeClass: 'default', NodeClaims: 'a, b', NodePool: { name: 'given' } })
    expect(lines()[0]).toMatchObject({
      Pod: { name: 'web', namespace: 'default' },
      EC2NodeClass: { name: 'default' },
      NodeClaims: 'a, b',
      NodePool: { name: 'given' },
    })
  })

  test('of equal messages a hundred a second are written, then each hundredth; others are not held back by them', async () => {
    const { clock, log, lines } = setup()
    for (let index = 0; index < 350; index++) log.info('again')
    log.info('once')
    expect(lines().filter(({ message }) => message === 'again')).toHaveLength(102)
    expect(lines().filter(({ message }) => message === 'once')).toHaveLength(1)
    await clock.advance(1000)
    log.info('again')
    expect(lines().filter(({ message }) => message === 'again')).toHaveLength(103)
  })

  test('the level holds for loggers made before it changed, and a switch goes to debug and back', () => {
    const { log, lines } = setup()
    const child = log.with({ controller: 'x' })
    const switched = makeDebugSwitch(log)
    child.debug('no')
    expect(switched()).toBe('debug')
    child.debug('yes')
    expect(switched()).toBe('info')
    child.debug('no')
    log.setLevel('warn')
    expect([switched(), switched()]).toEqual(['debug', 'warn'])
    expect(lines().map(({ message }) => message)).toEqual(['yes'])
  })
})

describe('files of a log', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'scantling-log-'))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test('lines go to every path that was named; a path that cannot be opened is refused with a sentence', () => {
    const paths = ['one', 'two'].map((name) => join(directory, name))
    const destination = logDestination(paths)
    if (E.isLeft(destination)) throw new Error(destination.left)
    makeLog({ level: 'info', nowMs: () => 0, destination: destination.right }).info('hello')
    for (const path of paths) expect(readFileSync(path, 'utf8')).toContain('"message":"hello"')
    expect(logDestination([join(directory, 'no', 'such', 'directory')])).toEqual(
      E.left(expect.stringMatching(/^Cannot use log-output-paths ".*ENOENT.*; expected stdout, stderr or a file$/)),
    )
  })

  test('the level follows a file: while it is there, as it changes; nonsense in it changes nothing', async () => {
    const { clock, log, lines } = setup()
    const path = join(directory, 'level')
    const abort = new AbortController()
    const following = followLevelFile({ path, fallback: 'info', log, clock, signal: abort.signal })
    const levels: Array<ReturnType<AdjustableLog['level']>> = [log.level()]
    for (const text of ['debug\n', 'loud', 'WARN', '']) {
      writeFileSync(path, text)
      await clock.advance(5000)
      levels.push(log.level())
    }
    expect(levels).toEqual(['info', 'debug', 'debug', 'warn', 'info'])
    expect(lines().map(({ message }) => message)).toContain('Cannot use the level in the file, keeping the one before')
    // What a signal changed stays until the file changes.
    log.setLevel('debug')
    await clock.advance(5000)
    expect(log.level()).toBe('debug')
    abort.abort()
    await clock.advance(0)
    await following
  })
})
