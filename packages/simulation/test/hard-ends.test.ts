import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  eventsOf,
  kinds,
  runningPods,
  scale,
  untilRunning,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '../src/index.ts'
import { claimOf, keep, nodeOf, startRunning, type Beginning, startCluster } from './running-cluster.ts'

const startWith = async (beginning: Beginning = {}) => {
  const { cluster, run } = await startRunning({ pool: keep, ...beginning })
  const [claim, node] = [await claimOf(cluster), await nodeOf(cluster)]
  return { cluster, run, claim: claim?.metadata.name ?? '', node: node?.metadata.name ?? '' }
}

const deleteClaim = (cluster: VirtualCluster, name: string) => cluster.face.delete({ ...kinds.nodeClaims, name })
const claimNamed = (cluster: VirtualCluster, name: string) => cluster.one(kinds.nodeClaims, name)
const isGone = (cluster: VirtualCluster, name: string) => async () => (await claimNamed(cluster, name)) === undefined
const podsOn = async (cluster: VirtualCluster, node: string) =>
  (await cluster.all(kinds.pods)).filter(({ spec }) => spec.nodeName === node)
const silence = (cluster: VirtualCluster, node: string) =>
  cluster.face.patch({ ...kinds.nodes, name: node }, 'merge', {
    metadata: { labels: { 'kwok.x-k8s.io/node': null }, annotations: { 'kwok.x-k8s.io/node': null } },
  })

describe('a pod', () => {
  test('that ignores SIGTERM is waited for until its own grace ends, which condition and event tell', async () => {
    const { cluster, claim, node } = await startWith({
      annotations: { 'sim.scantling.sh/stop-after': '1h' },
      pod: { terminationGracePeriodSeconds: 300 },
    })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(290_000)
    expect(await podsOn(cluster, node)).toHaveLength(1)
    expect(conditionOf(await claimNamed(cluster, claim), 'Drained')).toMatchObject({
      status: 'Unknown',
      reason: 'Draining',
    })
    expect(
      (await eventsOf(cluster, { reason: 'FailedDraining' })).map(({ involvedObject }) => involvedObject.name),
    ).toContain(node)
    await cluster.until('the claim is gone', isGone(cluster, claim), 60_000)
    expect(await eventsOf(cluster, { reason: 'StuckPodsLeftBehind' })).toEqual([])
  })

  test('T-EVICT-09 with a grace longer than its node’s is deleted with what is left of that as soon as the drain begins', async () => {
    const { cluster, claim, node } = await startWith({
      annotations: { 'sim.scantling.sh/stop-after': '1h' },
      pod: { terminationGracePeriodSeconds: 3600 },
      template: { terminationGracePeriod: '2m' },
    })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(3000)
    const [pod] = await podsOn(cluster, node)
    const seconds = (Date.parse(pod?.metadata.deletionTimestamp ?? '') - cluster.clock.nowMs()) / 1000
    expect(seconds).toBeGreaterThan(110)
    expect(seconds).toBeLessThanOrEqual(120)
    expect((await eventsOf(cluster, { reason: 'Disrupted' }))[0]?.involvedObject.kind).toBe('Pod')
    await cluster.until('the claim is gone', isGone(cluster, claim), 150_000)
  })

  test('T-EVICT-09 that asks not to be disrupted runs until the deadline less its own grace, and not a minute less', async () => {
    const { cluster, claim, node } = await startWith({
      annotations: { 'karpenter.sh/do-not-disrupt': 'true', 'sim.scantling.sh/stop-after': '1h' },
      pod: { terminationGracePeriodSeconds: 60 },
      template: { terminationGracePeriod: '10m' },
    })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(535_000)
    expect((await podsOn(cluster, node))[0]?.metadata.deletionTimestamp).toBeUndefined()
    await cluster.clock.advance(8000)
    expect((await podsOn(cluster, node))[0]?.metadata.deletionTimestamp).toBeDefined()
    await cluster.until('the claim is gone', isGone(cluster, claim), 90_000)
    expect(await eventsOf(cluster, { reason: 'TerminationGracePeriodExpiring' })).not.toEqual([])
  })

  test('whose kubelet no longer answers is left behind a minute after its end, which an event tells', async () => {
    const { cluster, claim, node } = await startWith()
    const [pod] = await podsOn(cluster, node)
    await silence(cluster, node)
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(60_000)
    expect(await claimNamed(cluster, claim)).toBeDefined()
    await cluster.until('the claim is gone', isGone(cluster, claim), 120_000)
    const [told] = await eventsOf(cluster, { reason: 'StuckPodsLeftBehind' })
    expect(told).toMatchObject({ involvedObject: { kind: 'Node', name: node } })
    expect(told?.message).toContain(`default/${pod?.metadata.name}`)
    expect(cluster.machines().map(({ name }) => name)).not.toContain(node)
  })

  test('T-EVICT-06 that two budgets cover is never evicted, which the Node is told with the remedy', async () => {
    const { cluster, claim, node } = await startWith()
    for (const name of ['one', 'two'])
      await cluster.face.create(
        { ...kinds.budgets, namespace: 'default' },
        { metadata: { name }, spec: { minAvailable: 0, selector: { matchLabels: { app: 'web' } } } },
      )
    await cluster.clock.advance(2000)
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(200_000)
    expect(await podsOn(cluster, node)).toHaveLength(1)
    expect((await eventsOf(cluster, { reason: 'FailedDraining' })).map(({ message }) => message)).toContainEqual(
      expect.stringContaining('has more than one PodDisruptionBudget'),
    )
    await cluster.face.delete({ ...kinds.budgets, namespace: 'default', name: 'two' })
    await cluster.until('the claim is gone', isGone(cluster, claim), 60_000)
  })
})

describe('evictions', () => {
  test('T-EVICT-02 that a budget refuses are asked again within ten seconds, for ever', async () => {
    const { cluster, run, claim } = await startWith()
    await cluster.face.create(
      { ...kinds.budgets, namespace: 'default' },
      { metadata: { name: 'web' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } },
    )
    await cluster.clock.advance(2000)
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(600_000)
    const asked = run.effects.filter(({ name }) => name === 'evict').map(({ atMs }) => atMs)
    const gaps = asked.slice(1).map((atMs, index) => atMs - (asked[index] ?? 0))
    expect(Math.min(...gaps)).toBeLessThan(300)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000)
    expect(asked.length).toBeGreaterThan(60)
    expect(await run.metrics()).toMatch(/karpenter_pods_eviction_requests_total\{code="429"\} \d+/)
    // It is told as an event, and is nobody's error.
    expect((await eventsOf(cluster, { reason: 'FailedDraining' })).length).toBeGreaterThan(0)
    expect(run.errors).toEqual([])
  })

  test('T-EVICT-03 T-EVICT-06 T-EVICT-07 T-EVICT-08 that fail are asked again; what came of each is counted and told', async () => {
    let failures = 2
    const { cluster, run, claim } = await startWith({
      fateOf: ({ name }) => {
        if (name !== 'evict' || failures === 0) return 'pass'
        failures -= 1
        // The answer is lost once before and once after the pod went.
        return failures === 1 ? 'fail before' : 'fail after'
      },
    })
    await deleteClaim(cluster, claim)
    await cluster.until('the claim is gone', isGone(cluster, claim), 90_000)
    await untilRunning(cluster, 1)
    const metrics = await run.metrics()
    expect(metrics).toContain('karpenter_pods_eviction_requests_total{code="0"} 2')
    expect(await cluster.all(kinds.pods)).toHaveLength(1)
  })

  test('T-EVICT-07 T-EVICT-08 that succeed are counted under 200 and by what the claim says it goes for', async () => {
    const { cluster, run, claim } = await startWith()
    await deleteClaim(cluster, claim)
    await cluster.until('the claim is gone', isGone(cluster, claim), 90_000)
    const metrics = await run.metrics()
    expect(metrics).toContain('karpenter_pods_eviction_requests_total{code="200"} 1')
    expect(metrics).toContain('karpenter_pods_drained_total{reason="Forceful Termination"} 1')
    expect((await eventsOf(cluster, { reason: 'Evicted' }))[0]?.involvedObject.kind).toBe('Pod')
    const asked = run.effects.filter(({ name }) => name === 'evict')
    expect(asked).toHaveLength(1)
  })

  test('T-EVICT-01 T-EVICT-04 a deadline that is pulled in deletes at once, one that is pushed out takes nothing back', async () => {
    const { cluster, claim, node } = await startWith({
      annotations: { 'karpenter.sh/do-not-disrupt': 'true', 'sim.scantling.sh/stop-after': '1h' },
      pod: { terminationGracePeriodSeconds: 60 },
      template: { terminationGracePeriod: '24h' },
    })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(10_000)
    const stamp = (atMs: number) =>
      cluster.face.patch({ ...kinds.nodeClaims, name: claim }, 'merge', {
        metadata: { annotations: { 'karpenter.sh/nodeclaim-termination-timestamp': new Date(atMs).toISOString() } },
      })
    const deadlineMs = cluster.clock.nowMs() + 30_000
    await stamp(deadlineMs)
    await cluster.clock.advance(3000)
    const end = async () => Date.parse((await podsOn(cluster, node))[0]?.metadata.deletionTimestamp ?? '')
    expect(await end()).toBeLessThanOrEqual(deadlineMs)
    await stamp(deadlineMs + 3_600_000)
    await cluster.clock.advance(3000)
    expect(await end()).toBeLessThanOrEqual(deadlineMs)
    await cluster.until('the claim is gone', isGone(cluster, claim), 90_000)
  })
})

describe('a node', () => {
  test('that vanishes while it drains takes its claim and machine along, and its pods run elsewhere', async () => {
    const { cluster, claim, node } = await startWith({
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
      template: { terminationGracePeriod: '24h' },
    })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(10_000)
    await cluster.face.patch({ ...kinds.nodes, name: node }, 'merge', { metadata: { finalizers: [] } })
    let terminating = false
    await cluster.until(
      'the claim is gone',
      async () => {
        const seen = await claimNamed(cluster, claim)
        terminating ||= conditionOf(seen, 'InstanceTerminating')?.status === 'True'
        return seen === undefined
      },
      120_000,
    )
    expect(terminating).toBe(true)
    expect(cluster.machines().map(({ name }) => name)).not.toContain(node)
    await untilRunning(cluster, 1)
  })

  test('T-TERM-03 whose machine vanishes while it drains is let go once its kubelet is silent, which an event tells', async () => {
    const { cluster, claim, node } = await startWith({
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' },
      template: { terminationGracePeriod: '24h' },
    })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(10_000)
    cluster.cloud.terminate(cluster.machines().find(({ name }) => name === node)?.id ?? '')
    await cluster.until('the claim is gone', isGone(cluster, claim), 300_000)
    expect(
      (await eventsOf(cluster, { reason: 'DrainAbandoned' })).map(({ involvedObject }) => involvedObject.name),
    ).toEqual([node])
  })

  test('with a finalizer of others loses its machine and stays, which an event tells', async () => {
    const { cluster, claim, node } = await startWith()
    const ref = { ...kinds.nodes, name: node }
    const { metadata } = (await cluster.all(kinds.nodes)).find((one) => one.metadata.name === node) ?? { metadata: {} }
    const ours = (metadata as { finalizers?: ReadonlyArray<string> }).finalizers ?? []
    await cluster.face.patch(ref, 'merge', { metadata: { finalizers: [...ours, 'test.example.com/never'] } })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(120_000)
    expect(cluster.machines().map(({ name }) => name)).not.toContain(node)
    expect(await eventsOf(cluster, { reason: 'FinalizersRemaining' })).toMatchObject([
      { involvedObject: { kind: 'Node', name: node }, message: expect.stringContaining('test.example.com/never') },
    ])
    await cluster.face.patch(ref, 'merge', { metadata: { finalizers: [] } })
    await cluster.until('the claim is gone', isGone(cluster, claim), 60_000)
  })

  test('L-FIN-05 a claim with a finalizer of others stays without ours, which an event tells', async () => {
    const { cluster, claim } = await startWith()
    await cluster.face.patch({ ...kinds.nodeClaims, name: claim }, 'merge', {
      metadata: { finalizers: ['karpenter.sh/termination', 'test.example.com/never'] },
    })
    await deleteClaim(cluster, claim)
    await cluster.until(
      'ours is gone',
      async () => (await claimNamed(cluster, claim))?.metadata.finalizers?.join() === 'test.example.com/never',
    )
    await cluster.clock.advance(5000)
    expect(
      (await eventsOf(cluster, { reason: 'FinalizersRemaining' })).map(({ involvedObject }) => involvedObject.kind),
    ).toEqual(['NodeClaim'])
    await cluster.face.patch({ ...kinds.nodeClaims, name: claim }, 'merge', { metadata: { finalizers: [] } })
    await cluster.clock.advance(60_000)
    expect(await isGone(cluster, claim)()).toBe(true)
  })
})

describe('a clock', () => {
  const movable = () => {
    const at = { offsetMs: 0 }
    const options: VirtualClusterOptions = {
      controllerClock: (clock) => ({ ...clock, nowMs: () => clock.nowMs() + at.offsetMs }),
    }
    return { at, options }
  }

  test.each([
    ['forwards', 3_600_000],
    ['backwards', -3_600_000],
  ])('that jumps %s while a node drains is told of, and the drain ends all the same', async (way, jumpMs) => {
    const { at, options } = movable()
    const { cluster, run, claim } = await startWith({ replicas: 5, options })
    await deleteClaim(cluster, claim)
    await cluster.clock.advance(1000)
    at.offsetMs = jumpMs
    await cluster.until('the claim is gone', isGone(cluster, claim), 180_000)
    await untilRunning(cluster, 5)
    await cluster.clock.advance(20_000)
    expect((await eventsOf(cluster, { reason: 'ClockJumped' })).map(({ message }) => message)).toEqual([
      expect.stringContaining(`jumped ${way} by 3600s`),
    ])
    expect(cluster.machines()).toHaveLength(1)
    expect(run.errors).toEqual([])
  })

  test.each([
    ['forwards', 3_600_000],
    ['backwards', -3_600_000],
  ])('that jumps %s while machines start buys none twice and loses none', async (_, jumpMs) => {
    const { at, options } = movable()
    const cluster = await startCluster({ ...options, launchMs: 5000 })
    const run = await cluster.startController()
    await applyDefaults(cluster, keep)
    await applyDeployment(cluster, 'web', 10, '3')
    await cluster.until('claims are made', () => run.effects.some(({ name }) => name === 'create NodeClaim'))
    at.offsetMs = jumpMs
    await untilRunning(cluster, 10)
    await cluster.clock.advance(400_000)
    const claims = await cluster.all(kinds.nodeClaims)
    const machines = new Set(cluster.machines().map(({ name }) => `kwok://${name}`))
    expect(new Set(claims.map(({ status }) => status.providerID))).toEqual(machines)
    expect(claims).toHaveLength(machines.size)
    expect(await runningPods(cluster)).toBe(10)
  })
})

describe('a launch', () => {
  test('whose claim is deleted meanwhile takes its machine along', async () => {
    const cluster = await startCluster({
      providerOf: (provider) => ({
        ...provider,
        launch: (request, call) => async () => {
          const launched = await provider.launch(request, call)()
          await cluster.clock.sleep(10_000)
          return launched
        },
      }),
    })
    const run = await cluster.startController()
    await applyDefaults(cluster, keep)
    await applyDeployment(cluster, 'web', 1, '1')
    await cluster.until('a machine is on its way', () => cluster.machines().length === 1)
    const claim = (await claimOf(cluster))?.metadata.name ?? ''
    await scale(cluster, 'web', 0)
    await deleteClaim(cluster, claim)
    await cluster.until('the claim is gone', isGone(cluster, claim), 30_000)
    expect(cluster.machines()).toEqual([])
    expect(run.errors).toEqual([])
  })

  test('L-LAUNCH-02 gives the claim what the provider says, its own labels first and the provider’s annotations', async () => {
    const { cluster, claim } = await startWith({
      template: {},
      options: {
        providerOf: (provider) => ({
          ...provider,
          launch: (request, call) =>
            TE.map((launched: { readonly instance: object }) => ({
              ...launched,
              instance: {
                ...launched.instance,
                imageId: 'image-1',
                labels: { 'karpenter.sh/nodepool': 'theirs', 'example.com/rack': '7' },
                annotations: { 'karpenter.sh/nodepool-hash-version': 'theirs', 'example.com/note': 'x' },
              },
            }))(provider.launch(request, call) as never) as never,
        }),
      },
    })
    const made = await claimNamed(cluster, claim)
    expect(made?.metadata.labels).toMatchObject({ 'karpenter.sh/nodepool': 'default', 'example.com/rack': '7' })
    expect(made?.metadata.annotations).toMatchObject({
      'karpenter.sh/nodepool-hash-version': 'theirs',
      'example.com/note': 'x',
    })
    expect(made?.status).toMatchObject({ imageID: 'image-1', capacity: { cpu: '4' }, allocatable: expect.anything() })
    expect(made?.status.providerID).toMatch(/^kwok:/)
    expect(conditionOf(made, 'Launched')?.status).toBe('True')
  })

  test('L-LAUNCH-06 is told in the log with instance, type, zone, capacity type and room', async () => {
    const { run } = await startWith()
    const line = run.news.find((one) => one.startsWith('Launched NodeClaim')) ?? ''
    for (const field of ['provider-id', 'instance-type', 'zone', 'capacity-type', 'allocatable'])
      expect(JSON.parse(line.slice(line.indexOf('{')))).toHaveProperty(field)
  })

  test('L-LAUNCH-04 with a NodeClass that is not Ready ends the claim, and counts it', async () => {
    const cluster = await startCluster()
    const run = await cluster.startController()
    await applyDefaults(cluster, keep)
    await cluster.clock.advance(1000)
    await cluster.face.create(kinds.nodeClaims, {
      metadata: { name: 'hopeless', labels: { 'karpenter.sh/nodepool': 'default' } },
      spec: { nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'missing' }, requirements: [] },
    })
    await cluster.until('the claim is gone', isGone(cluster, 'hopeless'), 10_000)
    expect(await run.metrics()).toMatch(/karpenter_nodeclaims_disrupted_total\{reason="nodeclass_not_ready",[^}]*\} 1/)
    expect(cluster.cloud.everything()).toEqual([])
  })
})

describe('a NodeClaim', () => {
  test('L-CTRL-01 C-API-08 of a NodeClass of another provider is left alone; of ours it follows its Node', async () => {
    const { cluster, run } = await startWith()
    await cluster.face.create(kinds.nodeClaims, {
      metadata: { name: 'foreign', labels: { 'karpenter.sh/nodepool': 'default' } },
      spec: {
        nodeClassRef: { group: 'other.example.com', kind: 'OtherClass', name: 'default' },
        requirements: [],
        expireAfter: '1m',
      },
    })
    const before = run.effects.length
    await cluster.clock.advance(900_000)
    const foreign = await claimNamed(cluster, 'foreign')
    expect(foreign?.metadata.finalizers ?? []).toEqual([])
    expect(foreign?.status?.conditions ?? []).toEqual([])
    expect(run.effects.slice(before).filter(({ subject }) => subject === 'foreign')).toEqual([])
  })

  test('L-FIN-06 stays Ready while its machine ends, and says InstanceTerminating', async () => {
    const { cluster, claim } = await startWith()
    await deleteClaim(cluster, claim)
    const seen: Array<string> = []
    await cluster.until('the claim is gone', async () => {
      const now = await claimNamed(cluster, claim)
      if (conditionOf(now, 'InstanceTerminating')?.status === 'True') seen.push(conditionOf(now, 'Ready')?.status ?? '')
      return now === undefined
    })
    expect(seen.length).toBeGreaterThan(0)
    expect(new Set(seen)).toEqual(new Set(['True']))
  })

  test('L-FIN-03 tells how long its machine took to end', async () => {
    const { cluster, run, claim } = await startWith()
    await deleteClaim(cluster, claim)
    await cluster.until('the claim is gone', isGone(cluster, claim))
    expect(await run.metrics()).toContain(
      'karpenter_nodeclaims_instance_termination_duration_seconds_count{nodepool="default"} 1',
    )
  })
})
