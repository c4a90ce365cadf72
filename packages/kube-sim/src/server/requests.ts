import type {
  DeleteOptions,
  KubeObject,
  ListOptions,
  PatchType,
  ResourceRef,
  WatchOptions,
  WriteOptions,
} from '../face.ts'
import { present, resolve, type Core, type Target } from './core.ts'
import { deleteObject, type Deleted } from './deletion.ts'
import { badRequest, methodNotAllowed, unknownResource } from './failures.ts'
import { isObject } from './json.ts'
import { bindPod, evictPod } from './pod-subresources.ts'
import type { ResourceType } from './registry.ts'
import { createLister, selectorOf, type Page } from './reading.ts'
import { scaleOf, scalePathsOf, updateScale } from './scaling.ts'
import { startWatch, type WatchSink } from './watching.ts'
import { createObject, getExisting, patchObject, updateObject, type Written } from './writing.ts'

/**
 * The request pipeline that both faces share: synchronous, without interceptors, on objects of the requested version.
 *
 * Errors: every method throws the `StatusError` that the API server would answer.
 */
export interface Requests {
  readonly get: (ref: ResourceRef) => KubeObject
  readonly list: (ref: ResourceRef, options: ListOptions) => Page
  readonly create: (ref: ResourceRef, body: unknown, options: WriteOptions) => Written
  readonly update: (ref: ResourceRef, body: unknown, options: WriteOptions) => Written
  readonly patch: (ref: ResourceRef, type: PatchType, patch: unknown, options: WriteOptions) => Written
  readonly delete: (ref: ResourceRef, options: DeleteOptions) => Deleted
  readonly deleteCollection: (ref: ResourceRef, selection: ListOptions, options: DeleteOptions) => Page
  readonly watch: (ref: ResourceRef, options: WatchOptions, sink: WatchSink) => () => void
  readonly target: (ref: ResourceRef) => Target
  readonly expireTokens: () => void
}

export const createRequests = (core: Core): Requests => {
  const lister = createLister(core)
  const shown = (target: Target, { object, created }: Written): Written => ({
    object: target.subresource === 'scale' ? object : present(target.served, object),
    created,
  })
  const addressed = (ref: ResourceRef): Target => {
    const target = resolve(core, ref)
    if (target.name === undefined) throw methodNotAllowed(target.subject)
    checkSubresource(target)
    return target
  }
  return {
    target: (ref) => resolve(core, ref),
    expireTokens: lister.expireTokens,
    get: (ref) => {
      const target = addressed(ref)
      if (target.subresource === 'binding' || target.subresource === 'eviction') throw methodNotAllowed(target.subject)
      const object = getExisting(core, target)
      return target.subresource === 'scale' ? scaleOf(object, scalePathsOf(target)) : present(target.served, object)
    },
    list: (ref, options) => lister.list(resolve(core, ref), options),
    create: (ref, body, options) => {
      const target = resolve(core, ref)
      checkSubresource(target)
      if (target.key === 'pods' && (target.subresource === 'binding' || target.subresource === 'eviction')) {
        if (!isObject(body)) throw badRequest('the body of the request is not an object')
        const act = target.subresource === 'binding' ? bindPod : evictPod
        return { object: act(core, target, body, options), created: true }
      }
      if (target.subresource !== undefined) throw methodNotAllowed(target.subject)
      return shown(target, createObject(core, target, body, options))
    },
    update: (ref, body, options) => {
      const target = addressed(ref)
      if (target.subresource === 'scale')
        return { object: updateScale(core, target, { body }, options), created: false }
      return shown(target, updateObject(core, target, body, options))
    },
    patch: (ref, patchType, patch, options) => {
      const target = addressed(ref)
      if (target.subresource === 'scale') {
        return { object: updateScale(core, target, { patchType, patch }, options), created: false }
      }
      return shown(target, patchObject(core, target, patchType, patch, options))
    },
    delete: (ref, options) => {
      const target = addressed(ref)
      if (target.subresource !== undefined) throw methodNotAllowed(target.subject)
      const policy = withDefaultPolicy(target.type, options)
      const { object, removed } = deleteObject(core, target.key, target.type, getExisting(core, target), policy)
      return { object: present(target.served, object), removed }
    },
    deleteCollection: (ref, selection, options) => {
      const target = resolve(core, ref)
      const page = lister.list(target, selection)
      for (const { metadata } of page.items) {
        const object = core.store.collection(target.key).get(metadata.namespace ?? '', metadata.name)
        if (object === undefined) continue
        deleteObject(core, target.key, target.type, object, withDefaultPolicy(target.type, options))
      }
      return page
    },
    watch: (ref, options, sink) => {
      const target = resolve(core, ref)
      selectorOf(target, options)
      return startWatch(core, target, options, sink)
    },
  }
}

const withDefaultPolicy = (type: ResourceType, options: DeleteOptions): DeleteOptions =>
  type.orphansDependents && options.propagationPolicy === undefined
    ? { ...options, propagationPolicy: 'Orphan' }
    : options

const checkSubresource = ({ type, key, subresource }: Target): void => {
  switch (subresource) {
    case undefined:
      return
    case 'status':
      if (type.hasStatus) return
      break
    case 'scale':
      if (type.scale !== undefined) return
      break
    case 'binding':
    case 'eviction':
      if (key === 'pods') return
      break
  }
  throw unknownResource()
}
