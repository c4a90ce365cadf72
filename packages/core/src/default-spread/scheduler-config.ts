import * as E from 'fp-ts/lib/Either.js'

import type { TopologySpreadConstraint } from '../cluster/index.ts'
import { Labels } from '../labels/index.ts'
import { renderFieldError, type FieldError } from '../schema/index.ts'

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads the scheduler configuration that a cluster's kube-scheduler is given, of which only the default spread
 * constraints count (P-CFG-03).
 *
 * Strict: a field that is not known is an error, as is every value that the scheduler would refuse, since a default that
 * is silently left out would spread nothing. `undefined` and `null` are the empty configuration.
 *
 * Errors: one sentence for each wrong field, with its path.
 *
 * @example
 * const zones = { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }
 * decodeSchedulerConfig({ podTopologySpread: { defaultConstraints: [zones] } })._tag // => 'Right'
 * decodeSchedulerConfig({ podTopologySpread: { defaultConstraint: [zones] } })._tag // => 'Left'
 */
export const decodeSchedulerConfig = (
  input: unknown,
): E.Either<ReadonlyArray<string>, ReadonlyArray<TopologySpreadConstraint>> => {
  const errors: Array<FieldError> = []
  const constraints = readConfig(input ?? {}, errors)
  return errors.length > 0 ? E.left(errors.map(renderFieldError)) : E.right(constraints)
}

const readConfig = (input: unknown, errors: Array<FieldError>): ReadonlyArray<TopologySpreadConstraint> => {
  const config = readFields(input, '', ['podTopologySpread'], errors)
  const spread = readFields(config['podTopologySpread'] ?? {}, 'podTopologySpread', ['defaultConstraints'], errors)
  const path = 'podTopologySpread.defaultConstraints'
  const list = spread['defaultConstraints'] ?? []
  if (!Array.isArray(list)) {
    errors.push(invalid(path, list, 'expected a list of topology spread constraints'))
    return []
  }
  const constraints = list.map((one: unknown, index) => readConstraint(one, `${path}[${index}]`, errors))
  const seen = new Set<string>()
  for (const [index, { topologyKey, whenUnsatisfiable }] of constraints.entries()) {
    const pair = `${topologyKey}, ${whenUnsatisfiable}`
    if (seen.has(pair)) {
      errors.push(
        invalid(`${path}[${index}]`, pair, 'the same topologyKey and whenUnsatisfiable occur twice; remove one'),
      )
    }
    seen.add(pair)
  }
  return constraints
}

const constraintFields = [
  'maxSkew',
  'topologyKey',
  'whenUnsatisfiable',
  'minDomains',
  'nodeAffinityPolicy',
  'nodeTaintsPolicy',
]
const deducedFields = ['labelSelector', 'matchLabelKeys']

const readConstraint = (input: unknown, path: string, errors: Array<FieldError>): TopologySpreadConstraint => {
  const fields = readFields(input, path, [...constraintFields, ...deducedFields], errors)
  for (const name of deducedFields)
    if (fields[name] !== undefined)
      errors.push(invalid(`${path}.${name}`, fields[name], 'the selector is deduced for each pod; remove the field'))
  const whole = (name: string): number | undefined => {
    const value = fields[name]
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    errors.push(invalid(`${path}.${name}`, value, 'expected a whole number above 0'))
    return undefined
  }
  const word = <const A extends string>(name: string, words: ReadonlyArray<A>): A | undefined => {
    const value = fields[name]
    if (value === undefined) return undefined
    const known = words.find((each) => each === value)
    if (known === undefined) errors.push(invalid(`${path}.${name}`, value, `expected ${words.join(' | ')}`))
    return known
  }
  for (const name of ['maxSkew', 'topologyKey', 'whenUnsatisfiable']) {
    if (fields[name] === undefined) errors.push({ path: `${path}.${name}`, kind: 'Required', reason: 'it must be set' })
  }
  const key = fields['topologyKey'] ?? ''
  const keyProblem = typeof key !== 'string' ? 'expected text' : key === '' ? undefined : Labels.problemWithKey(key)
  if (keyProblem !== undefined) errors.push(invalid(`${path}.topologyKey`, key, keyProblem))
  else if (fields['topologyKey'] === '') errors.push(invalid(`${path}.topologyKey`, '', 'expected a label key'))
  const minDomains = whole('minDomains')
  return {
    topologyKey: String(key),
    maxSkew: whole('maxSkew') ?? 1,
    whenUnsatisfiable: word('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway']) ?? 'DoNotSchedule',
    matchLabelKeys: [],
    ...(minDomains === undefined ? {} : { minDomains }),
    nodeAffinityPolicy: word('nodeAffinityPolicy', ['Honor', 'Ignore']) ?? 'Honor',
    nodeTaintsPolicy: word('nodeTaintsPolicy', ['Honor', 'Ignore']) ?? 'Ignore',
  }
}

const readFields = (input: unknown, path: string, known: ReadonlyArray<string>, errors: Array<FieldError>): Fields => {
  if (!isFields(input)) {
    errors.push(invalid(path || '(root)', input, `expected an object with ${known.join(', ')}`))
    return {}
  }
  for (const name of Object.keys(input))
    if (!known.includes(name))
      errors.push(
        invalid(path === '' ? name : `${path}.${name}`, input[name], `unknown field; known: ${known.join(', ')}`),
      )
  return input
}

const invalid = (path: string, value: unknown, reason: string): FieldError => ({ path, kind: 'Invalid', value, reason })
