import type { Agenda } from './agenda.ts'
import type { Face, KubeObject, ResourceRef } from '../face.ts'

/** What happened to one object; `before` is what this process saw last. */
export interface ObjectChange<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: T
  readonly before: T | undefined
}

/**
 * One watch for each resource, shared by all controllers.
 *
 * Handlers are only woken by it: what they read, they read through `Face.peek`, which is never older than the event.
 */
export interface Informers {
  readonly on: <T extends KubeObject>(ref: ResourceRef, handle: (change: ObjectChange<T>) => void) => void
  readonly stop: () => void
}

interface Informer {
  readonly handlers: Array<(change: ObjectChange<KubeObject>) => void>
  readonly seen: Map<string, KubeObject>
  stop: () => void
}

const rewatchDelayMs = 1000

export const startInformers = (face: Face, agenda: Agenda): Informers => {
  const informers = new Map<string, Informer>()
  let isStopped = false

  const start = (ref: ResourceRef, informer: Informer) => {
    // After a broken watch the present state comes as ADDED; what went away meanwhile is made up for here.
    const view = face.peek(ref.group, ref.plural)
    for (const [uid, object] of informer.seen) {
      if (view.byUid(uid) !== undefined) continue
      informer.seen.delete(uid)
      for (const handle of informer.handlers) handle({ type: 'DELETED', object, before: object })
    }
    informer.stop = face.watch(
      ref,
      {},
      (event) => {
        if (isStopped || event.type === 'BOOKMARK' || event.type === 'ERROR') return
        const { object } = event
        const before = informer.seen.get(object.metadata.uid)
        if (event.type === 'DELETED') informer.seen.delete(object.metadata.uid)
        else informer.seen.set(object.metadata.uid, object)
        const type = event.type === 'DELETED' ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED'
        for (const handle of informer.handlers) handle({ type, object, before })
      },
      () => {
        if (!isStopped) agenda.after(rewatchDelayMs, () => start(ref, informer))
      },
    )
  }
  return {
    on: <T extends KubeObject>(ref: ResourceRef, handle: (change: ObjectChange<T>) => void) => {
      const key = `${ref.group}/${ref.plural}`
      const handler = handle as unknown as (change: ObjectChange<KubeObject>) => void
      const known = informers.get(key)
      if (known !== undefined) {
        known.handlers.push(handler)
        for (const object of known.seen.values()) handler({ type: 'ADDED', object, before: undefined })
        return
      }
      const informer: Informer = { handlers: [handler], seen: new Map(), stop: () => {} }
      informers.set(key, informer)
      start(ref, informer)
    },
    stop: () => {
      isStopped = true
      for (const informer of informers.values()) informer.stop()
    },
  }
}
