import { describe, expect, test } from '@jest/globals'

import { conditionOf } from '../../../test/cluster-fixture.ts'
import { clusterForEach } from '../../../test/cluster-for-each.ts'
import type { NodeObject, PodSpec } from '../objects.ts'
import { isReady } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { taintsFor, updatedTaints } from './condition-taints.ts'
import { stayMs } from './taint-eviction.ts'

const node = (status: string | undefined, taints: ReadonlyArray<object> = [], unschedulable = false) =>
  ({
    metadata: { name: 'n' },
    spec: { taints, unschedulable },
    status: { conditions: status === undefined ? [] : [{ type: 'Ready', status }] },
  }) as unknown as NodeObject

describe('taintsFor()', () => {
  test.each([
    ['True', []],
    ['False', ['node.kubernetes.io/not-ready:NoSchedule', 'node.kubernetes.io/not-ready:NoExecute']],
    ['Unknown', ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute']],
    [undefined, ['node.kubernetes.io/not-ready:NoSchedule']],
  ])('with Ready=%s', (status, expected) => {
    expect(taintsFor(node(status)).map(({ key, effect }) => `${key}:${effect}`)).toEqual(expected)
  })

  test('leaves taints of others alone, and writes nothing when all is well', () => {
    const foreign = { key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }
    expect(updatedTaints(node('True', [foreign]), 'now')).toBeUndefined()
    const stale = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }
    expect(updatedTaints(node('True', [stale, foreign]), 'now')).toEqual([foreign])
    expect(updatedTaints(node('True', [foreign], true), 'now')).toEqual([
      foreign,
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: 'now' },
    ])
  })
})

describe('stayMs()', () => {
  const taint = (key: string) => ({ key, effect: 'NoExecute' })
  test.each([
    ['no toleration', [taint('a')], [], 0],
    ['a toleration without limit', [taint('a')], [{ key: 'a', operator: 'Exists' }], Infinity],
    ['one limit', [taint('a')], [{ key: 'a', operator: 'Exists', tolerationSeconds: 5 }], 5000],
    [
      'the shortest of several',
      [taint('a'), taint('b')],
      [
        { key: 'a', operator: 'Exists', tolerationSeconds: 9 },
        { key: 'b', operator: 'Exists', tolerationSeconds: 3 },
      ],
      3000,
    ],
    ['a taint that does not evict', [{ key: 'a', effect: 'NoSchedule' }], [], Infinity],
  ])('with %s', (_name, taints, tolerations, expected) => {
    expect(stayMs(taints, tolerations)).toBe(expected)
  })
})

describe('node lifecycle', () => {
  const cluster = clusterForEach(async (fresh) => {
    await fresh.addNode('n0')
    await fresh.clock.advance(3000)
  })
  const silence = (name: string) =>
    cluster.face.patch({ ...refs.nodes, name }, 'merge', {
      metadata: { annotations: { 'sim.scantling.sh/kubelet': 'stopped' } },
    })
  const revive = (name: string) =>
    cluster.face.patch({ ...refs.nodes, name }, 'merge', {
      metadata: { annotations: { 'sim.scantling.sh/kubelet': null } },
    })
  const keys = (name: string) => (cluster.node(name).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)

  test('frees a node of not-ready when it becomes Ready', () => {
    expect(conditionOf(cluster.node('n0'), 'Ready')?.status).toBe('True')
    expect(keys('n0')).toEqual([])
  })

  test('keeps a node that beats for an hour', async () => {
    await cluster.clock.advance(3_600_000)
    expect(conditionOf(cluster.node('n0'), 'Ready')?.status).toBe('True')
  })

  test('marks a silent node after 40 s, evicts after the tolerated time, and takes it back', async () => {
    const impatient: PodSpec = {
      tolerations: [
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 },
      ],
    }
    await cluster.addPod('patient')
    await cluster.addPod('impatient', impatient)
    await cluster.clock.advance(5000)
    await silence('n0')
    await cluster.clock.advance(30_000)
    expect(conditionOf(cluster.node('n0'), 'Ready')?.status).toBe('True')
    await cluster.clock.advance(25_000)
    expect(conditionOf(cluster.node('n0'), 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' })
    expect(keys('n0')).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ])
    expect(isReady(cluster.pod('patient'))).toBe(false)
    await cluster.clock.advance(12_000)
    expect(cluster.pod('impatient').metadata.deletionTimestamp).toBeDefined()
    expect(cluster.pod('patient').metadata.deletionTimestamp).toBeUndefined()
    await revive('n0')
    await cluster.clock.advance(15_000)
    expect(conditionOf(cluster.node('n0'), 'Ready')?.status).toBe('True')
    expect(keys('n0')).toEqual([])
    await cluster.clock.advance(600_000)
    expect(cluster.pod('patient').metadata.deletionTimestamp).toBeUndefined()
    expect(cluster.pods().map(({ metadata }) => metadata.name)).toEqual(['patient'])
  })

  test('evicts at once what does not tolerate a NoExecute taint', async () => {
    await cluster.addPod('p')
    await cluster.clock.advance(5000)
    await cluster.face.patch({ ...refs.nodes, name: 'n0' }, 'merge', {
      spec: { taints: [{ key: 'out', effect: 'NoExecute' }] },
    })
    await cluster.clock.advance(3000)
    expect(cluster.pods()).toEqual([])
  })
})

describe('pod garbage collection', () => {
  const cluster = clusterForEach(
    async (fresh) => {
      await fresh.addNode('n0')
      await fresh.clock.advance(3000)
    },
    { podGarbage: { terminatedThreshold: 2 } },
  )

  test('tells that a pod has failed that was deleted before it had a node, and that a finalizer holds', async () => {
    const held = { finalizers: ['example.com/held'] }
    await cluster.addPod('p', { schedulerName: 'nobody', terminationGracePeriodSeconds: 0 }, held)
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'p' })
    await cluster.clock.advance(1000)
    expect(cluster.pod('p').status?.phase).toBe('Pending')
    await cluster.clock.advance(25_000)
    expect(cluster.pod('p').status?.phase).toBe('Failed')
  })

  test('deletes the pods of a node that is gone', async () => {
    await cluster.addPod('p')
    await cluster.clock.advance(5000)
    await cluster.face.delete({ ...refs.nodes, name: 'n0' })
    await cluster.clock.advance(30_000)
    expect(cluster.pods()).toHaveLength(1)
    await cluster.clock.advance(40_000)
    expect(cluster.pods()).toHaveLength(0)
  })

  test('keeps a bounded number of ended pods, the youngest', async () => {
    for (let index = 0; index < 4; index += 1) {
      await cluster.addPod(
        `job-${index}`,
        { restartPolicy: 'Never' },
        { annotations: { 'sim.scantling.sh/run-for': '1s' } },
      )
      await cluster.clock.advance(1000)
    }
    await cluster.clock.advance(60_000)
    expect(cluster.pods().map(({ metadata }) => metadata.name)).toEqual(['job-2', 'job-3'])
  })
})
