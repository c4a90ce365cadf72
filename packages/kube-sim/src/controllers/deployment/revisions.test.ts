import { describe, expect, test } from '@jest/globals'

import { clusterForEach } from '../../../test/cluster-for-each.ts'
import type { DeploymentObject, ReplicaSetObject } from '../objects.ts'
import { refs } from '../refs.ts'

const cluster = clusterForEach(async (fresh) => {
  await fresh.addNode('n0')
  await fresh.clock.advance(1000)
})

const ref = { ...refs.deployments, namespace: 'default', name: 'web' }
const prefix = 'deployment.kubernetes.io/'
const revision = () =>
  cluster.face.peek<DeploymentObject>('apps', 'deployments').get('web', 'default')?.metadata.annotations?.[
    `${prefix}revision`
  ]
const sets = () => [...cluster.face.peek<ReplicaSetObject>('apps', 'replicasets').values('default')]
const revisions = () =>
  Object.fromEntries(
    sets().map(({ spec, metadata }) => [
      spec.template?.spec?.containers?.[0]?.image,
      metadata.annotations?.[`${prefix}revision`],
    ]),
  )
const roll = async (image: string) => {
  await cluster.face.patch(ref, 'strategic', {
    spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
  })
  await cluster.clock.advance(8000)
}

describe('the revisions of a Deployment', () => {
  test('count templates, and a template that comes back takes its ReplicaSet and the next revision', async () => {
    await cluster.addDeployment('web', 1)
    await cluster.clock.advance(4000)
    const [first] = sets()
    await roll('two')
    expect([revision(), revisions()]).toEqual(['2', { 'registry.example/pause': '1', two: '2' }])
    await roll('registry.example/pause')
    expect([revision(), revisions()]).toEqual(['3', { 'registry.example/pause': '3', two: '2' }])
    await roll('two')
    await roll('registry.example/pause')
    const again = sets().find(({ metadata }) => metadata.uid === first?.metadata.uid)
    expect(again?.metadata.annotations).toMatchObject({
      [`${prefix}revision`]: '5',
      [`${prefix}revision-history`]: '1,3',
    })
    expect(cluster.pods().map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)).toEqual([first?.metadata.uid])
  })

  test('beyond the limit go from the lowest, which need not be the oldest', async () => {
    await cluster.addDeployment('web', 1, { more: { revisionHistoryLimit: 1 } })
    await cluster.clock.advance(4000)
    await roll('two')
    await roll('registry.example/pause')
    await roll('three')
    expect(revisions()).toEqual({ 'registry.example/pause': '3', three: '4' })
  })

  test('are all kept until the rollout is complete', async () => {
    await cluster.addDeployment('web', 1)
    await cluster.clock.advance(4000)
    await roll('two')
    await cluster.face.patch(ref, 'merge', { spec: { minReadySeconds: 60 } })
    await roll('three')
    await cluster.face.patch(ref, 'merge', { spec: { revisionHistoryLimit: 0 } })
    await cluster.clock.advance(1000)
    expect(revisions()).toEqual({ 'registry.example/pause': '1', two: '2', three: '3' })
    await cluster.clock.advance(70_000)
    expect(revisions()).toEqual({ three: '3' })
  })

  test('bear the annotations of the Deployment, such as the cause of a change', async () => {
    await cluster.addDeployment('web', 1)
    await cluster.clock.advance(4000)
    await cluster.face.patch(ref, 'merge', {
      metadata: { annotations: { 'kubernetes.io/change-cause': 'a new image' } },
    })
    await cluster.clock.advance(1000)
    expect(sets()[0]?.metadata.annotations?.['kubernetes.io/change-cause']).toBe('a new image')
  })
})
