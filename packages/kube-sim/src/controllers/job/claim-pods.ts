import type { Face } from '../../face.ts'
import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import type { JobObject, PodObject } from '../objects.ts'
import { controllerOf, controllerReference } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { unlessGone } from '../status-error.ts'
import { trackingFinalizer } from './job-pods.ts'

const writesAtOnce = 32

/** Takes the pods without a controller that a Job selects, and holds them until they are counted, ended ones too. */
export const adoptPods = (face: Face, job: JobObject, candidates: Iterable<PodObject>): Promise<void> => {
  const selects = compileSelector(job.spec.selector)
  const orphans = [...candidates].filter(
    (pod) =>
      controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined && selects(pod.metadata.labels),
  )
  return forEachBounded(orphans, writesAtOnce, (pod) => {
    const { uid, ownerReferences = [], finalizers = [] } = pod.metadata
    const metadata = {
      uid,
      ownerReferences: [...ownerReferences, controllerReference(job)],
      finalizers: [...finalizers.filter((each) => each !== trackingFinalizer), trackingFinalizer],
    }
    return unlessGone(face.patch(refTo(refs.pods, pod), 'merge', { metadata }))
  })
}

/** Lets the pods go that a Job no longer selects. */
export const releaseStrays = (face: Face, job: JobObject, own: ReadonlyArray<PodObject>): Promise<void> => {
  const selects = compileSelector(job.spec.selector)
  const strays = own.filter(({ metadata }) => !selects(metadata.labels))
  return forEachBounded(strays, writesAtOnce, (pod) => {
    const { uid, ownerReferences = [], finalizers = [] } = pod.metadata
    const metadata = {
      uid,
      ownerReferences: ownerReferences.filter((owner) => owner.uid !== job.metadata.uid),
      finalizers: finalizers.filter((each) => each !== trackingFinalizer),
    }
    return unlessGone(face.patch(refTo(refs.pods, pod), 'merge', { metadata }))
  })
}
