import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from '@jest/globals'
import type { AnyProviderModule } from '@scantling/controller'
import type { CloudProvider, DriftVerdict, NodeClassObject } from '@scantling/core'
import { conditionOf, kinds, type VirtualCluster, type VirtualClusterOptions } from '../src/index.ts'
import { claimOf, keep, patchPool, patchTemplate, startRunning, type Beginning } from './running-cluster.ts'

const startWith = (options?: VirtualClusterOptions, beginning: Beginning = {}) =>
  startRunning({ pool: keep, ...(options && { options }), ...beginning })
const driftOf = async (cluster: VirtualCluster) => {
  const drifted = conditionOf(await claimOf(cluster), 'Drifted')
  return drifted && { status: drifted.status, reason: drifted.reason }
}
const hashKey = 'karpenter.sh/nodepool-hash'
const versionKey = 'karpenter.sh/nodepool-hash-version'

describe('Drifted', () => {
  test('C-DRIFT-01 C-DRIFT-09 follows a change of the template at once, and goes with it', async () => {
    const { cluster, run } = await startWith()
    expect(await driftOf(cluster)).toBeUndefined()
    await patchTemplate(cluster, { metadata: { labels: { team: 'a' } } })
    await cluster.clock.advance(2000)
    expect(await driftOf(cluster)).toEqual({ status: 'True', reason: 'NodePoolDrifted' })
    await patchTemplate(cluster, { metadata: { labels: { team: null } } })
    await cluster.clock.advance(2000)
    expect(await driftOf(cluster)).toBeUndefined()
    expect(run.errors).toEqual([])
  })

  test('C-DRIFT-06 follows requirements, which the hash leaves out', async () => {
    const { cluster } = await startWith()
    const hash = (await cluster.all(kinds.nodePools))[0]?.metadata.annotations?.[hashKey]
    const spot = { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }
    await patchTemplate(cluster, { spec: { requirements: [spot] } })
    await cluster.clock.advance(2000)
    expect(await driftOf(cluster)).toEqual({ status: 'True', reason: 'RequirementsDrifted' })
    expect((await cluster.all(kinds.nodePools))[0]?.metadata.annotations?.[hashKey]).toBe(hash)
  })

  test('C-DRIFT-01 says nothing of claims without a NodePool, and of claims that are going', async () => {
    const { cluster } = await startWith()
    const claim = await claimOf(cluster)
    const ref = { ...kinds.nodeClaims, name: claim?.metadata.name ?? '' }
    await cluster.face.patch(ref, 'merge', { metadata: { labels: { 'karpenter.sh/nodepool': null } } })
    await patchTemplate(cluster, { metadata: { labels: { team: 'a' } } })
    await cluster.clock.advance(310_000)
    expect(await driftOf(cluster)).toBeUndefined()
    await cluster.face.patch(ref, 'merge', { metadata: { labels: { 'karpenter.sh/nodepool': 'default' } } })
    await cluster.face.create(
      { ...kinds.budgets, namespace: 'default' },
      { metadata: { name: 'web' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } },
    )
    await cluster.face.delete(ref)
    await cluster.clock.advance(310_000)
    const going = (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name === claim?.metadata.name)
    expect(conditionOf(going, 'Drained')).toBeDefined()
    expect(conditionOf(going, 'Drifted')).toBeUndefined()
  })

  test('C-DRIFT-03 is cleared while the claim is not launched', async () => {
    const { cluster } = await startWith({
      providerOf: (provider) => ({
        ...provider,
        launch: (request, call) =>
          request.claim.labels['test/unlaunchable'] === 'true'
            ? TE.left({ error: { _tag: 'Throttled', message: 'slow down' }, reason: 'Throttled' })
            : provider.launch(request, call),
      }),
    })
    await cluster.face.create(kinds.nodeClaims, {
      metadata: {
        name: 'unlaunched',
        labels: {
          'karpenter.sh/nodepool': 'default',
          'test/unlaunchable': 'true',
          'karpenter.sh/capacity-type': 'on-demand',
        },
      },
      spec: {
        nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
        requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
      },
    })
    await cluster.clock.advance(1000)
    const ref = { ...kinds.nodeClaims, name: 'unlaunched' }
    const drifted = {
      type: 'Drifted',
      status: 'True',
      reason: 'NodePoolDrifted',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const find = async () =>
      (await cluster.all(kinds.nodeClaims)).find(({ metadata }) => metadata.name === 'unlaunched')
    await cluster.face.patch({ ...ref, subresource: 'status' }, 'merge', {
      status: { conditions: [...((await find())?.status.conditions ?? []), drifted] },
    })
    await cluster.clock.advance(2000)
    expect(conditionOf(await find(), 'Launched')?.status).toBe('Unknown')
    expect(conditionOf(await find(), 'Drifted')).toBeUndefined()
  })

  test('C-DRIFT-02 is written together with Consolidatable, which static pools never have', async () => {
    const { cluster, run } = await startWith(
      {},
      { pool: { disruption: { consolidateAfter: '30s', budgets: [{ nodes: '0' }] } } },
    )
    await cluster.clock.advance(60_000)
    expect(conditionOf(await claimOf(cluster), 'Consolidatable')?.status).toBe('True')
    // Both change in one look: a template that drifts, and a window that is longer.
    const before = run.effects.length
    await patchPool(cluster, {
      spec: { disruption: { consolidateAfter: '2h' }, template: { metadata: { labels: { team: 'a' } } } },
    })
    await cluster.clock.advance(5000)
    const claim = await claimOf(cluster)
    expect(conditionOf(claim, 'Drifted')?.status).toBe('True')
    expect(conditionOf(claim, 'Consolidatable')).toBeUndefined()
    expect(run.effects.slice(before).filter(({ name }) => name === 'status of NodeClaim').length).toBeLessThanOrEqual(2)
  })

  test('C-DRIFT-07 an instance type that is no longer sold counts after an hour, and is looked for every half hour', async () => {
    let isSold = true
    const { cluster } = await startWith({
      providerOf: (provider) => ({
        ...provider,
        instanceTypes: (nodeClass, call) => async () =>
          E.map((types: ReadonlyArray<{ readonly name: string }>) => (isSold ? types : types.slice(0, 0)) as never)(
            await provider.instanceTypes(nodeClass, call)(),
          ),
      }),
    })
    isSold = false
    await cluster.clock.advance(3_400_000)
    expect(await driftOf(cluster)).toBeUndefined()
    isSold = true
    await cluster.clock.advance(600_000)
    isSold = false
    // Found just now, so not looked for again before half an hour is over.
    await cluster.clock.advance(1_000_000)
    expect(await driftOf(cluster)).toBeUndefined()
    await cluster.clock.advance(1_200_000)
    expect(await driftOf(cluster)).toEqual({ status: 'True', reason: 'InstanceTypeNotFound' })
    isSold = true
    await cluster.clock.advance(310_000)
    expect(await driftOf(cluster)).toBeUndefined()
  })
})

describe('drift that the provider finds', () => {
  const withDrift = (verdict: (asked: number) => DriftVerdict, get?: CloudProvider<NodeClassObject>['get']) => {
    let asked = 0
    return startWith({
      providerOf: (provider) => ({
        ...provider,
        ...(get === undefined ? {} : { get }),
        drift: () => {
          asked += 1
          return verdict(asked)
        },
      }),
    })
  }
  const drifted = { _tag: 'Drifted', reason: 'ImageDrifted', message: 'ami-1 is not ami-2' } as const

  test('C-DRIFT-04 is believed when a look at the machine itself says so, too', async () => {
    const { cluster } = await withDrift(() => drifted)
    await cluster.clock.advance(310_000)
    expect(conditionOf(await claimOf(cluster), 'Drifted')).toMatchObject({
      status: 'True',
      reason: 'ImageDrifted',
      message: 'ami-1 is not ami-2',
    })
  })

  test('C-DRIFT-09 is not believed of a stale list', async () => {
    const { cluster } = await withDrift((asked) => (asked % 2 === 1 ? drifted : { _tag: 'InSync' }))
    await cluster.clock.advance(310_000)
    expect(await driftOf(cluster)).toBeUndefined()
  })

  test('C-DRIFT-09 is nothing where the machine is gone, and changes nothing where the provider cannot tell', async () => {
    const gone = await withDrift(
      () => drifted,
      () => TE.left({ _tag: 'InstanceNotFound', message: 'gone' }),
    )
    await gone.cluster.clock.advance(310_000)
    expect(await driftOf(gone.cluster)).toBeUndefined()
    let isBlind = false
    const blind = await withDrift(() => (isBlind ? { _tag: 'Unknown', message: 'no credentials' } : drifted))
    await blind.cluster.clock.advance(310_000)
    isBlind = true
    await blind.cluster.clock.advance(310_000)
    expect(await driftOf(blind.cluster)).toEqual({ status: 'True', reason: 'ImageDrifted' })
  })
})

describe('hashes', () => {
  test('NP-HASH-01 stand on the NodePool and on what is launched from it', async () => {
    const { cluster } = await startWith()
    const marks = (await cluster.all(kinds.nodePools))[0]?.metadata.annotations ?? {}
    expect(marks[hashKey]).toMatch(/./)
    expect((await claimOf(cluster))?.metadata.annotations).toMatchObject({
      [hashKey]: marks[hashKey],
      [versionKey]: marks[versionKey],
    })
    await patchPool(cluster, { metadata: { annotations: { [hashKey]: 'meddled' } } })
    await cluster.clock.advance(2000)
    expect((await cluster.all(kinds.nodePools))[0]?.metadata.annotations?.[hashKey]).toBe(marks[hashKey])
  })

  test('NP-HASH-02 of another version are stamped anew on claims, but for those known to have drifted', async () => {
    const { cluster, run } = await startWith()
    const claim = await claimOf(cluster)
    const marks = claim?.metadata.annotations ?? {}
    const ref = { ...kinds.nodeClaims, name: claim?.metadata.name ?? '' }
    const age = async () => {
      const old = { metadata: { annotations: { [hashKey]: 'old', [versionKey]: 'v3' } } }
      await cluster.face.patch(ref, 'merge', old)
      await patchPool(cluster, old)
      await cluster.startController()
      await cluster.clock.advance(10_000)
      return (await claimOf(cluster))?.metadata.annotations
    }
    run.kill()
    expect(await age()).toMatchObject({ [hashKey]: marks[hashKey], [versionKey]: marks[versionKey] })
    expect(await driftOf(cluster)).toBeUndefined()
  })

  test('NP-HASH-02 a drifted claim stays drifted under another version', async () => {
    const { cluster, run } = await startWith()
    await patchTemplate(cluster, { metadata: { labels: { team: 'a' } } })
    await cluster.clock.advance(2000)
    expect(await driftOf(cluster)).toEqual({ status: 'True', reason: 'NodePoolDrifted' })
    run.kill()
    const claim = await claimOf(cluster)
    const old = { metadata: { annotations: { [hashKey]: 'old', [versionKey]: 'v3' } } }
    await cluster.face.patch({ ...kinds.nodeClaims, name: claim?.metadata.name ?? '' }, 'merge', old)
    await patchPool(cluster, old)
    await cluster.startController()
    await cluster.clock.advance(10_000)
    const after = (await claimOf(cluster))?.metadata.annotations
    expect(after?.[hashKey]).toBe('old')
    expect(after?.[versionKey]).not.toBe('v3')
    expect(await driftOf(cluster)).toEqual({ status: 'True', reason: 'NodePoolDrifted' })
  })

  const hashing = (version: () => string, of: () => string): VirtualClusterOptions => ({
    moduleOf: (module): AnyProviderModule => ({
      ...module,
      nodeClasses: module.nodeClasses.map((kind) => ({
        ...kind,
        get hash() {
          return { version: version(), of }
        },
      })) as unknown as AnyProviderModule['nodeClasses'],
    }),
  })
  const classHash = 'karpenter.kwok.sh/kwoknodeclass-hash'

  test('of the NodeClass stand on class and claims, and a claim drifts when they differ', async () => {
    let hash = '1'
    const { cluster } = await startWith(
      hashing(
        () => 'v1',
        () => hash,
      ),
    )
    expect((await claimOf(cluster))?.metadata.annotations).toMatchObject({
      [classHash]: '1',
      [`${classHash}-version`]: 'v1',
    })
    hash = '2'
    await cluster.face.patch({ ...kinds.nodeClasses, name: 'default' }, 'merge', {
      spec: { nodeRegistrationDelay: '1s' },
    })
    await cluster.clock.advance(2000)
    expect(await driftOf(cluster)).toEqual({ status: 'True', reason: 'NodeClassDrifted' })
    expect((await cluster.all(kinds.nodeClasses))[0]?.metadata.annotations?.[classHash]).toBe('2')
  })

  test('of the NodeClass of another version are stamped anew, so that machines of the reference are adopted', async () => {
    let hash = '1'
    let version = 'v1'
    const { cluster } = await startWith(
      hashing(
        () => version,
        () => hash,
      ),
    )
    hash = '2'
    version = 'v2'
    await cluster.face.patch({ ...kinds.nodeClasses, name: 'default' }, 'merge', {
      spec: { nodeRegistrationDelay: '1s' },
    })
    await cluster.clock.advance(310_000)
    expect((await claimOf(cluster))?.metadata.annotations).toMatchObject({
      [classHash]: '2',
      [`${classHash}-version`]: 'v2',
    })
    expect(await driftOf(cluster)).toBeUndefined()
  })
})
