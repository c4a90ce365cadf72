import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { deployment, nodeClass, nodePool, startTestCluster, type TestCluster } from '../test-cluster.ts'

const namespace = 'karpenter'
const user = `system:serviceaccount:${namespace}:scantling`
const chart = resolve(import.meta.dirname, '../../../deploy/chart')

interface Rule {
  readonly apiGroups: ReadonlyArray<string>
  readonly resources: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
}

interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules?: ReadonlyArray<Rule>
}

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string }
  readonly responseStatus?: { readonly code: number }
}

const render = (): ReadonlyArray<Rendered> => {
  const helm = join(process.env['SCANTLING_HELM'] ?? '', 'helm')
  const args = [
    'template',
    'scantling',
    chart,
    '--namespace',
    namespace,
    '--set',
    'provider=kwok,settings.clusterName=real',
  ]
  const ran = spawnSync(helm, args, { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return parseAllDocuments(ran.stdout).flatMap((document) => (document.toJS() ?? []) as Rendered)
}

const spread = {
  podTopologySpread: {
    defaultConstraints: [
      { maxSkew: 3, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ],
  },
}

/** A pod template as workloads of every kind have it; its pods refuse to be moved. */
const stubborn = (app: string) => ({
  metadata: { labels: { app }, annotations: { 'karpenter.sh/do-not-disrupt': 'true' } },
  spec: {
    terminationGracePeriodSeconds: 10,
    containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu: '100m' } } }],
  },
})

/** Gates that make the controller ask for everything it may ask for. */
const gates = 'NodeOverlay=true,CapacityBuffer=true,StaticCapacity=true,NodeRepair=true'

describe('The role of the chart on a real control plane', () => {
  let cluster: TestCluster
  const rendered = render()
  beforeAll(async () => {
    cluster = await startTestCluster()
    cluster.kubectl(['create', 'namespace', namespace])
    // The image is not here: what a kubelet would start runs beside, with the same identity.
    cluster.apply(...rendered.filter(({ kind }) => kind !== 'Deployment'))
    const token = cluster.kubectl(['create', 'token', 'scantling', '-n', namespace, '--duration=1h']).trim()
    const kubeconfig = join(cluster.plane.directory, 'controller.kubeconfig')
    const admin = JSON.parse(readFileSync(cluster.plane.kubeconfig, 'utf8')) as {
      users: ReadonlyArray<{ name: string }>
    }
    writeFileSync(
      kubeconfig,
      JSON.stringify({ ...admin, users: admin.users.map(({ name }) => ({ name, user: { token } })) }),
    )
    await cluster.startController('controller', {
      kubeconfig,
      flags: [
        `--leader-election-namespace=${namespace}`,
        `--feature-gates=${gates}`,
        `--scheduler-config=${JSON.stringify(spread)}`,
      ],
    })
  })
  afterAll(() => cluster.stop())

  test('is enough for pods to become nodes and for nodes to go, and every grant is used', async () => {
    cluster.apply(
      nodeClass,
      nodePool('default', { template: { terminationGracePeriod: '15s' } }),
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
        metadata: { name: 'web', namespace: 'default' },
        spec: { maxUnavailable: '50%', selector: { matchLabels: { app: 'web' } } },
      },
      {
        apiVersion: 'autoscaling.x-k8s.io/v1beta1',
        kind: 'CapacityBuffer',
        metadata: { name: 'spare', namespace: 'default' },
        spec: { scalableRef: { apiGroup: 'apps', kind: 'Deployment', name: 'web' }, replicas: 1 },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'set', namespace: 'default' },
        spec: { replicas: 1, serviceName: 'set', selector: { matchLabels: { app: 'set' } }, template: stubborn('set') },
      },
      {
        apiVersion: 'v1',
        kind: 'ReplicationController',
        metadata: { name: 'old', namespace: 'default' },
        spec: { replicas: 1, selector: { app: 'old' }, template: stubborn('old') },
      },
      deployment('web', 4, { cpu: '500m' }),
    )
    await cluster.until('the stubborn pods run', () => cluster.running('app in (set,old)') === 2)
    await cluster.until('4 pods run', () => cluster.running('app=web') === 4)
    await cluster.until('a node is initialized', () =>
      cluster.nodes().some(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true'),
    )
    const hosts = new Set(cluster.list('pods', '-l', 'app=set').map(({ spec }) => spec.nodeName))
    const node = cluster.nodes().find(({ metadata }) => hosts.has(metadata.name))
    // A drain of what still runs: pods are evicted, and those that refuse are deleted when their time is up.
    cluster.kubectl(['delete', 'node', node?.metadata.name ?? '', '--wait=false'])
    await cluster.until(
      'the node is replaced',
      () => !cluster.nodes().some(({ metadata }) => metadata.uid === node?.metadata.uid),
      120_000,
    )
    cluster.kubectl(['delete', 'deployment,statefulset,replicationcontroller,capacitybuffer', '--all', '-n', 'default'])
    cluster.kubectl(['delete', 'nodepool', 'default', '--wait=false'])
    await cluster.until('no claim is left', () => cluster.claims().length === 0, 120_000)

    const asked = readFileSync(cluster.plane.auditLog, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.user.username === user)
    expect(asked.length).toBeGreaterThan(100)
    expect(asked.filter(({ responseStatus }) => responseStatus?.code === 403).map(accessOf)).toEqual([])
    const used = new Set(asked.map(accessOf))
    const granted = rendered
      .filter(({ kind, metadata }) => ['ClusterRole', 'Role'].includes(kind) && !metadata.name.endsWith('-admin'))
      .flatMap(({ rules = [] }) => rules)
      .flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
        ),
      )
    // Written when a machine vanishes by itself, which this run does not make.
    used.add('patch /nodes/status')
    expect(granted.filter((one) => !used.has(one)).sort()).toEqual([])
  })
})

const accessOf = ({ verb, objectRef }: AuditEvent): string =>
  `${verb} ${objectRef?.apiGroup ?? ''}/${objectRef?.resource ?? ''}${objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`}`
