import type { DeleteOptions, KubeObject, ObjectMeta } from '../face.ts'
import { kindSubject, type Core } from './core.ts'
import { conflict, forbidden } from './failures.ts'
import { timestamp } from './identity.ts'
import { objectAt, stringAt, type JsonObject } from './json.ts'
import type { ResourceType } from './registry.ts'
import { commitUpdate } from './writing.ts'

/** An object after its deletion was asked for: gone, or marked and waiting for something. */
export interface Deleted {
  readonly object: KubeObject
  readonly removed: boolean
}

const immortalNamespaces: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])
const defaultGracePeriodSeconds = 30

/**
 * Deletes, or marks for deletion: finalizers hold any object, a grace period holds a pod that runs on a node.
 *
 * Errors: 409 for a precondition that does not hold, 403 for a namespace that must not go.
 */
export const deleteObject = (
  core: Core,
  key: string,
  type: ResourceType,
  object: KubeObject,
  options: DeleteOptions,
): Deleted => {
  const subject = { group: type.group, kind: type.plural, name: object.metadata.name }
  const { uid, resourceVersion } = options.preconditions ?? {}
  if (uid !== undefined && uid !== object.metadata.uid) {
    throw conflict(
      subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
    throw conflict(
      subject,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${object.metadata.resourceVersion}`,
    )
  }
  if (key === 'namespaces' && immortalNamespaces.has(object.metadata.name)) {
    throw forbidden(
      kindSubject({ ...type, kind: type.plural }, object.metadata.name),
      'this namespace may not be deleted',
    )
  }
  if (options.dryRun === true) return { object, removed: false }
  if (options.propagationPolicy === 'Orphan') orphanDependents(core, object)
  const graceSeconds = type.graceful ? gracePeriodOf(object, options.gracePeriodSeconds) : 0
  const isForeground = options.propagationPolicy === 'Foreground'
  const held = graceSeconds > 0 || isForeground || (object.metadata.finalizers?.length ?? 0) > 0 || key === 'namespaces'
  if (!held) return { object: core.store.remove(key, object), removed: true }

  const marked = markDeleted(core, isForeground ? waitingForDependents(object) : object, graceSeconds)
  if (marked === object) return { object, removed: false }
  const next =
    key === 'namespaces' ? { ...marked, status: { ...objectAt(marked, 'status'), phase: 'Terminating' } } : marked
  return { object: core.store.put(key, next), removed: false }
}

const gracePeriodOf = (pod: KubeObject, asked: number | undefined): number => {
  const spec = objectAt(pod, 'spec')
  const phase = stringAt(objectAt(pod, 'status'), 'phase')
  if (!stringAt(spec, 'nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0
  if (asked !== undefined) return asked < 0 ? 1 : asked
  const own = spec?.['terminationGracePeriodSeconds']
  return typeof own === 'number' ? own : defaultGracePeriodSeconds
}

const foreground = 'foregroundDeletion'

const isWaitingForDependents = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(foreground) === true

const waitingForDependents = (object: KubeObject): KubeObject => {
  const { finalizers = [] } = object.metadata
  if (finalizers.includes(foreground)) return object
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, foreground] } }
}

// A second deletion can shorten the wait, never lengthen it.
const markDeleted = (core: Core, object: KubeObject, graceSeconds: number): KubeObject => {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation } = object.metadata
  const nowMs = core.clock.nowMs()
  let deletionMs = nowMs + graceSeconds * 1000
  if (deletionTimestamp !== undefined) {
    if (graceSeconds >= deletionGracePeriodSeconds) return object
    deletionMs = Date.parse(deletionTimestamp) - (deletionGracePeriodSeconds - graceSeconds) * 1000
  }
  const metadata: ObjectMeta = {
    ...object.metadata,
    ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
    deletionTimestamp: timestamp(deletionMs),
    deletionGracePeriodSeconds: graceSeconds,
  }
  return { ...object, metadata }
}

const withoutOwner = (object: KubeObject, gone: (uid: string) => boolean): KubeObject => {
  const { ownerReferences = [], ...metadata } = object.metadata
  const left = ownerReferences.filter(({ uid }) => !gone(uid))
  return { ...object, metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left } }
}

const orphanDependents = (core: Core, owner: KubeObject): void => {
  const { uid } = owner.metadata
  for (const { key, object } of core.store.dependents(uid))
    core.store.put(
      key,
      withoutOwner(object, (each) => each === uid),
    )
}

/**
 * Collects what nobody owns any more, in the background: a microtask after the commit that made it garbage.
 *
 * Dependents go when their last owner has gone (or never was); while another owner lives, only the reference goes.
 * Namespaces being deleted are emptied, then removed.
 */
export const startCollecting = (core: Core): void => {
  const uids = new Set<string>()
  // Owners whose deletion waits for their dependents.
  const waiting = new Set<string>()
  const namespaces = new Set<string>()
  let scheduled = false

  const collect = () => {
    scheduled = false
    for (const uid of uids) {
      uids.delete(uid)
      for (const { key, object } of core.store.dependents(uid)) collectDependent(core, key, object)
    }
    for (const uid of waiting) {
      waiting.delete(uid)
      deleteDependentsFirst(core, uid)
    }
    for (const name of namespaces) {
      namespaces.delete(name)
      emptyNamespace(core, name)
    }
  }
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    queueMicrotask(collect)
  }
  core.store.onCommit((key, { type, object }) => {
    const { uid, ownerReferences, namespace, deletionTimestamp, name } = object.metadata
    if (type === 'DELETED') {
      uids.add(uid)
      for (const owner of ownerReferences ?? []) waiting.add(owner.uid)
    } else if (isWaitingForDependents(object)) waiting.add(uid)
    else if (type === 'ADDED') {
      for (const owner of ownerReferences ?? []) if (core.store.byUid(owner.uid) === undefined) uids.add(owner.uid)
    }
    if (key === 'namespaces') {
      if (type !== 'DELETED' && deletionTimestamp !== undefined) namespaces.add(name)
    } else if (type === 'DELETED' && namespace !== undefined && isTerminating(core, namespace))
      namespaces.add(namespace)
    if (uids.size + waiting.size + namespaces.size > 0) schedule()
  })
}

/**
 * Foreground deletion: dependents go first, in the foreground themselves where they have dependents; the owner when none
 * that blocks it is left.
 *
 * Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion
 */
const deleteDependentsFirst = (core: Core, uid: string): void => {
  const found = core.store.byUid(uid)
  if (found === undefined || !isWaitingForDependents(found)) return
  for (const { key, object } of [...core.store.dependents(uid)]) {
    const type = core.registry.byKey(key)
    const isShared = (object.metadata.ownerReferences ?? []).some(
      (owner) => owner.uid !== uid && !isGoing(core, owner.uid),
    )
    if (type === undefined || object.metadata.deletionTimestamp !== undefined || isShared) continue
    const hasOwn = [...core.store.dependents(object.metadata.uid)].length > 0
    deleteObject(core, key, type, object, hasOwn ? { propagationPolicy: 'Foreground' } : {})
  }
  const isBlocked = [...core.store.dependents(uid)].some(({ object }) =>
    (object.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
  )
  const owner = core.store.byUid(uid)
  const served = owner === undefined ? undefined : core.registry.findKind(owner.apiVersion, owner.kind)
  if (isBlocked || owner === undefined || served === undefined) return
  const { finalizers = [], ...metadata } = owner.metadata
  const left = finalizers.filter((each) => each !== foreground)
  commitUpdate(core, served.key, served.type, owner, {
    ...owner,
    metadata: left.length === 0 ? metadata : { ...metadata, finalizers: left },
  })
}

const isGoing = (core: Core, uid: string): boolean => {
  const owner = core.store.byUid(uid)
  return owner === undefined || isWaitingForDependents(owner)
}

const collectDependent = (core: Core, key: string, object: KubeObject): void => {
  const type = core.registry.byKey(key)
  if (type === undefined) return
  const owners = object.metadata.ownerReferences ?? []
  if (owners.some(({ uid }) => core.store.byUid(uid) !== undefined)) {
    core.store.put(
      key,
      withoutOwner(object, (uid) => core.store.byUid(uid) === undefined),
    )
  } else if (object.metadata.deletionTimestamp === undefined) deleteObject(core, key, type, object, {})
}

const isTerminating = (core: Core, namespace: string): boolean =>
  core.store.collection('namespaces').get('', namespace)?.metadata.deletionTimestamp !== undefined

const emptyNamespace = (core: Core, name: string): void => {
  const namespace = core.store.collection('namespaces').get('', name)
  if (namespace === undefined) return
  let left = 0
  for (const type of core.registry.all()) {
    if (!type.namespaced) continue
    const key = type.group === '' ? type.plural : `${type.plural}.${type.group}`
    for (const object of [...core.store.collection(key).view.values(name)]) {
      if (object.metadata.deletionTimestamp !== undefined) left++
      else if (!deleteObject(core, key, type, object, {}).removed) left++
    }
  }
  if (left === 0 && (namespace.metadata.finalizers?.length ?? 0) === 0) core.store.remove('namespaces', namespace)
}

/** The shape of `metav1.DeleteOptions` as clients post it. */
export const parseDeleteOptions = (body: JsonObject | undefined): DeleteOptions => {
  const grace = body?.['gracePeriodSeconds']
  const policy = stringAt(body, 'propagationPolicy')
  const preconditions = objectAt(body, 'preconditions')
  const uid = stringAt(preconditions, 'uid')
  const resourceVersion = stringAt(preconditions, 'resourceVersion')
  const dryRun = body?.['dryRun']
  return {
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(policy === 'Background' || policy === 'Foreground' || policy === 'Orphan' ? { propagationPolicy: policy } : {}),
    ...(preconditions === undefined
      ? {}
      : {
          preconditions: {
            ...(uid === undefined ? {} : { uid }),
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          },
        }),
    ...(Array.isArray(dryRun) && dryRun.includes('All') ? { dryRun: true } : {}),
  }
}
