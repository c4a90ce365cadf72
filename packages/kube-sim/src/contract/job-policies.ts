import { systemClock } from '@scantling/provider-kit'
import { countsOf, nobody, pods, untilCounts } from './benches.ts'
import { check, equal, type Answer, type Bench, type Body, type ContractCheck } from './contract-api.ts'
import { end, indexOf, job, jobs, living, trueConditions, untilLiving, untilTrue } from './job-benches.ts'

// So long ago that no pause is left to wait for.
const longAgo = [{ type: 'Ready', status: 'False', lastTransitionTime: '2020-01-01T00:00:00Z' }]
const failedWith = (exitCode: number) => ({
  conditions: longAgo,
  containerStatuses: [
    {
      name: 'main',
      image: 'one',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode, finishedAt: '2020-01-01T00:00:00Z' } },
    },
  ],
})
const disrupted = { conditions: [...longAgo, { type: 'DisruptionTarget', status: 'True', reason: 'ByHand' }] }
const failuresKey = 'batch.kubernetes.io/job-index-failure-count'
const ignoredKey = 'batch.kubernetes.io/job-index-ignored-failure-count'

const ofIndex = async (bench: Bench, index: string): Promise<Body> => {
  let found: Body | undefined
  await bench.until(`index ${index} has a pod`, async () => {
    found = (await living(bench)).find((each) => indexOf(each) === index)
    return found !== undefined
  })
  return found as Body
}
const failAgain = async (bench: Bench, { metadata }: Body, index: string, more: object): Promise<Body> => {
  await end(bench, { metadata } as Body, 'Failed', more)
  await bench.until(`index ${index} has another pod`, async () => {
    const next = (await living(bench)).find((each) => indexOf(each) === index)
    return next !== undefined && next.metadata.uid !== metadata.uid
  })
  return ofIndex(bench, index)
}
const marksOf = ({ metadata }: Body) => [metadata.annotations?.[failuresKey], metadata.annotations?.[ignoredKey]]
const messages = ({ status }: Body) => (status.conditions ?? []).map(({ message }) => message)
const causes = ({ status, body }: Answer) => [
  status,
  ...(body.details?.causes ?? []).map(({ reason, field }) => `${reason} ${field}`).toSorted(),
]

/** What a Job says of failures, of success, and of who runs it. */
export const jobPolicyChecks: ReadonlyArray<ContractCheck> = [
  check('a Job fails at once with an exit code that its policy names, and counts all its pods', async (bench) => {
    const path = `${jobs(bench)}/work`
    const rules = [
      { action: 'Ignore', onExitCodes: { containerName: 'main', operator: 'In', values: [7] } },
      { action: 'FailJob', onExitCodes: { operator: 'NotIn', values: [7, 8] } },
    ]
    const made = await bench.post(
      jobs(bench),
      job({ completions: 2, parallelism: 2, podFailurePolicy: { rules } }, nobody),
    )
    equal((made.body.spec as { readonly podReplacementPolicy?: string }).podReplacementPolicy, 'Failed')
    await untilLiving(bench, 2)
    const [first] = await living(bench)
    if (first !== undefined) await end(bench, first, 'Failed', failedWith(42))
    await untilTrue(bench, path, 'FailureTarget PodFailurePolicy', 'Failed PodFailurePolicy')
    const { body } = await bench.get(path)
    const name = `${bench.namespace}/${first?.metadata.name}`
    const message = `Container main for pod ${name} failed with exit code 42 matching FailJob rule at index 1`
    equal(
      [countsOf(body, ['active', 'failed', 'succeeded']), messages(body)],
      [
        [0, 2, 0],
        [message, message],
      ],
    )
  }),

  check('a Job ignores failures as its policy says, and replaces what it ignores', async (bench) => {
    const path = `${jobs(bench)}/work`
    const rules = [
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
      { action: 'Count', onExitCodes: { operator: 'In', values: [3] } },
      { action: 'FailJob', onPodConditions: [{ type: 'Ready', status: 'False' }] },
    ]
    const made = await bench.post(jobs(bench), job({ backoffLimit: 0, podFailurePolicy: { rules } }, nobody))
    equal(JSON.stringify(made.body.spec).includes('{"type":"DisruptionTarget","status":"True"}'), true)
    await untilLiving(bench, 1)
    const [first] = await living(bench)
    if (first !== undefined) await end(bench, first, 'Failed', disrupted)
    await bench.until('the next one waits', async () => {
      const [next] = await living(bench)
      return next !== undefined && next.metadata.uid !== first?.metadata.uid
    })
    await untilCounts(bench, path, { active: 1, failed: 0 })
    const [second] = await living(bench)
    if (second !== undefined) await end(bench, second, 'Failed', failedWith(3))
    await untilTrue(bench, path, 'Failed BackoffLimitExceeded')
    equal(countsOf((await bench.get(path)).body, ['failed', 'active']), [1, 0])
  }),

  check('a Job fails when its containers have been restarted too often in their pod', async (bench) => {
    const path = `${jobs(bench)}/work`
    await bench.post(jobs(bench), job({ backoffLimit: 2 }, { ...nobody, restartPolicy: 'OnFailure' }))
    await untilLiving(bench, 1)
    const [pod] = await living(bench)
    const restarted = async (restartCount: number) => {
      const state = { running: { startedAt: '2020-01-01T00:00:00Z' } }
      const containerStatuses = [{ name: 'main', image: 'one', imageID: '', ready: true, restartCount, state }]
      if (pod !== undefined) await end(bench, pod, 'Running', { containerStatuses })
    }
    await restarted(1)
    await bench.pause(300)
    equal(trueConditions((await bench.get(path)).body), [])
    await restarted(2)
    await untilTrue(bench, path, 'FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded')
    equal(countsOf((await bench.get(path)).body, ['active', 'failed']), [0, 1])
  }),

  check('each index of a Job may have failures of its own, and fails the Job only at the end', async (bench) => {
    const path = `${jobs(bench)}/work`
    const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
    const podFailurePolicy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] }
    const made = (await bench.post(jobs(bench), job({ ...spec, podFailurePolicy }, nobody))).body
    equal((made.spec as { readonly backoffLimit?: number }).backoffLimit, 2 ** 31 - 1)
    await untilLiving(bench, 3)
    const first = await ofIndex(bench, '0')
    equal(marksOf(first), ['0', undefined])
    const second = await failAgain(bench, first, '0', disrupted)
    equal(marksOf(second), ['0', '1'])
    const third = await failAgain(bench, second, '0', failedWith(1))
    equal(marksOf(third), ['1', '1'])
    await untilCounts(bench, path, { active: 3, failed: 1 })
    equal((await bench.get(path)).body.status['failedIndexes'], '')
    // One that must wait to be replaced is neither counted nor let go: the next must learn its count.
    const waiting = await ofIndex(bench, '2')
    const lastTransitionTime = `${new Date(systemClock.nowMs()).toISOString().slice(0, 19)}Z`
    await end(bench, waiting, 'Failed', { conditions: longAgo.map((each) => ({ ...each, lastTransitionTime })) })
    await untilCounts(bench, path, { active: 2, failed: 1 })
    const held = (await bench.get(`${pods(bench)}/${waiting.metadata.name}`)).body.metadata.finalizers
    equal(held, ['batch.kubernetes.io/job-tracking'])
    await end(bench, third, 'Failed', failedWith(1))
    await bench.until('the index has failed', async () => (await bench.get(path)).body.status['failedIndexes'] === '0')
    await untilCounts(bench, path, { active: 1, failed: 2 })
    equal(trueConditions((await bench.get(path)).body), [])
    await end(bench, await ofIndex(bench, '1'), 'Succeeded')
    await bench.until(
      'the last waits for its end',
      async () => (await bench.get(path)).body.status['completedIndexes'] === '1',
    )
    equal(trueConditions((await bench.get(path)).body), [])
  }),

  check('a Job with nothing left but failed indexes has failed', async (bench) => {
    const path = `${jobs(bench)}/work`
    const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 3 }
    const podFailurePolicy = { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [9] } }] }
    await bench.post(jobs(bench), job({ ...spec, podFailurePolicy }, nobody))
    await untilLiving(bench, 2)
    await end(bench, await ofIndex(bench, '1'), 'Failed', failedWith(9))
    await bench.until('the index has failed', async () => (await bench.get(path)).body.status['failedIndexes'] === '1')
    await end(bench, await ofIndex(bench, '0'), 'Succeeded')
    await untilTrue(bench, path, 'FailureTarget FailedIndexes', 'Failed FailedIndexes')
    const { body } = await bench.get(path)
    equal(
      [countsOf(body, ['active', 'failed', 'succeeded']), body.status['completedIndexes'], messages(body)],
      [[0, 1, 1], '0', ['Job has failed indexes', 'Job has failed indexes']],
    )
  }),

  check('a Job ends when more of its indexes have failed than it allows', async (bench) => {
    const path = `${jobs(bench)}/work`
    const limits = { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }
    await bench.post(jobs(bench), job({ completions: 3, parallelism: 3, completionMode: 'Indexed', ...limits }, nobody))
    await untilLiving(bench, 3)
    await end(bench, await ofIndex(bench, '0'), 'Failed')
    await untilCounts(bench, path, { active: 2, failed: 1 })
    equal(trueConditions((await bench.get(path)).body), [])
    await end(bench, await ofIndex(bench, '2'), 'Failed')
    await untilTrue(bench, path, 'FailureTarget MaxFailedIndexesExceeded', 'Failed MaxFailedIndexesExceeded')
    const { body } = await bench.get(path)
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    equal(
      [countsOf(body, ['active', 'failed']), messages(body)],
      [
        [0, 3],
        [message, message],
      ],
    )
    equal(body.status['failedIndexes'], '0,2')
  }),

  check('a Job succeeds by the rule that it names, and takes down the rest', async (bench) => {
    const path = `${jobs(bench)}/work`
    const rules = [{ succeededIndexes: '0,2-3', succeededCount: 2 }, { succeededCount: 3 }]
    const spec = { completions: 5, parallelism: 5, completionMode: 'Indexed', successPolicy: { rules } }
    await bench.post(jobs(bench), job(spec, nobody))
    await untilLiving(bench, 5)
    for (const index of ['1', '2']) await end(bench, await ofIndex(bench, index), 'Succeeded')
    await untilCounts(bench, path, { active: 3, succeeded: 2 })
    equal(trueConditions((await bench.get(path)).body), [])
    await end(bench, await ofIndex(bench, '3'), 'Succeeded')
    await untilTrue(bench, path, 'SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy')
    const { body } = await bench.get(path)
    equal(
      [countsOf(body, ['active', 'succeeded', 'failed']), body.status['completedIndexes'], messages(body)],
      [[0, 3, 0], '1-3', ['Matched rules at index 0', 'Matched rules at index 0']],
    )
    equal((await bench.get(pods(bench))).body.items.length, 3)
  }),

  check('a Job that another controller manages is left to it', async (bench) => {
    await bench.post(jobs(bench), job({ managedBy: 'example.com/queue' }, nobody))
    await bench.post(jobs(bench), {
      ...job({ managedBy: 'kubernetes.io/job-controller' }, nobody),
      metadata: { name: 'own' },
    })
    await untilCounts(bench, `${jobs(bench)}/own`, { active: 1 })
    equal((await bench.get(`${jobs(bench)}/work`)).body.status, {})
    equal(
      (await living(bench)).map(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-name']),
      ['own'],
    )
  }),

  check('a Job takes the pods that it selects, and lets go of those that it does not', async (bench) => {
    const path = `${jobs(bench)}/work`
    const orphan = (name: string, app: string) =>
      bench.post(pods(bench), {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels: { app } },
        spec: { ...nobody, restartPolicy: 'Never', containers: [{ name: 'main', image: 'one' }] },
      })
    await orphan('mine', 'work')
    await orphan('other', 'other')
    await orphan('done', 'work')
    await bench.patch(`${pods(bench)}/done/status`, { status: { phase: 'Succeeded' } })
    const template = {
      metadata: { labels: { app: 'work' } },
      spec: { ...nobody, restartPolicy: 'Never', containers: [{ name: 'main', image: 'one' }] },
    }
    const selector = { matchLabels: { app: 'work' } }
    const made = await bench.post(
      jobs(bench),
      job({ completions: 3, parallelism: 3, manualSelector: true, selector, template }, {}),
    )
    equal([made.body.spec.selector, made.body.spec.template.metadata.labels], [selector, { app: 'work' }])
    await untilCounts(bench, path, { active: 2, succeeded: 1 })
    const mine = (await bench.get(`${pods(bench)}/mine`)).body.metadata
    equal(
      [mine.finalizers, mine.ownerReferences?.length, (await bench.get(pods(bench))).body.items.length],
      [['batch.kubernetes.io/job-tracking'], 1, 4],
    )
    await bench.patch(`${pods(bench)}/mine`, { metadata: { labels: { app: 'free' } } })
    await bench.until('it is free', async () => {
      const { finalizers, ownerReferences } = (await bench.get(`${pods(bench)}/mine`)).body.metadata
      return finalizers === undefined && ownerReferences === undefined
    })
    await bench.until('another is made', async () => (await bench.get(pods(bench))).body.items.length === 5)
    await untilCounts(bench, path, { active: 2, succeeded: 1, failed: 0 })
  }),

  check('what a Job says of failures and success must make sense', async (bench) => {
    const refused = async (spec: object, podSpec: object = {}) =>
      causes(await bench.post(`${jobs(bench)}?dryRun=All`, job(spec, podSpec)))
    const rule = (more: object) => ({ podFailurePolicy: { rules: [more] } })
    const exits = (more: object) => rule({ action: 'Count', onExitCodes: { operator: 'In', values: [1], ...more } })
    const at = 'spec.podFailurePolicy.rules[0]'
    const invalid = (field: string) => [422, `FieldValueInvalid ${field}`]
    equal(await refused(exits({}), { restartPolicy: 'OnFailure' }), invalid('spec.template.spec.restartPolicy'))
    equal(await refused(exits({ values: [2, 1] })), invalid(`${at}.onExitCodes.values`))
    equal(await refused(exits({ values: [0] })), invalid(`${at}.onExitCodes.values[0]`))
    equal(await refused(exits({ containerName: 'x' })), invalid(`${at}.onExitCodes.containerName`))
    equal(await refused(exits({ operator: 'Is' })), [422, `FieldValueNotSupported ${at}.onExitCodes.operator`])
    equal(await refused(rule({ action: 'Count' })), invalid(at))
    equal(await refused(rule({ action: 'FailIndex', onPodConditions: [{ type: 'Ready' }] })), invalid(`${at}.action`))
    equal(await refused({ ...exits({}), podReplacementPolicy: 'TerminatingOrFailed' }), [
      422,
      'FieldValueNotSupported spec.podReplacementPolicy',
    ])
    equal(await refused({ backoffLimitPerIndex: 1 }), invalid('spec.backoffLimitPerIndex'))
    const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 1 }
    equal(await refused({ ...indexed, maxFailedIndexes: 1 }), [422, 'FieldValueRequired spec.backoffLimitPerIndex'])
    equal(await refused({ ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 4 }), invalid('spec.maxFailedIndexes'))
    const success = (more: object) => refused({ ...indexed, successPolicy: { rules: [more] } })
    equal(await refused({ successPolicy: { rules: [{ succeededCount: 1 }] } }), invalid('spec.successPolicy'))
    equal(await success({}), [422, 'FieldValueRequired spec.successPolicy.rules[0]'])
    equal(await success({ succeededCount: 4 }), invalid('spec.successPolicy.rules[0].succeededCount'))
    for (const succeededIndexes of ['1,0', '3', 'x', '1-1', '0-1-2']) {
      equal(await success({ succeededIndexes }), invalid('spec.successPolicy.rules[0].succeededIndexes'))
    }
    equal(
      await success({ succeededIndexes: '0-1', succeededCount: 3 }),
      invalid('spec.successPolicy.rules[0].succeededCount'),
    )
    for (const managedBy of ['mine', 'example.com/', '/x'])
      equal(await refused({ managedBy }), invalid('spec.managedBy'))
  }),
]
