import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import type { Setting } from '@scantling/core'
import { SettingCodecs } from './index.ts'

const {
  duration,
  listOf,
  nonEmptyListOf,
  numberFrom,
  oneOf,
  oneOfOrNone,
  switches,
  textThat,
  trueOrFalse,
  wholeNumber,
} = SettingCodecs

type Reads = Pick<Setting<unknown>['codec'], 'decode'>

/** The value, or what the codec says instead. */
const read = (codec: Reads, input: string): unknown => {
  const result = codec.decode(input)
  return E.isRight(result) ? result.right : result.left.map(({ message }) => message).join('; ')
}

const gates = switches(
  [
    ['nodeRepair', 'NodeRepair'],
    ['overlay', 'NodeOverlay'],
  ],
  { nodeRepair: false, overlay: true },
)
const word = textThat('a word', (input) => /^\w+$/.test(input))

describe('codecs of settings', () => {
  test.each<[string, Reads, string, unknown]>([
    ['text that fits', word, 'yes', 'yes'],
    ['no text at all', word, '', ''],
    ['text that does not fit', word, 'two words', 'expected a word'],
    ['a switch', trueOrFalse, 'true', true],
    ['a switch, off', trueOrFalse, 'false', false],
    ['a switch with another word', trueOrFalse, 'True', 'expected true or false'],
    ['a whole number', wholeNumber(0, 10), '10', 10],
    ['one above', wholeNumber(0, 10), '11', 'expected a whole number from 0 to 10'],
    ['one below, without upper limit', wholeNumber(0), '-1', 'expected a whole number from 0'],
    ['a fraction for a whole number', wholeNumber(0), '1.5', 'expected a whole number from 0'],
    ['a number with a fraction', numberFrom(0), '0.075', 0.075],
    ['nothing for a number', numberFrom(0), ' ', 'expected a number from 0'],
    ['infinity for a number', numberFrom(0), 'Infinity', 'expected a number from 0'],
    ['a number above its limit', numberFrom(0, 1), '1.1', 'expected a number from 0 to 1'],
    ['a duration', duration(), '1m30s', 90_000],
    ['no duration', duration(), '10 apples', 'expected a duration such as 10s or 1m30s'],
    ['a duration of zero', duration(), '0s', 'expected a duration above zero'],
    ['a duration of zero where it may be', duration(0), '0s', 0],
    ['a duration below its limit', duration(60_000), '59s', 'expected a duration of at least 1m0s'],
    ['a list', listOf('names'), ' a, b,,c ', ['a', 'b', 'c']],
    ['an empty list', listOf('names'), '', []],
    ['an empty list where one is needed', nonEmptyListOf('names'), ' , ', 'expected names separated by commas'],
    ['one of a few words', oneOf('a', 'b'), 'b', 'b'],
    ['another word', oneOf('a', 'b'), 'c', 'expected a | b'],
    ['none of a few words', oneOfOrNone('a'), 'none', ''],
    ['another word than these or none', oneOfOrNone('a'), 'c', 'expected a | none'],
    ['some switches, one of them unknown', gates, 'NodeRepair=true, Other=false', { nodeRepair: true, overlay: true }],
    [
      'a switch without value',
      gates,
      'NodeRepair',
      'expected Gate=true or Gate=false, separated by commas; "NodeRepair" is neither',
    ],
  ])('%s', (_case, codec, input, expected) => {
    expect(read(codec, input)).toEqual(expected)
  })

  test('what is written can be read again', () => {
    expect(gates.encode({ nodeRepair: true, overlay: false })).toBe('NodeRepair=true,NodeOverlay=false')
    expect(oneOfOrNone('a').encode('')).toBe('none')
    expect(duration().encode(90_000)).toBe('1m30s')
    expect(listOf('names').encode(['a', 'b'])).toBe('a,b')
  })
})
