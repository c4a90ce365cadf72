import { describe, expect, test } from '@jest/globals'

import { conditionOf, oneContainer, startTestCluster, type NodeOptions } from '../../../test/cluster-fixture.ts'
import { clusterForEach } from '../../../test/cluster-for-each.ts'
import type { PodSpec } from '../objects.ts'
import { refs } from '../refs.ts'

const cluster = clusterForEach(undefined, { only: ['scheduler'] })

const zone = 'topology.kubernetes.io/zone'
const hostname = 'kubernetes.io/hostname'
const inZone = (value: string, more: NodeOptions = {}): NodeOptions => ({
  ...more,
  labels: { [zone]: value, ...more.labels },
})
const nodeOf = (name: string) => cluster.pod(name).spec.nodeName
const messageOf = (name: string) => conditionOf(cluster.pod(name), 'PodScheduled')?.message
const settle = () => cluster.clock.advance(100)
const required = (...terms: ReadonlyArray<object>) =>
  ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    },
  }) as PodSpec

const unhelpful = (count: number) =>
  `preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`

describe('filters', () => {
  const cases: ReadonlyArray<{
    readonly name: string
    readonly nodes: ReadonlyArray<NodeOptions>
    readonly spec: PodSpec
    readonly expected: { readonly node: string } | { readonly message: string }
  }> = [
    {
      name: 'takes a node that fits exactly',
      nodes: [{ allocatable: { cpu: '500m' } }],
      spec: oneContainer({ cpu: '0.5' }),
      expected: { node: 'n0' },
    },
    {
      name: 'names each resource that is short, and that no node is large enough',
      nodes: [{ allocatable: { cpu: '1', memory: '1Gi' } }],
      spec: oneContainer({ cpu: '1001m', memory: '2Gi' }),
      expected: {
        message: `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. ${unhelpful(1)}`,
      },
    },
    {
      name: 'counts pods',
      nodes: [{ allocatable: { pods: '0' } }],
      spec: {},
      expected: {
        message:
          '0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
      },
    },
    {
      name: 'knows extended resources',
      nodes: [{}, { allocatable: { 'example.com/gpu': '2' } }],
      spec: {
        containers: [
          { name: 'main', resources: { requests: { 'example.com/gpu': '2' }, limits: { 'example.com/gpu': '2' } } },
        ],
      },
      expected: { node: 'n1' },
    },
    {
      name: 'adds sidecars to containers, and takes the peak of init containers',
      nodes: [{ allocatable: { cpu: '3' } }],
      spec: {
        ...oneContainer({ cpu: '1' }),
        initContainers: [
          { name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
          { name: 'init', resources: { requests: { cpu: '2001m' } } },
        ],
      },
      expected: { message: `0/1 nodes are available: 1 Insufficient cpu. ${unhelpful(1)}` },
    },
    {
      name: 'names the first taint that is not tolerated, hard effects only',
      nodes: [
        {
          taints: [
            { key: 'soft', effect: 'PreferNoSchedule' },
            { key: 'team', value: 'a', effect: 'NoSchedule' },
          ],
        },
        { taints: [{ key: 'gpu', effect: 'NoExecute' }] },
        { unschedulable: true },
      ],
      spec: {},
      expected: {
        message: `0/3 nodes are available: 1 node(s) had untolerated taint {gpu: }, 1 node(s) had untolerated taint {team: a}, 1 node(s) were unschedulable. ${unhelpful(3)}`,
      },
    },
    {
      name: 'accepts tolerated taints',
      nodes: [{ taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }] }],
      spec: { tolerations: [{ key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' }] },
      expected: { node: 'n0' },
    },
    {
      name: 'follows nodeSelector',
      nodes: [{ labels: { disk: 'hdd' } }, { labels: { disk: 'ssd' } }],
      spec: { nodeSelector: { disk: 'ssd' } },
      expected: { node: 'n1' },
    },
    {
      name: 'compares integers with Gt and Lt',
      nodes: [{ labels: { cores: '4' } }, { labels: { cores: '16' } }, { labels: { cores: 'many' } }],
      spec: required({ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['4'] }] }),
      expected: { node: 'n1' },
    },
    {
      name: 'joins terms with or, expressions with and',
      nodes: [{ labels: { a: '1' } }, { labels: { b: '1', c: '1' } }],
      spec: required(
        { matchExpressions: [{ key: 'a', operator: 'In', values: ['2'] }] },
        {
          matchExpressions: [
            { key: 'b', operator: 'Exists' },
            { key: 'a', operator: 'DoesNotExist' },
          ],
        },
      ),
      expected: { node: 'n1' },
    },
    {
      name: 'goes to the node named by field, and says of the others that they were not asked',
      nodes: [{}, { allocatable: { cpu: '1' } }],
      spec: {
        ...oneContainer({ cpu: '2' }),
        ...required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }),
      },
      expected: {
        message: `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${unhelpful(2)}`,
      },
    },
    {
      name: 'treats labels named like object members as labels',
      nodes: [{}],
      spec: { nodeSelector: { constructor: 'x' } },
      expected: {
        message: `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${unhelpful(1)}`,
      },
    },
    {
      name: 'asks for affinity to a pod that is not there',
      nodes: [{}],
      spec: {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: hostname, labelSelector: { matchLabels: { app: 'db' } } },
            ],
          },
        },
      },
      expected: {
        message: `0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ${unhelpful(1)}`,
      },
    },
    {
      name: 'wants the topology label of a hard spread',
      nodes: [{}],
      spec: {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
        ],
      },
      expected: {
        message: `0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label). ${unhelpful(1)}`,
      },
    },
    {
      name: 'says when there are no nodes',
      nodes: [],
      spec: {},
      expected: { message: 'no nodes available to schedule pods' },
    },
  ]
  test.each(cases)('$name', async ({ nodes, spec, expected }) => {
    for (const [index, options] of nodes.entries()) await cluster.addNode(`n${index}`, options)
    await cluster.addPod('p', spec)
    await settle()
    if ('node' in expected) expect(nodeOf('p')).toBe(expected.node)
    else expect(messageOf('p')).toBe(expected.message)
  })

  test('keeps host ports apart, also between addresses and the wildcard', async () => {
    await cluster.addNode('n0')
    const withPort = (hostIP?: string): PodSpec => ({
      containers: [
        { name: 'main', ports: [{ containerPort: 80, hostPort: 80, ...(hostIP === undefined ? {} : { hostIP }) }] },
      ],
    })
    await cluster.addPod('a', withPort('192.0.2.1'))
    await settle()
    await cluster.addPod('b', withPort('192.0.2.2'))
    await settle()
    await cluster.addPod('c', withPort())
    await settle()
    expect([nodeOf('a'), nodeOf('b'), nodeOf('c')]).toEqual(['n0', 'n0', undefined])
    expect(messageOf('c')).toContain("1 node(s) didn't have free ports for the requested pod ports")
  })

  test('keeps a pod away from those whose anti-affinity it would break, and the other way round', async () => {
    await cluster.addNode('n0', inZone('a'))
    const anti: PodSpec = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: zone, labelSelector: { matchLabels: { app: 'web' } } },
          ],
        },
      },
    }
    await cluster.addPod('lonely', anti)
    await settle()
    await cluster.addPod('web', {}, { labels: { app: 'web' } })
    await settle()
    expect(messageOf('web')).toContain("1 node(s) didn't satisfy existing pods anti-affinity rules")
    await cluster.addNode('n1', inZone('b'))
    await cluster.clock.advance(2000)
    expect(nodeOf('web')).toBe('n1')
    await cluster.addPod('other', { ...anti, nodeSelector: { [zone]: 'b' } })
    await settle()
    expect(messageOf('other')).toContain("1 node(s) didn't match pod anti-affinity rules")
  })

  test('lets the first pod of a kind with affinity to itself in, and the rest follow', async () => {
    await cluster.addNode('n0', inZone('a', { allocatable: { cpu: '1' } }))
    await cluster.addNode('n1', inZone('a', { allocatable: { cpu: '1' } }))
    await cluster.addNode('n2', inZone('b', { allocatable: { cpu: '8' } }))
    const spec: PodSpec = {
      ...oneContainer({ cpu: '1' }),
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: zone, labelSelector: { matchLabels: { app: 'web' } } },
          ],
        },
      },
    }
    for (const name of ['p0', 'p1', 'p2']) await cluster.addPod(name, spec, { labels: { app: 'web' } })
    await settle()
    expect(['p0', 'p1', 'p2'].map(nodeOf)).toEqual(['n2', 'n2', 'n2'])
  })

  test('wakes a pod when the pod that its affinity asks for is bound', async () => {
    await cluster.addNode('n0', inZone('a'))
    await cluster.addPod('follower', {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: zone, labelSelector: { matchLabels: { app: 'db' } } },
          ],
        },
      },
    })
    await settle()
    expect(nodeOf('follower')).toBeUndefined()
    await cluster.addPod('db', {}, { labels: { app: 'db' } })
    await cluster.clock.advance(2000)
    expect(nodeOf('follower')).toBe('n0')
  })
})

describe('topology spread', () => {
  const spread = (more: object = {}): PodSpec => ({
    ...oneContainer({ cpu: '100m' }),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: zone,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
        ...more,
      },
    ],
  })
  const labels = { labels: { app: 'web' } }
  const counts = () => {
    const perZone: Record<string, number> = {}
    for (const pod of cluster.pods()) {
      const value =
        pod.spec.nodeName === undefined ? 'pending' : cluster.node(pod.spec.nodeName).metadata.labels?.[zone]
      perZone[value ?? ''] = (perZone[value ?? ''] ?? 0) + 1
    }
    return perZone
  }

  test('keeps the skew over zones', async () => {
    await cluster.addNode('a', inZone('a'))
    await cluster.addNode('b', inZone('b', { allocatable: { cpu: '200m' } }))
    for (let index = 0; index < 5; index += 1) await cluster.addPod(`p${index}`, spread(), labels)
    await settle()
    expect(counts()).toEqual({ a: 3, b: 2 })
    await cluster.addPod('p5', spread(), labels)
    await settle()
    expect(messageOf('p5')).toBe(
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    )
  })

  test('holds pods back while there are fewer domains than minDomains', async () => {
    await cluster.addNode('a', inZone('a'))
    await cluster.addNode('b', inZone('b'))
    for (let index = 0; index < 4; index += 1) await cluster.addPod(`p${index}`, spread({ minDomains: 3 }), labels)
    await settle()
    expect(counts()).toEqual({ a: 1, b: 1, pending: 2 })
    await cluster.addNode('c', inZone('c'))
    await cluster.clock.advance(3000)
    expect(counts()).toMatchObject({ c: 1 })
    expect(counts()['pending']).toBeUndefined()
  })

  test('counts each revision on its own with matchLabelKeys', async () => {
    await cluster.addNode('a', inZone('a'))
    await cluster.addNode('b', inZone('b', { unschedulable: true }))
    const spec = spread({ matchLabelKeys: ['rev'], nodeTaintsPolicy: 'Ignore' })
    await cluster.addPod('p0', spec, { labels: { app: 'web', rev: '1' } })
    await cluster.addPod('p1', spec, { labels: { app: 'web', rev: '2' } })
    await settle()
    expect(counts()).toEqual({ a: 2 })
  })

  test('keeps pods of other revisions together and apart by the label keys of affinity', async () => {
    await cluster.addNode('a', inZone('a'))
    await cluster.addNode('b', inZone('b'))
    const apart = (keys: object): PodSpec => {
      const term = { topologyKey: zone, labelSelector: { matchLabels: { app: 'web' } }, ...keys }
      return { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    }
    const add = (name: string, rev: string, keys: object) =>
      cluster.addPod(name, apart(keys), { labels: { app: 'web', rev } })
    await add('p0', '1', { matchLabelKeys: ['rev'] })
    await settle()
    await add('p1', '1', { matchLabelKeys: ['rev'] })
    await settle()
    expect(new Set([nodeOf('p0'), nodeOf('p1')])).toEqual(new Set(['a', 'b']))
    await add('p2', '2', { matchLabelKeys: ['rev'] })
    await add('p3', '3', { mismatchLabelKeys: ['rev'] })
    await settle()
    expect([nodeOf('p2') === undefined, nodeOf('p3')]).toEqual([false, undefined])
  })

  test('does not count domains of nodes that taints rule out when nodeTaintsPolicy is Honor', async () => {
    await cluster.addNode('a', inZone('a'))
    await cluster.addNode('b', inZone('b', { taints: [{ key: 'x', effect: 'NoSchedule' }] }))
    for (let index = 0; index < 3; index += 1) {
      await cluster.addPod(`p${index}`, spread({ nodeTaintsPolicy: 'Honor' }), labels)
    }
    await settle()
    expect(counts()).toEqual({ a: 3 })
  })
})

describe('waiting pods', () => {
  test('a pod that does not fit is marked Unschedulable and bound when a node joins', async () => {
    await cluster.addPod('p', oneContainer({ cpu: '2' }))
    await settle()
    expect(conditionOf(cluster.pod('p'), 'PodScheduled')).toMatchObject({ status: 'False', reason: 'Unschedulable' })
    await cluster.addNode('n0')
    await cluster.clock.advance(1500)
    expect(nodeOf('p')).toBe('n0')
    expect(conditionOf(cluster.pod('p'), 'PodScheduled')?.status).toBe('True')
  })

  test('higher priority goes first', async () => {
    await cluster.addPod('low', { ...oneContainer({ cpu: '3' }) })
    await cluster.addPod('high', {
      ...oneContainer({ cpu: '3' }),
      priorityClassName: 'system-cluster-critical',
    } as PodSpec)
    await cluster.addNode('n0')
    await cluster.clock.advance(1500)
    expect([nodeOf('high'), nodeOf('low')]).toEqual(['n0', undefined])
  })

  test('a gated pod waits without an attempt until its gates are gone', async () => {
    await cluster.addNode('n0')
    await cluster.addPod('p', { schedulingGates: [{ name: 'example.com/wait' }] })
    await settle()
    expect(conditionOf(cluster.pod('p'), 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    })
    await cluster.face.patch({ ...refs.pods, namespace: 'default', name: 'p' }, 'merge', {
      spec: { schedulingGates: null },
    })
    await settle()
    expect(nodeOf('p')).toBe('n0')
  })

  test('a pod of another scheduler is left alone', async () => {
    await cluster.addNode('n0')
    await cluster.addPod('p', { schedulerName: 'mine' })
    await settle()
    expect(nodeOf('p')).toBeUndefined()
    expect(conditionOf(cluster.pod('p'), 'PodScheduled')).toBeUndefined()
  })

  test('a pod whose room was taken comes back when a pod leaves', async () => {
    await cluster.addNode('n0', { allocatable: { cpu: '1' } })
    await cluster.addPod('a', oneContainer({ cpu: '1' }))
    await settle()
    await cluster.addPod('b', oneContainer({ cpu: '1' }))
    await settle()
    expect(nodeOf('b')).toBeUndefined()
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 })
    await cluster.clock.advance(1500)
    expect(nodeOf('b')).toBe('n0')
  })

  test('a failing binding is tried again', async () => {
    const flaky = startTestCluster({ only: ['scheduler'], onError: () => {} })
    let failures = 0
    flaky.server.interceptors.add(({ subresource }) =>
      subresource === 'binding' && failures++ < 2
        ? { fail: { code: 500, reason: 'InternalError', message: 'no' } }
        : undefined,
    )
    await flaky.addNode('n0')
    await flaky.addPod('p')
    await flaky.clock.advance(10_000)
    expect(flaky.pod('p').spec.nodeName).toBe('n0')
    expect(failures).toBe(3)
    await flaky.stop()
  })
})

describe('preemption', () => {
  const addClass = (name: string, value: number, preemptionPolicy = 'PreemptLowerPriority') =>
    cluster.face.create(
      { group: 'scheduling.k8s.io', version: 'v1', plural: 'priorityclasses' },
      { metadata: { name }, value, preemptionPolicy },
    )
  const withClass = (priorityClassName: string, cpu: string) =>
    ({ ...oneContainer({ cpu }), priorityClassName }) as PodSpec

  test('deletes the least important pods that make room, and takes their place', async () => {
    await addClass('low', 10)
    await addClass('mid', 100)
    await addClass('high', 1000)
    await cluster.addNode('n0', { allocatable: { cpu: '2' } })
    await cluster.addPod('mid', withClass('mid', '1'))
    await cluster.addPod('low', withClass('low', '1'))
    await settle()
    await cluster.addPod('high', withClass('high', '1'))
    await settle()
    expect(cluster.pod('high').status?.nominatedNodeName).toBe('n0')
    expect(cluster.pod('low').metadata.deletionTimestamp).toBeDefined()
    expect(conditionOf(cluster.pod('low'), 'DisruptionTarget')?.reason).toBe('PreemptionByScheduler')
    expect(cluster.pod('mid').metadata.deletionTimestamp).toBeUndefined()
    // The room is kept for it: a newcomer of lower priority does not get it.
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'low' }, { gracePeriodSeconds: 0 })
    await cluster.addPod('thief', withClass('low', '1'))
    await cluster.clock.advance(2000)
    expect([nodeOf('high'), nodeOf('thief')]).toEqual(['n0', undefined])
  })

  test('prefers the node where no disruption budget is broken', async () => {
    await addClass('low', 10)
    await addClass('high', 1000)
    await cluster.addNode('n0', { allocatable: { cpu: '1' } })
    await cluster.addNode('n1', { allocatable: { cpu: '1' } })
    await cluster.addPod('guarded', withClass('low', '1'), { labels: { app: 'guarded' } })
    await settle()
    await cluster.addPod('free', withClass('low', '1'))
    await settle()
    await cluster.face.create(
      { ...refs.disruptionBudgets, namespace: 'default' },
      { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } } },
    )
    await cluster.addPod('high', withClass('high', '1'))
    await settle()
    expect(cluster.pod('high').status?.nominatedNodeName).toBe(nodeOf('free'))
    expect(cluster.pod('guarded').metadata.deletionTimestamp).toBeUndefined()
  })

  test('never preempts for a class that must not', async () => {
    await addClass('polite', 1000, 'Never')
    await cluster.addNode('n0', { allocatable: { cpu: '1' } })
    await cluster.addPod('a', oneContainer({ cpu: '1' }))
    await settle()
    await cluster.addPod('b', withClass('polite', '1'))
    await settle()
    expect(messageOf('b')).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
    )
    expect(cluster.pod('a').metadata.deletionTimestamp).toBeUndefined()
  })
})

describe('scores', () => {
  test('prefers emptier nodes, then what affinity prefers, and avoids soft taints', async () => {
    await cluster.addNode('n0', { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] })
    await cluster.addNode('n1')
    await cluster.addNode('n2', { labels: { good: 'yes' } })
    await cluster.addPod('p0', {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 10, preference: { matchExpressions: [{ key: 'good', operator: 'Exists' }] } },
          ],
        },
      },
    })
    await settle()
    await cluster.addPod('p1', oneContainer({ cpu: '1' }))
    await settle()
    await cluster.addPod('p2', oneContainer({ cpu: '1' }))
    await settle()
    expect(nodeOf('p0')).toBe('n2')
    expect([nodeOf('p1'), nodeOf('p2')]).toEqual(['n1', 'n2'])
  })

  test('spreads softly over zones', async () => {
    for (const value of ['a', 'b', 'c']) await cluster.addNode(value, inZone(value))
    const spec: PodSpec = {
      ...oneContainer({ cpu: '100m' }),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: zone,
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    }
    for (let index = 0; index < 6; index += 1) await cluster.addPod(`p${index}`, spec, { labels: { app: 'web' } })
    await settle()
    const nodes = cluster.pods().map((pod) => pod.spec.nodeName)
    for (const value of ['a', 'b', 'c']) expect(nodes.filter((name) => name === value)).toHaveLength(2)
  })
})
