import type { KubeObject } from '../face.ts'
import { atomicList, builtInListSemantics, type ListMerge, type ListSemantics } from '../patching/index.ts'
import {
  applyDefaults,
  compileRules,
  evaluateRules,
  memberSchema,
  pruneUnknown,
  validateValue,
  type SchemaNode,
} from '../schema/index.ts'
import { timestamp } from '../server/identity.ts'
import { invalidValue, requiredValue, type FieldError } from '../server/failures.ts'
import { isObject, listAt, objectAt, objectsAt, stringAt, type JsonObject } from '../server/json.ts'
import { subdomainName } from '../server/metadata.ts'
import type { Column, ResourceType, ScalePaths } from '../server/registry.ts'
import { ageColumn, column, nameColumn, renderAge, specOf } from './columns.ts'
import { define } from './define.ts'
import { parseJsonPath } from './json-path.ts'

const strings = (list: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  list.filter((item): item is string => typeof item === 'string')

const schemaOf = (version: JsonObject): SchemaNode =>
  (objectAt(objectAt(version, 'schema'), 'openAPIV3Schema') ?? {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }) as SchemaNode

/** CustomResourceDefinitions themselves. What they define is registered by whoever watches them. */
export const definitionType = (nowMs: () => number): ResourceType =>
  define('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    hasStatus: true,
    hasGeneration: true,
    admit: (definition) => {
      const names = objectAt(objectAt(definition, 'spec'), 'names')
      const kind = stringAt(names, 'kind')
      if (names !== undefined && kind !== undefined) {
        names['singular'] ??= kind.toLowerCase()
        names['listKind'] ??= `${kind}List`
      }
      return []
    },
    initialize: (definition) => {
      const spec = objectAt(definition, 'spec')
      const stored = objectsAt(spec, 'versions').find((version) => version['storage'] === true)
      const condition = (type: string, reason: string, message: string) => ({
        type,
        status: 'True',
        reason,
        message,
        lastTransitionTime: timestamp(nowMs()),
      })
      definition['status'] = {
        acceptedNames: { ...objectAt(spec, 'names') },
        conditions: [
          condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
          condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
        ],
        storedVersions: stored === undefined ? [] : [stored['name']],
      }
    },
    validate: validateDefinition,
    allColumns: [nameColumn, column('Created At', 'date', ({ metadata }) => metadata.creationTimestamp)],
  })

const validateDefinition = (definition: KubeObject): ReadonlyArray<FieldError> => {
  const spec = specOf(definition)
  const names = objectAt(spec, 'names')
  const errors: FieldError[] = []
  for (const [value, field] of [
    [stringAt(spec, 'group'), 'spec.group'],
    [stringAt(names, 'plural'), 'spec.names.plural'],
    [stringAt(names, 'kind'), 'spec.names.kind'],
    [stringAt(spec, 'scope'), 'spec.scope'],
  ] as const) {
    if (!value) errors.push(requiredValue(field))
  }
  const expected = `${stringAt(names, 'plural') ?? ''}.${stringAt(spec, 'group') ?? ''}`
  if (definition.metadata.name !== expected) {
    errors.push(invalidValue('metadata.name', definition.metadata.name, `must be spec.names.plural+"."+spec.group`))
  }
  const versions = objectsAt(spec, 'versions')
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    errors.push(
      invalidValue('spec.versions', versions.length, 'must have exactly one version marked as storage version'),
    )
  }
  versions.forEach((version, index) => {
    errors.push(...compileRules(schemaOf(version), `spec.versions[${index}].schema.openAPIV3Schema`))
  })
  return errors
}

/** The resource that a CustomResourceDefinition defines. */
export const customType = (definition: KubeObject): ResourceType => {
  const spec = specOf(definition)
  const names = objectAt(spec, 'names')
  const group = stringAt(spec, 'group') ?? ''
  const kind = stringAt(names, 'kind') ?? ''
  const versions = objectsAt(spec, 'versions').filter((version) => version['served'] === true)
  const stored = objectsAt(spec, 'versions').find((version) => version['storage'] === true) ?? {}
  const schemas = new Map(
    objectsAt(spec, 'versions').map((version) => [stringAt(version, 'name') ?? '', schemaOf(version)]),
  )
  const storedSchema = schemaOf(stored)
  const subresources = objectAt(stored, 'subresources')
  const scale = scalePaths(objectAt(subresources, 'scale'))
  return {
    group,
    storageGroup: group,
    plural: stringAt(names, 'plural') ?? '',
    singular: stringAt(names, 'singular') ?? kind.toLowerCase(),
    kind,
    shortNames: strings(listAt(names, 'shortNames')),
    categories: strings(listAt(names, 'categories')),
    namespaced: stringAt(spec, 'scope') === 'Namespaced',
    versions: versions.map((version) => stringAt(version, 'name') ?? ''),
    storageVersion: stringAt(stored, 'name') ?? '',
    hasStatus: objectAt(subresources, 'status') !== undefined,
    keepsStatusOnCreate: false,
    ...(scale === undefined ? {} : { scale }),
    hasGeneration: true,
    graceful: false,
    orphansDependents: false,
    unconditionalUpdate: false,
    selectableFields: new Set([
      'metadata.name',
      'metadata.namespace',
      ...objectsAt(stored, 'selectableFields').map((field) => (stringAt(field, 'jsonPath') ?? '').replace(/^\./, '')),
    ]),
    strategicPatch: false,
    lists: schemaLists(storedSchema),
    columns: printerColumns(stored),
    nameRule: subdomainName,
    renew: () => undefined,
    admit: (object, version) => {
      const schema = schemas.get(version) ?? storedSchema
      const dropped = pruneUnknown(object, schema)
      applyDefaults(object, schema)
      return dropped
    },
    initialize: () => undefined,
    validate: (object, previous) => {
      const errors = validateValue(object, storedSchema, '', previous)
      // Rules may assume what the schema promises.
      return errors.length > 0 ? errors : evaluateRules(object, storedSchema, '', previous)
    },
    openApi: (version) => schemas.get(version),
  }
}

const scalePaths = (scale: JsonObject | undefined): ScalePaths | undefined => {
  if (scale === undefined) return undefined
  const selector = stringAt(scale, 'labelSelectorPath')
  return {
    specReplicas: stringAt(scale, 'specReplicasPath') ?? '.spec.replicas',
    statusReplicas: stringAt(scale, 'statusReplicasPath') ?? '.status.replicas',
    ...(selector === undefined ? {} : { selector }),
  }
}

const printerColumns = (version: JsonObject): ReadonlyArray<Column> => {
  const declared = objectsAt(version, 'additionalPrinterColumns')
  if (declared.length === 0) return [nameColumn, ageColumn]
  return [
    nameColumn,
    ...declared.map((declaration): Column => {
      const type = stringAt(declaration, 'type') ?? 'string'
      const read = parseJsonPath(stringAt(declaration, 'jsonPath') ?? '')
      const { priority } = declaration
      return column(
        stringAt(declaration, 'name') ?? '',
        type,
        (object, nowMs) => {
          const value = read(object)
          if (type === 'date') return renderAge(value, nowMs)
          return value === undefined
            ? undefined
            : isObject(value) || Array.isArray(value)
              ? JSON.stringify(value)
              : value
        },
        typeof priority === 'number' ? { priority } : {},
      )
    }),
  ]
}

// List types as the schema declares them; metadata's are the same for every resource.
const schemaLists =
  (schema: SchemaNode): ListSemantics =>
  (path) => {
    if (path[0] === 'metadata') return builtInListSemantics(path)
    let node: SchemaNode | undefined = schema
    for (const key of path) {
      if (node?.type === 'array') node = node.items
      node = node === undefined ? undefined : memberSchema(node, key)
    }
    return node === undefined ? atomicList : listMerge(node)
  }

const listMerge = (schema: SchemaNode): ListMerge => {
  const [first, ...others] = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema['x-kubernetes-list-type'] === 'map' && first !== undefined)
    return { _tag: 'map', keys: [first, ...others] }
  return schema['x-kubernetes-list-type'] === 'set' ? { _tag: 'set' } : atomicList
}
