import type { ApiServer } from '../server/api-server.ts'
import { badRequest, unknownResource } from '../server/failures.ts'
import type { Failure, FaultRule } from '../server/interceptors.ts'
import { isObject } from '../server/json.ts'
import {
  aggregatedDiscovery,
  aggregatedMediaType,
  groupInfo,
  groupList,
  resourceList,
  wantsAggregated,
} from './discovery.ts'
import { decodeBody, readBody, respond, respondText, type Exchange } from './exchange.ts'
import { openApiDocument, openApiIndex } from './openapi.ts'

/** Of the Kubernetes that kube-sim passes for, without build: `1.34.0`. */
export const kubernetesVersion = '1.34.0'

const versionDocument = {
  major: '1',
  minor: '34',
  gitVersion: `v${kubernetesVersion}+kube-sim`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-08-27T00:00:00Z',
  goVersion: 'go1.24',
  compiler: 'gc',
  platform: 'linux/amd64',
}

/** Answers everything that is not an object: discovery, OpenAPI, health, version, and the control endpoint. */
export const answerDocument = async (server: ApiServer, exchange: Exchange, path: string): Promise<void> => {
  if (path === controlPath || path.startsWith(`${controlPath}/`)) return answerControl(server, exchange, path)
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw unknownResource()
  const { registry } = server.core
  const accept = exchange.request.headers.accept
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return respondText(exchange, 200, 'ok')
    case '/version':
      return respond(exchange, 200, versionDocument)
    case '/api':
      if (wantsAggregated(accept)) {
        return respond(exchange, 200, aggregatedDiscovery(registry, true), { contentType: aggregatedMediaType })
      }
      return respond(exchange, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] })
    case '/apis':
      if (wantsAggregated(accept)) {
        return respond(exchange, 200, aggregatedDiscovery(registry, false), { contentType: aggregatedMediaType })
      }
      return respond(exchange, 200, groupList(registry))
    case '/openapi/v3':
      return respond(exchange, 200, openApiIndex(registry))
    case '/':
      return respond(exchange, 200, {
        paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'],
      })
  }
  const document = findDocument(server, path)
  if (document === undefined) throw unknownResource()
  respond(exchange, 200, document)
}

const findDocument = (server: ApiServer, path: string): object | undefined => {
  const { registry } = server.core
  const [root, first, second, ...rest] = path.slice(1).split('/')
  if (root === 'api' && first !== undefined && second === undefined) return resourceList(registry, '', first)
  if (root === 'apis' && first !== undefined && second === undefined) return groupInfo(registry, first)
  if (root === 'apis' && first !== undefined && second !== undefined && rest.length === 0) {
    return resourceList(registry, first, second)
  }
  if (path.startsWith('/openapi/v3/')) return openApiDocument(registry, path.slice('/openapi/v3/'.length))
  return undefined
}

const controlPath = '/kube-sim'

/**
 * Fault injection and inspection over loopback:
 *
 * `POST /kube-sim/faults` adds a fault rule, `DELETE /kube-sim/faults` clears them all; `POST /kube-sim/fail-nth`
 * `{n, fail: {code}}`; `POST /kube-sim/compact` makes older resource versions answer 410; `GET /kube-sim/state` tells the
 * clock's time, the calls so far and the newest resource version.
 */
const answerControl = async (server: ApiServer, exchange: Exchange, path: string): Promise<void> => {
  const { method, request } = exchange
  const body = method === 'POST' ? (decodeBody(await readBody(request), 'application/json') ?? {}) : {}
  if (!isObject(body)) throw badRequest('the body of a control request is an object')
  switch (`${method} ${path}`) {
    case 'POST /kube-sim/faults':
      server.interceptors.addRule(faultRule(body))
      return respond(exchange, 201, body)
    case 'DELETE /kube-sim/faults':
      server.interceptors.clear()
      return respond(exchange, 200, {})
    case 'POST /kube-sim/fail-nth': {
      const n = body['n']
      if (typeof n !== 'number' || n < 1) throw badRequest('n must be a number greater than 0')
      server.interceptors.failNth(n, failureOf(body['fail']))
      return respond(exchange, 201, body)
    }
    case 'POST /kube-sim/compact':
      server.compact()
      return respond(exchange, 200, {})
    case 'GET /kube-sim/state':
      return respond(exchange, 200, {
        nowMs: server.clock.nowMs(),
        calls: server.interceptors.count(),
        resourceVersion: String(server.revision()),
      })
    default:
      throw unknownResource()
  }
}

const failureOf = (fail: unknown): Failure => {
  if (!isObject(fail) || typeof fail['code'] !== 'number' || fail['code'] < 400 || fail['code'] > 599) {
    throw badRequest('fail.code must be an HTTP status from 400 to 599')
  }
  return fail as unknown as Failure
}

const ruleKeys: ReadonlySet<string> = new Set([
  'client',
  'verb',
  'group',
  'resource',
  'subresource',
  'namespace',
  'name',
  'skip',
  'times',
  'delayMs',
  'fail',
  'when',
])

const faultRule = (body: Readonly<Record<string, unknown>>): FaultRule => {
  for (const key of Object.keys(body)) {
    if (!ruleKeys.has(key)) throw badRequest(`unknown field ${JSON.stringify(key)} in a fault rule`)
  }
  if (body['fail'] === undefined && body['delayMs'] === undefined)
    throw badRequest('a fault rule needs fail or delayMs')
  if (body['fail'] !== undefined) failureOf(body['fail'])
  return body as FaultRule
}
