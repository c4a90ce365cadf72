import { afterEach, describe, expect, test } from '@jest/globals'

import { conditionOf, phaseCounts, startTestCluster, type TestCluster } from '../../../test/cluster-fixture.ts'
import type { ControllersOptions } from '../start-controllers.ts'
import { refs } from '../refs.ts'

let cluster: TestCluster
const start = async (options: ControllersOptions = {}) => {
  cluster = startTestCluster(options)
  await cluster.addNode('n0')
  await cluster.clock.advance(100)
}
afterEach(async () => {
  await cluster.stop()
  expect(cluster.errors).toEqual([])
})
const fixed = (ms: number) => ({ fromMs: ms, toMs: ms })

describe('a simulated kubelet', () => {
  test('makes a node Ready after its boot latency, and keeps what it was created with', async () => {
    await start({ kubelet: { bootLatency: fixed(30_000) } })
    await cluster.clock.advance(29_000)
    expect(conditionOf(cluster.node('n0'), 'Ready')?.status).not.toBe('True')
    await cluster.clock.advance(2000)
    expect(conditionOf(cluster.node('n0'), 'Ready')).toMatchObject({ status: 'True', reason: 'KubeletReady' })
    expect(cluster.node('n0').status?.allocatable).toEqual({ cpu: '4', memory: '16Gi', pods: '110' })
    const lease = cluster.face.peek('coordination.k8s.io', 'leases').get('n0', 'kube-node-lease')
    expect(lease?.['spec']).toMatchObject({ holderIdentity: 'n0', leaseDurationSeconds: 40 })
  })

  test('leaves nodes alone that are not simulated, unless it is to adopt all', async () => {
    await start()
    await cluster.face.create(refs.nodes, { metadata: { name: 'real' } })
    await cluster.clock.advance(1000)
    expect(conditionOf(cluster.node('real'), 'Ready')?.status).not.toBe('True')
  })

  test('takes a pod through ContainerCreating to Running', async () => {
    await start({ kubelet: { startLatency: fixed(1500) } })
    await cluster.addPod('p')
    await cluster.clock.advance(100)
    expect(cluster.pod('p').status).toMatchObject({
      phase: 'Pending',
      startTime: expect.any(String),
      containerStatuses: [{ name: 'main', ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
    })
    await cluster.clock.advance(1500)
    expect(cluster.pod('p').status).toMatchObject({
      phase: 'Running',
      podIP: expect.stringMatching(/^10\./),
      hostIP: '192.0.2.1',
      containerStatuses: [{ name: 'main', ready: true, started: true, state: { running: {} } }],
    })
    expect(conditionOf(cluster.pod('p'), 'Ready')?.status).toBe('True')
    expect(conditionOf(cluster.pod('p'), 'Ready')?.reason).toBeUndefined()
  })

  test('gives each pod an address of its own', async () => {
    await start()
    for (let index = 0; index < 20; index += 1) await cluster.addPod(`p${index}`)
    await cluster.clock.advance(3000)
    expect(new Set(cluster.pods().map(({ status }) => status?.podIP)).size).toBe(20)
  })

  test('lets pods that are meant to end succeed', async () => {
    await start({ kubelet: { startLatency: fixed(1000) } })
    const annotations = { 'sim.scantling.sh/run-for': '30s' }
    await cluster.addPod('job', { restartPolicy: 'Never' }, { annotations })
    await cluster.addPod('service', { restartPolicy: 'Always' }, { annotations })
    await cluster.clock.advance(20_000)
    expect(phaseCounts(cluster.pods())).toEqual({ Running: 2 })
    await cluster.clock.advance(15_000)
    expect(cluster.pod('job').status).toMatchObject({ phase: 'Succeeded' })
    expect(cluster.pod('service').status).toMatchObject({ phase: 'Running' })
  })

  test('stops a pod gracefully: after its time, at most its grace period', async () => {
    await start()
    await cluster.addPod('quick')
    await cluster.addPod(
      'slow',
      { terminationGracePeriodSeconds: 20 },
      { annotations: { 'sim.scantling.sh/stop-after': '1m' } },
    )
    await cluster.clock.advance(3000)
    for (const name of ['quick', 'slow']) await cluster.face.delete({ ...refs.pods, namespace: 'default', name })
    await cluster.clock.advance(500)
    expect(cluster.pods()).toHaveLength(2)
    await cluster.clock.advance(2000)
    expect(cluster.pods().map(({ metadata }) => metadata.name)).toEqual(['slow'])
    await cluster.clock.advance(16_000)
    expect(cluster.pods()).toHaveLength(1)
    await cluster.clock.advance(3000)
    expect(cluster.pods()).toHaveLength(0)
  })

  test('restarts containers that fail with OnFailure: at once, then after ever longer pauses', async () => {
    await start({ kubelet: { startLatency: fixed(1000) } })
    const annotations = { 'sim.scantling.sh/run-for': '5s', 'sim.scantling.sh/exit-code': '3' }
    await cluster.addPod('p', { restartPolicy: 'OnFailure' }, { annotations })
    const seen: Array<string> = []
    for (let second = 0; second < 60; second += 1) {
      await cluster.clock.advance(1000)
      const [status] = cluster.pod('p').status?.containerStatuses ?? []
      const state = Object.keys(status?.state ?? {}).join()
      const text = `${cluster.pod('p').status?.phase} ${state} ${status?.restartCount} ${status?.ready}`
      if (seen.at(-1) !== text) seen.push(text)
    }
    expect(seen).toEqual([
      'Running running 0 true',
      'Running running 1 true',
      'Running waiting 1 false',
      'Running running 2 true',
      'Running waiting 2 false',
      'Running running 3 true',
      'Running waiting 3 false',
    ])
    const [last] = cluster.pod('p').status?.containerStatuses ?? []
    expect(last).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff', message: expect.stringContaining('back-off 40s') } },
      lastState: { terminated: { exitCode: 3 } },
    })
    expect(conditionOf(cluster.pod('p'), 'Ready')?.status).toBe('False')
  })

  test('stops a pod that is deleted before it ran', async () => {
    await start({ kubelet: { startLatency: fixed(60_000) } })
    await cluster.addPod('p')
    await cluster.clock.advance(1000)
    await cluster.face.delete({ ...refs.pods, namespace: 'default', name: 'p' })
    await cluster.clock.advance(3000)
    expect(cluster.pods()).toHaveLength(0)
  })

  test('takes over nodes and pods that run already', async () => {
    await start()
    await cluster.addPod('p')
    await cluster.clock.advance(3000)
    await cluster.stop()
    const before = cluster.pod('p').metadata.resourceVersion
    const { startControllers } = await import('../start-controllers.ts')
    const again = startControllers(cluster.server.face('again'), cluster.clock, {
      kubelet: { bootLatency: fixed(600_000) },
    })
    await cluster.addPod('next')
    await cluster.clock.advance(120_000)
    expect(conditionOf(cluster.node('n0'), 'Ready')?.status).toBe('True')
    expect(cluster.pod('p').metadata.resourceVersion).toBe(before)
    expect(cluster.pod('next').status?.phase).toBe('Running')
    await again.stop()
  })
})
