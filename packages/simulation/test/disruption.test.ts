import { afterEach, describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  kinds,
  runningPods,
  scale,
  startVirtualCluster,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '../src/index.ts'

const closers: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const underutilized = {
  consolidationPolicy: 'WhenEmptyOrUnderutilized',
  consolidateAfter: '30s',
  budgets: [{ nodes: '100%' }],
}

/** A cluster with one deployment that runs, on nodes that have started. */
const startWith = async (
  replicas: number,
  {
    cpu = '3',
    pool = {},
    template = {},
    flags = [],
    options = {},
  }: {
    readonly cpu?: string
    readonly pool?: Record<string, unknown>
    readonly template?: Record<string, unknown>
    readonly flags?: ReadonlyArray<string>
    readonly options?: VirtualClusterOptions
  } = {},
) => {
  const cluster = await startVirtualCluster(options)
  closers.push(cluster.stop)
  const run = await cluster.startController(() => 'pass', flags)
  await applyDefaults(cluster, { disruption: underutilized, ...pool }, template)
  await applyDeployment(cluster, 'web', replicas, cpu)
  await cluster.until('all run', async () => (await runningPods(cluster)) === replicas)
  await untilInitialized(cluster)
  return { cluster, run }
}

const untilInitialized = (cluster: VirtualCluster) =>
  cluster.until('all nodes are initialized', async () =>
    (await cluster.all(kinds.nodes)).every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true'),
  )

const typesOf = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodes)).map(({ metadata }) => metadata.labels?.['node.kubernetes.io/instance-type'])

describe('consolidation', () => {
  test('replaces a node that is too large, the replacement first, and no pod waits', async () => {
    const { cluster, run } = await startWith(5)
    expect(await typesOf(cluster)).toEqual(['c-16x'])
    await scale(cluster, 'web', 1)
    const before = run.effects.length
    await cluster.until('the small node alone is left', async () => {
      const types = await typesOf(cluster)
      return types.length === 1 && types[0] === 'c-4x'
    })
    await cluster.until('the pod runs', async () => (await runningPods(cluster)) === 1)
    const names = run.effects.slice(before).map(({ name }) => name)
    expect(names.indexOf('create NodeClaim')).toBeGreaterThan(names.indexOf('patch Node'))
    expect(names.indexOf('delete NodeClaim')).toBeGreaterThan(names.indexOf('launch'))
    expect(names.filter((name) => name === 'create NodeClaim')).toHaveLength(1)
    expect(cluster.machines()).toHaveLength(1)
    expect(run.errors).toEqual([])
    expect(conditionOf((await cluster.all(kinds.nodeClaims))[0], 'DisruptionReason')).toBeUndefined()
  })
})
