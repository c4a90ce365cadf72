import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApiServer } from '../server/api-server.ts'
import { answerDocument } from './documents.ts'
import { respond, type Exchange } from './exchange.ts'
import { answerFailure, answerResource } from './resource-requests.ts'
import { parseRoute } from './route.ts'

/** The HTTP face while it listens. */
export interface Listener {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** Ends watches, lets requests in progress finish, and frees the port. */
  readonly close: () => Promise<void>
}

/**
 * Serves the API over plain HTTP on 127.0.0.1. `port` 0 takes any free one.
 *
 * Errors: rejects with one sentence when the port is in use.
 */
export const listen = (server: ApiServer, { port }: { readonly port: number }): Promise<Listener> =>
  new Promise((resolve, reject) => {
    const http = createServer((request, response) => void answer(server, request, response))
    // Idle connections are kept for clients that pause between calls; watches have no request time-out.
    http.keepAliveTimeout = 90_000
    http.requestTimeout = 0
    http.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Cannot listen on 127.0.0.1:${port}: the port is in use; choose another with --port`)
          : error,
      ),
    )
    http.listen(port, '127.0.0.1', () => {
      const { port: bound } = http.address() as AddressInfo
      resolve({
        url: `http://127.0.0.1:${bound}`,
        port: bound,
        close: () =>
          new Promise((closed) => {
            http.close(() => closed())
            http.closeAllConnections()
          }),
      })
    })
  })

const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i

/**
 * Whether a request comes from a client that meant this machine.
 *
 * A page in a browser can point a name of its own at 127.0.0.1; its requests carry that name as Host, or its Origin.
 */
const isLocal = ({ headers }: IncomingMessage): boolean => {
  if (headers.host === undefined || !loopbackHost.test(headers.host)) return false
  return headers.origin === undefined || loopbackHost.test(headers.origin.replace(/^https?:\/\//, ''))
}

const answer = async (server: ApiServer, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const method = request.method ?? 'GET'
  const url = URL.parse(request.url ?? '/', 'http://127.0.0.1') ?? new URL('http://127.0.0.1/')
  const exchange: Exchange = { request, response, method, url }
  if (!isLocal(request)) {
    return respond(exchange, 403, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'this server answers only requests addressed to 127.0.0.1 or localhost',
      reason: 'Forbidden',
      code: 403,
    })
  }
  try {
    const route = parseRoute(exchange.url.pathname)
    if (route._tag === 'resource') await answerResource(server, exchange, route.ref)
    else await answerDocument(server, exchange, route.path)
  } catch (error) {
    answerFailure(exchange, error)
  }
}
