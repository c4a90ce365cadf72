import { describe, expect, test } from '@jest/globals'
import { budgets, failureOf, podNamed, pods, startTestServer } from '../../test/server-fixture.ts'

describe('pods', () => {
  test('binding sets the node and the condition once', async () => {
    const { face, bind } = startTestServer()
    await face.create(pods, podNamed('a'))
    await bind('a')
    expect(await face.get({ ...pods, name: 'a' })).toMatchObject({
      spec: { nodeName: 'node-1' },
      status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
    })
    expect(await failureOf(bind('a', 'node-2'))).toMatchObject({
      code: 409,
      message: 'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "node-1"',
    })
    expect([...face.peek('', 'pods').onNode('node-1')].map(({ metadata }) => metadata.name)).toEqual(['a'])
    expect([...face.peek('', 'pods').onNode('')]).toEqual([])
  })

  const evict = (face: ReturnType<typeof startTestServer>['face'], name: string) =>
    face.create({ ...pods, name, subresource: 'eviction' }, { metadata: { name } })

  test('eviction spends a budget and answers 429 with a cause when it is spent', async () => {
    const { face, bind, setStatus } = startTestServer()
    for (const name of ['a', 'b']) {
      await face.create(pods, podNamed(name))
      await bind(name)
      await setStatus({ name }, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
    }
    await face.create(budgets, {
      metadata: { name: 'web' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    })
    expect(await failureOf(evict(face, 'a'))).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      causes: [
        { reason: 'DisruptionBudget', message: 'The disruption budget web is still being processed by the server.' },
      ],
    })
    const status = {
      observedGeneration: 1,
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
    }
    await face.patch({ ...budgets, name: 'web', subresource: 'status' }, 'merge', { status })
    await evict(face, 'a')
    const evicted = await face.get({ ...pods, name: 'a' })
    expect(evicted.metadata.deletionTimestamp).toBeDefined()
    expect(evicted['status']).toMatchObject({
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'DisruptionTarget' })]),
    })
    expect(await face.get({ ...budgets, name: 'web' })).toMatchObject({
      status: { disruptionsAllowed: 0, disruptedPods: { a: expect.any(String) } },
    })
    const refused = await failureOf(evict(face, 'b'))
    expect(refused).toMatchObject({
      code: 429,
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    })
    expect(refused.causes[0]?.message).toBe('The disruption budget web needs 1 healthy pods and has 2 currently')
  })

  test('eviction refuses a pod with two budgets and lets a pending pod go without asking', async () => {
    const { face, bind, setStatus } = startTestServer()
    await face.create(pods, podNamed('a'))
    for (const name of ['x', 'y']) {
      await face.create(budgets, {
        metadata: { name },
        spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } },
      })
    }
    await evict(face, 'a')
    expect((await failureOf(face.get({ ...pods, name: 'a' }))).code).toBe(404)
    await face.create(pods, podNamed('b'))
    await bind('b')
    await setStatus({ name: 'b' }, { phase: 'Running' })
    expect(await failureOf(evict(face, 'b'))).toMatchObject({ code: 500 })
  })
})
