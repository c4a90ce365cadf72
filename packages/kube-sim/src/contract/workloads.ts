import { check, equal, type Bench, type Body, type ContractCheck } from './contract-api.ts'
import { countsOf, deployment, deployments, makeNode, nobody, onNode, pods, untilCounts } from './benches.ts'

const replicaSets = ({ namespace }: Bench) => `/apis/apps/v1/namespaces/${namespace}/replicasets`
const statefulSets = ({ namespace }: Bench) => `/apis/apps/v1/namespaces/${namespace}/statefulsets`
const revisions = ({ namespace }: Bench) => `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`
const claims = ({ namespace }: Bench) => `/api/v1/namespaces/${namespace}/persistentvolumeclaims`

const statefulSet = (replicas: number, podSpec: object, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web' },
  spec: {
    replicas,
    serviceName: 'web',
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'one' }], ...podSpec },
    },
    ...more,
  },
})
const imageOf = ({ spec }: Body) => spec.containers[0]?.image
const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } })

/** `web-0:one web-1:two` of the pods that are not on their way out. */
const staying = async (bench: Bench): Promise<string> =>
  (await bench.get(pods(bench))).body.items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((each) => `${each.metadata.name}:${imageOf(each)}`)
    .toSorted()
    .join(' ')
const untilPods = (bench: Bench, expected: string) =>
  bench.until(`pods are ${expected}`, async () => (await staying(bench)) === expected)

const ready = (count: number) => ({ replicas: count, readyReplicas: count, availableReplicas: count })

const revisionKey = 'deployment.kubernetes.io/revision'

/** What Deployments and StatefulSets do about pods, with the controllers and kubelets that go with each server. */
export const workloadChecks: ReadonlyArray<ContractCheck> = [
  check('a Deployment counts its templates, and one that comes back takes its ReplicaSet', async (bench) => {
    const node = await makeNode(bench)
    const path = `${deployments(bench)}/web`
    const roll = async (name: string, revision: string) => {
      await bench.patch(path, image(name), 'strategic')
      await bench.until(`revision ${revision} is rolled out`, async () => {
        const { metadata, status } = (await bench.get(path)).body
        const isObserved = status['observedGeneration'] === metadata.generation && status['updatedReplicas'] === 1
        return isObserved && status.replicas === 1 && metadata.annotations?.[revisionKey] === revision
      })
    }
    const history = async () =>
      (await bench.get(replicaSets(bench))).body.items
        .map(
          ({ metadata, spec }) => `${spec.template.spec.containers[0]?.image}:${metadata.annotations?.[revisionKey]}`,
        )
        .toSorted()
    await bench.post(deployments(bench), deployment('web', 1, onNode(node), { revisionHistoryLimit: 1 }))
    await roll('pause', '1')
    await roll('one', '2')
    equal(await history(), ['one:2', 'pause:1'])
    await roll('pause', '3')
    const back = (await bench.get(replicaSets(bench))).body.items.find(
      ({ metadata }) => metadata.annotations?.[revisionKey] === '3',
    )
    equal(back?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')
    await roll('three', '4')
    // The lowest revision went, though the ReplicaSet of the other is older.
    await bench.until('the history is pruned', async () => (await history()).length === 2)
    equal(await history(), ['pause:3', 'three:4'])
  }),

  check('a StatefulSet makes its pods in order, each with its name, labels and place', async (bench) => {
    const node = await makeNode(bench)
    const made = (await bench.post(statefulSets(bench), statefulSet(2, onNode(node), { ordinals: { start: 3 } }))).body
    equal(countsOf(made, ['replicas', 'availableReplicas', 'observedGeneration']), [0, 0, 0])
    const path = `${statefulSets(bench)}/web`
    await untilCounts(bench, path, { ...ready(2), currentReplicas: 2, updatedReplicas: 2, observedGeneration: 1 })
    equal(await staying(bench), 'web-3:one web-4:one')
    const [first, second] = (await bench.get(pods(bench))).body.items
    equal((first?.metadata.creationTimestamp ?? '') <= (second?.metadata.creationTimestamp ?? ''), true)
    const { status } = (await bench.get(path)).body
    equal(status.currentRevision, status.updateRevision)
    equal(second?.metadata.labels, {
      app: 'web',
      'apps.kubernetes.io/pod-index': '4',
      'controller-revision-hash': status.currentRevision,
      'statefulset.kubernetes.io/pod-name': 'web-4',
    })
    equal([second?.spec.hostname, second?.spec.subdomain], ['web-4', 'web'])
    const { body } = await bench.get(revisions(bench))
    equal(
      body.items.map(({ metadata, revision }) => [metadata.name, revision]),
      [[status.currentRevision, 1]],
    )
    const scale = (await bench.patch(`${path}/scale`, { spec: { replicas: 1 } })).body
    equal([scale.kind, scale.spec.replicas, scale.status.selector], ['Scale', 1, 'app=web'])
    await untilPods(bench, 'web-3:one')
    await untilCounts(bench, path, ready(1))
  }),

  check('a StatefulSet waits for each pod, unless it is Parallel', async (bench) => {
    await bench.post(statefulSets(bench), statefulSet(3, nobody))
    await untilPods(bench, 'web-0:one')
    await untilCounts(bench, `${statefulSets(bench)}/web`, { replicas: 1, readyReplicas: 0 })
    equal(await staying(bench), 'web-0:one')
    await bench.delete(`${statefulSets(bench)}/web`)
    await untilPods(bench, '')
    await bench.post(statefulSets(bench), statefulSet(3, nobody, { podManagementPolicy: 'Parallel' }))
    await untilPods(bench, 'web-0:one web-1:one web-2:one')
    await bench.patch(`${statefulSets(bench)}/web`, { spec: { replicas: 1 } })
    await untilPods(bench, 'web-0:one')
  }),

  check('a StatefulSet rolls down to its partition, and by hand with OnDelete', async (bench) => {
    const node = await makeNode(bench)
    const path = `${statefulSets(bench)}/web`
    const update = (rollingUpdate: object | null, type = 'RollingUpdate') =>
      bench.patch(path, { spec: { updateStrategy: { type, rollingUpdate } } })
    const set = statefulSet(3, onNode(node))
    await bench.post(statefulSets(bench), set)
    await untilCounts(bench, path, ready(3))
    await update({ partition: 2 })
    await bench.patch(path, image('two'), 'strategic')
    await untilPods(bench, 'web-0:one web-1:one web-2:two')
    await untilCounts(bench, path, { ...ready(3), currentReplicas: 2, updatedReplicas: 1 })
    const uidOf = async (name: string) => (await bench.get(`${pods(bench)}/${name}`)).body.metadata.uid
    const lost = await uidOf('web-0')
    await bench.delete(`${pods(bench)}/web-0`)
    await bench.until('web-0 is another', async () => ![lost, undefined].includes(await uidOf('web-0')))
    equal(await staying(bench), 'web-0:one web-1:one web-2:two')
    await update({ partition: 0 })
    await untilPods(bench, 'web-0:two web-1:two web-2:two')
    await untilCounts(bench, path, { ...ready(3), currentReplicas: 3, updatedReplicas: 3 })
    await update(null, 'OnDelete')
    await bench.patch(path, image('one'), 'strategic')
    await untilCounts(bench, path, { observedGeneration: 6, updatedReplicas: 0, currentReplicas: 3 })
    await bench.delete(`${pods(bench)}/web-1`)
    await untilPods(bench, 'web-0:two web-1:one web-2:two')
    await untilCounts(bench, path, { ...ready(3), updatedReplicas: 1 })
    // The template is the first one again: its revision is there, and is the newest now.
    const numbers = (await bench.get(revisions(bench))).body.items.map(({ revision }) => revision ?? 0)
    equal(
      numbers.toSorted((a, b) => a - b),
      [2, 3],
    )
  }),

  check('a StatefulSet rolls on only when what it has rolled is up, also when it is Parallel', async (bench) => {
    const path = `${statefulSets(bench)}/web`
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } }
    const set = statefulSet(3, nobody, { podManagementPolicy: 'Parallel', updateStrategy })
    const made = (await bench.post(statefulSets(bench), set)).body.spec as unknown as typeof set.spec & {
      readonly updateStrategy: unknown
    }
    // Behind a gate that is off.
    equal(made.updateStrategy, { type: 'RollingUpdate', rollingUpdate: { partition: 0 } })
    await untilPods(bench, 'web-0:one web-1:one web-2:one')
    await untilCounts(bench, path, { replicas: 3, updatedReplicas: 3 })
    await bench.patch(path, image('two'), 'strategic')
    await untilPods(bench, 'web-0:one web-1:one web-2:two')
    await untilCounts(bench, path, { replicas: 3, updatedReplicas: 1, currentReplicas: 2, observedGeneration: 2 })
    equal(await staying(bench), 'web-0:one web-1:one web-2:two')
    const conditions = [{ type: 'Ready', status: 'True' }]
    await bench.patch(`${pods(bench)}/web-2/status`, { status: { phase: 'Running', conditions } })
    await untilPods(bench, 'web-0:one web-1:two web-2:two')
  }),

  check('a StatefulSet replaces what was evicted, deleted or has failed under its name', async (bench) => {
    const node = await makeNode(bench)
    const path = `${statefulSets(bench)}/web`
    await bench.post(statefulSets(bench), statefulSet(2, onNode(node)))
    await untilCounts(bench, path, ready(2))
    const uids = async () =>
      (await bench.get(pods(bench))).body.items.map(({ metadata: { name, uid } }) => `${name} ${uid}`)
    const before = await uids()
    await bench.post(`${pods(bench)}/web-0/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'web-0' },
    })
    await bench.patch(`${pods(bench)}/web-1/status`, { status: { phase: 'Failed' } })
    await bench.until('both are others', async () => {
      const now = await uids()
      return now.length === 2 && !now.some((each) => before.includes(each))
    })
    await untilCounts(bench, path, ready(2))
    equal(await staying(bench), 'web-0:one web-1:one')
  }),

  check(
    'a StatefulSet takes pods that bear its names and labels, and lets them go with their labels',
    async (bench) => {
      const orphan = (name: string, app = 'web') =>
        bench.post(pods(bench), {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, labels: { app } },
          spec: { ...nobody, containers: [{ name: 'main', image: 'one' }] },
        })
      for (const name of ['web-0', 'web-7', 'web-x']) await orphan(name)
      await orphan('web-1', 'other')
      const set = statefulSet(1, nobody, { updateStrategy: { type: 'OnDelete' } })
      await bench.post(statefulSets(bench), set)
      const owned = async () =>
        (await bench.get(pods(bench))).body.items
          .filter(({ metadata }) => metadata.ownerReferences !== undefined)
          .map(({ metadata }) => metadata.name)
          .join()
      await bench.until('it has both', async () => (await owned()) === 'web-0,web-7')
      await untilCounts(bench, `${statefulSets(bench)}/web`, { replicas: 2, updatedReplicas: 0 })
      await bench.patch(`${pods(bench)}/web-7`, { metadata: { labels: { app: 'other' } } })
      await bench.until('one is free', async () => (await owned()) === 'web-0')
    },
  ),

  check('the claims of a StatefulSet stay, or go as its retention policy says', async (bench) => {
    const path = `${statefulSets(bench)}/web`
    const node = await makeNode(bench)
    const volumeClaimTemplates = [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Gi' } } },
      },
    ]
    const made = (await bench.post(statefulSets(bench), statefulSet(2, onNode(node), { volumeClaimTemplates }))).body
    equal((made.spec as Readonly<Record<string, unknown>>)['persistentVolumeClaimRetentionPolicy'], {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    })
    await untilCounts(bench, path, { replicas: 2, readyReplicas: 2 })
    const claimed = async () => (await bench.get(claims(bench))).body.items.map(({ metadata }) => metadata.name)
    equal(await claimed(), ['data-web-0', 'data-web-1'])
    const [, claim] = (await bench.get(claims(bench))).body.items
    equal([claim?.metadata.labels, claim?.metadata.ownerReferences], [{ app: 'web' }, undefined])
    const volume = (await bench.get(`${pods(bench)}/web-1`)).body.spec.volumes?.find(
      (each) => (each as { readonly name: string }).name === 'data',
    )
    equal(volume, { name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } })
    const scale = (replicas: number) => bench.patch(path, { spec: { replicas } })
    await scale(1)
    await untilCounts(bench, path, { replicas: 1, readyReplicas: 1 })
    equal(await claimed(), ['data-web-0', 'data-web-1'])
    await scale(2)
    await untilCounts(bench, path, { replicas: 2, readyReplicas: 2 })
    await bench.patch(path, {
      spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } },
    })
    const ownerOf = async (name: string) =>
      ((await bench.get(`${claims(bench)}/${name}`)).body.metadata.ownerReferences ?? []).map(
        (owner) => (owner as { readonly kind: string }).kind,
      )
    await bench.until('the claims are the set’s', async () => (await ownerOf('data-web-1')).includes('StatefulSet'))
    await scale(1)
    await bench.until('the second claim is gone', async () => (await claimed()).join() === 'data-web-0')
    await bench.delete(path)
    await bench.until('the first is gone, too', async () => (await claimed()).length === 0)
  }),

  check('what a StatefulSet is made of cannot change', async (bench) => {
    await bench.post(statefulSets(bench), statefulSet(0, nobody))
    const refused = async (spec: object) => {
      const { status, body } = await bench.patch(`${statefulSets(bench)}/web`, { spec })
      return [status, body.reason, ...body.details.causes.map(({ reason, field }) => `${reason} ${field}`)]
    }
    equal(await refused({ serviceName: 'other' }), [422, 'Invalid', 'FieldValueForbidden spec'])
    equal(await refused({ podManagementPolicy: 'Parallel' }), [422, 'Invalid', 'FieldValueForbidden spec'])
    equal(await refused({ updateStrategy: { type: 'Never', rollingUpdate: null } }), [
      422,
      'Invalid',
      'FieldValueInvalid spec.updateStrategy',
    ])
    equal(await refused({ template: { spec: { restartPolicy: 'Never' } } }), [
      422,
      'Invalid',
      'FieldValueNotSupported spec.template.spec.restartPolicy',
    ])
    const { status, body } = await bench.post(
      statefulSets(bench),
      statefulSet(-1, nobody, { podManagementPolicy: 'Chaos' }),
    )
    equal(
      [status, body.details.causes.map(({ field }) => field).toSorted()],
      [422, ['spec.podManagementPolicy', 'spec.replicas']],
    )
  }),
]
