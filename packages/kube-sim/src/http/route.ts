import type { ResourceRef } from '../face.ts'

/** What a request path addresses. */
export type Route =
  { readonly _tag: 'resource'; readonly ref: ResourceRef } | { readonly _tag: 'document'; readonly path: string }

/**
 * Reads an API path: `/api/v1/namespaces/default/pods/web/eviction`, `/apis/apps/v1/deployments`.
 *
 * Anything that names no resource (discovery, health, OpenAPI) is a document.
 */
export const parseRoute = (pathname: string): Route => {
  const parts = pathname.split('/').filter((part) => part !== '')
  const document: Route = { _tag: 'document', path: `/${parts.join('/')}` }
  let decoded: ReadonlyArray<string>
  try {
    decoded = parts.map(decodeURIComponent)
  } catch {
    return document
  }
  if (decoded[0] === 'api' && decoded.length >= 3) return resourceRoute('', decoded[1] ?? '', decoded.slice(2))
  if (decoded[0] === 'apis' && decoded.length >= 4) {
    return resourceRoute(decoded[1] ?? '', decoded[2] ?? '', decoded.slice(3))
  }
  return document
}

const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize'])

const resourceRoute = (group: string, version: string, rest: ReadonlyArray<string>): Route => {
  const [first = '', second, third, ...more] = rest
  // `namespaces/x` and its sub-resources are the namespace itself; `namespaces/x/pods` is what lives in it.
  if (first === 'namespaces' && second !== undefined && third !== undefined && !namespaceSubresources.has(third)) {
    return resource({ group, version, plural: third, namespace: second }, more)
  }
  return resource({ group, version, plural: first }, rest.slice(1))
}

const resource = (base: ResourceRef, [name, ...sub]: ReadonlyArray<string>): Route => {
  // Schedulers may post a Binding to the collection; the pod's name is in its metadata.
  if (base.group === '' && base.plural === 'bindings') {
    return { _tag: 'resource', ref: { ...base, plural: 'pods', subresource: 'binding' } }
  }
  return {
    _tag: 'resource',
    ref: {
      ...base,
      ...(name === undefined ? {} : { name }),
      ...(sub.length === 0 ? {} : { subresource: sub.join('/') }),
    },
  }
}
