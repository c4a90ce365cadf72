import { describe, expect, test } from '@jest/globals'

import type { StateNode } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import {
  apart,
  copies,
  decide,
  inZone,
  instanceType,
  isIn,
  near,
  nodePool,
  offering,
  pod,
  preferring,
  requiring,
  runningOn,
  selecting,
  softSpread,
  spread,
  spreadRule,
  stateNode,
  web,
} from '../testing/index.ts'

const { zone, hostname } = labelKeys
const rack = 'example.com/rack'
const types = [instanceType('only', 2)]
const full = '1500m'
const node = (name: string, labels: Record<string, string>, ...pods: ReadonlyArray<ReturnType<typeof pod>>) =>
  stateNode(name, { cpu: '0' }, { labels, pods: pods.map((one) => runningOn(name, { ...one, requests: {} })) })
const inPool = (zones: ReadonlyArray<string>) => [nodePool('default', { requirements: [isIn(zone, ...zones)] })]

describe('groups', () => {
  test('P-TOP-01: pods with the same constraint are counted together; another skew counts apart', () => {
    const shared = copies(4, (name) => web(name, full, spread(zone)))
    expect(decide({ types, pods: shared }).valuesOf(zone)).toEqual(['a', 'b', 'a', 'b'])
    const apiece = copies(2, (name, index) => pod(name, full, spread(zone, { maxSkew: 1 + index })))
    // Neither matches the selector, so that neither group counts and both start with the first zone.
    expect(decide({ types, pods: apiece }).valuesOf(zone)).toEqual(['a', 'a'])
  })

  test('P-TOP-01: the reference tells node filters apart by their keys alone, so that the first pod’s serves all (W19)', () => {
    const nodes = [node('n', { [zone]: 'a', tier: 'tin' }, web('x'))]
    const tiered = (name: string, tier: string) => web(name, full, spread(zone), selecting({ tier }))
    const nodePools = [nodePool('gold', { labels: { tier: 'gold' } }), nodePool('tin', { labels: { tier: 'tin' } })]
    const pods = [tiered('p0', 'gold'), tiered('p1', 'tin')]
    // Alone, p1 sees x in zone a and takes b. Beside p0 it shares a group that counts gold nodes only.
    expect(decide({ nodes, nodePools, types, pods: [pods[1]!] }).valuesOf(zone)).toEqual(['b'])
    expect(decide({ nodes, nodePools, types, pods }, { strategy: 'reference' }).valuesOf(zone)).toEqual(['a', 'b'])
    const reversed = [tiered('p0', 'tin'), tiered('p1', 'gold')]
    expect(decide({ nodes, nodePools, types, pods: reversed }, { strategy: 'reference' }).valuesOf(zone)).toEqual([
      'b',
      'a',
    ])
  })

  test('P-TOP-06: a pod that gives up a spread is counted by its other groups still', () => {
    const pods = copies(3, (name) =>
      web(name, full, {
        topologySpread: [spreadRule('nowhere', { whenUnsatisfiable: 'ScheduleAnyway' }), spreadRule(zone)],
      }),
    )
    const decision = decide({ types, pods })
    expect(decision.valuesOf(zone)).toEqual(['a', 'b', 'a'])
    expect(decision.plan.stats.relaxedPods).toHaveLength(3)
  })

  test('P-TOP-11: no selector selects nothing; an empty one everything; one that cannot parse nothing', () => {
    const chosen = (rule: Parameters<typeof spread>[1]) =>
      decide({ types, pods: copies(2, (name) => web(name, full, spread(zone, rule))) }).valuesOf(zone)
    const { labelSelector: _, ...unselected } = spreadRule(zone)
    expect(
      decide({ types, pods: copies(2, (name) => web(name, full, { topologySpread: [unselected] })) }).valuesOf(zone),
    ).toEqual(['a', 'a'])
    expect(chosen({ labelSelector: {} })).toEqual(['a', 'b'])
    const unparsable = { matchExpressions: [{ key: 'app', operator: 'Like', values: ['web'] }] }
    expect(chosen({ labelSelector: unparsable })).toEqual(['a', 'a'])
  })

  test('P-TOP-12: a topology key that nobody has leaves its own pods alone without a place', () => {
    const pods = [web('lost', '1', spread('example.com/nowhere')), web('fine', '1', spread(zone))]
    const decision = decide({ pods })
    expect(decision.rejections).toEqual(['lost unplaced: TopologyUnsatisfied'])
    expect(decision.launches).toEqual(['default: fine'])
  })
})

describe('domains', () => {
  test('P-TOP-02: zones of every type count, of types that the pod cannot use, too; and the NodePool’s own values', () => {
    const small = instanceType('small', 2, { offerings: [offering('a', 'on-demand', 1)] })
    const tiny = instanceType('tiny', 1, { offerings: [offering('z', 'on-demand', 1)] })
    const pods = copies(2, (name) => web(name, full, spread(zone)))
    // Nothing can be launched in z that has room, yet its zero holds zone a at one (W21).
    expect(decide({ types: [small, tiny], pods }, { strategy: 'reference' }).launches).toHaveLength(1)
    const racks = copies(3, (name) => web(name, full, spread(rack)))
    const nodePools = [nodePool('default', { requirements: [isIn(rack, 'r2', 'r1')] })]
    expect(decide({ types, nodePools, pods: racks }).valuesOf(rack)).toEqual(['r1', 'r2', 'r1'])
  })

  test('P-TOP-02: labels of the NodePool are domains', () => {
    const nodePools = ['r1', 'r2'].map((value) => nodePool(value, { labels: { [rack]: value } }))
    const pods = copies(2, (name) => web(name, full, spread(rack)))
    expect(decide({ types, nodePools, pods }).launches).toEqual(['r2: p0', 'r1: p1'])
  })

  test('P-TOP-03: a domain behind taints is one for pods that tolerate them, unless taints are ignored', () => {
    const taints = [{ key: 'team', value: 'x', effect: 'NoSchedule' as const }]
    const nodePools = [
      nodePool('open', { requirements: [isIn(zone, 'a')] }),
      nodePool('tainted', { requirements: [isIn(zone, 'b')], taints }),
    ]
    const placed = (...constraints: Parameters<typeof web>[2][]) =>
      decide({ types, nodePools, pods: copies(2, (name) => web(name, full, ...constraints)) }).launches
    // Ignored taints leave zone b empty for ever, which holds zone a at one pod.
    expect(placed(spread(zone))).toEqual(['open: p0'])
    expect(placed(spread(zone, { nodeTaintsPolicy: 'Honor' }))).toEqual(['open: p0', 'open: p1'])
    const tolerating = { tolerations: [{ operator: 'Exists' as const }] }
    expect(placed(spread(zone, { nodeTaintsPolicy: 'Honor' }), tolerating)).toEqual(['tainted: p0', 'open: p1'])
  })

  test('P-TOP-04: zones that only nodes have are domains, where they pass the filter', () => {
    const nodes = [node('n', { [zone]: 'z', tier: 'gold' })]
    const pods = copies(2, (name) => web(name, full, spread(zone)))
    expect(decide({ nodes, types, nodePools: inPool(['a']), pods }).launches).toHaveLength(1)
    expect(decide({ types, nodePools: inPool(['a']), pods }).launches).toHaveLength(2)
    const picky = copies(2, (name) => web(name, full, spread(zone), selecting({ tier: 'tin' })))
    const nodePools = [nodePool('default', { requirements: [isIn(zone, 'a')], labels: { tier: 'tin' } })]
    expect(decide({ nodes, types, nodePools, pods: picky }).launches).toHaveLength(2)
  })

  test('P-TOP-04: a claim without a Node brings no zone of its own', () => {
    const { node: seen, ...rest } = node('n', { [zone]: 'z' })
    const claim = { name: 'n', labels: seen!.labels, taints: [], startupTaints: [], capacity: {}, allocatable: {} }
    const nodes = [{ ...rest, isManaged: true, claim } as unknown as StateNode]
    const pods = copies(2, (name) => web(name, full, spread(zone)))
    expect(decide({ nodes, types, nodePools: inPool(['a']), pods }).launches).toHaveLength(2)
  })
})

describe('counts', () => {
  test.each([
    ['a running pod counts', {}, 'b'],
    ['a finished pod does not', { phase: 'Succeeded' as const }, 'a'],
    ['a failed pod does not', { phase: 'Failed' as const }, 'a'],
    ['a terminating pod does not', { deletionTimestampMs: 1 }, 'a'],
  ])('P-TOP-05: %s', (_, change, expected) => {
    const state = node('n', { [zone]: 'a' }, web('x'))
    const changed = [{ ...state, pods: state.pods.map((one) => ({ ...one, ...change })) }]
    expect(decide({ types, nodes: changed, pods: [web('p', full, spread(zone))] }).valuesOf(zone)).toEqual([expected])
  })

  test('P-TOP-05: pods that are being placed do not count where they were', () => {
    const moved = web('moved', full, spread(zone))
    const nodes = [{ ...node('going', { [zone]: 'a' }), isMarkedForDeletion: true, pods: [runningOn('going', moved)] }]
    const decision = decide({ types, nodes })
    expect(decision.launches).toEqual(['default: moved'])
    expect(decision.valuesOf(zone)).toEqual(['a'])
  })

  test('P-TOP-05: pods on nodes without the label do not count; for hosts the node’s name stands in', () => {
    const bare = node('n', {}, web('x'))
    expect(decide({ types, nodes: [bare], pods: [web('p', full, spread(zone))] }).valuesOf(zone)).toEqual(['a'])
    const { [hostname]: _, ...labels } = bare.node!.labels
    const nameless = stateNode('m', { cpu: '4' }, { pods: [runningOn('m', web('y'))] })
    const nodes = [{ ...nameless, node: { ...nameless.node!, labels: { ...labels } } }]
    expect(decide({ nodes, pods: [web('p', '1', apart(hostname))] }).placements).toEqual([])
    expect(decide({ nodes, pods: [pod('q', '1')] }).placements).toEqual(['m: q'])
  })

  test('P-TOP-07: the groups that constrain a pod are its own and those of others’ anti-affinity that select it', () => {
    const nodes = [node('n', { [zone]: 'a' }, pod('loner', '0', apart(zone)))]
    const offerings = ['a', 'b', 'c'].map((where) => offering(where, 'on-demand', 1))
    const three = [instanceType('only', 2, { offerings })]
    const pods = [web('p', full, spread(zone))]
    expect(decide({ nodes, types: three, pods: [web('q', full)] }).valuesOf(zone)).toEqual(['b c'])
    // Its spread takes the first of the empty zones, a, which loner forbids: each chooses from all zones (W5).
    expect(decide({ nodes, types: three, pods }, { strategy: 'reference' }).launches).toEqual([])
  })

  test('P-TOP-08: a pod’s volumes limit its node but not the zones that its spread is reckoned over', () => {
    const claims = new Map([
      [
        'default/data',
        { namespace: 'default', name: 'data', isDeleting: false, isBindCompleted: true, volumeName: 'v' },
      ],
    ])
    const persistentVolumes = new Map([
      ['v', { name: 'v', isDeleting: false, isNodeLocal: false, nodeTerms: [[isIn(zone, 'b')]] }],
    ])
    const volumes = { claims, persistentVolumes, storageClasses: new Map() }
    const withVolume = { volumes: [{ volumeName: 'data', claimName: 'data' }] }
    const nodes = [node('n', { [zone]: 'b' }, web('x'))]
    // Zone a is empty and counts, so that b is one above it already.
    expect(decide({ types, nodes, volumes, pods: [web('p', full, spread(zone), withVolume)] }).launches).toEqual([])
    expect(
      decide({ types, nodes, volumes, pods: [web('p', full, spread(zone), withVolume, inZone('b'))] }).valuesOf(zone),
    ).toEqual(['b'])
  })

  test('P-TOP-09: anti-affinity blocks every zone that a launch may be in; a spread counts a launch of one zone only', () => {
    const blocking = [web('loner', full, apart(zone)), web('late', '1400m', apart(zone), inZone('b'))]
    expect(decide({ types, pods: blocking }).launches).toEqual(['default: loner'])
    const undecided = [web('open', full), ...copies(2, (name) => web(name, '1400m', spread(zone)))]
    expect(decide({ types, pods: undecided }).valuesOf(zone)).toEqual(['', 'a', 'b'])
    const decided = [web('open', full, inZone('a')), ...copies(2, (name) => web(name, '1400m', spread(zone)))]
    expect(decide({ types, pods: decided }).valuesOf(zone)).toEqual(['a', 'b', 'a'])
  })

  test('P-TOP-09: a pod keeps away from every zone that a launch it avoids may still be in', () => {
    const offerings = ['a', 'b', 'c'].map((where) => offering(where, 'on-demand', 1))
    const pods = [web('open', full, requiring([isIn(zone, 'a', 'b')])), pod('shy', '1400m', apart(zone))]
    expect(decide({ types: [instanceType('only', 2, { offerings })], pods }).valuesOf(zone)).toEqual(['a b', 'c'])
  })

  test('P-TOP-10: a pod may be bound by a group that does not count it, and be counted by one that does not bind it', () => {
    const red = { matchLabels: { color: 'red' } }
    const blue = { matchLabels: { color: 'blue' } }
    const coloured = (name: string, color: string, labelSelector: typeof red) => ({
      ...pod(name, full, spread(zone, { labelSelector })),
      labels: { color },
    })
    // Reds spread by where blues are, and blues by where reds are.
    const pods = [coloured('p0', 'red', blue), coloured('p1', 'red', blue), coloured('p2', 'blue', red)]
    expect(decide({ types, pods }).valuesOf(zone)).toEqual(['a', 'a', 'b'])
  })

  test('P-TOP-10: a pod bound by nothing is counted for those that are', () => {
    const pods = [web('plain', '1600m', inZone('a')), web('bound', full, spread(zone))]
    expect(decide({ types, pods }).valuesOf(zone)).toEqual(['a', 'b'])
  })

  test('a launch that no constraint has narrowed can be joined by affinity to its host at once', () => {
    const decision = decide({
      types: [instanceType('only', 8)],
      pods: [web('leader', '2'), pod('follower', '1', near(hostname))],
    })
    expect(decision.launches).toEqual(['default: leader follower'])
  })

  test('soft spread over a preference: both are given up one after the other', () => {
    const pods = [web('p', full, softSpread('nowhere'), preferring([1, isIn(zone, 'nowhere')]))]
    const decision = decide({ types, pods })
    expect(decision.launches).toEqual(['default: p'])
    expect(
      decision.plan.launches.map(({ requirements }) => Requirement.operatorOf(Requirements.get(requirements, zone))),
    ).toEqual(['Exists'])
  })
})
