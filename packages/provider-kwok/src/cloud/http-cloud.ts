import { Agent, request as send } from 'node:http'
import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CloudError, CloudMessage, CatalogPage, CloudInstance, InstancePage, KwokCloud } from './kwok-cloud.ts'

export interface HttpCloud extends KwokCloud {
  /** Closes connections that are kept open; calls in flight go on. */
  readonly close: () => void
}

const defaultTimeoutMs = 10_000
const longPollTimeoutMs = 45_000

/**
 * The port onto a cloud behind HTTP.
 *
 * Errors: the cloud's own; `Unreachable` when no answer came (the effect may have happened), `Cancelled` when the
 * signal aborted. Timeouts go by the wall clock: they guard a connection, not the simulation.
 */
export const httpCloud = (url: string, options: { readonly timeoutMs?: number } = {}): HttpCloud => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const base = url.replace(/\/+$/, '')
  const { timeoutMs = defaultTimeoutMs } = options

  const call =
    <A>(
      method: string,
      path: string,
      signal: CancelSignal,
      body?: unknown,
      within = timeoutMs,
    ): TaskEither<CloudError, A> =>
    () =>
      new Promise((resolve) => {
        const fail = (error: CloudError) => settle(E.left(error))
        const abort = () => fail({ code: 'Cancelled', message: `The call to ${base}${path} was cancelled` })
        const settle = (result: E.Either<CloudError, A>) => {
          signal.removeEventListener('abort', abort)
          resolve(result)
          if (E.isLeft(result)) outgoing?.destroy()
        }
        let outgoing: ReturnType<typeof send> | undefined
        if (signal.aborted) return abort()
        const text = body === undefined ? undefined : JSON.stringify(body)
        outgoing = send(
          base + path,
          {
            method,
            agent,
            timeout: within,
            headers:
              text === undefined
                ? {}
                : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
          },
          (incoming) => {
            const chunks: Array<Buffer> = []
            incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
            incoming.on('error', (cause) => fail(unreachable(base, cause)))
            incoming.on('end', () => {
              const parsed = parse(Buffer.concat(chunks).toString('utf8'))
              if (parsed === undefined) fail(unreachable(base, new Error('The answer is not JSON')))
              else if (incoming.statusCode === 200) settle(E.right(parsed as A))
              else fail(errorOf(parsed, incoming.statusCode))
            })
          },
        )
        signal.addEventListener('abort', abort)
        outgoing.on('timeout', () => fail(unreachable(base, new Error(`No answer within ${within} ms`))))
        outgoing.on('error', (cause) => fail(unreachable(base, cause)))
        outgoing.end(text)
      })

  return {
    launch: (input, signal) => call<CloudInstance>('POST', '/instances', signal, input),
    terminate: (id, signal) => call<CloudInstance>('DELETE', `/instances/${encodeURIComponent(id)}`, signal),
    get: (id, signal) => call<CloudInstance>('GET', `/instances/${encodeURIComponent(id)}`, signal),
    list: ({ tags, page, limit }, signal) => {
      const query = new URLSearchParams(
        Object.entries(tags).map(([key, value]): [string, string] => [`tag.${key}`, value]),
      )
      if (page !== undefined) query.set('page', page)
      if (limit !== undefined) query.set('limit', String(limit))
      return call<InstancePage>('GET', `/instances?${query.toString()}`, signal)
    },
    catalog: (known, signal) =>
      call<CatalogPage>('GET', `/catalog${known === undefined ? '' : `?known=${encodeURIComponent(known)}`}`, signal),
    receive: (waitMs, signal) =>
      call<ReadonlyArray<CloudMessage>>('POST', '/messages/receive', signal, { waitMs }, longPollTimeoutMs),
    acknowledge: (receipts, signal) => call<void>('POST', '/messages/acknowledge', signal, { receipts }),
    close: () => agent.destroy(),
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const unreachable = (base: string, cause: Error): CloudError => ({
  code: 'Unreachable',
  message: `Cannot reach the simulated cloud at ${base}: ${cause.message}`,
  cause,
})

const errorOf = (body: unknown, status: number | undefined): CloudError => {
  const { code, message, retryAfterMs } = body as Partial<CloudError>
  return {
    code: typeof code === 'string' ? code : 'InternalError',
    message: typeof message === 'string' ? message : `The simulated cloud answered with status ${status}`,
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  }
}
