import { findCondition } from '../conditions.ts'
import type { JobObject, PodObject } from '../objects.ts'
import { isActive, isTerminal } from '../pod-state.ts'
import { inDeletionOrder } from '../replica-set/deletion-order.ts'
import { indexOf } from './job-pods.ts'
import { hasFailed, judgeFailure } from './pod-failure-policy.ts'
import { metSuccessRule } from './success-policy.ts'

/** How far a Job has come. */
export interface JobProgress {
  readonly succeeded: number
  readonly failed: number
  /** Of an indexed Job. */
  readonly completed: ReadonlySet<number>
  /** Of an indexed Job that allows each index its own failures: those that have had too many. */
  readonly failedIndexes: ReadonlySet<number>
}

export interface JobPlanInput {
  readonly job: JobObject
  /** The pods that the Job controls, whose end `progress` includes. */
  readonly pods: ReadonlyArray<PodObject>
  readonly progress: JobProgress
  /** Until when no pod is made, of one index or at all, because the last ones failed. */
  readonly notBeforeMs: (index: number | undefined) => number
  readonly nowMs: number
}

/** What to do about a Job. */
export type JobPlan =
  | { readonly _tag: 'Fail' | 'Succeed'; readonly reason: string; readonly message: string }
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
  const { succeeded, failedIndexes, completed } = progress
  const active = pods.filter(isActive)
  const { completions } = spec
  const deadlineMs = isSuspended(job) ? Infinity : deadlineOf(job)
  const outcome = decided(job) ?? failureOf(job, pods, progress, nowMs >= deadlineMs)
  if (outcome !== undefined) return outcome
  const rule = metSuccessRule(spec.successPolicy, completions ?? 0, completed)
  if (rule !== undefined) return { _tag: 'Succeed', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
  if (completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions) {
    return { _tag: 'Succeed', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
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
  const going = isIndexed(job) ? withoutRepeats(active, completions ?? 0, completed) : active
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
  const next = isIndexed(job)
    ? freeIndexes(completions ?? 0, [completed, failedIndexes], [...going, ...ending]).slice(0, missing)
    : Array.from({ length: missing }, () => undefined)
  // An index that must wait keeps its place in the row: no later one takes it.
  const isDue = (index: number | undefined) => notBeforeMs(index) <= nowMs
  const againAtMs = next.reduce<number>(
    (soonest, index) => (isDue(index) ? soonest : Math.min(soonest, notBeforeMs(index))),
    deadlineMs,
  )
  return { _tag: 'Run', create: next.filter(isDue), remove, againAtMs }
}

/** What was decided stays so while the last pods go, whatever becomes of them. */
const decided = ({ status }: JobObject): JobPlan | undefined => {
  const known = (type: string) => {
    const condition = findCondition(status?.conditions, type)
    return condition?.status === 'True'
      ? { reason: condition.reason ?? '', message: condition.message ?? '' }
      : undefined
  }
  const failure = known('FailureTarget')
  if (failure !== undefined) return { _tag: 'Fail', ...failure }
  const success = known('SuccessCriteriaMet')
  return success === undefined ? undefined : { _tag: 'Succeed', ...success }
}

/** Why a Job fails now; where there are several reasons, the first of these. */
const failureOf = (
  job: JobObject,
  pods: ReadonlyArray<PodObject>,
  { succeeded, failed, failedIndexes }: JobProgress,
  isTooLate: boolean,
): JobPlan | undefined => {
  const { spec } = job
  const fail = (reason: string, message: string): JobPlan => ({ _tag: 'Fail', reason, message })
  for (const pod of spec.podFailurePolicy === undefined ? [] : pods) {
    const verdict = hasFailed(job, pod) ? judgeFailure(job, pod) : undefined
    if (verdict?._tag === 'FailJob') return fail('PodFailurePolicy', verdict.message)
  }
  if (failed > (spec.backoffLimit ?? 6) || hasRestartedTooOften(job, pods)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  if (isTooLate) return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (spec.maxFailedIndexes !== undefined && failedIndexes.size > spec.maxFailedIndexes) {
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  }
  const isSpent = failedIndexes.size > 0 && failedIndexes.size + succeeded >= (spec.completions ?? 0)
  return isSpent ? fail('FailedIndexes', 'Job has failed indexes') : undefined
}

/** Where containers are restarted in their pod, that counts as well. */
const hasRestartedTooOften = ({ spec }: JobObject, pods: ReadonlyArray<PodObject>): boolean => {
  if (spec.template?.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = pods
    .filter((pod) => !isTerminal(pod))
    .flatMap(({ status }) => [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  return restarts > 0 && restarts >= (spec.backoffLimit ?? 6)
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
  ended: ReadonlyArray<ReadonlySet<number>>,
  taken: ReadonlyArray<PodObject>,
): ReadonlyArray<number> => {
  const busy = new Set(taken.map(indexOf))
  const free: Array<number> = []
  for (let index = 0; index < completions; index += 1) {
    if (!busy.has(index) && !ended.some((indexes) => indexes.has(index))) free.push(index)
  }
  return free
}
