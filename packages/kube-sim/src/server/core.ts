import type { Clock } from '@scantling/provider-kit'
import { type KubeObject, type ResourceRef } from '../face.ts'
import { badRequest, unknownResource, type Subject } from './failures.ts'
import type { Identity } from './identity.ts'
import { isObject, objectAt, type JsonObject } from './json.ts'
import { apiVersionOf, type Registry, type ResourceType, type ServedResource, type Surroundings } from './registry.ts'
import type { Store } from './store.ts'

/** What every part of the request pipeline works with. */
export interface Core {
  readonly clock: Clock
  readonly store: Store
  readonly registry: Registry
  readonly identity: Identity
  readonly surroundings: Surroundings
  /** Whether watches may begin with what there is (`sendInitialEvents`). */
  readonly isWatchListServed: boolean
}

/** A reference whose resource was found. */
export interface Target {
  readonly served: ServedResource
  readonly type: ResourceType
  readonly key: string
  /** `''` for cluster-scoped resources, and for a list or watch of all namespaces. */
  readonly namespace: string
  readonly allNamespaces: boolean
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** For failures: by plural, as the API server names things that are missing or in conflict. */
  readonly subject: Subject
}

/** Errors: 404 for a resource that is not served, 400 for a cluster-scoped one with a namespace. */
export const resolve = (core: Core, ref: ResourceRef): Target => {
  const served = core.registry.find(ref.group, ref.version, ref.plural)
  if (served === undefined) throw unknownResource()
  const { type, key } = served
  if (!type.namespaced && ref.namespace !== undefined) throw unknownResource()
  if (type.namespaced && ref.namespace === undefined && ref.name !== undefined) {
    throw badRequest(`an empty namespace may not be set when a resource name is provided`)
  }
  return {
    served,
    type,
    key,
    namespace: ref.namespace ?? '',
    allNamespaces: type.namespaced && ref.namespace === undefined,
    name: ref.name,
    subresource: ref.subresource,
    subject: { group: type.group, kind: type.plural, ...(ref.name === undefined ? {} : { name: ref.name }) },
  }
}

/** A 422's subject names the kind. */
export const kindSubject = (type: ResourceType, name: string): Subject => ({ group: type.group, kind: type.kind, name })

const converted = new WeakMap<KubeObject, Map<string, KubeObject>>()

/** A stored object as the API version of `served` shows it. Converted forms are kept for as long as the object is. */
export const present = (served: ServedResource, object: KubeObject): KubeObject => {
  if (object.apiVersion === served.apiVersion) return object
  let forms = converted.get(object)
  if (forms === undefined) converted.set(object, (forms = new Map()))
  let form = forms.get(served.apiVersion)
  if (form === undefined) {
    const { conversion } = served.type
    form =
      conversion === undefined
        ? { ...object, apiVersion: served.apiVersion }
        : conversion.fromStorage(object, served.apiVersion)
    forms.set(served.apiVersion, form)
  }
  return form
}

/**
 * Checks an incoming body's type and brings it to the storage version. The result shares nothing that will be changed with `body`
 * only if `body` is already a copy.
 *
 * Errors: 400 for another kind, version, name or namespace than the one addressed.
 */
export const accept = (target: Target, body: JsonObject): JsonObject => {
  const { served, type } = target
  const apiVersion = body['apiVersion'] ?? served.apiVersion
  const kind = body['kind'] ?? type.kind
  if (apiVersion !== served.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${served.apiVersion})`,
    )
  }
  if (kind !== type.kind)
    throw badRequest(`the kind in the data (${String(kind)}) does not match the expected kind (${type.kind})`)
  const metadata = objectAt(body, 'metadata') ?? {}
  if (body['metadata'] !== undefined && body['metadata'] !== null && !isObject(body['metadata'])) {
    throw badRequest('metadata must be an object')
  }
  const namespace = metadata['namespace']
  if (type.namespaced && typeof namespace === 'string' && namespace !== '' && namespace !== target.namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  }
  if (target.name !== undefined && metadata['name'] !== undefined && metadata['name'] !== target.name) {
    throw badRequest(
      `the name of the object (${String(metadata['name'])}) does not match the name on the URL (${target.name})`,
    )
  }
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = body
  const typed: JsonObject = { apiVersion: served.apiVersion, kind: type.kind, metadata, ...content }
  const storageVersion = apiVersionOf(type.storageGroup, type.storageVersion)
  if (served.apiVersion === storageVersion) return typed
  return type.conversion === undefined
    ? { ...typed, apiVersion: storageVersion }
    : type.conversion.toStorage(typed, served.apiVersion)
}
