import { describe, expect, test } from '@jest/globals'
import { decodeProtobuf } from './protobuf.ts'

/** One length-delimited field, its content a text or other fields. */
const field = (number: number, ...content: ReadonlyArray<string | Buffer>): Buffer => {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
}

const body = (apiVersion: string, kind: string, ...content: ReadonlyArray<Buffer>): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, apiVersion), field(2, kind)), field(2, ...content)])

const named = (name: string) => field(1, field(1, name), field(2, ''), field(8))

describe('decodeProtobuf()', () => {
  test('reads a namespace, empty fields left out', () => {
    expect(decodeProtobuf(body('v1', 'Namespace', named('team'), field(2), field(3, field(1, ''))))).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team' },
    })
  })

  test('reads maps, keys called __proto__ included', () => {
    const entry = (key: string, value: string) => field(2, field(1, key), field(2, value))
    const decoded = decodeProtobuf(body('v1', 'ConfigMap', named('c'), entry('a', 'b'), entry('__proto__', 'x')))
    expect(JSON.stringify(decoded?.['data'])).toBe('{"a":"b","__proto__":"x"}')
  })

  test.each([
    ['no envelope', Buffer.from('hello')],
    ['a kind it does not know', body('v1', 'Frob', named('x'))],
    ['a field it does not know', body('v1', 'Namespace', named('x'), field(9, 'y'))],
    ['a body that is cut short', body('v1', 'Namespace', named('team')).subarray(0, 30)],
    ['a kind that is called like a method of objects', body('', 'constructor', named('x'))],
  ])('gives up on %s', (_what, bytes) => {
    expect(decodeProtobuf(bytes)).toBeUndefined()
  })
})
