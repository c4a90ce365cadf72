import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'

import { openApiOf, type OpenApiNode, type Schema } from '../schema/index.ts'

/** A kind that the cluster does not have by itself; the provider port's `NodeClassKind` has this shape. */
export interface CustomResource {
  readonly group: string
  readonly kind: string
  /** Default `Cluster`. */
  readonly scope?: 'Cluster' | 'Namespaced'
  readonly names: {
    readonly plural: string
    readonly short?: ReadonlyArray<string>
    readonly categories?: ReadonlyArray<string>
  }
  readonly columns?: ReadonlyArray<{
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly description?: string
    readonly wide?: true
  }>
  readonly scale?: { readonly specReplicasPath: string; readonly statusReplicasPath: string }
  /** The first is the stored one. */
  readonly versions: ReadonlyNonEmptyArray<{
    readonly name: string
    readonly schema: Schema<unknown>
    readonly deprecated?: string
    readonly served?: false
  }>
}

/**
 * The CustomResourceDefinition of a kind, as the object to be applied.
 *
 * All kinds have a status sub-resource. Versions that are not served are left out: they exist for conversion alone.
 *
 * @example
 * crdOf(nodePoolResource)['metadata'] // => { name: 'nodepools.karpenter.sh' }
 */
export const crdOf = (resource: CustomResource): OpenApiNode => {
  const { group, kind, scope = 'Cluster', names, versions } = resource
  const singular = kind.toLowerCase()
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}` },
    spec: {
      group,
      names: {
        ...(names.categories === undefined ? {} : { categories: names.categories }),
        kind,
        listKind: `${kind}List`,
        plural: names.plural,
        ...(names.short === undefined ? {} : { shortNames: names.short }),
        singular,
      },
      scope,
      versions: versions
        .filter(({ served }) => served !== false)
        .map(({ name, schema, deprecated }) => ({
          ...(resource.columns === undefined ? {} : { additionalPrinterColumns: resource.columns.map(renderColumn) }),
          ...(deprecated === undefined ? {} : { deprecated: true, deprecationWarning: deprecated }),
          name,
          schema: { openAPIV3Schema: rootOf(schema) },
          served: true,
          storage: name === versions[0].name,
          subresources: { ...(resource.scale === undefined ? {} : { scale: resource.scale }), status: {} },
        })),
    },
  }
}

const renderColumn = ({ wide, ...column }: NonNullable<CustomResource['columns']>[number]) => ({
  ...column,
  // Columns of a priority above 0 show in `kubectl get -o wide` only.
  ...(wide === undefined ? {} : { priority: 1 }),
})

// The server knows apiVersion, kind and metadata of every object by itself; a CRD only names them.
const rootOf = (schema: Schema<unknown>): OpenApiNode => {
  const {
    properties,
    required: named = [],
    ...root
  } = openApiOf(schema) as {
    readonly properties?: OpenApiNode
    readonly required?: ReadonlyArray<string>
  }
  const required = named.filter((name) => name !== 'apiVersion' && name !== 'kind' && name !== 'metadata')
  return {
    ...root,
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: 'Group and version of this form of the object.' },
      kind: { type: 'string', description: 'What the object is.' },
      metadata: { type: 'object' },
    },
    ...(required.length === 0 ? {} : { required }),
  }
}
