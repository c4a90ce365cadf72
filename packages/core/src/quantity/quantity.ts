import * as E from 'fp-ts/lib/Either.js'

import { invariant } from '../internal/index.ts'

declare const quantityBrand: unique symbol

/**
 * An exact amount of a resource, held as the canonical text that Kubernetes prints (`500m`, `1536Mi`, `2e3`).
 *
 * Equal amounts may have different texts (`1Gi` and `1073741824`), so compare with `compare`, not with `===`.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export type Quantity = string & { readonly [quantityBrand]: true }

/** The suffix family in which an amount is printed. */
export type Format = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

interface Parsed {
  readonly text: Quantity
  readonly nano: bigint
  readonly format: Format
}

const nanoPerUnit = 1_000_000_000n
// Kubernetes caps binary amounts at the largest signed 64-bit integer.
const largestBinaryNano = (2n ** 63n - 1n) * nanoPerUnit
// Far beyond any real amount; they keep hostile text from building gigantic integers.
const longestText = 128
const largestExponent = 256

const decimalExponents = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const decimalSuffixes = new Map([...decimalExponents].map(([suffix, exponent]) => [exponent, suffix]))
const binarySuffixes: ReadonlyArray<string> = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

// A cluster's thousands of pods share few texts. Dropping the whole cache at the bound keeps it simple and bounded.
const cacheSize = 8192
const cache = new Map<string, Parsed>()

/**
 * Reads any text that Kubernetes accepts as a quantity and returns its canonical form.
 *
 * Amounts finer than 1e-9 round away from zero, and binary amounts are capped at 2^63 - 1, as in Kubernetes.
 * Errors: a sentence that names the text and what is wrong with it.
 *
 * @example
 * Quantity.parse('0.5') // => right('500m')
 * Quantity.parse('1.5Gii') // => left('Cannot parse quantity "1.5Gii": unknown suffix "Gii"')
 */
export const parse = (text: string): E.Either<string, Quantity> => {
  const parsed = read(text)
  return typeof parsed === 'string' ? E.left(parsed) : E.right(parsed.text)
}

/**
 * The quantity of a literal in a program.
 *
 * Errors: throws an invariant violation for text that is not a quantity; use `parse` for text from outside.
 *
 * @example
 * Quantity.of('0.5') // => '500m'
 */
export const of = (text: string): Quantity => lookup(text).text

/** The quantity 0. */
export const zero: Quantity = '0' as Quantity

/**
 * Exact value in units of 1e-9. Cost: one map look-up for a text seen before.
 *
 * @example
 * Quantity.toNano(Quantity.of('250m')) // => 250_000_000n
 */
export const toNano = (quantity: Quantity): bigint => lookup(quantity).nano

/**
 * The suffix family of the text. A plain integer counts as `DecimalSI`.
 *
 * @example
 * Quantity.formatOf(Quantity.of('1Gi')) // => 'BinarySI'
 * Quantity.formatOf(Quantity.of('5')) // => 'DecimalSI'
 */
export const formatOf = (quantity: Quantity): Format => lookup(quantity).format

/**
 * The quantity with this value in units of 1e-9, printed in the given family.
 *
 * Binary amounts between -1024 and 1024, and those with a fraction of a unit, print as decimal ones, as in Kubernetes.
 *
 * @example
 * Quantity.fromNano(1_610_612_736_000_000_000n, 'BinarySI') // => '1536Mi'
 */
export const fromNano = (value: bigint, format: Format): Quantity => {
  if (format !== 'BinarySI' || !isBinary(value)) {
    return renderDecimal(value, format === 'DecimalExponent' ? 'DecimalExponent' : 'DecimalSI')
  }
  let mantissa = value / nanoPerUnit
  let power = 0
  while (power < binarySuffixes.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n
    power += 1
  }
  return `${mantissa}${binarySuffixes[power]}` as Quantity
}

/**
 * Exact order of two amounts, whatever their texts.
 *
 * @example
 * Quantity.compare(Quantity.of('1Gi'), Quantity.of('1000Mi')) // => 1
 */
export const compare = (left: Quantity, right: Quantity): -1 | 0 | 1 => {
  if (left === right) return 0
  const leftNano = toNano(left)
  const rightNano = toNano(right)
  return leftNano < rightNano ? -1 : leftNano > rightNano ? 1 : 0
}

/**
 * Whether two texts state the same amount.
 *
 * @example
 * Quantity.equals(Quantity.of('1000m'), Quantity.of('1')) // => true
 */
export const equals = (left: Quantity, right: Quantity): boolean => compare(left, right) === 0

/**
 * Exact sum in the family of `left`, or of `right` when `left` is zero.
 *
 * @example
 * Quantity.add(Quantity.of('500m'), Quantity.of('2')) // => '2500m'
 */
export const add = (left: Quantity, right: Quantity): Quantity =>
  fromNano(toNano(left) + toNano(right), familyOf(left, right))

/**
 * Exact sum of all, printed as adding one after the other would print it; zero of none.
 *
 * Cost: a look-up and an addition for each amount seen before; one sum is printed.
 *
 * @example
 * Quantity.sum([Quantity.of('500m'), Quantity.of('2'), Quantity.of('1500m')]) // => '4'
 */
export const sum = (amounts: ReadonlyArray<Quantity>): Quantity => {
  const [first, ...others] = amounts
  if (first === undefined || others.length === 0) return first ?? zero
  let { nano, format } = lookup(first)
  let family = format
  for (const amount of others) {
    const next = lookup(amount)
    family = nano === 0n ? next.format : format
    nano += next.nano
    format = printedFormat(nano, family)
  }
  return fromNano(nano, family)
}

/**
 * Exact difference in the family of `left`, or of `right` when `left` is zero. May be negative.
 *
 * @example
 * Quantity.subtract(Quantity.of('1Gi'), Quantity.of('512Mi')) // => '512Mi'
 */
export const subtract = (left: Quantity, right: Quantity): Quantity =>
  fromNano(toNano(left) - toNano(right), familyOf(left, right))

/**
 * Whether the amount is zero, whatever its text.
 *
 * @example
 * Quantity.isZero(Quantity.of('0Gi')) // => true
 */
export const isZero = (quantity: Quantity): boolean => toNano(quantity) === 0n

/**
 * Whether the amount is below zero.
 *
 * @example
 * Quantity.isNegative(Quantity.subtract(Quantity.of('1'), Quantity.of('2'))) // => true
 */
export const isNegative = (quantity: Quantity): boolean => toNano(quantity) < 0n

/**
 * The exact value in base units as a plain decimal.
 *
 * @example
 * Quantity.toDecimal(Quantity.of('250m')) // => '0.25'
 * Quantity.toDecimal(Quantity.of('1Gi')) // => '1073741824'
 */
export const toDecimal = (quantity: Quantity): string => {
  const nano = toNano(quantity)
  const magnitude = nano < 0n ? -nano : nano
  const whole = magnitude / nanoPerUnit
  const fraction = magnitude % nanoPerUnit
  const sign = nano < 0n ? '-' : ''
  if (fraction === 0n) return `${sign}${whole}`
  return `${sign}${whole}.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}`
}

/**
 * The value in base units as a number. Approximate beyond 2^53; for display and ratios, not for decisions.
 *
 * @example
 * Quantity.toNumber(Quantity.of('250m')) // => 0.25
 */
export const toNumber = (quantity: Quantity): number => Number(toNano(quantity)) / 1e9

// What `formatOf` says of the text that `fromNano` prints: one without a suffix is decimal, whatever it was meant to be.
const printedFormat = (value: bigint, family: Format): Format => {
  if (family === 'DecimalSI') return 'DecimalSI'
  if (family === 'BinarySI') return isBinary(value) && (value / nanoPerUnit) % 1024n === 0n ? 'BinarySI' : 'DecimalSI'
  return formatOf(fromNano(value, family))
}

const isBinary = (value: bigint): boolean =>
  value % nanoPerUnit === 0n && (value <= -1024n * nanoPerUnit || value >= 1024n * nanoPerUnit)

const familyOf = (left: Quantity, right: Quantity): Format => formatOf(isZero(left) ? right : left)

const lookup = (text: string): Parsed => {
  const parsed = read(text)
  invariant(typeof parsed !== 'string', `a quantity: ${typeof parsed === 'string' ? parsed : ''}`)
  return parsed
}

const read = (text: string): Parsed | string => {
  const known = cache.get(text)
  if (known !== undefined) return known
  const parsed = readUncached(text)
  if (typeof parsed === 'string') return parsed
  if (cache.size >= cacheSize) cache.clear()
  cache.set(text, parsed)
  return parsed
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/s

const readUncached = (text: string): Parsed | string => {
  const fail = (reason: string) => `Cannot parse quantity ${JSON.stringify(text)}: ${reason}`
  if (text === '') return fail('it is empty')
  if (text.length > longestText)
    return `Cannot parse a quantity of ${text.length} characters: at most ${longestText} are allowed`
  const [, sign = '', whole = '', fraction = '', suffix = ''] = pattern.exec(text) ?? []
  if (whole === '' && fraction === '') return fail('expected a number such as 500m, 2 or 1.5Gi')
  const scale = readSuffix(suffix)
  if (scale === undefined) return fail(`unknown suffix ${JSON.stringify(suffix)}`)
  if (scale.exponent < -largestExponent || scale.exponent > largestExponent) {
    return fail(`exponent ${scale.exponent} is out of range`)
  }
  const digits = BigInt(`${whole}${fraction}`)
  const tenths = scale.format === 'BinarySI' ? 9 - fraction.length : 9 - fraction.length + scale.exponent
  const factor = scale.format === 'BinarySI' ? 1024n ** BigInt(scale.exponent) : 1n
  const scaled =
    tenths >= 0 ? digits * factor * 10n ** BigInt(tenths) : divideAwayFromZero(digits * factor, 10n ** BigInt(-tenths))
  const magnitude = scale.format === 'BinarySI' && scaled > largestBinaryNano ? largestBinaryNano : scaled
  const value = sign === '-' ? -magnitude : magnitude
  return { text: fromNano(value, scale.format), nano: value, format: scale.format }
}

const readSuffix = (suffix: string): { readonly format: Format; readonly exponent: number } | undefined => {
  const decimal = decimalExponents.get(suffix)
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal }
  const power = binarySuffixes.indexOf(suffix)
  if (power > 0) return { format: 'BinarySI', exponent: power }
  const exponent = /^[eE]([+-]?\d{1,9})$/.exec(suffix)?.[1]
  return exponent === undefined ? undefined : { format: 'DecimalExponent', exponent: Number(exponent) }
}

// The shortest mantissa whose exponent is a multiple of three and has a suffix.
const renderDecimal = (value: bigint, format: 'DecimalSI' | 'DecimalExponent'): Quantity => {
  if (value === 0n) return zero
  let mantissa = value
  let exponent = -9
  while ((format === 'DecimalExponent' || exponent < 18) && mantissa % 1000n === 0n) {
    mantissa /= 1000n
    exponent += 3
  }
  const suffix = format === 'DecimalSI' ? decimalSuffixes.get(exponent) : exponent === 0 ? '' : `e${exponent}`
  return `${mantissa}${suffix}` as Quantity
}

const divideAwayFromZero = (value: bigint, divisor: bigint): bigint => {
  const quotient = value / divisor
  if (quotient * divisor === value) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}
