import { describe, expect, test } from '@jest/globals'
import { configMaps, failureOf, startTestServer } from '../../test/server-fixture.ts'

describe('interceptors', () => {
  test('fail by rule, after letting some calls pass, for a number of times', async () => {
    const { face, server } = startTestServer()
    const remove = server.interceptors.addRule({
      verb: 'create',
      resource: 'configmaps',
      skip: 1,
      times: 1,
      fail: { code: 503 },
    })
    await face.create(configMaps, { metadata: { name: 'a' } })
    expect(await failureOf(face.create(configMaps, { metadata: { name: 'b' } }))).toMatchObject({
      code: 503,
      reason: 'ServiceUnavailable',
    })
    await face.create(configMaps, { metadata: { name: 'b' } })
    remove()
  })

  test('fail the n-th call, whatever it is, before or after it took effect', async () => {
    const { face, server } = startTestServer()
    server.interceptors.failNth(2, { code: 500 })
    await face.list(configMaps)
    expect((await failureOf(face.create(configMaps, { metadata: { name: 'a' } }))).code).toBe(500)
    expect((await failureOf(face.get({ ...configMaps, name: 'a' }))).code).toBe(404)
    server.interceptors.addRule({ verb: 'create', when: 'after', times: 1, fail: { code: 504 } })
    expect((await failureOf(face.create(configMaps, { metadata: { name: 'a' } }))).code).toBe(504)
    expect((await face.get({ ...configMaps, name: 'a' })).metadata.name).toBe('a')
  })

  test('delay a call in the clock’s time, for one client only', async () => {
    const { face, server, clock } = startTestServer()
    server.interceptors.addRule({ client: 'slow', delayMs: 1000 })
    let done = false
    void server
      .face('slow-client')
      .list(configMaps)
      .then(() => (done = true))
    await face.list(configMaps)
    await clock.advance(999)
    expect(done).toBe(false)
    await clock.advance(1)
    expect(done).toBe(true)
  })

  test('a watch can be refused', async () => {
    const { face, server, clock } = startTestServer()
    server.interceptors.addRule({ verb: 'watch', fail: { code: 429 } })
    const codes: unknown[] = []
    face.watch(configMaps, {}, (event) => codes.push((event.object as { code?: number }).code))
    await clock.advance(0)
    expect(codes).toEqual([429])
  })
})
