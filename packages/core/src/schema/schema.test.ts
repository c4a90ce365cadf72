import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import fc from 'fast-check'
import { wireFormOf } from '../testing/index.ts'
import {
  codecOf,
  decoderOf,
  documentationOf,
  fieldErrorsOf,
  openApiOf,
  renderFieldError,
  s,
  unknownFieldsOf,
  type FieldErrors,
  type TypeOf,
} from './index.ts'

const rackSchema = s.named(
  'Rack',
  s.object({
    kind: s.filledIn(s.literals(['Rack']), 'Rack'),
    size: s.defaulted(s.integer({ minimum: 1, maximum: 9 }), 3),
    note: s.optional(s.string({ emptyIsAbsent: true })),
    room: s.object({ name: s.string({ remedy: 'name the room', minLength: 1 }) }),
    slots: s.filledIn(
      s.array(s.object({ key: s.string(), power: s.quantity() }), {
        listType: 'map',
        listMapKeys: ['key'],
        rules: [
          {
            cel: "self.all(x, x.key != 'forbidden')",
            message: 'forbidden is forbidden',
            each: ({ key }: { readonly key: string }) => key !== 'forbidden',
          },
        ],
      }),
      [],
    ),
    labels: s.filledIn(s.record(s.string()), {}),
  }),
)
interface Rack extends TypeOf<typeof rackSchema> {}

const decode = decoderOf<Rack>(rackSchema)
const messages = (result: E.Either<FieldErrors, unknown>) => (E.isLeft(result) ? result.left.map(renderFieldError) : [])

describe('decoderOf()', () => {
  test('fills in defaults, drops unknown fields, canonicalises amounts', () => {
    const decoded = decode({
      room: { name: 'a' },
      slots: [{ key: 'x', power: 0.5, colour: 'red' }],
      note: '',
      extra: 1,
    })
    expect(JSON.parse(JSON.stringify(E.toUnion(decoded)))).toEqual({
      kind: 'Rack',
      size: 3,
      room: { name: 'a' },
      slots: [{ key: 'x', power: '500m' }],
      labels: {},
    })
  })

  test('takes null for absent', () => {
    expect(messages(decode({ room: { name: 'a' }, size: null, note: null, labels: { a: null } }))).toEqual([])
    expect(messages(decode({ room: null }))).toEqual(['room: Required value'])
  })

  test('finds all errors, each with its path, its value and what was expected', () => {
    expect(
      messages(
        decode({
          kind: 'Shelf',
          size: 2.5,
          room: {},
          slots: [{ key: 1, power: '1Gii' }, { key: 'forbidden', power: '1' }, 'x'],
          labels: { 'a.b/c': 5 },
        }),
      ),
    ).toEqual([
      'kind: Invalid value: "Shelf": expected Rack',
      'size: Invalid value: 2.5: expected a whole number within 1..9',
      'room.name: Required value: name the room',
      'slots[0].key: Invalid value: 1: expected text',
      'slots[0].power: Invalid value: "1Gii": Cannot parse quantity "1Gii": unknown suffix "Gii"',
      'slots[1]: Invalid value: {"key":"forbidden","power":"1"}: forbidden is forbidden',
      'slots[2]: Invalid value: "x": expected an object',
      'labels[a.b/c]: Invalid value: 5: expected text',
    ])
  })

  test('refuses entries of a map list that share their key', () => {
    const slot = { key: 'a', power: '1' }
    expect(messages(decode({ room: { name: 'a' }, slots: [slot, slot] }))).toEqual([
      'slots[1]: Invalid value: {"key":"a","power":"1"}: it must not occur twice',
    ])
  })

  test.each([[undefined], [null], [[]], ['x'], [5]])('refuses %j as a whole', (input) => {
    expect(E.isLeft(decode(input))).toBe(true)
  })

  test('reads no field from the prototype, and keeps keys named like its members', () => {
    const decodeKeys = decoderOf(s.object({ constructor: s.optional(s.string()) }))
    expect(E.isRight(decodeKeys({}))).toBe(true)
    const labels = decoderOf(s.record(s.string()))(JSON.parse('{"__proto__":"a","constructor":"b"}'))
    expect(Object.entries(E.toUnion(labels))).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })

  test('keeps only the listed keys of a record that names them', () => {
    const decoded = decoderOf(s.record(s.string(), { only: ['a'] }))({ a: '1', secret: '2' })
    expect({ ...E.toUnion(decoded) }).toEqual({ a: '1' })
  })

  test('never changes its input and decodes its own output to the same', () => {
    fc.assert(
      fc.property(wireFormOf(rackSchema), (wire) => {
        const before = JSON.stringify(wire)
        const first = decode(wire)
        expect(JSON.stringify(wire)).toBe(before)
        if (E.isRight(first)) expect(E.toUnion(decode(first.right))).toEqual(first.right)
      }),
    )
  })

  test('shortens a long value in a message', () => {
    const [message = ''] = messages(decode('x'.repeat(5000)))
    expect(message.length).toBeLessThan(200)
  })
})

describe('codecOf()', () => {
  test('is an io-ts codec that combines with others and reports the same errors', () => {
    const codec = t.type({ rack: codecOf(rackSchema) }, 'Room')
    expect(E.isRight(codec.decode({ rack: { room: { name: 'a' } } }))).toBe(true)
    const failed = codec.decode({ rack: { size: 0, room: {} } })
    expect(E.isLeft(failed) ? fieldErrorsOf(failed.left).map(renderFieldError) : []).toEqual([
      'rack.size: Invalid value: 0: expected a whole number within 1..9',
      'rack.room.name: Required value',
    ])
    expect(codecOf(rackSchema).name).toBe('Rack')
  })
})

describe('other products of one schema', () => {
  test('unknownFieldsOf() finds misspelt fields at every depth', () => {
    expect(unknownFieldsOf(rackSchema, { rom: {}, room: { nme: 'a' }, slots: [{ key: 'a', powr: '1' }] })).toEqual([
      'rom',
      'room.nme',
      'slots[0].powr',
    ])
  })

  test('openApiOf() states defaults of the server but not those of decoding alone', () => {
    const { properties, required } = openApiOf(rackSchema) as { properties: Record<string, object>; required: unknown }
    expect(properties['size']).toEqual({ type: 'integer', minimum: 1, maximum: 9, default: 3 })
    expect(properties['kind']).toEqual({ type: 'string', enum: ['Rack'] })
    expect(required).toEqual(['room'])
    expect(properties['slots']).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
      'x-kubernetes-validations': [{ message: 'forbidden is forbidden', rule: "self.all(x, x.key != 'forbidden')" }],
    })
  })

  test('documentationOf() lists every field with its type and default', () => {
    expect(documentationOf(rackSchema).map(({ path, type, isRequired }) => [path, type, isRequired])).toEqual([
      ['kind', 'Rack', false],
      ['size', 'integer', false],
      ['note', 'string', false],
      ['room', 'object', true],
      ['room.name', 'string', true],
      ['slots', 'list of object', false],
      ['slots[].key', 'string', true],
      ['slots[].power', 'quantity', true],
      ['labels', 'string by key', false],
    ])
  })
})
