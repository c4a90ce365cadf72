import { findCondition } from '../conditions.ts'
import type { JobObject, PodObject } from '../objects.ts'
import { isActive } from '../pod-state.ts'
import { indexOf, isTracked } from './job-pods.ts'
import { hasFailed, judgeFailure } from './pod-failure-policy.ts'

const failuresKey = 'batch.kubernetes.io/job-index-failure-count'
const ignoredKey = 'batch.kubernetes.io/job-index-ignored-failure-count'
const firstPauseMs = 10_000
const longestPauseMs = 600_000

export const countsByIndex = ({ spec }: JobObject): boolean => spec.backoffLimitPerIndex !== undefined

/** The failures of a Job that allows each index its own. */
export interface IndexFailures {
  /** The indexes that have failed for good. */
  readonly failed: ReadonlySet<number>
  /** The last failed pod of each index whose next pod is yet to come: it tells that one how often the index has failed. */
  readonly held: ReadonlyMap<number, PodObject>
}

/** Whether a Job is certain to fail, and takes down what still runs. */
export const isFailing = ({ status }: JobObject): boolean =>
  findCondition(status?.conditions, 'FailureTarget')?.status === 'True'

/**
 * The indexes that have failed, those of before included, and the pods that wait to be replaced.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index
 */
export const indexFailures = (
  job: JobObject,
  pods: ReadonlyArray<PodObject>,
  before: { readonly failed: ReadonlySet<number>; readonly completed: ReadonlySet<number> },
): IndexFailures => {
  const { backoffLimitPerIndex, completions = 0 } = job.spec
  // What a failing Job takes down fails with it, not by its index.
  if (backoffLimitPerIndex === undefined || isFailing(job)) return { failed: before.failed, held: new Map() }
  const failed = new Set(before.failed)
  const last = new Map<number, PodObject>()
  for (const pod of pods) {
    const index = indexOf(pod)
    if (index === undefined || index >= completions || !isTracked(pod) || !hasFailed(job, pod)) continue
    const verdict = judgeFailure(job, pod)._tag
    const isOver =
      verdict === 'FailIndex' || (verdict !== 'Ignore' && countIn(pod, failuresKey) >= backoffLimitPerIndex)
    if (isOver) failed.add(index)
    const known = last.get(index)
    if (known === undefined || attemptsOf(pod) >= attemptsOf(known)) last.set(index, pod)
  }
  const going = new Set(pods.filter(isActive).map(indexOf))
  const isOpen = (index: number) => !failed.has(index) && !before.completed.has(index) && !going.has(index)
  return { failed, held: new Map([...last].filter(([index]) => isOpen(index))) }
}

/** The annotations by which a new pod knows how often its index has failed. */
export const failureMarks = (job: JobObject, replaced: PodObject | undefined): Readonly<Record<string, string>> => {
  if (!countsByIndex(job)) return {}
  if (replaced === undefined) return { [failuresKey]: '0' }
  const isIgnored = judgeFailure(job, replaced)._tag === 'Ignore'
  const failures = countIn(replaced, failuresKey) + (isIgnored ? 0 : 1)
  const ignored = countIn(replaced, ignoredKey) + (isIgnored ? 1 : 0)
  return { [failuresKey]: String(failures), ...(ignored > 0 ? { [ignoredKey]: String(ignored) } : {}) }
}

/** From when on a pod may be replaced by the next of its index: twice as long after each failure. */
export const retryAtMs = (held: PodObject | undefined): number =>
  held === undefined ? 0 : endedAtMs(held) + pauseMs(attemptsOf(held))

/** The pause after some failures in a row: 10 s, 20 s, 40 s … at most 10 minutes. */
export const pauseMs = (failures: number): number => Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs)

/** When a pod ended: by its containers, by its condition, by its deletion, or no one can tell. */
export const endedAtMs = ({ status, metadata }: PodObject): number => {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  if (ends.length > 0 && !ends.some(Number.isNaN)) return Math.max(...ends)
  const ready = findCondition(status?.conditions, 'Ready')
  if (ready?.status === 'False' && ready.lastTransitionTime !== undefined) return Date.parse(ready.lastTransitionTime)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata
  return deletionTimestamp === undefined
    ? Date.parse(creationTimestamp)
    : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
}

/** Which attempt of its index a pod was, ignored failures included. */
const attemptsOf = (pod: PodObject): number => countIn(pod, failuresKey) + countIn(pod, ignoredKey) + 1

const countIn = ({ metadata }: PodObject, key: string): number => {
  const text = metadata.annotations?.[key] ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : 0
}
