import { duplicateValue, invalidValue, requiredValue, unsupportedValue, type FieldError } from '../server/failures.ts'
import { objectAt, objectsAt, stringAt, type JsonObject } from '../server/json.ts'
import { qualifiedName, subdomainName } from '../server/metadata.ts'
import { setDefault } from './workload-rules.ts'

const mostRules = 20
const mostExitCodes = 255
const longestManager = 63
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const operators = ['In', 'NotIn']
const statuses = ['False', 'True', 'Unknown']
const replacements = ['Failed', 'TerminatingOrFailed']

/** What the policies of a Job leave open. */
export const defaultPolicies = (spec: JsonObject): void => {
  const policy = objectAt(spec, 'podFailurePolicy')
  setDefault(spec, 'podReplacementPolicy', policy === undefined ? 'TerminatingOrFailed' : 'Failed')
  for (const rule of objectsAt(policy, 'rules')) {
    for (const pattern of objectsAt(rule, 'onPodConditions')) setDefault(pattern, 'status', 'True')
  }
}

/**
 * What a Job says of failures, of success, and of who runs it.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
export const validatePolicies = (spec: JsonObject): ReadonlyArray<FieldError> => [
  ...validateIndexLimits(spec),
  ...validateManager(spec['managedBy']),
  ...(spec['podFailurePolicy'] === undefined ? [] : validateFailurePolicy(spec)),
  ...(spec['successPolicy'] === undefined ? [] : validateSuccessPolicy(spec)),
  ...validateReplacement(spec),
]

const validateIndexLimits = (spec: JsonObject): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  const { backoffLimitPerIndex, maxFailedIndexes, completions } = spec
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    errors.push(requiredValue('spec.backoffLimitPerIndex', 'when maxFailedIndexes is specified'))
  }
  if (spec['completionMode'] === 'Indexed') {
    if (Number(maxFailedIndexes) > Number(completions)) {
      errors.push(invalidValue('spec.maxFailedIndexes', maxFailedIndexes, 'must be less than or equal to completions'))
    }
    return errors
  }
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
    const value = spec[field]
    if (value !== undefined) errors.push(invalidValue(`spec.${field}`, value, 'requires indexed completion mode'))
  }
  return errors
}

const validateManager = (manager: unknown): ReadonlyArray<FieldError> => {
  if (manager === undefined) return []
  const field = 'spec.managedBy'
  const [domain = '', ...path] = String(manager).split('/')
  const problem = subdomainName(domain)
  if (path.length === 0 || path.includes('') || problem !== undefined) {
    return [invalidValue(field, manager, problem ?? 'must be a domain-prefixed path (such as "acme.io/foo")')]
  }
  if (String(manager).length <= longestManager) return []
  return [{ field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${longestManager} bytes` }]
}

const validateReplacement = (spec: JsonObject): ReadonlyArray<FieldError> => {
  const given = spec['podReplacementPolicy']
  const supported = spec['podFailurePolicy'] === undefined ? replacements : ['Failed']
  return supported.includes(String(given)) ? [] : [unsupportedValue('spec.podReplacementPolicy', given, supported)]
}

const validateFailurePolicy = (spec: JsonObject): ReadonlyArray<FieldError> => {
  const field = 'spec.podFailurePolicy.rules'
  const rules = objectsAt(objectAt(spec, 'podFailurePolicy'), 'rules')
  const podSpec = objectAt(objectAt(spec, 'template'), 'spec')
  const restartPolicy = podSpec?.['restartPolicy']
  return [
    ...(rules.length > mostRules ? [tooMany(field, rules.length, mostRules)] : []),
    ...rules.flatMap((rule, index) => validateFailureRule(spec, rule, `${field}[${index}]`)),
    ...(restartPolicy === 'OnFailure'
      ? [
          invalidValue(
            'spec.template.spec.restartPolicy',
            restartPolicy,
            'only "Never" is supported when podFailurePolicy is specified',
          ),
        ]
      : []),
  ]
}

const validateFailureRule = (spec: JsonObject, rule: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const { action } = rule
  const errors: FieldError[] = []
  if (action === undefined || action === '') {
    errors.push(requiredValue(`${field}.action`, `valid values: ${listed(actions)}`))
  } else if (action === 'FailIndex') {
    if (spec['backoffLimitPerIndex'] === undefined) {
      errors.push(invalidValue(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'))
    }
  } else if (!actions.includes(String(action))) errors.push(unsupportedValue(`${field}.action`, action, actions))
  const exitCodes = objectAt(rule, 'onExitCodes')
  const conditions = objectsAt(rule, 'onPodConditions')
  if (exitCodes !== undefined) errors.push(...validateExitCodes(spec, exitCodes, `${field}.onExitCodes`))
  conditions.forEach((pattern, index) => {
    errors.push(...validatePattern(pattern, `${field}.onPodConditions[${index}]`))
  })
  if ((exitCodes === undefined) !== conditions.length > 0) {
    const detail =
      exitCodes === undefined
        ? 'one of OnExitCodes and OnPodConditions is required'
        : 'both OnExitCodes and OnPodConditions is not supported'
    errors.push({ field, reason: 'FieldValueInvalid', message: `Invalid value: specifying ${detail}` })
  }
  return errors
}

const validateExitCodes = (spec: JsonObject, exitCodes: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const { operator, containerName } = exitCodes
  const values = Array.isArray(exitCodes['values']) ? (exitCodes['values'] as ReadonlyArray<unknown>) : []
  const errors: FieldError[] = []
  if (operator === undefined || operator === '') {
    errors.push(requiredValue(`${field}.operator`, `valid values: ${listed(operators)}`))
  } else if (!operators.includes(String(operator))) {
    errors.push(unsupportedValue(`${field}.operator`, operator, operators))
  }
  const podSpec = objectAt(objectAt(spec, 'template'), 'spec')
  const containers = [...objectsAt(podSpec, 'containers'), ...objectsAt(podSpec, 'initContainers')]
  if (containerName !== undefined && !containers.some((each) => stringAt(each, 'name') === containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalidValue(`${field}.containerName`, containerName, detail))
  }
  if (values.length === 0) errors.push(invalidValue(`${field}.values`, values, 'at least one value is required'))
  if (values.length > mostExitCodes) errors.push(tooMany(`${field}.values`, values.length, mostExitCodes))
  values.forEach((value, index) => {
    const at = `${field}.values[${index}]`
    if (operator === 'In' && value === 0) errors.push(invalidValue(at, value, 'must not be 0 for the In operator'))
    if (values.indexOf(value) < index) errors.push(duplicateValue(at, value))
  })
  const isOrdered = values.every((value, index) => index === 0 || Number(values[index - 1]) <= Number(value))
  if (!isOrdered) errors.push(invalidValue(`${field}.values`, values, 'must be ordered'))
  return errors
}

const validatePattern = (pattern: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const { type, status } = pattern
  const problem = qualifiedName(String(type ?? ''))
  return [
    ...(problem === undefined ? [] : [invalidValue(`${field}.type`, type ?? '', problem)]),
    ...(statuses.includes(String(status)) ? [] : [unsupportedValue(`${field}.status`, status, statuses)]),
  ]
}

const validateSuccessPolicy = (spec: JsonObject): ReadonlyArray<FieldError> => {
  const field = 'spec.successPolicy'
  if (spec['completionMode'] !== 'Indexed') {
    return [invalidValue(field, spec['successPolicy'], 'requires indexed completion mode')]
  }
  const rules = objectsAt(objectAt(spec, 'successPolicy'), 'rules')
  if (rules.length === 0) {
    return [requiredValue(`${field}.rules`, 'at least one rules must be specified when the successPolicy is specified')]
  }
  const completions = Number(spec['completions'])
  return [
    ...(rules.length > mostRules ? [tooMany(`${field}.rules`, rules.length, mostRules)] : []),
    ...rules.flatMap((rule, index) => validateSuccessRule(rule, completions, `${field}.rules[${index}]`)),
  ]
}

const validateSuccessRule = (rule: JsonObject, completions: number, field: string): ReadonlyArray<FieldError> => {
  const { succeededIndexes, succeededCount } = rule
  if (succeededIndexes === undefined && succeededCount === undefined) {
    return [requiredValue(field, 'at least one of succeededCount or succeededIndexes must be specified')]
  }
  const errors: FieldError[] = []
  const total = succeededIndexes === undefined ? completions : countIndexes(String(succeededIndexes), completions)
  if (typeof total === 'string') {
    errors.push(invalidValue(`${field}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${total}`))
  }
  if (succeededCount === undefined) return errors
  const at = `${field}.succeededCount`
  const tooLarge = (most: number, what: string) =>
    invalidValue(at, succeededCount, `must be less than or equal to ${most} (the number of ${what})`)
  if (Number(succeededCount) < 0) errors.push(invalidValue(at, succeededCount, 'must be greater than or equal to 0'))
  if (Number(succeededCount) > completions) errors.push(tooLarge(completions, 'specified completions'))
  if (succeededIndexes !== undefined && typeof total === 'number' && Number(succeededCount) > total) {
    errors.push(tooLarge(total, 'indexes in the specified succeededIndexes field'))
  }
  return errors
}

/** How many indexes a list of intervals names, or what is wrong with it: it must rise and stay below the completions. */
const countIndexes = (text: string, completions: number): number | string => {
  let total = 0
  let last = -1
  for (const part of text === '' ? [] : text.split(',')) {
    const ends = part.split('-')
    if (ends.length > 2) {
      return `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`
    }
    for (const [position, end] of ends.entries()) {
      if (!/^\d+$/.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`
      const index = Number(end)
      if (index >= completions) return `too large index: ${JSON.stringify(end)}`
      if (index <= last) return `non-increasing order, previous: ${last}, current: ${index}`
      total += position === 0 ? 1 : index - last
      last = index
    }
  }
  return total
}

const tooMany = (field: string, count: number, most: number): FieldError => ({
  field,
  reason: 'FieldValueTooMany',
  message: `Too many: ${count}: must have at most ${most} items`,
})

const listed = (values: ReadonlyArray<string>) => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
