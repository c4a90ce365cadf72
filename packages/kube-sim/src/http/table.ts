import type { KubeObject } from '../face.ts'
import type { ResourceType } from '../server/registry.ts'

/** In what form a client wants objects: as they are, as rows of a table, or only their metadata. */
export type Shape = 'object' | 'table' | 'metadata'

/** The first form in an Accept header that this server can answer; `undefined` when there is none. */
export const shapeOf = (accept: string | undefined): Shape | undefined => {
  if (accept === undefined || accept.trim() === '') return 'object'
  for (const entry of accept.split(',')) {
    const [media = '', ...parameters] = entry.split(';').map((part) => part.trim())
    if (media !== 'application/json' && media !== '*/*' && media !== 'application/*') continue
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3)
    if (as === undefined) return 'object'
    if (!parameters.includes('v=v1')) continue
    if (as === 'Table') return 'table'
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata'
  }
  return undefined
}

/** How much of the object each row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export const partialMetadata = (object: KubeObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
})

/** A `meta.k8s.io/v1` Table of `objects`. `withColumns` is false for all but the first event of a watch. */
export const tableOf = (
  type: ResourceType,
  objects: ReadonlyArray<KubeObject>,
  options: {
    readonly metadata: object
    readonly nowMs: number
    readonly include: IncludeObject
    readonly withColumns: boolean
  },
) => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: options.metadata,
  columnDefinitions: options.withColumns
    ? type.columns.map(({ name, type: valueType, format = '', description = '', priority = 0 }) => ({
        name,
        type: valueType,
        format,
        description,
        priority,
      }))
    : null,
  rows: objects.map((object) => ({
    cells: type.columns.map((column) => column.cell(object, options.nowMs) ?? null),
    ...(options.include === 'None' ? {} : { object: options.include === 'Object' ? object : partialMetadata(object) }),
  })),
})
