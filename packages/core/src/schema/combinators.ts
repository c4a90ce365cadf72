import type { Quantity } from '../quantity/index.ts'
import type {
  ArrayNode,
  BooleanNode,
  FieldNode,
  IntOrStringNode,
  Node,
  NumberNode,
  ObjectNode,
  QuantityNode,
  RecordNode,
  StringNode,
} from './node.ts'

/**
 * One definition of a wire form, from which all its uses are derived: `decoderOf`, `codecOf`, `openApiOf`,
 * `documentationOf`, and arbitraries in `@scantling/core/testing`.
 *
 * `A` is the decoded form; it exists in types only.
 */
export interface Schema<A> {
  readonly name: string
  readonly node: Node
  /** Never present; carries the type. */
  readonly _A?: A
}

export type TypeOf<S> = S extends { readonly _A?: infer A } ? Exclude<A, undefined> : never

/** A field that may be absent. */
export interface Optional<A> {
  readonly presence: 'optional'
  readonly schema: Schema<A>
}

/** A field that may be absent on the wire and is filled in while decoding. */
export interface Defaulted<A> {
  readonly presence: 'defaulted'
  readonly schema: Schema<A>
  readonly default: unknown
  readonly onServer?: 'absent' | 'required'
}

export type Field = Schema<unknown> | Optional<unknown> | Defaulted<unknown>
export type Fields = Readonly<Record<string, Field>>

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F]
type FieldType<F> = F extends { readonly schema: Schema<infer A> } ? A : TypeOf<F>
type Flat<A> = A extends unknown ? { readonly [K in keyof A]: A[K] } : never

/** The decoded form of an object with these fields. */
export type ObjectOf<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: FieldType<F[K]> } & {
    readonly [K in OptionalKeys<F>]?: FieldType<F[K]>
  }
>

type Options<N extends Node> = Partial<Omit<N, 'type' | 'fields' | 'items' | 'values'>>

const make = <A>(name: string, node: Node): Schema<A> => ({ name, node })

/**
 * Text.
 *
 * @example
 * decoderOf(s.string())('a') // => right('a')
 */
export const string = (options: Options<StringNode> = {}): Schema<string> =>
  make('string', { type: 'string', ...options })

/**
 * One of the listed texts.
 *
 * @example
 * decoderOf(s.literals(['spot', 'on-demand']))('spot') // => right('spot')
 */
export const literals = <const L extends ReadonlyArray<string>>(
  values: L,
  options: Options<StringNode> = {},
): Schema<L[number]> => make(values.join(' | '), { type: 'string', enum: values, ...options })

/**
 * A whole number. Wire integers beyond 2^53 do not occur in the fields that are read.
 *
 * @example
 * decoderOf(s.integer({ minimum: 1 }))(0)._tag // => 'Left'
 */
export const integer = (options: Options<NumberNode> = {}): Schema<number> =>
  make('integer', { type: 'integer', ...options })

/**
 * A finite number.
 *
 * @example
 * decoderOf(s.number())(0.5) // => right(0.5)
 */
export const number = (options: Options<NumberNode> = {}): Schema<number> =>
  make('number', { type: 'number', ...options })

/**
 * `true` or `false`, and no text for them.
 *
 * @example
 * decoderOf(s.boolean())('true')._tag // => 'Left'
 */
export const boolean = (options: Options<BooleanNode> = {}): Schema<boolean> =>
  make('boolean', { type: 'boolean', ...options })

/**
 * An amount as Kubernetes writes it, decoded to its canonical text.
 *
 * @example
 * decoderOf(s.quantity())(0.5) // => right('500m')
 */
export const quantity = (options: Options<QuantityNode> = {}): Schema<Quantity> =>
  make('quantity', { type: 'quantity', ...options })

/**
 * A count (`5`) or a percentage (`"10%"`), decoded to text.
 *
 * @example
 * decoderOf(s.intOrString())(5) // => right('5')
 */
export const intOrString = (options: Options<IntOrStringNode> = {}): Schema<string> =>
  make('integer or string', { type: 'int-or-string', ...options })

/**
 * An RFC 3339 instant, kept as text.
 *
 * @example
 * decoderOf(s.instant())('2026-01-01T00:00:00Z') // => right('2026-01-01T00:00:00Z')
 * decoderOf(s.instant())('yesterday')._tag // => 'Left'
 */
export const instant = (options: Options<StringNode> = {}): Schema<string> =>
  make('instant', { type: 'string', format: 'date-time', ...options })

/**
 * Whatever JSON holds, undecoded.
 *
 * @example
 * decoderOf(s.object({ raw: s.any() }))({ raw: { deep: [1, 2] } }) // => right({ raw: { deep: [1, 2] } })
 */
export const any = (description?: string): Schema<unknown> =>
  make('any', { type: 'any', ...(description === undefined ? {} : { description }) })

/**
 * A list of one kind of entry.
 *
 * @example
 * decoderOf(s.array(s.integer()))([1, 2]) // => right([1, 2])
 */
export const array = <A>(items: Schema<A>, options: Options<ArrayNode> = {}): Schema<ReadonlyArray<A>> =>
  make(`${items.name}[]`, { type: 'array', items: items.node, ...options })

/**
 * A record under keys that users choose; read it with `Object.hasOwn`.
 *
 * @example
 * decoderOf(s.record(s.integer()))({ a: 1 }) // => right({ a: 1 })
 */
export const record = <A>(values: Schema<A>, options: Options<RecordNode> = {}): Schema<Readonly<Record<string, A>>> =>
  make(`${values.name} by key`, { type: 'record', values: values.node, ...options })

/**
 * An object with these fields; others are dropped while decoding.
 *
 * @example
 * const box = s.object({ rack: s.string(), size: s.optional(s.integer()) })
 * decoderOf(box)({ rack: 'a', colour: 'red' }) // => right({ rack: 'a' })
 */
export const object = <F extends Fields>(fields: F, options: Options<ObjectNode> = {}): Schema<ObjectOf<F>> =>
  make('object', { type: 'object', fields: Object.entries(fields).map(toFieldNode), ...options })

const toFieldNode = ([name, field]: readonly [string, Field]): readonly [string, FieldNode] => {
  if (!('presence' in field)) return [name, { node: field.node, presence: 'required' }]
  if (field.presence === 'optional') return [name, { node: field.schema.node, presence: 'optional' }]
  const { schema, default: value, onServer } = field
  return [
    name,
    { node: schema.node, presence: 'defaulted', default: value, ...(onServer === undefined ? {} : { onServer }) },
  ]
}

/**
 * A field that may be absent; `null` counts as absent.
 *
 * @example
 * decoderOf(s.object({ zone: s.optional(s.string()) }))({ zone: null }) // => right({})
 */
export const optional = <A>(schema: Schema<A>): Optional<A> => ({ presence: 'optional', schema })

/**
 * A default that the API server fills in, too. It is given in wire form, and defaults inside it apply.
 *
 * @example
 * decoderOf(s.object({ weight: s.defaulted(s.integer(), 1) }))({}) // => right({ weight: 1 })
 */
export const defaulted = <A>(schema: Schema<A>, value: unknown): Defaulted<A> => ({
  presence: 'defaulted',
  schema,
  default: value,
})

/**
 * A default of ours alone: what decoding makes of an absent field that the API server leaves absent.
 *
 * @example
 * decoderOf(s.object({ taints: s.filledIn(s.array(s.string()), []) }))({}) // => right({ taints: [] })
 */
export const filledIn = <A>(schema: Schema<A>, value: unknown): Defaulted<A> => ({
  presence: 'defaulted',
  schema,
  default: value,
  onServer: 'absent',
})

/**
 * A field that the API server requires, but that we can read without: files and old objects lack it.
 *
 * @example
 * const form = s.object({ replicas: s.requiredOnServer(s.integer(), 1) })
 * decoderOf(form)({}) // => right({ replicas: 1 })
 * openApiOf(form)['required'] // => ['replicas']
 */
export const requiredOnServer = <A>(schema: Schema<A>, value: unknown): Defaulted<A> => ({
  presence: 'defaulted',
  schema,
  default: value,
  onServer: 'required',
})

/**
 * The same schema under a name of its own, which errors and documentation use.
 *
 * @example
 * s.named('Rack', s.object({ size: s.integer() })).name // => 'Rack'
 */
export const named = <A>(name: string, schema: Schema<A>): Schema<A> => ({ ...schema, name })

/**
 * The same schema with another description.
 *
 * @example
 * s.describe('Where it stands.', s.string()).node.description // => 'Where it stands.'
 */
export const describe = <A>(description: string, schema: Schema<A>): Schema<A> => ({
  ...schema,
  node: { ...schema.node, description },
})
