/**
 * A rule that a value must keep beyond its shape, as the API server evaluates it.
 *
 * `holds` states the same in the program's language, so that manifests can be checked without a server. Rules on
 * `oldSelf` compare with the stored object and have no `holds`.
 */
export interface Rule {
  /** CEL, evaluated by the API server. */
  readonly cel: string
  readonly message: string
  readonly holds?: (self: never) => boolean
  /** For rules of the form `self.all(x, …)`: on one item of a list or one key of a record, so that errors name it. */
  readonly each?: (item: never) => boolean
}

interface Described {
  readonly description?: string
  readonly rules?: ReadonlyArray<Rule>
  /** What to write, for the error about a missing value. */
  readonly remedy?: string
}

export interface StringNode extends Described {
  readonly type: 'string'
  /** What a right value is, for error messages: `a duration such as 30s`. */
  readonly expected?: string
  readonly pattern?: string
  readonly enum?: ReadonlyArray<string>
  readonly format?: 'date-time'
  readonly minLength?: number
  readonly maxLength?: number
  /** The empty text means the same as no text, as in Go's types. */
  readonly emptyIsAbsent?: true
  /** Replaces `pattern` while decoding, where a program can judge better or faster: what is wrong, or `undefined`. */
  readonly problem?: (text: string) => string | undefined
}

export interface NumberNode extends Described {
  readonly type: 'integer' | 'number'
  readonly format?: 'int32' | 'int64'
  readonly minimum?: number
  readonly maximum?: number
}

export interface BooleanNode extends Described {
  readonly type: 'boolean'
}

/** An amount, written as text or number and decoded to its canonical text. */
export interface QuantityNode extends Described {
  readonly type: 'quantity'
}

/** A count or a percentage, decoded to text. */
export interface IntOrStringNode extends Described {
  readonly type: 'int-or-string'
}

export interface ObjectNode extends Described {
  readonly type: 'object'
  readonly fields: ReadonlyArray<readonly [name: string, field: FieldNode]>
  /** Fields that are not named here are kept, and not reported as unknown. */
  readonly preservesUnknown?: true
  readonly mapType?: 'atomic' | 'granular'
}

export interface FieldNode {
  readonly node: Node
  readonly presence: 'required' | 'optional' | 'defaulted'
  /** As on the wire; defaults inside it are filled in, too. */
  readonly default?: unknown
  /** Of a default that decoding alone applies: what the API server makes of an absent field. */
  readonly onServer?: 'absent' | 'required'
}

export interface ArrayNode extends Described {
  readonly type: 'array'
  readonly items: Node
  readonly minItems?: number
  readonly maxItems?: number
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: ReadonlyArray<string>
}

/** Values of one shape under keys that users choose. */
export interface RecordNode extends Described {
  readonly type: 'record'
  readonly values: Node
  readonly maxProperties?: number
  readonly mapType?: 'atomic' | 'granular'
  /** Decoding keeps only these keys: what a snapshot need not hold, it must not hold. */
  readonly only?: ReadonlyArray<string>
}

/** Any JSON. */
export interface AnyNode extends Described {
  readonly type: 'any'
}

/** What a schema is, as data that interpreters walk: decoder, OpenAPI, documentation, arbitraries. */
export type Node =
  StringNode | NumberNode | BooleanNode | QuantityNode | IntOrStringNode | ObjectNode | ArrayNode | RecordNode | AnyNode
