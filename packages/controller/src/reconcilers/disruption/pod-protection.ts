import * as E from 'fp-ts/lib/Either.js'
import { annotationKeys, Pods, Time, type PodObject } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'
import { podEvent } from '../event-records.ts'

/** Tells on pods what their wish not to be disrupted comes to. */
export interface PodProtection {
  /** Looks at every pod that has the annotation and runs on a node of ours. */
  readonly tell: () => void
  readonly stop: () => void
}

/**
 * Follows the pods that carry `karpenter.sh/do-not-disrupt`. P-03, P-04.
 *
 * `true` speaks for itself; a duration is told with the moment until which it holds, and once it has elapsed; anything
 * else protects nothing, which the pod should hear.
 */
export const followPodProtection = (context: ReconcilerContext): PodProtection => {
  const { caches, views, events, clock, nodeClasses } = context
  const protectedPods = new Map<string, PodObject>()
  const take = (key: string, object: PodObject | undefined) => {
    if (object !== undefined && textOf(object) !== undefined) protectedPods.set(key, object)
    else protectedPods.delete(key)
  }
  for (const object of caches.pods.values()) take(`${object.metadata.namespace}/${object.metadata.name}`, object)
  const stop = caches.pods.onChange((change) =>
    take(change.key, change._tag === 'Deleted' ? undefined : change.current),
  )
  const isOurs = (nodeName: string): boolean => {
    const providerId = caches.nodes.get(nodeName)?.spec.providerID
    return (
      providerId !== undefined &&
      caches.nodeClaims.by('byProviderId', providerId).some(({ spec }) => nodeClasses.isManaged(spec.nodeClassRef))
    )
  }
  const tell = () => {
    const nowMs = clock.nowMs()
    for (const object of protectedPods.values()) {
      const pod = views.pod(object)
      if (!Pods.isActive(pod) || pod.nodeName === undefined || !isOurs(pod.nodeName)) continue
      const text = textOf(object) ?? ''
      if (text === 'true') continue
      const duration = Time.parseDuration(text)
      const { doNotDisrupt } = pod.disruption
      if (E.isLeft(duration) || duration.right <= 0) {
        const message = `Cannot read ${annotationKeys.doNotDisrupt}=${JSON.stringify(text)}, so that the pod is not protected: expected "true" or a positive duration such as "30m"`
        events.record({
          ...podEvent(pod, 'Warning', 'InvalidDoNotDisruptAnnotation', message),
          dedupe: [pod.uid, message],
        })
        continue
      }
      if (Pods.isDoNotDisruptActive(pod, nowMs)) {
        const { sinceMs, forMs } = doNotDisrupt ?? {}
        const until =
          sinceMs === undefined || forMs === undefined ? `${text} after it starts` : Time.renderInstant(sinceMs + forMs)
        events.record({
          ...podEvent(pod, 'Normal', 'DoNotDisruptUntil', `The pod is not disrupted until ${until}`),
          dedupe: [pod.uid, until],
        })
        continue
      }
      events.record({
        ...podEvent(
          pod,
          'Normal',
          'DoNotDisruptGracePeriodElapsed',
          `The ${text} in which the pod was not disrupted have elapsed`,
        ),
        dedupe: [pod.uid],
      })
    }
  }
  return { tell, stop }
}

const textOf = ({ metadata: { annotations } }: PodObject): string | undefined =>
  Object.hasOwn(annotations, annotationKeys.doNotDisrupt) ? annotations[annotationKeys.doNotDisrupt] : undefined
