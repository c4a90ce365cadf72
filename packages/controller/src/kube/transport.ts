import * as http from 'node:http'
import * as https from 'node:https'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CancelSignal } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Connection } from './connection.ts'
import type { KubeError } from './kube-error.ts'

export interface HttpRequest {
  readonly method: string
  /** Path and query, below the server's base URL. */
  readonly path: string
  /** For messages: `get Pod default/web`. */
  readonly action: string
  readonly contentType?: string
  readonly body?: string
  readonly signal?: CancelSignal | undefined
}

export interface HttpResponse {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
}

/** HTTP to one API server: connections are kept and shared, every wait has an end. */
export interface Transport {
  /** One request and its whole answer, whatever its status. Left: no answer (`Unreachable`, `Timeout`, `Cancelled`). */
  readonly request: (request: HttpRequest & { readonly deadlineMs: number }) => TaskEither<KubeError, HttpResponse>
  /**
   * One request whose 200 answer is handed to `onChunk` as it arrives; right when the server ended it.
   *
   * Another status comes back as a whole answer. `onChunk` may return false to end the stream.
   */
  readonly stream: (
    request: HttpRequest & { readonly stallMs: number },
    onChunk: (chunk: Uint8Array) => boolean,
  ) => TaskEither<KubeError, HttpResponse>
  /** Closes every connection. */
  readonly close: () => void
}

/** What the server says beside its answers. */
export interface ServerAsides {
  /** The time that it says it is, with each answer. */
  readonly onDate?: (date: string) => void
  /** The header `Warning` of an answer to what was done. */
  readonly onWarning?: (action: string, header: string) => void
}

// Read in one turn of the event loop, of all answers together: some fifteen pods, which take five milliseconds.
const bytesPerTurn = 32 * 1024

// More would only queue on the server's side: its priority and fairness shares are per client.
const maxSockets = 64

/** Opens a transport. `clock` measures deadlines in the network's time, so it is never a scaled one. */
export const makeTransport = (connection: Connection, clock: Clock, asides: ServerAsides = {}): Transport => {
  const secure = connection.server.startsWith('https:')
  const agentOptions = { keepAlive: true, keepAliveMsecs: 30_000, scheduling: 'lifo' as const }
  // Watches hold their connection for minutes, so they do not compete with requests for the bounded pool.
  const requests = secure
    ? new https.Agent({ ...agentOptions, maxSockets })
    : new http.Agent({ ...agentOptions, maxSockets })
  const streams = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions)

  // Counted over all answers: a node that joins is told of by several watches at once.
  let bytes = 0
  const isTurnFull = (more: number): boolean => {
    if (bytes === 0)
      setImmediate(() => {
        bytes = 0
      })
    bytes += more
    return bytes >= bytesPerTurn
  }

  const send = async (
    request: HttpRequest,
    agent: http.Agent,
    begin: (abort: (error: KubeError) => void) => { readonly active: () => void; readonly end: () => void },
    onChunk: (chunk: Uint8Array) => boolean,
  ): Promise<E.Either<KubeError, HttpResponse>> => {
    if (request.signal?.aborted) return E.left(cancelled(request.action))
    let options: https.RequestOptions
    try {
      options = await connection.requestOptions()
    } catch (cause) {
      return E.left(unreachable(connection, request.action, cause))
    }
    return new Promise((resolve) => {
      const url = new URL(connection.server + request.path)
      const headers: http.OutgoingHttpHeaders = {
        accept: 'application/json',
        'user-agent': connection.userAgent,
        ...(options.headers as http.OutgoingHttpHeaders | undefined),
      }
      if (request.body !== undefined) {
        headers['content-type'] = request.contentType ?? 'application/json'
        headers['content-length'] = Buffer.byteLength(request.body)
      }
      const outgoing = (secure ? https : http).request(url, {
        ...options,
        agent: options.agent ?? agent,
        method: request.method,
        headers,
      })
      let settled = false
      const finish = (result: E.Either<KubeError, HttpResponse>) => {
        if (settled) return
        settled = true
        timing.end()
        request.signal?.removeEventListener('abort', onAbort)
        // A request that has its whole answer keeps its connection for the next one.
        if (E.isLeft(result)) outgoing.destroy()
        resolve(result)
      }
      const onAbort = () => finish(E.left(cancelled(request.action)))
      const timing = begin((error) => finish(E.left(error)))
      request.signal?.addEventListener('abort', onAbort)
      outgoing.on('error', (cause) => finish(E.left(unreachable(connection, request.action, cause))))
      outgoing.on('response', (response) => {
        const status = response.statusCode ?? 0
        const retryAfter = response.headers['retry-after']
        const { date, warning } = response.headers
        if (date !== undefined) asides.onDate?.(date)
        if (warning !== undefined) asides.onWarning?.(request.action, warning)
        const chunks: Array<Uint8Array> = []
        response.on('data', (chunk: Uint8Array) => {
          if (settled) return
          timing.active()
          if (isTurnFull(chunk.length)) {
            // A burst of changes would otherwise be read to its end while probes and leases wait.
            response.pause()
            setImmediate(() => response.resume())
          }
          if (status !== 200 || onChunk(chunk)) {
            if (status !== 200) chunks.push(chunk)
            return
          }
          finish(E.right({ status, retryAfter, body: '' }))
          outgoing.destroy()
        })
        response.on('error', (cause) => finish(E.left(unreachable(connection, request.action, cause))))
        response.on('end', () => finish(E.right({ status, retryAfter, body: Buffer.concat(chunks).toString('utf8') })))
        response.on('close', () =>
          finish(E.left(unreachable(connection, request.action, new Error('The answer broke off')))),
        )
      })
      outgoing.end(request.body)
    })
  }

  return {
    request: (request) => async () => {
      const chunks: Array<Uint8Array> = []
      const result = await send(
        request,
        requests,
        (abort) => {
          const cancel = clock.setTimer(request.deadlineMs, () => abort(timedOut(request.action, request.deadlineMs)))
          return { active: () => undefined, end: cancel }
        },
        (chunk) => {
          chunks.push(chunk)
          return true
        },
      )
      return E.isRight(result) && chunks.length > 0
        ? E.right({ ...result.right, body: Buffer.concat(chunks).toString('utf8') })
        : result
    },
    stream: (request, onChunk) => () =>
      send(
        request,
        streams,
        (abort) => {
          // One timer that re-arms itself, not one per chunk: a busy watch brings thousands of chunks a second.
          let lastActiveMs = clock.nowMs()
          let cancel = () => {}
          const arm = (ms: number) => {
            cancel = clock.setTimer(ms, () => {
              const quietMs = clock.nowMs() - lastActiveMs
              if (quietMs >= request.stallMs) abort(stalled(request.action, request.stallMs))
              else arm(request.stallMs - quietMs)
            })
          }
          arm(request.stallMs)
          return { active: () => (lastActiveMs = clock.nowMs()), end: () => cancel() }
        },
        onChunk,
      ),
    close: () => {
      requests.destroy()
      streams.destroy()
    },
  }
}

const cancelled = (action: string): KubeError => ({ _tag: 'Cancelled', message: `Cannot ${action}: cancelled` })

const timedOut = (action: string, deadlineMs: number): KubeError => ({
  _tag: 'Timeout',
  message: `Cannot ${action}: no answer within ${deadlineMs / 1000} s`,
})

const stalled = (action: string, stallMs: number): KubeError => ({
  _tag: 'Timeout',
  message: `Cannot ${action}: the stream was silent for ${stallMs / 1000} s`,
})

const unreachable = (connection: Connection, action: string, cause: unknown): KubeError => ({
  _tag: 'Unreachable',
  message: `Cannot ${action}: no answer from the API server at ${connection.server} (from ${connection.source}): ${describeCause(cause)}`,
  cause,
})

/** The cause of a connection failure in words, with what to do about it. */
const describeCause = (cause: unknown): string => {
  const code = (cause as { code?: unknown } | undefined)?.code
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused; check that it runs and that address and port are right'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is unknown; check the address'
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was reset'
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the network does not reach it; check routes and firewalls'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `its certificate is not trusted (${code}); check certificate-authority in the kubeconfig`
    default:
      return cause instanceof Error && cause.message !== '' ? cause.message : String(code ?? cause)
  }
}
