import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { invariant } from '../internal/index.ts'
import { Time } from './index.ts'

const ms = (text: string): number => {
  const parsed = Time.parseInstant(text)
  invariant(E.isRight(parsed), 'an instant')
  return parsed.right
}
const cron = (text: string) => {
  const parsed = Time.parseCron(text)
  invariant(E.isRight(parsed), `a schedule: ${text}`)
  return parsed.right
}

describe('Time.parseDuration', () => {
  // What Go's time.Duration prints for each text.
  test.each([
    ['1h30m', 5_400_000, '1h30m0s'],
    ['90s', 90_000, '1m30s'],
    ['1.5h', 5_400_000, '1h30m0s'],
    ['1500ms', 1500, '1.5s'],
    ['100us', 0.1, '100µs'],
    ['0.5ms', 0.5, '500µs'],
    ['1m0.5s', 60_500, '1m0.5s'],
    ['0', 0, '0s'],
    ['-1h', -3_600_000, '-1h0m0s'],
    ['.5s', 500, '500ms'],
    ['168h', 604_800_000, '168h0m0s'],
  ])('reads %s as Go does', (text, value, rendered) => {
    expect(Time.parseDuration(text)).toEqual(E.right(value))
    expect(Time.renderDuration(value)).toBe(rendered)
  })

  test.each([
    ['1', 'Cannot parse duration "1": 1 has no unit; write 1s, 1m or 1h'],
    ['1d', 'Cannot parse duration "1d": unknown unit "d"'],
    ['', 'Cannot parse duration "": expected a duration such as 30s, 10m or 720h'],
    ['1h-3m', 'Cannot parse duration "1h-3m": unknown unit "h-"'],
  ])('refuses %j with a sentence', (text, message) => {
    expect(Time.parseDuration(text)).toEqual(E.left(message))
  })

  test('Never is no duration (P-NPA-12)', () => {
    expect(Time.parseNillableDuration('Never')).toEqual(E.right(undefined))
    expect(Time.parseNillableDuration('0s')).toEqual(E.right(0))
  })
})

describe('Time.parseInstant', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-11-21T10:00:00Z', Date.UTC(2026, 10, 21, 10)],
    ['2026-11-21T10:00:00.123456Z', Date.UTC(2026, 10, 21, 10, 0, 0, 123)],
    ['2026-11-21T12:30:00+02:30', Date.UTC(2026, 10, 21, 10)],
    ['1969-12-31T23:59:59-01:00', 3_599_000],
  ])('reads %s', (text, value) => {
    expect(Time.parseInstant(text)).toEqual(E.right(value))
  })

  test.each(['2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01', '2026-01-01T24:00:00Z', 'now'])(
    'refuses %s',
    (text) => {
      expect(E.isLeft(Time.parseInstant(text))).toBe(true)
    },
  )

  test('renders what it reads, and agrees with Date', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_000_000_000, max: 250_000_000_000 }), (seconds) => {
        const text = Time.renderInstant(seconds * 1000)
        expect(text).toBe(new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'))
        expect(Time.parseInstant(text)).toEqual(E.right(seconds * 1000))
      }),
    )
    expect(Time.renderMicroInstant(1_234.5)).toBe('1970-01-01T00:00:01.234500Z')
  })
})

describe('Time.nextAfter', () => {
  // What github.com/robfig/cron v3 answers, from 2026-11-21T10:00:00Z, a Saturday.
  test.each([
    ['*/15 9-17 * * mon-fri', '2026-11-23T09:00:00Z'],
    ['0 0 1 * 0', '2026-11-22T00:00:00Z'],
    ['0 0 1-7 * 1', '2026-11-23T00:00:00Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00Z'],
    ['5/20 * * * *', '2026-11-21T10:05:00Z'],
    ['0 0 */2 * 1', '2026-11-23T00:00:00Z'],
    ['0 0 1-31 * 1', '2026-11-22T00:00:00Z'],
    ['@hourly', '2026-11-21T11:00:00Z'],
    ['0 0 ? JAN,MAR ?', '2027-01-01T00:00:00Z'],
    ['1,,2 * * * *', '2026-11-21T10:01:00Z'],
    ['*-5 * * * *', '2026-11-21T10:01:00Z'],
    ['0 0 ,1 * *', '2026-12-01T00:00:00Z'],
  ])('answers %s as the reference does (P-NPA-05)', (text, next) => {
    expect(Time.nextAfter(cron(text), ms('2026-11-21T10:00:00Z'))).toBe(ms(next))
  })

  test('answers nothing for a day that never comes', () => {
    expect(Time.nextAfter(cron('0 0 30 2 *'), ms('2026-11-21T10:00:00Z'))).toBeUndefined()
  })

  test.each([
    ['0 0 * * 7', 'Cannot parse schedule "0 0 * * 7": day of week "7" must be within 0-6'],
    ['60 * * * *', 'Cannot parse schedule "60 * * * *": minute "60" must be within 0-59'],
    ['*/0 * * * *', 'Cannot parse schedule "*/0 * * * *": minute "*/0" needs a step of at least 1'],
    ['5-3 * * * *', 'Cannot parse schedule "5-3 * * * *": minute "5-3" has a range that ends before it begins'],
    ['* * * *', 'Cannot parse schedule "* * * *": expected 5 fields (minute, hour, day, month, weekday), found 4'],
  ])('refuses %s with a sentence', (text, message) => {
    expect(Time.parseCron(text)).toEqual(E.left(message))
  })

  test('agrees with trying every minute', () => {
    const field = (min: number, max: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min, max }).map(String),
        fc
          .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc.integer({ min: 1, max: 20 }).map((step) => `*/${step}`),
      )
    const schedule = fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
    const start = fc.integer({ min: 0, max: 2_000_000_000 })
    fc.assert(
      fc.property(schedule, start, (fields, seconds) => {
        const [minutes, hours, days, months, weekdays] = fields
        const accepts = (spec: string, value: number, min: number) =>
          spec === '*' ||
          (spec.startsWith('*/')
            ? (value - min) % Number(spec.slice(2)) === 0
            : value >= Number(spec.split('-')[0]) && value <= Number(spec.split('-')[1] ?? spec))
        const isHit = (date: Date) => {
          const byDay = accepts(days, date.getUTCDate(), 1)
          const byWeekday = accepts(weekdays, date.getUTCDay(), 0)
          const isOpen = [days, weekdays].some((spec) => spec === '*' || spec === '*/1')
          return (
            accepts(minutes, date.getUTCMinutes(), 0) &&
            accepts(hours, date.getUTCHours(), 0) &&
            accepts(months, date.getUTCMonth() + 1, 1) &&
            (isOpen ? byDay && byWeekday : byDay || byWeekday)
          )
        }
        const found = Time.nextAfter(cron(fields.join(' ')), seconds * 1000)
        const horizonMs = seconds * 1000 + 3 * 86_400_000
        let expected: number | undefined
        for (let at = (Math.floor(seconds / 60) + 1) * 60_000; at <= horizonMs; at += 60_000) {
          if (isHit(new Date(at))) {
            expected = at
            break
          }
        }
        if (expected === undefined) expect(found === undefined || found > horizonMs).toBe(true)
        else expect(found).toBe(expected)
      }),
      { numRuns: 200 },
    )
  })
})
