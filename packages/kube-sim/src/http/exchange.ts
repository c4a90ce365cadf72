import type { IncomingMessage, ServerResponse } from 'node:http'
import { parse as parseYaml } from 'yaml'
import type { Status } from '../face.ts'
import { badRequest, injected, unsupportedMediaType } from '../server/failures.ts'
import { decodeProtobuf } from './protobuf.ts'

/** One request being answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly method: string
}

const longestBody = 3 * 1024 * 1024

const supported = ['application/json', 'application/yaml']

/** Reads the whole body. Errors: 413 beyond 3 MiB, as the API server bounds requests. */
export const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > longestBody) {
      throw injected({
        code: 413,
        reason: 'RequestEntityTooLarge',
        message: `Request entity too large: limit is ${longestBody}`,
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export const mediaTypeOf = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? ''

/** Decodes a body by its media type. Errors: 400 for text that does not parse, 415 for a form that is not known. */
export const decodeBody = (body: Buffer, mediaType: string): unknown => {
  if (body.length === 0) return undefined
  if (mediaType === 'application/vnd.kubernetes.protobuf') {
    const decoded = decodeProtobuf(body)
    if (decoded === undefined) throw unsupportedMediaType(mediaType, supported)
    return decoded
  }
  const text = body.toString('utf8')
  try {
    if (mediaType.endsWith('json')) return JSON.parse(text)
    if (mediaType.endsWith('yaml')) return parseYaml(text)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw badRequest(`error decoding the body as ${mediaType}: ${detail}`)
  }
  throw unsupportedMediaType(mediaType, supported)
}

/** Answers with a document. `warnings` become `Warning` headers. */
export const respond = (
  { request, response }: Exchange,
  code: number,
  body: object | Buffer,
  more: { readonly contentType?: string; readonly warnings?: ReadonlyArray<string> } = {},
): void => {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(`${JSON.stringify(body)}\n`)
  const headers: Record<string, string | number | string[]> = {
    'Content-Type': more.contentType ?? 'application/json',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-cache, private',
  }
  if (more.warnings !== undefined && more.warnings.length > 0) {
    headers['Warning'] = more.warnings.map((text) => `299 - ${JSON.stringify(text)}`)
  }
  response.writeHead(code, headers)
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

export const respondText = ({ response }: Exchange, code: number, text: string): void => {
  response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}

/** Answers with a failure; a `retryAfterSeconds` also becomes the header that clients wait by. */
export const respondStatus = (exchange: Exchange, status: Status): void => {
  const { response } = exchange
  if (response.headersSent) {
    response.destroy()
    return
  }
  const seconds = status.details?.retryAfterSeconds
  if (seconds !== undefined) response.setHeader('Retry-After', String(seconds))
  respond(exchange, status.code ?? 500, status)
}
