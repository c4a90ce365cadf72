import { apiVersionOf, type Registry, type ResourceType } from '../server/registry.ts'
import { groupVersions } from './discovery.ts'

const pathOf = (group: string, version: string): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`

/** `/openapi/v3`: where the description of each group and version is. */
export const openApiIndex = (registry: Registry) => ({
  paths: Object.fromEntries(
    groupVersions(registry).map(({ group, version, types }) => {
      const path = pathOf(group, version)
      // Clients cache by this address, so it changes with the set of resources.
      const hash = types.map(({ plural }) => plural).join('.')
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${encodeURIComponent(hash)}` }]
    }),
  ),
})

// Clients look for these before they rely on the server to check fields or to run dry.
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
}))

const schemaName = (type: ResourceType, version: string): string =>
  `${type.group === '' ? 'io.k8s.api.core' : type.group.split('.').reverse().join('.')}.${version}.${type.kind}`

const metadataSchema = {
  type: 'object',
  description: 'Standard object metadata',
  properties: {
    name: { type: 'string' },
    namespace: { type: 'string' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    finalizers: { type: 'array', items: { type: 'string' } },
  },
}

const objectSchema = (type: ResourceType, version: string) => {
  const kind = { group: type.group, version, kind: type.kind }
  const own = type.openApi?.(version)
  const base = typeof own === 'object' && own !== null ? (own as { properties?: object }) : { type: 'object' }
  return {
    ...base,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      ...(base as { properties?: object }).properties,
      metadata: metadataSchema,
    },
    'x-kubernetes-group-version-kind': [kind],
  }
}

/** `/openapi/v3/api/v1` and the like: paths with their write parameters, and the schemas of custom resources in full. */
export const openApiDocument = (registry: Registry, path: string) => {
  const found = groupVersions(registry).find(({ group, version }) => pathOf(group, version) === path)
  if (found === undefined) return undefined
  const { group, version, types } = found
  const paths: Record<string, object> = {}
  const schemas: Record<string, object> = {}
  for (const type of types) {
    const name = schemaName(type, version)
    const kind = { group, version, kind: type.kind }
    const reference = { $ref: `#/components/schemas/${name}` }
    const answer = { responses: { 200: { description: 'OK', content: { 'application/json': { schema: reference } } } } }
    const operation = (action: string) => ({
      ...answer,
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': kind,
    })
    const collection = `/${path}/${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.plural}`
    paths[collection] = { get: operation('list'), post: { ...operation('post'), parameters: writeParameters } }
    paths[`${collection}/{name}`] = {
      get: operation('get'),
      put: { ...operation('put'), parameters: writeParameters },
      patch: {
        ...operation('patch'),
        parameters: [...writeParameters, { name: 'force', in: 'query', schema: { type: 'boolean' } }],
        requestBody: {
          content: { 'application/merge-patch+json': { schema: {} }, 'application/apply-patch+yaml': { schema: {} } },
        },
      },
      delete: operation('delete'),
    }
    schemas[name] = objectSchema(type, version)
  }
  return {
    openapi: '3.0.0',
    info: { title: 'kube-sim', version: apiVersionOf(group, version) },
    paths,
    components: { schemas },
  }
}
