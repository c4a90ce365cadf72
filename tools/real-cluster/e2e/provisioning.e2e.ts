import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isInitialized, nodeClass, onDemand, podTemplate, type Seen } from '../manifests.ts'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'

describe('Provisioning on a real control plane', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.startController('controller', {
      flags: ['--leader-elect=false', '--feature-gates=StaticCapacity=true'],
    })
    await cluster.api.apply(nodeClass)
  })
  afterAll(() => cluster.stop())

  test.concurrent('pods that no node can take run on machines bought for them, in one batch', async () => {
    const here = await cluster.scenario('batch')
    await here.apply(here.pool(), here.deployment('web', 30, { requests: { cpu: '500m', memory: '512Mi' } }))
    await here.settled('web', 30)
    const claims = await here.claims()
    expect(claims.length).toBeLessThanOrEqual(2)
    const machines = new Set(claims.map(({ status }) => status?.providerID))
    expect(new Set((await here.nodes()).map(({ spec }) => spec.providerID))).toEqual(machines)
  })

  test.concurrent(
    'pods that spread over zones are spread by the real scheduler over machines in each zone',
    async () => {
      const here = await cluster.scenario('spread')
      const topologySpreadConstraints = [
        {
          maxSkew: 1,
          // Without it the scheduler counts only zones that have a node already.
          minDomains: 3,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ]
      await here.apply(
        here.pool(),
        here.deployment('web', 9, { requests: { cpu: '1' }, pod: { topologySpreadConstraints } }),
      )
      await here.settled('web', 9)
      const zoneOf = new Map(
        (await here.nodes()).map(({ metadata }) => [
          metadata.name,
          metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
        ]),
      )
      const counts = new Map<string, number>()
      for (const { spec } of await here.pods('web')) {
        const zone = zoneOf.get(spec.nodeName ?? '') ?? ''
        counts.set(zone, (counts.get(zone) ?? 0) + 1)
      }
      const sizes = [...counts.values()]
      expect(sizes.length).toBeGreaterThanOrEqual(3)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    },
  )

  test.concurrent('a machine has room for the pods of daemon sets beside those it is bought for', async () => {
    const here = await cluster.scenario('daemons')
    const agent = podTemplate(
      'agent',
      here.here({ requests: { cpu: '1' }, pod: { tolerations: [{ operator: 'Exists' }] } }),
    )
    await here.apply(here.pool({ template: { requirements: [onDemand, cpus('4')] } }), {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: '' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: agent },
    })
    // The controller learns of the set before pods that count on it.
    await cluster.until('the set is seen', async () => {
      const [set] = await cluster.api.list<Seen>('daemonsets', { namespace: here.name })
      return set?.status !== undefined
    })
    await here.apply(here.deployment('web', 4, { requests: { cpu: '1200m' } }))
    await here.settled('web', 4)
    // Two of 1.2 beside one of 1 on four CPUs; three would fit were the set forgotten.
    expect(await here.nodes()).toHaveLength(2)
    await cluster.until('an agent runs on each', async () => (await here.running('agent')) === 2)
  })

  test.concurrent('pods of high priority take the place of others, for which a machine is bought', async () => {
    const here = await cluster.scenario('priority')
    await here.apply(
      {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: 'urgent' },
        value: 100_000,
      },
      here.pool({ template: { requirements: [onDemand, cpus('4')] } }),
      here.deployment('idle', 3, { requests: { cpu: '1' } }),
    )
    await here.settled('idle', 3)
    const [first] = await here.nodes()
    await here.apply(here.deployment('urgent', 3, { requests: { cpu: '1' }, pod: { priorityClassName: 'urgent' } }))
    await here.settled('urgent', 3)
    await here.settled('idle', 3)
    expect((await here.nodes()).length).toBe(2)
    expect((await here.nodes()).map(({ metadata }) => metadata.uid)).toContain(first?.metadata.uid)
  })

  test.concurrent(
    'a volume that is bound late is bought a machine where its class may be, and is bound to it',
    async () => {
      const here = await cluster.scenario('volumes')
      const zone = 'us-west-2b'
      const inZone = { key: 'topology.kubernetes.io/zone', values: [zone] }
      await here.apply(
        here.pool(),
        {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { name: 'late' },
          provisioner: 'kubernetes.io/no-provisioner',
          volumeBindingMode: 'WaitForFirstConsumer',
          allowedTopologies: [{ matchLabelExpressions: [inZone] }],
        },
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: 'disk' },
          spec: {
            capacity: { storage: '1Gi' },
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'late',
            local: { path: '/disk' },
            nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ ...inZone, operator: 'In' }] }] } },
          },
        },
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data', namespace: '' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'late',
            resources: { requests: { storage: '1Gi' } },
          },
        },
        here.deployment('web', 1, {
          pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
        }),
      )
      await here.settled('web', 1)
      expect((await here.nodes()).map(({ metadata }) => metadata.labels?.[inZone.key])).toEqual([zone])
      const [claim] = await cluster.api.list<Seen>('persistentvolumeclaims', { namespace: here.name })
      expect(claim?.status?.phase).toBe('Bound')
    },
  )

  test.concurrent('a static pool keeps as many machines as it says, without any pod', async () => {
    const here = await cluster.scenario('static')
    await here.apply(withReplicas(here.pool(), 2))
    await cluster.until('two nodes are initialized', async () => {
      const nodes = await here.nodes()
      return nodes.length === 2 && nodes.every(isInitialized)
    })
    await cluster.api.merge('nodepools', here.name, { spec: { replicas: 1 } })
    await cluster.until('one node is left', async () => (await here.nodes()).length === 1)
  })
})

const cpus = (count: string) => ({ key: 'karpenter.kwok.sh/instance-cpu', operator: 'In', values: [count] })

const withReplicas = ({ spec, ...pool }: { readonly spec: object }, replicas: number) => ({
  ...pool,
  spec: { ...spec, replicas },
})
