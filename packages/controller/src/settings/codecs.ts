import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { Quantity, Time } from '@scantling/core'

/** The codec of one setting: text in, value out. `parse` says what is expected when it refuses. */
export const settingCodec = <A>(
  name: string,
  parse: (text: string) => E.Either<string, A>,
  render: (value: A) => string,
): t.Type<A, string, unknown> =>
  new t.Type<A, string, unknown>(
    name,
    (_input): _input is A => true,
    (input, context) => {
      const result = parse(String(input))
      return E.isRight(result) ? t.success(result.right) : t.failure(input, context, result.left)
    },
    render,
  )

export const text = settingCodec('text', (input) => E.right(input), String)

export const switchCodec = settingCodec<boolean>(
  'true or false',
  (input) => (input === 'true' || input === 'false' ? E.right(input === 'true') : E.left('expected true or false')),
  String,
)

/** A whole number within limits. */
export const integer = (minimum: number, maximum: number) =>
  settingCodec<number>(
    'number',
    (input) => {
      const value = Number(input)
      return /^-?\d+$/.test(input.trim()) && value >= minimum && value <= maximum
        ? E.right(value)
        : E.left(`expected a whole number from ${minimum} to ${maximum}`)
    },
    String,
  )

export const port = integer(0, 65_535)

/** The same, for settings that may be absent altogether. */
export const optional = <A>(codec: t.Type<A, string, unknown>) => codec as t.Type<A | undefined, string, unknown>

/** Words separated by commas, at least one. */
export const listOf = (name: string) =>
  settingCodec<ReadonlyArray<string>>(
    name,
    (input) => {
      const words = input
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '')
      return words.length > 0 ? E.right(words) : E.left(`expected ${name} separated by commas`)
    },
    (words) => words.join(','),
  )

export const duration = settingCodec<number>(
  'duration',
  (input) => {
    const parsed = Time.parseDuration(input)
    if (E.isLeft(parsed)) return E.left('expected a duration such as 10s or 1m30s')
    return parsed.right > 0 ? parsed : E.left('expected a duration above zero')
  },
  Time.renderDuration,
)

/** Millicores, as the reference's chart passes them: `1000`; quantities such as `1` core are not meant. */
export const milliCpu = settingCodec<number>(
  'millicores',
  // Source: parity row O-02, values of zero and below become 1000.
  (input) =>
    /^-?\d+$/.test(input.trim())
      ? E.right(Number(input) > 0 ? Number(input) : 1000)
      : E.left('expected millicores such as 1000'),
  String,
)

/** Bytes as a number or quantity; -1 is no limit. */
export const memoryBytes = settingCodec<number | undefined>(
  'bytes',
  (input) => {
    if (input.trim() === '-1') return E.right(undefined)
    const parsed = Quantity.parse(input.trim())
    return E.isRight(parsed) && Quantity.toNumber(parsed.right) > 0
      ? E.right(Quantity.toNumber(parsed.right))
      : E.left('expected bytes such as 1073741824 or 1Gi, or -1 for no limit')
  },
  (value) => String(value ?? -1),
)

/** One of a few words. */
export const oneOf = <const A extends string>(...words: ReadonlyArray<A>) =>
  settingCodec<A>(
    words.join(' | '),
    (input) => {
      const word = words.find((each) => each === input)
      return word === undefined ? E.left(`expected ${words.join(' | ')}`) : E.right(word)
    },
    String,
  )
