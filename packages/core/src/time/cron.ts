import * as E from 'fp-ts/lib/Either.js'

import { civilFromDays, daysFromCivil, weekdayFromDays } from './civil.ts'

/** A checked cron schedule in UTC: the allowed values of each field as bits. */
export interface Cron {
  readonly text: string
  /** Bits 0–59, as a bigint since numbers hold 32 bits in bitwise operators. */
  readonly minutes: bigint
  readonly hours: number
  readonly days: number
  readonly months: number
  readonly weekdays: number
  /** Whether either day field is open (`*`): then both must match, otherwise one of them is enough. */
  readonly bothDaysMustMatch: boolean
}

interface FieldSpec {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names: ReadonlyArray<string>
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fieldSpecs: ReadonlyArray<FieldSpec> = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: monthNames },
  { name: 'day of week', min: 0, max: 6, names: weekdayNames },
]

const shorthands = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

const minuteMs = 60_000
const dayMs = 86_400_000

interface Field {
  readonly bits: bigint
  readonly open: boolean
}

/**
 * Reads a schedule of five fields or a shorthand such as `@daily` (P-NPA-05).
 *
 * Fields are minute, hour, day of month, month, day of week (0 is Sunday; 7 is not allowed), each `*`, `?`, a value, a
 * range, a list, with `/step`; months and weekdays also by their English three-letter names.
 * Errors: a sentence that names the field, its value and what is allowed.
 * Source: https://pkg.go.dev/github.com/robfig/cron/v3, the reference's parser.
 *
 * @example
 * Time.parseCron('@daily')._tag // => 'Right'
 * Time.parseCron('61 * * * *')._tag // => 'Left'
 */
export const parseCron = (text: string): E.Either<string, Cron> => {
  const fail = (reason: string) => E.left(`Cannot parse schedule ${JSON.stringify(text)}: ${reason}`)
  if (text.startsWith('@') && !shorthands.has(text)) {
    return fail(`unknown shorthand; expected one of ${[...shorthands.keys()].join(', ')}`)
  }
  const fields = (shorthands.get(text) ?? text).trim().split(/\s+/)
  if (fields.length !== 5) return fail(`expected 5 fields (minute, hour, day, month, weekday), found ${fields.length}`)
  const parsed: Array<Field> = []
  for (const [index, spec] of fieldSpecs.entries()) {
    const field = parseField(fields[index] ?? '', spec)
    if (typeof field === 'string') return fail(field)
    parsed.push(field)
  }
  const bits = (index: number) => parsed[index]?.bits ?? 0n
  return E.right({
    text,
    minutes: bits(0),
    hours: Number(bits(1)),
    days: Number(bits(2)),
    months: Number(bits(3)),
    weekdays: Number(bits(4)),
    bothDaysMustMatch: parsed[2]?.open === true || parsed[4]?.open === true,
  })
}

const parseField = (text: string, spec: FieldSpec): Field | string => {
  const wrong = (reason: string) => `${spec.name} ${JSON.stringify(text)} ${reason}`
  let bits = 0n
  let open = false
  for (const part of text.split(',').filter((item) => item !== '')) {
    const [range = '', stepText, ...more] = part.split('/')
    const [low = '', high, ...rest] = range.split('-')
    if (more.length > 0 || rest.length > 0) return wrong('is not a value, a range such as 1-5 or a step such as */15')
    const star = low === '*' || low === '?'
    const step = stepText === undefined ? 1 : /^\d+$/.test(stepText) ? Number(stepText) : 0
    if (step === 0) return wrong('needs a step of at least 1')
    const first = star ? spec.min : readValue(low, spec)
    // A step after a single value runs to the end of the field: 5/15 is 5-59/15.
    const last =
      star || (high === undefined && stepText !== undefined)
        ? spec.max
        : high === undefined
          ? first
          : readValue(high, spec)
    if (first === undefined || last === undefined) return wrong(`must be within ${spec.min}-${spec.max}`)
    if (first < spec.min || last > spec.max) return wrong(`must be within ${spec.min}-${spec.max}`)
    if (first > last) return wrong('has a range that ends before it begins')
    for (let value = first; value <= last; value += step) bits |= 1n << BigInt(value)
    if (star && step === 1) open = true
  }
  return bits === 0n ? wrong('names no value') : { bits, open }
}

const readValue = (text: string, spec: FieldSpec): number | undefined => {
  const index = spec.names.indexOf(text.toLowerCase())
  if (index >= 0) return index + spec.min
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/**
 * The first hit strictly after `ms`, or `undefined` when there is none within five years (`0 0 30 2 *`).
 *
 * Units: milliseconds since the epoch. Cost: at most about 2,000 days looked at.
 *
 * @example
 * const daily = Time.parseCron('30 9 * * *')
 * daily._tag === 'Right' && Time.nextAfter(daily.right, Date.UTC(2026, 0, 1, 12)) // => Date.UTC(2026, 0, 2, 9, 30)
 */
export const nextAfter = (cron: Cron, ms: number): number | undefined => {
  const start = (Math.floor(ms / minuteMs) + 1) * minuteMs
  const firstDay = Math.floor(start / dayMs)
  const { year: firstYear } = civilFromDays(firstDay)
  for (let day = firstDay; ; day += 1) {
    const date = civilFromDays(day)
    if (date.year > firstYear + 5) return undefined
    if ((cron.months & (1 << date.month)) === 0) {
      // Step to the last day of this month; the loop goes on with the first of the next.
      day = date.month === 12 ? daysFromCivil(date.year, 12, 31) : daysFromCivil(date.year, date.month + 1, 1) - 1
      continue
    }
    if (!dayMatches(cron, date.day, weekdayFromDays(day))) continue
    const fromMinute = day === firstDay ? (start - day * dayMs) / minuteMs : 0
    const minute = nextMinuteOfDay(cron, fromMinute)
    if (minute !== undefined) return day * dayMs + minute * minuteMs
  }
}

const dayMatches = (cron: Cron, day: number, weekday: number): boolean => {
  const byDay = (cron.days & (1 << day)) !== 0
  const byWeekday = (cron.weekdays & (1 << weekday)) !== 0
  return cron.bothDaysMustMatch ? byDay && byWeekday : byDay || byWeekday
}

const nextMinuteOfDay = (cron: Cron, from: number): number | undefined => {
  for (let hour = Math.floor(from / 60); hour < 24; hour += 1) {
    if ((cron.hours & (1 << hour)) === 0) continue
    for (let minute = hour === Math.floor(from / 60) ? from % 60 : 0; minute < 60; minute += 1) {
      if (((cron.minutes >> BigInt(minute)) & 1n) === 1n) return hour * 60 + minute
    }
  }
  return undefined
}
