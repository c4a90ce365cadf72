import { setKey, type JsonObject } from '../server/json.ts'
import { kinds, type Field, type Message, type Scalar } from './protobuf-kinds.ts'

/**
 * The binary form in which `kubectl create namespace`, `create deployment` and the like send their objects.
 *
 * Only what those commands write is known here; anything else is not decoded rather than decoded in part.
 * Source: the `generated.proto` files of the Kubernetes API (field numbers) and its documentation of alternate
 * representations (the envelope).
 */

const envelope: Message = {
  1: ['typeMeta', { message: { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] } }],
  2: ['raw', 'bytes'],
  3: ['contentEncoding', 'string'],
  4: ['contentType', 'string'],
}

const magic = Buffer.from('k8s\0')

/** Decodes a body; `undefined` for kinds and fields that are not known here. */
export const decodeProtobuf = (body: Buffer): JsonObject | undefined => {
  if (!body.subarray(0, 4).equals(magic)) return undefined
  try {
    const outer = decodeMessage(body.subarray(4), envelope)
    const { apiVersion, kind } = outer['typeMeta'] as { readonly apiVersion: string; readonly kind: string }
    const key = `${apiVersion}/${kind}`
    const known = Object.hasOwn(kinds, key) ? kinds[key] : undefined
    if (known === undefined) return undefined
    return { apiVersion, kind, ...decodeMessage(Buffer.from(String(outer['raw']), 'base64'), known) }
  } catch {
    return undefined
  }
}

const decodeMessage = (bytes: Buffer, message: Message): JsonObject => {
  const object: JsonObject = {}
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('The message ends in the middle of a number')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const isNumber = (tag & 7) === 0
    if (!isNumber && (tag & 7) !== 2) throw new Error(`Unexpected wire type ${tag & 7}`)
    const known = message[tag >> 3]
    if (known === undefined) throw new Error(`Unknown field ${tag >> 3}`)
    let value: number | Buffer = varint()
    if (!isNumber) {
      const end = at + value
      if (end > bytes.length) throw new Error('The message is cut short')
      value = bytes.subarray(at, end)
      at = end
    }
    const [name, field] = known
    put(object, name, field, value)
  }
  return object
}

const put = (object: JsonObject, name: string, field: Field, value: number | Buffer): void => {
  if (typeof field === 'string') {
    const scalar = decodeScalar(field, value)
    if (scalar !== undefined) object[name] = scalar
  } else if ('message' in field) {
    const inner = decodeMessage(value as Buffer, field.message)
    if (Object.keys(inner).length > 0) object[name] = inner
  } else if ('list' in field) {
    const item: JsonObject = {}
    put(item, 'item', field.list, value)
    object[name] = [...((object[name] as ReadonlyArray<unknown> | undefined) ?? []), item['item'] ?? '']
  } else {
    const entry = decodeMessage(value as Buffer, { 1: ['key', 'string'], 2: ['value', field.map] })
    const record = (object[name] as JsonObject | undefined) ?? {}
    setKey(record, String(entry['key'] ?? ''), entry['value'] ?? '')
    object[name] = record
  }
}

const decodeScalar = (field: Scalar, value: number | Buffer): unknown => {
  switch (field) {
    case 'ignored':
      return undefined
    case 'int':
      return value
    case 'positive':
      return value === 0 ? undefined : value
    case 'bool':
      return value === 1 ? true : undefined
    case 'bytes':
      return (value as Buffer).toString('base64')
    case 'string':
      return value instanceof Buffer && value.length > 0 ? value.toString('utf8') : undefined
    case 'quantity':
      return decodeMessage(value as Buffer, { 1: ['text', 'string'] })['text']
    case 'intOrString': {
      const {
        isText = 0,
        number = 0,
        text = '',
      } = decodeMessage(value as Buffer, {
        1: ['isText', 'int'],
        2: ['number', 'int'],
        3: ['text', 'string'],
      })
      return isText === 1 ? text : number
    }
  }
}
