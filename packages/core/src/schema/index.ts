import * as combinators from './combinators.ts'

/** The combinators with which wire forms are defined: `s.object({ name: s.string() })`. */
export const s = combinators

export { codecOf, fieldErrorsOf } from './codec.ts'
export type { Defaulted, Field, Fields, ObjectOf, Optional, Schema, TypeOf } from './combinators.ts'
export { decoderOf, unknownFieldsOf, type Decoder } from './decode.ts'
export { documentationOf, type FieldDocumentation } from './documentation.ts'
export { joinPath, renderFieldError, type FieldError, type FieldErrors } from './field-error.ts'
export type { FieldNode, Node as SchemaNode, Rule } from './node.ts'
export { openApiOf, type OpenApiNode } from './open-api.ts'
