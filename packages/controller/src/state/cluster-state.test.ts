import { describe, expect, test } from '@jest/globals'
import {
  coreLabelKnowledge,
  defaultPlanningSettings,
  Resources,
  type NodeClaimObject,
  type PodObject,
} from '@scantling/core'
import { nodeClaimObject, nodeObject, nodePoolObject, podObject, type Overrides } from '@scantling/core/testing'
import { virtualClock } from '@scantling/provider-kit'
import { makeObjectCache, type Caches, type Indexers } from '../cache/index.ts'
import { makeKinds, type KubeObject, type ResourceKind } from '../kube/index.ts'
import { makeClusterState } from './cluster-state.ts'
import { makeDomainViews } from './domain-views.ts'
import type { Counted } from './launch-room.ts'

const setup = (batchMaxDurationMs = 10_000) => {
  const kinds = makeKinds()
  let version = 1
  const make = <A extends KubeObject, I extends string = never>(kind: ResourceKind<A>, indexers: Indexers<A, I>) => {
    const made = makeObjectCache({
      kind,
      indexers,
      onListenerError: (cause) => {
        throw cause
      },
    })
    const stamped = (object: A): A => {
      version += 1
      return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    }
    return {
      cache: made.cache,
      put: (object: A) => made.sink.apply({ _tag: 'Modified', object: stamped(object) }),
      remove: (object: A) => made.sink.apply({ _tag: 'Deleted', object: stamped(object) }),
    }
  }
  const pods = make(kinds.pods, { byNode: (pod: PodObject) => pod.spec.nodeName ?? '' })
  const nodes = make(kinds.nodes, { byProviderId: (node) => node.spec.providerID })
  const nodeClaims = make(kinds.nodeClaims, {
    byProviderId: (claim: NodeClaimObject) => claim.status.providerID,
    byNodePool: (claim: NodeClaimObject) => claim.metadata.labels['karpenter.sh/nodepool'],
    byNodeClass: () => '',
  })
  const nodePools = make(kinds.nodePools, { byNodeClass: () => '' })
  const caches: Caches = {
    pods: pods.cache,
    nodes: nodes.cache,
    nodeClaims: nodeClaims.cache,
    nodePools: nodePools.cache,
    nodeClasses: new Map(),
    daemonSets: make(kinds.daemonSets, {}).cache,
    podDisruptionBudgets: make(kinds.podDisruptionBudgets, {}).cache,
    persistentVolumeClaims: make(kinds.persistentVolumeClaims, {}).cache,
    persistentVolumes: make(kinds.persistentVolumes, {}).cache,
    storageClasses: make(kinds.storageClasses, {}).cache,
    csiNodes: make(kinds.csiNodes, {}).cache,
    volumeAttachments: make(kinds.volumeAttachments, { byNode: () => '' }).cache,
    namespaces: make(kinds.namespaces, {}).cache,
    priorityClasses: make(kinds.priorityClasses, {}).cache,
    synced: () => true,
  }
  const clock = virtualClock(0)
  const supportsNodeClass = () => true
  const state = makeClusterState({
    clock,
    caches,
    views: makeDomainViews(supportsNodeClass),
    supportsNodeClass,
    labelRules: {
      knowledge: coreLabelKnowledge,
      unsupportedTopologyKeys: new Set(),
      unsupportedProvisioners: new Set(),
    },
    settings: defaultPlanningSettings,
    batchMaxDurationMs,
  })
  return { clock, state, pods, nodes, nodeClaims, nodePools }
}

const bound = (name: string, nodeName: string, overrides: Overrides = {}) =>
  podObject(name, { cpu: '1' }, { spec: { nodeName }, status: { phase: 'Running' }, ...overrides })

describe('the cluster as planners see it', () => {
  test('P-PRV-02: one snapshot holds nodes and pods of one moment, and later changes do not reach it', () => {
    const { state, pods, nodes } = setup()
    nodes.put(nodeObject('n'))
    pods.put(podObject('waits', { cpu: '1' }))
    const snapshot = state.snapshot(new Map())
    pods.remove(podObject('waits', { cpu: '1' }))
    pods.put(bound('late', 'n'))
    expect(snapshot.pods.map(({ name }) => name)).toEqual(['waits'])
    expect(snapshot.nodes.map((node) => node.pods)).toEqual([[]])
    expect(state.snapshot(new Map()).nodes[0]!.pods.map(({ name }) => name)).toEqual(['late'])
  })

  test('a machine is joined anew when something of it changes, and only then', () => {
    const { state, pods, nodes, nodeClaims } = setup()
    const here = { spec: { providerID: 'test://here' } }
    nodes.put(nodeObject('here', here))
    nodes.put(nodeObject('other', { spec: { providerID: 'test://other' } }))
    const claim = nodeClaimObject('claim', 'pool', { status: { providerID: 'test://here' } })
    nodeClaims.put(claim)
    pods.put(bound('first', 'here'))
    const changes: ReadonlyArray<() => void> = [
      () => pods.put(bound('second', 'here')),
      () => pods.remove(bound('second', 'here')),
      () => pods.remove(bound('first', 'here')),
      () => nodes.put(nodeObject('here', here)),
      () => nodeClaims.put(claim),
      () => state.markForDeletion('claim'),
      () => state.unmark('claim'),
      () => state.nominate('here'),
    ]
    for (const change of changes) {
      const [before, other] = state.nodes()
      expect(state.nodes()[0]).toBe(before)
      change()
      const [after, stillOther] = state.nodes()
      expect(after).not.toBe(before)
      expect(stillOther).toBe(other)
    }
    expect(state.nodes()[0]?.pods).toEqual([])
  })

  test('ST-12 P-CST-10: a pod that comes again under its name on another node leaves the first', () => {
    const { state, pods, nodes } = setup()
    nodes.put(nodeObject('a'))
    nodes.put(nodeObject('b'))
    const names = () => Object.fromEntries(state.nodes().map((node) => [node.name, node.pods.map(({ uid }) => uid)]))
    pods.put(bound('web-0', 'a', { metadata: { name: 'web-0', namespace: 'default', uid: 'first' } }))
    expect(names()).toEqual({ a: ['first'], b: [] })
    pods.put(bound('web-0', 'b', { metadata: { name: 'web-0', namespace: 'default', uid: 'second' } }))
    expect(names()).toEqual({ a: [], b: ['second'] })
  })

  test.each([
    [10_000, 20_000],
    [1000, 10_000],
  ])('P-CST-06 ST-11: with batches of %d ms a promise protects a node for %d ms', async (batchMs, protectedMs) => {
    const { clock, state, nodes } = setup(batchMs)
    nodes.put(nodeObject('n'))
    const nominated = () => (state.nodes()[0]!.nominatedUntilMs ?? 0) > clock.nowMs()
    expect(nominated()).toBe(false)
    state.nominate('n')
    await clock.advance(protectedMs - 1)
    expect(nominated()).toBe(true)
    await clock.advance(1)
    expect(nominated()).toBe(false)
  })

  test('P-CST-01 W36: a claim that is being launched holds up planning, one whose launch failed only its own pods', () => {
    const { state, pods, nodeClaims, nodePools } = setup()
    nodePools.put(nodePoolObject('default'))
    pods.put(podObject('hers', { cpu: '1' }))
    pods.put(podObject('other', { cpu: '1' }))
    nodeClaims.put(nodeClaimObject('claim', 'default'))
    expect(state.unaccountedClaims()).toEqual(['claim'])
    const hers = state.snapshot(new Map()).pods.filter(({ name }) => name === 'hers')
    state.assign('claim', hers)
    expect(state.unaccountedClaims()).toEqual(['claim'])
    const failed = {
      type: 'Launched',
      status: 'Unknown',
      reason: 'LaunchFailed',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    nodeClaims.put(nodeClaimObject('claim', 'default', { status: { conditions: [failed] } }))
    expect(state.unaccountedClaims()).toEqual([])
    expect(state.snapshot(new Map()).pods.map(({ name }) => name)).toEqual(['other'])
    nodeClaims.remove(nodeClaimObject('claim', 'default'))
    expect(state.snapshot(new Map()).pods.map(({ name }) => name)).toEqual(['hers', 'other'])
  })

  test('ST-01 P-CST-03 ST-08: a claim with a machine stands for its node until there is one, and then both are one', () => {
    const { state, nodes, nodeClaims } = setup()
    nodeClaims.put(nodeClaimObject('claim', 'default', { status: { providerID: 'test://n' } }))
    expect(state.nodes().map(({ name }) => name)).toEqual(['claim'])
    nodes.put(nodeObject('n'))
    expect(state.nodes()).toHaveLength(1)
    expect(state.nodes()[0]).toMatchObject({ isManaged: true, node: { name: 'n' }, claim: { name: 'claim' } })
    // Plans promise it pods under the claim's name; the promise outlives the change of names.
    state.nominate('claim')
    nodes.put(nodeObject('n', { metadata: { labels: { 'karpenter.sh/registered': 'true' } } }))
    expect(state.nodes()[0]).toMatchObject({ name: 'n', nominatedUntilMs: 20_000 })
  })

  test('ST-06: a node that appears has the pods that were bound to it before, and a claim that changes leaves them', () => {
    const { state, pods, nodes, nodeClaims } = setup()
    pods.put(bound('early', 'n', { spec: { nodeName: 'n', containers: [{ name: 'c', ports: [{ hostPort: 80 }] }] } }))
    expect(state.nodes()).toEqual([])
    nodes.put(nodeObject('n'))
    const seen = () =>
      state.nodes().map((node) => node.pods.map(({ name, constraints }) => [name, constraints.hostPorts.length]))
    expect(seen()).toEqual([[['early', 1]]])
    nodeClaims.put(nodeClaimObject('claim', 'default', { status: { providerID: 'test://n' } }))
    nodes.put(nodeObject('n', { metadata: { labels: { team: 'a' } } }))
    expect(seen()).toEqual([[['early', 1]]])
    expect(state.nodes()[0]?.isManaged).toBe(true)
  })

  test('ST-07: a machine goes under its present id, and is gone when neither Node nor claim is left', () => {
    const { state, nodes, nodeClaims } = setup()
    const ids = () => state.nodes().map(({ providerId }) => providerId)
    nodes.put(nodeObject('n', { spec: { providerID: 'test://old' } }))
    nodes.put(nodeObject('n', { spec: { providerID: 'test://new' } }))
    expect(ids()).toEqual(['test://new'])
    nodeClaims.put(nodeClaimObject('claim', 'default', { status: { providerID: 'test://old' } }))
    nodeClaims.put(nodeClaimObject('claim', 'default', { status: { providerID: 'test://new' } }))
    expect(ids()).toEqual(['test://new'])
    nodes.remove(nodeObject('n', { spec: { providerID: 'test://new' } }))
    expect(ids()).toEqual(['test://new'])
    nodeClaims.remove(nodeClaimObject('claim', 'default', { status: { providerID: 'test://new' } }))
    expect(ids()).toEqual([])
  })

  test('ST-18 D-LOOP-12: the revision grows with what disruption could hang on, and not with the rest', async () => {
    const { clock, state, pods, nodes, nodePools } = setup()
    const grows = (change: () => void) => {
      const before = state.revision()
      change()
      return state.revision() > before
    }
    expect(grows(() => nodes.put(nodeObject('n')))).toBe(true)
    expect(grows(() => nodes.put(nodeObject('n')))).toBe(false)
    expect(grows(() => nodes.put(nodeObject('n', { metadata: { labels: { team: 'a' } } })))).toBe(true)
    expect(grows(() => pods.put(bound('p', 'n')))).toBe(true)
    expect(grows(() => pods.put(bound('p', 'n')))).toBe(false)
    expect(grows(() => pods.remove(bound('p', 'n')))).toBe(true)
    expect(grows(() => nodePools.put(nodePoolObject('default')))).toBe(true)
    expect(grows(() => state.markForDeletion('claim'))).toBe(true)
    expect(grows(() => state.unmark('claim'))).toBe(true)
    state.nominate('n')
    const before = state.revision()
    await clock.advance(20_000)
    expect(state.revision()).toBeGreaterThan(before)
  })

  test('D-QUEUE-04: pods that wait for a replacement are not planned for again while it is launched', () => {
    const { state, pods, nodes, nodeClaims } = setup()
    nodes.put(nodeObject('old', { metadata: { labels: { 'karpenter.sh/registered': 'true' } } }))
    pods.put(bound('p', 'old'))
    nodeClaims.put(nodeClaimObject('old-claim', 'default', { status: { providerID: 'test://old' } }))
    nodeClaims.put(nodeClaimObject('new-claim', 'default'))
    const podsOf = (name: string) => state.snapshot(new Map()).nodes.find((node) => node.name === name)?.pods.length
    state.assign('new-claim', state.podsOn('old'))
    expect(podsOf('old')).toBe(1)
    state.markForDeletion('old-claim')
    expect(podsOf('old')).toBe(0)
    nodeClaims.put(nodeClaimObject('new-claim', 'default', { status: { providerID: 'test://new' } }))
    expect(podsOf('old')).toBe(1)
  })

  test('D-QUEUE-05: launches that are made side by side stay within the limits together', () => {
    const { state, nodeClaims, nodePools } = setup()
    nodePools.put(nodePoolObject('default', { spec: { limits: { cpu: '20' } } }))
    nodeClaims.put(nodeClaimObject('old', 'default', { status: { providerID: 'test://old', capacity: { cpu: '8' } } }))
    const [pool] = state.nodePools()
    const take = (cpu: string, counted: Counted = 'all') => state.room.take(pool!, Resources.parse({ cpu }), counted)
    const first = take('8')
    expect(first).toHaveProperty('token')
    expect(take('8')).toEqual({ over: { resource: 'cpu', limit: '20' } })
    // Where the old one is on its way out there is room for a second.
    expect(take('8', { leaving: new Set(['old']) })).toHaveProperty('token')
    expect(take('8', { leaving: new Set(['old']) })).toHaveProperty('over')
  })

  test('D-QUEUE-05: a launch holds its room until its machine speaks for itself', () => {
    const { state, nodeClaims, nodePools } = setup()
    nodePools.put(nodePoolObject('default', { spec: { limits: { cpu: '10' } } }))
    const [pool] = state.nodePools()
    const fits = (cpu: string) => state.room.fits(pool!, Resources.parse({ cpu }), 'all')
    const taken = state.room.take(pool!, Resources.parse({ cpu: '8' }), 'all')
    if (!('token' in taken)) throw new Error('there is room')
    expect(fits('4')).toBe(false)
    nodeClaims.put(nodeClaimObject('new', 'default'))
    state.room.name(taken.token, 'new')
    expect(fits('4')).toBe(false)
    // It became a smaller one than it might have.
    nodeClaims.put(nodeClaimObject('new', 'default', { status: { providerID: 'test://n', capacity: { cpu: '4' } } }))
    expect(fits('4')).toBe(true)
    expect(fits('8')).toBe(false)
  })
})
