import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { Quantity, Resources } from './index.ts'

const right = (text: string) => {
  const parsed = Quantity.parse(text)
  return E.isRight(parsed) ? parsed.right : parsed.left
}

// What Kubernetes' own library (k8s.io/apimachinery v0.36.1) prints for each text.
const canonicalForms: ReadonlyArray<readonly [text: string, canonical: string]> = [
  ['0.5', '500m'],
  ['1Gi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1e3', '1e3'],
  ['1.5e3', '1500'],
  ['1000', '1k'],
  ['1024', '1024'],
  ['1024Ki', '1Mi'],
  ['1536Mi', '1536Mi'],
  ['1E', '1E'],
  ['-0.5', '-500m'],
  ['.5', '500m'],
  ['5.', '5'],
  ['0.1n', '1n'],
  ['-0.1n', '-1n'],
  ['1.0001Ki', '1024102400u'],
  ['1025.5Ki', '1050112'],
  ['512Ki', '512Ki'],
  ['0.5Ki', '512'],
  ['0.1Ki', '102400m'],
  ['1e21', '1e21'],
  ['1e-3', '1e-3'],
  ['12e-10', '2e-9'],
  ['+1', '1'],
  ['9000000T', '9E'],
  ['16Ei', '9223372036854775807'],
  ['1000000Ki', '1000000Ki'],
  ['0Gi', '0'],
  ['0.0', '0'],
  ['1e+3', '1e3'],
  ['3e5', '300e3'],
  ['1e4', '10e3'],
  ['5E6', '5e6'],
  ['0.0000000000000000001', '1n'],
  ['1.1Ei', '1268213655067531673600m'],
  ['123.456m', '123456u'],
  ['-1Ki', '-1Ki'],
  ['-1.00001Mi', '-1048586485760u'],
  ['4095.5m', '4095500u'],
]

describe('Quantity.parse', () => {
  test.each(canonicalForms)('prints %s as Kubernetes does: %s', (text, canonical) => {
    expect(right(text)).toBe(canonical)
    expect(right(canonical)).toBe(canonical)
  })

  test.each([
    ['1.5Gii', 'Cannot parse quantity "1.5Gii": unknown suffix "Gii"'],
    ['', 'Cannot parse quantity "": it is empty'],
    ['1 ', 'Cannot parse quantity "1 ": unknown suffix " "'],
    ['abc', 'Cannot parse quantity "abc": expected a number such as 500m, 2 or 1.5Gi'],
    ['.', 'Cannot parse quantity ".": expected a number such as 500m, 2 or 1.5Gi'],
    ['1e999', 'Cannot parse quantity "1e999": exponent 999 is out of range'],
    ['--1', 'Cannot parse quantity "--1": expected a number such as 500m, 2 or 1.5Gi'],
    ['1\n', 'Cannot parse quantity "1\\n": unknown suffix "\\n"'],
  ])('refuses %j with a sentence', (text, message) => {
    expect(Quantity.parse(text)).toEqual(E.left(message))
  })

  test('refuses hostile lengths at once', () => {
    expect(E.isLeft(Quantity.parse('9'.repeat(1_000_000)))).toBe(true)
  })

  test('of() throws on a literal that is no quantity', () => {
    expect(() => Quantity.of('1.5Gii')).toThrow('unknown suffix "Gii"')
  })
})

describe('Quantity arithmetic', () => {
  test('toDecimal() prints plain base units', () => {
    expect(Quantity.toDecimal(Quantity.of('250m'))).toBe('0.25')
    expect(Quantity.toDecimal(Quantity.of('1Gi'))).toBe('1073741824')
    expect(Quantity.toDecimal(Quantity.of('-1500u'))).toBe('-0.0015')
  })

  test('add() and subtract() keep the family of the left side, or of the right one where the left is zero', () => {
    expect(Quantity.add(Quantity.of('1Gi'), Quantity.of('512Mi'))).toBe('1536Mi')
    expect(Quantity.add(Quantity.of('0'), Quantity.of('2Ki'))).toBe('2Ki')
    expect(Quantity.subtract(Quantity.of('100m'), Quantity.of('1'))).toBe('-900m')
  })

  test('compare() sees through different texts', () => {
    expect(Quantity.compare(Quantity.of('1Gi'), Quantity.of('1073741824'))).toBe(0)
    expect(Quantity.compare(Quantity.of('1G'), Quantity.of('1Gi'))).toBe(-1)
    expect(Quantity.equals(Quantity.of('1'), Quantity.of('1000m'))).toBe(true)
  })
})

const suffixes: ReadonlyArray<readonly [suffix: string, numerator: bigint, denominator: bigint]> = [
  ['n', 1n, 10n ** 9n],
  ['u', 1n, 10n ** 6n],
  ['m', 1n, 10n ** 3n],
  ['', 1n, 1n],
  ['k', 10n ** 3n, 1n],
  ['M', 10n ** 6n, 1n],
  ['G', 10n ** 9n, 1n],
  ['T', 10n ** 12n, 1n],
  ['Ki', 2n ** 10n, 1n],
  ['Mi', 2n ** 20n, 1n],
  ['Gi', 2n ** 30n, 1n],
  ['e3', 10n ** 3n, 1n],
  ['E-2', 1n, 10n ** 2n],
]

// A decimal text together with its exact value in units of 1e-9, as a fraction; an oracle apart from the parser.
const amount = fc
  .record({
    sign: fc.constantFrom('', '-', '+'),
    whole: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    fraction: fc.stringMatching(/^[0-9]{0,12}$/),
    suffix: fc.constantFrom(...suffixes),
  })
  .map(({ sign, whole, fraction, suffix: [suffix, numerator, denominator] }) => ({
    text: `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}${suffix}`,
    numerator: (sign === '-' ? -1n : 1n) * BigInt(`${whole}${fraction}`) * numerator * 10n ** 9n,
    denominator: denominator * 10n ** BigInt(fraction.length),
  }))

const largestNano = 2n ** 63n * 1_000_000_000n

describe('Quantity laws', () => {
  test('the value is the exact fraction, rounded away from zero to 1e-9', () => {
    fc.assert(
      fc.property(amount, ({ text, numerator, denominator }) => {
        const nano = Quantity.toNano(Quantity.of(text))
        const difference = nano * denominator - numerator
        expect(numerator < 0n ? difference <= 0n : difference >= 0n).toBe(true)
        expect(difference < denominator && -difference < denominator).toBe(true)
      }),
    )
  })

  test('the canonical text has the same value and is its own canonical text', () => {
    fc.assert(
      fc.property(amount, ({ text }) => {
        const canonical = Quantity.of(text)
        expect(Quantity.of(canonical)).toBe(canonical)
        expect(Quantity.toNano(canonical)).toBe(Quantity.toNano(text as Quantity))
      }),
    )
  })

  test('add and subtract undo each other, compare agrees with the values', () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        const [left, other] = [Quantity.of(a.text), Quantity.of(b.text)]
        // Beyond 2^63 - 1 units Kubernetes holds amounts at that bound, so a sum may not be undone.
        const sum = Quantity.toNano(left) + Quantity.toNano(other)
        fc.pre(sum > -largestNano && sum < largestNano)
        expect(Quantity.equals(Quantity.subtract(Quantity.add(left, other), other), left)).toBe(true)
        const [x, y] = [Quantity.toNano(left), Quantity.toNano(other)]
        expect(Quantity.compare(left, other)).toBe(x < y ? -1 : x > y ? 1 : 0)
      }),
    )
  })
})

describe('Resources', () => {
  test('fits() refuses everything on a negative total, and lets a zero request for an unknown resource through (P-RES-02)', () => {
    expect(Resources.fits(Resources.parse({}), Resources.parse({ cpu: '-1' }))).toBe(false)
    expect(Resources.fits(Resources.parse({ gpu: '0' }), Resources.parse({ cpu: '1' }))).toBe(true)
    expect(Resources.fits(Resources.parse({ gpu: '1' }), Resources.parse({ cpu: '1' }))).toBe(false)
    expect(Resources.fits(Resources.parse({ cpu: '1000m' }), Resources.parse({ cpu: '1' }))).toBe(true)
  })

  test('subtract() keeps the keys of the left side only (P-RES-03)', () => {
    expect({
      ...Resources.subtract(Resources.parse({ cpu: '1' }), Resources.parse({ cpu: '250m', memory: '1' })),
    }).toEqual({
      cpu: '750m',
    })
  })

  test('max() takes the union of names, min() their intersection (P-RES-04)', () => {
    const left = Resources.parse({ cpu: '1', memory: '1Gi' })
    const other = Resources.parse({ cpu: '2', pods: '5' })
    expect({ ...Resources.max(left, other) }).toEqual({ cpu: '2', memory: '1Gi', pods: '5' })
    expect({ ...Resources.min(left, other) }).toEqual({ cpu: '1' })
    expect({ ...Resources.min() }).toEqual({})
  })

  test('C-API-10 exceeding() names the resource that is strictly above its limit; no limits are never exceeded (P-NPR-09)', () => {
    const limits = Resources.parse({ cpu: '10', memory: '1Gi' })
    expect(Resources.exceeding(Resources.parse({ cpu: '10' }), limits)).toBeUndefined()
    expect(Resources.exceeding(Resources.parse({ cpu: '10001m' }), limits)).toEqual({
      resource: 'cpu',
      usage: '10001m',
      limit: '10',
    })
    expect(Resources.exceeding(Resources.parse({ cpu: '1k' }), undefined)).toBeUndefined()
  })

  test('names such as constructor and __proto__ are resources like any other', () => {
    const list = Resources.parse(JSON.parse('{"constructor":"1","__proto__":"2"}') as Record<string, string>)
    expect(Object.keys(list)).toEqual(['constructor', '__proto__'])
    expect(Resources.get(list, '__proto__')).toBe('2')
    expect(Resources.get(Resources.parse({}), 'constructor')).toBe('0')
  })

  test('decode() reports every wrong entry with its path and takes numbers', () => {
    expect(Resources.decode({ cpu: 2, memory: '1Gii', pods: null }, 'spec.limits')).toEqual(
      E.left([
        'spec.limits[memory]: Invalid value: "1Gii": Cannot parse quantity "1Gii": unknown suffix "Gii"',
        'spec.limits[pods]: Invalid value: null: expected a quantity such as 500m or 1Gi',
      ]),
    )
    expect(E.isRight(Resources.decode({ cpu: 2 }, 'spec.limits'))).toBe(true)
  })
})
