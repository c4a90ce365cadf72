import { type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

export interface EndpointAnswer {
  readonly status: number
  readonly contentType: string
  /** Whole, or in pieces as they are made. */
  readonly body: string | AsyncIterable<string>
}

/** Answers a GET request; it is given the parameters of the query. */
export type Endpoint = (query: URLSearchParams) => Promise<EndpointAnswer>

export interface HttpEndpointsOptions {
  readonly host: string
  readonly port: number
  /** The flag that sets the port, for messages: `--metrics-port`. */
  readonly flag: string
  /** By path. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
}

export interface RunningEndpoints {
  readonly port: number
  readonly close: () => Promise<void>
}

/** Serves a few paths to GET requests. Left: a sentence that names address, flag and remedy. */
export const serveEndpoints =
  ({ host, port, flag, endpoints }: HttpEndpointsOptions): TaskEither<string, RunningEndpoints> =>
  () =>
    new Promise((resolve) => {
      const isLoopback = host === '127.0.0.1' || host === '::1' || host === 'localhost'
      const server = createServer((request, response) => {
        const refuse = (answer: EndpointAnswer) => void send(response, answer)
        const url = URL.parse(request.url ?? '/', 'http://endpoint')
        // A web page that rebinds its name to loopback still sends its own name.
        if (isLoopback && !isLoopbackHost(request.headers.host)) return refuse(text(403, 'not this host\n'))
        if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(text(405, 'GET only\n'))
        const path = url?.pathname ?? ''
        const endpoint = Object.hasOwn(endpoints, path) ? endpoints[path] : undefined
        if (endpoint === undefined) return refuse(text(404, 'no such path\n'))
        endpoint(url?.searchParams ?? new URLSearchParams())
          .then((answer) => send(response, answer))
          .catch((cause: unknown) => {
            // What has begun can only be broken off, so that nobody takes half an answer for a whole one.
            if (response.headersSent) response.destroy()
            else refuse(text(500, `${String(cause)}\n`))
          })
      })
      server.once('error', (cause: NodeJS.ErrnoException) =>
        resolve(E.left(`Cannot listen on ${host}:${port} (${flag}): ${describe(cause, flag)}`)),
      )
      server.listen(port, host, () =>
        resolve(E.right({ port: (server.address() as AddressInfo).port, close: () => close(server) })),
      )
    })

export const text = (status: number, body: string): EndpointAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
})

const send = async (response: ServerResponse, { status, contentType, body }: EndpointAnswer): Promise<void> => {
  response.writeHead(status, { 'content-type': contentType })
  if (typeof body !== 'string') await pipeline(body, response)
  else response.end(body)
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const isLoopbackHost = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)

const describe = (cause: NodeJS.ErrnoException, flag: string): string => {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `the port is in use; stop the other process or choose another port with ${flag}`
    case 'EACCES':
      return `not allowed; choose a port above 1023 with ${flag}`
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address; check --bind-address'
    default:
      return cause.message
  }
}
