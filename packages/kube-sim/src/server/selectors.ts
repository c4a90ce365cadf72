import type { KubeObject } from '../face.ts'
import { badRequest } from './failures.ts'
import { valueAtPath } from './json.ts'

/** Whether an object matches; `undefined` in place of a predicate means that everything does. */
export type Predicate = (object: KubeObject) => boolean

interface LabelRequirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'
  readonly values: ReadonlySet<string>
}

// One requirement of the selector grammar; a set's commas are inside its parentheses.
const requirementPattern =
  /^\s*(?:!\s*([^\s,()=!<>]+)|([^\s,()=!<>]+)(?:\s*(==|=|!=|<|>)\s*([^\s,()=!<>]*)|\s+(in|notin)\s*\(([^()]*)\))?)\s*(?:,|$)/

/** Parses `app=web,tier in (a,b),!canary`. Errors: a 400 that quotes the selector. */
export const parseLabelSelector = (text: string): Predicate | undefined => {
  const requirements: LabelRequirement[] = []
  let rest = text
  while (rest.trim() !== '') {
    const match = requirementPattern.exec(rest)
    if (match === null) throw badRequest(`unable to parse requirement: found unexpected text in selector "${text}"`)
    rest = rest.slice(match[0].length)
    const [, absent, key, comparison, value, setOperator, set] = match
    if (absent !== undefined) requirements.push({ key: absent, operator: 'absent', values: new Set() })
    else if (key === undefined) continue
    else if (comparison !== undefined) {
      const operator = comparison === '!=' ? 'notin' : comparison === '>' ? 'gt' : comparison === '<' ? 'lt' : 'in'
      requirements.push({ key, operator, values: new Set([value ?? '']) })
    } else if (setOperator !== undefined) {
      const values = new Set((set ?? '').split(',').map((item) => item.trim()))
      requirements.push({ key, operator: setOperator === 'in' ? 'in' : 'notin', values })
    } else requirements.push({ key, operator: 'exists', values: new Set() })
  }
  if (requirements.length === 0) return undefined
  return (object) => requirements.every((requirement) => labelMatches(object.metadata.labels, requirement))
}

const labelMatches = (labels: Readonly<Record<string, string>> | undefined, requirement: LabelRequirement): boolean => {
  const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    case 'in':
      return value !== undefined && requirement.values.has(value)
    case 'notin':
      return value === undefined || !requirement.values.has(value)
    case 'gt':
    case 'lt': {
      const [bound] = requirement.values
      if (value === undefined || !/^-?\d+$/.test(value)) return false
      return requirement.operator === 'gt' ? Number(value) > Number(bound) : Number(value) < Number(bound)
    }
  }
}

/** A field selector, with the terms that an index can answer at hand. */
export interface FieldSelector {
  readonly matches: Predicate
  /** The value that `path` must equal, when the selector asks for exactly one. */
  readonly equals: (path: string) => string | undefined
}

/**
 * Parses `spec.nodeName=node-1,status.phase!=Failed`.
 *
 * Errors: a 400 for a path that is not one of `selectable`, as the API server refuses fields it has no index for.
 */
export const parseFieldSelector = (text: string, selectable: ReadonlySet<string>): FieldSelector | undefined => {
  const terms: { readonly path: string; readonly value: string; readonly equal: boolean }[] = []
  for (const term of text.split(',')) {
    if (term.trim() === '') continue
    const match = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(term)
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, path = '', operator, value = ''] = match
    if (!selectable.has(path)) throw badRequest(`field label not supported: ${path}`)
    terms.push({ path, value, equal: operator !== '!=' })
  }
  if (terms.length === 0) return undefined
  return {
    matches: (object) => terms.every(({ path, value, equal }) => (fieldText(object, path) === value) === equal),
    equals: (path) => terms.find((term) => term.equal && term.path === path)?.value,
  }
}

const fieldText = (object: KubeObject, path: string): string => {
  const value = valueAtPath(object, path)
  if (value === undefined || value === null) return path === 'spec.unschedulable' ? 'false' : ''
  return String(value)
}

/** A selector as objects carry it (`matchLabels`, `matchExpressions`), over a record of labels. */
export const matchesLabelSelector = (
  selector: unknown,
  labels: Readonly<Record<string, string>> | undefined,
): boolean => {
  const matchLabels = valueAtPath(selector, 'matchLabels')
  if (typeof matchLabels === 'object' && matchLabels !== null) {
    for (const [key, value] of Object.entries(matchLabels)) {
      if (labels === undefined || !Object.hasOwn(labels, key) || labels[key] !== value) return false
    }
  }
  const expressions = valueAtPath(selector, 'matchExpressions')
  if (!Array.isArray(expressions)) return true
  return expressions.every((expression: { key: string; operator: string; values?: string[] }) => {
    const operators = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: 'absent' } as const
    if (!Object.hasOwn(operators, expression.operator)) return false
    const operator = operators[expression.operator as keyof typeof operators]
    return labelMatches(labels, { key: expression.key, operator, values: new Set(expression.values ?? []) })
  })
}

/** The string form of an object's `matchLabels` / `matchExpressions`, as a Scale's `status.selector` has it. */
export const renderLabelSelector = (selector: unknown): string => {
  const parts: string[] = []
  const matchLabels = valueAtPath(selector, 'matchLabels')
  if (typeof matchLabels === 'object' && matchLabels !== null) {
    for (const [key, value] of Object.entries(matchLabels)) parts.push(`${key}=${String(value)}`)
  }
  const expressions = valueAtPath(selector, 'matchExpressions')
  if (Array.isArray(expressions)) {
    for (const { key, operator, values } of expressions as { key: string; operator: string; values?: string[] }[]) {
      if (operator === 'In') parts.push(`${key} in (${(values ?? []).join(',')})`)
      else if (operator === 'NotIn') parts.push(`${key} notin (${(values ?? []).join(',')})`)
      else if (operator === 'Exists') parts.push(key)
      else if (operator === 'DoesNotExist') parts.push(`!${key}`)
    }
  }
  return parts.sort().join(',')
}
