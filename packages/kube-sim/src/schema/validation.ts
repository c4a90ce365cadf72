import { RE2JS } from 're2js'
import { duplicateValue, invalidValue, requiredValue, unsupportedValue, type FieldError } from '../server/failures.ts'
import { equalJson, isObject, type JsonObject } from '../server/json.ts'
import { memberSchema, own, type SchemaNode } from './schema-node.ts'

const patterns = new Map<string, RE2JS>()

// RE2 as in the API server: no backtracking, so no pattern can hang the server.
const matchesPattern = (pattern: string, text: string): boolean => {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) patterns.set(pattern, (compiled = RE2JS.compile(pattern)))
  return compiled.matcher(text).find()
}

const typeName = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const hasType = (value: unknown, type: NonNullable<SchemaNode['type']>): boolean => {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value)
    default:
      return typeof value === type
  }
}

/**
 * Validates a value against a structural schema, in the API server's words.
 *
 * `previous` is the value before an update, where the two can be told to be the same thing: what did not change is not
 * held against the update (validation ratcheting, on by default since Kubernetes 1.33).
 */
export const validateValue = (
  value: unknown,
  schema: SchemaNode,
  path: string,
  previous?: unknown,
): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  validate(value, schema, path, previous, errors)
  return errors
}

const validate = (value: unknown, schema: SchemaNode, path: string, previous: unknown, errors: FieldError[]): void => {
  if (path !== '' && previous !== undefined && equalJson(value, previous)) return
  if (value === null && schema.nullable === true) return
  if (!validateType(value, schema, path, errors)) return
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equalJson(allowed, value))) {
    errors.push(unsupportedValue(path, value, schema.enum))
  }
  if (typeof value === 'string') validateString(value, schema, path, errors)
  else if (typeof value === 'number') validateNumber(value, schema, path, errors)
  else if (Array.isArray(value)) validateList(value, schema, path, previous, errors)
  else if (isObject(value)) validateObject(value, schema, path, previous, errors)
  validateJunctors(value, schema, path, errors)
}

const validateType = (value: unknown, schema: SchemaNode, path: string, errors: FieldError[]): boolean => {
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value === 'string' || hasType(value, 'integer')) return true
    errors.push(typeError(path, 'integer,string', value))
    return false
  }
  if (schema.type === undefined || hasType(value, schema.type)) return true
  errors.push(typeError(path, schema.type, value))
  return false
}

const typeError = (path: string, expected: string, value: unknown): FieldError => ({
  field: path,
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: ${JSON.stringify(typeName(value))}: ${inBody(path)} must be of type ${expected}: ${JSON.stringify(typeName(value))}`,
})

const inBody = (path: string): string => `${path} in body`

const validateString = (value: string, schema: SchemaNode, path: string, errors: FieldError[]): void => {
  const length = [...value].length
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    errors.push({
      field: path,
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${schema.maxLength} bytes`,
    })
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(invalidValue(path, value, `${inBody(path)} should be at least ${schema.minLength} chars long`))
  }
  if (schema.pattern !== undefined && !matchesPattern(schema.pattern, value)) {
    errors.push(invalidValue(path, value, `${inBody(path)} should match '${schema.pattern}'`))
  }
  if (schema.format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value)) {
    errors.push(invalidValue(path, value, `${inBody(path)} must be of type date-time: ${JSON.stringify(value)}`))
  }
}

const validateNumber = (value: number, schema: SchemaNode, path: string, errors: FieldError[]): void => {
  const { minimum, maximum, multipleOf } = schema
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    const bound = schema.exclusiveMinimum === true ? 'greater than' : 'greater than or equal to'
    errors.push(invalidValue(path, value, `${inBody(path)} should be ${bound} ${minimum}`))
  }
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    const bound = schema.exclusiveMaximum === true ? 'less than' : 'less than or equal to'
    errors.push(invalidValue(path, value, `${inBody(path)} should be ${bound} ${maximum}`))
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) {
    errors.push(invalidValue(path, value, `${inBody(path)} should be a multiple of ${multipleOf}`))
  }
  if (schema.format === 'int32' && (value < -(2 ** 31) || value >= 2 ** 31)) {
    errors.push(invalidValue(path, value, `${inBody(path)} must be of type int32: ${value}`))
  }
}

const tooMany = (path: string, count: number, limit: number): FieldError => ({
  field: path,
  reason: 'FieldValueTooMany',
  message: `Too many: ${count}: must have at most ${limit} items`,
})

const validateList = (
  value: ReadonlyArray<unknown>,
  schema: SchemaNode,
  path: string,
  previous: unknown,
  errors: FieldError[],
): void => {
  const { maxItems, minItems, items } = schema
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems))
  if (minItems !== undefined && value.length < minItems) {
    errors.push(invalidValue(path, value.length, `${inBody(path)} should have at least ${minItems} items`))
  }
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (listType === 'set' || schema.uniqueItems === true) {
    value.forEach((item, index) => {
      if (value.slice(0, index).some((earlier) => equalJson(earlier, item))) {
        errors.push(duplicateValue(`${path}[${index}]`, item))
      }
    })
  } else if (listType === 'map') {
    value.forEach((item, index) => {
      if (value.slice(0, index).some((earlier) => equalJson(keyOf(earlier, keys), keyOf(item, keys)))) {
        errors.push(duplicateValue(`${path}[${index}]`, keyOf(item, keys)))
      }
    })
  }
  if (items === undefined) return
  value.forEach((item, index) => {
    validate(item, items, `${path}[${index}]`, sameItemBefore(item, schema, previous), errors)
  })
}

const keyOf = (item: unknown, keys: ReadonlyArray<string>): unknown =>
  isObject(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item

/** The item of the previous list that `item` stands for: lists of type map go by their keys, others cannot tell. */
export const sameItemBefore = (item: unknown, schema: SchemaNode, previous: unknown): unknown => {
  if (!Array.isArray(previous) || schema['x-kubernetes-list-type'] !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return previous.find((earlier) => equalJson(keyOf(earlier, keys), keyOf(item, keys)))
}

const validateObject = (
  value: JsonObject,
  schema: SchemaNode,
  path: string,
  previous: unknown,
  errors: FieldError[],
): void => {
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) errors.push(requiredValue(path === '' ? key : `${path}.${key}`))
  }
  const count = Object.keys(value).length
  const { maxProperties, minProperties } = schema
  if (maxProperties !== undefined && count > maxProperties) errors.push(tooMany(path, count, maxProperties))
  if (minProperties !== undefined && count < minProperties) {
    errors.push(invalidValue(path, count, `${inBody(path)} should have at least ${minProperties} properties`))
  }
  const before = isObject(previous) ? previous : undefined
  for (const key of Object.keys(value)) {
    // Metadata has rules of its own, the same for every resource.
    if (path === '' && key === 'metadata') continue
    const member = memberSchema(schema, key)
    if (member !== undefined) {
      validate(value[key], member, path === '' ? key : `${path}.${key}`, own(before, key), errors)
    }
  }
}

const isValid = (value: unknown, schema: SchemaNode): boolean => {
  const errors: FieldError[] = []
  validate(value, schema, 'value', undefined, errors)
  return errors.length === 0
}

const validateJunctors = (value: unknown, schema: SchemaNode, path: string, errors: FieldError[]): void => {
  // An int-or-string carries an `anyOf` that says the same again.
  const { anyOf, oneOf, allOf, not } = schema
  if (anyOf !== undefined && !anyOf.some((each) => isValid(value, each))) {
    errors.push(invalidValue(path, value, `${inBody(path)} must validate at least one schema (anyOf)`))
  }
  if (oneOf !== undefined && oneOf.filter((each) => isValid(value, each)).length !== 1) {
    errors.push(invalidValue(path, value, `${inBody(path)} must validate one and only one schema (oneOf)`))
  }
  if (allOf !== undefined) for (const each of allOf) validate(value, each, path, undefined, errors)
  if (not !== undefined && isValid(value, not)) {
    errors.push(invalidValue(path, value, `${inBody(path)} must not validate the schema (not)`))
  }
}
