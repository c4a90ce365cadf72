import type { Clock } from '@scantling/provider-kit'

import type { Face, KubeObject } from '../face.ts'
import { timeText } from './conditions.ts'
import { refs } from './refs.ts'

/**
 * Writes `v1` Events about objects.
 *
 * Equal events about one object count up on one Event, as `kubectl describe` shows them, at most once in ten seconds.
 * Events older than an hour are deleted, which the real API server's storage does by itself.
 */
export interface EventRecorder {
  readonly record: (
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    component: string,
  ) => void
}

const lifetimeMs = 3_600_000
const quietMs = 10_000

interface Recorded {
  readonly namespace: string
  readonly name: string
  count: number
  lastMs: number
}

export const eventRecorder = (face: Face, clock: Clock, onError: (error: unknown) => void): EventRecorder => {
  const recorded = new Map<string, Recorded>()
  let nextId = 0

  const forgetOld = (nowMs: number) => {
    for (const [key, event] of recorded) {
      if (event.lastMs > nowMs - lifetimeMs) return
      recorded.delete(key)
      const ref = { ...refs.events, namespace: event.namespace, name: event.name }
      face.delete(ref).catch(() => {})
    }
  }
  return {
    record: (about, type, reason, message, component) => {
      const nowMs = clock.nowMs()
      forgetOld(nowMs)
      const { name, namespace = 'default', uid } = about.metadata
      const key = `${uid}/${reason}/${message}`
      const known = recorded.get(key)
      if (known !== undefined) {
        known.count += 1
        if (nowMs - known.lastMs < quietMs) return
        known.lastMs = nowMs
        // Kept in order of the last time, for `forgetOld`.
        recorded.delete(key)
        recorded.set(key, known)
        const body = { count: known.count, lastTimestamp: timeText(nowMs) }
        face.patch({ ...refs.events, namespace, name: known.name }, 'merge', body).catch(() => {})
        return
      }
      const eventName = `${name}.${nowMs.toString(16)}${(nextId++).toString(16).padStart(4, '0')}`
      recorded.set(key, { namespace, name: eventName, count: 1, lastMs: nowMs })
      face
        .create(
          { ...refs.events, namespace },
          {
            metadata: { name: eventName, namespace },
            involvedObject: {
              apiVersion: about.apiVersion,
              kind: about.kind,
              name,
              uid,
              resourceVersion: about.metadata.resourceVersion,
              ...(about.metadata.namespace === undefined ? {} : { namespace: about.metadata.namespace }),
            },
            type,
            reason,
            message,
            count: 1,
            firstTimestamp: timeText(nowMs),
            lastTimestamp: timeText(nowMs),
            source: { component },
            reportingComponent: component,
            reportingInstance: '',
          },
        )
        .catch(onError)
    },
  }
}

export const noEvents: EventRecorder = { record: () => {} }
