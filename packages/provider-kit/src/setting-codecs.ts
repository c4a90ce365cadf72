import { Time, type Setting } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

type SettingCodec<A> = Setting<A>['codec']

/**
 * The codec of one setting: the text of a flag or variable in, its value out.
 *
 * Errors: what `parse` expected instead, as in `expected a duration such as 10s`; who reads the settings adds the
 * setting's name and the text.
 */
export const make = <A>(
  name: string,
  parse: (text: string) => E.Either<string, A>,
  render: (value: A) => string,
): SettingCodec<A> =>
  new t.Type<A, string, unknown>(
    name,
    (_input): _input is A => true,
    (input, context) => {
      const result = parse(String(input))
      return E.isRight(result) ? t.success(result.right) : t.failure(input, context, result.left)
    },
    render,
  )

/** Any text, as it is. */
export const text = make('text', (input) => E.right(input), String)

/** Text that `isMember` allows, or none; `what` says which, as in `an IP address`. */
export const textThat = (what: string, isMember: (input: string) => boolean): SettingCodec<string> =>
  make(what, (input) => (input === '' || isMember(input) ? E.right(input) : E.left(`expected ${what}`)), String)

/** `true` or `false`; on a command line the flag alone means true. */
export const trueOrFalse = make<boolean>(
  'true or false',
  (input) => (input === 'true' || input === 'false' ? E.right(input === 'true') : E.left('expected true or false')),
  String,
)

/** A whole number from `minimum` to `maximum`. */
export const wholeNumber = (minimum: number, maximum = Number.MAX_SAFE_INTEGER): SettingCodec<number> =>
  make(
    'whole number',
    (input) => {
      const value = Number(input)
      if (/^-?\d+$/.test(input.trim()) && value >= minimum && value <= maximum) return E.right(value)
      const range = maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `from ${minimum} to ${maximum}`
      return E.left(`expected a whole number ${range}`)
    },
    String,
  )

/** A number from `minimum` to `maximum`, with a fraction or without. */
export const numberFrom = (minimum: number, maximum = Number.POSITIVE_INFINITY): SettingCodec<number> =>
  make(
    'number',
    (input) => {
      const value = input.trim() === '' ? Number.NaN : Number(input)
      if (Number.isFinite(value) && value >= minimum && value <= maximum) return E.right(value)
      return E.left(`expected a number from ${minimum}${Number.isFinite(maximum) ? ` to ${maximum}` : ''}`)
    },
    String,
  )

/** A duration as Go writes it, in milliseconds: above zero, or as long as `atLeastMs`. */
export const duration = (atLeastMs?: number): SettingCodec<number> =>
  make(
    'duration',
    (input) => {
      const parsed = Time.parseDuration(input)
      if (E.isLeft(parsed)) return E.left('expected a duration such as 10s or 1m30s')
      if (atLeastMs === undefined) return parsed.right > 0 ? parsed : E.left('expected a duration above zero')
      return parsed.right >= atLeastMs
        ? parsed
        : E.left(`expected a duration of at least ${Time.renderDuration(atLeastMs)}`)
    },
    Time.renderDuration,
  )

/** Words separated by commas; `what` says which, as in `paths`. */
export const listOf = (what: string): SettingCodec<ReadonlyArray<string>> =>
  make(
    what,
    (input) => E.right(partsOf(input)),
    (words) => words.join(','),
  )

/** The same, of one word at least. */
export const nonEmptyListOf = (what: string): SettingCodec<ReadonlyArray<string>> =>
  make(
    what,
    (input) => {
      const words = partsOf(input)
      return words.length > 0 ? E.right(words) : E.left(`expected ${what} separated by commas`)
    },
    (words) => words.join(','),
  )

/** One of a few words. */
export const oneOf = <const A extends string>(...words: ReadonlyArray<A>): SettingCodec<A> =>
  make(
    words.join(' | '),
    (input) => {
      const word = words.find((each) => each === input)
      return word === undefined ? E.left(`expected ${words.join(' | ')}`) : E.right(word)
    },
    String,
  )

/** One of a few words, or `none`, which is written so because an empty variable counts as not set. */
export const oneOfOrNone = <const A extends string>(...words: ReadonlyArray<A>): SettingCodec<A | ''> => {
  const all = [...words, 'none'].join(' | ')
  return make<A | ''>(
    all,
    (input) => {
      if (input === '' || input === 'none') return E.right('')
      const word = words.find((each) => each === input)
      return word === undefined ? E.left(`expected ${all}`) : E.right(word)
    },
    (word) => (word === '' ? 'none' : word),
  )
}

/**
 * Switches in one text, `Name=true,Other=false`: those not named keep their defaults, unknown ones are passed over.
 *
 * `names` is the order in which they are written.
 *
 * Source: parity row O-03.
 */
export const switches = <K extends string>(
  names: ReadonlyArray<readonly [key: K, name: string]>,
  defaults: Readonly<Record<K, boolean>>,
): SettingCodec<Readonly<Record<K, boolean>>> =>
  make(
    'switches',
    (input) => {
      const found: Record<K, boolean> = { ...defaults }
      for (const entry of partsOf(input)) {
        const [name, value, ...rest] = entry.split('=').map((each) => each.trim())
        if (rest.length > 0 || (value !== 'true' && value !== 'false'))
          return E.left(`expected Gate=true or Gate=false, separated by commas; ${JSON.stringify(entry)} is neither`)
        const key = names.find(([, each]) => each === name)?.[0]
        if (key !== undefined) found[key] = value === 'true'
      }
      return E.right(found)
    },
    (values) => names.map(([key, name]) => `${name}=${values[key]}`).join(','),
  )

const partsOf = (input: string): ReadonlyArray<string> =>
  input
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
