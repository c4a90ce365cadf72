import * as E from 'fp-ts/lib/Either.js'

import { Quantity } from '../quantity/index.ts'
import { Time } from '../time/index.ts'
import type { Schema } from './combinators.ts'
import { joinPath, type FieldError, type FieldErrors } from './field-error.ts'
import type { ArrayNode, FieldNode, Node, NumberNode, ObjectNode, RecordNode, Rule, StringNode } from './node.ts'

/** Turns unknown data into its typed form, or says all that is wrong with it. */
export type Decoder<A> = (input: unknown) => E.Either<FieldErrors, A>

// A step returns the decoded value and appends to `errors`, with paths relative to its own value: only failures pay
// for paths, so that 20,000 pods decode at the speed of copying them.
type Step = (input: unknown, errors: Array<FieldError>) => unknown

/**
 * The decoder of a schema.
 *
 * Absent fields get their defaults, `null` counts as absent, unknown fields are dropped, quantities become canonical.
 * All errors are found, not the first alone. Rules that have a `holds` are checked where the shape is right.
 *
 * Cost: compiled on first use; then one pass over the named fields. Errors: never throws.
 *
 * @example
 * const decode = decoderOf(s.object({ cpu: s.quantity(), zone: s.optional(s.string()) }))
 * decode({ cpu: 0.5 }) // => right({ cpu: '500m' })
 * const refused = decode({ cpu: '1.5Gii' })
 * refused._tag === 'Left' && refused.left.map(renderFieldError)
 * // => ['cpu: Invalid value: "1.5Gii": Cannot parse quantity "1.5Gii": unknown suffix "Gii"']
 */
export const decoderOf = <A>(schema: Schema<A>): Decoder<A> => {
  let step: Step | undefined
  return (input) => {
    step ??= compile(schema.node)
    const errors: Array<FieldError> = []
    const value = step(input, errors)
    const [first, ...rest] = errors
    return first === undefined ? E.right(value as A) : E.left([first, ...rest])
  }
}

const compile = (node: Node): Step => {
  const step = compileShape(node)
  const checked = (node.rules ?? []).filter(({ holds }) => holds !== undefined)
  return checked.length === 0 ? step : withRules(step, checked)
}

const compileShape = (node: Node): Step => {
  switch (node.type) {
    case 'string':
      return compileString(node)
    case 'integer':
    case 'number':
      return compileNumber(node)
    case 'boolean':
      return (input, errors) => (typeof input === 'boolean' ? input : invalid(errors, input, 'expected true or false'))
    case 'quantity':
      return decodeQuantity
    case 'int-or-string':
      return (input, errors) =>
        typeof input === 'string' || Number.isInteger(input)
          ? String(input)
          : invalid(errors, input, 'expected a whole number or a percentage such as "10%"')
    case 'object':
      return compileObject(node)
    case 'array':
      return compileArray(node)
    case 'record':
      return compileRecord(node)
    case 'any':
      return (input) => input
  }
}

const invalid = (errors: Array<FieldError>, value: unknown, reason: string): undefined => {
  errors.push({ path: '', kind: 'Invalid', value, reason })
  return undefined
}

// Errors from `from` on were found inside the child; give them its name.
const prefix = (errors: Array<FieldError>, from: number, child: string): void => {
  for (let index = from; index < errors.length; index += 1) {
    const error = errors[index]
    if (error !== undefined) errors[index] = { ...error, path: joinPath(child, error.path) }
  }
}

const withRules =
  (step: Step, rules: ReadonlyArray<Rule>): Step =>
  (input, errors) => {
    const before = errors.length
    const value = step(input, errors)
    // A rule may rely on the shape, so it is asked only where the shape is right.
    if (errors.length > before) return value
    for (const { holds, message } of rules) {
      if (holds?.(value as never) === false) errors.push({ path: '', kind: 'Invalid', value: input, reason: message })
    }
    return value
  }

// Rules on each item become part of the item's own step, so that one wrong item does not hide another.
const withEach = (step: Step, rules: ReadonlyArray<Rule> = []): Step => {
  const checked = rules.flatMap(({ each, ...rule }) => (each === undefined ? [] : [{ ...rule, holds: each }]))
  return checked.length === 0 ? step : withRules(step, checked)
}

const compileString = (node: StringNode): Step => {
  const { minLength = 0, maxLength = Infinity } = node
  const allowed = node.enum === undefined ? undefined : new Set(node.enum)
  const pattern = node.pattern === undefined || node.problem !== undefined ? undefined : new RegExp(node.pattern, 'u')
  const expected = node.expected ?? (node.pattern === undefined ? undefined : `text that matches ${node.pattern}`)
  const problemWith = (text: string): string | undefined => {
    if (allowed !== undefined && !allowed.has(text)) return `expected ${[...allowed].join(' | ')}`
    if (text.length < minLength)
      return minLength === 1 ? 'it must not be empty' : `expected at least ${minLength} characters`
    if (text.length > maxLength) return `expected at most ${maxLength} characters`
    if (node.problem !== undefined) return node.problem(text)
    if (pattern !== undefined && !pattern.test(text)) return `expected ${expected}`
    if (node.format === 'date-time' && E.isLeft(Time.parseInstant(text))) {
      return 'expected an instant such as 2026-01-31T12:00:00Z'
    }
    return undefined
  }
  const isFree =
    allowed === undefined &&
    minLength === 0 &&
    maxLength === Infinity &&
    node.problem === undefined &&
    pattern === undefined &&
    node.format === undefined &&
    node.emptyIsAbsent === undefined
  if (isFree) {
    return (input, errors) => (typeof input === 'string' ? input : invalid(errors, input, 'expected text'))
  }
  return (input, errors) => {
    if (typeof input !== 'string') {
      return invalid(
        errors,
        input,
        `expected ${allowed === undefined ? (expected ?? 'text') : [...allowed].join(' | ')}`,
      )
    }
    if (input === '' && node.emptyIsAbsent === true) return undefined
    const problem = problemWith(input)
    return problem === undefined ? input : invalid(errors, input, problem)
  }
}

const compileNumber = (node: NumberNode): Step => {
  const { minimum = -Infinity, maximum = Infinity } = node
  const noun = node.type === 'integer' ? 'a whole number' : 'a number'
  const isRight = node.type === 'integer' ? Number.isSafeInteger : Number.isFinite
  const range =
    Number.isFinite(minimum) && Number.isFinite(maximum)
      ? `${noun} within ${minimum}..${maximum}`
      : Number.isFinite(minimum)
        ? `${noun} of at least ${minimum}`
        : Number.isFinite(maximum)
          ? `${noun} of at most ${maximum}`
          : noun
  return (input, errors) =>
    typeof input === 'number' && isRight(input) && input >= minimum && input <= maximum
      ? input
      : invalid(errors, input, `expected ${range}`)
}

const decodeQuantity: Step = (input, errors) => {
  if (typeof input !== 'string' && typeof input !== 'number') {
    return invalid(errors, input, 'expected a quantity such as 500m or 1Gi')
  }
  const parsed = Quantity.parse(String(input))
  return E.isRight(parsed) ? parsed.right : invalid(errors, input, parsed.left)
}

const isRecord = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

const compileObject = (node: ObjectNode): Step => {
  const fields = node.fields.map(([name, field]) => ({ name, ...compileField(field) }))
  return (input, errors) => {
    if (!isRecord(input)) return invalid(errors, input, 'expected an object')
    const output: Record<string, unknown> = {}
    if (node.preservesUnknown === true) Object.assign(output, input)
    for (const { name, step, absent } of fields) {
      const value = Object.hasOwn(input, name) ? input[name] : undefined
      const before = errors.length
      const decoded = value === undefined || value === null ? absent(errors) : step(value, errors)
      if (decoded !== undefined) output[name] = decoded
      else if (node.preservesUnknown === true) delete output[name]
      if (errors.length > before) prefix(errors, before, name)
    }
    return output
  }
}

const compileField = (
  field: FieldNode,
): { readonly step: Step; readonly absent: (errors: Array<FieldError>) => unknown } => {
  const step = compile(field.node)
  switch (field.presence) {
    case 'optional':
      return { step, absent: () => undefined }
    case 'required':
      return {
        step,
        absent: (errors) => {
          errors.push({ path: '', kind: 'Required', reason: field.node.remedy ?? '' })
          return undefined
        },
      }
    case 'defaulted': {
      // Decoded once: readers may share it, since decoded forms are readonly.
      let value: unknown
      return { step, absent: (errors) => (value ??= step(field.default, errors)) }
    }
  }
}

const compileArray = (node: ArrayNode): Step => {
  const step = withEach(compile(node.items), node.rules)
  const { minItems = 0, maxItems = Infinity, listMapKeys } = node
  return (input, errors) => {
    if (!Array.isArray(input)) return invalid(errors, input, 'expected a list')
    if (input.length < minItems) return invalid(errors, input, `expected at least ${minItems} entries`)
    if (input.length > maxItems) return invalid(errors, input, `expected at most ${maxItems} entries`)
    const output: Array<unknown> = []
    for (let index = 0; index < input.length; index += 1) {
      const before = errors.length
      output.push(step(input[index], errors))
      if (errors.length > before) prefix(errors, before, `[${index}]`)
    }
    if (node.listType === 'set') reportRepeats(output, errors, (item) => JSON.stringify(item))
    if (listMapKeys !== undefined) {
      reportRepeats(output, errors, (item) =>
        isRecord(item) ? listMapKeys.map((key) => String(item[key])).join(',') : '',
      )
    }
    return output
  }
}

const reportRepeats = (
  items: ReadonlyArray<unknown>,
  errors: Array<FieldError>,
  keyOf: (item: unknown) => string,
): void => {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = keyOf(item)
    if (seen.has(key))
      errors.push({ path: `[${index}]`, kind: 'Invalid', value: item, reason: 'it must not occur twice' })
    seen.add(key)
  }
}

const compileRecord = (node: RecordNode): Step => {
  const step = compile(node.values)
  const only = node.only === undefined ? undefined : new Set(node.only)
  const { maxProperties = Infinity, rules: keyRules = [] } = node
  return (input, errors) => {
    if (!isRecord(input)) return invalid(errors, input, 'expected an object')
    const keys = Object.keys(input)
    if (keys.length > maxProperties) return invalid(errors, input, `expected at most ${maxProperties} entries`)
    // No prototype: `__proto__` and `constructor` are legal label keys.
    const output = Object.create(null) as Record<string, unknown>
    for (const key of keys) {
      if (only !== undefined && !only.has(key)) continue
      const before = errors.length
      for (const { each, message } of keyRules) {
        if (each?.(key as never) === false) errors.push({ path: '', kind: 'Invalid', value: key, reason: message })
      }
      const value = input[key]
      // The API server reads null under a user's key as the empty text; dropping the key says the same of amounts.
      if (value !== null) output[key] = step(value, errors)
      if (errors.length > before) prefix(errors, before, `[${key}]`)
    }
    return output
  }
}

/**
 * Paths of the fields in `input` that the schema does not know, such as misspelt ones.
 *
 * Decoding drops them silently; a tool that reads a user's manifest should say so.
 *
 * @example
 * unknownFieldsOf(s.object({ weight: s.integer() }), { weigth: 1 }) // => ['weigth']
 */
export const unknownFieldsOf = (schema: Schema<unknown>, input: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (node: Node, value: unknown, path: string): void => {
    if (node.type === 'array' && Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(node.items, item, `${path}[${index}]`)
    } else if (node.type === 'record' && isRecord(value)) {
      for (const key of Object.keys(value)) visit(node.values, value[key], `${path}[${key}]`)
    } else if (node.type === 'object' && isRecord(value)) {
      const fields = new Map(node.fields)
      for (const key of Object.keys(value)) {
        const field = fields.get(key)
        if (field !== undefined) visit(field.node, value[key], joinPath(path, key))
        else if (node.preservesUnknown !== true) found.push(joinPath(path, key))
      }
    }
  }
  visit(schema.node, input, '')
  return found
}
