import { describe, expect, test } from '@jest/globals'
import { configMaps, failureOf, podNamed, pods, startTestServer } from '../../test/server-fixture.ts'

describe('lists', () => {
  test('label and field selectors', async () => {
    const { face, bind } = startTestServer()
    await face.create(pods, podNamed('a', { metadata: { name: 'a', labels: { app: 'web', tier: 'x' } } }))
    await face.create(pods, podNamed('b', { metadata: { name: 'b', labels: { app: 'db' } } }))
    await bind('b')
    const names = async (options: object) => (await face.list(pods, options)).items.map(({ metadata }) => metadata.name)
    expect(await names({ labelSelector: 'app in (web, db),!tier' })).toEqual(['b'])
    expect(await names({ labelSelector: 'app!=web' })).toEqual(['b'])
    expect(await names({ labelSelector: 'tier!=x' })).toEqual(['b'])
    expect(await names({ labelSelector: 'tier' })).toEqual(['a'])
    expect(await names({ fieldSelector: 'spec.nodeName=node-1' })).toEqual(['b'])
    expect(await names({ fieldSelector: 'spec.nodeName!=node-1,status.phase=Pending' })).toEqual(['a'])
    expect(await failureOf(names({ fieldSelector: 'spec.colour=red' }))).toMatchObject({
      code: 400,
      message: 'field label not supported: spec.colour',
    })
    expect((await failureOf(names({ labelSelector: 'a in b' }))).code).toBe(400)
  })

  test('pages come from one snapshot, whose token expires', async () => {
    const { face, server, clock } = startTestServer()
    for (const name of ['a', 'b', 'c']) await face.create(configMaps, { metadata: { name } })
    const first = await face.list(configMaps, { limit: 2 })
    expect(first.metadata.remainingItemCount).toBe(1)
    await face.delete({ ...configMaps, name: 'c' })
    await face.create(configMaps, { metadata: { name: 'd' } })
    const token = first.metadata.continue ?? ''
    const second = await face.list(configMaps, { limit: 2, continue: token })
    expect(second.items.map(({ metadata }) => metadata.name)).toEqual(['c'])
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion })

    const again = (await face.list(configMaps, { limit: 1 })).metadata.continue ?? ''
    server.compact()
    expect(await failureOf(face.list(configMaps, { continue: again }))).toMatchObject({ code: 410, reason: 'Expired' })
    const old = (await face.list(configMaps, { limit: 1 })).metadata.continue ?? ''
    await clock.advance(6 * 60_000)
    expect((await failureOf(face.list(configMaps, { continue: old }))).code).toBe(410)
  })
})
