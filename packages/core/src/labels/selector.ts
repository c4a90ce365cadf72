import * as E from 'fp-ts/lib/Either.js'

import { get, problemWithKey, problemWithValue, type Labels } from './syntax.ts'

/** A label selector as it stands in manifests. */
export interface LabelSelector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: ReadonlyArray<{
    readonly key: string
    readonly operator: string
    readonly values?: ReadonlyArray<string>
  }>
}

/** One condition of a selector, checked. `Gt` and `Lt` occur in the text form only. */
export interface SelectorTerm {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
  readonly values: ReadonlyArray<string>
}

/** A checked selector: nothing, or all objects that meet every term (all objects where there is no term). */
export type Selector =
  { readonly _tag: 'Nothing' } | { readonly _tag: 'Terms'; readonly terms: ReadonlyArray<SelectorTerm> }

export const selectNothing: Selector = { _tag: 'Nothing' }
export const selectEverything: Selector = { _tag: 'Terms', terms: [] }

/**
 * Checks a manifest's selector: an absent one selects nothing, an empty one everything (P-TOP-11).
 *
 * Errors: one sentence for each wrong term, without the path of the selector. The reference treats an invalid selector
 * as one that selects nothing; callers who want that fall back to `selectNothing`.
 *
 * @example
 * const checked = Labels.checkSelector({ matchLabels: { app: 'web' } })
 * checked._tag === 'Right' && Labels.matches(checked.right, { app: 'web', tier: 'front' }) // => true
 */
export const checkSelector = (selector: LabelSelector | undefined): E.Either<ReadonlyArray<string>, Selector> => {
  if (selector === undefined) return E.right(selectNothing)
  const terms: Array<SelectorTerm> = []
  const errors: Array<string> = []
  const add = (term: SelectorTerm, path: string) => {
    const problems = problemsWithTerm(term)
    if (problems.length === 0) terms.push(term)
    errors.push(...problems.map((problem) => `${path}: ${problem}`))
  }
  const labels = selector.matchLabels ?? {}
  for (const key of Object.keys(labels)) {
    add({ key, operator: 'In', values: [get(labels, key) ?? ''] }, `matchLabels[${key}]`)
  }
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const path = `matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn' || operator === 'Exists' || operator === 'DoesNotExist') {
      add({ key, operator, values }, path)
    } else {
      errors.push(
        `${path}.operator: Invalid value: ${JSON.stringify(operator)}: expected In | NotIn | Exists | DoesNotExist`,
      )
    }
  }
  return errors.length > 0 ? E.left(errors) : E.right({ _tag: 'Terms', terms })
}

/**
 * Whether an object with these labels is selected.
 *
 * @example
 * const selector = Labels.parseSelector('app in (web,api),!legacy')
 * selector._tag === 'Right' && Labels.matches(selector.right, { app: 'api' }) // => true
 * selector._tag === 'Right' && Labels.matches(selector.right, { app: 'api', legacy: 'yes' }) // => false
 */
export const matches = (selector: Selector, labels: Labels): boolean => {
  if (selector._tag === 'Nothing') return false
  for (const term of selector.terms) if (!meets(term, get(labels, term.key))) return false
  return true
}

const meets = ({ operator, values }: SelectorTerm, value: string | undefined): boolean => {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
      const bound = BigInt(values[0] ?? '0')
      return operator === 'Gt' ? BigInt(value) > bound : BigInt(value) < bound
    }
  }
}

const problemsWithTerm = ({ key, operator, values }: SelectorTerm): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const keyProblem = problemWithKey(key)
  if (keyProblem !== undefined) problems.push(`key ${JSON.stringify(key)} is not a label key: ${keyProblem}`)
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    problems.push(`operator ${operator} on ${JSON.stringify(key)} needs at least one value`)
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    problems.push(`operator ${operator} on ${JSON.stringify(key)} takes no values`)
  }
  for (const value of values) {
    const problem = problemWithValue(value)
    if (problem !== undefined) problems.push(`value ${JSON.stringify(value)} is not a label value: ${problem}`)
  }
  return problems
}

/**
 * Reads the text form of a selector, as in `kubectl get -l`: `a=b,c in (d,e),!f,g>1`.
 *
 * The empty text selects everything.
 * Errors: a sentence that names the text and what was expected where.
 *
 * @example
 * Labels.parseSelector('a=b,c in (d,e),!f')._tag // => 'Right'
 * Labels.parseSelector('a in (b')._tag // => 'Left'
 */
export const parseSelector = (text: string): E.Either<string, Selector> => {
  const fail = (reason: string) => E.left(`Cannot parse selector ${JSON.stringify(text)}: ${reason}`)
  const terms: Array<SelectorTerm> = []
  for (const part of splitOutsideParentheses(text)) {
    if (part.trim() === '' && text.trim() === '') continue
    const term = parseTerm(part.trim())
    if (term === undefined) return fail(`expected a term such as a=b, a in (b,c) or !a, found ${JSON.stringify(part)}`)
    const problem = problemsWithTerm(term)[0]
    if (problem !== undefined) return fail(problem)
    terms.push(term)
  }
  return E.right({ _tag: 'Terms', terms })
}

const parseTerm = (part: string): SelectorTerm | undefined => {
  const set = /^([^\s=!<>()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part)
  if (set !== null) {
    const [, key = '', word, list = ''] = set
    return { key, operator: word === 'in' ? 'In' : 'NotIn', values: list.split(',').map((value) => value.trim()) }
  }
  const comparison = /^([^\s=!<>()]+)\s*(==|=|!=|>|<)\s*([^\s=!<>()]*)$/.exec(part)
  if (comparison !== null) {
    const [, key = '', sign, value = ''] = comparison
    if (sign === '>' || sign === '<') {
      return /^[+-]?\d+$/.test(value) ? { key, operator: sign === '>' ? 'Gt' : 'Lt', values: [value] } : undefined
    }
    return { key, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] }
  }
  const presence = /^(!?)\s*([^\s=!<>()]+)$/.exec(part)
  if (presence === null) return undefined
  const [, negation, key = ''] = presence
  return { key, operator: negation === '!' ? 'DoesNotExist' : 'Exists', values: [] }
}

const splitOutsideParentheses = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
