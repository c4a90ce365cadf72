import { describe, expect, test } from '@jest/globals'

import { conditionOf } from '../../test/cluster-fixture.ts'
import { clusterForEach } from '../../test/cluster-for-each.ts'
import type { PodSpec, VolumeClaimObject, VolumeObject } from './objects.ts'
import { refs } from './refs.ts'

const cluster = clusterForEach(async (fresh) => {
  const zone = 'topology.kubernetes.io/zone'
  await fresh.addNode('a', { labels: { [zone]: 'a' } })
  await fresh.addNode('b', { labels: { [zone]: 'b' } })
  await fresh.clock.advance(1000)
})

const addClass = (volumeBindingMode: string, more: object = {}) =>
  cluster.face.create(refs.storageClasses, {
    metadata: { name: 'disk' },
    provisioner: 'disk.csi.example.com',
    volumeBindingMode,
    ...more,
  })
const addClaim = (name: string) =>
  cluster.face.create(
    { ...refs.volumeClaims, namespace: 'default' },
    {
      metadata: { name },
      spec: { storageClassName: 'disk', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  )
const claim = (name: string) => cluster.face.peek<VolumeClaimObject>('', 'persistentvolumeclaims').get(name, 'default')
const volumes = () => [...cluster.face.peek<VolumeObject>('', 'persistentvolumes').values()]
const mounting = (claimName: string): PodSpec => ({
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
})

describe('volumes', () => {
  test('of a waiting class are made in the zone of the pod, and hold later pods there', async () => {
    await addClass('WaitForFirstConsumer')
    await addClaim('data')
    await cluster.clock.advance(1000)
    expect(volumes()).toEqual([])
    await cluster.addPod('first', { ...mounting('data'), nodeSelector: { 'topology.kubernetes.io/zone': 'b' } })
    await cluster.clock.advance(3000)
    expect(cluster.pod('first').spec.nodeName).toBe('b')
    expect(claim('data')?.status?.phase).toBe('Bound')
    expect(volumes()[0]?.spec.nodeAffinity?.required?.nodeSelectorTerms?.[0]?.matchExpressions?.[0]?.values).toEqual([
      'b',
    ])
    await cluster.face.patch({ ...refs.nodes, name: 'b' }, 'merge', { spec: { unschedulable: true } })
    await cluster.addPod('second', mounting('data'))
    await cluster.clock.advance(1000)
    expect(conditionOf(cluster.pod('second'), 'PodScheduled')?.message).toBe(
      "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    )
  })

  test('of an immediate class are bound at once', async () => {
    await addClass('Immediate')
    await addClaim('data')
    await cluster.clock.advance(100)
    expect(claim('data')?.status?.phase).toBe('Bound')
    expect(volumes()[0]?.status?.phase).toBe('Bound')
    await cluster.addPod('p', mounting('data'))
    await cluster.clock.advance(3000)
    expect(cluster.pod('p').status?.phase).toBe('Running')
  })

  test('keep their pods waiting while the claim is missing', async () => {
    await addClass('Immediate')
    await cluster.addPod('p', mounting('data'))
    await cluster.clock.advance(100)
    expect(conditionOf(cluster.pod('p'), 'PodScheduled')?.message).toBe(
      '0/2 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    )
    await addClaim('data')
    await cluster.clock.advance(5000)
    expect(cluster.pod('p').status?.phase).toBe('Running')
  })

  test('are deleted with their claim when the class says so', async () => {
    await addClass('Immediate')
    await addClaim('data')
    await cluster.clock.advance(100)
    await cluster.face.delete({ ...refs.volumeClaims, namespace: 'default', name: 'data' })
    await cluster.clock.advance(1000)
    expect(volumes()).toEqual([])
  })
})

describe('a namespace', () => {
  test('is emptied, then goes', async () => {
    await cluster.face.create(refs.namespaces, { metadata: { name: 'team' } })
    await cluster.face.create(
      { ...refs.pods, namespace: 'team' },
      { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'x' }] } },
    )
    await cluster.clock.advance(3000)
    await cluster.face.delete({ ...refs.namespaces, name: 'team' })
    await cluster.clock.advance(5000)
    expect(cluster.face.peek('', 'namespaces').get('team')).toBeUndefined()
    expect([...cluster.face.peek('', 'pods').values('team')]).toEqual([])
  })
})
