import * as E from 'fp-ts/lib/Either.js'

const unitMs = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

/**
 * Reads a duration as Go writes it (`1h30m`, `15s`, `-1.5h`, `0`) into milliseconds.
 *
 * Units: milliseconds, with a fraction for finer durations.
 * Errors: a sentence that names the text and what was expected.
 *
 * @example
 * Time.parseDuration('1h30m') // => right(5_400_000)
 */
export const parseDuration = (text: string): E.Either<string, number> => {
  const fail = (reason: string) => E.left(`Cannot parse duration ${JSON.stringify(text)}: ${reason}`)
  const sign = text.startsWith('-') ? -1 : 1
  const body = /^[+-]/.test(text) ? text.slice(1) : text
  if (body === '0') return E.right(0)
  if (body === '') return fail('expected a duration such as 30s, 10m or 720h')
  let totalMs = 0
  let rest = body
  while (rest !== '') {
    const group = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest)
    if (group === null) return fail('expected a duration such as 30s, 10m or 720h')
    const [whole, amount = '', unit = ''] = group
    const factor = unitMs.get(unit)
    if (factor === undefined) {
      return fail(
        unit === ''
          ? `${amount} has no unit; write ${amount}s, ${amount}m or ${amount}h`
          : `unknown unit ${JSON.stringify(unit)}`,
      )
    }
    totalMs += Number(amount) * factor
    rest = rest.slice(whole.length)
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? E.right(sign * totalMs) : fail('it is too long')
}

/**
 * Reads a duration that may be `Never`, which becomes `undefined` (P-NPA-12).
 *
 * Keep the text beside the value: `1h` and `60m` must be written back as they were.
 *
 * @example
 * Time.parseNillableDuration('Never') // => right(undefined)
 * Time.parseNillableDuration('720h') // => right(2_592_000_000)
 */
export const parseNillableDuration = (text: string): E.Either<string, number | undefined> =>
  text === 'Never' ? E.right(undefined) : parseDuration(text)

/**
 * Prints milliseconds as Go does.
 *
 * @example
 * Time.renderDuration(5_400_000) // => '1h30m0s'
 */
export const renderDuration = (ms: number): string => {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const magnitude = Math.abs(ms)
  if (magnitude < 1e-3) return `${sign}${Math.round(magnitude * 1e6)}ns`
  if (magnitude < 1) return `${sign}${Math.round(magnitude * 1e6) / 1e3}µs`
  if (magnitude < 1000) return `${sign}${magnitude}ms`
  const seconds = (magnitude % 60_000) / 1000
  const minutes = Math.floor(magnitude / 60_000) % 60
  const hours = Math.floor(magnitude / 3_600_000)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}
