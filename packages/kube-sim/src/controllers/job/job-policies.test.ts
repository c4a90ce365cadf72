import { describe, expect, test } from '@jest/globals'

import { oneContainer } from '../../../test/cluster-fixture.ts'
import { jobsForEach } from '../../../test/jobs-for-each.ts'
import type { JobObject, PodFailureRule, PodObject } from '../objects.ts'
import { refs } from '../refs.ts'
import { endedAtMs, failureMarks, pauseMs } from './index-failures.ts'
import { indexOf } from './job-pods.ts'
import { judgeFailure } from './pod-failure-policy.ts'
import { metSuccessRule } from './success-policy.ts'

const meta = { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
const podWith = (status: PodObject['status'], metadata: object = {}): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...meta, ...metadata },
  spec: {},
  ...(status === undefined ? {} : { status }),
})
const jobWith = (spec: JobObject['spec']): JobObject => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: meta, spec })
const exited = (name: string, exitCode: number, finishedAt = '2026-01-01T00:01:00Z') => ({
  name,
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, finishedAt } },
})

describe('judgeFailure()', () => {
  const judge = (rules: ReadonlyArray<PodFailureRule>, status: PodObject['status']) =>
    judgeFailure(jobWith({ podFailurePolicy: { rules } }), podWith(status))
  const onCodes = (action: string, operator: string, values: ReadonlyArray<number>, containerName?: string) => ({
    action,
    onExitCodes: { operator, values, ...(containerName === undefined ? {} : { containerName }) },
  })

  test('counts what no rule names', () => {
    expect(judge([], { containerStatuses: [exited('main', 1)] })).toEqual({ _tag: 'Count' })
    expect(judge([onCodes('Ignore', 'In', [2])], { containerStatuses: [exited('main', 1)] })).toEqual({ _tag: 'Count' })
  })

  test('goes by the first rule that the pod meets, and says in words why a Job fails', () => {
    const rules = [onCodes('FailJob', 'In', [42]), onCodes('Ignore', 'NotIn', [1])]
    expect(judge(rules, { containerStatuses: [exited('side', 7), exited('main', 42)] })).toEqual({
      _tag: 'FailJob',
      message: 'Container main for pod n/p failed with exit code 42 matching FailJob rule at index 0',
    })
    expect(judge(rules, { containerStatuses: [exited('main', 7)] })).toEqual({ _tag: 'Ignore' })
  })

  test('blames only containers that have ended badly, those that run first included', () => {
    const rules = [onCodes('FailIndex', 'NotIn', [1])]
    expect(judge(rules, { containerStatuses: [exited('main', 0)] })).toEqual({ _tag: 'Count' })
    expect(judge(rules, { containerStatuses: [{ name: 'main', ready: true, restartCount: 0 }] })).toEqual({
      _tag: 'Count',
    })
    expect(judge(rules, { initContainerStatuses: [exited('init', 2)] })).toEqual({ _tag: 'FailIndex' })
    const named = [onCodes('FailIndex', 'In', [2], 'main')]
    expect(judge(named, { containerStatuses: [exited('side', 2)] })).toEqual({ _tag: 'Count' })
  })

  test('knows conditions by type and status', () => {
    const rules = [{ action: 'FailJob', onPodConditions: [{ type: 'Config', status: 'False' }, { type: 'Lost' }] }]
    expect(judge(rules, { conditions: [{ type: 'Config', status: 'True' }] })).toEqual({ _tag: 'Count' })
    expect(judge(rules, { conditions: [{ type: 'Lost', status: 'True' }] })).toEqual({
      _tag: 'FailJob',
      message: 'Pod n/p has condition Lost matching FailJob rule at index 0',
    })
  })
})

describe('metSuccessRule()', () => {
  test.each([
    [[{ succeededIndexes: '0-2' }], [0, 1], undefined],
    [[{ succeededIndexes: '0-2' }], [0, 1, 2], 0],
    [[{ succeededIndexes: '0-2', succeededCount: 1 }], [3], undefined],
    [[{ succeededIndexes: '0-2', succeededCount: 1 }], [1], 0],
    [[{ succeededIndexes: '4' }, { succeededCount: 2 }], [0, 1], 1],
    [[{ succeededCount: 0 }], [], undefined],
    [[], [0, 1, 2, 3, 4], undefined],
  ])('%j with %j', (rules, completed, expected) => {
    expect(metSuccessRule({ rules }, 5, new Set(completed))).toBe(expected)
  })
})

describe('an index that fails', () => {
  const ignoring = { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'Lost' }] }] } }
  const failures = (count: string, ignored: string) => ({
    annotations: {
      'batch.kubernetes.io/job-index-failure-count': count,
      'batch.kubernetes.io/job-index-ignored-failure-count': ignored,
    },
  })

  test('tells its next pod how often it has failed, ignored failures apart', () => {
    const marks = (pod?: PodObject, spec: JobObject['spec'] = {}) =>
      Object.values(failureMarks(jobWith({ backoffLimitPerIndex: 3, ...spec }), pod))
    expect(marks()).toEqual(['0'])
    expect(marks(podWith(undefined, failures('1', '0')))).toEqual(['2'])
    const lost = podWith({ conditions: [{ type: 'Lost', status: 'True' }] }, failures('1', '4'))
    expect(marks(lost, ignoring)).toEqual(['1', '5'])
    expect(failureMarks(jobWith({}), lost)).toEqual({})
  })

  test('pauses twice as long each time, at most 10 minutes, from when its pod ended', () => {
    expect([1, 2, 3, 7, 60].map(pauseMs)).toEqual([10_000, 20_000, 40_000, 600_000, 600_000])
    const at = (text: string) => Date.parse(`2026-01-01T${text}Z`)
    const ready = { type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:02:00Z' }
    const containerStatuses = [exited('a', 1), exited('b', 0, '2026-01-01T00:01:30Z')]
    expect(endedAtMs(podWith({ containerStatuses, conditions: [ready] }))).toBe(at('00:01:30'))
    expect(endedAtMs(podWith({ conditions: [ready] }))).toBe(at('00:02:00'))
    const deletion = { deletionTimestamp: '2026-01-01T00:05:00Z', deletionGracePeriodSeconds: 30 }
    expect(endedAtMs(podWith({}, deletion))).toBe(at('00:04:30'))
    expect(endedAtMs(podWith({}))).toBe(at('00:00:00'))
  })
})

describe('a Job with policies', () => {
  const { cluster, add, job, conditions, finalizers, failing, forever, ref } = jobsForEach()
  const indexes = () => cluster.pods().map(indexOf)
  const patchStatus = (pod: PodObject | undefined, status: object) =>
    cluster.face.patch(
      { ...refs.pods, namespace: 'default', name: pod?.metadata.name ?? '', subresource: 'status' },
      'merge',
      { status },
    )

  test('fails at once by its exit code, and what it takes down has failed, too', async () => {
    const podFailurePolicy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3] } }] }
    await add({ completions: 3, parallelism: 3, podFailurePolicy }, forever)
    await cluster.clock.advance(3000)
    await patchStatus(cluster.pods()[0], { phase: 'Failed', containerStatuses: [exited('main', 3)] })
    await cluster.clock.advance(100)
    expect(conditions()).toEqual(['FailureTarget PodFailurePolicy'])
    await cluster.clock.advance(3000)
    expect(conditions()).toEqual(['FailureTarget PodFailurePolicy', 'Failed PodFailurePolicy'])
    expect([job().status, finalizers()]).toMatchObject([{ failed: 3, active: 0 }, []])
  })

  test('fails when its containers have been restarted too often in their pod', async () => {
    const template = {
      metadata: { annotations: { ...failing, 'sim.scantling.sh/run-for': '3s' } },
      spec: { ...oneContainer(), restartPolicy: 'OnFailure' },
    }
    await add({ backoffLimit: 2, template })
    await cluster.clock.advance(12_000)
    expect([job().status, conditions(), cluster.pods().length]).toMatchObject([{ active: 1, failed: 0 }, [], 1])
    await cluster.clock.advance(15_000)
    expect(conditions()).toEqual(['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
    expect([job().status?.failed, cluster.pods()]).toEqual([1, []])
  })

  test('replaces an evicted pod without counting it, once it has ended', async () => {
    const podFailurePolicy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] }
    await add({ backoffLimit: 0, podFailurePolicy }, forever)
    await cluster.clock.advance(3000)
    const name = cluster.pods()[0]?.metadata.name ?? ''
    await cluster.face.create(
      { ...refs.pods, namespace: 'default', name, subresource: 'eviction' },
      { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
    )
    await cluster.clock.advance(15_000)
    expect([job().status, conditions()]).toMatchObject([{ active: 1, failed: 0 }, []])
    expect(cluster.pods().map(({ metadata }) => metadata.name)).not.toContain(name)
  })

  test('gives each index its own tries and pauses, and fails when only failed ones are left', async () => {
    const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
    await add(spec, { ...failing, 'sim.scantling.sh/run-for': '4s' })
    await cluster.clock.advance(9000)
    // Neither counted nor let go before the next pod knows.
    expect([job().status?.failed, finalizers().length, indexes()]).toEqual([0, 2, [0, 1]])
    await cluster.clock.advance(9000)
    expect([job().status?.failed, indexes().toSorted((a = 0, b = 0) => a - b)]).toEqual([2, [0, 0, 1, 1]])
    await cluster.clock.advance(12_000)
    expect(job().status).toMatchObject({ failed: 4, failedIndexes: '0,1', completedIndexes: '' })
    expect([conditions(), finalizers()]).toEqual([['FailureTarget FailedIndexes', 'Failed FailedIndexes'], []])
  })

  test('lets the waiting pods of failed indexes go with it', async () => {
    const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
    await add(spec, failing)
    await cluster.clock.advance(5000)
    expect(finalizers()).toHaveLength(2)
    await cluster.face.delete(ref, { propagationPolicy: 'Orphan' })
    await cluster.clock.advance(1000)
    expect(finalizers()).toEqual([])
  })

  test('is complete when enough of its indexes are, and counts none that it takes down as failed', async () => {
    const successPolicy = { rules: [{ succeededIndexes: '1' }] }
    await add({ completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy }, forever)
    await cluster.clock.advance(3000)
    await patchStatus(
      cluster.pods().find((pod) => indexOf(pod) === 1),
      { phase: 'Succeeded' },
    )
    await cluster.clock.advance(4000)
    expect(conditions()).toEqual(['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'])
    expect([job().status, indexes()]).toMatchObject([{ succeeded: 1, failed: 0, completedIndexes: '1' }, [1]])
  })

  test('is left alone when another manages it, but goes in time when that one has finished it', async () => {
    await add({ managedBy: 'example.com/queue', ttlSecondsAfterFinished: 10 })
    await cluster.clock.advance(5000)
    expect([cluster.pods(), job().status]).toEqual([[], {}])
    const lastTransitionTime = new Date(cluster.clock.nowMs()).toISOString()
    await cluster.face.patch({ ...ref, subresource: 'status' }, 'merge', {
      status: { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] },
    })
    await cluster.clock.advance(15_000)
    expect(cluster.face.peek('batch', 'jobs').get('work', 'default')).toBeUndefined()
  })

  test('takes the pods that it selects, and lets go of those that have other labels', async () => {
    await cluster.addPod(
      'mine',
      { ...oneContainer(), restartPolicy: 'Never' },
      { labels: { app: 'work' }, annotations: forever },
    )
    await cluster.addPod('not-mine', { ...oneContainer(), restartPolicy: 'Never' }, { labels: { app: 'other' } })
    const template = {
      metadata: { labels: { app: 'work' }, annotations: forever },
      spec: { ...oneContainer(), restartPolicy: 'Never' },
    }
    await add({
      manualSelector: true,
      selector: { matchLabels: { app: 'work' } },
      completions: 2,
      parallelism: 2,
      template,
    })
    await cluster.clock.advance(3000)
    const owners = () =>
      cluster.pods().map(({ metadata }) => `${metadata.name.slice(0, 8)} ${metadata.ownerReferences?.[0]?.name}`)
    expect(
      owners()
        .toSorted()
        .map((text) => text.replace(/^work-\w+/, 'work')),
    ).toEqual(['mine work', 'not-mine undefined', 'work work'])
    await cluster.addPod(
      'late',
      { ...oneContainer(), restartPolicy: 'Never' },
      { labels: { app: 'work' }, annotations: forever },
    )
    await cluster.clock.advance(3000)
    // One too many goes.
    expect(job().status).toMatchObject({ active: 2, failed: 0 })
    await cluster.face.patch({ ...refs.pods, namespace: 'default', name: 'mine' }, 'merge', {
      metadata: { labels: null },
    })
    await cluster.clock.advance(3000)
    expect(cluster.pod('mine').metadata.ownerReferences ?? []).toEqual([])
    expect(cluster.pod('mine').metadata.finalizers ?? []).toEqual([])
    expect(job().status).toMatchObject({ active: 2, failed: 0 })
  })
})
