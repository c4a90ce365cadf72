import { createServer } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeCertificate } from './certificates.ts'
import { computeRoutes } from './compute.ts'
import { containerServiceRoutes } from './container-service.ts'
import { linkedActions } from './linked-actions.ts'
import { networkRoutes } from './network.ts'
import { otherRoutes } from './other-services.ts'
import { refused, type ArmAnswer, type ArmRequest, type Route } from './route.ts'
import { World, type WorldOptions } from './world.ts'

/** One request that was made of the emulator. */
export interface Call {
  readonly method: string
  readonly path: string
  /** As role definitions name it; empty: polls and tokens. */
  readonly action: string
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface Emulator {
  readonly url: string
  /** The authority that signed its certificate, in PEM. */
  readonly ca: string
  readonly world: World
  readonly calls: ReadonlyArray<Call>
  /** How often each method and action was called; polls of operations are one line. */
  readonly tally: () => Readonly<Record<string, number>>
  /** Told of every request once it took effect, before its answer leaves. */
  readonly onCall: (listener: (action: string, method: string) => void) => void
  readonly close: () => Promise<void>
}

const routes: ReadonlyArray<Route> = [...computeRoutes, ...networkRoutes, ...containerServiceRoutes, ...otherRoutes]

/** Starts an emulator of Azure Resource Manager over HTTPS on a free port of this machine, with a new world or the given one. */
export const startEmulator = async (options: WorldOptions | World = {}): Promise<Emulator> => {
  const world = options instanceof World ? options : new World(options)
  const certificate = await makeCertificate()
  const calls: Array<Call> = []
  let origin = ''
  let listener: (action: string, method: string) => void = () => undefined
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (incoming, outgoing) => {
    void readRequest(incoming, origin).then((request) => {
      const { action, answer } = handle(request, world)
      calls.push({
        method: request.method,
        path: request.path,
        action,
        status: answer.status,
        headers: request.headers,
      })
      listener(action, request.method)
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      outgoing.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: origin,
    ca: certificate.ca,
    world,
    calls,
    tally: () => {
      const counts: Record<string, number> = {}
      for (const { method, path, action } of calls) {
        const name = `${method} ${action === '' ? path.replace(/.*\/(operations|token|prices).*/i, '$1') : action}`
        counts[name] = (counts[name] ?? 0) + 1
      }
      return counts
    },
    onCall: (one) => {
      listener = one
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Answers one request: the emulator without its server. */
export const handle = (request: ArmRequest, world: World): { readonly action: string; readonly answer: ArmAnswer } => {
  for (const { method, path, action, answer } of routes) {
    const matched = method === request.method ? path.exec(request.path) : null
    if (matched === null) continue
    if (action !== '' && world.allowedActions?.has(action) === false)
      return { action, answer: refused(unauthorized(action, request.path)) }
    const linked = linkedActions(action, request).find((one) => world.allowedActions?.has(one) === false)
    if (linked !== undefined)
      return { action, answer: refused({ ...unauthorized(linked, request.path), code: 'LinkedAuthorizationFailed' }) }
    const fault = world.actionFaults.get(action)
    if (fault?.skip !== undefined && fault.skip > 0) fault.skip -= 1
    else if (fault !== undefined && fault.times !== 0) {
      if (fault.times !== undefined) fault.times -= 1
      if (fault.isAfter === true) answer(request, world, matched.groups ?? {})
      return { action, answer: refused(fault.error) }
    }
    return { action, answer: answer(request, world, matched.groups ?? {}) }
  }
  const message = `The emulator does not know ${request.method} ${request.path}`
  return { action: 'unknown', answer: refused({ status: 404, code: 'InvalidResourceType', message }) }
}

const unauthorized = (action: string, scope: string) => ({
  status: 403,
  code: 'AuthorizationFailed',
  message: `The client does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid.`,
})

const readRequest = async (incoming: IncomingMessage, origin: string): Promise<ArmRequest> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const url = new URL(incoming.url ?? '/', origin)
  return {
    method: incoming.method ?? 'GET',
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: incoming.headers as Readonly<Record<string, string | undefined>>,
    // Tokens are asked for by a form.
    body: text.startsWith('{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {},
    origin,
  }
}
