import * as E from 'fp-ts/lib/Either.js'

import { civilFromDays, daysFromCivil, daysInMonth } from './civil.ts'

const dayMs = 86_400_000
const pattern = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/**
 * Reads an RFC 3339 instant into milliseconds since the epoch; finer fractions are cut off.
 *
 * Errors: a sentence that names the text and what was expected.
 *
 * @example
 * Time.parseInstant('1970-01-01T00:00:01Z') // => right(1000)
 */
export const parseInstant = (text: string): E.Either<string, number> => {
  const fail = (reason: string) => E.left(`Cannot parse instant ${JSON.stringify(text)}: ${reason}`)
  const match = pattern.exec(text)
  if (match === null) return fail('expected RFC 3339 such as 2026-01-31T12:00:00Z')
  const [, ...fields] = match
  const number = (index: number) => Number(fields[index] ?? '0')
  const [year, month, day, hour, minute, second] = [number(0), number(1), number(2), number(3), number(4), number(5)]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return fail('there is no such day')
  if (hour > 23 || minute > 59 || second > 59) return fail('there is no such time of day')
  const offsetMinutes = (fields[7] === '-' ? -1 : 1) * (number(8) * 60 + number(9))
  if (number(8) > 23 || number(9) > 59) return fail('there is no such offset')
  const fractionMs = Number((fields[6] ?? '').slice(0, 3).padEnd(3, '0'))
  const seconds = (hour * 60 + minute - offsetMinutes) * 60 + second
  return E.right(daysFromCivil(year, month, day) * dayMs + seconds * 1000 + fractionMs)
}

/**
 * Prints an instant in UTC to the second, as `metadata.creationTimestamp` is; a fraction of a second is cut off.
 *
 * @example
 * Time.renderInstant(1_500) // => '1970-01-01T00:00:01Z'
 */
export const renderInstant = (ms: number): string => `${renderSeconds(ms)}Z`

/**
 * Prints an instant in UTC with six decimals, as the times of a Lease are.
 *
 * @example
 * Time.renderMicroInstant(1_500) // => '1970-01-01T00:00:01.500000Z'
 */
export const renderMicroInstant = (ms: number): string => {
  const micros = Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000)
  return `${renderSeconds(ms)}.${String(micros).padStart(6, '0')}Z`
}

const renderSeconds = (ms: number): string => {
  const days = Math.floor(ms / dayMs)
  const { year, month, day } = civilFromDays(days)
  const seconds = Math.floor((ms - days * dayMs) / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}`
}
