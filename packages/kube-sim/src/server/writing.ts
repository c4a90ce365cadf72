import type { KubeObject, ObjectMeta, PatchType, WriteOptions } from '../face.ts'
import { applyConfiguration, applyJsonPatch, applyMergePatch, applyStrategicPatch } from '../patching/index.ts'
import { accept, kindSubject, present, type Core, type Target } from './core.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  invalidValue,
  notFound,
  requiredValue,
  staleUpdate,
  unsupportedMediaType,
  type FieldError,
} from './failures.ts'
import { timestamp } from './identity.ts'
import { cloneJson, equalJson, isObject, objectAt, stringAt, type JsonObject } from './json.ts'
import { applyOwned, ownedAfterUpdate, ownedByCreation, type Applying } from './field-ownership.ts'
import { clientMeta, validateMeta } from './metadata.ts'
import type { ResourceType } from './registry.ts'

/** The object after a write, in the storage version, and whether the write made it. */
export interface Written {
  readonly object: KubeObject
  readonly created: boolean
}

export const getExisting = (core: Core, target: Target): KubeObject => {
  const object = core.store.collection(target.key).get(target.namespace, target.name ?? '')
  if (object === undefined) throw notFound(target.subject)
  return object
}

/** Errors: 404 for a namespace that does not exist, 403 for one that is being deleted. */
const requireNamespace = (core: Core, target: Target, name: string): void => {
  if (!target.type.namespaced) return
  if (target.allNamespaces || target.namespace === '') {
    throw badRequest('an empty namespace may not be set during creation')
  }
  const namespace = core.store.collection('namespaces').get('', target.namespace)
  if (namespace === undefined) throw notFound({ group: '', kind: 'namespaces', name: target.namespace })
  if (namespace.metadata.deletionTimestamp !== undefined) {
    const text = `unable to create new content in namespace ${target.namespace} because it is being terminated`
    throw forbidden({ ...target.subject, name }, text, [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${target.namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ])
  }
}

// Unknown fields are dropped either way; what differs is whether the client hears of it.
const reportUnknown = (unknown: ReadonlyArray<string>, options: WriteOptions): void => {
  if (unknown.length === 0) return
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`)
  if (options.fieldValidation === 'Strict') throw badRequest(`strict decoding error: ${texts.join(', ')}`)
  if (options.fieldValidation !== 'Ignore') for (const text of texts) options.onWarning?.(text)
}

const check = (type: ResourceType, object: KubeObject, errors: ReadonlyArray<FieldError>): void => {
  if (errors.length > 0) throw invalid(kindSubject(type, object.metadata.name), errors)
}

const bodyOf = (body: unknown): JsonObject => {
  if (!isObject(body)) throw badRequest('the body of the request is not an object')
  return body
}

// As the real API server since 1.30: a suffix that is taken is drawn again, a few times.
const generatedName = (core: Core, target: Target, prefix: string): string => {
  const { get } = core.store.collection(target.key)
  let name = `${prefix}${core.identity.suffix()}`
  for (let tries = 1; tries < 8 && get(target.namespace, name) !== undefined; tries += 1) {
    name = `${prefix}${core.identity.suffix()}`
  }
  return name
}

/** Errors: 409 AlreadyExists, 422 with the fields at fault, 404 for a missing namespace, 403 for one being deleted. */
export const createObject = (
  core: Core,
  target: Target,
  body: unknown,
  options: WriteOptions,
  isApplied = false,
): Written => {
  const { type } = target
  const draft = cloneJson(accept(target, bodyOf(body)))
  const given = objectAt(draft, 'metadata') ?? {}
  const generateName = stringAt(given, 'generateName')
  const name = stringAt(given, 'name') || target.name || (generateName ? generatedName(core, target, generateName) : '')
  requireNamespace(core, target, name)
  if (name === '') {
    throw invalid(kindSubject(type, ''), [requiredValue('metadata.name', 'name or generateName is required')])
  }
  if (stringAt(given, 'resourceVersion')) throw badRequest('resourceVersion should not be set on objects to be created')
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = draft
  const metadata: ObjectMeta = {
    name,
    ...(generateName ? { generateName } : {}),
    ...(type.namespaced ? { namespace: target.namespace } : {}),
    uid: core.identity.uid(),
    resourceVersion: '',
    ...(type.hasGeneration ? { generation: 1 } : {}),
    creationTimestamp: timestamp(core.clock.nowMs()),
    ...clientMeta(given),
    ...(isApplied
      ? { managedFields: ownedByCreation(bodyOf(body), type.lists, applyingOf(core, target, options)) }
      : {}),
  }
  const made = { apiVersion: draft['apiVersion'], kind: type.kind, metadata, ...content } as unknown as JsonObject
  if (type.hasStatus && !type.keepsStatusOnCreate) delete made['status']
  reportUnknown(type.admit(made, target.served.version, core.surroundings), options)
  type.initialize(made)
  const object = made as unknown as KubeObject
  check(type, object, [
    ...validateMeta(object, undefined, type.nameRule),
    ...type.validate(object, undefined, core.surroundings),
  ])
  if (core.store.collection(target.key).get(target.namespace, name) !== undefined) {
    throw alreadyExists({ ...target.subject, name })
  }
  return { object: options.dryRun === true ? object : core.store.put(target.key, object), created: true }
}

/** Errors: 404, 409 for a stale `resourceVersion` or another UID, 422 with the fields at fault. */
export const updateObject = (core: Core, target: Target, body: unknown, options: WriteOptions): Written => {
  const previous = getExisting(core, target)
  const incoming = accept(target, bodyOf(body))
  if (!stringAt(objectAt(incoming, 'metadata'), 'resourceVersion') && !target.type.unconditionalUpdate) {
    throw invalid(kindSubject(target.type, previous.metadata.name), [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  return { object: replaceObject(core, target, previous, incoming, options), created: false }
}

/**
 * Applies a patch to the newest state. A `metadata.resourceVersion` in the patch is a precondition.
 *
 * Errors: as an update; 415 for a strategic merge patch of a custom resource.
 */
export const patchObject = (
  core: Core,
  target: Target,
  patchType: PatchType,
  patch: unknown,
  options: WriteOptions,
): Written => {
  const previous = core.store.collection(target.key).get(target.namespace, target.name ?? '')
  if (previous === undefined) {
    if (patchType === 'apply' && target.subresource === undefined)
      return createObject(core, target, patch, options, true)
    throw notFound(target.subject)
  }
  if (patchType === 'apply' && target.subresource === undefined)
    return applyObject(core, target, previous, patch, options)
  const shown = present(target.served, previous)
  const patched = applyPatch(target.type, patchType, shown as unknown as JsonObject, patch)
  return { object: replaceObject(core, target, previous, accept(target, patched), options), created: false }
}

const applyingOf = (core: Core, target: Target, options: WriteOptions): Applying => ({
  manager: managerOf(options),
  force: options.force === true,
  time: timestamp(core.clock.nowMs()),
  apiVersion: target.served.apiVersion,
})

/** Without a name of its own a client goes by its program's. */
const managerOf = ({ fieldManager }: WriteOptions): string => fieldManager ?? 'unknown'

/** Server-side apply to an object that is there. */
const applyObject = (
  core: Core,
  target: Target,
  previous: KubeObject,
  patch: unknown,
  options: WriteOptions,
): Written => {
  const shown = present(target.served, previous)
  const subject = { ...target.subject, kind: target.type.plural }
  const { object, managedFields } = applyOwned(
    shown,
    bodyOf(patch),
    target.type.lists,
    subject,
    applyingOf(core, target, options),
  )
  const accepted = accept(target, object)
  return { object: replaceObject(core, target, previous, accepted, options, managedFields), created: false }
}

/** The patched form of `object`, which is not mutated; the two share what the patch left alone. */
export const applyPatch = (
  type: Pick<ResourceType, 'strategicPatch' | 'lists'>,
  patchType: PatchType,
  object: JsonObject,
  patch: unknown,
): JsonObject => {
  switch (patchType) {
    case 'json':
      return applyJsonPatch(object, patch)
    case 'merge':
      return bodyOf(applyMergePatch(object, bodyOf(patch)))
    case 'strategic':
      if (!type.strategicPatch) {
        throw unsupportedMediaType('application/strategic-merge-patch+json', [
          'application/json-patch+json',
          'application/merge-patch+json',
          'application/apply-patch+yaml',
        ])
      }
      return applyStrategicPatch(object, bodyOf(patch), type.lists)
    case 'apply':
      return bodyOf(applyConfiguration(object, bodyOf(patch), type.lists))
  }
}

/** Replaces `previous` by `incoming` (storage version; may share structure with stored objects). */
export const replaceObject = (
  core: Core,
  target: Target,
  previous: KubeObject,
  incoming: JsonObject,
  options: WriteOptions,
  managedFields?: KubeObject['metadata']['managedFields'],
): KubeObject => {
  const { type } = target
  const given = objectAt(incoming, 'metadata') ?? {}
  checkPreconditions(target, previous, given)
  const written =
    target.subresource === 'status'
      ? nextStatus(core, target, previous, incoming, options)
      : nextMain(core, target, previous, incoming, options)
  const owned =
    managedFields ??
    (target.subresource === 'status'
      ? undefined
      : ownedAfterUpdate(previous, written as unknown as JsonObject, type.lists, applyingOf(core, target, options)))
  const next = owned === undefined ? written : { ...written, metadata: { ...written.metadata, managedFields: owned } }
  if (equalJson(next, previous)) return previous
  if (options.dryRun === true) return next
  return commitUpdate(core, target.key, type, previous, next)
}

/** Stores a changed object, or removes it when it was only waiting for its last finalizer to go. */
export const commitUpdate = (
  core: Core,
  key: string,
  type: ResourceType,
  previous: KubeObject,
  next: KubeObject,
): KubeObject => {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = next.metadata
  const held = (finalizers?.length ?? 0) > 0 || (type.graceful && (deletionGracePeriodSeconds ?? 0) > 0)
  // A namespace also waits for its content; deletion.ts removes it.
  if (deletionTimestamp !== undefined && !held && key !== 'namespaces') return core.store.remove(key, previous, next)
  return core.store.put(key, next)
}

const checkPreconditions = (target: Target, previous: KubeObject, given: JsonObject): void => {
  const resourceVersion = stringAt(given, 'resourceVersion')
  if (resourceVersion && resourceVersion !== previous.metadata.resourceVersion) throw staleUpdate(target.subject)
  const uid = stringAt(given, 'uid')
  if (uid && uid !== previous.metadata.uid) {
    throw conflict(
      target.subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`,
    )
  }
}

const nextStatus = (
  core: Core,
  target: Target,
  previous: KubeObject,
  incoming: JsonObject,
  options: WriteOptions,
): KubeObject => {
  const { type } = target
  const status = incoming['status']
  const { status: _status, ...rest } = previous
  if (type.strategicPatch) {
    // Built-in types: controllers and kubelets write these; nothing but the status is looked at.
    const next: KubeObject = status === undefined ? rest : { ...rest, status: isolated(status, previous['status']) }
    return next
  }
  const next = cloneJson({ ...rest, ...(status === undefined ? {} : { status }) }) as unknown as JsonObject
  reportUnknown(type.admit(next, type.storageVersion, core.surroundings), options)
  const object = { ...next, metadata: previous.metadata } as unknown as KubeObject
  check(type, object, type.validate(object, previous, core.surroundings))
  return object
}

// A caller's own object must not become the store's; what a patch left as it was may.
const isolated = (value: unknown, known: unknown): unknown => (value === known ? known : cloneJson(value))

const nextMain = (
  core: Core,
  target: Target,
  previous: KubeObject,
  incoming: JsonObject,
  options: WriteOptions,
): KubeObject => {
  const { type } = target
  const { metadata: given, status: givenStatus, ...content } = incoming
  const next = cloneJson(content)
  next['apiVersion'] = previous.apiVersion
  next['kind'] = previous.kind
  if (!type.hasStatus && givenStatus !== undefined) next['status'] = cloneJson(givenStatus)
  const written = clientMeta(isObject(given) ? given : undefined)
  // Unchanged parts keep their identity, so that indexes and validation can tell cheaply.
  const before = clientMeta(previous.metadata as unknown as JsonObject)
  const kept = equalJson(written, before) ? before : cloneJson(written)
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...fixed } = previous.metadata
  const metadata: ObjectMeta = { ...fixed, ...kept }
  const withMeta = { apiVersion: previous.apiVersion, kind: previous.kind, metadata, ...next } as unknown as JsonObject
  reportUnknown(type.admit(withMeta, type.storageVersion, core.surroundings), options)
  if (type.hasStatus) {
    if (previous['status'] === undefined) delete withMeta['status']
    else withMeta['status'] = previous['status']
  }
  if (type.hasGeneration && desiredStateChanged(previous, withMeta)) {
    withMeta['metadata'] = { ...metadata, generation: (previous.metadata.generation ?? 0) + 1 }
  }
  type.renew(withMeta, previous)
  const object = withMeta as unknown as KubeObject
  check(type, object, [
    ...validateMeta(object, previous, type.nameRule),
    ...type.validate(object, previous, core.surroundings),
  ])
  return object
}

const desiredStateChanged = (previous: KubeObject, next: JsonObject): boolean => {
  const { metadata: _m1, status: _s1, ...before } = previous
  const { metadata: _m2, status: _s2, ...after } = next
  return !equalJson(before, after)
}
