import type { IncomingMessage } from 'node:http'

/** A request of the SDK, as far as the proxy understands it. */
export interface AwsRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Of the signature's scope: `ec2`, `ssm`, … */
  readonly service: string
  /** `ec2:CreateFleet` and the like. */
  readonly action: string
  /** Of the query protocol; empty for others. */
  readonly parameters: URLSearchParams
}

export const readRequest = async (incoming: IncomingMessage): Promise<AwsRequest> => {
  let body = ''
  for await (const chunk of incoming) body += String(chunk)
  const { method = 'GET', url = '/', headers } = incoming
  const service =
    /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ??
    (url.startsWith('/managedresources/') ? 'arc-zonal-shift' : 'unknown')
  const isForm = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  const parameters = new URLSearchParams(isForm ? body : '')
  return {
    method,
    path: url,
    headers,
    body,
    service,
    action: `${service}:${operationOf(parameters, headers, method, url)}`,
    parameters,
  }
}

const operationOf = (
  parameters: URLSearchParams,
  headers: IncomingMessage['headers'],
  method: string,
  path: string,
): string => {
  const target = headers['x-amz-target']
  const named = parameters.get('Action') ?? (typeof target === 'string' ? target.split('.').at(-1) : undefined)
  if (named !== undefined) return named
  // The REST services: only these two calls are made of theirs.
  if (path.startsWith('/clusters/')) return method === 'GET' ? 'DescribeCluster' : 'CreateCluster'
  return path.startsWith('/managedresources/') ? 'GetManagedResource' : `${method} ${path}`
}

/** The values of a list of the query protocol: `InstanceId.1`, `InstanceId.2`, … */
export const listOf = (parameters: URLSearchParams, name: string): ReadonlyArray<string> => {
  const values: Array<string> = []
  for (let index = 1; ; index++) {
    const value = parameters.get(`${name}.${index}`)
    if (value === null) return values
    values.push(value)
  }
}

/** The members of a list of structures: everything under `Name.1.`, `Name.2.`, …, by what follows. */
export const structuresOf = (parameters: URLSearchParams, name: string): ReadonlyArray<ReadonlyMap<string, string>> => {
  const found: Array<Map<string, string>> = []
  for (const [key, value] of parameters) {
    if (!key.startsWith(`${name}.`)) continue
    const [index = '', ...rest] = key.slice(name.length + 1).split('.')
    const at = Number(index) - 1
    if (!Number.isInteger(at)) continue
    while (found.length <= at) found.push(new Map())
    found[at]?.set(rest.join('.'), value)
  }
  return found
}

/** Filters of a describe call, by name. */
export const filtersOf = (parameters: URLSearchParams): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map(
    structuresOf(parameters, 'Filter').map((filter) => [
      filter.get('Name') ?? '',
      [...filter].flatMap(([key, value]) => (key.startsWith('Value.') ? [value] : [])),
    ]),
  )
