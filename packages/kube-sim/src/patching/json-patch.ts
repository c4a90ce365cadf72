import { badRequest, unprocessable } from '../server/failures.ts'
import { cloneJson, equalJson, isObject, setKey, type JsonObject } from '../server/json.ts'

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/**
 * Applies an RFC 6902 patch to a copy of `target`.
 *
 * Errors: 400 for what is not a patch; 422 for one that does not apply, a failed `test` included.
 */
export const applyJsonPatch = (target: JsonObject, patch: unknown): JsonObject => {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations')
  let document: unknown = cloneJson(target)
  for (const operation of patch as ReadonlyArray<unknown>) {
    if (!isObject(operation) || typeof operation['op'] !== 'string' || typeof operation['path'] !== 'string') {
      throw badRequest('error decoding patch: every operation needs "op" and "path"')
    }
    document = applyOperation(document, operation as unknown as Operation)
  }
  if (!isObject(document)) throw unprocessable('the patched document is no longer an object')
  return document
}

const applyOperation = (document: unknown, operation: Operation): unknown => {
  const { op, path } = operation
  switch (op) {
    case 'add':
      return add(document, path, cloneJson(operation.value))
    case 'replace':
      return add(removeAt(document, path), path, cloneJson(operation.value))
    case 'remove':
      return removeAt(document, path)
    case 'move': {
      const moved = valueAt(document, operation.from ?? '')
      return add(removeAt(document, operation.from ?? ''), path, moved)
    }
    case 'copy':
      return add(document, path, cloneJson(valueAt(document, operation.from ?? '')))
    case 'test':
      // What is absent is null (as the API server's library has it).
      if (!equalJson(valueAt(document, path, true) ?? null, operation.value ?? null)) {
        throw unprocessable(
          `the server rejected our request due to an error in our request: testing path ${path} failed`,
        )
      }
      return document
    default:
      throw badRequest(`error decoding patch: unknown operation "${op}"`)
  }
}

const tokensOf = (pointer: string): ReadonlyArray<string> => {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw badRequest(`error decoding patch: path "${pointer}" does not begin with "/"`)
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const missing = (pointer: string) =>
  unprocessable(`the server rejected our request due to an error in our request: path ${pointer} does not exist`)

const step = (value: unknown, token: string, pointer: string, lenient = false): unknown => {
  if (Array.isArray(value) && /^\d+$/.test(token) && Number(token) < value.length) return value[Number(token)]
  if (isObject(value) && Object.hasOwn(value, token)) return value[token]
  if (lenient) return undefined
  throw missing(pointer)
}

const valueAt = (document: unknown, pointer: string, lenient = false): unknown => {
  let value = document
  for (const token of tokensOf(pointer)) value = step(value, token, pointer, lenient)
  return value
}

const parentOf = (document: unknown, pointer: string): { readonly parent: unknown; readonly last: string } => {
  const tokens = tokensOf(pointer)
  let parent = document
  for (const token of tokens.slice(0, -1)) parent = step(parent, token, pointer)
  return { parent, last: tokens.at(-1) ?? '' }
}

const add = (document: unknown, pointer: string, value: unknown): unknown => {
  if (pointer === '') return value
  const { parent, last } = parentOf(document, pointer)
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : /^\d+$/.test(last) ? Number(last) : -1
    if (index < 0 || index > parent.length) throw missing(pointer)
    parent.splice(index, 0, value)
  } else if (isObject(parent)) setKey(parent, last, value)
  else throw missing(pointer)
  return document
}

const removeAt = (document: unknown, pointer: string): unknown => {
  if (pointer === '') return undefined
  const { parent, last } = parentOf(document, pointer)
  step(parent, last, pointer)
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isObject(parent)) delete parent[last]
  return document
}
