import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from '@jest/globals'
import type { AnyProviderModule } from '@scantling/controller'
import type { CloudProvider, NodeClassObject } from '@scantling/core'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  kinds,
  noDoubleLaunch,
  noOrphans,
  podBudgetsKept,
  runningPods,
  startVirtualCluster,
  watchWorld,
  type Fate,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '../src/index.ts'

// Every call of every scenario takes half an hour. The sample takes the first and the last of each kind that a scenario
// is about, and of kinds that no scenario before it had.
const isWhole = process.env['SCANTLING_EVERY_CALL'] === '1'
const limitMs = isWhole ? 1_800_000 : 240_000

/** One stretch of the controller's work, whose calls are made to fail one by one. */
interface Scenario {
  readonly flags?: ReadonlyArray<string>
  readonly options?: VirtualClusterOptions
  /** How the cluster came to be, while every call succeeds. */
  readonly prepare: (cluster: VirtualCluster) => Promise<unknown>
  /** What the controller then has to answer. */
  readonly act: (cluster: VirtualCluster) => Promise<unknown>
  readonly isDone: (cluster: VirtualCluster) => Promise<boolean>
  /** Calls that must be among those of the scenario, so that it does not wither. */
  readonly calls: ReadonlyArray<string>
}

type FailedFate = Extract<Fate, 'fail before' | 'fail after'>

/** Counts calls once armed, and lets one of them fail. */
const saboteur = (failing: number | undefined, fate: FailedFate) => {
  const calls: Array<string> = []
  let isArmed = false
  const next = (name: string): Fate => {
    if (!isArmed) return 'pass'
    calls.push(name)
    return calls.length === failing ? fate : 'pass'
  }
  const lost = { _tag: 'Unknown', message: 'The answer was lost' } as const
  const read =
    <A extends ReadonlyArray<never>, B>(name: string, call: (...args: A) => () => Promise<B>) =>
    (...args: A) =>
    async () => {
      const met = next(name)
      if (met === 'fail before') return E.left(lost) as B
      const answer = await call(...args)()
      return met === 'fail after' ? (E.left(lost) as B) : answer
    }
  const providerOf = (provider: CloudProvider<NodeClassObject>): CloudProvider<NodeClassObject> => ({
    ...provider,
    instanceTypes: read('instanceTypes', provider.instanceTypes as never) as never,
    list: read('list', provider.list as never) as never,
    ...(provider.get === undefined ? {} : { get: read('get', provider.get as never) as never }),
    ...(provider.interruptions === undefined
      ? {}
      : {
          interruptions: {
            receive: read('receive', provider.interruptions.receive as never) as never,
            acknowledge: read('acknowledge', provider.interruptions.acknowledge as never) as never,
          },
        }),
  })
  return { calls, next, providerOf, arm: () => void (isArmed = true) }
}

const runScenario = async (scenario: Scenario, failing?: number, fate: FailedFate = 'fail before') => {
  const { calls, next, providerOf, arm } = saboteur(failing, fate)
  const own = scenario.options?.providerOf
  const cluster = await startVirtualCluster({
    ...scenario.options,
    providerOf: (provider) => providerOf(own?.(provider) ?? provider),
  })
  const watching = watchWorld(cluster, [noOrphans(), noDoubleLaunch(), podBudgetsKept(() => false)])
  try {
    const run = await cluster.startController((effect) => {
      watching.see(effect)
      return next(effect.name)
    }, scenario.flags)
    await scenario.prepare(cluster)
    const before = cluster.cloud.everything().length
    arm()
    await scenario.act(cluster)
    await cluster.until(
      'it is done',
      () => {
        watching.look()
        return scenario.isDone(cluster)
      },
      1_500_000,
    )
    // Time for a collection of garbage, and for anything that would be done late.
    await cluster.clock.advance(250_000)
    expect(await scenario.isDone(cluster)).toBe(true)
    watching.rest()
    return {
      calls,
      launched: cluster.cloud.everything().length - before,
      violations: watching.violations(),
      bugs: run.errors.filter((line) => line.includes('unexpectedly')),
    }
  } finally {
    watching.stop()
    await cluster.stop()
  }
}

const sampled = new Set<string>()

/** Calls to fail, by number, and how: all both ways, or of the sample the first before and the last after its effect. */
const chosen = (
  calls: ReadonlyArray<string>,
  about: ReadonlyArray<string>,
): ReadonlyArray<readonly [number: number, fate: FailedFate]> => {
  const kinds = new Set(calls.filter((name) => isWhole || about.includes(name) || !sampled.has(name)))
  for (const name of kinds) sampled.add(name)
  return calls.flatMap((name, index) => {
    const fates: Array<FailedFate> = []
    if (!kinds.has(name)) return []
    if (isWhole || calls.indexOf(name) === index) fates.push('fail before')
    if (isWhole || calls.lastIndexOf(name) === index) fates.push('fail after')
    return fates.map((fate) => [index + 1, fate] as const)
  })
}

const keep = { disruption: { consolidateAfter: 'Never', budgets: [{ nodes: '0' }] } }
const allRun = async (cluster: VirtualCluster, count: number) =>
  (await runningPods(cluster)) === count && (await cluster.all(kinds.pods)).length === count
const allInitialized = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodeClaims)).every((claim) => conditionOf(claim, 'Initialized')?.status === 'True')
const atWork =
  (nodes: number, { pool = keep, template = {} }: { readonly pool?: object; readonly template?: object } = {}) =>
  async (cluster: VirtualCluster) => {
    await applyDefaults(cluster, { ...pool }, { ...template })
    await applyDeployment(cluster, 'web', nodes * 5, '3')
    await cluster.until(
      'it is at work',
      async () => (await allRun(cluster, nodes * 5)) && (await allInitialized(cluster)),
    )
    names.set(
      cluster,
      (await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name),
    )
  }
// The claims that a cluster began with.
const names = new WeakMap<VirtualCluster, ReadonlyArray<string>>()
const first = (cluster: VirtualCluster) => names.get(cluster)?.[0] ?? ''
const isLeft = async (cluster: VirtualCluster, name: string) =>
  (await cluster.all(kinds.nodeClaims)).every(({ metadata }) => metadata.name !== name)
const isReplaced = (pods: number) => async (cluster: VirtualCluster) =>
  (await isLeft(cluster, first(cluster))) && (await allRun(cluster, pods)) && (await allInitialized(cluster))
const nodeNameOf = async (cluster: VirtualCluster, claim: string) =>
  (await cluster.all(kinds.nodeClaims))
    .find(({ metadata }) => metadata.name === claim)
    ?.status.providerID?.replace('kwok://', '') ?? ''

const badDisk = { conditionType: 'BadDisk', status: 'True', tolerationMs: 60_000 } as const
const staticPool = (replicas: number) => ({ replicas, disruption: { budgets: [{ nodes: '0' }] } })
const hasStatic = (count: number) => async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodeClaims)).length === count &&
  (await cluster.all(kinds.nodes)).length === count &&
  (await allInitialized(cluster))
const resize = (replicas: number) => (cluster: VirtualCluster) =>
  cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', { spec: { replicas } })
const withStatic = (count: number) => async (cluster: VirtualCluster) => {
  await applyDefaults(cluster, staticPool(count))
  await cluster.until('there are as many', () => hasStatic(count)(cluster))
}

const resizing = (from: number, to: number, calls: ReadonlyArray<string>): Scenario => ({
  flags: ['--feature-gates', 'StaticCapacity=true'],
  prepare: withStatic(from),
  act: resize(to),
  isDone: hasStatic(to),
  calls,
})

const scenarios: Readonly<Record<string, Scenario>> = {
  'a first start and a launch (nodeclass, nodepool, lifecycle, kubelet, registration health)': {
    prepare: async () => undefined,
    act: async (cluster) => {
      await applyDefaults(cluster, keep)
      await applyDeployment(cluster, 'web', 5, '3')
    },
    isDone: async (cluster) =>
      (await allRun(cluster, 5)) &&
      (await allInitialized(cluster)) &&
      conditionOf((await cluster.all(kinds.nodePools))[0], 'NodeRegistrationHealthy')?.status === 'True' &&
      (await cluster.all(kinds.nodePools))[0]?.status.nodes === 1,
    calls: [
      'status of KWOKNodeClass',
      'patch NodePool',
      'create NodeClaim',
      'launch',
      'patch Node',
      'instanceTypes',
      'list',
    ],
  },
  'a drain under a PodDisruptionBudget (lifecycle, termination, eviction)': {
    prepare: async (cluster) => {
      await atWork(2)(cluster)
      await cluster.face.create(
        { ...kinds.budgets, namespace: 'default' },
        { metadata: { name: 'web' }, spec: { minAvailable: 9, selector: { matchLabels: { app: 'web' } } } },
      )
      await cluster.clock.advance(2000)
    },
    act: (cluster) => cluster.face.delete({ ...kinds.nodeClaims, name: first(cluster) }),
    isDone: isReplaced(10),
    calls: ['delete Node', 'patch Node', 'evict', 'terminate', 'patch NodeClaim'],
  },
  'the end of a grace (termination, forced eviction)': {
    prepare: async (cluster) => {
      await applyDefaults(cluster, keep, { terminationGracePeriod: '2m' })
      await applyDeployment(cluster, 'web', 1, '3', {}, { 'karpenter.sh/do-not-disrupt': 'true' })
      await cluster.until('it is at work', async () => (await allRun(cluster, 1)) && (await allInitialized(cluster)))
      names.set(
        cluster,
        (await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name),
      )
    },
    act: (cluster) => cluster.face.delete({ ...kinds.nodeClaims, name: first(cluster) }),
    isDone: isReplaced(1),
    calls: ['delete Node', 'delete Pod', 'terminate'],
  },
  'a template that changes (hash, drift)': {
    prepare: atWork(2),
    act: (cluster) =>
      cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', {
        spec: { template: { metadata: { labels: { team: 'a' } } } },
      }),
    isDone: async (cluster) =>
      (await cluster.all(kinds.nodeClaims)).length === 2 &&
      (await cluster.all(kinds.nodeClaims)).every(
        (claim) => conditionOf(claim, 'Drifted')?.reason === 'NodePoolDrifted',
      ),
    calls: ['patch NodePool', 'status of NodeClaim'],
  },
  'an age that is reached (expiration)': {
    prepare: atWork(1, { template: { expireAfter: '10m' } }),
    act: (cluster) => cluster.clock.advance(550_000),
    isDone: isReplaced(5),
    calls: ['delete NodeClaim', 'terminate'],
  },
  'a machine that vanishes (garbage collection)': {
    prepare: async (cluster) => {
      await atWork(1)(cluster)
      await cluster.clock.advance(120_000)
    },
    act: async (cluster) => void cluster.cloud.terminate(cluster.machines()[0]?.id ?? ''),
    isDone: isReplaced(5),
    calls: ['list', 'get', 'delete NodeClaim'],
  },
  'a machine that nobody asked for (garbage collection)': {
    prepare: atWork(1),
    act: async (cluster) =>
      cluster.cloud.launch({
        token: 'nobody',
        instanceType: 'c-4x',
        zone: 'zone-a',
        capacityType: 'on-demand',
        tags: { ...cluster.machines()[0]?.tags, 'karpenter.sh/nodeclaim': 'gone' },
      }),
    isDone: async (cluster) => cluster.machines().length === 1 && (await allRun(cluster, 5)),
    calls: ['list', 'terminate'],
  },
  'a machine that is announced to go (interruptions)': {
    prepare: atWork(1),
    act: async (cluster) => void cluster.cloud.interrupt(cluster.machines()[0]?.id ?? ''),
    isDone: isReplaced(5),
    calls: ['receive', 'acknowledge', 'patch Node', 'create NodeClaim', 'evict', 'delete NodeClaim'],
  },
  'a node that is unhealthy (repair)': {
    flags: ['--feature-gates', 'NodeRepair=true'],
    options: {
      moduleOf: (module): AnyProviderModule => ({ ...module, traits: { ...module.traits, repair: [badDisk] } }),
    },
    prepare: atWork(1),
    act: async (cluster) =>
      cluster.face.patch(
        { ...kinds.nodes, name: await nodeNameOf(cluster, first(cluster)), subresource: 'status' },
        'strategic',
        {
          status: {
            conditions: [
              {
                type: 'BadDisk',
                status: 'True',
                reason: 'Tested',
                message: '',
                lastTransitionTime: new Date(cluster.clock.nowMs()).toISOString(),
              },
            ],
          },
        },
      ),
    isDone: isReplaced(5),
    calls: ['patch NodeClaim', 'delete NodeClaim'],
  },
  'a static pool that grows (static provisioning)': resizing(1, 3, ['create NodeClaim', 'launch']),
  'a static pool that shrinks (static deprovisioning)': resizing(3, 1, ['delete NodeClaim', 'terminate']),
  'labels that are lost and a shape that is wrong (hydration, consistency)': {
    prepare: async (cluster) => {
      await atWork(1)(cluster)
      await cluster.clock.advance(300_000)
    },
    act: async (cluster) => {
      const node = await nodeNameOf(cluster, first(cluster))
      const lost = { metadata: { labels: { 'karpenter.kwok.sh/kwoknodeclass': null } } }
      await cluster.face.patch({ ...kinds.nodes, name: node }, 'merge', lost)
      await cluster.face.patch({ ...kinds.nodeClaims, name: first(cluster) }, 'merge', lost)
      await cluster.face.patch({ ...kinds.nodes, name: node, subresource: 'status' }, 'merge', {
        status: { capacity: { cpu: '1' } },
      })
    },
    isDone: async (cluster) => {
      const [claim] = await cluster.all(kinds.nodeClaims)
      const [node] = await cluster.all(kinds.nodes)
      return (
        conditionOf(claim, 'ConsistentStateFound')?.status === 'False' &&
        [claim, node].every((one) => one?.metadata.labels?.['karpenter.kwok.sh/kwoknodeclass'] === 'default')
      )
    },
    calls: ['patch Node', 'patch NodeClaim', 'status of NodeClaim'],
  },
  'a NodePool that is deleted (everything of it)': {
    prepare: atWork(2),
    act: (cluster) => cluster.face.delete({ ...kinds.nodePools, name: 'default' }),
    isDone: async (cluster) =>
      cluster.machines().length === 0 &&
      (await cluster.all(kinds.nodeClaims)).length === 0 &&
      (await cluster.all(kinds.nodes)).length === 0,
    calls: ['delete Node', 'evict', 'terminate'],
  },
  'overlays and buffers (their statuses, and room for a placeholder)': {
    flags: ['--feature-gates', 'NodeOverlay=true,CapacityBuffer=true'],
    prepare: atWork(1),
    act: async (cluster) => {
      await cluster.face.create(kinds.overlays, {
        metadata: { name: 'dear' },
        spec: {
          requirements: [{ key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['c-4x'] }],
          price: '9',
        },
      })
      await cluster.face.create(
        { ...kinds.podTemplates, namespace: 'default' },
        {
          metadata: { name: 'room' },
          template: { spec: { containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu: '3' } } }] } },
        },
      )
      await cluster.face.create(
        { ...kinds.buffers, namespace: 'default' },
        { metadata: { name: 'room' }, spec: { podTemplateRef: { name: 'room' }, replicas: 1 } },
      )
    },
    isDone: async (cluster) =>
      conditionOf((await cluster.all(kinds.overlays))[0], 'Ready')?.status === 'True' &&
      conditionOf((await cluster.all(kinds.buffers))[0], 'ReadyForProvisioning')?.status === 'True' &&
      conditionOf((await cluster.all(kinds.buffers))[0], 'Provisioning')?.status === 'True' &&
      (await allInitialized(cluster)),
    calls: ['status of NodeOverlay', 'status of CapacityBuffer'],
  },
}

let tried = 0
afterAll(() => {
  if (isWhole) process.stdout.write(`${tried} calls failed, one at a time\n`)
})

describe.each(Object.entries(scenarios))('%s', (_, scenario) => {
  test(
    'comes through any one call that fails, before or after it took effect: no orphan, no machine twice, no budget broken',
    async () => {
      const planned = await runScenario(scenario)
      expect(planned.calls).toEqual(expect.arrayContaining([...scenario.calls]))
      expect({ violations: planned.violations, bugs: planned.bugs }).toEqual({ violations: [], bugs: [] })
      for (const [number, fate] of chosen(planned.calls, scenario.calls)) {
        const where = `${fate} call ${number}, ${planned.calls[number - 1]}`
        tried += 1
        let outcome
        try {
          outcome = await runScenario(scenario, number, fate)
        } catch (cause) {
          throw new Error(`After ${where}: ${String(cause)}`, { cause })
        }
        const { launched, violations, bugs } = outcome
        expect({ where, launched, violations, bugs }).toEqual({
          where,
          launched: planned.launched,
          violations: [],
          bugs: [],
        })
      }
    },
    limitMs,
  )
})
