import * as E from 'fp-ts/lib/Either.js'
import { resource, StatusError, type DraftObject, type Face, type ResourceRef } from '@scantling/kube-sim'
import {
  errorOfPatch,
  errorOfStatus,
  type DeleteOptions,
  type KubeClient,
  type KubeError,
  type KubeObject,
  type ObjectRef,
  type ResourceKind,
  type WatchEvent,
} from '@scantling/controller'

const place = (
  kind: Pick<ResourceKind<KubeObject>, 'apiVersion' | 'plural'>,
  ref: Partial<ObjectRef> = {},
): ResourceRef => ({
  ...resource(kind.apiVersion, kind.plural),
  ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
  ...(ref.name === undefined ? {} : { name: ref.name }),
})

const refused = (action: string, cause: unknown): KubeError => {
  if (cause instanceof StatusError) return errorOfStatus(action, cause.code, cause.status, undefined)
  throw cause
}

const attempt = async <A>(action: string, run: () => Promise<A>): Promise<E.Either<KubeError, A>> => {
  try {
    return E.right(await run())
  } catch (cause) {
    return E.left(refused(action, cause))
  }
}

const deletion = ({ uid, resourceVersion, gracePeriodSeconds, propagationPolicy }: DeleteOptions = {}) => ({
  ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
  preconditions: {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  },
})

const metadataOf = (object: object): ObjectRef => (object as { readonly metadata: ObjectRef }).metadata

/** The controller's client onto the embedded API server in this process: the same calls without sockets, for virtual time. */
export const inProcessClient = (face: Face): KubeClient => {
  // The server hands out one object for one version, which is read once however often it is listed.
  const projected = new Map<string, WeakMap<object, unknown>>()
  const project = <A extends KubeObject>(kind: ResourceKind<A>, raw: object): A => {
    const place = `${kind.apiVersion}/${kind.kind}`
    const known = projected.get(place) ?? new WeakMap<object, unknown>()
    projected.set(place, known)
    const before = known.get(raw)
    if (before !== undefined) return before as A
    const made = kind.project(raw)
    if (E.isLeft(made)) throw new Error(`Cannot read ${kind.kind}: ${made.left}`)
    known.set(raw, made.right)
    return made.right
  }
  const patch =
    (subresource?: 'status'): KubeClient['patch'] =>
    (kind, ref, patch) =>
    async () =>
      E.mapLeft((error: KubeError) => errorOfPatch(patch, error))(
        await attempt(`patch ${kind.kind} ${ref.name}`, async () =>
          project(
            kind,
            await face.patch({ ...place(kind, ref), ...(subresource && { subresource }) }, patch.type, patch.body),
          ),
        ),
      )
  return {
    get: (kind, ref) => () => attempt(`get ${kind.kind}`, async () => project(kind, await face.get(place(kind, ref)))),
    listPage: (kind, query) => () =>
      attempt(`list ${kind.plural}`, async () => {
        const { namespace, ...options } = query
        const list = await face.list(place(kind, { ...(namespace === undefined ? {} : { namespace }) }), options)
        return {
          items: list.items.map((raw) => project(kind, raw)),
          resourceVersion: list.metadata.resourceVersion,
          ...(list.metadata.continue === undefined ? {} : { continue: list.metadata.continue }),
        }
      }),
    watch:
      (kind, { resourceVersion, timeoutSeconds }, onEvent, signal) =>
      () =>
        new Promise((resolve) => {
          const from = resourceVersion === undefined ? { sendInitialEvents: true } : { resourceVersion }
          const options = { ...from, timeoutSeconds, allowWatchBookmarks: true }
          const end = (outcome: E.Either<KubeError, { readonly _tag: 'Closed' }>) => {
            stop()
            signal?.removeEventListener('abort', onAbort)
            resolve(outcome)
          }
          const onAbort = () => end(E.left({ _tag: 'Cancelled', message: 'The watch was cancelled' }))
          const stop = face.watch(
            place(kind),
            options,
            (event) => {
              if (event.type === 'ERROR') {
                end(E.left(errorOfStatus(`watch ${kind.plural}`, event.object.code ?? 500, event.object, undefined)))
              } else if (event.type === 'BOOKMARK') {
                const { annotations, resourceVersion } = event.object.metadata
                const isEnd = annotations?.['k8s.io/initial-events-end'] === 'true'
                onEvent({ _tag: 'Bookmark', resourceVersion, ...(isEnd ? { endsInitial: true } : {}) })
              } else {
                const _tag = ({ ADDED: 'Added', MODIFIED: 'Modified', DELETED: 'Deleted' } as const)[event.type]
                onEvent({ _tag, object: project(kind, event.object) } as WatchEvent<never>)
              }
            },
            () => end(E.right({ _tag: 'Closed' })),
          )
          signal?.addEventListener('abort', onAbort)
        }),
    create: (kind, object) => () => {
      const { namespace } = metadataOf(object)
      const whole = { apiVersion: kind.apiVersion, kind: kind.kind, ...object } as DraftObject
      return attempt(`create ${kind.kind}`, async () =>
        project(kind, await face.create(place(kind, namespace === undefined ? {} : { namespace }), whole)),
      )
    },
    update: (kind, object) => () => {
      const whole = { apiVersion: kind.apiVersion, kind: kind.kind, ...object } as DraftObject
      return attempt(`update ${kind.kind}`, async () =>
        project(kind, await face.update(place(kind, metadataOf(object)), whole)),
      )
    },
    patch: patch(),
    patchStatus: patch('status'),
    delete: (kind, ref, options) => () =>
      attempt(`delete ${kind.kind} ${ref.name}`, async () => {
        await face.delete(place(kind, ref), deletion(options))
      }),
    evict: (ref, options) => () =>
      attempt(`evict Pod ${ref.name}`, async () => {
        const pod = { ...resource('v1', 'pods'), name: ref.name, namespace: ref.namespace ?? 'default' }
        await face.create(
          { ...pod, subresource: 'eviction' },
          {
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { name: ref.name, namespace: pod.namespace },
            deleteOptions: deletion(options),
          },
        )
      }),
    serverVersion: () => async () => E.right('1.34.2'),
  }
}
