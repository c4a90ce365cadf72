import { findCondition } from '../conditions.ts'
import type { JobObject, PodObject } from '../objects.ts'
import { isActive, isTerminal } from '../pod-state.ts'
import { inDeletionOrder } from '../replica-set/deletion-order.ts'
import { indexOf } from './job-pods.ts'

/** How far a Job has come. */
export interface JobProgress {
  readonly succeeded: number
  readonly failed: number
  /** Of an indexed Job. */
  readonly completed: ReadonlySet<number>
}

export interface JobPlanInput {
  readonly job: JobObject
  /** The pods that the Job controls, whose end `progress` includes. */
  readonly pods: ReadonlyArray<PodObject>
  readonly progress: JobProgress
  /** Until when no pod is made, because the last ones failed. */
  readonly notBeforeMs: number
  readonly nowMs: number
}

/** What to do about a Job. */
export type JobPlan =
  | { readonly _tag: 'Fail'; readonly reason: string; readonly message: string }
  | { readonly _tag: 'Succeed' }
  | { readonly _tag: 'Suspend'; readonly remove: ReadonlyArray<PodObject> }
  | {
      readonly _tag: 'Run'
      /** One entry for each pod to be made: its index, or nothing where pods have none. */
      readonly create: ReadonlyArray<number | undefined>
      readonly remove: ReadonlyArray<PodObject>
      /** When to look again though nothing has happened by then. */
      readonly againAtMs: number
    }

export const isIndexed = ({ spec }: JobObject): boolean => spec.completionMode === 'Indexed'

/**
 * Plans the next step of a Job that has not finished.
 *
 * A Job with completions keeps as many pods going as its parallelism allows and as many as are still to succeed; one without
 * makes no more pods once one has succeeded, and succeeds when the others have ended.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
export const planJob = ({ job, pods, progress, notBeforeMs, nowMs }: JobPlanInput): JobPlan => {
  const { spec, status, metadata } = job
  const { succeeded, failed } = progress
  // What was decided stays so while the last pods go, whatever becomes of them.
  const failing = findCondition(status?.conditions, 'FailureTarget')
  if (failing?.status === 'True') {
    return { _tag: 'Fail', reason: failing.reason ?? '', message: failing.message ?? '' }
  }
  if (findCondition(status?.conditions, 'SuccessCriteriaMet')?.status === 'True') return { _tag: 'Succeed' }
  if (failed > (spec.backoffLimit ?? 6)) {
    return { _tag: 'Fail', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  }
  const deadlineMs = isSuspended(job) ? Infinity : deadlineOf(job)
  if (nowMs >= deadlineMs) {
    return { _tag: 'Fail', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  }
  const active = pods.filter(isActive)
  const { completions } = spec
  if (completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions) {
    return { _tag: 'Succeed' }
  }
  if (isSuspended(job)) return { _tag: 'Suspend', remove: active }

  const parallelism = spec.parallelism ?? 1
  // Workers on a queue: the first success says that there is nothing left for new ones.
  const wanted =
    completions === undefined
      ? succeeded > 0
        ? Math.min(active.length, parallelism)
        : parallelism
      : Math.min(completions - succeeded, parallelism)
  const going = isIndexed(job) ? withoutRepeats(active, completions ?? 0, progress.completed) : active
  const kept = new Set(going)
  const useless = active.filter((pod) => !kept.has(pod))
  const surplus = inDeletionOrder(going).slice(0, Math.max(going.length - wanted, 0))
  const remove = [...useless, ...surplus]

  // Some Jobs want no pod to be replaced before it has ended for good.
  const ending =
    spec.podReplacementPolicy === 'Failed'
      ? pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod))
      : []
  const missing = Math.max(wanted - going.length - ending.length, 0)
  const mayCreate = missing > 0 && metadata.deletionTimestamp === undefined && status?.startTime !== undefined
  if (!mayCreate) return { _tag: 'Run', create: [], remove, againAtMs: deadlineMs }
  if (nowMs < notBeforeMs) return { _tag: 'Run', create: [], remove, againAtMs: Math.min(notBeforeMs, deadlineMs) }
  const create = isIndexed(job)
    ? freeIndexes(completions ?? 0, progress.completed, [...going, ...ending]).slice(0, missing)
    : Array.from({ length: missing }, () => undefined)
  return { _tag: 'Run', create, remove, againAtMs: deadlineMs }
}

export const isSuspended = ({ spec }: JobObject): boolean => spec.suspend === true

const deadlineOf = ({ spec, status }: JobObject): number =>
  spec.activeDeadlineSeconds === undefined || status?.startTime === undefined
    ? Infinity
    : Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000

/** One pod for each index that is still to succeed: those that go last stay. */
const withoutRepeats = (
  active: ReadonlyArray<PodObject>,
  completions: number,
  completed: ReadonlySet<number>,
): ReadonlyArray<PodObject> => {
  const byIndex = new Map<number, PodObject>()
  for (const pod of inDeletionOrder(active)) {
    const index = indexOf(pod)
    if (index !== undefined && index < completions && !completed.has(index)) byIndex.set(index, pod)
  }
  return [...byIndex.values()]
}

/** The lowest first. */
const freeIndexes = (
  completions: number,
  completed: ReadonlySet<number>,
  taken: ReadonlyArray<PodObject>,
): ReadonlyArray<number> => {
  const busy = new Set(taken.map(indexOf))
  const free: Array<number> = []
  for (let index = 0; index < completions; index += 1) if (!completed.has(index) && !busy.has(index)) free.push(index)
  return free
}
