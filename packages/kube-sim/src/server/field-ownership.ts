import type { KubeObject, ManagedFields, StatusCause } from '../face.ts'
import { applyConfiguration, type ListMerge, type ListSemantics } from '../patching/index.ts'
import { applyConflict, type Subject } from './failures.ts'
import { cloneJson, equalJson, isObject, type JsonObject } from './json.ts'

/*
 * Who owns which field, as server-side apply keeps it in `metadata.managedFields`.
 *
 * Ownership is kept from an object's first apply on: what it holds by then belongs to the manager `before-first-apply`,
 * as on a real server for objects from before there were managed fields.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */

/** The way to a field: `f:name` into an object, `k:{…}` or `v:…` into a list, `.` for an item itself. */
type FieldPath = ReadonlyArray<string>

/** Fields by the text of their path. */
type FieldSet = ReadonlyMap<string, FieldPath>

interface Owner {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time?: string
  readonly fields: FieldSet
}

const ownedOfMetadata: ReadonlySet<string> = new Set(['labels', 'annotations', 'ownerReferences', 'finalizers'])
const textOf = (path: FieldPath): string => path.join('\u0001')

/** The fields that a configuration, or a whole object, states: scalars, lists that are replaced whole, items of others. */
const fieldsOf = (object: JsonObject, lists: ListSemantics): FieldSet => {
  const fields = new Map<string, FieldPath>()
  const add = (path: FieldPath) => void fields.set(textOf(path), path)
  const visit = (value: unknown, names: ReadonlyArray<string>, path: FieldPath): void => {
    if (isObject(value)) {
      const keys = Object.keys(value)
      if (keys.length === 0) return add(path)
      for (const key of keys) visit(value[key], [...names, key], [...path, `f:${key}`])
      return
    }
    const merge = Array.isArray(value) && value.length > 0 ? lists(names) : undefined
    if (!Array.isArray(value) || merge === undefined || merge._tag === 'atomic') return add(path)
    for (const item of value as ReadonlyArray<unknown>) {
      const into = [...path, itemStep(item, merge)]
      if (merge._tag === 'set' || !isObject(item)) add(into)
      else {
        add([...into, '.'])
        for (const key of Object.keys(item)) visit(item[key], [...names, key], [...into, `f:${key}`])
      }
    }
  }
  for (const key of Object.keys(object)) {
    if (key === 'apiVersion' || key === 'kind' || key === 'status') continue
    const value = object[key]
    if (key !== 'metadata') visit(value, [key], [`f:${key}`])
    else if (isObject(value))
      for (const inner of Object.keys(value))
        if (ownedOfMetadata.has(inner)) visit(value[inner], [key, inner], [`f:${key}`, `f:${inner}`])
  }
  return fields
}

const itemStep = (item: unknown, merge: ListMerge): string => {
  if (merge._tag !== 'map' || !isObject(item)) return `v:${JSON.stringify(item)}`
  const keys = merge.keys.flatMap((key) => {
    const value = item[key] ?? merge.defaults?.[key]
    return value === undefined ? [] : [[key, value] as const]
  })
  return `k:${JSON.stringify(Object.fromEntries(keys))}`
}

const findItem = (list: ReadonlyArray<unknown>, step: string): number => {
  const wanted = JSON.parse(step.slice(2)) as unknown
  if (step.startsWith('v:')) return list.findIndex((item) => equalJson(item, wanted))
  return list.findIndex(
    (item) =>
      isObject(item) &&
      Object.entries(wanted as JsonObject).every(
        ([key, value]) => equalJson(item[key], value) || (item[key] === undefined && key === 'protocol'),
      ),
  )
}

const valueAt = (object: unknown, path: FieldPath): unknown => {
  let value = object
  for (const step of path) {
    if (step === '.') continue
    if (step.startsWith('f:')) value = isObject(value) ? value[step.slice(2)] : undefined
    else value = Array.isArray(value) ? (value as ReadonlyArray<unknown>)[findItem(value, step)] : undefined
  }
  return value
}

/** Takes a field out of an object under construction; what holds nothing then goes with it. */
const removeAt = (object: JsonObject, path: FieldPath): void => {
  const [step, ...rest] = path
  if (step === undefined) return
  if (step.startsWith('f:')) {
    const key = step.slice(2)
    const inner = object[key]
    if (rest.length === 0) delete object[key]
    else if (Array.isArray(inner)) removeItem(inner, rest)
    else if (isObject(inner)) removeAt(inner, rest)
    const left = object[key]
    if ((Array.isArray(left) && left.length === 0) || (isObject(left) && Object.keys(left).length === 0))
      delete object[key]
  }
}

const removeItem = (list: unknown[], [step = '', ...rest]: FieldPath): void => {
  const at = findItem(list, step)
  if (at < 0) return
  const item = list[at]
  if (rest.length === 0 || rest[0] === '.') list.splice(at, 1)
  else if (isObject(item)) removeAt(item, rest)
}

const ownersOf = (object: KubeObject, lists: ListSemantics): ReadonlyArray<Owner> => {
  const { managedFields } = object.metadata
  if (managedFields !== undefined)
    return managedFields.map(({ fieldsV1, fieldsType: _fieldsType, ...owner }) => ({
      ...owner,
      fields: parseFields(fieldsV1),
    }))
  const fields = fieldsOf(object as unknown as JsonObject, lists)
  return [{ manager: 'before-first-apply', operation: 'Update', apiVersion: object.apiVersion, fields }]
}

const parseFields = (form: JsonObject, path: FieldPath = []): FieldSet => {
  const fields = new Map<string, FieldPath>()
  for (const [step, inner] of Object.entries(form)) {
    const into = [...path, step]
    if (!isObject(inner) || Object.keys(inner).length === 0) fields.set(textOf(into), into)
    else for (const [text, each] of parseFields(inner, into)) fields.set(text, each)
  }
  return fields
}

const renderOwner = ({ fields, ...owner }: Owner): ManagedFields => {
  const form: JsonObject = {}
  for (const path of fields.values()) {
    let at = form
    for (const step of path) at = (at[step] ??= {}) as JsonObject
  }
  return { ...owner, fieldsType: 'FieldsV1', fieldsV1: form }
}

/** Paths as failures name them: `.spec.containers[name="main"].image`. */
const renderPath = (path: FieldPath): string =>
  path
    .filter((step) => step !== '.')
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`
      if (step.startsWith('v:')) return `[=${step.slice(2)}]`
      const keys = Object.entries(JSON.parse(step.slice(2)) as JsonObject)
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
    })
    .join('')

export interface Applying {
  readonly manager: string
  readonly force: boolean
  readonly time: string
  readonly apiVersion: string
}

/** `managedFields` of an object that an apply makes. */
export const ownedByCreation = (
  object: JsonObject,
  lists: ListSemantics,
  by: Applying,
): ReadonlyArray<ManagedFields> => [renderOwner(applierOf(by, fieldsOf(object, lists)))]

const applierOf = ({ manager, apiVersion, time }: Applying, fields: FieldSet): Owner => ({
  manager,
  operation: 'Apply',
  apiVersion,
  time,
  fields,
})

/**
 * An object with a configuration applied to it: what the configuration states is set, what it no longer states and
 * nobody else owns goes.
 *
 * Errors: 409 with a cause for each field that another manager owns with another value, unless forced.
 */
export const applyOwned = (
  live: KubeObject,
  configuration: JsonObject,
  lists: ListSemantics,
  subject: Subject,
  by: Applying,
): { readonly object: JsonObject; readonly managedFields: ReadonlyArray<ManagedFields> } => {
  const owners = ownersOf(live, lists)
  const isMine = (owner: Owner) => owner.manager === by.manager && owner.operation === 'Apply'
  const stated = fieldsOf(configuration, lists)
  const others = owners.filter((owner) => !isMine(owner))
  const contested = new Map<Owner, ReadonlyArray<FieldPath>>()
  for (const owner of others) {
    const paths = [...stated].flatMap(([text, path]) =>
      owner.fields.has(text) && path.at(-1) !== '.' && !equalJson(valueAt(live, path), valueAt(configuration, path))
        ? [path]
        : [],
    )
    if (paths.length > 0) contested.set(owner, paths)
  }
  const appliedBefore = by.manager === kubectlManager ? lastAppliedByClient(live, lists) : undefined
  const isYielded = [...contested.values()].flat().every((path) => appliedBefore?.has(textOf(path)) === true)
  if (!isYielded && !by.force) throw applyConflict(subject, causesOf(contested))
  const mine = owners.find(isMine)
  const merged = cloneJson(applyConfiguration(live, configuration, lists)) as JsonObject
  // Items before their fields would be found no more, so that what lies deepest goes first.
  const dropped = [...(mine?.fields ?? [])].filter(
    ([text]) => !stated.has(text) && !others.some(({ fields }) => fields.has(text)),
  )
  for (const [, path] of dropped.toSorted(([, one], [, other]) => other.length - one.length)) removeAt(merged, path)
  const left = others.flatMap((owner) => {
    const lost = new Set((contested.get(owner) ?? []).map(textOf))
    const fields = new Map([...owner.fields].filter(([text]) => !lost.has(text)))
    return fields.size === 0 ? [] : [{ ...owner, fields }]
  })
  const applier = applierOf(by, stated)
  // An apply that changes nothing is no change, not even of its time.
  const kept = mine !== undefined && isSame(mine.fields, stated) ? { ...mine, fields: stated } : applier
  return { object: merged, managedFields: [kept, ...left].map(renderOwner) }
}

const kubectlManager = 'kubectl'
const lastAppliedKey = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * The fields that kubectl applied by itself, before it left that to the server: it may take them over without a
 * conflict. Source: the page above, "Migration between client-side apply and server-side apply".
 */
const lastAppliedByClient = (live: KubeObject, lists: ListSemantics): FieldSet | undefined => {
  const text = live.metadata.annotations?.[lastAppliedKey]
  if (text === undefined) return undefined
  try {
    const applied = JSON.parse(text) as unknown
    return isObject(applied) ? fieldsOf(applied, lists) : undefined
  } catch {
    return undefined
  }
}

const isSame = (one: FieldSet, other: FieldSet): boolean =>
  one.size === other.size && [...one.keys()].every((text) => other.has(text))

const causesOf = (contested: ReadonlyMap<Owner, ReadonlyArray<FieldPath>>): ReadonlyArray<StatusCause> =>
  [...contested].flatMap(([{ manager, operation, apiVersion, time }, paths]) => {
    const name = JSON.stringify(manager)
    const when = time === undefined ? '' : ` at ${time}`
    const message = `conflict with ${operation === 'Apply' ? name : `${name} using ${apiVersion}${when}`}`
    return paths.map((path) => ({ reason: 'FieldManagerConflict', message, field: renderPath(path) }))
  })

/**
 * `managedFields` after an update: what it changed belongs to its manager, what it took away to nobody.
 *
 * Nothing is kept for objects that nobody has applied yet.
 */
export const ownedAfterUpdate = (
  before: KubeObject,
  after: JsonObject,
  lists: ListSemantics,
  by: Pick<Applying, 'manager' | 'time' | 'apiVersion'>,
): ReadonlyArray<ManagedFields> | undefined => {
  if (before.metadata.managedFields === undefined) return undefined
  const present = fieldsOf(after, lists)
  const changed = new Map(
    [...present].filter(([, path]) => !equalJson(valueAt(before, path), valueAt(after, path)) && path.at(-1) !== '.'),
  )
  const isMine = (owner: Owner) => owner.manager === by.manager && owner.operation === 'Update'
  const owners = ownersOf(before, lists)
  const left = owners.flatMap((owner) => {
    const fields = new Map(
      [...owner.fields].filter(([text]) => present.has(text) && (isMine(owner) || !changed.has(text))),
    )
    return fields.size === 0 || isMine(owner) ? [] : [{ ...owner, fields }]
  })
  const mine = owners.find(isMine)
  const kept = [...(mine?.fields ?? [])].filter(([text]) => present.has(text))
  const fields = new Map([...kept, ...changed])
  if (fields.size === 0) return left.map(renderOwner)
  const time = changed.size === 0 ? mine?.time : by.time
  const owner: Owner = {
    manager: by.manager,
    operation: 'Update',
    apiVersion: by.apiVersion,
    ...(time === undefined ? {} : { time }),
    fields,
  }
  return [...left, owner].map(renderOwner)
}
