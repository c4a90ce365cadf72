import { countsOf, makeNode, nobody, onNode, pods, untilCounts } from './benches.ts'
import { check, equal, type Body, type ContractCheck } from './contract-api.ts'
import {
  complete,
  end,
  indexKey,
  indexOf,
  job,
  jobs,
  living,
  trueConditions,
  untilLiving,
  untilTrue,
} from './job-benches.ts'
import { jobPolicyChecks } from './job-policies.ts'

/** What Jobs do about pods. Most of these end by the checks' own hand, as a kubelet would tell it. */
export const jobChecks: ReadonlyArray<ContractCheck> = [
  check('a Job labels its pods, holds them until they are counted, and is complete', async (bench) => {
    const node = await makeNode(bench)
    const made = (await bench.post(jobs(bench), job({ completions: 3, parallelism: 2 }, onNode(node)))).body
    const { uid } = made.metadata
    const labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'work',
      'controller-uid': uid,
      'job-name': 'work',
    }
    const { template: _template, ...spec } = made.spec as unknown as Readonly<Record<string, unknown>>
    equal(spec, {
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      completions: 3,
      manualSelector: false,
      parallelism: 2,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      suspend: false,
    })
    equal([made.metadata.labels, made.spec.template.metadata.labels, made.status], [labels, labels, {}])
    const path = `${jobs(bench)}/work`
    // The kubelets end the pods of Jobs by themselves.
    await untilTrue(bench, path, ...complete)
    const { status } = (await bench.get(path)).body
    equal(
      [status['succeeded'], status['terminating'], status['ready'], status['uncountedTerminatedPods']],
      [3, 0, 0, {}],
    )
    equal(countsOf((await bench.get(path)).body, ['active', 'failed']), [0, 0])
    equal(status.startTime !== undefined && status.completionTime !== undefined, true)
    const { items } = (await bench.get(pods(bench))).body
    equal(
      items.map(({ metadata }) => [metadata.labels, metadata.finalizers]),
      Array.from({ length: 3 }, () => [labels, undefined]),
    )
  }),

  check('a Job keeps as many pods going as it may, and takes back what is too many', async (bench) => {
    await bench.post(jobs(bench), job({ completions: 4, parallelism: 3 }, nobody))
    const path = `${jobs(bench)}/work`
    await untilCounts(bench, path, { active: 3, ready: 0, succeeded: 0 })
    const [first] = await living(bench)
    equal(first?.metadata.finalizers, ['batch.kubernetes.io/job-tracking'])
    await bench.patch(path, { spec: { parallelism: 1 } })
    await untilCounts(bench, path, { active: 1, failed: 0, terminating: 0 })
    const finish = async (counts: Readonly<Record<string, number>>) => {
      for (const pod of await living(bench)) await end(bench, pod, 'Succeeded')
      await untilCounts(bench, path, counts)
    }
    await finish({ active: 1, succeeded: 1 })
    await bench.patch(path, { spec: { parallelism: 5 } })
    await untilCounts(bench, path, { active: 3, succeeded: 1 })
    await finish({ active: 0, succeeded: 4 })
    await untilTrue(bench, path, ...complete)
  }),

  check('a Job fails beyond its limit, and its other pods with it', async (bench) => {
    await bench.post(jobs(bench), job({ completions: 2, parallelism: 2, backoffLimit: 0 }, nobody))
    const path = `${jobs(bench)}/work`
    await untilLiving(bench, 2)
    const [first] = await living(bench)
    if (first !== undefined) await end(bench, first, 'Failed')
    await untilTrue(bench, path, 'FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded')
    const { body } = await bench.get(path)
    equal([countsOf(body, ['active', 'failed', 'succeeded']), body.status.completionTime], [[0, 2, 0], undefined])
    equal(
      body.status.conditions?.map(({ message }) => message),
      ['Job has reached the specified backoff limit', 'Job has reached the specified backoff limit'],
    )
    equal(
      (await bench.get(pods(bench))).body.items.map(({ status, metadata }) => [status.phase, metadata.finalizers]),
      [['Failed', undefined]],
    )
  }),

  check('a Job counts a pod that is deleted as failed, and makes the next one later', async (bench) => {
    await bench.post(jobs(bench), job({}, nobody))
    await untilLiving(bench, 1)
    const [pod] = await living(bench)
    await bench.delete(`${pods(bench)}/${pod?.metadata.name}`)
    await untilCounts(bench, `${jobs(bench)}/work`, { active: 0, failed: 1 })
    equal(await living(bench), [])
  }),

  check('a Job fails at its deadline', async (bench) => {
    await bench.post(jobs(bench), job({ activeDeadlineSeconds: 1 }, nobody))
    const path = `${jobs(bench)}/work`
    await untilTrue(bench, path, 'FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded')
    equal(countsOf((await bench.get(path)).body, ['active', 'failed', 'terminating']), [0, 1, 0])
  }),

  check('a Job that is suspended has no pods, and begins anew when resumed', async (bench) => {
    const path = `${jobs(bench)}/work`
    await bench.post(jobs(bench), job({ suspend: true }, nobody))
    await untilTrue(bench, path, 'Suspended JobSuspended')
    equal([(await living(bench)).length, (await bench.get(path)).body.status.startTime], [0, undefined])
    // Until it has begun it may be told where its pods go.
    equal((await bench.patch(path, { spec: { template: { spec: { nodeSelector: { zone: 'a' } } } } })).status, 200)
    await bench.patch(path, { spec: { suspend: false } })
    await untilCounts(bench, path, { active: 1 })
    const { status } = (await bench.get(path)).body
    equal([status.startTime !== undefined, trueConditions((await bench.get(path)).body)], [true, []])
    equal(
      status.conditions?.map(({ type, status: holds, reason }) => [type, holds, reason]),
      [['Suspended', 'False', 'JobResumed']],
    )
    await bench.patch(path, { spec: { suspend: true } })
    await untilCounts(bench, path, { active: 0, failed: 0, terminating: 0 })
    await untilTrue(bench, path, 'Suspended JobSuspended')
  }),

  check('an indexed Job has one pod for each index, and tells which have succeeded', async (bench) => {
    const path = `${jobs(bench)}/work`
    await bench.post(jobs(bench), job({ completions: 4, parallelism: 3, completionMode: 'Indexed' }, nobody))
    await untilLiving(bench, 3)
    const present = await living(bench)
    equal(new Set(present.map(indexOf)), new Set(['0', '1', '2']))
    const second = present.find((each) => indexOf(each) === '1')
    equal(
      [second?.metadata.labels?.[indexKey], second?.metadata.name.startsWith('work-1-'), second?.spec.hostname],
      ['1', true, 'work-1'],
    )
    equal(
      second?.spec.containers[0]?.env?.map((variable) => JSON.stringify(variable).includes(indexKey)),
      [true],
    )
    const succeed = async (index: string, completed: string, active: number) => {
      await untilLiving(bench, active)
      const pod = (await living(bench)).find((each) => indexOf(each) === index)
      if (pod !== undefined) await end(bench, pod, 'Succeeded')
      await bench.until(
        `${completed} have succeeded`,
        async () => (await bench.get(path)).body.status['completedIndexes'] === completed,
      )
    }
    await succeed('1', '1', 3)
    await succeed('0', '0,1', 3)
    await succeed('3', '0,1,3', 2)
    await succeed('2', '0-3', 1)
    await untilTrue(bench, path, ...complete)
    equal(countsOf((await bench.get(path)).body, ['succeeded', 'failed', 'active']), [4, 0, 0])
  }),

  check('a Job without completions makes no more pods after the first success', async (bench) => {
    const path = `${jobs(bench)}/work`
    const made = await bench.post(jobs(bench), job({ parallelism: 2 }, nobody))
    equal(made.body.spec.completions, undefined)
    await untilLiving(bench, 2)
    const [first, second] = await living(bench)
    if (first !== undefined) await end(bench, first, 'Succeeded')
    await untilCounts(bench, path, { active: 1, succeeded: 1 })
    equal(trueConditions((await bench.get(path)).body), [])
    if (second !== undefined) await end(bench, second, 'Succeeded')
    await untilTrue(bench, path, ...complete)
    equal((await bench.get(pods(bench))).body.items.length, 2)
  }),

  check('a Job leaves its pods behind unless told otherwise, and none of them held', async (bench) => {
    const path = `${jobs(bench)}/work`
    const isGone = async () => (await bench.get(path)).status === 404
    await bench.post(jobs(bench), job({}, nobody))
    await untilLiving(bench, 1)
    await bench.delete(path)
    await bench.until('the Job is gone', isGone)
    await bench.until('its pod is free', async () =>
      (await living(bench)).every(({ metadata }) => metadata.finalizers === undefined),
    )
    equal(
      (await living(bench)).map(({ metadata }) => metadata.ownerReferences),
      [undefined],
    )
    await bench.post(jobs(bench), job({}, nobody))
    await untilLiving(bench, 2)
    await bench.delete(`${path}?propagationPolicy=Background`)
    await bench.until('the Job is gone', isGone)
    await untilLiving(bench, 1)
    await bench.post(jobs(bench), job({}, nobody))
    await untilLiving(bench, 2)
    await bench.delete(`${path}?propagationPolicy=Foreground`)
    await bench.until('the Job is gone', isGone)
    equal((await living(bench)).length, 1)
  }),

  check('a Job goes with its pods when its time after the end is over', async (bench) => {
    const node = await makeNode(bench)
    await bench.post(jobs(bench), job({ ttlSecondsAfterFinished: 1 }, onNode(node)))
    await bench.until('the Job is gone', async () => (await bench.get(`${jobs(bench)}/work`)).status === 404)
    await bench.until('so is its pod', async () => (await bench.get(pods(bench))).body.items.length === 0)
  }),

  check('what a Job is made of cannot change, and no Job runs for ever', async (bench) => {
    const fields = (answer: { readonly status: number; readonly body: Body }) => [
      answer.status,
      ...answer.body.details.causes.map(({ reason, field }) => `${reason} ${field}`),
    ]
    equal(fields(await bench.post(jobs(bench), job({}, { restartPolicy: 'Always' }))), [
      422,
      'FieldValueRequired spec.template.spec.restartPolicy',
    ])
    equal(fields(await bench.post(jobs(bench), job({ completionMode: 'Indexed', parallelism: 1 }, {}))), [
      422,
      'FieldValueRequired spec.completions',
    ])
    equal(fields(await bench.post(jobs(bench), job({ backoffLimit: -1 }, {}))), [
      422,
      'FieldValueInvalid spec.backoffLimit',
    ])
    await bench.post(jobs(bench), job({}, nobody))
    await untilLiving(bench, 1)
    const path = `${jobs(bench)}/work`
    equal(fields(await bench.patch(path, { spec: { completions: 2 } })), [422, 'FieldValueInvalid spec.completions'])
    equal(fields(await bench.patch(path, { spec: { completionMode: 'Indexed' } })), [
      422,
      'FieldValueInvalid spec.completionMode',
    ])
    equal(fields(await bench.patch(path, { spec: { template: { spec: { priorityClassName: 'x' } } } })), [
      422,
      'FieldValueInvalid spec.template',
    ])
    equal((await bench.patch(path, { spec: { parallelism: 0, backoffLimit: 1 } })).status, 200)
  }),

  ...jobPolicyChecks,
]
