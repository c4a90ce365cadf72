import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import { findCondition, setCondition, timeText } from '../conditions.ts'
import type { Condition, JobObject, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isActive, isReady, isTerminal, keyOf, splitKey } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { unlessGone } from '../status-error.ts'
import { countEnded, release } from './finished-pods.ts'
import { renderIndexes } from './indexes.ts'
import { isTracked, jobPod } from './job-pods.ts'
import { isIndexed, isSuspended, planJob, type JobPlan, type JobProgress } from './job-plan.ts'

const component = 'job-controller'
const writesAtOnce = 32
const countDelayMs = 20
const firstBackoffMs = 10_000
const longestBackoffMs = 600_000

/** The failures of a Job since its last success, for the pause before the next pod. */
interface Backoff {
  readonly failures: number
  readonly untilMs: number
}

/**
 * Runs Jobs to their completions, or to their limits.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 * Differs from Kubernetes in reading no pod failure policy, success policy or limit for each index, and in adopting no pods.
 */
export const startJobs = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const jobs = face.peek<JobObject>('batch', 'jobs')
  const pods = face.peek<PodObject>('', 'pods')
  const backoffs = new Map<string, Backoff>()

  const ownPods = (job: JobObject): ReadonlyArray<PodObject> =>
    [...pods.ownedBy(job.metadata.uid)].filter((pod) => controllerOf(pod)?.uid === job.metadata.uid)

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const job = jobs.get(name, namespace)
    if (job === undefined) return
    if (isFinished(job)) return cleanUp(job, key)
    await start(job)
    const known = jobs.byUid(job.metadata.uid) ?? job
    const { progress, newlySucceeded, newlyFailed } = await countEnded(face, known, ownPods(job))
    const notBeforeMs = backOff(job, newlySucceeded > 0, newlyFailed)
    const plan = planJob({ job: known, pods: ownPods(job), progress, notBeforeMs, nowMs: clock.nowMs() })
    await carryOut(known, plan)
    await writeStatus(known, plan, progress)
    if (plan._tag === 'Run' && plan.againAtMs < Infinity) queue.addAfter(key, plan.againAtMs - clock.nowMs())
  }

  /** Notes that a Job begins, that it waits, and that it goes on. */
  const start = async (job: JobObject) => {
    const nowText = timeText(clock.nowMs())
    const conditions = job.status?.conditions
    const present = findCondition(conditions, 'Suspended')
    const suspended = (status: string, reason: string, message: string) =>
      setCondition(conditions, { type: 'Suspended', status, reason, message, lastProbeTime: nowText }, nowText)
    if (isSuspended(job)) {
      if (present?.status === 'True') return
      await patchStatus(face, refs.jobs, job, { conditions: suspended('True', 'JobSuspended', 'Job suspended') })
      events.record(job, 'Normal', 'Suspended', 'Job suspended', component)
    } else if (present?.status === 'True') {
      // The deadline counts from here.
      const resumed = suspended('False', 'JobResumed', 'Job resumed')
      await patchStatus(face, refs.jobs, job, { conditions: resumed, startTime: nowText })
      events.record(job, 'Normal', 'Resumed', 'Job resumed', component)
    } else if (job.status?.startTime === undefined) await patchStatus(face, refs.jobs, job, { startTime: nowText })
  }

  /** Until when no pod is made. */
  const backOff = (job: JobObject, hasSucceeded: boolean, newlyFailed: number): number => {
    const { uid } = job.metadata
    const known = hasSucceeded ? undefined : backoffs.get(uid)
    const failures = (known?.failures ?? 0) + newlyFailed
    if (newlyFailed === 0 && known !== undefined) return known.untilMs
    if (failures === 0) {
      backoffs.delete(uid)
      return 0
    }
    const untilMs = clock.nowMs() + Math.min(firstBackoffMs * 2 ** (failures - 1), longestBackoffMs)
    backoffs.set(uid, { failures, untilMs })
    return untilMs
  }

  const carryOut = async (job: JobObject, plan: JobPlan) => {
    switch (plan._tag) {
      case 'Fail':
      case 'Succeed':
        return removeAll(job, ownPods(job).filter(isActive), false)
      case 'Suspend':
        return removeAll(job, plan.remove, true)
      case 'Run':
        await removeAll(job, plan.remove, true)
        return forEachBounded(plan.create, writesAtOnce, async (index) => {
          const pod = await face.create({ ...refs.pods, namespace: job.metadata.namespace ?? '' }, jobPod(job, index))
          events.record(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`, component)
        })
    }
  }

  /** Pods that are only not needed any more are let go first, so that they do not count as failed. */
  const removeAll = (job: JobObject, some: ReadonlyArray<PodObject>, isHarmless: boolean) =>
    forEachBounded(some, writesAtOnce, async (pod) => {
      if (isHarmless && isTracked(pod)) await release(face, pod)
      await unlessGone(face.delete(refTo(refs.pods, pod), { preconditions: { uid: pod.metadata.uid } }))
      events.record(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, component)
    })

  const writeStatus = async (job: JobObject, plan: JobPlan, progress: JobProgress) => {
    const present = jobs.byUid(job.metadata.uid)
    if (present === undefined) return
    const own = ownPods(job)
    const active = own.filter(isActive)
    const terminating = own.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod)).length
    const hasEnded = active.length === 0 && terminating === 0 && !own.some(isTracked)
    const nowText = timeText(clock.nowMs())
    const outcome = outcomeOf(plan)
    const isNoted = Object.keys(present.status?.uncountedTerminatedPods ?? {}).length > 0
    let { conditions } = present.status ?? {}
    if (outcome !== undefined) {
      const { reason, message } = outcome
      const add = (type: string) => {
        const condition = { type, status: 'True', lastProbeTime: nowText, reason, message }
        conditions = setCondition(conditions, condition, nowText)
      }
      add(outcome.first)
      if (hasEnded) add(outcome.last)
    }
    const isComplete = outcome?.last === 'Complete' && hasEnded
    await patchStatus(face, refs.jobs, present, {
      active: active.length,
      ready: active.filter(isReady).length,
      terminating,
      succeeded: progress.succeeded,
      failed: progress.failed,
      uncountedTerminatedPods: isNoted ? { succeeded: null, failed: null } : {},
      ...(isIndexed(job) ? { completedIndexes: renderIndexes(progress.completed) } : {}),
      ...(conditions === undefined ? {} : { conditions }),
      ...(isComplete ? { completionTime: nowText } : {}),
    })
    if (outcome === undefined || !hasEnded) return
    backoffs.delete(job.metadata.uid)
    if (isComplete) events.record(job, 'Normal', 'Completed', 'Job completed', component)
    else events.record(job, 'Warning', outcome.reason, outcome.message, component)
  }

  /** A Job that has finished leaves nothing held, and goes itself when its time has come. */
  const cleanUp = async (job: JobObject, key: string) => {
    await forEachBounded(ownPods(job).filter(isTracked), writesAtOnce, (pod) => release(face, pod))
    const { ttlSecondsAfterFinished } = job.spec
    if (ttlSecondsAfterFinished === undefined || job.metadata.deletionTimestamp !== undefined) return
    const { lastTransitionTime = '' } = finishedCondition(job) ?? {}
    const waitMs = Date.parse(lastTransitionTime) + ttlSecondsAfterFinished * 1000 - clock.nowMs()
    if (waitMs > 0) return queue.addAfter(key, waitMs)
    const preconditions = { uid: job.metadata.uid }
    await unlessGone(face.delete(refTo(refs.jobs, job), { propagationPolicy: 'Foreground', preconditions }))
  }

  /** Pods whose Job is gone are counted by nobody. */
  const letGo = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const pod = pods.get(name, namespace)
    if (pod === undefined || !isTracked(pod) || isOfJob(pod)) return
    await release(face, pod)
  }
  const isOfJob = (pod: PodObject) => jobs.byUid(controllerOf(pod)?.uid ?? '') !== undefined

  const queue = queueOf(cluster, 'job', reconcile)
  const orphans = queueOf(cluster, 'job', letGo)
  informers.on<JobObject>(refs.jobs, ({ type, object }) => {
    if (type === 'DELETED') {
      backoffs.delete(object.metadata.uid)
      for (const pod of pods.ownedBy(object.metadata.uid)) orphans.add(keyOf(pod))
    } else queue.add(keyOf(object))
  })
  informers.on<PodObject>(refs.pods, ({ object }) => {
    const owner = controllerOf(object)
    if (owner?.kind === 'Job' && isOfJob(object)) {
      queue.addAfter(`${object.metadata.namespace ?? ''}/${owner.name}`, countDelayMs)
    } else if (isTracked(object)) orphans.add(keyOf(object))
  })
  return { stop: async () => void (await Promise.all([queue.stop(), orphans.stop()])) }
}

const finishedCondition = ({ status }: JobObject): Condition | undefined =>
  status?.conditions?.find(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True')

const isFinished = (job: JobObject): boolean => finishedCondition(job) !== undefined

/** The conditions of a Job that ends: one when that is certain, one when its last pod is gone. */
const outcomeOf = (plan: JobPlan) => {
  switch (plan._tag) {
    case 'Succeed':
      return {
        first: 'SuccessCriteriaMet',
        last: 'Complete',
        reason: 'CompletionsReached',
        message: 'Reached expected number of succeeded pods',
      }
    case 'Fail':
      return { first: 'FailureTarget', last: 'Failed', reason: plan.reason, message: plan.message }
    case 'Suspend':
    case 'Run':
      return undefined
  }
}
