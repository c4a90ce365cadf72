import { refTo } from '../../face.ts'
import { forEachBounded } from '../bounded.ts'
import { adoptPods, releaseStrays } from '../claim-pods.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import { findCondition, setCondition, timeText } from '../conditions.ts'
import type { Condition, JobObject, JobStatus, PodObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, isActive, isReady, isTerminal, keyOf, splitKey } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { compileSelector } from '../selectors.ts'
import { unlessGone } from '../status-error.ts'
import { countEnded, release, tallyPods, type Tally } from './finished-pods.ts'
import { countsByIndex, failureMarks, pauseMs, retryAtMs } from './index-failures.ts'
import { renderIndexes } from './indexes.ts'
import { isTracked, jobPod, trackingFinalizer } from './job-pods.ts'
import { isIndexed, isSuspended, planJob, type JobPlan } from './job-plan.ts'

const component = 'job-controller'
const writesAtOnce = 32
const countDelayMs = 20
const ownName = 'kubernetes.io/job-controller'

/** The failures of a Job since its last success, for the pause before the next pod. */
interface Backoff {
  readonly failures: number
  readonly untilMs: number
}

/**
 * Runs Jobs to their completions, or to their limits.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 * Differs from Kubernetes in creating all missing pods at once, without slow start and without a burst limit.
 */
export const startJobs = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const jobs = face.peek<JobObject>('batch', 'jobs')
  const pods = face.peek<PodObject>('', 'pods')
  const backoffs = new Map<string, Backoff>()

  // Jobs for which a pod without controller was seen: only they walk their whole namespace.
  const withOrphans = new Set<string>()

  const ownPods = (job: JobObject): ReadonlyArray<PodObject> =>
    [...pods.ownedBy(job.metadata.uid)].filter((pod) => controllerOf(pod)?.uid === job.metadata.uid)

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const job = jobs.get(name, namespace)
    if (job === undefined) return void withOrphans.delete(key)
    if (isFinished(job)) return cleanUp(job, key)
    if (isManagedElsewhere(job)) return
    if (job.metadata.deletionTimestamp === undefined) {
      const labels = compileSelector(job.spec.selector)
      const selects = ({ metadata }: PodObject) => labels(metadata.labels)
      const claiming = { owner: job, selects, finalizer: trackingFinalizer }
      await releaseStrays(face, claiming, ownPods(job))
      if (withOrphans.delete(key)) await adoptPods(face, claiming, pods.values(namespace))
    }
    await start(job)
    const known = jobs.byUid(job.metadata.uid) ?? job
    const own = ownPods(known)
    const tally = tallyPods(known, own)
    const backedOffMs = backOff(known, tally)
    const notBeforeMs = (index: number | undefined) =>
      countsByIndex(known) ? retryAtMs(tally.held.get(index ?? -1)) : backedOffMs
    const plan = planJob({ job: known, pods: own, progress: tally.progress, notBeforeMs, nowMs: clock.nowMs() })
    const isOver = plan._tag === 'Fail' || plan._tag === 'Succeed' || known.metadata.deletionTimestamp !== undefined
    const held = isOver ? new Map<number, PodObject>() : tally.held
    // What was concluded is written before the pods from which it was may go.
    await patchStatus(face, refs.jobs, known, { ...failedIndexes(known, tally), ...withVerdict(known, plan, false) })
    await countEnded(face, known, tally, held)
    await carryOut(known, plan, held)
    await writeStatus(known, plan, tally, held)
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
      const conditions = suspended('True', 'JobSuspended', 'Job suspended')
      // It begins anew when resumed, as since Kubernetes 1.36.
      await patchStatus(face, refs.jobs, job, { conditions, startTime: null })
      events.record(job, 'Normal', 'Suspended', 'Job suspended', component)
    } else if (present?.status === 'True') {
      // The deadline counts from here.
      const resumed = suspended('False', 'JobResumed', 'Job resumed')
      await patchStatus(face, refs.jobs, job, { conditions: resumed, startTime: nowText })
      events.record(job, 'Normal', 'Resumed', 'Job resumed', component)
    } else if (job.status?.startTime === undefined) await patchStatus(face, refs.jobs, job, { startTime: nowText })
  }

  /** Until when no pod is made. */
  const backOff = (job: JobObject, { newlySucceeded, newlyFailed, lastFailureMs }: Tally): number => {
    const { uid } = job.metadata
    const known = newlySucceeded > 0 ? undefined : backoffs.get(uid)
    const failures = (known?.failures ?? 0) + newlyFailed
    if (newlyFailed === 0 && known !== undefined) return known.untilMs
    if (failures === 0) {
      backoffs.delete(uid)
      return 0
    }
    const untilMs = (lastFailureMs ?? clock.nowMs()) + pauseMs(failures)
    backoffs.set(uid, { failures, untilMs })
    return untilMs
  }

  const carryOut = async (job: JobObject, plan: JobPlan, held: ReadonlyMap<number, PodObject>) => {
    switch (plan._tag) {
      case 'Fail':
      case 'Succeed':
        return removeAll(job, ownPods(job).filter(isActive), plan._tag === 'Succeed')
      case 'Suspend':
        return removeAll(job, plan.remove, true)
      case 'Run':
        await removeAll(job, plan.remove, true)
        return forEachBounded(plan.create, writesAtOnce, async (index) => {
          const marks = failureMarks(job, held.get(index ?? -1))
          const pod = await face.create(
            { ...refs.pods, namespace: job.metadata.namespace ?? '' },
            jobPod(job, index, marks),
          )
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

  /** The conditions with what a plan has decided, and with its end when the last pod has gone. */
  const withVerdict = ({ status }: JobObject, plan: JobPlan, hasEnded: boolean): Pick<JobStatus, 'conditions'> => {
    const verdict = verdictOf(plan)
    if (verdict === undefined) return {}
    const { reason, message } = verdict
    const nowText = timeText(clock.nowMs())
    const conditions = (hasEnded ? [verdict.first, verdict.last] : [verdict.first]).reduce<ReadonlyArray<Condition>>(
      (before, type) =>
        setCondition(before, { type, status: 'True', lastProbeTime: nowText, reason, message }, nowText),
      status?.conditions ?? [],
    )
    return { conditions }
  }

  const writeStatus = async (
    job: JobObject,
    plan: JobPlan,
    { progress, failedUids }: Tally,
    held: ReadonlyMap<number, PodObject>,
  ) => {
    const present = jobs.byUid(job.metadata.uid)
    if (present === undefined) return
    const own = ownPods(job)
    const active = own.filter(isActive)
    const terminating = own.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod)).length
    const hasEnded = active.length === 0 && terminating === 0 && !own.some(isTracked)
    const isNoted = Object.keys(present.status?.uncountedTerminatedPods ?? {}).length > 0
    const heldFailures = [...held.values()].filter(({ metadata }) => failedUids.includes(metadata.uid)).length
    const verdict = verdictOf(plan)
    const isComplete = verdict?.last === 'Complete' && hasEnded
    await patchStatus(face, refs.jobs, present, {
      active: active.length,
      ready: active.filter(isReady).length,
      terminating,
      succeeded: progress.succeeded,
      failed: progress.failed - heldFailures,
      uncountedTerminatedPods: isNoted ? { succeeded: null, failed: null } : {},
      ...(isIndexed(job) ? { completedIndexes: renderIndexes(progress.completed) } : {}),
      ...withVerdict(present, plan, hasEnded),
      ...(isComplete ? { completionTime: timeText(clock.nowMs()) } : {}),
    })
    if (verdict === undefined || !hasEnded) return
    backoffs.delete(job.metadata.uid)
    if (isComplete) events.record(job, 'Normal', 'Completed', 'Job completed', component)
    else events.record(job, 'Warning', verdict.reason, verdict.message, component)
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
      return
    }
    if (type === 'ADDED') withOrphans.add(keyOf(object))
    queue.add(keyOf(object))
  })
  informers.on<PodObject>(refs.pods, ({ type, object }) => {
    const owner = controllerOf(object)
    const { namespace = '', labels } = object.metadata
    if (owner?.kind === 'Job' && isOfJob(object)) return queue.addAfter(`${namespace}/${owner.name}`, countDelayMs)
    if (isTracked(object)) orphans.add(keyOf(object))
    if (owner !== undefined || type === 'DELETED') return
    for (const job of jobs.values(namespace)) {
      if (isFinished(job) || !compileSelector(job.spec.selector)(labels)) continue
      withOrphans.add(keyOf(job))
      queue.addAfter(keyOf(job), countDelayMs)
    }
  })
  return { stop: async () => void (await Promise.all([queue.stop(), orphans.stop()])) }
}

const finishedCondition = ({ status }: JobObject): Condition | undefined =>
  status?.conditions?.find(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True')

const failedIndexes = (job: JobObject, { progress }: Tally): Pick<JobStatus, 'failedIndexes'> =>
  countsByIndex(job) ? { failedIndexes: renderIndexes(progress.failedIndexes) } : {}

const isFinished = (job: JobObject): boolean => finishedCondition(job) !== undefined

/** Another controller has said that it runs this Job. */
const isManagedElsewhere = ({ spec }: JobObject): boolean => spec.managedBy !== undefined && spec.managedBy !== ownName

/** The conditions of a Job that ends: one when that is certain, one when its last pod is gone. */
const verdictOf = (plan: JobPlan) => {
  switch (plan._tag) {
    case 'Succeed':
      return { first: 'SuccessCriteriaMet', last: 'Complete', reason: plan.reason, message: plan.message }
    case 'Fail':
      return { first: 'FailureTarget', last: 'Failed', reason: plan.reason, message: plan.message }
    case 'Suspend':
    case 'Run':
      return undefined
  }
}
