import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Clock } from '@scantling/provider-kit'
import type { CallOptions, DeleteOptions, KubeClient, ListPage, PatchBody, WatchEnd, WatchEvent } from './client.ts'
import type { KubeError } from './kube-error.ts'
import { makeLineDecoder } from './line-decoder.ts'
import { type RateLimit, makeRateLimiter } from './rate-limiter.ts'
import type { KubeObject, ObjectRef, ResourceKind } from './resource-kind.ts'
import { refKey } from './resource-kind.ts'
import { errorOfPatch, errorOfStatus } from './status.ts'
import type { HttpRequest, Transport } from './transport.ts'

export interface HttpClientOptions {
  readonly transport: Transport
  /** Measures rate limits; the transport's own clock measures deadlines. */
  readonly clock: Clock
  /** Requests other than watches per second, `kube-client-qps` and `kube-client-burst`. Default: no limit. */
  readonly rateLimit?: RateLimit
  /** Default 30 s. */
  readonly deadlineMs?: number
  /** Told of each object that a list or watch leaves out because it cannot be read, with the reason. */
  readonly onUnreadable?: (kind: ResourceKind<KubeObject>, ref: string, reason: string) => void
  /** Called once per request with its method and status (0: no answer), for metrics. */
  readonly onRequest?: (method: string, status: number) => void
}

const patchContentTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const

/** The client over HTTP: encodes calls, decodes and projects answers, classifies refusals. */
export const makeHttpClient = (options: HttpClientOptions): KubeClient => {
  const { transport, deadlineMs = 30_000 } = options
  const limiter = options.rateLimit === undefined ? undefined : makeRateLimiter(options.rateLimit, options.clock)

  const send = (request: HttpRequest, call: CallOptions | undefined): TE.TaskEither<KubeError, unknown> =>
    pipe(
      TE.fromTask<void, KubeError>(limiter === undefined ? () => Promise.resolve() : limiter.take),
      TE.chain(() =>
        transport.request({ ...request, signal: call?.signal, deadlineMs: call?.deadlineMs ?? deadlineMs }),
      ),
      TE.mapLeft((error) => {
        options.onRequest?.(request.method, 0)
        return error
      }),
      TE.chainEitherK((response) => {
        options.onRequest?.(request.method, response.status)
        const body = parseJson(response.body)
        if (response.status >= 300) {
          return E.left(errorOfStatus(request.action, response.status, E.toUnion(body), response.retryAfter))
        }
        return pipe(
          body,
          E.mapLeft((text): KubeError => ({
            _tag: 'Unknown',
            status: response.status,
            message: `Cannot ${request.action}: the answer is not JSON (${JSON.stringify(text.slice(0, 80))}); check that the address is that of an API server`,
          })),
        )
      }),
    )

  const read =
    <A extends KubeObject>(kind: ResourceKind<A>) =>
    (body: unknown): E.Either<KubeError, A> =>
      pipe(
        kind.project(body),
        E.mapLeft((reason) => ({ _tag: 'Unknown', message: `Cannot read ${kind.kind} ${rawKey(body)}: ${reason}` })),
      )

  const readOrReport = <A extends KubeObject>(kind: ResourceKind<A>, raw: unknown): A | undefined => {
    const projected = kind.project(raw)
    if (E.isRight(projected)) return projected.right
    options.onUnreadable?.(kind, rawKey(raw), projected.left)
    return undefined
  }

  const patch = <A extends KubeObject>(
    kind: ResourceKind<A>,
    ref: ObjectRef,
    body: PatchBody,
    subresource: '' | '/status',
    call: CallOptions | undefined,
  ): TE.TaskEither<KubeError, A> =>
    pipe(
      send(
        {
          method: 'PATCH',
          path: `${objectPath(kind, ref)}${subresource}`,
          action: `patch ${subresource === '' ? '' : 'the status of '}${kind.kind} ${refKey(ref)}`,
          contentType: patchContentTypes[body.type],
          body: JSON.stringify(body.body),
        },
        call,
      ),
      TE.mapLeft((error) => errorOfPatch(body, error)),
      TE.chainEitherK(read(kind)),
    )

  return {
    get: (kind, ref, call) =>
      pipe(
        send({ method: 'GET', path: objectPath(kind, ref), action: `get ${kind.kind} ${refKey(ref)}` }, call),
        TE.chainEitherK(read(kind)),
      ),
    listPage: <A extends KubeObject>(
      kind: ResourceKind<A>,
      { namespace, ...query }: Parameters<KubeClient['listPage']>[1],
      call?: CallOptions,
    ) =>
      pipe(
        send(
          {
            method: 'GET',
            path: `${collectionPath(kind, namespace)}${encodeQuery(query)}`,
            action: `list ${kind.plural}`,
          },
          call,
        ),
        TE.mapLeft((error) => (error._tag === 'NotFound' ? { ...error, message: notServed(kind, 'list') } : error)),
        TE.chainEitherK((body) => decodePage(kind, body, readOrReport)),
      ),
    watch: <A extends KubeObject>(
      kind: ResourceKind<A>,
      { namespace, stallMs, ...query }: Parameters<KubeClient['watch']>[1],
      onEvent: (event: WatchEvent<A>) => unknown,
      signal: CallOptions['signal'],
    ): TE.TaskEither<KubeError, WatchEnd> => {
      const action = `watch ${kind.plural}`
      return async () => {
        let ended: E.Either<KubeError, WatchEnd> | undefined
        const decoder = makeLineDecoder((line) => {
          if (ended !== undefined) return
          const decoded = decodeWatchLine(action, line, (raw) => readOrReport(kind, raw))
          if (decoded._tag === 'Event') onEvent(decoded.event)
          else ended = decoded.end
        })
        const beginning = query.resourceVersion === undefined ? presentState : {}
        const path = `${collectionPath(kind, namespace)}${encodeQuery({ ...query, ...beginning, watch: 'true', allowWatchBookmarks: 'true' })}`
        const result = await transport.stream({ method: 'GET', path, action, stallMs, signal }, (chunk) => {
          decoder.push(chunk)
          return ended === undefined
        })()
        options.onRequest?.('WATCH', E.isLeft(result) ? 0 : result.right.status)
        if (ended !== undefined) return ended
        if (E.isLeft(result)) return result
        const { status, body, retryAfter } = result.right
        if (status !== 200) {
          const refused = errorOfStatus(action, status, E.toUnion(parseJson(body)), retryAfter)
          return E.left(refused._tag === 'NotFound' ? { ...refused, message: notServed(kind, 'watch') } : refused)
        }
        // A server that stops cleanly ends on a newline; half a line is an event that was lost.
        return E.right(decoder.pendingBytes() > 0 ? { _tag: 'Malformed', line: '(cut off)' } : { _tag: 'Closed' })
      }
    },
    create: (kind, object, call) => {
      const ref = refOf(object)
      return pipe(
        send(
          {
            method: 'POST',
            path: collectionPath(kind, ref.namespace),
            action: `create ${kind.kind} ${refKey(ref)}`,
            body: JSON.stringify({ apiVersion: kind.apiVersion, kind: kind.kind, ...object }),
          },
          call,
        ),
        TE.chainEitherK(read(kind)),
      )
    },
    update: (kind, object, call) => {
      const ref = refOf(object)
      return pipe(
        send(
          {
            method: 'PUT',
            path: objectPath(kind, ref),
            action: `update ${kind.kind} ${refKey(ref)}`,
            body: JSON.stringify({ apiVersion: kind.apiVersion, kind: kind.kind, ...object }),
          },
          call,
        ),
        TE.chainEitherK(read(kind)),
      )
    },
    patch: (kind, ref, body, call) => patch(kind, ref, body, '', call),
    patchStatus: (kind, ref, body, call) => patch(kind, ref, body, '/status', call),
    delete: (kind, ref, call) =>
      pipe(
        send(
          {
            method: 'DELETE',
            path: objectPath(kind, ref),
            action: `delete ${kind.kind} ${refKey(ref)}`,
            body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', ...encodeDeleteOptions(call) }),
          },
          call,
        ),
        TE.map(() => undefined),
      ),
    evict: (ref, call) =>
      pipe(
        send(
          {
            method: 'POST',
            path: `/api/v1/namespaces/${encodeURIComponent(ref.namespace ?? '')}/pods/${encodeURIComponent(ref.name)}/eviction`,
            action: `evict Pod ${refKey(ref)}`,
            body: JSON.stringify({
              apiVersion: 'policy/v1',
              kind: 'Eviction',
              metadata: { name: ref.name, namespace: ref.namespace },
              ...(call === undefined ? {} : { deleteOptions: encodeDeleteOptions(call) }),
            }),
          },
          call,
        ),
        TE.map(() => undefined),
      ),
    serverVersion: (call) =>
      pipe(
        send({ method: 'GET', path: '/version', action: `read the API server's version` }, call),
        TE.chainEitherK((body) => {
          const version = (body as { gitVersion?: unknown } | null)?.gitVersion
          return typeof version === 'string'
            ? E.right(version.replace(/^v/, ''))
            : E.left<KubeError>({
                _tag: 'Unknown',
                message: `Cannot read the API server's version: the answer has no gitVersion; check that the address is that of an API server`,
              })
        }),
      ),
  }
}

// A server that knows none of this refuses the match, where it would only ignore the wish for initial events.
const presentState = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } as const
const endsInitialEvents = 'k8s.io/initial-events-end'

const basePath = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`

/** A list is there, however empty: where it is not found, its kind is unknown to the server. */
const notServed = ({ apiVersion, plural }: ResourceKind<KubeObject>, verb: 'list' | 'watch'): string =>
  `Cannot ${verb} ${plural}: the API server does not serve ${apiVersion}; install or update its CustomResourceDefinition, which the chart brings under crds`

const collectionPath = (kind: ResourceKind<KubeObject>, namespace: string | undefined): string =>
  namespace === undefined || !kind.namespaced
    ? `${basePath(kind.apiVersion)}/${kind.plural}`
    : `${basePath(kind.apiVersion)}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`

const objectPath = (kind: ResourceKind<KubeObject>, ref: ObjectRef): string =>
  `${collectionPath(kind, ref.namespace)}/${encodeURIComponent(ref.name)}`

const encodeQuery = (query: { readonly [key: string]: string | number | undefined }): string => {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value))
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

const refOf = (object: object): ObjectRef => {
  const { metadata } = object as KubeObject
  return { name: metadata?.name ?? '', namespace: metadata?.namespace }
}

const encodeDeleteOptions = (options: DeleteOptions | undefined): object => ({
  ...(options?.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
  ...(options?.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
  ...(options?.uid === undefined && options?.resourceVersion === undefined
    ? {}
    : {
        preconditions: {
          ...(options.uid === undefined ? {} : { uid: options.uid }),
          ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
        },
      }),
})

/** Right: the value. Left: the text that is no JSON. */
const parseJson = (text: string): E.Either<string, unknown> => {
  try {
    return E.right(JSON.parse(text) as unknown)
  } catch {
    return E.left(text)
  }
}

type Read = <A extends KubeObject>(kind: ResourceKind<A>, raw: unknown) => A | undefined

const decodePage = <A extends KubeObject>(
  kind: ResourceKind<A>,
  body: unknown,
  read: Read,
): E.Either<KubeError, ListPage<A>> => {
  const page = body as {
    readonly items?: unknown
    readonly metadata?: { resourceVersion?: unknown; continue?: unknown }
  } | null
  const resourceVersion = page?.metadata?.resourceVersion
  const rawItems: unknown = page?.items ?? []
  if (typeof resourceVersion !== 'string' || !Array.isArray(rawItems)) {
    return E.left({ _tag: 'Unknown', message: `Cannot list ${kind.plural}: the answer is not a list` })
  }
  const next = page?.metadata?.continue
  const items: Array<A> = []
  for (const raw of rawItems) {
    const item = read(kind, raw)
    if (item !== undefined) items.push(item)
  }
  return E.right({ items, resourceVersion, ...(typeof next === 'string' && next !== '' ? { continue: next } : {}) })
}

type DecodedLine<A> =
  | { readonly _tag: 'Event'; readonly event: WatchEvent<A> }
  | { readonly _tag: 'End'; readonly end: E.Either<KubeError, WatchEnd> }

const eventTags = new Map<unknown, 'Added' | 'Modified' | 'Deleted'>([
  ['ADDED', 'Added'],
  ['MODIFIED', 'Modified'],
  ['DELETED', 'Deleted'],
])

const decodeWatchLine = <A>(action: string, line: string, read: (raw: unknown) => A | undefined): DecodedLine<A> => {
  const malformed: DecodedLine<A> = { _tag: 'End', end: E.right({ _tag: 'Malformed', line: line.slice(0, 200) }) }
  const parsed = parseJson(line)
  if (E.isLeft(parsed)) return malformed
  const { type, object } = (parsed.right ?? {}) as {
    readonly type?: unknown
    readonly object?: {
      readonly metadata?: {
        readonly resourceVersion?: unknown
        readonly annotations?: Readonly<Record<string, unknown>>
      }
      readonly code?: unknown
    } | null
  }
  if (typeof object !== 'object' || object === null) return malformed
  const tag = eventTags.get(type)
  if (tag !== undefined) {
    const item = read(object)
    const event =
      item === undefined ? { _tag: 'Unreadable' as const, key: rawKey(object) } : { _tag: tag, object: item }
    return { _tag: 'Event', event }
  }
  if (type === 'BOOKMARK') {
    const resourceVersion = object.metadata?.resourceVersion
    if (typeof resourceVersion !== 'string') return malformed
    const endsInitial = object.metadata?.annotations?.[endsInitialEvents] === 'true'
    return { _tag: 'Event', event: { _tag: 'Bookmark', resourceVersion, ...(endsInitial ? { endsInitial } : {}) } }
  }
  if (type === 'ERROR') {
    const code = typeof object.code === 'number' ? object.code : 500
    return { _tag: 'End', end: E.left(errorOfStatus(action, code, object, undefined)) }
  }
  return malformed
}

/** The key of an object that has not been read. */
const rawKey = (raw: unknown): string => {
  const metadata = (raw as { readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown } } | null)
    ?.metadata
  const name = typeof metadata?.name === 'string' ? metadata.name : '(unnamed)'
  return typeof metadata?.namespace === 'string' ? `${metadata.namespace}/${name}` : name
}
