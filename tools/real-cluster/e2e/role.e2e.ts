import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accessOf, isForbidden, readAudit } from '../audit.ts'
import { renderChart, type Rendered } from '../chart.ts'
import { conditionOf, isInitialized, namespaceOf, nodeClass, podTemplate } from '../manifests.ts'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'

const namespace = 'karpenter'
const user = `system:serviceaccount:${namespace}:scantling`

const spread = {
  podTopologySpread: {
    defaultConstraints: [
      { maxSkew: 3, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ],
  },
}

const stubborn = { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }

/** What the chart has no role for by default, and what makes the controller use it. */
const optional = ['--set', 'surge.enabled=true']
const withSurge = { annotations: { 'scantling.sh/surge': 'true' } }

/** Gates that make the controller ask for everything it may ask for. */
const gates = 'NodeOverlay=true,CapacityBuffer=true,StaticCapacity=true,NodeRepair=true'

const everything = [
  `--leader-election-namespace=${namespace}`,
  `--feature-gates=${gates}`,
  `--scheduler-config=${JSON.stringify(spread)}`,
]

describe('The role of the chart on a real control plane', () => {
  let cluster: TestCluster
  let cloud: Awaited<ReturnType<TestCluster['startCloud']>>
  const rendered: ReadonlyArray<Rendered> = renderChart(namespace, ...optional)
  beforeAll(async () => {
    cluster = await startTestCluster()
    cloud = await cluster.startCloud()
    await cluster.api.apply(namespaceOf(namespace))
    // The image is not here: what a kubelet would start runs beside, with the same identity.
    await cluster.api.apply(...rendered.filter(({ kind }) => kind !== 'Deployment'))
    const kubeconfig = await cluster.kubeconfigOf(namespace, 'scantling')
    // Lists are for servers that cannot begin a watch with what there is, and for the check every ten minutes.
    const lists = { KUBE_FEATURE_WatchListClient: 'false' }
    const listing = await cluster.startController('listing', { kubeconfig, env: lists, flags: everything })
    await listing.stop()
    await cluster.startController('controller', { kubeconfig, flags: [...everything, `--kwok-cloud-url=${cloud.url}`] })
  })
  afterAll(() => cluster.stop())

  /** Replaces the node of a Deployment's only pod, which runs on the replacement before it leaves. */
  const rollOver = async () => {
    const there = await cluster.scenario('surge')
    const pool = there.pool()
    await there.apply({ ...pool, metadata: { ...pool.metadata, ...withSurge } }, there.deployment('single', 1))
    await there.settled('single', 1)
    const before = new Set((await there.nodes()).map(({ metadata }) => metadata.uid))
    await cluster.api.merge('nodepools', 'surge', { spec: { template: { metadata: { labels: { team: 'a' } } } } })
    await cluster.until('the node is replaced', async () => {
      const now = await there.nodes()
      return now.length > 0 && !now.some(({ metadata }) => before.has(metadata.uid))
    })
    const [pod] = await there.pods('single')
    expect(pod?.metadata.annotations).toHaveProperty(['scantling.sh/rolled-over'])
    await there.end()
  }

  /** Takes a machine away behind the controller's back: nobody is told, and its Node is alive no more. */
  const loseMachine = async () => {
    const there = await cluster.scenario('lost')
    await there.apply(there.pool(), there.deployment('web', 1))
    await there.settled('web', 1)
    const [node] = await there.nodes()
    await cloud.control('PUT', 'faults', { rules: [{ operation: 'receive', code: 'InternalError' }] })
    await cloud.control('POST', 'interrupt', { instance: node?.metadata.name, kind: 'terminate' })
    await cluster.until('the node is gone, or not ready', async () => {
      const now = (await there.nodes()).find(({ metadata }) => metadata.uid === node?.metadata.uid)
      return now === undefined || conditionOf(now, 'Ready')?.status === 'Unknown'
    })
    await cloud.control('PUT', 'faults', { rules: [] })
    await there.end()
  }

  /** Pods of every kind of owner, and a node that is drained of them. */
  const comeAndGo = async () => {
    const here = await cluster.scenario('role')
    await here.apply(
      nodeClass,
      here.pool({ template: { terminationGracePeriod: '15s' } }),
      {
        apiVersion: 'karpenter.sh/v1alpha1',
        kind: 'NodeOverlay',
        metadata: { name: 'cheaper' },
        spec: {
          priceAdjustment: '-10%',
          requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }],
        },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web', namespace: '' },
        spec: { maxUnavailable: '50%', selector: { matchLabels: { app: 'web' } } },
      },
      {
        apiVersion: 'autoscaling.x-k8s.io/v1beta1',
        kind: 'CapacityBuffer',
        metadata: { name: 'spare', namespace: '' },
        spec: { scalableRef: { apiGroup: 'apps', kind: 'Deployment', name: 'web' }, replicas: 1 },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'set', namespace: '' },
        spec: {
          replicas: 1,
          serviceName: 'set',
          selector: { matchLabels: { app: 'set' } },
          template: podTemplate('set', here.here(stubborn)),
        },
      },
      {
        apiVersion: 'v1',
        kind: 'ReplicationController',
        metadata: { name: 'old', namespace: '' },
        spec: { replicas: 1, selector: { app: 'old' }, template: podTemplate('old', here.here(stubborn)) },
      },
      here.deployment('web', 4, { requests: { cpu: '500m' } }),
    )
    await here.settled('set', 1)
    await here.settled('old', 1)
    await here.settled('web', 4)
    await cluster.until('a node is initialized', async () => (await here.nodes()).some(isInitialized))
    const hosts = new Set((await here.pods('set')).map(({ spec }) => spec.nodeName))
    const node = (await here.nodes()).find(({ metadata }) => hosts.has(metadata.name))
    // A drain of what still runs: pods are evicted, and those that refuse are deleted when their time is up.
    await cluster.api.remove('nodes', node?.metadata.name ?? '')
    await cluster.until(
      'the node is replaced',
      async () => !(await here.nodes()).some(({ metadata }) => metadata.uid === node?.metadata.uid),
      120_000,
    )
    await cluster.until('its pods run again', async () => (await here.running('set')) === 1)
    await here.end()
  }

  test('is enough for pods to become nodes and for nodes to go, and every grant is used', async () => {
    await Promise.all([comeAndGo(), rollOver(), loseMachine()])

    const asked = readAudit(cluster.plane.auditLog, user)
    expect(asked.length).toBeGreaterThan(100)
    expect(asked.filter(isForbidden).map(accessOf)).toEqual([])
    const used = new Set(asked.map(accessOf))
    const granted = rendered
      .filter(({ kind, metadata }) => ['ClusterRole', 'Role'].includes(kind) && !metadata.name.endsWith('-admin'))
      .flatMap(({ rules = [] }) => rules)
      .flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
        ),
      )
    expect(granted.filter((one) => !used.has(one)).sort()).toEqual([])
  })
})
