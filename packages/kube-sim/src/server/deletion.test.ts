import { describe, expect, test } from '@jest/globals'
import { configMaps, failureOf, podNamed, pods, startTestServer } from '../../test/server-fixture.ts'
import { resource, type KubeObject } from '../face.ts'

describe('deletion', () => {
  test('an unscheduled pod vanishes at once; one on a node waits for its kubelet', async () => {
    const { face, bind } = startTestServer()
    await face.create(pods, podNamed('a'))
    await face.delete({ ...pods, name: 'a' })
    expect((await failureOf(face.get({ ...pods, name: 'a' }))).code).toBe(404)

    await face.create(pods, podNamed('b'))
    await bind('b')
    const marked = await face.delete({ ...pods, name: 'b' })
    expect(marked.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    })
    const shorter = await face.delete({ ...pods, name: 'b' }, { gracePeriodSeconds: 5 })
    expect(shorter.metadata.deletionTimestamp).toBe('2026-01-01T00:00:05Z')
    const longer = await face.delete({ ...pods, name: 'b' }, { gracePeriodSeconds: 60 })
    expect(longer.metadata.deletionGracePeriodSeconds).toBe(5)
    await face.delete({ ...pods, name: 'b' }, { gracePeriodSeconds: 0 })
    expect((await failureOf(face.get({ ...pods, name: 'b' }))).code).toBe(404)
  })

  test('finalizers hold an object until the last is gone, and none may be added', async () => {
    const { face } = startTestServer()
    const ref = { ...configMaps, name: 'a' }
    await face.create(configMaps, { metadata: { name: 'a', finalizers: ['example.com/x', 'example.com/y'] } })
    await face.delete(ref)
    expect((await face.get(ref)).metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z')
    const added = face.patch(ref, 'merge', { metadata: { finalizers: ['example.com/x', 'example.com/z'] } })
    expect((await failureOf(added)).message).toContain('no new finalizers can be added')
    await face.patch(ref, 'merge', { metadata: { finalizers: ['example.com/x'] } })
    expect((await face.get(ref)).metadata.finalizers).toEqual(['example.com/x'])
    await face.patch(ref, 'merge', { metadata: { finalizers: null } })
    expect((await failureOf(face.get(ref))).code).toBe(404)
  })

  test('dependents go when their last owner goes, in the background', async () => {
    const { face, clock } = startTestServer()
    const owner = await face.create(configMaps, { metadata: { name: 'owner' } })
    const other = await face.create(configMaps, { metadata: { name: 'other' } })
    const by = (object: KubeObject) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: object.metadata.name,
      uid: object.metadata.uid,
    })
    await face.create(configMaps, { metadata: { name: 'one', ownerReferences: [by(owner)] } })
    await face.create(configMaps, { metadata: { name: 'two', ownerReferences: [by(owner), by(other)] } })
    await face.delete({ ...configMaps, name: 'owner' })
    await clock.advance(0)
    expect((await failureOf(face.get({ ...configMaps, name: 'one' }))).code).toBe(404)
    expect((await face.get({ ...configMaps, name: 'two' })).metadata.ownerReferences).toEqual([by(other)])
    await face.delete({ ...configMaps, name: 'other' }, { propagationPolicy: 'Orphan' })
    await clock.advance(0)
    expect((await face.get({ ...configMaps, name: 'two' })).metadata.ownerReferences).toBeUndefined()
  })

  test('preconditions protect against deleting another object of the same name', async () => {
    const { face } = startTestServer()
    await face.create(configMaps, { metadata: { name: 'a' } })
    const other = face.delete({ ...configMaps, name: 'a' }, { preconditions: { uid: 'other' } })
    expect(await failureOf(other)).toMatchObject({ code: 409, reason: 'Conflict' })
  })

  test('a namespace takes its content along and accepts nothing meanwhile', async () => {
    const { face, clock } = startTestServer()
    const namespaces = resource('v1', 'namespaces')
    await face.create(namespaces, { metadata: { name: 'team' } })
    const inTeam = { ...configMaps, namespace: 'team' }
    await face.create(inTeam, { metadata: { name: 'held', finalizers: ['example.com/x'] } })
    await face.create(inTeam, { metadata: { name: 'free' } })
    await face.delete({ ...namespaces, name: 'team' })
    await clock.advance(0)
    expect(await failureOf(face.create(inTeam, { metadata: { name: 'late' } }))).toMatchObject({ code: 403 })
    expect((await face.list(inTeam)).items.map(({ metadata }) => metadata.name)).toEqual(['held'])
    await face.patch({ ...inTeam, name: 'held' }, 'merge', { metadata: { finalizers: null } })
    await clock.advance(0)
    expect((await failureOf(face.get({ ...namespaces, name: 'team' }))).code).toBe(404)
    expect((await failureOf(face.delete({ ...namespaces, name: 'default' }))).code).toBe(403)
  })
})
