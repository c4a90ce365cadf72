import { refTo, type Face, type KubeObject } from '../face.ts'
import { forEachBounded } from './bounded.ts'
import type { PodObject } from './objects.ts'
import { controllerOf, controllerReference } from './pod-state.ts'
import { refs } from './refs.ts'
import { unlessGone } from './status-error.ts'

const writesAtOnce = 32

/** How a controller claims pods. */
export interface Claiming {
  readonly owner: KubeObject
  readonly selects: (pod: PodObject) => boolean
  /** Which it holds its pods by, where it does. */
  readonly finalizer?: string
}

/** Takes those pods without a controller that are selected and not on their way out. */
export const adoptPods = (
  face: Face,
  { owner, selects, finalizer }: Claiming,
  candidates: Iterable<PodObject>,
): Promise<void> => {
  const orphans = [...candidates].filter(
    (pod) => controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined && selects(pod),
  )
  return forEachBounded(orphans, writesAtOnce, (pod) => {
    const { uid, ownerReferences = [], finalizers = [] } = pod.metadata
    const held = finalizer === undefined ? {} : { finalizers: [...new Set([...finalizers, finalizer])] }
    const metadata = { uid, ownerReferences: [...ownerReferences, controllerReference(owner)], ...held }
    return unlessGone(face.patch(refTo(refs.pods, pod), 'merge', { metadata }))
  })
}

/** Lets the pods go that are the owner's and no longer selected. */
export const releaseStrays = (
  face: Face,
  { owner, selects, finalizer }: Claiming,
  own: ReadonlyArray<PodObject>,
): Promise<void> => {
  const strays = own.filter((pod) => !selects(pod))
  return forEachBounded(strays, writesAtOnce, (pod) => {
    const { uid, ownerReferences = [], finalizers = [] } = pod.metadata
    const freed = finalizer === undefined ? {} : { finalizers: finalizers.filter((each) => each !== finalizer) }
    const others = ownerReferences.filter((reference) => reference.uid !== owner.metadata.uid)
    return unlessGone(
      face.patch(refTo(refs.pods, pod), 'merge', { metadata: { uid, ownerReferences: others, ...freed } }),
    )
  })
}
