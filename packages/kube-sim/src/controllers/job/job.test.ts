import { describe, expect, test } from '@jest/globals'

import { oneContainer, phaseCounts } from '../../../test/cluster-fixture.ts'
import { jobsForEach } from '../../../test/jobs-for-each.ts'
import { refs } from '../refs.ts'

const { cluster, add, change, find, job, conditions, finalizers, failing, forever, ref } = jobsForEach()
const complete = ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']
const indexes = () =>
  cluster.pods().map(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-completion-index'])

describe('a Job', () => {
  test('runs its pod once, counts it, and is complete', async () => {
    await add()
    await cluster.clock.advance(500)
    expect(job().status).toMatchObject({ active: 1, startTime: '2026-01-01T00:00:01Z' })
    expect(finalizers()).toEqual(['batch.kubernetes.io/job-tracking'])
    await cluster.clock.advance(5000)
    expect(phaseCounts(cluster.pods())).toEqual({ Succeeded: 1 })
    expect(job().status).toMatchObject({ active: 0, succeeded: 1, failed: 0, completionTime: expect.any(String) })
    expect(job().status?.uncountedTerminatedPods).toEqual({})
    expect([conditions(), finalizers()]).toEqual([complete, []])
  })

  test('finds its pods by a selector of its own, and labels them old and new', async () => {
    const { metadata, spec } = await add({}, forever)
    const { uid } = metadata
    await cluster.clock.advance(500)
    const labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'work',
      'controller-uid': uid,
      'job-name': 'work',
    }
    expect(cluster.pods().map((pod) => pod.metadata.labels)).toEqual([labels])
    expect(metadata.labels).toEqual(labels)
    expect(spec).toMatchObject({
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
    })
  })

  test('never runs more pods than its parallelism, and counts each once', async () => {
    await add({ completions: 7, parallelism: 3 })
    let most = 0
    for (let step = 0; step < 60; step += 1) {
      await cluster.clock.advance(250)
      most = Math.max(
        most,
        (phaseCounts(cluster.pods())['Pending'] ?? 0) + (phaseCounts(cluster.pods())['Running'] ?? 0),
      )
    }
    expect([most, job().status?.succeeded, cluster.pods().length]).toEqual([3, 7, 7])
    expect(conditions()).toEqual(complete)
  })

  test('follows its parallelism up and down, without counting what it takes back as failed', async () => {
    await add({ completions: 5, parallelism: 1 }, forever)
    await cluster.clock.advance(3000)
    await change({ parallelism: 4 })
    await cluster.clock.advance(3000)
    expect(job().status).toMatchObject({ active: 4, ready: 4 })
    await change({ parallelism: 2 })
    await cluster.clock.advance(5000)
    expect([job().status, cluster.pods().length]).toMatchObject([{ active: 2, failed: 0, terminating: 0 }, 2])
  })

  test('without completions makes no more pods after the first success, and waits for the others', async () => {
    await add({ parallelism: 3 }, forever)
    await cluster.clock.advance(3000)
    const [first, ...others] = cluster.pods()
    const end = (name = '') =>
      cluster.face.patch({ ...refs.pods, namespace: 'default', name, subresource: 'status' }, 'merge', {
        status: { phase: 'Succeeded' },
      })
    await end(first?.metadata.name)
    await cluster.clock.advance(30_000)
    expect([job().status, conditions()]).toMatchObject([{ active: 2, succeeded: 1 }, []])
    for (const pod of others) await end(pod.metadata.name)
    await cluster.clock.advance(1000)
    expect([job().status?.succeeded, conditions()]).toEqual([3, complete])
  })

  test('tries again after ever longer pauses, and fails beyond its limit', async () => {
    await add({ backoffLimit: 2 }, failing)
    const made: Array<number> = []
    for (let second = 0; second < 60; second += 1) {
      await cluster.clock.advance(1000)
      if (cluster.pods().length > made.length) made.push(second)
    }
    const [first = 0, second = 0, third = 0] = made
    expect(made).toHaveLength(3)
    expect([second - first >= 10, third - second >= 20]).toEqual([true, true])
    expect(job().status).toMatchObject({ active: 0, failed: 3, succeeded: 0 })
    expect(job().status?.completionTime).toBeUndefined()
    expect(conditions()).toEqual(['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
    expect(finalizers()).toEqual([])
  })

  test('fails at its deadline, once its pods are gone', async () => {
    await add({ parallelism: 2, completions: 2, activeDeadlineSeconds: 10 }, forever)
    await cluster.clock.advance(10_500)
    expect(conditions()).toEqual(['FailureTarget DeadlineExceeded'])
    expect(job().status).toMatchObject({ active: 0, terminating: 2 })
    await cluster.clock.advance(3000)
    expect(conditions()).toEqual(['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded'])
    expect([job().status, cluster.pods()]).toMatchObject([{ failed: 2, terminating: 0 }, []])
  })

  test('counts an evicted pod as failed and replaces it; one that waits replaces it when it has ended', async () => {
    await add({ podReplacementPolicy: 'Failed', backoffLimit: 1 }, { ...forever, 'sim.scantling.sh/stop-after': '20s' })
    await cluster.clock.advance(3000)
    const [pod] = cluster.pods()
    const name = pod?.metadata.name ?? ''
    await cluster.face.create(
      { ...refs.pods, namespace: 'default', name, subresource: 'eviction' },
      { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
    )
    await cluster.clock.advance(15_000)
    expect([cluster.pods().length, job().status]).toMatchObject([1, { active: 0, failed: 0, terminating: 1 }])
    await cluster.clock.advance(20_000)
    expect(job().status).toMatchObject({ active: 1, failed: 1, terminating: 0 })
    expect(cluster.pods().map(({ metadata }) => metadata.name)).not.toContain(name)
  })

  test('waits suspended, goes on when resumed, and its deadline counts from then', async () => {
    await add({ suspend: true, activeDeadlineSeconds: 60 }, forever)
    await cluster.clock.advance(100_000)
    expect([cluster.pods(), conditions(), job().status?.startTime]).toEqual([[], ['Suspended JobSuspended'], undefined])
    await change({ suspend: false })
    await cluster.clock.advance(3000)
    expect([job().status?.active, conditions()]).toEqual([1, []])
    await change({ suspend: true })
    await cluster.clock.advance(100_000)
    expect([cluster.pods().length, job().status?.failed, conditions()]).toEqual([0, 0, ['Suspended JobSuspended']])
    expect(job().status?.startTime).toBeUndefined()
    await change({ suspend: false })
    await cluster.clock.advance(3000)
    expect(job().status).toMatchObject({ active: 1 })
    await cluster.clock.advance(70_000)
    expect(conditions()).toContain('Failed DeadlineExceeded')
  })

  test('goes when its time after the end is over, with its pods', async () => {
    await add({ ttlSecondsAfterFinished: 30 })
    await cluster.clock.advance(20_000)
    expect(conditions()).toEqual(complete)
    await cluster.clock.advance(30_000)
    expect([find(), cluster.pods()]).toEqual([undefined, []])
  })

  test('leaves its pods behind unless told otherwise, and holds none of them', async () => {
    await add({}, forever)
    await cluster.clock.advance(3000)
    await cluster.face.delete(ref)
    await cluster.clock.advance(5000)
    expect([find(), finalizers(), phaseCounts(cluster.pods())]).toEqual([undefined, [], { Running: 1 }])
    await add({}, forever)
    await cluster.clock.advance(3000)
    await cluster.face.delete(ref, { propagationPolicy: 'Background' })
    await cluster.clock.advance(5000)
    expect(phaseCounts(cluster.pods())).toEqual({ Running: 1 })
  })

  test('goes after its pods in the foreground', async () => {
    await add({ parallelism: 2, completions: 2 }, forever)
    await cluster.clock.advance(3000)
    await cluster.face.delete(ref, { propagationPolicy: 'Foreground' })
    await cluster.clock.advance(100)
    expect(find()).toBeDefined()
    await cluster.clock.advance(5000)
    expect([find(), cluster.pods()]).toEqual([undefined, []])
  })
})

describe('an indexed Job', () => {
  test('gives each pod its index, replaces what failed, and tells which succeeded', async () => {
    await add({ completions: 4, parallelism: 2, completionMode: 'Indexed' }, forever)
    await cluster.clock.advance(3000)
    expect(indexes()).toEqual(['0', '1'])
    const pod = cluster.pods().find(({ metadata }) => metadata.name.startsWith('work-1-'))
    expect(pod?.metadata.annotations?.['batch.kubernetes.io/job-completion-index']).toBe('1')
    expect(pod?.spec).toMatchObject({
      hostname: 'work-1',
      containers: [
        {
          env: [
            {
              name: 'JOB_COMPLETION_INDEX',
              valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
            },
          ],
        },
      ],
    })
    const end = (index: number, phase: string) => {
      const name = cluster
        .pods()
        .find(({ metadata, status }) => metadata.name.startsWith(`work-${index}-`) && status?.phase === 'Running')
        ?.metadata.name
      return cluster.face.patch(
        { ...refs.pods, namespace: 'default', name: name ?? '', subresource: 'status' },
        'merge',
        { status: { phase } },
      )
    }
    await end(1, 'Succeeded')
    await cluster.clock.advance(3000)
    expect([job().status?.completedIndexes, indexes()]).toEqual(['1', ['0', '1', '2']])
    await end(0, 'Failed')
    await cluster.clock.advance(15_000)
    expect(job().status).toMatchObject({ succeeded: 1, failed: 1, active: 2 })
    for (const index of [0, 2]) await end(index, 'Succeeded')
    await cluster.clock.advance(15_000)
    await end(3, 'Succeeded')
    await cluster.clock.advance(1000)
    expect(job().status).toMatchObject({ completedIndexes: '0-3', succeeded: 4, failed: 1 })
    expect(conditions()).toEqual(complete)
  })

  test('needs completions, and no Job runs pods for ever or changes what it is made of', async () => {
    const refused = async (attempt: Promise<unknown>) =>
      attempt.then(
        () => 'accepted',
        (error: { readonly causes: ReadonlyArray<{ readonly field: string }> }) =>
          error.causes.map(({ field }) => field),
      )
    expect(await refused(add({ parallelism: 1, completionMode: 'Indexed' }))).toEqual(['spec.completions'])
    const always = { template: { spec: { ...oneContainer(), restartPolicy: 'Always' } } }
    expect(await refused(add(always))).toEqual(['spec.template.spec.restartPolicy'])
    expect(await refused(add({ parallelism: -1 }))).toEqual(['spec.parallelism'])
    expect(await refused(add({ selector: { matchLabels: { app: 'mine' } } }))).toEqual(['spec.selector'])
    await add({}, forever)
    await cluster.clock.advance(100)
    expect(await refused(change({ completions: 3 }))).toEqual(['spec.completions'])
    expect(await refused(change({ template: { metadata: { labels: { new: 'one' } } } }))).toEqual(['spec.template'])
    expect(await refused(change({ backoffLimit: 3, parallelism: 2 }))).toBe('accepted')
  })
})
