import { describe, expect, test } from '@jest/globals'

import { oneContainer } from '../../../test/cluster-fixture.ts'
import { clusterForEach } from '../../../test/cluster-for-each.ts'
import type { ControllerRevisionObject, DaemonSetObject, PodSpec } from '../objects.ts'
import { refs } from '../refs.ts'

const cluster = clusterForEach()

const ref = { ...refs.daemonSets, namespace: 'default', name: 'agent' }
const addDaemonSet = (spec: PodSpec = oneContainer(), more: object = {}) =>
  cluster.face.create(
    { ...refs.daemonSets, namespace: 'default' },
    {
      metadata: { name: 'agent' },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        template: { metadata: { labels: { app: 'agent' } }, spec },
        ...more,
      },
    },
  )
const placed = () =>
  cluster
    .pods()
    .map(({ spec }) => spec.nodeName ?? 'pending')
    .sort()
const status = () => cluster.face.peek<DaemonSetObject>('apps', 'daemonsets').get('agent', 'default')?.status

describe('a DaemonSet', () => {
  test('runs one pod on each node, those that join later included', async () => {
    await cluster.addNode('a')
    await addDaemonSet()
    await cluster.clock.advance(4000)
    await cluster.addNode('b')
    await cluster.clock.advance(4000)
    expect(placed()).toEqual(['a', 'b'])
    expect(status()).toMatchObject({
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      numberReady: 2,
      numberAvailable: 2,
      numberUnavailable: 0,
      numberMisscheduled: 0,
      updatedNumberScheduled: 2,
    })
  })

  test('pins its pods by field and gives them the tolerations of daemons', async () => {
    await cluster.addNode('a')
    await addDaemonSet()
    await cluster.clock.advance(100)
    const [pod] = cluster.pods()
    expect(pod?.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
    })
    const forever = (pod?.spec.tolerations ?? []).filter(({ tolerationSeconds }) => tolerationSeconds === undefined)
    expect(forever.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/memory-pressure:NoSchedule',
      'node.kubernetes.io/pid-pressure:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ])
  })

  test('keeps to its selector, affinity and tolerations, and runs on cordoned nodes', async () => {
    await cluster.addNode('cordoned', { labels: { disk: 'ssd' }, unschedulable: true })
    await cluster.addNode('tainted', { labels: { disk: 'ssd' }, taints: [{ key: 'x', effect: 'NoSchedule' }] })
    await cluster.addNode('other')
    await addDaemonSet({ ...oneContainer(), nodeSelector: { disk: 'ssd' } })
    await cluster.clock.advance(4000)
    expect(placed()).toEqual(['cordoned'])
  })

  test('comes when a taint such as karpenter.sh/unregistered goes, and leaves when NoExecute comes', async () => {
    await cluster.addNode('a', { taints: [{ key: 'karpenter.sh/unregistered', effect: 'NoExecute' }] })
    await addDaemonSet()
    await cluster.clock.advance(4000)
    expect(placed()).toEqual([])
    await cluster.face.patch({ ...refs.nodes, name: 'a' }, 'merge', { spec: { taints: [] } })
    await cluster.clock.advance(4000)
    expect(placed()).toEqual(['a'])
    const taints = [{ key: 'maintenance', effect: 'NoSchedule' }]
    await cluster.face.patch({ ...refs.nodes, name: 'a' }, 'merge', { spec: { taints } })
    await cluster.clock.advance(4000)
    expect(placed()).toEqual(['a'])
    await cluster.face.patch({ ...refs.nodes, name: 'a' }, 'merge', {
      spec: { taints: [{ key: 'maintenance', effect: 'NoExecute' }] },
    })
    await cluster.clock.advance(4000)
    expect(placed()).toEqual([])
  })

  test('takes room into account through the scheduler', async () => {
    await cluster.addNode('a', { allocatable: { cpu: '100m' } })
    await addDaemonSet(oneContainer({ cpu: '200m' }))
    await cluster.clock.advance(2000)
    expect(placed()).toEqual(['pending'])
    expect(status()).toMatchObject({ desiredNumberScheduled: 1, currentNumberScheduled: 1, numberReady: 0 })
  })

  test('rolls to a new template one node at a time', async () => {
    for (const name of ['a', 'b', 'c']) await cluster.addNode(name)
    await addDaemonSet()
    await cluster.clock.advance(5000)
    await cluster.face.patch(ref, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'main', image: 'two' }] } } },
    })
    let fewest = 3
    for (let step = 0; step < 60; step += 1) {
      await cluster.clock.advance(300)
      const serving = cluster
        .pods()
        .filter(({ metadata, status: s }) => s?.phase === 'Running' && metadata.deletionTimestamp === undefined)
      fewest = Math.min(fewest, serving.length)
    }
    expect(fewest).toBe(2)
    expect(cluster.pods().map(({ spec }) => spec.containers?.[0]?.image)).toEqual(['two', 'two', 'two'])
    expect(status()).toMatchObject({ updatedNumberScheduled: 3, numberReady: 3 })
  })

  test('OnDelete replaces pods only when somebody deletes them', async () => {
    await cluster.addNode('a')
    await addDaemonSet(oneContainer(), { updateStrategy: { type: 'OnDelete' } })
    await cluster.clock.advance(5000)
    await cluster.face.patch(ref, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'main', image: 'two' }] } } },
    })
    await cluster.clock.advance(5000)
    const [pod] = cluster.pods()
    expect(pod?.spec.containers?.[0]?.image).toBe('registry.example/pause')
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: pod?.metadata.name ?? '' })
    await cluster.clock.advance(5000)
    expect(cluster.pods().map(({ spec }) => spec.containers?.[0]?.image)).toEqual(['two'])
  })

  test('keeps a revision of each template within its limit, and goes back to one by its number', async () => {
    const revisions = () =>
      [...cluster.face.peek<ControllerRevisionObject>('apps', 'controllerrevisions').values('default')]
        .map(({ revision = 0, data }) => `${revision} ${data?.spec?.template?.spec?.containers?.[0]?.image}`)
        .toSorted()
    const roll = async (image: string) => {
      await cluster.face.patch(ref, 'strategic', {
        spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
      })
      await cluster.clock.advance(6000)
    }
    await cluster.addNode('a')
    await addDaemonSet(oneContainer(), { revisionHistoryLimit: 1 })
    await cluster.clock.advance(5000)
    expect(cluster.pods()[0]?.metadata.labels).toMatchObject({ 'pod-template-generation': '1' })
    await roll('two')
    expect(revisions()).toEqual(['1 registry.example/pause', '2 two'])
    await roll('registry.example/pause')
    expect(revisions()).toEqual(['2 two', '3 registry.example/pause'])
    await roll('four')
    expect(revisions()).toEqual(['3 registry.example/pause', '4 four'])
    const set = cluster.face.peek<DaemonSetObject>('apps', 'daemonsets').get('agent', 'default')
    expect(set?.metadata.annotations).toEqual({ 'deprecated.daemonset.template.generation': '4' })
    expect(cluster.pods()[0]?.metadata.labels).toMatchObject({ 'pod-template-generation': '4' })
  })

  test('takes pods that it selects, and lets go of those that it does not', async () => {
    await cluster.addNode('a')
    await cluster.addPod('orphan', oneContainer(), { labels: { app: 'agent' } })
    await cluster.clock.advance(3000)
    await addDaemonSet(oneContainer(), { updateStrategy: { type: 'OnDelete' } })
    await cluster.clock.advance(3000)
    expect(cluster.pods().map(({ metadata }) => metadata.name)).toEqual(['orphan'])
    const pod = { ...refs.pods, namespace: 'default', name: 'orphan' }
    await cluster.face.patch(pod, 'merge', { metadata: { labels: { app: 'other' } } })
    await cluster.clock.advance(3000)
    expect([cluster.pods().length, cluster.pod('orphan').metadata.ownerReferences ?? []]).toEqual([2, []])
  })

  test('with maxSurge never has a node without a pod that serves', async () => {
    for (const name of ['a', 'b', 'c']) await cluster.addNode(name)
    await addDaemonSet(oneContainer(), { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
    await cluster.clock.advance(5000)
    await cluster.face.patch(ref, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'main', image: 'two' }] } } },
    })
    const counts = new Set<number>()
    for (let step = 0; step < 60; step += 1) {
      await cluster.clock.advance(300)
      const serving = cluster
        .pods()
        .filter(({ metadata, status: s }) => s?.phase === 'Running' && metadata.deletionTimestamp === undefined)
      expect(new Set(serving.map(({ spec }) => spec.nodeName)).size).toBe(3)
      counts.add(cluster.pods().filter(({ metadata }) => metadata.deletionTimestamp === undefined).length)
    }
    expect([...counts].toSorted((a, b) => a - b)).toEqual([3, 4])
    expect(cluster.pods().map(({ spec }) => spec.containers?.[0]?.image)).toEqual(['two', 'two', 'two'])
  })
})
