import type { Resource, ServiceError, World } from './world.ts'

/** A request as routes see it. */
export interface ArmRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Readonly<Record<string, unknown>>
  /** `https://127.0.0.1:12345`, for links. */
  readonly origin: string
}

export interface ArmAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: string
  readonly path: RegExp
  /** As role definitions name it; empty: what needs no role. */
  readonly action: string
  readonly answer: (request: ArmRequest, world: World, parts: Readonly<Record<string, string>>) => ArmAnswer
}

/**
 * A route by its path, in which `{name}` stands for one part. Cases do not matter, as in ARM.
 *
 * Paths of resources start with the subscription; `{group}` is the resource group.
 */
export const route = (method: string, path: string, action: string, answer: Route['answer']): Route => ({
  method,
  path: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`, 'i'),
  action,
  answer,
})

/** `/subscriptions/…/resourceGroups/{group}/providers/…`. */
export const inGroup = (rest: string): string =>
  `/subscriptions/{subscription}/resourceGroups/{group}/providers/${rest}`

export const refused = ({ status, code, message, details, headers }: ServiceError): ArmAnswer => ({
  status,
  body: { error: { code, message, ...(details === undefined ? {} : { details }) } },
  headers: { 'x-ms-error-code': code, ...headers },
})

export const notFound = (what: string): ArmAnswer =>
  refused({ status: 404, code: 'ResourceNotFound', message: `The Resource '${what}' was not found.` })

/** A resource as a read returns it. */
export const shown = (world: World, resource: Resource): Readonly<Record<string, unknown>> => ({
  id: resource.id,
  name: resource.name.slice(resource.name.lastIndexOf('/') + 1),
  type: resource.type,
  ...(resource.location === undefined ? {} : { location: resource.location }),
  ...(resource.zones === undefined || resource.zones.length === 0 ? {} : { zones: resource.zones }),
  ...(resource.identity === undefined ? {} : { identity: resource.identity }),
  tags: resource.tags,
  properties: { ...resource.properties, provisioningState: world.stateOf(resource) },
})

/** The answer to a change that goes on after it. */
export const accepted = (
  { origin }: ArmRequest,
  world: World,
  operation: string,
  status: 200 | 201 | 202,
  body?: unknown,
): ArmAnswer => {
  const url = `${origin}/subscriptions/any/providers/Microsoft.Compute/locations/${world.location}/operations/${operation}?api-version=2024-03-01`
  return {
    status,
    ...(body === undefined ? {} : { body }),
    // Polled at once, so that tests do not wait for the two seconds of the client.
    headers: { 'Azure-AsyncOperation': url, Location: url, 'Retry-After': '0' },
  }
}

/** A page of a list, with an absolute link to the next one. */
export const paged = ({ origin, path, query }: ArmRequest, items: ReadonlyArray<unknown>, size: number): ArmAnswer => {
  const start = Number(query.get('$skip') ?? 0)
  const next = new URLSearchParams(query)
  next.set('$skip', String(start + size))
  return {
    status: 200,
    body: {
      value: items.slice(start, start + size),
      ...(start + size < items.length ? { nextLink: `${origin}${path}?${next.toString()}` } : {}),
    },
  }
}
