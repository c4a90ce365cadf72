import type {
  DeleteOptions,
  KubeObject,
  ListOptions,
  PatchType,
  ResourceRef,
  WatchOptions,
  WriteOptions,
} from '../face.ts'
import type { ApiServer } from '../server/api-server.ts'
import { parseDeleteOptions } from '../server/deletion.ts'
import {
  badRequest,
  forbiddenValue,
  injected,
  invalid,
  invalidListOptions,
  methodNotAllowed,
  requiredValue,
  unsupportedMediaType,
} from '../server/failures.ts'
import { callOf, statusOf, underVerdict } from '../server/in-process.ts'
import type { Call } from '../server/interceptors.ts'
import { isObject } from '../server/json.ts'
import { jsonBytes, listBytes } from './bytes.ts'
import { decodeBody, mediaTypeOf, readBody, respond, respondStatus, type Exchange } from './exchange.ts'
import { partialMetadata, shapeOf, tableOf, type IncludeObject, type Shape } from './table.ts'
import { createWatchStream } from './watch-stream.ts'

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

/** How many messages a watcher may fall behind before it is cut off. */
const watchBacklogLimit = 50_000
// The API server picks a time-out between 30 and 60 minutes for watches that ask for none.
const defaultWatchSeconds = 45 * 60

/** Answers a request for objects. Errors are answered, too, as `Status` objects. */
export const answerResource = async (server: ApiServer, exchange: Exchange, ref: ResourceRef): Promise<void> => {
  const { url, method, request } = exchange
  const watching = method === 'GET' && isTrue(url.searchParams.get('watch'))
  const verb = verbOf(method, ref, watching)
  if (verb === undefined) {
    throw injected({
      code: 405,
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
    })
  }
  const shape = shapeOf(request.headers.accept)
  if (shape === undefined) {
    throw injected({
      code: 406,
      reason: 'NotAcceptable',
      message:
        'only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io',
    })
  }
  const bytes = method === 'GET' || method === 'HEAD' ? undefined : await readBody(request)
  const body = bytes === undefined ? undefined : decodeBody(bytes, mediaTypeOf(request))
  const client = request.headers['user-agent'] ?? ''
  const verdict = server.interceptors.judge(callOf(client, verb, ref))
  await underVerdict(server.clock, verdict, () => {
    const answer = perform(server, exchange, ref, verb, body, shape)
    // A verdict that fails the call afterwards must find the answer unsent.
    if (verdict?.fail === undefined) answer()
  })
}

const isTrue = (text: string | null): boolean => text === 'true' || text === '1'

const verbOf = (method: string, ref: ResourceRef, watching: boolean): Call['verb'] | undefined => {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return watching ? 'watch' : ref.name === undefined ? 'list' : 'get'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return ref.name === undefined ? 'deletecollection' : 'delete'
    default:
      return undefined
  }
}

// Does what is asked and gives the function that sends the answer.
const perform = (
  server: ApiServer,
  exchange: Exchange,
  ref: ResourceRef,
  verb: Call['verb'],
  body: unknown,
  shape: Shape,
): (() => void) => {
  const { requests } = server
  const { url } = exchange
  const warnings: string[] = []
  const send = (code: number, object: KubeObject) => () => {
    respond(exchange, code, shaped(server, ref, object, shape, url), { warnings })
  }
  switch (verb) {
    case 'get':
      return send(200, requests.get(ref))
    case 'list': {
      const page = requests.list(ref, listOptions(url))
      return () => respond(exchange, 200, listDocument(server, ref, page, shape, url))
    }
    case 'watch':
      return () => answerWatch(server, exchange, ref, shape)
    case 'create': {
      if (ref.name !== undefined && ref.subresource === undefined)
        throw methodNotAllowed({ group: ref.group, kind: ref.plural, name: ref.name })
      const written = requests.create(ref, body, writeOptions(url, warnings))
      return send(201, written.object)
    }
    case 'update':
      return send(200, requests.update(ref, body, writeOptions(url, warnings)).object)
    case 'patch': {
      const patchType = patchTypes[mediaTypeOf(exchange.request)]
      if (patchType === undefined) throw unsupportedMediaType(mediaTypeOf(exchange.request), Object.keys(patchTypes))
      const options = writeOptions(url, warnings)
      if (patchType === 'apply' && options.fieldManager === undefined) {
        throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, [
          requiredValue('fieldManager', 'is required for apply patch'),
        ])
      }
      const written = requests.patch(ref, patchType, body, options)
      return send(written.created ? 201 : 200, written.object)
    }
    case 'delete': {
      const { object, removed } = requests.delete(ref, deleteOptions(url, body))
      if (!removed) return send(200, object)
      return () => respond(exchange, 200, deletionStatus(server, ref, object))
    }
    case 'deletecollection': {
      const page = requests.deleteCollection(ref, listOptions(url), deleteOptions(url, body))
      return () => respond(exchange, 200, listDocument(server, ref, page, 'object', url))
    }
  }
}

// What is gone is answered with a Status; pods with themselves, as clients that wait for them expect.
const deletionStatus = (server: ApiServer, ref: ResourceRef, object: KubeObject): object => {
  const { type } = server.requests.target(ref)
  if (type.graceful) return jsonBytes(object)
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.plural,
      uid: object.metadata.uid,
    },
  }
}

const includeOf = (url: URL): IncludeObject => {
  const include = url.searchParams.get('includeObject')
  return include === 'None' || include === 'Object' ? include : 'Metadata'
}

const shaped = (server: ApiServer, ref: ResourceRef, object: KubeObject, shape: Shape, url: URL): object => {
  if (shape === 'object' || object.kind === 'Status' || object.kind === 'Scale') return jsonBytes(object)
  if (shape === 'metadata') return partialMetadata(object)
  return tableOf(server.requests.target(ref).type, [object], {
    metadata: { resourceVersion: object.metadata.resourceVersion },
    nowMs: server.clock.nowMs(),
    include: includeOf(url),
    withColumns: true,
  })
}

const listDocument = (
  server: ApiServer,
  ref: ResourceRef,
  page: ReturnType<ApiServer['requests']['list']>,
  shape: Shape,
  url: URL,
): object => {
  const { served, type } = server.requests.target(ref)
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  }
  switch (shape) {
    case 'object':
      return listBytes({ kind: `${type.kind}List`, apiVersion: served.apiVersion, metadata }, page.items)
    case 'metadata':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
        items: page.items.map(partialMetadata),
      }
    case 'table':
      return tableOf(type, page.items, {
        metadata,
        nowMs: server.clock.nowMs(),
        include: includeOf(url),
        withColumns: true,
      })
  }
}

const answerWatch = (server: ApiServer, exchange: Exchange, ref: ResourceRef, shape: Shape): void => {
  const { url, response } = exchange
  const options = watchOptions(url)
  const { served } = server.requests.target(ref)
  const stream = createWatchStream(response, served, {
    clock: server.clock,
    shape,
    include: includeOf(url),
    limit: watchBacklogLimit,
  })
  // Selectors and versions that make no sense throw here, before the answer has begun.
  const stop = server.requests.watch(ref, options, stream.sink)
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' })
  response.flushHeaders()
  stream.attach(stop)
}

const text = (url: URL, name: string): string | undefined => {
  const value = url.searchParams.get(name)
  return value === null || value === '' ? undefined : value
}

const number = (url: URL, name: string): number | undefined => {
  const value = text(url, name)
  if (value === undefined) return undefined
  if (!/^-?\d+$/.test(value)) throw badRequest(`${name} must be a number, not ${JSON.stringify(value)}`)
  return Number(value)
}

// Only what was given: absent and undefined differ to the code behind.
const given = <T extends object>(options: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

const listOptions = (url: URL): ListOptions => {
  if (text(url, 'sendInitialEvents') !== undefined) {
    throw invalidListOptions(forbiddenValue('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  return given<ListOptions>({
    labelSelector: text(url, 'labelSelector'),
    fieldSelector: text(url, 'fieldSelector'),
    limit: number(url, 'limit'),
    continue: text(url, 'continue'),
    resourceVersion: text(url, 'resourceVersion'),
    resourceVersionMatch: text(url, 'resourceVersionMatch'),
  })
}

const watchOptions = (url: URL): WatchOptions => {
  const sendInitialEvents = text(url, 'sendInitialEvents')
  const match = text(url, 'resourceVersionMatch')
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    throw invalidListOptions(
      forbiddenValue('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    )
  }
  if (sendInitialEvents === undefined && match !== undefined) {
    throw invalidListOptions(
      forbiddenValue(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    )
  }
  return given<WatchOptions>({
    labelSelector: text(url, 'labelSelector'),
    fieldSelector: text(url, 'fieldSelector'),
    resourceVersion: text(url, 'resourceVersion'),
    resourceVersionMatch: match,
    sendInitialEvents: sendInitialEvents === undefined ? undefined : isTrue(sendInitialEvents),
    allowWatchBookmarks: isTrue(text(url, 'allowWatchBookmarks') ?? null),
    timeoutSeconds: number(url, 'timeoutSeconds') || defaultWatchSeconds,
  })
}

const writeOptions = (url: URL, warnings: string[]): WriteOptions => {
  const validation = text(url, 'fieldValidation') ?? 'Warn'
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(`fieldValidation must be Ignore, Warn or Strict, not ${JSON.stringify(validation)}`)
  }
  return given<WriteOptions>({
    dryRun: text(url, 'dryRun') === 'All' ? true : undefined,
    fieldManager: text(url, 'fieldManager'),
    force: text(url, 'force') === 'true' ? true : undefined,
    fieldValidation: validation,
    onWarning: (warning) => void warnings.push(warning),
  })
}

const deleteOptions = (url: URL, body: unknown): DeleteOptions => {
  const policy = text(url, 'propagationPolicy')
  const orphan = text(url, 'orphanDependents')
  return {
    ...given<DeleteOptions>({
      gracePeriodSeconds: number(url, 'gracePeriodSeconds'),
      propagationPolicy:
        policy === 'Background' || policy === 'Foreground' || policy === 'Orphan'
          ? policy
          : orphan === 'true'
            ? 'Orphan'
            : undefined,
      dryRun: text(url, 'dryRun') === 'All' ? true : undefined,
    }),
    ...parseDeleteOptions(isObject(body) ? body : undefined),
  }
}

/** Answers a failure of `answerResource`, whatever it was. */
export const answerFailure = (exchange: Exchange, error: unknown): void => respondStatus(exchange, statusOf(error))
