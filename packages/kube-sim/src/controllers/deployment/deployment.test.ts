import { describe, expect, test } from '@jest/globals'

import { conditionOf, oneContainer } from '../../../test/cluster-fixture.ts'
import { clusterForEach } from '../../../test/cluster-for-each.ts'
import type { DeploymentObject, ReplicaSetObject } from '../objects.ts'
import { isReady } from '../pod-state.ts'
import { refs } from '../refs.ts'

const cluster = clusterForEach(async (fresh) => {
  for (let index = 0; index < 5; index += 1) await fresh.addNode(`n${index}`)
  await fresh.clock.advance(1000)
})

const ref = { ...refs.deployments, namespace: 'default', name: 'web' }
const deployment = () => {
  const object = cluster.face.peek<DeploymentObject>('apps', 'deployments').get('web', 'default')
  if (object === undefined) throw new Error('There is no Deployment web')
  return object
}
const sets = () => [...cluster.face.peek<ReplicaSetObject>('apps', 'replicasets').values('default')]
const setImage = (image: string) =>
  cluster.face.patch(ref, 'strategic', { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } })
const images = () => cluster.pods().map(({ spec }) => spec.containers?.[0]?.image)
const ready = () => cluster.pods().filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined).length

describe('a Deployment', () => {
  test('brings its pods up, with revision, hash and conditions', async () => {
    await cluster.addDeployment('web', 3)
    await cluster.clock.advance(4000)
    expect(ready()).toBe(3)
    expect(deployment().status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      unavailableReplicas: 0,
    })
    expect(conditionOf(deployment(), 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' })
    expect(conditionOf(deployment(), 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
    const [set] = sets()
    const hash = set?.metadata.labels?.['pod-template-hash']
    expect(set?.metadata.name).toBe(`web-${hash}`)
    expect(set?.spec.selector?.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash })
    expect(deployment().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    expect(cluster.pods().every(({ metadata }) => metadata.labels?.['pod-template-hash'] === hash)).toBe(true)
  })

  test('scales up and down through its ReplicaSet', async () => {
    await cluster.addDeployment('web', 2)
    await cluster.clock.advance(4000)
    await cluster.face.patch(ref, 'merge', { spec: { replicas: 5 } })
    await cluster.clock.advance(4000)
    expect(ready()).toBe(5)
    await cluster.face.patch(ref, 'merge', { spec: { replicas: 1 } })
    await cluster.clock.advance(4000)
    expect(cluster.pods()).toHaveLength(1)
    expect(sets()).toHaveLength(1)
    expect(deployment().status).toMatchObject({ observedGeneration: 3, replicas: 1, availableReplicas: 1 })
    await cluster.face.patch(ref, 'merge', { spec: { replicas: 0 } })
    await cluster.clock.advance(4000)
    expect(cluster.pods()).toHaveLength(0)
  })

  test('rolls to a new template within maxSurge and maxUnavailable, and back', async () => {
    await cluster.addDeployment('web', 4, {
      more: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    })
    await cluster.clock.advance(4000)
    await setImage('two')
    let fewest = Infinity
    let most = 0
    for (let step = 0; step < 60; step += 1) {
      await cluster.clock.advance(500)
      fewest = Math.min(fewest, ready())
      most = Math.max(most, cluster.pods().filter(({ metadata }) => metadata.deletionTimestamp === undefined).length)
    }
    expect([fewest, most]).toEqual([4, 5])
    expect(images()).toEqual(['two', 'two', 'two', 'two'])
    expect(deployment().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')
    await setImage('registry.example/pause')
    await cluster.clock.advance(30_000)
    expect(new Set(images())).toEqual(new Set(['registry.example/pause']))
    expect(sets()).toHaveLength(2)
    expect(deployment().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
  })

  test('Recreate never runs old and new pods together', async () => {
    await cluster.addDeployment('web', 3, { more: { strategy: { type: 'Recreate' } } })
    await cluster.clock.advance(4000)
    await setImage('two')
    for (let step = 0; step < 30; step += 1) {
      await cluster.clock.advance(200)
      expect(new Set(images()).size).toBeLessThanOrEqual(1)
    }
    expect(images()).toEqual(['two', 'two', 'two'])
    expect(ready()).toBe(3)
  })

  test('keeps as much history as asked', async () => {
    await cluster.addDeployment('web', 1, { more: { revisionHistoryLimit: 1 } })
    for (const image of ['a', 'b', 'c']) {
      await cluster.clock.advance(8000)
      await setImage(image)
    }
    await cluster.clock.advance(10_000)
    expect(sets()).toHaveLength(2)
    expect(images()).toEqual(['c'])
  })

  test('does nothing to its template while paused, but scales', async () => {
    await cluster.addDeployment('web', 2)
    await cluster.clock.advance(4000)
    await cluster.face.patch(ref, 'merge', { spec: { paused: true } })
    await setImage('two')
    await cluster.face.patch(ref, 'merge', { spec: { replicas: 3 } })
    await cluster.clock.advance(5000)
    expect(images()).toEqual(['registry.example/pause', 'registry.example/pause', 'registry.example/pause'])
    await cluster.face.patch(ref, 'merge', { spec: { paused: false } })
    await cluster.clock.advance(15_000)
    expect(images()).toEqual(['two', 'two', 'two'])
  })

  test('says when it makes no progress', async () => {
    await cluster.addDeployment('web', 1, {
      spec: oneContainer({ cpu: '100' }),
      more: { progressDeadlineSeconds: 60 },
    })
    await cluster.clock.advance(30_000)
    expect(conditionOf(deployment(), 'Progressing')?.status).toBe('True')
    expect(conditionOf(deployment(), 'Available')?.status).toBe('False')
    await cluster.clock.advance(40_000)
    expect(conditionOf(deployment(), 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
    })
  })

  test('waits for minReadySeconds before it counts a pod as available', async () => {
    await cluster.addDeployment('web', 1, { more: { minReadySeconds: 10 } })
    await cluster.clock.advance(5000)
    expect(deployment().status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 })
    await cluster.clock.advance(10_000)
    expect(deployment().status).toMatchObject({ availableReplicas: 1 })
  })

  test('takes its pods along when it is deleted', async () => {
    await cluster.addDeployment('web', 2)
    await cluster.clock.advance(4000)
    await cluster.face.delete(ref)
    await cluster.clock.advance(10_000)
    expect(sets()).toHaveLength(0)
    expect(cluster.pods()).toHaveLength(0)
  })
})

describe('a ReplicaSet', () => {
  test('replaces a pod that was deleted, adopts an orphan and lets a stray go', async () => {
    await cluster.addDeployment('web', 2)
    await cluster.clock.advance(4000)
    const [first, second] = cluster.pods()
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: first?.metadata.name ?? '' })
    await cluster.clock.advance(4000)
    expect(ready()).toBe(2)
    await cluster.face.patch({ ...refs.pods, namespace: 'default', name: second?.metadata.name ?? '' }, 'merge', {
      metadata: { labels: { app: 'other' } },
    })
    await cluster.clock.advance(4000)
    expect(cluster.pods()).toHaveLength(3)
    expect(cluster.pod(second?.metadata.name ?? '').metadata.ownerReferences ?? []).toEqual([])
    await cluster.face.patch({ ...refs.pods, namespace: 'default', name: second?.metadata.name ?? '' }, 'merge', {
      metadata: { labels: { app: 'web' } },
    })
    await cluster.clock.advance(6000)
    expect(cluster.pods()).toHaveLength(2)
  })
})
