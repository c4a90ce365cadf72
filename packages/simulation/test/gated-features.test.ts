import { describe, expect, test } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  conditionOf,
  eventsOf,
  kinds,
  untilRunning,
  type VirtualCluster,
} from '../src/index.ts'
import { startCluster, typesOf } from './running-cluster.ts'

const start = async (flags: ReadonlyArray<string>) => {
  const cluster = await startCluster()
  return { cluster, run: await cluster.startController(undefined, flags) }
}

describe('NodeOverlays', () => {
  const overlay = (cluster: VirtualCluster, name: string, spec: object) =>
    cluster.face.create(kinds.overlays, { metadata: { name }, spec })
  const smallOnly = [{ key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['c-4x'] }]

  test('X-OVL-01 P-OVC-01 P-OVA-06 P-FIN-06: a price decides what is bought, and the claim says so', async () => {
    const { cluster, run } = await start(['--feature-gates', 'NodeOverlay=true'])
    await overlay(cluster, 'cheap', { requirements: smallOnly, price: '0.001' })
    await applyDefaults(cluster)
    await cluster.until('the overlay is judged', async () => {
      const [one] = await cluster.all(kinds.overlays)
      return conditionOf(one, 'Ready')?.status === 'True'
    })
    await applyDeployment(cluster, 'web', 3, '1')
    await untilRunning(cluster, 3)
    expect(await typesOf(cluster)).toEqual(['c-4x'])
    const [claim] = await cluster.all(kinds.nodeClaims)
    expect(claim?.metadata.annotations).toMatchObject({ 'karpenter.sh/price-overlay-applied': 'true' })
    expect(run.errors).toEqual([])
  })

  test('P-OVC-03: pods that ask for a resource that an overlay adds get one node, and no second while it comes', async () => {
    const { cluster } = await start(['--feature-gates', 'NodeOverlay=true'])
    await overlay(cluster, 'devices', { requirements: smallOnly, capacity: { 'example.com/device': '2' } })
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 2, '1', {
      containers: [
        {
          name: 'main',
          image: 'pause',
          resources: { requests: { cpu: '1', 'example.com/device': '1' }, limits: { 'example.com/device': '1' } },
        },
      ],
    })
    await cluster.until('there is a node', async () => (await cluster.all(kinds.nodes)).length > 0)
    await cluster.clock.advance(30_000)
    expect(await typesOf(cluster)).toEqual(['c-4x'])
    const [claim] = await cluster.all(kinds.nodeClaims)
    expect(claim?.metadata.annotations).toMatchObject({ 'karpenter.sh/capacity-overlay-applied': 'true' })
  })

  test('X-OVL-01 P-OVC-05: of two that contradict each other one is in force and the other says why not', async () => {
    const { cluster } = await start(['--feature-gates', 'NodeOverlay=true'])
    await applyDefaults(cluster)
    await overlay(cluster, 'a', { requirements: smallOnly, price: '0.001' })
    await overlay(cluster, 'b', { requirements: smallOnly, price: '0.002' })
    await cluster.until('both are judged', async () =>
      (await cluster.all(kinds.overlays)).every((one) => conditionOf(one, 'Ready') !== undefined),
    )
    await cluster.clock.advance(5000)
    const [a, b] = await cluster.all(kinds.overlays)
    expect(conditionOf(a, 'ValidationSucceeded')).toMatchObject({ status: 'False', reason: 'Conflict' })
    expect(conditionOf(b, 'Ready')).toMatchObject({ status: 'True' })
    await cluster.face.delete({ ...kinds.overlays, name: 'b' })
    await cluster.until('a is in force', async () => {
      const [left] = await cluster.all(kinds.overlays)
      return conditionOf(left, 'Ready')?.status === 'True'
    })
  })

  test('P-OVC-09: an overlay that changes is no drift: what runs stays, and what is launched next heeds it', async () => {
    const { cluster, run } = await start(['--feature-gates', 'NodeOverlay=true'])
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 3, '1')
    await untilRunning(cluster, 3)
    expect(await typesOf(cluster)).toEqual(['c-4x'])
    const before = (await cluster.all(kinds.nodeClaims)).map(({ metadata }) => metadata.name)
    const large = [{ key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['c-16x'] }]
    await overlay(cluster, 'cheap', { requirements: large, price: '0.001' })
    await cluster.until(
      'the overlay is in force',
      async () => conditionOf((await cluster.all(kinds.overlays))[0], 'Ready')?.status === 'True',
    )
    await cluster.clock.advance(15 * 60_000)
    const claims = await cluster.all(kinds.nodeClaims)
    expect(claims.map(({ metadata }) => metadata.name)).toEqual(before)
    expect(conditionOf(claims[0], 'Drifted')).toBeUndefined()
    await applyDeployment(cluster, 'more', 3, '1')
    await untilRunning(cluster, 6)
    expect((await typesOf(cluster)).map(String).toSorted()).toEqual(['c-16x', 'c-4x'])
    expect(run.errors).toEqual([])
  })

  test('O-19 P-CFG-02: with the gate shut, as it is by default, overlays change nothing', async () => {
    const { cluster } = await start([])
    await overlay(cluster, 'cheap', { requirements: smallOnly, price: '0.001' })
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 10, '1')
    await untilRunning(cluster, 10)
    expect(await typesOf(cluster)).toEqual(['c-16x'])
  })
})

describe('capacity buffers', () => {
  const template = (cluster: VirtualCluster, cpu: string) =>
    cluster.face.create(
      { ...kinds.podTemplates, namespace: 'default' },
      {
        metadata: { name: 'unit' },
        template: { spec: { containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu } } }] } },
      },
    )
  const buffer = (cluster: VirtualCluster, spec: object) =>
    cluster.face.create({ ...kinds.buffers, namespace: 'default' }, { metadata: { name: 'spare' }, spec })
  const condition = async (cluster: VirtualCluster, type: string) =>
    conditionOf((await cluster.all(kinds.buffers))[0], type)

  test('P-BAT-05 P-CBA-03 P-CBC-01 P-CBC-06…08: nodes are brought for it, kept while it lasts, and let go with it', async () => {
    const { cluster, run } = await start(['--feature-gates', 'CapacityBuffer=true'])
    await applyDefaults(cluster)
    await template(cluster, '3')
    await buffer(cluster, { podTemplateRef: { name: 'unit' }, replicas: 1 })
    await cluster.until('there is a node', async () => (await cluster.all(kinds.nodes)).length === 1)
    await cluster.until(
      'the buffer fits',
      async () => (await condition(cluster, 'Provisioning'))?.reason === 'FitsExistingCapacity',
    )
    expect(await condition(cluster, 'ReadyForProvisioning')).toMatchObject({ status: 'True', reason: 'Resolved' })
    expect((await cluster.all(kinds.buffers))[0]?.status).toMatchObject({
      replicas: 1,
      podTemplateRef: { name: 'unit' },
      provisioningStrategy: 'buffer.x-k8s.io/active-capacity',
    })
    await cluster.clock.advance(300_000)
    expect(await cluster.all(kinds.nodes)).toHaveLength(1)
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(1)
    const told = await eventsOf(cluster)
    expect(told.filter(({ involvedObject }) => involvedObject.name.startsWith('capacity-buffer-'))).toEqual([])

    await cluster.face.delete({ ...kinds.buffers, namespace: 'default', name: 'spare' })
    await cluster.until('the node is gone', async () => (await cluster.all(kinds.nodes)).length === 0)
    expect(run.errors).toEqual([])
  })

  test('X-BUF-01 P-CBC-01 P-CBC-02: a share of a Deployment, as it grows', async () => {
    const { cluster } = await start(['--feature-gates', 'CapacityBuffer=true'])
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 4, '100m')
    await buffer(cluster, { scalableRef: { apiGroup: 'apps', kind: 'Deployment', name: 'web' }, percentage: 50 })
    await cluster.until(
      'half of it is kept',
      async () => (await cluster.all(kinds.buffers))[0]?.status?.['replicas' as never] === 2,
    )
    await cluster.face.patch({ ...kinds.deployments, namespace: 'default', name: 'web' }, 'merge', {
      spec: { replicas: 10 },
    })
    await cluster.until(
      'half of more is kept',
      async () => (await cluster.all(kinds.buffers))[0]?.status?.['replicas' as never] === 5,
    )
  })

  test('X-BUF-01 P-CBC-03 P-CBC-07: what does not exist is named, and the buffer takes part once it does', async () => {
    const { cluster } = await start(['--feature-gates', 'CapacityBuffer=true'])
    await applyDefaults(cluster)
    await buffer(cluster, { podTemplateRef: { name: 'unit' }, replicas: 0 })
    await cluster.until(
      'the template is missed',
      async () => (await condition(cluster, 'ReadyForProvisioning'))?.reason === 'PodTemplateNotFound',
    )
    await cluster.until(
      'it does not take part',
      async () => (await condition(cluster, 'Provisioning'))?.reason === 'NotReadyForProvisioning',
    )
    await template(cluster, '1')
    await cluster.until('it is empty', async () => (await condition(cluster, 'Provisioning'))?.reason === 'BufferEmpty')
  })

  test('P-CBC-04: any strategy counts as active, and the status repeats it', async () => {
    const { cluster } = await start(['--feature-gates', 'CapacityBuffer=true'])
    await applyDefaults(cluster)
    await template(cluster, '3')
    await buffer(cluster, {
      podTemplateRef: { name: 'unit' },
      replicas: 1,
      provisioningStrategy: 'example.com/another',
    })
    await cluster.until('there is a node', async () => (await cluster.all(kinds.nodes)).length === 1)
    expect((await cluster.all(kinds.buffers))[0]?.status).toMatchObject({ provisioningStrategy: 'example.com/another' })
  })

  test('P-CBC-05 W32: pods that come take the room, and new room is made for the buffer', async () => {
    const { cluster } = await start(['--feature-gates', 'CapacityBuffer=true'])
    await applyDefaults(cluster)
    await template(cluster, '3')
    await buffer(cluster, { podTemplateRef: { name: 'unit' }, replicas: 1 })
    await cluster.until('there is a node', async () => (await cluster.all(kinds.nodes)).length === 1)
    await applyDeployment(cluster, 'web', 5, '3')
    await untilRunning(cluster, 5)
    await cluster.until(
      'the buffer fits again',
      async () => (await condition(cluster, 'Provisioning'))?.reason === 'FitsExistingCapacity',
    )
    expect((await cluster.all(kinds.nodes)).length).toBeGreaterThan(1)
  })

  test('X-BUF-01 P-CBC-03: a workload that is missing, and a kind that has no scale', async () => {
    const { cluster } = await start(['--feature-gates', 'CapacityBuffer=true'])
    await buffer(cluster, { scalableRef: { apiGroup: 'apps', kind: 'Deployment', name: 'web' }, percentage: 50 })
    await cluster.until(
      'the workload is missed',
      async () => (await condition(cluster, 'ReadyForProvisioning'))?.reason === 'ScalableRefNotFound',
    )
    await cluster.face.delete({ ...kinds.buffers, namespace: 'default', name: 'spare' })
    await buffer(cluster, { scalableRef: { apiGroup: 'batch', kind: 'Job', name: 'web' }, replicas: 1 })
    await cluster.until(
      'the kind is refused',
      async () => (await condition(cluster, 'ReadyForProvisioning'))?.reason === 'ResolutionFailed',
    )
  })
})

describe('static capacity', () => {
  const flags = ['--feature-gates', 'StaticCapacity=true']
  const scalePool = (cluster: VirtualCluster, replicas: number) =>
    cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', { spec: { replicas } })
  // The API allows a static pool neither a weight nor a consolidation policy of its own.
  const staticPool = (cluster: VirtualCluster, replicas: number, limits?: object) =>
    applyDefaults(cluster, { replicas, ...(limits === undefined ? {} : { limits }) })

  test('P-STA-01…05 S-STATIC-04: a pool keeps its number of nodes, up and down', async () => {
    const { cluster, run } = await start(flags)
    await staticPool(cluster, 3)
    await cluster.until('there are three nodes', async () => (await cluster.all(kinds.nodes)).length === 3)
    const [claim] = (await cluster.all(kinds.nodeClaims)) as unknown as ReadonlyArray<{
      spec: { requirements: ReadonlyArray<{ key: string }> }
    }>
    expect(claim?.spec.requirements.map(({ key }) => key)).not.toContain('node.kubernetes.io/instance-type')
    await cluster.clock.advance(120_000)
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(3)
    await scalePool(cluster, 1)
    await cluster.until('one node is left', async () => (await cluster.all(kinds.nodes)).length === 1)
    await scalePool(cluster, 2)
    await cluster.until('there are two', async () => (await cluster.all(kinds.nodes)).length === 2)
    expect(cluster.machines()).toHaveLength(2)
    expect(run.errors).toEqual([])
  })

  test('O-19 S-STATIC-01: with the gate shut, as it is by default, nothing is created', async () => {
    const { cluster } = await start([])
    await staticPool(cluster, 3)
    await cluster.clock.advance(120_000)
    expect(await cluster.all(kinds.nodeClaims)).toEqual([])
  })

  test('P-STA-04 S-STATIC-08: shrinking looks at no budget, and every excess node goes at once', async () => {
    const { cluster } = await start(flags)
    await applyDefaults(cluster, { replicas: 4, disruption: { consolidateAfter: 'Never', budgets: [{ nodes: '0' }] } })
    await cluster.until('there are four nodes', async () => (await cluster.all(kinds.nodes)).length === 4)
    await scalePool(cluster, 1)
    await cluster.until(
      'three go',
      async () => {
        const claims = await cluster.all(kinds.nodeClaims)
        return claims.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length === 1
      },
      5000,
    )
    await cluster.until('one node is left', async () => (await cluster.all(kinds.nodes)).length === 1)
  })

  test('P-STA-01 S-STATIC-09: pods use the nodes, and bring no others', async () => {
    const { cluster } = await start(flags)
    await staticPool(cluster, 1)
    await cluster.until('there is a node', async () => (await cluster.all(kinds.nodes)).length === 1)
    await applyDeployment(cluster, 'web', 3, '1')
    await untilRunning(cluster, 3)
    await applyDeployment(cluster, 'more', 10, '3')
    await cluster.clock.advance(60_000)
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(1)
  })

  test('ST-22 P-STA-02 S-STATIC-03: the limit on nodes holds, those on their way out included', async () => {
    const { cluster } = await start(flags)
    await staticPool(cluster, 5, { nodes: '2' })
    await cluster.until('there are two nodes', async () => (await cluster.all(kinds.nodes)).length === 2)
    await cluster.clock.advance(120_000)
    expect(await cluster.all(kinds.nodeClaims)).toHaveLength(2)
  })

  test('P-STA-05 S-STATIC-05: a machine that goes is replaced', async () => {
    const { cluster } = await start(flags)
    await staticPool(cluster, 2)
    await cluster.until('there are two nodes', async () => (await cluster.all(kinds.nodes)).length === 2)
    const [gone] = await cluster.all(kinds.nodeClaims)
    await cluster.face.delete({ ...kinds.nodeClaims, name: gone!.metadata.name })
    await cluster.until('it is replaced', async () => {
      const nodes = await cluster.all(kinds.nodeClaims)
      return nodes.length === 2 && nodes.every(({ metadata }) => metadata.name !== gone!.metadata.name)
    })
  })
})

describe('the default topology spread', () => {
  const config = JSON.stringify({
    podTopologySpread: {
      defaultConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' }],
    },
  })

  test('P-DTS-01 P-CFG-03: pods of one ReplicaSet spread over nodes that are brought for it', async () => {
    const { cluster, run } = await start(['--scheduler-config', config])
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 3, '100m')
    await cluster.until('there is a node for each', async () => (await cluster.all(kinds.nodes)).length === 3)
    expect(run.errors).toEqual([])
  })

  test('P-DTS-01: without the setting they share one', async () => {
    const { cluster } = await start([])
    await applyDefaults(cluster)
    await applyDeployment(cluster, 'web', 3, '100m')
    await untilRunning(cluster, 3)
    expect(await cluster.all(kinds.nodes)).toHaveLength(1)
  })
})
