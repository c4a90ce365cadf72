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

export const string = (options: Options<StringNode> = {}): Schema<string> =>
  make('string', { type: 'string', ...options })

/** One of the listed texts. */
export const literals = <const L extends ReadonlyArray<string>>(
  values: L,
  options: Options<StringNode> = {},
): Schema<L[number]> => make(values.join(' | '), { type: 'string', enum: values, ...options })

/** A whole number. Wire integers beyond 2^53 do not occur in the fields that are read. */
export const integer = (options: Options<NumberNode> = {}): Schema<number> =>
  make('integer', { type: 'integer', ...options })

export const number = (options: Options<NumberNode> = {}): Schema<number> =>
  make('number', { type: 'number', ...options })

export const boolean = (options: Options<BooleanNode> = {}): Schema<boolean> =>
  make('boolean', { type: 'boolean', ...options })

export const quantity = (options: Options<QuantityNode> = {}): Schema<Quantity> =>
  make('quantity', { type: 'quantity', ...options })

/** A count (`5`) or a percentage (`"10%"`), decoded to text. */
export const intOrString = (options: Options<IntOrStringNode> = {}): Schema<string> =>
  make('integer or string', { type: 'int-or-string', ...options })

/** An RFC 3339 instant, kept as text. */
export const instant = (options: Options<StringNode> = {}): Schema<string> =>
  make('instant', { type: 'string', format: 'date-time', ...options })

export const any = (description?: string): Schema<unknown> =>
  make('any', { type: 'any', ...(description === undefined ? {} : { description }) })

export const array = <A>(items: Schema<A>, options: Options<ArrayNode> = {}): Schema<ReadonlyArray<A>> =>
  make(`${items.name}[]`, { type: 'array', items: items.node, ...options })

/** A record under keys that users choose; read it with `Object.hasOwn`. */
export const record = <A>(values: Schema<A>, options: Options<RecordNode> = {}): Schema<Readonly<Record<string, A>>> =>
  make(`${values.name} by key`, { type: 'record', values: values.node, ...options })

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

export const optional = <A>(schema: Schema<A>): Optional<A> => ({ presence: 'optional', schema })

/** A default that the API server fills in, too. It is given in wire form, and defaults inside it apply. */
export const defaulted = <A>(schema: Schema<A>, value: unknown): Defaulted<A> => ({
  presence: 'defaulted',
  schema,
  default: value,
})

/** A default of ours alone: what decoding makes of an absent field that the API server leaves absent. */
export const filledIn = <A>(schema: Schema<A>, value: unknown): Defaulted<A> => ({
  presence: 'defaulted',
  schema,
  default: value,
  onServer: 'absent',
})

/** A field that the API server requires, but that we can read without: files and old objects lack it. */
export const requiredOnServer = <A>(schema: Schema<A>, value: unknown): Defaulted<A> => ({
  presence: 'defaulted',
  schema,
  default: value,
  onServer: 'required',
})

/** The same schema under a name of its own, which errors and documentation use. */
export const named = <A>(name: string, schema: Schema<A>): Schema<A> => ({ ...schema, name })

/** The same schema with another description. */
export const describe = <A>(description: string, schema: Schema<A>): Schema<A> => ({
  ...schema,
  node: { ...schema.node, description },
})
