import { describe, expect, test } from '@jest/globals'
import {
  configMaps,
  deploymentNamed,
  deployments,
  failureOf,
  podNamed,
  pods,
  startTestServer,
} from '../../test/server-fixture.ts'

describe('writes', () => {
  test('create fills in metadata and the next resource version', async () => {
    const { face, server } = startTestServer()
    const before = server.revision()
    const made = await face.create(configMaps, { metadata: { generateName: 'a-' }, data: { k: 'v' } })
    expect(made.metadata.name).toMatch(/^a-[b-z2-9]{5}$/)
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(made.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z')
    expect(Number(made.metadata.resourceVersion)).toBe(before + 1)
    expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { k: 'v' } })
  })

  test('create refuses what exists, and what has no namespace to go to', async () => {
    const { face } = startTestServer()
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
    const { face } = startTestServer()
    const first = await face.create(configMaps, { metadata: { name: 'a' }, data: { k: '1' } })
    const ref = { ...configMaps, name: 'a' }
    await face.update(ref, { ...first, data: { k: '2' } })
    const stale = await failureOf(face.update(ref, { ...first, data: { k: '3' } }))
    expect(stale).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(stale.message).toContain('the object has been modified')
    expect((await face.get(ref))['data']).toEqual({ k: '2' })
  })

  test('an update that changes nothing makes no new version', async () => {
    const { face } = startTestServer()
    const first = await face.create(configMaps, { metadata: { name: 'a' }, data: { k: '1' } })
    const again = await face.update({ ...configMaps, name: 'a' }, first)
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  test('generation counts changes of the spec, and status has a life of its own', async () => {
    const { face } = startTestServer()
    const ref = { ...deployments, name: 'web' }
    await face.create(deployments, { ...deploymentNamed('web'), status: { replicas: 9 } })
    expect((await face.get(ref))['status']).toEqual({})
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
    const { face, server } = startTestServer()
    const before = server.revision()
    await face.create(configMaps, { metadata: { name: 'a' } }, { dryRun: true })
    expect(server.revision()).toBe(before)
    expect((await failureOf(face.get({ ...configMaps, name: 'a' }))).code).toBe(404)
  })

  test('a resource version in a patch is a precondition', async () => {
    const { face } = startTestServer()
    const first = await face.create(configMaps, { metadata: { name: 'a' } })
    const ref = { ...configMaps, name: 'a' }
    const { resourceVersion } = first.metadata
    await face.patch(ref, 'merge', { metadata: { resourceVersion }, data: { k: '1' } })
    const stale = face.patch(ref, 'merge', { metadata: { resourceVersion }, data: { k: '2' } })
    expect((await failureOf(stale)).code).toBe(409)
  })

  test('server-side apply makes what is missing, and what another manager states stays', async () => {
    const { face } = startTestServer()
    const ref = { ...configMaps, name: 'a' }
    await face.patch(ref, 'apply', { metadata: { name: 'a' }, data: { x: '1' } }, { fieldManager: 'one' })
    await face.patch(ref, 'apply', { metadata: { name: 'a' }, data: { y: '2' } }, { fieldManager: 'two' })
    expect((await face.get(ref))['data']).toEqual({ x: '1', y: '2' })
  })

  test('the scale sub-resource writes replicas and bumps the generation', async () => {
    const { face } = startTestServer()
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
    const { face } = startTestServer()
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
    const { face } = startTestServer()
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
    const { face } = startTestServer()
    const failure = await failureOf(face.create(deployments, body))
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(failure.causes.map((cause) => cause.field)).toContain(field)
    expect(failure.message).toContain(text)
  })

  test('pods without containers, and amounts that are no quantities, are refused', async () => {
    const { face } = startTestServer()
    expect((await failureOf(face.create(pods, podNamed('a', { spec: {} })))).message).toContain(
      'spec.containers: Required value',
    )
    const odd = [{ name: 'main', image: 'web', resources: { requests: { memory: '1.5Gii' } } }]
    expect((await failureOf(face.create(pods, podNamed('a', { spec: { containers: odd } })))).message).toContain(
      'spec.containers[0].resources.requests[memory]: Invalid value: "1.5Gii"',
    )
  })

  test('a bound pod keeps its spec but may be told to tolerate more', async () => {
    const { face, bind } = startTestServer()
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
