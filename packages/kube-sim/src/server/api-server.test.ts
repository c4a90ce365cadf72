import { describe, expect, test } from '@jest/globals'
import { virtualClock } from '@scantling/provider-kit'
import { resource, StatusError, type DraftObject, type KubeObject, type WatchEvent } from '../face.ts'
import { createApiServer } from './api-server.ts'

const pods = { ...resource('v1', 'pods'), namespace: 'default' }
const configMaps = { ...resource('v1', 'configmaps'), namespace: 'default' }
const deployments = { ...resource('apps/v1', 'deployments'), namespace: 'default' }
const budgets = { ...resource('policy/v1', 'poddisruptionbudgets'), namespace: 'default' }
const startMs = Date.parse('2026-01-01T00:00:00Z')

const podNamed = (name: string, more: DraftObject = {}): DraftObject => ({
  metadata: { name, labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
  ...more,
})

const deploymentNamed = (name: string, replicas: unknown = 1): DraftObject => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'web' }] } },
  },
})

const setUp = () => {
  const clock = virtualClock(startMs)
  const server = createApiServer({ clock })
  const face = server.face('test')
  const bind = async (name: string, node = 'node-1') => {
    await face.create({ ...pods, name, subresource: 'binding' }, { target: { name: node } })
  }
  const setStatus = (ref: object, status: object) =>
    face.patch({ ...pods, ...ref, subresource: 'status' }, 'merge', { status })
  return { clock, server, face, bind, setStatus }
}

const failureOf = async (call: Promise<unknown>): Promise<StatusError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StatusError)) throw new Error(`Expected a StatusError, got ${String(error)}`)
  return error
}

describe('writes', () => {
  test('create fills in metadata and the next resource version', async () => {
    const { face, server } = setUp()
    const before = server.revision()
    const made = await face.create(configMaps, { metadata: { generateName: 'a-' }, data: { k: 'v' } })
    expect(made.metadata.name).toMatch(/^a-[b-z2-9]{5}$/)
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(made.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z')
    expect(Number(made.metadata.resourceVersion)).toBe(before + 1)
    expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { k: 'v' } })
  })

  test('create refuses what exists, and what has no namespace to go to', async () => {
    const { face } = setUp()
    await face.create(configMaps, { metadata: { name: 'a' } })
    expect(await failureOf(face.create(configMaps, { metadata: { name: 'a' } }))).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists',
    })
    const nowhere = { ...configMaps, namespace: 'nowhere' }
    expect(await failureOf(face.create(nowhere, { metadata: { name: 'a' } }))).toMatchObject({
      code: 404,
      message: 'namespaces "nowhere" not found',
    })
  })

  test('update refuses a stale resource version and takes the current one', async () => {
    const { face } = setUp()
    const first = await face.create(configMaps, { metadata: { name: 'a' }, data: { k: '1' } })
    const ref = { ...configMaps, name: 'a' }
    await face.update(ref, { ...first, data: { k: '2' } })
    const stale = await failureOf(face.update(ref, { ...first, data: { k: '3' } }))
    expect(stale).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(stale.message).toContain('the object has been modified')
    expect((await face.get(ref))['data']).toEqual({ k: '2' })
  })

  test('an update that changes nothing makes no new version', async () => {
    const { face } = setUp()
    const first = await face.create(configMaps, { metadata: { name: 'a' }, data: { k: '1' } })
    const again = await face.update({ ...configMaps, name: 'a' }, first)
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  test('generation counts changes of the spec, and status has a life of its own', async () => {
    const { face } = setUp()
    const ref = { ...deployments, name: 'web' }
    await face.create(deployments, { ...deploymentNamed('web'), status: { replicas: 9 } })
    expect((await face.get(ref))['status']).toBeUndefined()
    await face.patch({ ...ref, subresource: 'status' }, 'merge', { spec: { replicas: 7 }, status: { replicas: 1 } })
    expect(await face.get(ref)).toMatchObject({
      metadata: { generation: 1 },
      spec: { replicas: 1 },
      status: { replicas: 1 },
    })
    await face.patch(ref, 'merge', { metadata: { labels: { a: 'b' } }, status: { replicas: 5 } })
    expect(await face.get(ref)).toMatchObject({ metadata: { generation: 1 }, status: { replicas: 1 } })
    await face.patch(ref, 'merge', { spec: { replicas: 2 } })
    expect(await face.get(ref)).toMatchObject({ metadata: { generation: 2 }, status: { replicas: 1 } })
  })

  test('a dry run changes nothing', async () => {
    const { face, server } = setUp()
    const before = server.revision()
    await face.create(configMaps, { metadata: { name: 'a' } }, { dryRun: true })
    expect(server.revision()).toBe(before)
    expect((await failureOf(face.get({ ...configMaps, name: 'a' }))).code).toBe(404)
  })

  test('a resource version in a patch is a precondition', async () => {
    const { face } = setUp()
    const first = await face.create(configMaps, { metadata: { name: 'a' } })
    const ref = { ...configMaps, name: 'a' }
    const { resourceVersion } = first.metadata
    await face.patch(ref, 'merge', { metadata: { resourceVersion }, data: { k: '1' } })
    const stale = face.patch(ref, 'merge', { metadata: { resourceVersion }, data: { k: '2' } })
    expect((await failureOf(stale)).code).toBe(409)
  })

  test('server-side apply makes what is missing, and what another manager states stays', async () => {
    const { face } = setUp()
    const ref = { ...configMaps, name: 'a' }
    await face.patch(ref, 'apply', { metadata: { name: 'a' }, data: { x: '1' } }, { fieldManager: 'one' })
    await face.patch(ref, 'apply', { metadata: { name: 'a' }, data: { y: '2' } }, { fieldManager: 'two' })
    expect((await face.get(ref))['data']).toEqual({ x: '1', y: '2' })
  })

  test('the scale sub-resource writes replicas and bumps the generation', async () => {
    const { face } = setUp()
    await face.create(deployments, deploymentNamed('web'))
    const ref = { ...deployments, name: 'web', subresource: 'scale' }
    expect(await face.get(ref)).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status: { selector: 'app=web' } })
    await face.patch(ref, 'merge', { spec: { replicas: 4 } })
    expect(await face.get({ ...deployments, name: 'web' })).toMatchObject({
      metadata: { generation: 2 },
      spec: { replicas: 4 },
    })
    expect((await failureOf(face.patch(ref, 'merge', { spec: { replicas: -1 } }))).code).toBe(422)
  })
})

describe('defaults and validation', () => {
  test('a pod gets what every pod has', async () => {
    const { face } = setUp()
    const pod = await face.create(
      pods,
      podNamed('a', {
        spec: {
          containers: [
            { name: 'main', image: 'web:1', resources: { limits: { cpu: '0.5' } }, ports: [{ containerPort: 80 }] },
          ],
        },
      }),
    )
    expect(pod).toMatchObject({
      spec: {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        schedulerName: 'default-scheduler',
        priority: 0,
        preemptionPolicy: 'PreemptLowerPriority',
        containers: [
          {
            imagePullPolicy: 'IfNotPresent',
            resources: { limits: { cpu: '500m' }, requests: { cpu: '500m' } },
            ports: [{ protocol: 'TCP' }],
          },
        ],
        tolerations: [
          { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', tolerationSeconds: 300 },
          { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', tolerationSeconds: 300 },
        ],
      },
      status: { phase: 'Pending', qosClass: 'Burstable' },
    })
  })

  test('priority comes from the class, which must exist', async () => {
    const { face } = setUp()
    const spec = { containers: [{ name: 'main', image: 'web' }] }
    const critical = await face.create(
      pods,
      podNamed('a', { spec: { ...spec, priorityClassName: 'system-node-critical' } }),
    )
    expect(critical).toMatchObject({ spec: { priority: 2_000_001_000 } })
    const unknown = face.create(pods, podNamed('b', { spec: { ...spec, priorityClassName: 'gold' } }))
    expect(await failureOf(unknown)).toMatchObject({
      code: 403,
      message: 'pods "b" is forbidden: no PriorityClass with name gold was found',
    })
  })

  test.each([
    ['a name that is no DNS label', deploymentNamed('Web_1'), 'metadata.name', 'Invalid value: "Web_1"'],
    ['negative replicas', deploymentNamed('web', -1), 'spec.replicas', 'must be greater than or equal to 0'],
    [
      'a selector that misses its template',
      {
        ...deploymentNamed('web'),
        spec: { ...(deploymentNamed('web')['spec'] as object), selector: { matchLabels: { a: 'b' } } },
      },
      'spec.template.metadata.labels',
      '`selector` does not match template `labels`',
    ],
  ])('%s is refused by field', async (_what, body, field, text) => {
    const { face } = setUp()
    const failure = await failureOf(face.create(deployments, body))
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(failure.causes.map((cause) => cause.field)).toContain(field)
    expect(failure.message).toContain(text)
  })

  test('pods without containers, and amounts that are no quantities, are refused', async () => {
    const { face } = setUp()
    expect((await failureOf(face.create(pods, podNamed('a', { spec: {} })))).message).toContain(
      'spec.containers: Required value',
    )
    const odd = [{ name: 'main', image: 'web', resources: { requests: { memory: '1.5Gii' } } }]
    expect((await failureOf(face.create(pods, podNamed('a', { spec: { containers: odd } })))).message).toContain(
      'spec.containers[0].resources.requests[memory]: Invalid value: "1.5Gii"',
    )
  })

  test('a bound pod keeps its spec but may be told to tolerate more', async () => {
    const { face, bind } = setUp()
    const pod = await face.create(pods, podNamed('a'))
    await bind('a')
    const moved = face.patch({ ...pods, name: 'a' }, 'merge', { spec: { nodeName: 'node-2' } })
    expect((await failureOf(moved)).message).toContain('pod updates may not change fields other than')
    const { tolerations } = pod['spec'] as { tolerations: object[] }
    await face.patch({ ...pods, name: 'a' }, 'merge', {
      spec: { tolerations: [...tolerations, { key: 'x', operator: 'Exists' }] },
    })
  })
})

describe('deletion', () => {
  test('an unscheduled pod vanishes at once; one on a node waits for its kubelet', async () => {
    const { face, bind } = setUp()
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
    const { face } = setUp()
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
    const { face, clock } = setUp()
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
    const { face } = setUp()
    await face.create(configMaps, { metadata: { name: 'a' } })
    const other = face.delete({ ...configMaps, name: 'a' }, { preconditions: { uid: 'other' } })
    expect(await failureOf(other)).toMatchObject({ code: 409, reason: 'Conflict' })
  })

  test('a namespace takes its content along and accepts nothing meanwhile', async () => {
    const { face, clock } = setUp()
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

describe('pods', () => {
  test('binding sets the node and the condition once', async () => {
    const { face, bind } = setUp()
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

  const evict = (face: ReturnType<typeof setUp>['face'], name: string) =>
    face.create({ ...pods, name, subresource: 'eviction' }, { metadata: { name } })

  test('eviction spends a budget and answers 429 with a cause when it is spent', async () => {
    const { face, bind, setStatus } = setUp()
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
    const { face, bind, setStatus } = setUp()
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

describe('lists', () => {
  test('label and field selectors', async () => {
    const { face, bind } = setUp()
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
    const { face, server, clock } = setUp()
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

describe('watches', () => {
  const collect = () => {
    const events: string[] = []
    const onEvent = (event: WatchEvent) => {
      const { object } = event
      if (event.type === 'ERROR') events.push(`ERROR ${(object as { code: number }).code}`)
      else if (event.type === 'BOOKMARK') {
        events.push(
          `BOOKMARK${event.object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true' ? ' end' : ''}`,
        )
      } else events.push(`${event.type} ${event.object.metadata.name}`)
    }
    return { events, onEvent }
  }

  test('never call back from inside a write, and see every change in order', async () => {
    const { face, clock } = setUp()
    const { events, onEvent } = collect()
    const stop = face.watch(configMaps, {}, onEvent)
    const write = face.create(configMaps, { metadata: { name: 'a' } })
    expect(events).toEqual([])
    await write
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { data: { k: 'v' } })
    await face.delete({ ...configMaps, name: 'a' })
    await clock.advance(0)
    expect(events).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
    stop()
    await face.create(configMaps, { metadata: { name: 'b' } })
    await clock.advance(0)
    expect(events).toHaveLength(3)
  })

  test('resume from a version, and answer 410 for one that was compacted', async () => {
    const { face, server, clock } = setUp()
    const { metadata } = await face.list(configMaps)
    await face.create(configMaps, { metadata: { name: 'a' } })
    const resumed = collect()
    face.watch(configMaps, { resourceVersion: metadata.resourceVersion }, resumed.onEvent)
    await clock.advance(0)
    expect(resumed.events).toEqual(['ADDED a'])
    server.compact()
    const late = collect()
    let ended = false
    face.watch(configMaps, { resourceVersion: metadata.resourceVersion }, late.onEvent, () => (ended = true))
    await clock.advance(0)
    expect(late.events).toEqual(['ERROR 410'])
    expect(ended).toBe(true)
  })

  test('a version from before a restart is told to list again', async () => {
    const { face, server, clock } = setUp()
    const newer = String(server.revision() + 1)
    const { events, onEvent } = collect()
    face.watch(configMaps, { resourceVersion: newer }, onEvent)
    await clock.advance(0)
    expect(events).toEqual(['ERROR 410'])
    expect(await failureOf(face.list(configMaps, { resourceVersion: newer }))).toMatchObject({
      code: 504,
      causes: [{ reason: 'ResourceVersionTooLarge' }],
    })
  })

  test('an event ring that overflows answers 410, too', async () => {
    const clock = virtualClock(startMs)
    const server = createApiServer({ clock, historyLimit: 5 })
    const face = server.face('test')
    const { metadata } = await face.list(configMaps)
    for (let index = 0; index < 20; index++) await face.create(configMaps, { metadata: { name: `c${index}` } })
    const { events, onEvent } = collect()
    face.watch(configMaps, { resourceVersion: metadata.resourceVersion }, onEvent)
    await clock.advance(0)
    expect(events).toEqual(['ERROR 410'])
  })

  test('send initial events, then their end, then bookmarks, then time out', async () => {
    const { face, clock } = setUp()
    await face.create(configMaps, { metadata: { name: 'a' } })
    const { events, onEvent } = collect()
    let ended = 0
    face.watch(
      configMaps,
      { sendInitialEvents: true, allowWatchBookmarks: true, timeoutSeconds: 90 },
      onEvent,
      () => ended++,
    )
    await clock.advance(0)
    expect(events).toEqual(['ADDED a', 'BOOKMARK end'])
    await clock.advance(61_000)
    expect(events.slice(2)).toEqual(['BOOKMARK'])
    expect(ended).toBe(0)
    await clock.advance(30_000)
    expect(events.slice(3)).toEqual(['BOOKMARK'])
    expect(ended).toBe(1)
    await face.create(configMaps, { metadata: { name: 'b' } })
    await clock.advance(0)
    expect(events).toHaveLength(4)
  })

  test('an object that begins or ceases to match is added or deleted for the watcher', async () => {
    const { face, clock } = setUp()
    const { events, onEvent } = collect()
    face.watch(configMaps, { labelSelector: 'on=yes' }, onEvent)
    await face.create(configMaps, { metadata: { name: 'a' } })
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { metadata: { labels: { on: 'yes' } } })
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { data: { k: 'v' } })
    await face.patch({ ...configMaps, name: 'a' }, 'merge', { metadata: { labels: { on: 'no' } } })
    await clock.advance(0)
    expect(events).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
  })
})

describe('interceptors', () => {
  test('fail by rule, after letting some calls pass, for a number of times', async () => {
    const { face, server } = setUp()
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
    const { face, server } = setUp()
    server.interceptors.failNth(2, { code: 500 })
    await face.list(configMaps)
    expect((await failureOf(face.create(configMaps, { metadata: { name: 'a' } }))).code).toBe(500)
    expect((await failureOf(face.get({ ...configMaps, name: 'a' }))).code).toBe(404)
    server.interceptors.addRule({ verb: 'create', when: 'after', times: 1, fail: { code: 504 } })
    expect((await failureOf(face.create(configMaps, { metadata: { name: 'a' } }))).code).toBe(504)
    expect((await face.get({ ...configMaps, name: 'a' })).metadata.name).toBe('a')
  })

  test('delay a call in the clock’s time, for one client only', async () => {
    const { face, server, clock } = setUp()
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
    const { face, server, clock } = setUp()
    server.interceptors.addRule({ verb: 'watch', fail: { code: 429 } })
    const codes: unknown[] = []
    face.watch(configMaps, {}, (event) => codes.push((event.object as { code?: number }).code))
    await clock.advance(0)
    expect(codes).toEqual([429])
  })
})

describe('events of both groups', () => {
  test('one object, two forms', async () => {
    const { face } = setUp()
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
