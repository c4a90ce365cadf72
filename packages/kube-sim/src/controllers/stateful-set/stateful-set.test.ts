import { describe, expect, test } from '@jest/globals'

import { oneContainer } from '../../../test/cluster-fixture.ts'
import { clusterForEach } from '../../../test/cluster-for-each.ts'
import type { ControllerRevisionObject, StatefulSetObject, VolumeClaimObject } from '../objects.ts'
import { isReady } from '../pod-state.ts'
import { refs } from '../refs.ts'

const cluster = clusterForEach(async (fresh) => {
  for (let index = 0; index < 3; index += 1) await fresh.addNode(`n${index}`)
  await fresh.clock.advance(1000)
})

const ref = { ...refs.statefulSets, namespace: 'default', name: 'web' }
const add = (replicas: number, more: Record<string, unknown> = {}) =>
  cluster.face.create<StatefulSetObject>(
    { ...refs.statefulSets, namespace: 'default' },
    {
      metadata: { name: 'web' },
      spec: {
        replicas,
        serviceName: 'web',
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: oneContainer() },
        ...more,
      },
    },
  )
const change = (spec: object) => cluster.face.patch(ref, 'merge', { spec })
const roll = (image: string) =>
  cluster.face.patch(ref, 'strategic', { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } })
const set = () => {
  const object = cluster.face.peek<StatefulSetObject>('apps', 'statefulsets').get('web', 'default')
  if (object === undefined) throw new Error('There is no StatefulSet web')
  return object
}
const names = () =>
  cluster
    .pods()
    .map(({ metadata }) => metadata.name)
    .sort()
const images = () => names().map((name) => cluster.pod(name).spec.containers?.[0]?.image)
const claims = () => [...cluster.face.peek<VolumeClaimObject>('', 'persistentvolumeclaims').values('default')]
const claimNames = () => claims().map(({ metadata }) => metadata.name)
const revisions = () => [
  ...cluster.face.peek<ControllerRevisionObject>('apps', 'controllerrevisions').values('default'),
]
const disk = {
  volumeClaimTemplates: [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'disk', resources: { requests: { storage: '1Gi' } } },
    },
  ],
}
const addDisks = () =>
  cluster.face.create(refs.storageClasses, {
    metadata: { name: 'disk' },
    provisioner: 'disk.csi.example.com',
    volumeBindingMode: 'WaitForFirstConsumer',
  })

describe('a StatefulSet', () => {
  test('brings its pods up one after the other, each with its name, labels and place', async () => {
    await add(3, { ordinals: { start: 5 } })
    await cluster.clock.advance(100)
    expect(names()).toEqual(['web-5'])
    let wasOutOfOrder = false
    for (let step = 0; step < 40; step += 1) {
      await cluster.clock.advance(250)
      const ready = cluster.pods().filter(isReady).length
      if (cluster.pods().length > ready + 1) wasOutOfOrder = true
    }
    expect([names(), wasOutOfOrder]).toEqual([['web-5', 'web-6', 'web-7'], false])
    const { currentRevision = '' } = set().status ?? {}
    expect(cluster.pod('web-6').metadata.labels).toEqual({
      app: 'web',
      'statefulset.kubernetes.io/pod-name': 'web-6',
      'apps.kubernetes.io/pod-index': '6',
      'controller-revision-hash': currentRevision,
    })
    expect(cluster.pod('web-6').spec).toMatchObject({ hostname: 'web-6', subdomain: 'web' })
    expect(set().status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      updateRevision: currentRevision,
    })
    expect(revisions().map(({ metadata, revision }) => [metadata.name, revision])).toEqual([[currentRevision, 1]])
  })

  test('waits for a pod that does not come up', async () => {
    await add(2, { template: { metadata: { labels: { app: 'web' } }, spec: oneContainer({ cpu: '100' }) } })
    await cluster.clock.advance(20_000)
    expect(names()).toEqual(['web-0'])
    expect(set().status).toMatchObject({ replicas: 1, readyReplicas: 0 })
  })

  test('brings all up and down at once when told Parallel', async () => {
    await add(3, { podManagementPolicy: 'Parallel' })
    await cluster.clock.advance(100)
    expect(names()).toEqual(['web-0', 'web-1', 'web-2'])
    await cluster.clock.advance(3000)
    await change({ replicas: 0 })
    await cluster.clock.advance(100)
    expect(cluster.pods().every(({ metadata }) => metadata.deletionTimestamp !== undefined)).toBe(true)
    await cluster.clock.advance(3000)
    expect(names()).toEqual([])
  })

  test('shrinks from the top, one after the other', async () => {
    await add(3)
    await cluster.clock.advance(10_000)
    await change({ replicas: 1 })
    await cluster.clock.advance(500)
    const going = () => names().filter((name) => cluster.pod(name).metadata.deletionTimestamp !== undefined)
    expect([names(), going()]).toEqual([['web-0', 'web-1', 'web-2'], ['web-2']])
    await cluster.clock.advance(1000)
    expect([names(), going()]).toEqual([['web-0', 'web-1'], ['web-1']])
    await cluster.clock.advance(2000)
    expect(names()).toEqual(['web-0'])
  })

  test('replaces pods that were evicted, deleted or failed under their names', async () => {
    await add(2)
    await cluster.clock.advance(6000)
    const before = ['web-0', 'web-1'].map((name) => cluster.pod(name).metadata.uid)
    const target = { ...refs.pods, namespace: 'default' }
    await cluster.face.create(
      { ...target, name: 'web-0', subresource: 'eviction' },
      { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web-0' } },
    )
    await cluster.face.patch({ ...target, name: 'web-1', subresource: 'status' }, 'merge', {
      status: { phase: 'Failed' },
    })
    await cluster.clock.advance(10_000)
    expect(names()).toEqual(['web-0', 'web-1'])
    expect(names().every((name) => isReady(cluster.pod(name)))).toBe(true)
    expect(names().some((name) => before.includes(cluster.pod(name).metadata.uid))).toBe(false)
  })

  test('adopts a pod of its name and labels, and lets it go with them; a stranger keeps the name while it lasts', async () => {
    await cluster.addPod('web-0', oneContainer(), { labels: { app: 'web' } })
    const { uid } = cluster.pod('web-0').metadata
    await add(2, { updateStrategy: { type: 'OnDelete' } })
    await cluster.clock.advance(6000)
    expect(cluster.pod('web-0').metadata).toMatchObject({ uid, ownerReferences: [{ kind: 'StatefulSet' }] })
    expect(set().status).toMatchObject({ readyReplicas: 2, updatedReplicas: 1 })
    const target = { ...refs.pods, namespace: 'default', name: 'web-0' }
    await cluster.face.patch(target, 'merge', { metadata: { labels: { app: 'other' } } })
    await cluster.clock.advance(5000)
    expect(cluster.pod('web-0').metadata.ownerReferences ?? []).toEqual([])
    expect(set().status).toMatchObject({ replicas: 1 })
    await cluster.face.delete(target)
    await cluster.clock.advance(6000)
    expect(set().status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2 })
  })
})

describe('the update of a StatefulSet', () => {
  test('goes from the top down to the partition, and what is lost below it comes back as it was', async () => {
    await add(4)
    await cluster.clock.advance(12_000)
    const first = set().status?.currentRevision
    await change({ updateStrategy: { rollingUpdate: { partition: 2 } } })
    await roll('two')
    await cluster.clock.advance(15_000)
    expect(images()).toEqual(['registry.example/pause', 'registry.example/pause', 'two', 'two'])
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'web-0' })
    await cluster.clock.advance(8000)
    expect(images()).toEqual(['registry.example/pause', 'registry.example/pause', 'two', 'two'])
    expect(set().status).toMatchObject({ currentRevision: first, currentReplicas: 2, updatedReplicas: 2 })
    expect(set().status?.updateRevision).not.toBe(first)
    await change({ updateStrategy: { rollingUpdate: { partition: 0 } } })
    await cluster.clock.advance(15_000)
    expect(images()).toEqual(['two', 'two', 'two', 'two'])
    expect(set().status).toMatchObject({ currentReplicas: 4, updatedReplicas: 4 })
    expect(set().status?.currentRevision).toBe(set().status?.updateRevision)
  })

  test('touches nothing with OnDelete, until pods are deleted', async () => {
    await add(2, { updateStrategy: { type: 'OnDelete' } })
    await cluster.clock.advance(6000)
    await roll('two')
    await cluster.clock.advance(10_000)
    expect(images()).toEqual(['registry.example/pause', 'registry.example/pause'])
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'web-0' })
    await cluster.clock.advance(6000)
    expect(images()).toEqual(['two', 'registry.example/pause'])
    expect(set().status).toMatchObject({ currentReplicas: 1, updatedReplicas: 1 })
  })

  test('back to an old template takes its revision, and old ones beyond the limit go', async () => {
    await add(1, { revisionHistoryLimit: 1 })
    await cluster.clock.advance(4000)
    const first = set().status?.currentRevision
    for (const image of ['two', 'registry.example/pause']) {
      await roll(image)
      await cluster.clock.advance(6000)
    }
    expect(set().status?.currentRevision).toBe(first)
    expect(revisions().map(({ revision }) => revision)).toEqual([3, 2])
    await roll('three')
    await cluster.clock.advance(6000)
    expect(new Set(revisions().map(({ revision }) => revision))).toEqual(new Set([3, 4]))
  })

  test('waits for each pod to be ready for minReadySeconds', async () => {
    await add(2, { minReadySeconds: 10 })
    await cluster.clock.advance(8000)
    expect([names(), set().status]).toMatchObject([['web-0'], { readyReplicas: 1, availableReplicas: 0 }])
    await cluster.clock.advance(20_000)
    expect(set().status).toMatchObject({ readyReplicas: 2, availableReplicas: 2 })
  })

  test('refuses to change what a set is made of', async () => {
    await add(1)
    await expect(change({ serviceName: 'other' })).rejects.toMatchObject({
      code: 422,
      causes: [{ field: 'spec', reason: 'FieldValueForbidden' }],
    })
    await expect(change({ podManagementPolicy: 'Parallel' })).rejects.toMatchObject({ code: 422 })
    await expect(change({ updateStrategy: { type: 'Sometimes' } })).rejects.toMatchObject({ code: 422 })
    await change({ replicas: 2, minReadySeconds: 1 })
  })
})

describe('the claims of a StatefulSet', () => {
  test('are made with their pods, bound, kept when it shrinks or goes, and found again', async () => {
    await addDisks()
    await add(2, disk)
    await cluster.clock.advance(8000)
    expect(claimNames()).toEqual(['data-web-0', 'data-web-1'])
    expect(claims().map(({ status }) => status?.phase)).toEqual(['Bound', 'Bound'])
    expect(claims()[1]?.metadata.labels).toEqual({ app: 'web' })
    expect(cluster.pod('web-1').spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-web-1' },
    })
    const [, kept] = claims()
    await change({ replicas: 1 })
    await cluster.clock.advance(3000)
    await change({ replicas: 2 })
    await cluster.clock.advance(5000)
    expect(claims()[1]?.metadata.uid).toBe(kept?.metadata.uid)
    await cluster.face.delete(ref)
    await cluster.clock.advance(5000)
    expect([names(), claimNames()]).toEqual([[], ['data-web-0', 'data-web-1']])
  })

  test('go with the pod that is scaled away, or with the set, where the retention policy says so', async () => {
    await addDisks()
    await add(2, { ...disk, persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' } })
    await cluster.clock.advance(8000)
    // A pod that only moves keeps its claim.
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'web-1' })
    await cluster.clock.advance(8000)
    expect(claimNames()).toEqual(['data-web-0', 'data-web-1'])
    await change({ replicas: 1 })
    await cluster.clock.advance(5000)
    expect(claimNames()).toEqual(['data-web-0'])
    await change({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } })
    await cluster.clock.advance(1000)
    expect(claims()[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'StatefulSet', name: 'web' }])
    await cluster.face.delete(ref)
    await cluster.clock.advance(5000)
    expect(claimNames()).toEqual([])
  })
})
