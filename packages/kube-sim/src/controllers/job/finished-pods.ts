import type { Face } from '../../face.ts'
import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import type { JobObject, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { refs } from '../refs.ts'
import { unlessGone } from '../status-error.ts'
import { endedAtMs, indexFailures, isFailing } from './index-failures.ts'
import { indexOf, isTracked, trackingFinalizer } from './job-pods.ts'
import { parseIndexes, renderIndexes } from './indexes.ts'
import { isIndexed, type JobProgress } from './job-plan.ts'
import { hasFailed, judgeFailure } from './pod-failure-policy.ts'

const writesAtOnce = 32

/** Lets a pod go that its Job has counted, or that has no Job any more. */
export const release = (face: Face, pod: PodObject): Promise<void> => {
  const finalizers = (pod.metadata.finalizers ?? []).filter((each) => each !== trackingFinalizer)
  return unlessGone(face.patch(refTo(refs.pods, pod), 'merge', { metadata: { uid: pod.metadata.uid, finalizers } }))
}

/** What has become of a Job's pods, those that its status has not counted yet included. */
export interface Tally {
  readonly progress: JobProgress
  /** The last failed pod of each index whose next pod is yet to come. */
  readonly held: ReadonlyMap<number, PodObject>
  /** Tracked pods that have ended. */
  readonly ended: ReadonlyArray<PodObject>
  readonly succeededUids: ReadonlyArray<string>
  /** Of the failures that count. */
  readonly failedUids: ReadonlyArray<string>
  readonly newlySucceeded: number
  readonly newlyFailed: number
  /** When the last of those that have failed ended; nothing where none has. */
  readonly lastFailureMs: number | undefined
}

/** Adds what has ended since to what a Job's status has counted. */
export const tallyPods = (job: JobObject, pods: ReadonlyArray<PodObject>): Tally => {
  const { completions = 0 } = job.spec
  const { succeeded: before = 0, failed = 0, completedIndexes = '', failedIndexes = '' } = job.status ?? {}
  const noted = job.status?.uncountedTerminatedPods ?? {}
  const tracked = pods.filter(isTracked)
  const good = tracked.filter(hasSucceeded)
  const bad = tracked.filter((pod) => isFailureOf(job, pod))
  const completed = new Set(parseIndexes(completedIndexes, completions))
  for (const pod of good) {
    const index = indexOf(pod)
    if (index !== undefined && index < completions) completed.add(index)
  }
  const perIndex = indexFailures(job, pods, { failed: parseIndexes(failedIndexes, completions), completed })
  // Of an indexed Job the indexes say who has succeeded: they are counted by being noted.
  const succeededUids = isIndexed(job) ? [] : union(noted.succeeded, good.map(uidOf))
  const failedUids = union(noted.failed, bad.filter((pod) => judgeFailure(job, pod)._tag !== 'Ignore').map(uidOf))
  const succeeded = isIndexed(job) ? completed.size : before + succeededUids.length
  return {
    progress: { succeeded, failed: failed + failedUids.length, completed, failedIndexes: perIndex.failed },
    held: perIndex.held,
    ended: [...good, ...bad],
    succeededUids,
    failedUids,
    newlySucceeded: succeeded - before,
    newlyFailed: union(noted.failed, bad.map(uidOf)).length,
    lastFailureMs: bad.length === 0 ? undefined : Math.max(...bad.map(endedAtMs)),
  }
}

/**
 * Counts the pods that have ended, each once: their UIDs are noted in the status, their finalizers go, and then the counts
 * move and the notes with them. Wherever that is cut short, the next call goes on from there.
 *
 * `held` pods are neither counted nor let go yet.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
 */
export const countEnded = async (
  face: Face,
  job: JobObject,
  { progress, ended, succeededUids, failedUids }: Tally,
  held: ReadonlyMap<number, PodObject>,
): Promise<void> => {
  const heldUids = new Set([...held.values()].map(uidOf))
  const leaving = ended.filter((pod) => !heldUids.has(uidOf(pod)))
  if (leaving.length === 0) return
  await patchStatus(face, refs.jobs, job, {
    uncountedTerminatedPods: { succeeded: succeededUids, failed: failedUids.filter((uid) => !heldUids.has(uid)) },
    ...(isIndexed(job) ? { succeeded: progress.succeeded, completedIndexes: renderIndexes(progress.completed) } : {}),
  })
  await forEachBounded(leaving, writesAtOnce, (pod) => release(face, pod))
}

const uidOf = ({ metadata }: PodObject) => metadata.uid
const union = (some: ReadonlyArray<string> = [], others: ReadonlyArray<string>) => [...new Set([...some, ...others])]

const hasSucceeded = ({ status }: PodObject): boolean => status?.phase === 'Succeeded'

/** Once a Job fails, what it takes down has failed at once, also where others wait for a pod's end. */
const isFailureOf = (job: JobObject, pod: PodObject): boolean =>
  hasFailed(job, pod) || (isFailing(job) && pod.metadata.deletionTimestamp !== undefined && !hasSucceeded(pod))
