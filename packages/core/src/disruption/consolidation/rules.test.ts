import { describe, expect, test } from '@jest/globals'

import type { Pod, PodConstraints, StateNode } from '../../cluster/index.ts'
import { labelKeys } from '../../labels/index.ts'
import {
  instanceType,
  managedNode,
  nodePool,
  offering,
  pendingPod,
  reservationKey,
  reserved,
  runningPod,
  sceneOf,
  stateNode,
  type Scene,
} from '../../testing/index.ts'
import { disruptionByMethod, type MethodOutcome } from '../index.ts'

const outcome = (scene: Scene, method: MethodOutcome['method'] = 'single-node-consolidation'): MethodOutcome => {
  const [found] = disruptionByMethod(sceneOf(scene), { strategy: 'reference', methods: [method] })
  if (found === undefined) throw new Error(`There is no method ${method}`)
  return found
}
const multi = (scene: Scene) => outcome(scene, 'multi-node-consolidation')
const taken = ({ commands }: MethodOutcome) =>
  commands.map(
    ({ candidates, replacements }) =>
      `${candidates.map(({ node }) => node).join(' ')} -> ${replacements.map(({ instanceTypes = [] }) => instanceTypes[0]?.name).join(' ')}`,
  )
const reasons = ({ blocked }: MethodOutcome) => blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)
const poolOf = (capacityTypes: ReadonlyArray<string>, rest: Parameters<typeof nodePool>[1] = {}) =>
  nodePool('default', {
    requirements: [{ key: labelKeys.capacityType, operator: 'In', values: capacityTypes }],
    ...rest,
  })
const onDemand = poolOf(['on-demand'])
const pod = (name: string, cpu: string, constraints: Partial<PodConstraints> = {}, rest: Partial<Pod> = {}) =>
  runningPod(name, { cpu }, constraints, rest)
const large = instanceType('large', 8)
const medium = instanceType('medium', 4)
const one = (cpu: string, constraints: Partial<PodConstraints> = {}, rest: Partial<Pod> = {}) =>
  managedNode('one', { pods: [pod('one-pod', cpu, constraints, rest)] })
const two = (cpu: string) => managedNode('two', { pods: [pod('two-pod', cpu)] })
const none = { types: [large], nodePools: [onDemand] }
const app = { matchLabels: { app: 'x' } }

describe('candidates and their order', () => {
  test('D-CAND-10: a candidate is a node, its claim and NodePool, its price and what emptying it costs', () => {
    const { candidates } = outcome({ nodes: [one('3')] })
    expect(candidates.map(({ candidate }) => candidate)).toEqual([
      { node: 'one', claim: 'one-claim', nodePool: 'default', pricePerHour: 8, rescheduleCost: 2 },
    ])
  })

  test('D-COST-05: what is saved for each unit of disruption comes first, and equals go by name', () => {
    const crowded = managedNode('a', { pods: ['a-1', 'a-2', 'a-3'].map((name) => pod(name, '200m')) })
    const [b, c] = ['b', 'c'].map((name) => managedNode(name, { pods: [pod(name, '1')] }))
    expect(taken(outcome({ ...none, nodes: [crowded, c!, b!] }))).toEqual(['b -> '])
    const cheap = managedNode('b', { type: 'small', cpu: 2, pods: [pod('b', '1')] })
    expect(taken(outcome({ nodes: [crowded, cheap], types: [large, instanceType('small', 2)] }))[0]).toMatch(/^a /)
  })

  test('D-COST-06: savings are the prices less the cheapest offering of each first type', () => {
    const places = [offering('a', 'on-demand', 5), offering('b', 'on-demand', 4)]
    const types = [large, instanceType('medium', 4, { offerings: places })]
    expect(outcome({ types, nodePools: [onDemand], nodes: [one('3')] }).commands[0]?.savingsPerHour).toBe(4)
    expect(outcome({ ...none, nodes: [one('3'), two('3')] }).commands[0]?.savingsPerHour).toBe(8)
  })

  test('D-COST-07: a node rests while pods came or went within its consolidateAfter, if it has one', () => {
    const rests = (
      consolidateAfterMs: number | undefined,
      parts: Partial<StateNode['claim'] & object>,
      conditions?: ReadonlyArray<string>,
    ) => {
      const { disruption } = nodePool('resting')
      const { consolidateAfterMs: _, ...others } = disruption
      const resting = nodePool('resting', {
        disruption: { ...others, ...(consolidateAfterMs === undefined ? {} : { consolidateAfterMs }) },
      })
      const target = managedNode('two', {
        poolName: 'resting',
        claim: parts,
        ...(conditions === undefined ? {} : { conditions }),
      })
      return (
        taken(outcome({ ...none, nowMs: 100, nodePools: [onDemand, resting], nodes: [one('3'), target] })).length === 0
      )
    }
    expect(rests(50, { lastPodEventAtMs: 51 })).toBe(true)
    expect(rests(50, { lastPodEventAtMs: 50 })).toBe(false)
    // Without an event of pods the node's start counts.
    expect(rests(101, {})).toBe(true)
    expect(rests(100, {})).toBe(false)
    expect(rests(0, { lastPodEventAtMs: 100 })).toBe(false)
    expect(rests(undefined, { lastPodEventAtMs: 100 })).toBe(false)
    expect(rests(50, { lastPodEventAtMs: 100 }, ['Launched', 'Registered'])).toBe(false)
  })
})

describe('what a simulation places', () => {
  test('D-SIM-03: pods that nothing may evict get no new capacity', () => {
    const types = [large]
    const drifted = (rest: Partial<Pod> = {}) =>
      managedNode('one', {
        pods: [pod('one-pod', '7', {}, rest)],
        driftedAtMs: 0,
        claim: { terminationGracePeriodMs: 1 },
      })
    const replacements = (rest: Partial<Pod>, scene: Scene = {}) =>
      outcome({ types, nodes: [drifted(rest)], ...scene }, 'drift').commands.map(
        (command) => command.replacements.length,
      )
    const covered = (name: string, parts: object) =>
      ({
        namespace: 'default',
        name,
        selector: {},
        disruptionsAllowed: 0,
        unhealthyPodEvictionPolicy: 'IfHealthyBudget',
        ...parts,
      }) as const
    expect(replacements({})).toEqual([1])
    expect(replacements({ disruption: { deletionCost: 0, doNotDisrupt: {} } })).toEqual([0])
    for (const full of [{ maxUnavailable: '0' }, { maxUnavailable: '0%' }, { minAvailable: '100%' }])
      expect(replacements({}, { podDisruptionBudgets: [covered('x', full)] })).toEqual([0])
    expect(replacements({}, { podDisruptionBudgets: [covered('x', { maxUnavailable: '1' })] })).toEqual([1])
    expect(
      replacements({}, { podDisruptionBudgets: ['x', 'y'].map((name) => covered(name, { maxUnavailable: '1' })) }),
    ).toEqual([0])
  })

  test('D-SIM-04, D-CONS-14: by the rules of provisioning: preferences hold a pod unless the policy ignores them', () => {
    const prefersZone = (zone: string): Partial<PodConstraints> => ({
      preferredNodeTerms: [
        {
          weight: 1,
          term: { expressions: [{ key: labelKeys.zone, operator: 'In', values: [zone] }], hasMatchFields: false },
        },
      ],
    })
    const nodes = [
      one('3', prefersZone('a')),
      managedNode('two', { zone: 'b', pods: [pod('two-pod', '3', prefersZone('b'))] }),
    ]
    expect(taken(outcome({ ...none, nodes }))).toEqual([])
    expect(taken(outcome({ ...none, nodes, settings: { preferencePolicy: 'Ignore' } }))).toEqual(['one -> '])
  })

  test('D-SIM-06: a replacement names 600 types at most, the cheapest', () => {
    const types = [
      instanceType('large', 8, { offerings: [offering('a', 'on-demand', 5000)] }),
      ...Array.from({ length: 700 }, (_, index) =>
        instanceType(`t${String(index).padStart(3, '0')}`, 8, { offerings: [offering('a', 'on-demand', index + 1)] }),
      ),
    ]
    const [command] = outcome({ types, nodePools: [onDemand], nodes: [one('7')] }).commands
    const names = command?.replacements[0]?.instanceTypes?.map(({ name }) => name)
    expect(names).toHaveLength(600)
    expect(names?.at(-1)).toBe('t599')
  })

  test('D-SIM-09: nodes that are initialized are tried first, then by name', () => {
    const starting = managedNode('a', { labels: { [labelKeys.initialized]: 'false' } })
    // Were the starting node tried first, the pod would count on it and nothing could be decided.
    const nodes = [one('3'), starting, managedNode('z', { pods: [pod('z-pod', '4')] })]
    expect(taken(outcome({ ...none, nodes }))).toContain('one -> ')
  })
})

describe('whether nodes can be done without', () => {
  test('D-CONS-02, D-SINGLE-04: a node is passed over where a running pod would have no place', () => {
    const pinned = one('3', { nodeSelector: { [labelKeys.hostname]: 'one' } })
    const found = outcome({ ...none, nodes: [pinned, two('3')] })
    expect(taken(found)).toEqual(['two -> '])
    expect(reasons(found)).toEqual(['one: PodsWithoutPlace'])
  })

  test('D-CONS-09: a node of unknown price is never replaced', () => {
    const unpriced = instanceType('large', 8, { offerings: [offering('c', 'on-demand', 8)] })
    expect(reasons(outcome({ types: [unpriced, medium], nodePools: [onDemand], nodes: [one('3')] }))).toEqual([
      'one: NotCheaper',
    ])
  })

  test('D-CONS-11: other NodePools without types, pods that wait in vain and nodes of others do not hinder', () => {
    const types = [large, medium]
    const nodePools = [onDemand, nodePool('barren', { weight: 10 })]
    const instanceTypes = new Map([
      ['default', types],
      ['barren', []],
    ])
    expect(taken(outcome({ nodePools, instanceTypes, nodes: [one('3')] }))).toEqual(['one -> medium'])
    expect(taken(outcome({ ...none, nodes: [one('3'), two('3')], pods: [pendingPod('vain', { cpu: '99' })] }))).toEqual(
      ['one -> '],
    )
    expect(taken(outcome({ ...none, nodes: [one('3'), stateNode('foreign', { cpu: '4', memory: '8Gi' })] }))).toEqual([
      'one -> ',
    ])
  })

  test('D-CONS-13: pods without an owner move and count like others', () => {
    const { owner: _, ...orphan } = pod('orphan', '3')
    const found = outcome({ ...none, nodes: [managedNode('one', { pods: [orphan] }), two('7')] })
    expect(found.candidates.map(({ candidate }) => candidate.rescheduleCost)).toEqual([2, 2])
    expect(reasons(found)).toContain('one: NotCheaper')
  })

  test('D-CONS-14: zone spread and required anti-affinity hold', () => {
    const labelled = (name: string, constraints: Partial<PodConstraints>) =>
      pod(name, '3', constraints, { labels: { app: 'x' } })
    const spread: Partial<PodConstraints> = {
      topologySpread: [
        {
          topologyKey: labelKeys.zone,
          labelSelector: app,
          whenUnsatisfiable: 'DoNotSchedule',
          maxSkew: 1,
          matchLabelKeys: [],
          nodeAffinityPolicy: 'Honor',
          nodeTaintsPolicy: 'Ignore',
        },
      ],
    }
    const apart: Partial<PodConstraints> = {
      podAntiAffinity: {
        required: [{ topologyKey: labelKeys.hostname, labelSelector: app, namespaces: [] }],
        preferred: [],
      },
    }
    for (const constraints of [spread, apart]) {
      const nodes = [
        managedNode('one', { zone: 'a', pods: [labelled('p', constraints)] }),
        managedNode('two', { zone: 'b', pods: [labelled('q', constraints)] }),
      ]
      expect(taken(outcome({ ...none, nodes }))).toEqual([])
    }
  })

  test('D-CONS-15: what is on demand may become reserved, and what is reserved a cheaper reservation', () => {
    const at = (id: string, pricePerHour: number) => ({ ...reserved('a', id, 1), pricePerHour })
    const types = [
      instanceType('large', 8, { offerings: [offering('a', 'on-demand', 8), at('r-1', 2)] }),
      instanceType('other', 8, { offerings: [at('r-2', 1)] }),
    ]
    const nodePools = [poolOf(['on-demand', 'reserved'])]
    expect(taken(outcome({ types, nodePools, nodes: [one('7')] }))).toEqual(['one -> other'])
    const held = managedNode('one', {
      capacityType: 'reserved',
      labels: { [reservationKey]: 'r-1' },
      pods: [pod('p', '7')],
    })
    expect(taken(outcome({ types, nodePools, nodes: [held] }))).toEqual(['one -> other'])
  })

  test('D-CONS-16: room that pods of a node under deletion will need is not given away', () => {
    const going = managedNode('going', { pods: [pod('going-pod', '5')], rest: { isMarkedForDeletion: true } })
    expect(taken(outcome({ ...none, nodes: [one('2'), two('3')] }))).toEqual(['one -> '])
    expect(taken(outcome({ ...none, nodes: [one('2'), two('3'), going] }))).toEqual([])
  })
})

describe('several nodes', () => {
  const light = (names: ReadonlyArray<string>) => names.map((name) => managedNode(name, { pods: [pod(name, '1')] }))

  test('D-MULTI-02, D-SINGLE-06: fewer than two nodes are none of its business, and a pass makes one command', () => {
    expect(taken(multi({ nodes: [one('1')], types: [large, medium], nodePools: [onDemand] }))).toEqual([])
    const found = outcome({ nodes: light(['a', 'b', 'c']), ...none })
    expect(found.commands.map(({ candidates }) => candidates.length)).toEqual([1])
  })

  test('D-MULTI-03: the longest prefix that can go, by halves, of 101 nodes at most', () => {
    // All pods but the last node's fit on the last.
    expect(taken(multi({ ...none, nodes: light(['a', 'b', 'c', 'd']) }))).toEqual(['a b c -> '])
    const tiny = Array.from({ length: 130 }, (_, index) => String(index).padStart(3, '0'))
    const nodes = tiny.map((name) => managedNode(name, { pods: [pod(name, '10m')] }))
    expect(multi({ ...none, nodes }).commands[0]?.candidates.length).toBe(101)
  })

  test('D-MULTI-07, D-MULTI-08: taking away without replacement needs no price, but a Balanced NodePool may refuse', () => {
    const unpriced = [instanceType('large', 8, { offerings: [offering('c', 'on-demand', 8)] })]
    const nodes = light(['a', 'b', 'c'])
    expect(taken(multi({ types: unpriced, nodes }))).toEqual(['a b -> '])
    const balanced = nodePool('default', { disruption: { ...onDemand.disruption, consolidationPolicy: 'Balanced' } })
    expect(taken(multi({ types: unpriced, nodes, nodePools: [balanced] }))).toEqual([])
    expect(taken(multi({ types: [large], nodes, nodePools: [balanced] }))).toEqual(['a b -> '])
  })

  test('D-MULTI-10: spot and on-demand nodes are merged, but not two into one of their type', () => {
    const both = instanceType('large', 8, { offerings: [offering('a', 'on-demand', 8), offering('a', 'spot', 3)] })
    const other = instanceType('other', 16, { offerings: [offering('a', 'on-demand', 9)] })
    const nodes = [
      managedNode('one', { pods: [pod('p', '7')] }),
      managedNode('two', { capacityType: 'spot', pods: [pod('q', '7')] }),
    ]
    expect(taken(multi({ types: [both, other], nodes, nodePools: [onDemand] }))).toEqual(['one two -> other'])
    const halves = ['one', 'two'].map((name) => managedNode(name, { pods: [pod(name, '3')] }))
    expect(taken(multi({ types: [large], nodes: halves, nodePools: [onDemand] }))).toEqual([])
  })
})

describe('spot', () => {
  test('D-SPOT-02: pinned to spot, with the types that are sold as spot and cost less', () => {
    const spot = (name: string, price: number) => instanceType(name, 8, { offerings: [offering('a', 'spot', price)] })
    const types = [
      spot('large', 50),
      ...Array.from({ length: 16 }, (_, index) => spot(`s${index + 10}`, index + 1)),
      instanceType('dear', 8, { offerings: [offering('a', 'spot', 60)] }),
      instanceType('cheap-on-demand', 8, { offerings: [offering('a', 'on-demand', 0.5)] }),
    ]
    const node = managedNode('one', { capacityType: 'spot', pods: [pod('p', '7')] })
    const [command] = outcome({
      types,
      nodes: [node],
      nodePools: [poolOf(['spot', 'on-demand'])],
      gates: { spotToSpotConsolidation: true },
    }).commands
    const [replacement] = command?.replacements ?? []
    expect([...(replacement?.requirements.byKey.get(labelKeys.capacityType)?.values ?? [])]).toEqual(['spot'])
    expect(replacement?.instanceTypes?.map(({ name }) => name)).toEqual(
      Array.from({ length: 15 }, (_, index) => `s${index + 10}`),
    )
  })
})
