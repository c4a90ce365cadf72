import { describe, expect, test } from '@jest/globals'
import { startTestServer } from '../../test/server-fixture.ts'
import { resource } from '../face.ts'

describe('events of both groups', () => {
  test('one object, two forms', async () => {
    const { face } = startTestServer()
    await face.create(
      { ...resource('events.k8s.io/v1', 'events'), namespace: 'default' },
      { metadata: { name: 'e' }, regarding: { kind: 'Pod', name: 'a' }, note: 'hello', reason: 'Told', type: 'Normal' },
    )
    const found = await face.list(
      { ...resource('v1', 'events'), namespace: 'default' },
      { fieldSelector: 'involvedObject.name=a' },
    )
    expect(found.items).toMatchObject([{ apiVersion: 'v1', message: 'hello', involvedObject: { kind: 'Pod' } }])
    const back = await face.get({ ...resource('events.k8s.io/v1', 'events'), namespace: 'default', name: 'e' })
    expect(back).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'hello', regarding: { name: 'a' } })
  })
})
