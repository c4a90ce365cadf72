import { countsOf, pods } from './benches.ts'
import { check, equal, type Bench, type Body, type ContractCheck } from './contract-api.ts'

const daemonSets = ({ namespace }: Bench) => `/apis/apps/v1/namespaces/${namespace}/daemonsets`
const revisions = ({ namespace }: Bench) => `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`
const generationKey = 'deprecated.daemonset.template.generation'

/** Runs on the nodes of one bench only, whose pods nobody starts: what serves is said by hand. */
const daemonSet = ({ namespace }: Bench, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: {
        nodeSelector: { bench: namespace },
        tolerations: [{ operator: 'Exists' }],
        schedulerName: 'nobody',
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image: 'one' }],
      },
    },
    ...more,
  },
})
const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } })

const addNode = async (bench: Bench, suffix: string): Promise<void> => {
  await bench.post('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `${bench.namespace}-${suffix}`, labels: { bench: bench.namespace } },
  })
}

const nodeOf = ({ spec }: Body): string => {
  const { affinity } = spec as unknown as {
    readonly affinity?: {
      readonly nodeAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: {
          readonly nodeSelectorTerms: ReadonlyArray<{
            readonly matchFields?: ReadonlyArray<{ readonly values: ReadonlyArray<string> }>
          }>
        }
      }
    }
  }
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.[0]?.matchFields?.[0]?.values[0]?.split('-').at(-1) ?? ''
}
const staying = async (bench: Bench): Promise<ReadonlyArray<Body>> =>
  (await bench.get(pods(bench))).body.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
/** `a:one b:two`, by node and image. */
const places = async (bench: Bench): Promise<string> =>
  (await staying(bench))
    .map((pod) => `${nodeOf(pod)}:${pod.spec.containers[0]?.image}`)
    .toSorted()
    .join(' ')
const untilPlaces = (bench: Bench, expected: string) =>
  bench.until(`pods are ${expected}`, async () => (await places(bench)) === expected)
/** Says that the pods of one image serve. */
const serve = async (bench: Bench, name: string): Promise<void> => {
  const conditions = [{ type: 'Ready', status: 'True' }]
  for (const pod of await staying(bench)) {
    if (pod.spec.containers[0]?.image !== name || pod.status.phase === 'Running') continue
    await bench.patch(`${pods(bench)}/${pod.metadata.name}/status`, { status: { phase: 'Running', conditions } })
  }
}
const observed = (bench: Bench, path: string, generation: number, updated: number) =>
  bench.until(`generation ${generation} is observed`, async () => {
    const { body } = await bench.get(path)
    const counts = countsOf(body, ['observedGeneration', 'updatedNumberScheduled'])
    return counts[0] === generation && counts[1] === updated
  })

/** What DaemonSets do about their templates. */
export const daemonSetChecks: ReadonlyArray<ContractCheck> = [
  check('a DaemonSet keeps a ControllerRevision of each template, and its pods bear the hash', async (bench) => {
    const path = `${daemonSets(bench)}/agent`
    await addNode(bench, 'a')
    const made = (await bench.post(daemonSets(bench), daemonSet(bench, { revisionHistoryLimit: 1 }))).body
    equal(made.metadata.annotations, { [generationKey]: '1' })
    await untilPlaces(bench, 'a:one')
    const history = async () =>
      (await bench.get(revisions(bench))).body.items.toSorted((a, b) => (a.revision ?? 0) - (b.revision ?? 0))
    const [first] = await history()
    const hash = first?.metadata.labels?.['controller-revision-hash']
    equal(
      [first?.metadata.name, first?.metadata.labels, first?.revision],
      [`agent-${hash}`, { app: 'agent', 'controller-revision-hash': hash }, 1],
    )
    const data = first?.data as unknown as { readonly spec: { readonly template: Readonly<Record<string, unknown>> } }
    equal(data.spec.template['$patch'], 'replace')
    equal((await staying(bench))[0]?.metadata.labels, {
      app: 'agent',
      'controller-revision-hash': hash,
      'pod-template-generation': '1',
    })
    await bench.patch(path, image('two'), 'strategic')
    await untilPlaces(bench, 'a:two')
    equal((await bench.get(path)).body.metadata.annotations, { [generationKey]: '2' })
    await bench.patch(path, image('one'), 'strategic')
    await untilPlaces(bench, 'a:one')
    // The template is the first one again: its revision is there, and is the newest now.
    equal(
      (await history()).map(({ revision }) => revision),
      [2, 3],
    )
    equal((await staying(bench))[0]?.metadata.labels?.['controller-revision-hash'], hash)
    await bench.patch(path, image('three'), 'strategic')
    await untilPlaces(bench, 'a:three')
    await bench.until(
      'the history is pruned',
      async () => (await history()).map((each) => each.revision).join() === '3,4',
    )
    await observed(bench, path, 4, 1)
  }),

  check('a DaemonSet rolls as many nodes at once as may be without a pod', async (bench) => {
    const path = `${daemonSets(bench)}/agent`
    for (const suffix of ['a', 'b', 'c']) await addNode(bench, suffix)
    await bench.post(daemonSets(bench), daemonSet(bench))
    await untilPlaces(bench, 'a:one b:one c:one')
    await serve(bench, 'one')
    await bench.until('all serve', async () => (await bench.get(path)).body.status['numberAvailable'] === 3)
    await bench.patch(path, image('two'), 'strategic')
    await bench.until('one is new', async () => /^(?!.*two.*two).*two/.test(await places(bench)))
    await observed(bench, path, 2, 1)
    await bench.pause(300)
    equal((await places(bench)).match(/two/g)?.length, 1)
    await serve(bench, 'two')
    await bench.until('two are new', async () => (await places(bench)).match(/two/g)?.length === 2)
    await serve(bench, 'two')
    await untilPlaces(bench, 'a:two b:two c:two')
    const { status } = (await bench.get(path)).body
    equal([status['desiredNumberScheduled'], status['numberMisscheduled']], [3, 0])
  }),

  check('a DaemonSet that surges makes new pods before the old ones go', async (bench) => {
    const path = `${daemonSets(bench)}/agent`
    for (const suffix of ['a', 'b']) await addNode(bench, suffix)
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
    await bench.post(daemonSets(bench), daemonSet(bench, { updateStrategy }))
    await untilPlaces(bench, 'a:one b:one')
    await serve(bench, 'one')
    await bench.until('both serve', async () => (await bench.get(path)).body.status['numberAvailable'] === 2)
    await bench.patch(path, image('two'), 'strategic')
    await bench.until('one is new', async () => (await staying(bench)).length === 3)
    await bench.pause(300)
    equal((await staying(bench)).length, 3)
    await serve(bench, 'two')
    await bench.until('the next one is', async () => {
      const present = await places(bench)
      return present === 'a:one a:two b:two' || present === 'a:two b:one b:two'
    })
    await serve(bench, 'two')
    await untilPlaces(bench, 'a:two b:two')
    const both = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } }
    const neither = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } }
    const refused = async (strategy: object) =>
      (await bench.patch(path, { spec: { updateStrategy: strategy } })).body.details.causes.map(({ field }) => field)
    equal(await refused(both), ['spec.updateStrategy.rollingUpdate.maxSurge'])
    equal(await refused(neither), ['spec.updateStrategy.rollingUpdate.maxUnavailable'])
  }),

  check('a DaemonSet with OnDelete replaces pods by hand only, and takes those that it selects', async (bench) => {
    const path = `${daemonSets(bench)}/agent`
    for (const suffix of ['a', 'b']) await addNode(bench, suffix)
    const [affinity, metadata] = [
      {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: 'metadata.name', operator: 'In', values: [`${bench.namespace}-a`] }] },
            ],
          },
        },
      },
      { name: 'orphan', labels: { app: 'agent' } },
    ]
    const { spec } = daemonSet(bench).spec.template
    await bench.post(pods(bench), { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, affinity } })
    await bench.post(daemonSets(bench), daemonSet(bench, { updateStrategy: { type: 'OnDelete' } }))
    await untilPlaces(bench, 'a:one b:one')
    const orphan = (await bench.get(`${pods(bench)}/orphan`)).body
    equal(orphan.metadata.ownerReferences?.length, 1)
    await bench.patch(path, image('two'), 'strategic')
    await observed(bench, path, 2, 0)
    equal(await places(bench), 'a:one b:one')
    await bench.delete(`${pods(bench)}/orphan`)
    await untilPlaces(bench, 'a:two b:one')
    await observed(bench, path, 2, 1)
  }),
]
