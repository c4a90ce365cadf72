import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'

/** One thing wrong with an object, as Kubernetes reports it. */
export interface FieldError {
  /** `spec.template.spec.requirements[0].operator`; empty for the whole object. */
  readonly path: string
  readonly kind: 'Invalid' | 'Required'
  /** The value found, where the kind is `Invalid`. */
  readonly value?: unknown
  readonly reason: string
}

/** All that is wrong with an object, in the order of its fields. */
export type FieldErrors = ReadonlyNonEmptyArray<FieldError>

// A wrong value can be a whole manifest; an error names it, it does not repeat it.
const longestValue = 120

/**
 * One line in the form of the API server's errors.
 *
 * @example
 * renderFieldError({ path: 'spec.weight', kind: 'Invalid', value: 0, reason: 'expected 1..100' })
 * // => 'spec.weight: Invalid value: 0: expected 1..100'
 */
export const renderFieldError = ({ path, kind, value, reason }: FieldError): string => {
  const prefix = path === '' ? '' : `${path}: `
  if (kind === 'Required') return `${prefix}Required value${reason === '' ? '' : `: ${reason}`}`
  const text = JSON.stringify(value) ?? 'undefined'
  const shown = text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
  return `${prefix}Invalid value: ${shown}: ${reason}`
}

/**
 * The path of a field or an entry inside `parent`; keys that users chose stand in brackets.
 *
 * @example
 * joinPath('spec', 'weight') // => 'spec.weight'
 * joinPath('metadata.labels', '[example.com/rack]') // => 'metadata.labels[example.com/rack]'
 */
export const joinPath = (parent: string, child: string): string => {
  if (parent === '') return child
  return child === '' || child.startsWith('[') ? `${parent}${child}` : `${parent}.${child}`
}
