import { describe, expect, test } from '@jest/globals'
import {
  countMoves,
  limitsKept,
  noDoubleLaunch,
  nodeBudgetsKept,
  noOrphans,
  noReplacementCycle,
  podBudgetsKept,
  type Change,
  type Seen,
  type World,
} from '../src/index.ts'

type Loose = { readonly [field: string]: unknown }
const object = (name: string, { labels = {}, metadata = {}, spec = {}, status = {} }: Record<string, Loose> = {}) =>
  ({
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: '',
      resourceVersion: '1',
      labels,
      ...metadata,
    },
    spec,
    status,
  }) as unknown as Seen

const inPool = { 'karpenter.sh/nodepool': 'p' }
const goes = { conditions: [{ type: 'DisruptionReason', status: 'True', reason: 'Underutilized', message: '' }] }
const machine = (name: string, claim: string) =>
  ({ name, token: name, state: 'running', tags: { 'karpenter.sh/nodeclaim': claim } }) as never

const world = (parts: Partial<Record<keyof World, unknown>>): World => ({
  nowMs: () => 0,
  pods: () => [],
  podsOn: () => [],
  nodes: () => [],
  claims: () => [],
  pools: () => [],
  budgets: () => [],
  deployments: () => [],
  everyMachine: () => [],
  disturbances: () => 0,
  ...(parts as Partial<World>),
})
const change = (plural: Change['plural'], type: Change['type'], seen: Seen, before?: Seen, atMs = 0): Change => ({
  plural,
  type,
  object: seen,
  before,
  atMs,
})

describe('checkers find what must not be', () => {
  test('a machine without a claim, and a claim without its machine', () => {
    const checker = noOrphans()
    const claims = [object('a', { status: { providerID: 'kwok://gone' } })]
    checker.onRest?.(world({ everyMachine: () => [machine('m', 'b')], claims: () => claims }))
    expect(checker.violations()).toEqual([
      'Machine m runs, and no NodeClaim has it',
      'NodeClaim a names kwok://gone, which does not run',
    ])
  })

  test('a second machine for a claim', () => {
    const checker = noDoubleLaunch()
    checker.onRest?.(world({ everyMachine: () => [machine('m', 'a'), machine('n', 'a'), machine('o', 'b')] }))
    expect(checker.violations()).toEqual(['NodeClaim a was given m and n'])
  })

  test('a budget of nodes that is overdrawn', () => {
    const checker = nodeBudgetsKept()
    const pool = object('p', { spec: { disruption: { budgets: [{ nodes: '1' }] } as unknown as Loose } })
    const going = ['a', 'b'].map((name) => object(name, { labels: inPool, status: goes }))
    const nodes = ['x', 'y', 'z'].map((name) => object(name, { labels: inPool }))
    const seen = world({ pools: () => [pool], claims: () => going, nodes: () => nodes })
    checker.onChange?.(change('nodeclaims', 'MODIFIED', going[1]!, object('b', { labels: inPool })), seen)
    expect(checker.violations()).toEqual([expect.stringContaining('allows 1 disruptions (Underutilized), and 2 are')])
  })

  test('a pod that is deleted past its PodDisruptionBudget, unless the cloud took its machine', () => {
    const pod = object('web', { labels: { app: 'web' }, spec: { nodeName: 'n' }, status: { phase: 'Running' } })
    const budget = object('b', { spec: { selector: { matchLabels: { app: 'web' } } } })
    const seen = world({ pods: () => [pod], budgets: () => [budget] })
    for (const [isInterrupted, found] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const checker = podBudgetsKept(() => isInterrupted)
      checker.onEffect?.({ name: 'delete Pod', subject: 'default/web', atMs: 0 }, seen)
      expect(checker.violations()).toHaveLength(found)
    }
  })

  test('a limit that is exceeded; what is interrupted no longer counts', () => {
    const pool = object('p', { spec: { limits: { cpu: '20' } } })
    const claim = (name: string, metadata: Loose = {}) =>
      object(name, { labels: inPool, metadata, status: { capacity: { cpu: '16' } } })
    const second = claim('b')
    const check = (first: Seen) => {
      const checker = limitsKept()
      checker.onChange?.(
        change('nodeclaims', 'MODIFIED', second, object('b', { labels: inPool })),
        world({ pools: () => [pool], claims: () => [first, second] }),
      )
      return checker.violations()
    }
    expect(check(claim('a'))).toEqual(['NodePool p holds 32 of cpu, and 20 is its limit'])
    expect(check(claim('a', { deletionTimestamp: 'now' }))).toEqual([])
  })

  test('a fleet that comes back to what it was, under the same demand only', () => {
    const checker = noReplacementCycle()
    const types = (type: string, replicas: number) =>
      world({
        nodes: () => [object('n', { labels: { 'node.kubernetes.io/instance-type': type } })],
        deployments: () => [object('web', { spec: { replicas } })],
      })
    for (const [type, replicas] of [
      ['large', 1],
      ['small', 2],
      ['large', 3],
      ['small', 3],
    ] as const) {
      checker.onChange?.(change('nodes', 'ADDED', object('n')), types(type, replicas))
      checker.onLook?.(types(type, replicas))
    }
    expect(checker.cycles()).toBe(0)
    checker.onChange?.(change('nodes', 'ADDED', object('n')), types('large', 3))
    checker.onLook?.(types('large', 3))
    expect(checker.cycles()).toBe(1)
  })

  test('a pod that moves twice within an hour, and one that does so later', () => {
    const checker = countMoves()
    const evicted = (name: string) =>
      object(name, {
        metadata: { deletionTimestamp: 'now', ownerReferences: [{ uid: 'rs' }] as unknown as Loose },
        status: {
          conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: '' }],
        },
      })
    const owned = (name: string) => object(name, { metadata: { ownerReferences: [{ uid: 'rs' }] as unknown as Loose } })
    const minute = 60_000
    const evict = (name: string, atMs: number) =>
      checker.onChange?.(change('pods', 'MODIFIED', evicted(name), owned(name), atMs), world({}))
    const add = (name: string, atMs: number) =>
      checker.onChange?.(change('pods', 'ADDED', owned(name), undefined, atMs), world({}))
    evict('a', 0)
    add('b', 1000)
    evict('b', 30 * minute)
    add('c', 30 * minute)
    evict('c', 100 * minute)
    expect([checker.evictions(), checker.movedTwice()]).toEqual([3, 1])
  })
})
