import { coreLabelKnowledge, labelKeys, Labels, type LabelKnowledge } from '../../labels/index.ts'
import { Quantity } from '../../quantity/index.ts'
import type { FieldError } from '../../schema/index.ts'
import type { NodePoolObject } from './node-pool.ts'
import { decodeNodePoolSettings } from './node-pool-settings.ts'

/** A requirement in any of its wire forms. */
export interface RequirementLike {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string>
  readonly minValues?: number
}

/**
 * What admission lets through and provisioning does not accept: the condition ValidationSucceeded (P-NPR-01).
 *
 * Empty where the pool is valid. Takes a provider's knowledge of labels, which admission lacks.
 *
 * @example
 * import { nodePoolObject } from '@scantling/core/testing'
 * nodePoolProblems(nodePoolObject('general')) // => []
 */
export const nodePoolProblems = (
  pool: NodePoolObject,
  knowledge: LabelKnowledge = coreLabelKnowledge,
): ReadonlyArray<FieldError> => {
  const { metadata, spec } = pool.spec.template
  const settings = decodeNodePoolSettings(pool.metadata.annotations)
  return [
    ...(settings._tag === 'Left' ? settings.left : []),
    ...labelProblems(metadata.labels, 'spec.template.metadata.labels', knowledge),
    ...taintProblems(spec, 'spec.template.spec'),
    ...spec.requirements.flatMap((requirement, index) => {
      const path = `spec.template.spec.requirements[${index}]`
      return requirement.key === labelKeys.nodePool
        ? [invalid(`${path}.key`, requirement.key, 'the pool’s own label is set by itself; remove the requirement')]
        : requirementProblems(requirement, path, knowledge)
    }),
    ...limitProblems(pool),
  ]
}

const invalid = (path: string, value: unknown, reason: string): FieldError => ({ path, kind: 'Invalid', value, reason })

const labelProblems = (labels: Labels, path: string, knowledge: LabelKnowledge): ReadonlyArray<FieldError> =>
  Object.keys(labels).flatMap((key) => {
    const value = Labels.get(labels, key) ?? ''
    const at = `${path}[${key}]`
    const keyProblem = Labels.problemWithKey(key)
    const valueProblem = Labels.problemWithValue(value)
    return [
      ...(key === labelKeys.nodePool ? [invalid(at, key, 'the pool’s own label is set by itself; remove it')] : []),
      ...(keyProblem === undefined ? [] : [invalid(at, key, keyProblem)]),
      ...(valueProblem === undefined ? [] : [invalid(at, value, valueProblem)]),
      ...(Labels.isRestricted(key, knowledge) ? [invalid(at, key, restrictedReason)] : []),
    ]
  })

const restrictedReason = 'the label is restricted: nodes get it from the controller or the provider, not from users'

interface TaintLists {
  readonly taints: ReadonlyArray<{ readonly key: string; readonly value?: string; readonly effect: string }>
  readonly startupTaints: TaintLists['taints']
}

/** One mark may occur once across both lists together (P-NPR-02). */
const taintProblems = ({ taints, startupTaints }: TaintLists, path: string): ReadonlyArray<FieldError> => {
  const seen = new Set<string>()
  const check = (field: string) => (taint: TaintLists['taints'][number], index: number) => {
    const at = `${path}.${field}[${index}]`
    const mark = `${taint.key}:${taint.effect}`
    const keyProblem = Labels.problemWithKey(taint.key)
    const valueProblem =
      taint.value === undefined || taint.value === '' ? undefined : Labels.problemWithKey(taint.value)
    const problems = [
      ...(keyProblem === undefined ? [] : [invalid(`${at}.key`, taint.key, keyProblem)]),
      ...(valueProblem === undefined ? [] : [invalid(`${at}.value`, taint.value, valueProblem)]),
      ...(seen.has(mark)
        ? [invalid(at, mark, 'the same key and effect occur twice among taints and startupTaints')]
        : []),
    ]
    seen.add(mark)
    return problems
  }
  return [...taints.flatMap(check('taints')), ...startupTaints.flatMap(check('startupTaints'))]
}

const operators = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Gte', 'Lte'])
const bounds = new Set(['Gt', 'Lt', 'Gte', 'Lte'])

/**
 * What is wrong with one requirement of a NodePool, a pod or an overlay (P-NPR-03, P-LBL-05).
 *
 * `path` is where it stands, for the errors.
 *
 * @example
 * requirementProblems({ key: 'karpenter.sh/made-up', operator: 'Exists' }, 'spec.requirements[0]').map(
 *   ({ path }) => path,
 * )
 * // => ['spec.requirements[0].key']
 */
export const requirementProblems = (
  requirement: RequirementLike,
  path: string,
  knowledge: LabelKnowledge = coreLabelKnowledge,
): ReadonlyArray<FieldError> => {
  const { operator, values = [], minValues } = requirement
  const key = Labels.normalizeKey(requirement.key, knowledge)
  const problems: Array<FieldError> = []
  const add = (field: string, value: unknown, reason: string) =>
    problems.push(invalid(`${path}.${field}`, value, reason))
  if (!operators.has(operator)) add('operator', operator, `expected ${[...operators].join(' | ')}`)
  if (Labels.isRestricted(key, knowledge)) add('key', requirement.key, restrictedReason)
  const keyProblem = Labels.problemWithKey(key)
  if (keyProblem !== undefined) add('key', requirement.key, keyProblem)
  const known = knowledge.knownValues.get(key)
  if (known !== undefined && operator === 'In' && values.length > 0) {
    const usable = values.filter((value) => known.has(value))
    const list = [...known].join(' | ')
    if (usable.length === 0) add('values', values, `none of them exists; expected ${list}`)
    else if (minValues !== undefined && usable.length < minValues) {
      add('values', values, `minValues asks for ${minValues} of ${list}, and ${usable.length} are named`)
    }
  }
  for (const [index, value] of values.entries()) {
    // Wildcards of instance types are written out against the catalogue when the NodePool is read.
    const literal = key === labelKeys.instanceType ? value.replaceAll('*', 'x') : value
    const problem = Labels.problemWithValue(literal)
    if (problem !== undefined) add(`values[${index}]`, value, problem)
  }
  if (operator === 'In' && values.length === 0) add('values', values, 'operator In needs at least one value')
  if (operator === 'In' && minValues !== undefined && values.length < minValues) {
    add('minValues', minValues, `operator In names ${values.length} values, fewer than minValues`)
  }
  if (bounds.has(operator) && (values.length !== 1 || !/^\+?\d+$/.test(values[0] ?? ''))) {
    add('values', values, `operator ${operator} needs exactly one whole number of at least 0`)
  }
  return problems
}

const limitProblems = ({ spec: { limits = {} } }: NodePoolObject): ReadonlyArray<FieldError> =>
  Object.keys(limits).flatMap((name) => {
    const limit = limits[name]
    return limit !== undefined && Quantity.isNegative(limit)
      ? [invalid(`spec.limits[${name}]`, limit, 'a limit must be at least 0; leave it out for no limit')]
      : []
  })
