import type { Clock } from '@scantling/provider-kit'
import {
  StatusError,
  type Face,
  type KubeObject,
  type ResourceRef,
  type ResourceView,
  type Status,
  type WatchEvent,
} from '../face.ts'
import type { Core } from './core.ts'
import { injected, internal, unknownResource } from './failures.ts'
import type { Call, Interceptors, Verdict } from './interceptors.ts'
import type { Requests } from './requests.ts'
import type { WatchMessage } from './watching.ts'

/** What the interceptors know of a call, from its reference. */
export const callOf = (client: string, verb: Call['verb'], ref: ResourceRef): Omit<Call, 'number'> => ({
  client,
  verb,
  group: ref.group,
  resource: ref.plural,
  ...(ref.subresource === undefined ? {} : { subresource: ref.subresource }),
  ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
  ...(ref.name === undefined ? {} : { name: ref.name }),
})

/** Runs a call under a verdict: waits, then fails before or after taking effect, or passes. */
export const underVerdict = async <T>(clock: Clock, verdict: Verdict | undefined, run: () => T): Promise<T> => {
  if (verdict === undefined) return run()
  if (verdict.delayMs !== undefined) await clock.sleep(verdict.delayMs)
  if (verdict.fail !== undefined && verdict.when !== 'after') throw injected(verdict.fail)
  const result = run()
  if (verdict.fail !== undefined) throw injected(verdict.fail)
  return result
}

/** The in-process face for the client of this name. */
export const createFace = (core: Core, requests: Requests, interceptors: Interceptors, client: string): Face => {
  const through = <T>(verb: Call['verb'], ref: ResourceRef, run: () => unknown): Promise<T> =>
    underVerdict(core.clock, interceptors.judge(callOf(client, verb, ref)), run) as Promise<T>
  return {
    get: (ref) => through('get', ref, () => requests.get(ref)),
    list: (ref, options = {}) =>
      through('list', ref, () => {
        const { items, revision, continue: token, remaining } = requests.list(ref, options)
        const { served, type } = requests.target(ref)
        return {
          apiVersion: served.apiVersion,
          kind: `${type.kind}List`,
          metadata: {
            resourceVersion: String(revision),
            ...(token === undefined ? {} : { continue: token }),
            ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
          },
          items,
        }
      }),
    create: (ref, body, options = {}) => through('create', ref, () => requests.create(ref, body, options).object),
    update: (ref, body, options = {}) => through('update', ref, () => requests.update(ref, body, options).object),
    patch: (ref, type, body, options = {}) =>
      through('patch', ref, () => requests.patch(ref, type, body, options).object),
    delete: (ref, options = {}) => through('delete', ref, () => requests.delete(ref, options).object),
    watch: (ref, options, onEvent, onEnd) => {
      const queue: WatchEvent[] = []
      let scheduled = false
      let stopped = false
      let ended = false
      let stop: () => void = () => undefined
      const flush = () => {
        scheduled = false
        for (let event = queue.shift(); event !== undefined && !stopped; event = queue.shift()) onEvent(event as never)
        if (ended && !stopped) {
          stopped = true
          onEnd?.()
        }
      }
      const schedule = () => {
        if (scheduled) return
        scheduled = true
        queueMicrotask(flush)
      }
      const push = (event: WatchEvent) => {
        queue.push(event)
        schedule()
      }
      const end = () => {
        ended = true
        schedule()
      }
      const start = () => {
        if (stopped) return
        const { served, type } = requests.target(ref)
        stop = requests.watch(ref, options, {
          onMessage: (message) => push(eventOf(message, served.apiVersion, type.kind)),
          onEnd: end,
        })
      }
      underVerdict(core.clock, interceptors.judge(callOf(client, 'watch', ref)), start).catch((error: unknown) => {
        push({ type: 'ERROR', object: statusOf(error) })
        end()
      })
      return () => {
        stopped = true
        stop()
      }
    },
    peek: <T extends KubeObject>(group: string, plural: string) => {
      const key = group === '' ? plural : `${plural}.${group}`
      if (core.registry.byKey(key) === undefined) throw unknownResource()
      return core.store.collection(key).view as ResourceView<T>
    },
  }
}

/** The `Status` to answer with. Anything but a `StatusError` is a bug of ours: a 500 that says so. */
export const statusOf = (error: unknown): Status =>
  error instanceof StatusError
    ? error.status
    : internal(error instanceof Error ? (error.stack ?? error.message) : String(error)).status

const eventOf = (message: WatchMessage, apiVersion: string, kind: string): WatchEvent => {
  switch (message.type) {
    case 'ERROR':
      return { type: 'ERROR', object: message.status }
    case 'BOOKMARK':
      return { type: 'BOOKMARK', object: bookmarkObject(message, apiVersion, kind) }
    default:
      return message
  }
}

export const bookmarkObject = (
  message: { readonly revision: number; readonly initialEventsEnd: boolean },
  apiVersion: string,
  kind: string,
) => ({
  apiVersion,
  kind,
  metadata: {
    resourceVersion: String(message.revision),
    ...(message.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  },
})
