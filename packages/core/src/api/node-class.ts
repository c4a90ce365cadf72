import { s, type Field, type Fields, type Schema } from '../schema/index.ts'
import { clusterMetadata } from './kube/index.ts'
import { conditionsSchema, durationSchema } from './v1/index.ts'

/** Names for the shapes that most settings have; a trailing `?` makes the field optional. */
export type FieldShorthand = keyof typeof shorthands | `${keyof typeof shorthands}?`

const shorthands = {
  string: s.string(),
  integer: s.integer(),
  number: s.number(),
  boolean: s.boolean(),
  quantity: s.quantity(),
  duration: durationSchema('A duration such as 30s or 10m.'),
  strings: s.array(s.string()),
  labels: s.record(s.string()),
}

/** The parts of a NodeClass that differ between kinds. */
export interface NodeClassOptions {
  readonly description?: string
  readonly specDescription?: string
  /** Fields of the status beside `conditions`. Absent: any. */
  readonly status?: Fields
  /** What the API server fills in for an absent status, where a class is ready without a controller's saying so. */
  readonly statusDefault?: unknown
  /** Rules that span fields of the spec. */
  readonly specRules?: NonNullable<Schema<unknown>['node']['rules']>
  /** Whether `spec` may be left out. */
  readonly isSpecOptional?: true
  /** The server replaces the conditions as a whole instead of merging them by type. */
  readonly hasPlainConditions?: true
}

/**
 * The schema of a NodeClass: object metadata, the given spec, a status with conditions.
 *
 * `C` is the decoded form that the author wrote down; the fields must describe it, which the compiler cannot check for
 * shorthands.
 *
 * @example
 * interface BoxClass {
 *   readonly spec: { readonly rack: string; readonly size?: number }
 * }
 * const schema = nodeClassSchema<BoxClass>('BoxClass', { rack: 'string', size: 'integer?' })
 * unknownFieldsOf(schema, { metadata: { name: 'a' }, spec: { rack: 'a', colour: 'red' } }) // => ['spec.colour']
 */
export const nodeClassSchema = <C>(
  kind: string,
  fields: Readonly<Record<string, FieldShorthand | Field>>,
  options: NodeClassOptions = {},
): Schema<C> => {
  const { status } = options
  const spec = s.object(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldOf(field)])), {
    ...(options.specDescription === undefined ? {} : { description: options.specDescription }),
    ...(options.specRules === undefined ? {} : { rules: options.specRules }),
  })
  const conditions = s.filledIn(
    conditionsSchema({ isRelaxed: false, ...(options.hasPlainConditions === true ? { isPlainList: true } : {}) }),
    [],
  )
  const statusSchema = s.object(
    { ...status, conditions },
    { description: 'What the class resolves to.', ...(status === undefined ? { preservesUnknown: true } : {}) },
  )
  const schema = s.object(
    {
      // On every object that a server sends, but no CRD says so.
      apiVersion: s.filledIn(s.string(), ''),
      kind: s.filledIn(s.literals([kind]), kind),
      metadata: clusterMetadata,
      spec: options.isSpecOptional === true ? s.filledIn(spec, {}) : spec,
      status:
        options.statusDefault === undefined
          ? s.filledIn(statusSchema, {})
          : s.defaulted(statusSchema, options.statusDefault),
    },
    { ...(options.description === undefined ? {} : { description: options.description }) },
  )
  return s.named(kind, schema) as Schema<unknown> as Schema<C>
}

const fieldOf = (field: FieldShorthand | Field): Field => {
  if (typeof field !== 'string') return field
  const isOptional = field.endsWith('?')
  const schema = shorthands[(isOptional ? field.slice(0, -1) : field) as keyof typeof shorthands] as Schema<unknown>
  return isOptional ? s.optional(schema) : schema
}
