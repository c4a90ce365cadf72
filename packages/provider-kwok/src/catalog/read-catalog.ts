import { labelKeys, Quantity, Requirement, Requirements, Resources } from '@scantling/core'
import type { InstanceType, Offering, Overhead, ResourceList } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { familyOf, kwokLabels, sizeOf } from './kwok-labels.ts'

/**
 * Reads a catalogue, as parsed from JSON, into instance types.
 *
 * Defaults are those of the reference (K-03, K-04): 110 pods, 100m of CPU and 10Mi of memory of overhead, labels of
 * `karpenter.kwok.sh` from the name. Every key that one type defines is `DoesNotExist` on the others, so that a demand
 * on it never matches a type by silence (P-ITO-01). Equal requirements are the same object throughout the list.
 *
 * Cost: O(types x (labels + offerings)), about 20 ms for 800 types.
 * Errors: every mistake in the file, each a sentence that starts with its path.
 */
export const readCatalog = (json: unknown): E.Either<ReadonlyArray<string>, ReadonlyArray<InstanceType>> => {
  if (!Array.isArray(json))
    return E.left([`Expected the catalogue to be a list of instance types, found ${show(json)}`])
  const reader = newReader()
  const entries: ReadonlyArray<unknown> = json
  const drafts = entries.flatMap((entry, index) => reader.readEntry(entry, `[${index}]`) ?? [])
  const names = new Map<string, string>()
  for (const { name, path } of drafts) {
    const first = names.get(name)
    if (first !== undefined) reader.errors.push(`${path}.name: Duplicate value: ${show(name)} is the name of ${first}`)
    names.set(name, path)
  }
  if (entries.length === 0) reader.errors.push('Expected at least one instance type, found an empty list')
  if (reader.errors.length > 0) return E.left(reader.errors)
  const keys = new Set(drafts.flatMap(({ labels }) => [...labels.keys()]))
  return E.right(
    drafts.map(({ name, labels, capacity, overhead, offerings }) => ({
      name,
      requirements: Requirements.of([...keys].map((key) => reader.requirement(key, labels.get(key) ?? []))),
      capacity,
      overhead,
      offerings,
    })),
  )
}

interface Draft {
  readonly path: string
  readonly name: string
  readonly labels: ReadonlyMap<string, ReadonlyArray<string>>
  readonly capacity: ResourceList
  readonly overhead: Overhead
  readonly offerings: ReadonlyArray<Offering>
}

const defaultPods = Resources.parse({ pods: '110' })
const defaultOverhead: Overhead = {
  kubeReserved: Resources.parse({ cpu: '100m', memory: '10Mi' }),
  systemReserved: Resources.empty,
  evictionThreshold: Resources.empty,
}

type Fields = Readonly<Record<string, unknown>>

// One reader per catalogue: it collects the errors and shares equal requirements.
const newReader = () => {
  const errors: Array<string> = []
  const shared = new Map<string, Requirement>()
  const sharedSets = new Map<string, Requirements>()

  const requirement = (key: string, values: ReadonlyArray<string>): Requirement => {
    const id = [key, ...values].join('\u0000')
    const present = shared.get(id)
    if (present !== undefined) return present
    const made = values.length === 0 ? Requirement.doesNotExist(key) : Requirement.isIn(key, values)
    shared.set(id, made)
    return made
  }

  const wrong = (path: string, value: unknown, expected: string): undefined => {
    errors.push(`${path}: Invalid value: ${show(value)}: expected ${expected}`)
    return undefined
  }
  const text = (value: unknown, path: string, expected: string): string | undefined =>
    typeof value === 'string' && value !== '' ? value : wrong(path, value, expected)
  const texts = (value: unknown, path: string, expected: string): ReadonlyArray<string> | undefined =>
    Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')
      ? value
      : wrong(path, value, expected)
  const resources = (value: unknown, path: string): ResourceList | undefined => {
    const decoded = Resources.decode(value, path)
    if (E.isRight(decoded)) return decoded.right
    errors.push(...decoded.left)
    return undefined
  }

  const readOffering = (input: unknown, path: string): Offering | undefined => {
    if (!isRecord(input)) return wrong(path, input, 'an offering with Price and Requirements')
    const price = field(input, 'Price')
    if (typeof price !== 'number' || !(price >= 0)) wrong(`${path}.Price`, price, 'a price per hour of at least 0')
    const list = field(input, 'Requirements')
    if (!Array.isArray(list)) return wrong(`${path}.Requirements`, list, 'a list of requirements')
    const members = (list as ReadonlyArray<unknown>).map((member, index) =>
      readMember(member, `${path}.Requirements[${index}]`),
    )
    const found = members.filter((member) => member !== undefined)
    for (const key of [labelKeys.zone, labelKeys.capacityType])
      if (found.length === members.length && !found.some((member) => member.key === key && member.values.length === 1))
        errors.push(`${path}.Requirements: Required value: one requirement ${key} In with a single value`)
    if (found.length < members.length || typeof price !== 'number') return undefined
    const id = found.map(({ key, values }) => [key, ...values].join('\u0000')).join('\u0001')
    const requirements = sharedSets.get(id) ?? Requirements.of(found.map(({ key, values }) => requirement(key, values)))
    sharedSets.set(id, requirements)
    return { requirements, pricePerHour: price }
  }
  const readMember = (input: unknown, path: string) => {
    if (!isRecord(input)) return wrong(path, input, 'a requirement with key, operator and values')
    const key = text(input['key'], `${path}.key`, 'a label key')
    const values = texts(input['values'], `${path}.values`, 'at least one label value')
    if (input['operator'] !== 'In') return wrong(`${path}.operator`, input['operator'], 'In')
    return key === undefined || values === undefined ? undefined : { key, values }
  }

  const readOverhead = (input: unknown, path: string): Overhead | undefined => {
    if (input === undefined) return defaultOverhead
    if (!isRecord(input)) return wrong(path, input, 'kubeReserved, systemReserved and evictionThreshold')
    const part = (name: string) =>
      input[name] === undefined ? Resources.empty : resources(input[name], `${path}.${name}`)
    const kubeReserved = part('kubeReserved')
    const systemReserved = part('systemReserved')
    const evictionThreshold = part('evictionThreshold')
    return kubeReserved && systemReserved && evictionThreshold && { kubeReserved, systemReserved, evictionThreshold }
  }

  const readLabels = (input: unknown, path: string): ReadonlyArray<readonly [string, string]> | undefined => {
    if (input === undefined) return []
    const entries = isRecord(input) ? Object.entries(input) : undefined
    return entries !== undefined && entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
      ? entries
      : wrong(path, input, 'an object of texts by label key')
  }

  const readEntry = (input: unknown, path: string): Draft | undefined => {
    if (!isRecord(input)) return wrong(path, input, 'an instance type')
    const name = text(input['name'], `${path}.name`, 'the name of the instance type')
    const architecture = text(input['architecture'], `${path}.architecture`, 'an architecture such as amd64 or arm64')
    const systems = texts(input['operatingSystems'], `${path}.operatingSystems`, 'operating systems such as linux')
    const stated = resources(input['resources'], `${path}.resources`)
    if (stated !== undefined)
      for (const resource of ['cpu', 'memory'])
        if (Quantity.compare(Resources.get(stated, resource), Quantity.zero) <= 0)
          errors.push(`${path}.resources[${resource}]: Required value: more than 0`)
    const list = input['offerings']
    const offerings: ReadonlyArray<unknown> | undefined = Array.isArray(list)
      ? list
      : wrong(`${path}.offerings`, list, 'a list of offerings')
    const read = offerings?.flatMap((offering, index) => readOffering(offering, `${path}.offerings[${index}]`) ?? [])
    const labels = readLabels(input['labels'], `${path}.labels`)
    const overhead = readOverhead(input['overhead'], `${path}.overhead`)
    if (!name || !architecture || !systems || !stated || !read || !labels || !overhead) return undefined
    const cpu = Resources.get(stated, 'cpu')
    const derived = kwokLabels({
      size: sizeOf(name, cpu),
      family: familyOf(name),
      cpu,
      memory: Resources.get(stated, 'memory'),
    })
    return {
      path,
      name,
      overhead,
      offerings: read,
      capacity: Object.hasOwn(stated, 'pods') ? stated : Resources.add(stated, defaultPods),
      labels: new Map<string, ReadonlyArray<string>>([
        [labelKeys.instanceType, [name]],
        [labelKeys.arch, [architecture]],
        [labelKeys.os, systems],
        ...[...Object.entries(derived), ...labels].map(([key, value]) => [key, [value]] as const),
      ]),
    }
  }

  return { errors, requirement, readEntry }
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// The reference's decoder ignores case, and catalogues in the wild write both.
const field = (input: Fields, name: string): unknown =>
  Object.hasOwn(input, name) ? input[name] : input[name.slice(0, 1).toLowerCase() + name.slice(1)]

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
