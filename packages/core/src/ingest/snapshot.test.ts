import { describe, expect, test } from '@jest/globals'

import { defaultPlanningSettings } from '../cluster/index.ts'
import { coreLabelKnowledge } from '../labels/index.ts'
import { nodeObject, nodePoolObject, podObject } from '../testing/index.ts'
import { decodeObjects, expandTypePatterns, ingestNodePool, snapshotOf, type SnapshotContext } from './index.ts'

const context: SnapshotContext = {
  nowMs: 0,
  settings: defaultPlanningSettings,
  labelRules: {
    knowledge: coreLabelKnowledge,
    unsupportedTopologyKeys: new Set(),
    unsupportedProvisioners: new Set(),
  },
  supportsNodeClass: () => true,
  readiness: 'stated',
  instanceTypes: ({ name }) => (name === 'blind' ? undefined : []),
}
const snapshot = (objects: ReadonlyArray<unknown>, more: Partial<SnapshotContext> = {}) =>
  snapshotOf(decodeObjects(objects).lists, { ...context, ...more })

const daemonSet = (template: object) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'kube-system', uid: 'ds' },
  spec: { template: { spec: template } },
})
const daemonPod = (name: string, creationTimestamp: string, spec: object, uid = 'ds') =>
  podObject(
    name,
    {},
    {
      metadata: {
        namespace: 'kube-system',
        creationTimestamp,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid, controller: true }],
      },
      spec,
    },
  )

describe('snapshotOf()', () => {
  test('bound pods go to their nodes, the others wait', () => {
    const bound = podObject('bound', {}, { spec: { nodeName: 'n' } })
    const { pods, nodes } = snapshot([podObject('waiting'), bound, nodeObject('n')])
    expect(pods.map(({ name }) => name)).toEqual(['waiting'])
    expect(nodes.map(({ pods: [one] }) => one?.name)).toEqual(['bound'])
  })

  test('P-PRV-07: a pool whose types are not known is absent, one without types is empty', () => {
    const { instanceTypes } = snapshot([nodePoolObject('blind'), nodePoolObject('empty')])
    expect([...instanceTypes]).toEqual([['empty', []]])
  })

  test('P-CPI-06: a NodePool is ours where its NodeClass is of a kind that the provider supports', () => {
    const [pool] = snapshot([nodePoolObject('p')], {
      supportsNodeClass: ({ kind }) => kind === 'TestNodeClass',
    }).nodePools
    const [other] = snapshot([nodePoolObject('p')], { supportsNodeClass: ({ kind }) => kind === 'Other' }).nodePools
    expect([pool?.isManaged, other?.isManaged]).toEqual([true, false])
  })

  test('readiness is what the NodePool states, or assumed where no cluster states it', () => {
    const unready = nodePoolObject('p', { status: { conditions: [] } })
    expect(snapshot([unready]).nodePools[0]?.isReady).toBe(false)
    expect(snapshot([unready], { readiness: 'assumed' }).nodePools[0]?.isReady).toBe(true)
    expect(snapshot([nodePoolObject('p')]).nodePools[0]?.isReady).toBe(true)
  })

  test('ST-16 P-DMN-01: a DaemonSet has the shape of its newest live pod', () => {
    const containers = (cpu: string) => ({ containers: [{ name: 'a', resources: { requests: { cpu } } }] })
    const objects = [
      daemonSet(containers('100m')),
      daemonPod('old', '2026-01-01T00:00:00Z', containers('1')),
      daemonPod('new', '2026-02-01T00:00:00Z', containers('2')),
      daemonPod('stranger', '2026-03-01T00:00:00Z', containers('3'), 'other'),
    ]
    expect(snapshot(objects).daemonSets[0]?.pod.requests['cpu']).toBe('2')
    expect(snapshot(objects.slice(0, 1)).daemonSets[0]?.pod.requests['cpu']).toBe('100m')
  })

  test('P-DMN-02: the shape follows the pods from one reading to the next; when the last is gone the template counts', () => {
    const containers = (cpu: string) => ({ containers: [{ name: 'a', resources: { requests: { cpu } } }] })
    const cpuWith = (...pods: ReadonlyArray<ReturnType<typeof daemonPod>>) =>
      snapshot([daemonSet(containers('100m')), ...pods]).daemonSets[0]?.pod.requests['cpu']
    const live = (cpu: string) => daemonPod('live', '2026-01-01T00:00:00Z', containers(cpu))
    expect([cpuWith(live('1')), cpuWith(live('2')), cpuWith()]).toEqual(['1', '2', '100m'])
  })

  test("P-DMN-01: the template's required node affinity replaces the pod's, which names one node", () => {
    const affinity = (term: object) => ({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
    })
    const expressions = [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }]
    const narrowed = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }
    const objects = [
      daemonSet(affinity({ matchExpressions: expressions })),
      daemonPod('live', '2026-01-01T00:00:00Z', affinity(narrowed)),
    ]
    expect(snapshot(objects).daemonSets[0]?.pod.constraints.requiredNodeTerms).toEqual([
      { expressions, hasMatchFields: false },
    ])
  })

  test('P-RES-05: without a live pod, limits of the template stand in for requests', () => {
    const template = { containers: [{ name: 'a', resources: { limits: { cpu: '200m' } } }] }
    expect(snapshot([daemonSet(template)]).daemonSets[0]?.pod.requests['cpu']).toBe('200m')
  })

  test('P-VLM-03: in-tree sources go by the CSI driver that took over, other sources are not tracked', () => {
    const volume = (name: string, source: object) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: source,
    })
    const { volumes } = snapshot([
      volume('csi', { csi: { driver: 'csi.example.com' } }),
      volume('ebs', { awsElasticBlockStore: { volumeID: 'v' } }),
      volume('nfs', { nfs: { server: 's', path: '/' } }),
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'gp2' },
        provisioner: 'kubernetes.io/aws-ebs',
      },
    ])
    expect([...volumes.persistentVolumes.values()].map(({ driver }) => driver)).toEqual([
      'csi.example.com',
      'ebs.csi.aws.com',
      undefined,
    ])
    expect(volumes.storageClasses.get('gp2')?.provisioner).toBe('ebs.csi.aws.com')
  })

  test('P-VTP-02: terms that select by fields alone are skipped', () => {
    const matchExpressions = [{ key: 'zone', operator: 'In', values: ['a'] }]
    const matchFields = [{ key: 'metadata.name', operator: 'In', values: ['n'] }]
    const { volumes } = snapshot([
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'v' },
        spec: {
          local: { path: '/' },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchFields }, { matchExpressions }] } },
        },
      },
    ])
    expect(volumes.persistentVolumes.get('v')).toMatchObject({ isNodeLocal: true, nodeTerms: [matchExpressions] })
  })

  test('an object that does not decode is reported with its place, and the others count', () => {
    const { lists, refused } = decodeObjects([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec: { priority: 'high' } },
      podObject('good'),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'passed-over' } },
      null,
    ])
    expect(lists.pods.map(({ metadata }) => metadata.name)).toEqual(['good'])
    expect(refused).toMatchObject([{ index: 0, errors: [{ path: 'spec.priority' }] }])
  })

  test('20,000 pods of a few shapes take well under a second', () => {
    const objects = Array.from({ length: 20_000 }, (_, index) => ({
      ...podObject('p', { cpu: `${(index % 7) + 1}` }, { spec: { nodeSelector: { shape: String(index % 5) } } }),
      metadata: { name: `p-${index}`, uid: String(index) },
    }))
    const { lists } = decodeObjects(objects)
    const before = process.hrtime.bigint()
    const { pods } = snapshotOf(lists, context)
    const elapsedMs = Number(process.hrtime.bigint() - before) / 1e6
    expect(new Set(pods.map(({ constraints }) => constraints)).size).toBe(5)
    // Measured at 100 ms on two cores; the bound leaves room for a busy machine.
    expect(elapsedMs).toBeLessThan(2_000)
  })
})

describe('expandTypePatterns()', () => {
  const pool = (operator: string, values: ReadonlyArray<string>) =>
    ingestNodePool(
      nodePoolObject('p', {
        spec: { template: { spec: { requirements: [{ key: 'node.kubernetes.io/instance-type', operator, values }] } } },
      }),
      context,
    )
  const types = ['t3.small', 't3.large', 't3a.large', 'm5.large'].map((name) => ({ name }))
  const expand = (operator: string, values: ReadonlyArray<string>) => {
    const { nodePool, unmatched } = expandTypePatterns(pool(operator, values), types)
    return { values: nodePool.requirements[0]?.values, unmatched }
  }

  test('writes out what a wildcard stands for, in order and once', () => {
    expect(expand('In', ['t3.*', '*.large', 'x1.big'])).toEqual({
      values: ['m5.large', 't3.large', 't3.small', 't3a.large', 'x1.big'],
      unmatched: [],
    })
  })

  test('reports a wildcard that stands for nothing, where that allows nothing', () => {
    expect(expand('In', ['zz.*', 't3.*'])).toEqual({ values: ['t3.large', 't3.small'], unmatched: ['zz.*'] })
    expect(expand('NotIn', ['zz.*'])).toEqual({ values: [], unmatched: [] })
  })

  test('needs the whole name and lets parts overlap nowhere', () => {
    expect(expand('In', ['t3.l*large']).unmatched).toEqual(['t3.l*large'])
    expect(expand('In', ['t3*large']).values).toEqual(['t3.large', 't3a.large'])
  })

  test('returns a NodePool without wildcards as it is', () => {
    const plain = pool('In', ['t3.small'])
    expect(expandTypePatterns(plain, types).nodePool).toBe(plain)
  })
})
