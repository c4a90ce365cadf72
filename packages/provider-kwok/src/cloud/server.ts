import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { inProcessCloud } from './in-process-cloud.ts'
import type { CloudError, ListInput } from './kwok-cloud.ts'
import * as requests from './requests.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

export interface CloudServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** Answers nothing new and drops connections that wait. */
  readonly close: () => Promise<void>
}

type Answer = E.Either<CloudError, unknown>
interface Asked {
  readonly method: string
  readonly path: ReadonlyArray<string>
  readonly query: URLSearchParams
  readonly body: unknown
  readonly signal: CancelSignal
}

const largestBody = 1 << 20
const longestWaitMs = 30_000

/**
 * Serves a simulated cloud on loopback HTTP.
 *
 * | path | call |
 * |---|---|
 * | POST /instances | launch |
 * | GET /instances?tag.KEY=VALUE&page=&limit= | list |
 * | GET, DELETE /instances/ID | get, terminate |
 * | GET /catalog?known=VERSION | catalog |
 * | POST /messages/receive, /messages/acknowledge | the queue of interruptions |
 * | GET /bill, /control/instances | cost so far, every machine ever launched |
 * | POST /control/interrupt, PUT /control/capacity, /control/faults, POST /control/prices | the simulation's own |
 *
 * Binds 127.0.0.1 and refuses any other Host, so that no web page can reach it by a name that resolves here. `persist`
 * is called before a call that changed something is answered.
 *
 * Errors: rejects when the port cannot be bound.
 */
export const serveCloud = async (options: {
  readonly cloud: SimulatedCloud
  readonly clock: Clock
  /** 0: any free one. */
  readonly port: number
  readonly persist?: () => void
}): Promise<CloudServer> => {
  const { cloud, clock, persist } = options
  const port = inProcessCloud(cloud, clock)
  const controllers = new Set<AbortController>()

  const answer = async (asked: Asked): Promise<Answer> => {
    const { method, path, query, body, signal } = asked
    const [first = '', second] = path
    const id = second === undefined ? '' : decodeURIComponent(second)
    switch (
      `${method} /${[first, second === undefined ? [] : first === 'instances' ? '*' : second].flat().join('/')}`
    ) {
      case 'POST /instances':
        return decoded(requests.launchBody, body, (input) => cloud.launch(input as Parameters<typeof cloud.launch>[0]))
      case 'GET /instances':
        return cloud.list(listInputOf(query))
      case 'GET /instances/*':
        return cloud.get(id)
      case 'DELETE /instances/*':
        return cloud.terminate(id)
      case 'GET /catalog':
        return cloud.catalog(query.get('known') ?? undefined)
      case 'POST /messages/receive': {
        const wait = requests.receiveBody.is(body) ? (body.waitMs ?? 0) : 0
        return port.receive(Math.min(wait, longestWaitMs), signal)()
      }
      case 'POST /messages/acknowledge':
        return decoded(requests.acknowledgeBody, body, ({ receipts }) => cloud.acknowledge(receipts))
      case 'GET /healthz':
        return E.right({ nowMs: clock.nowMs() })
      case 'GET /bill':
        return E.right(cloud.bill())
      case 'GET /control/instances':
        return E.right({ instances: cloud.everything() })
      case 'POST /control/interrupt':
        return decoded(requests.interruptBody, body, ({ instance, ...rest }) =>
          cloud.interrupt(instance, rest as Parameters<typeof cloud.interrupt>[1]),
        )
      case 'PUT /control/capacity':
        return decoded(requests.capacityBody, body, ({ rules }) =>
          E.right(cloud.setCapacity(rules as Rules<'setCapacity'>)),
        )
      case 'POST /control/prices':
        return decoded(requests.pricesBody, body, ({ changes }) =>
          E.right(cloud.changePrices(changes as Rules<'changePrices'>)),
        )
      case 'PUT /control/faults':
        return decoded(requests.faultsBody, body, ({ rules }) => E.right(cloud.setFaults(rules as Rules<'setFaults'>)))
      default:
        return E.left({ code: 'InvalidParameter', message: `There is nothing at ${method} /${path.join('/')}` })
    }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const host = request.headers.host ?? ''
    if (!isLoopback(host)) {
      const message = `Host ${host} is not this machine's loopback address; use 127.0.0.1`
      return send(response, 403, { code: 'Unauthorized', message })
    }
    const controller = new AbortController()
    controllers.add(controller)
    response.on('close', () => {
      controllers.delete(controller)
      controller.abort()
    })
    const body = await readBody(request)
    if (E.isLeft(body)) return send(response, 400, body.left)
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const method = request.method ?? 'GET'
    const answered = await answer({
      method,
      path: url.pathname.split('/').slice(1),
      query: url.searchParams,
      body: body.right,
      signal: controller.signal,
    })
    if (method !== 'GET') persist?.()
    if (E.isLeft(answered)) send(response, statusOf(answered.left), answered.left)
    else send(response, 200, answered.right ?? {})
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((cause: unknown) => {
      send(response, 500, { code: 'InternalError', message: `The cloud failed: ${String(cause)}` })
    })
  })
  // Long polls last up to half a minute of the cloud's time, which a slow clock stretches.
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const controller of controllers) controller.abort()
        server.closeAllConnections()
      }),
  }
}

type Rules<K extends 'setCapacity' | 'changePrices' | 'setFaults'> = Parameters<SimulatedCloud[K]>[0]

const decoded = <A>(codec: t.Type<A, unknown, unknown>, body: unknown, run: (input: A) => Answer): Answer =>
  codec.is(body)
    ? run(body)
    : E.left({ code: 'InvalidParameter', message: `The body is not a valid ${codec.name} request` })

const listInputOf = (query: URLSearchParams): ListInput => {
  const page = query.get('page')
  const limit = Number(query.get('limit') ?? 0)
  const tags = [...query].flatMap(([key, value]) => (key.startsWith('tag.') ? [[key.slice(4), value] as const] : []))
  return {
    tags: Object.fromEntries(tags),
    ...(page !== null && { page }),
    ...(limit > 0 && { limit }),
  }
}

const isLoopback = (host: string) => /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)

const readBody = async (request: IncomingMessage): Promise<E.Either<CloudError, unknown>> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestBody) return E.left({ code: 'InvalidParameter', message: 'The body is larger than 1 MiB' })
    chunks.push(chunk)
  }
  if (size === 0) return E.right({})
  try {
    return E.right(JSON.parse(Buffer.concat(chunks).toString('utf8')))
  } catch {
    return E.left({ code: 'InvalidParameter', message: 'The body is not JSON' })
  }
}

const statusByCode = new Map([
  ['InstanceNotFound', 404],
  ['InstanceEnded', 409],
  ['InsufficientInstanceCapacity', 409],
  ['InstanceLimitExceeded', 409],
  ['InvalidParameter', 400],
  ['RequestLimitExceeded', 429],
  ['Unauthorized', 403],
])
const statusOf = ({ code }: CloudError) => statusByCode.get(code) ?? 500

const send = (response: ServerResponse, status: number, body: unknown): void => {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
