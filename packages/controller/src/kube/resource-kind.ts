import type { Either } from 'fp-ts/lib/Either.js'

/** What every Kubernetes object has; kinds refine it. Fields that a projection dropped are absent. */
export interface KubeObject {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata: {
    readonly name?: string | undefined
    readonly namespace?: string | undefined
    readonly uid?: string | undefined
    readonly resourceVersion?: string | undefined
  }
}

/** Names one object of a kind; `namespace` for namespaced kinds only. */
export interface ObjectRef {
  readonly name: string
  readonly namespace?: string | undefined
}

/**
 * Where a kind lives on the API server and what of its objects we keep.
 *
 * `project` runs on every object as it is decoded, from lists, watches and answers to writes alike, so nothing else in
 * the process ever sees (or holds) a whole object. Write back with patches: a projected object is not a whole one.
 * A Left says why an object cannot be read; lists and watches leave it out, as if it were not there.
 */
export interface ResourceKind<A extends KubeObject = KubeObject> {
  /** `v1`, `apps/v1`, `karpenter.sh/v1`. */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly project: (raw: unknown) => Either<string, A>
}

/** The cache and queue key of an object: `namespace/name`, or `name` for cluster-scoped kinds. */
export const keyOf = (object: KubeObject): string =>
  refKey({ name: object.metadata.name ?? '', namespace: object.metadata.namespace })

/** The key of a reference: `namespace/name`, or `name`. */
export const refKey = (ref: ObjectRef): string =>
  ref.namespace === undefined || ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`

/** The reverse of `refKey`; neither part can contain a slash. */
export const parseKey = (key: string): ObjectRef => {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
