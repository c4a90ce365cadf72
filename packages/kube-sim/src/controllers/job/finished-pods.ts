import type { Face } from '../../face.ts'
import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import type { JobObject, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { refs } from '../refs.ts'
import { unlessGone } from '../status-error.ts'
import { indexOf, isTracked, trackingFinalizer } from './job-pods.ts'
import { parseIndexes, renderIndexes } from './indexes.ts'
import { isIndexed, type JobProgress } from './job-plan.ts'

const writesAtOnce = 32

/** Lets a pod go that its Job has counted, or that has no Job any more. */
export const release = (face: Face, pod: PodObject): Promise<void> => {
  const finalizers = (pod.metadata.finalizers ?? []).filter((each) => each !== trackingFinalizer)
  return unlessGone(face.patch(refTo(refs.pods, pod), 'merge', { metadata: { uid: pod.metadata.uid, finalizers } }))
}

/** The progress of a Job by what its status has counted. */
export const countedProgress = (job: JobObject): JobProgress => {
  const { succeeded = 0, failed = 0, completedIndexes = '' } = job.status ?? {}
  return { succeeded, failed, completed: parseIndexes(completedIndexes, job.spec.completions ?? 0) }
}

/**
 * Counts the pods that have ended since, each once: their UIDs are noted in the status, their finalizers go, and then the
 * counts move and the notes with them. Wherever that is cut short, the next call goes on from there.
 *
 * A pod that is being deleted has failed, unless its Job replaces only what has ended for good.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
 */
export const countEnded = async (
  face: Face,
  job: JobObject,
  pods: ReadonlyArray<PodObject>,
): Promise<{ readonly progress: JobProgress; readonly newlySucceeded: number; readonly newlyFailed: number }> => {
  const noted = job.status?.uncountedTerminatedPods ?? {}
  const before = countedProgress(job)
  const tracked = pods.filter(isTracked)
  const ended = tracked.filter((pod) => hasSucceeded(pod) || hasFailed(job, pod))
  const failedUids = union(noted.failed, ended.filter((pod) => !hasSucceeded(pod)).map(uidOf))
  const completed = new Set(before.completed)
  for (const pod of ended) {
    const index = indexOf(pod)
    if (hasSucceeded(pod) && index !== undefined && index < (job.spec.completions ?? 0)) completed.add(index)
  }
  // Of an indexed Job the indexes say who has succeeded: they are counted by being noted.
  const succeededUids = isIndexed(job) ? [] : union(noted.succeeded, ended.filter(hasSucceeded).map(uidOf))
  const succeeded = isIndexed(job) ? completed.size : before.succeeded + succeededUids.length
  const progress = { succeeded, failed: before.failed + failedUids.length, completed }
  if (ended.length > 0) {
    await patchStatus(face, refs.jobs, job, {
      uncountedTerminatedPods: { succeeded: succeededUids, failed: failedUids },
      ...(isIndexed(job) ? { succeeded, completedIndexes: renderIndexes(completed) } : {}),
    })
    await forEachBounded(ended, writesAtOnce, (pod) => release(face, pod))
  }
  return { progress, newlySucceeded: succeeded - before.succeeded, newlyFailed: failedUids.length }
}

const uidOf = ({ metadata }: PodObject) => metadata.uid
const union = (some: ReadonlyArray<string> = [], others: ReadonlyArray<string>) => [...new Set([...some, ...others])]

const hasSucceeded = ({ status }: PodObject): boolean => status?.phase === 'Succeeded'

const hasFailed = ({ spec }: JobObject, { status, metadata }: PodObject): boolean =>
  status?.phase === 'Failed' || (metadata.deletionTimestamp !== undefined && spec.podReplacementPolicy !== 'Failed')
