import { decoderOf, joinPath, Quantity, Time, unknownFieldsOf, type FieldError } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { ImageFamily } from '../node-class/index.ts'
import { kubeletSchema } from './kubelet-schema.ts'
import { managedKubeletFields, type KubeletFields } from './kubelet-settings.ts'

const decode = decoderOf(kubeletSchema)

const root = 'spec.kubelet'
const signals: ReadonlyArray<string> = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
]
const reservable: ReadonlyArray<string> = ['cpu', 'memory', 'ephemeral-storage', 'pid']

/**
 * Everything that is wrong with a kubelet configuration, whatever the image family (A-KUB-01…06).
 *
 * Unknown fields and wrong types, then what the types cannot say. Expressions are checked for being one elsewhere.
 */
export const kubeletProblems = (kubelet: KubeletFields = {}): ReadonlyArray<FieldError> => {
  const decoded = decode(kubelet)
  return [
    ...unknownFieldsOf(kubeletSchema, kubelet).map((path) =>
      invalid(path, path.split('.').at(-1), 'KubeletConfiguration has no such field'),
    ),
    ...(E.isLeft(decoded) ? decoded.left.map((error) => ({ ...error, path: joinPath(root, error.path) })) : []),
    ...ownedFields(kubelet),
    ...['evictionHard', 'evictionSoft', 'evictionMinimumReclaim'].flatMap((field) =>
      problemsWithSignals(kubelet, field, thresholdProblem),
    ),
    ...problemsWithSignals(kubelet, 'evictionSoftGracePeriod', graceProblem),
    ...unpairedSignals(kubelet, 'evictionSoft', 'evictionSoftGracePeriod'),
    ...unpairedSignals(kubelet, 'evictionSoftGracePeriod', 'evictionSoft'),
    ...['kubeReserved', 'systemReserved'].flatMap((field) => problemsWithReserved(kubelet, field)),
    ...problemsWithNumbers(kubelet),
  ]
}

const invalid = (path: string, value: unknown, reason: string): FieldError => ({
  path: joinPath(root, path),
  kind: 'Invalid',
  value,
  reason,
})

// The taints of the claim go here, so that nothing is scheduled before the node is ready.
const ownedFields = (kubelet: KubeletFields): ReadonlyArray<FieldError> =>
  Object.hasOwn(kubelet, 'registerWithTaints')
    ? [
        invalid(
          'registerWithTaints',
          kubelet['registerWithTaints'],
          'it is written at launch; name taints in the NodePool',
        ),
      ]
    : []

// Wrong types are reported with the schema, and count as absent here.
const entriesOf = (kubelet: KubeletFields, field: string): ReadonlyArray<readonly [key: string, value: string]> => {
  const value = kubelet[field]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const entries = Object.entries(value)
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
    : []
}

const problemsWithSignals = (
  kubelet: KubeletFields,
  field: string,
  problemWith: (value: string) => string | undefined,
): ReadonlyArray<FieldError> =>
  entriesOf(kubelet, field).flatMap(([key, value]) => {
    const problem = problemWith(value)
    return [
      ...(signals.includes(key) ? [] : [invalid(field, key, `expected an eviction signal: ${signals.join(' | ')}`)]),
      ...(problem === undefined ? [] : [invalid(`${field}[${key}]`, value, problem)]),
    ]
  })

const thresholdProblem = (value: string): string | undefined => {
  if (value.endsWith('%')) {
    const text = value.slice(0, -1)
    const percent = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
    return percent >= 0 && percent <= 100 ? undefined : 'expected a percentage from 0% to 100%, or a quantity'
  }
  const quantity = Quantity.parse(value)
  if (E.isLeft(quantity)) return 'expected a percentage from 0% to 100%, or a quantity'
  return Quantity.isNegative(quantity.right) ? 'expected a quantity that is not negative' : undefined
}

const graceProblem = (value: string): string | undefined => {
  const duration = Time.parseDuration(value)
  if (E.isLeft(duration)) return 'expected a duration such as 30s'
  return duration.right < 0 ? 'expected a duration that is not negative' : undefined
}

// A soft threshold without its time does nothing, and the kubelet refuses a time without its threshold.
const unpairedSignals = (kubelet: KubeletFields, field: string, other: string): ReadonlyArray<FieldError> => {
  const others = new Set(entriesOf(kubelet, other).map(([key]) => key))
  return entriesOf(kubelet, field)
    .filter(([key]) => !others.has(key))
    .map(([key, value]) => invalid(`${field}[${key}]`, value, `${other} must name the same signal`))
}

const problemsWithReserved = (kubelet: KubeletFields, field: string): ReadonlyArray<FieldError> =>
  entriesOf(kubelet, field).flatMap(([key, value]) => [
    ...(reservable.includes(key) ? [] : [invalid(field, key, `expected a resource: ${reservable.join(' | ')}`)]),
    ...(value.startsWith('-') ? [invalid(`${field}[${key}]`, value, 'expected a quantity that is not negative')] : []),
  ])

const integerOf = (kubelet: KubeletFields, field: string): number | undefined => {
  const value = kubelet[field]
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined
}

const problemsWithNumbers = (kubelet: KubeletFields): ReadonlyArray<FieldError> => {
  const problems: Array<FieldError> = []
  const high = integerOf(kubelet, 'imageGCHighThresholdPercent')
  const low = integerOf(kubelet, 'imageGCLowThresholdPercent')
  for (const field of ['imageGCHighThresholdPercent', 'imageGCLowThresholdPercent']) {
    const value = integerOf(kubelet, field)
    if (value !== undefined && (value < 0 || value > 100)) problems.push(invalid(field, value, 'expected 0 to 100'))
  }
  for (const field of ['podsPerCore', 'evictionMaxPodGracePeriod', 'maxPods']) {
    const value = integerOf(kubelet, field)
    if (value !== undefined && value < 0) problems.push(invalid(field, value, 'expected at least 0'))
  }
  if (high !== undefined && low !== undefined && high <= low)
    problems.push(
      invalid('imageGCHighThresholdPercent', high, `expected more than imageGCLowThresholdPercent, which is ${low}`),
    )
  return problems
}

/** What the image family cannot carry to its nodes (A-KUB-08). Custom images see to it themselves. */
export const unsupportedKubeletFields = (
  family: ImageFamily,
  kubelet: KubeletFields = {},
): ReadonlyArray<FieldError> => {
  if (family === 'Custom' || family === 'AL2023') return []
  const dns = kubelet['clusterDNS']
  return [
    ...Object.keys(kubelet)
      .filter((field) => !managedKubeletFields.has(field))
      .sort()
      .map((field) => invalid(field, kubelet[field], `images of ${family} do not take it; those of AL2023 do`)),
    ...(family === 'Bottlerocket' && kubelet['podsPerCore'] !== undefined
      ? [invalid('podsPerCore', kubelet['podsPerCore'], 'Bottlerocket has no such setting; name maxPods')]
      : []),
    ...(Array.isArray(dns) && dns.length > 1
      ? [invalid('clusterDNS', dns, `images of ${family} take one address; those of AL2023 take several`)]
      : []),
  ]
}
