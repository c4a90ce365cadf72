import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import type { FieldError } from '../server/failures.ts'
import { isObject } from '../server/json.ts'
import { memberSchema, own, type SchemaNode, type ValidationRule } from './schema-node.ts'
import { sameItemBefore } from './validation.ts'

const expressions = new Map<string, RE2JS>()

const expression = (pattern: string): RE2JS => {
  let compiled = expressions.get(pattern)
  if (compiled === undefined) expressions.set(pattern, (compiled = RE2JS.compile(pattern)))
  return compiled
}

// The string functions that Kubernetes adds to CEL and that rules of CustomResourceDefinitions use.
const find = (text: string, pattern: string): string => {
  const matcher = expression(pattern).matcher(text)
  return matcher.find() ? (matcher.group() ?? '') : ''
}

const findAll = (text: string, pattern: string): ReadonlyArray<string> => {
  const matcher = expression(pattern).matcher(text)
  const found: string[] = []
  while (matcher.find()) found.push(matcher.group() ?? '')
  return found
}

const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')
  .registerFunction('string.find(string): string', find)
  .registerFunction('string.findAll(string): list<string>', findAll)

interface Program {
  readonly rule: ValidationRule
  readonly evaluate: ParseResult
  readonly message: ParseResult | undefined
  /** Rules about a transition run only where there is a value before. */
  readonly isTransition: boolean
}

const programs = new WeakMap<SchemaNode, ReadonlyArray<Program>>()

const programsOf = (schema: SchemaNode): ReadonlyArray<Program> => {
  const rules = schema['x-kubernetes-validations']
  if (rules === undefined || rules.length === 0) return []
  let compiled = programs.get(schema)
  if (compiled === undefined) {
    compiled = rules.map((rule) => ({
      rule,
      evaluate: environment.parse(rule.rule),
      message: rule.messageExpression === undefined ? undefined : environment.parse(rule.messageExpression),
      isTransition: /\boldSelf\b/.test(rule.rule),
    }))
    programs.set(schema, compiled)
  }
  return compiled
}

/** Compiles every rule of a schema, and says what is wrong with those that do not compile. */
export const compileRules = (schema: SchemaNode, path: string): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  for (const [index, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    for (const text of [rule.rule, rule.messageExpression]) {
      if (text === undefined) continue
      const problem = problemWith(text)
      if (problem !== undefined) {
        errors.push({
          field: `${path}.x-kubernetes-validations[${index}].rule`,
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${JSON.stringify(text)}: compilation failed: ${problem}`,
        })
      }
    }
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...compileRules(property, `${path}.properties[${key}]`))
  }
  if (schema.items !== undefined) errors.push(...compileRules(schema.items, `${path}.items`))
  if (typeof schema.additionalProperties === 'object') {
    errors.push(...compileRules(schema.additionalProperties, `${path}.additionalProperties`))
  }
  return errors
}

const problemWith = (text: string): string | undefined => {
  try {
    const checked = environment.parse(text).check()
    return checked.valid ? undefined : (checked.error?.message ?? 'unknown error')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Evaluates the CEL rules of a schema on a value and everything in it that can be reached by field path. */
export const evaluateRules = (
  value: unknown,
  schema: SchemaNode,
  path: string,
  previous?: unknown,
): ReadonlyArray<FieldError> => {
  if (!hasRules(schema)) return []
  const errors: FieldError[] = []
  evaluate(value, schema, path, previous, errors)
  return errors
}

const withRules = new WeakMap<SchemaNode, boolean>()

// Most sub-trees have no rules: they are not walked.
const hasRules = (schema: SchemaNode): boolean => {
  let known = withRules.get(schema)
  if (known === undefined) {
    known =
      (schema['x-kubernetes-validations']?.length ?? 0) > 0 ||
      Object.values(schema.properties ?? {}).some(hasRules) ||
      (schema.items !== undefined && hasRules(schema.items)) ||
      (typeof schema.additionalProperties === 'object' && hasRules(schema.additionalProperties))
    withRules.set(schema, known)
  }
  return known
}

// Where a member's field path goes on: `spec.limits[cpu]` for keys of a map, `spec.limits` for properties.
const memberPath = (schema: SchemaNode, path: string, key: string): string => {
  if (own(schema.properties, key) === undefined) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

const evaluate = (value: unknown, schema: SchemaNode, path: string, previous: unknown, errors: FieldError[]): void => {
  if (value === undefined || value === null) return
  const compiled = programsOf(schema)
  if (compiled.length > 0) {
    const self = toCel(value, schema, path === '')
    const oldSelf = previous === undefined ? undefined : toCel(previous, schema, path === '')
    for (const program of compiled) {
      if (program.isTransition && oldSelf === undefined) continue
      const error = runProgram(program, schema, path, oldSelf === undefined ? { self } : { self, oldSelf })
      if (error !== undefined) errors.push(error)
    }
  }
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined || !hasRules(items)) return
    value.forEach((item, index) => {
      evaluate(item, items, `${path}[${index}]`, sameItemBefore(item, schema, previous), errors)
    })
  } else if (isObject(value)) {
    const before = isObject(previous) ? previous : undefined
    for (const key of Object.keys(value)) {
      const member = memberSchema(schema, key)
      if (member === undefined || !hasRules(member)) continue
      evaluate(value[key], member, memberPath(schema, path, key), own(before, key), errors)
    }
  }
}

const runProgram = (
  { rule, evaluate: run, message }: Program,
  schema: SchemaNode,
  path: string,
  context: Readonly<Record<string, unknown>>,
): FieldError | undefined => {
  const fallback = rule.message ?? `failed rule: ${rule.rule}`
  const at = (detail: string): FieldError => ({
    field: rule.fieldPath === undefined ? path || '<nil>' : `${path}${rule.fieldPath}`.replace(/^\./, ''),
    reason: ruleReason(rule.reason),
    message: `${ruleReasonWord(rule.reason)}${rule.reason === 'FieldValueRequired' || rule.reason === 'FieldValueForbidden' ? '' : `: ${JSON.stringify(schema.type ?? 'object')}`}: ${detail}`,
  })
  try {
    if (run(context) === true) return undefined
  } catch (error) {
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    return at(`${problem.charAt(0).toLowerCase()}${problem.slice(1)} evaluating rule: ${fallback}`)
  }
  if (message === undefined) return at(fallback)
  try {
    const text: unknown = message(context)
    if (typeof text === 'string' && text.trim() !== '') return at(text)
  } catch {
    // As the API server does: a message that cannot be made gives way to the fixed one.
  }
  return at(fallback)
}

const ruleReason = (reason: string | undefined): FieldError['reason'] => {
  switch (reason) {
    case 'FieldValueRequired':
    case 'FieldValueForbidden':
    case 'FieldValueDuplicate':
      return reason
    default:
      return 'FieldValueInvalid'
  }
}

const ruleReasonWord = (reason: string | undefined): string => {
  switch (reason) {
    case 'FieldValueRequired':
      return 'Required value'
    case 'FieldValueForbidden':
      return 'Forbidden'
    case 'FieldValueDuplicate':
      return 'Duplicate value'
    default:
      return 'Invalid value'
  }
}

// Property names that are no CEL identifiers are escaped. Source: Kubernetes' documentation of validation rules.
const reservedNames: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

const celName = (name: string): string => {
  if (reservedNames.has(name)) return `__${name}__`
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}

/**
 * JSON as CEL sees it: integers as `int` where the schema says so, objects as maps (so that no user's key can collide with
 * a property of JavaScript objects). Of metadata, rules see only `name` and `generateName`.
 */
const toCel = (value: unknown, schema: SchemaNode | undefined, isRoot: boolean): unknown => {
  if (typeof value === 'number') {
    const isInteger = schema?.type === 'integer' || schema?.['x-kubernetes-int-or-string'] === true
    return Number.isInteger(value) && (isInteger || schema?.type === undefined) ? BigInt(value) : value
  }
  if (Array.isArray(value)) return value.map((item) => toCel(item, schema?.items, false))
  if (!isObject(value)) return value
  const map = new Map<string, unknown>()
  for (const [key, member] of Object.entries(value)) {
    if (isRoot && key === 'metadata') map.set(key, visibleMetadata(member))
    else {
      const property = own(schema?.properties, key)
      const name = property === undefined ? key : celName(key)
      map.set(name, toCel(member, property ?? (schema === undefined ? undefined : memberSchema(schema, key)), false))
    }
  }
  return map
}

const visibleMetadata = (metadata: unknown): ReadonlyMap<string, unknown> => {
  const visible = new Map<string, unknown>()
  if (!isObject(metadata)) return visible
  for (const key of ['name', 'generateName']) if (metadata[key] !== undefined) visible.set(key, metadata[key])
  return visible
}
