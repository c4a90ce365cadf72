import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
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
  preferringApart,
  preferringNear,
  requiring,
  runningOn,
  spread,
  stateNode,
  unconstrained,
  web,
} from '../testing/index.ts'

const { zone, hostname } = labelKeys
const types = [instanceType('only', 2)]
const full = '1500m'
const nodeIn = (name: string, where: string, ...pods: ReadonlyArray<ReturnType<typeof pod>>) =>
  stateNode(name, { cpu: '4' }, { labels: { [zone]: where }, pods: pods.map((one) => runningOn(name, one)) })
const fullNodeIn = (name: string, where: string, ...pods: ReadonlyArray<ReturnType<typeof pod>>) =>
  stateNode(
    name,
    { cpu: '0' },
    { labels: { [zone]: where }, pods: pods.map((one) => runningOn(name, { ...one, requests: {} })) },
  )

describe('pod affinity', () => {
  test('P-AFF-01: preferred terms bind under Respect and do not exist under Ignore', () => {
    const pods = [web('one', full, preferringApart(hostname)), web('two', '100m', preferringApart(hostname))]
    expect(decide({ pods }).launches).toEqual(['default: one', 'default: two'])
    expect(decide({ pods, settings: { preferencePolicy: 'Ignore' } }).launches).toEqual(['default: one two'])
    const required = [web('one', full, apart(hostname)), web('two', '100m', apart(hostname))]
    expect(decide({ pods: required, settings: { preferencePolicy: 'Ignore' } }).launches).toHaveLength(2)
  })

  test('P-AFF-01: pods on nodes that the pod cannot select count all the same', () => {
    const nodes = [fullNodeIn('n', 'b', web('x'))]
    const nodePools = [nodePool('default', { labels: { tier: 'gold' } })]
    const pods = [pod('p', full, near(zone), { nodeSelector: { tier: 'gold' } })]
    expect(decide({ nodes, nodePools, pods }).valuesOf(zone)).toEqual(['b'])
  })

  test.each([
    ['its own without list or selector', {}, ['here']],
    ['those of the list alone', { namespaces: ['there'] }, ['there']],
    ['those that the selector selects', { namespaceSelector: { matchLabels: { team: 'x' } } }, ['there']],
    [
      'both together',
      { namespaces: ['default'], namespaceSelector: { matchLabels: { team: 'x' } } },
      ['here', 'there'],
    ],
    ['all with an empty selector', { namespaceSelector: {} }, ['here', 'there', 'third']],
    [
      'none with a selector that cannot parse',
      { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Near', values: [] }] } },
      [],
    ],
  ])('P-AFF-02: namespaces: %s', (_, term, expected) => {
    const places = { here: ['a', 'default'], there: ['b', 'there'], third: ['c', 'third'] } as const
    const nodes = Object.entries(places).map(([name, [where, namespace]]) =>
      fullNodeIn(name, where, { ...web(name), namespace }),
    )
    const namespaces = new Map([
      ['default', {}],
      ['there', { team: 'x' }],
      ['third', {}],
    ])
    const offerings = ['a', 'b', 'c'].map((one) => offering(one, 'on-demand', 1))
    const inAll = [instanceType('only', 2, { offerings })]
    const decision = decide({ nodes, namespaces, types: inAll, pods: [pod('p', full, near(zone, term))] })
    const zones = expected.map((name) => places[name as keyof typeof places][0])
    expect(decision.valuesOf(zone)).toEqual(zones.length === 0 ? [] : [zones.join(' ')])
  })

  test('P-AFF-03: every zone that holds a pod and that pod and NodePool allow stays open', () => {
    const nodes = ['a', 'b', 'c'].map((where) => fullNodeIn(`n-${where}`, where, web(`x-${where}`)))
    const offerings = ['a', 'b', 'c', 'd'].map((where) => offering(where, 'on-demand', 1))
    const scene = { nodes, types: [instanceType('only', 2, { offerings })] }
    expect(decide({ ...scene, pods: [pod('p', full, near(zone))] }).valuesOf(zone)).toEqual(['a b c'])
    const picky = requiring([isIn(zone, 'b', 'c', 'd')])
    expect(decide({ ...scene, pods: [pod('p', full, near(zone), picky)] }).valuesOf(zone)).toEqual(['b c'])
    const nodePools = [nodePool('default', { requirements: [isIn(zone, 'a', 'd')] })]
    expect(decide({ ...scene, nodePools, pods: [pod('p', full, near(zone))] }).valuesOf(zone)).toEqual(['a'])
  })

  test('P-AFF-04: the first of a self-affine set starts where it may; one that does not match itself does not', () => {
    expect(decide({ types, pods: [web('p', full, near(zone), inZone('b'))] }).valuesOf(zone)).toEqual(['b'])
    expect(decide({ types, pods: [pod('p', full, near(zone))] }).rejections).toEqual([
      'p unplaced: TopologyUnsatisfied',
    ])
  })

  test('P-AFF-04: a set whose pods run only where this pod may not go starts anew for the reference, and waits', () => {
    const nodes = [fullNodeIn('n', 'a', web('x'))]
    const scene = { nodes, types, pods: [web('p', full, near(zone), inZone('b'))] }
    expect(decide(scene, { strategy: 'reference' }).valuesOf(zone)).toEqual(['b'])
    expect(decide(scene, { strategy: 'first-fit' }).rejections).toEqual(['p unplaced: TopologyUnsatisfied'])
    // Where the pod could follow, it must.
    const nodePools = [nodePool('default', { requirements: [isIn(zone, 'b')] })]
    expect(decide({ nodes, nodePools, pods: [web('p', full, near(zone))] }).launches).toEqual([])
  })

  test('P-AFF-05: a self-affine set by host stays on one node, and what it does not hold stays pending', () => {
    const pods = copies(3, (name) => web(name, '700m', near(hostname)))
    const decision = decide({ types, pods })
    expect(decision.launches).toEqual(['default: p0 p1'])
    expect(decision.rejections).toEqual(['p2 unplaced: TopologyUnsatisfied'])
    // In a later pass, too.
    const nodes = [nodeIn('n', 'a', ...copies(5, (name) => web(`old-${name}`, '750m', near(hostname))))]
    expect(decide({ types, nodes, pods: [web('p', full, near(hostname))] }).launches).toEqual([])
  })

  test('P-AFF-07: a pod whose zone is open cannot be followed; once it is known it can', () => {
    const follower = pod('follower', '500m', near(zone))
    const open = decide({ types, pods: [web('leader', full), follower] })
    expect(open.launches).toEqual(['default: leader'])
    expect(open.plan.rejections[0]?.mayResolveByWaiting).toBe(true)
    const settled = decide({ types, pods: [web('leader', full, inZone('b')), follower] })
    expect(settled.valuesOf(zone)).toEqual(['b', 'b'])
    const nodes = [fullNodeIn('n', 'a', web('leader'))]
    expect(decide({ types, nodes, pods: [follower] }).valuesOf(zone)).toEqual(['a'])
  })

  test('P-AFF-11: affinity to a pod that never comes is no place; a chain of dependents resolves in any order', () => {
    expect(decide({ pods: [pod('p', '1', near(zone))] }).rejections).toEqual(['p unplaced: TopologyUnsatisfied'])
    const to = (app: string) => near(hostname, { labelSelector: { matchLabels: { app } } })
    const chain = [
      { ...pod('c', '900m', to('b')), labels: { app: 'c' } },
      { ...pod('b', '800m', to('a')), labels: { app: 'b' } },
      { ...pod('a', '100m'), labels: { app: 'a' } },
    ]
    expect(decide({ pods: chain, types: [instanceType('only', 8)] }).launches).toEqual(['default: a b c'])
  })

  test('P-AFF-12: the planner reads selectors as the API server left them, keys merged in', () => {
    const labelSelector = {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'revision', operator: 'In', values: ['2'] }],
    }
    const labelled = (name: string, revision: string) => ({ ...web(name), labels: { app: 'web', revision } })
    const nodes = [fullNodeIn('n1', 'a', labelled('old', '1')), fullNodeIn('n2', 'b', labelled('new', '2'))]
    expect(decide({ nodes, types, pods: [pod('p', full, near(zone, { labelSelector }))] }).valuesOf(zone)).toEqual([
      'b',
    ])
  })
})

describe('several terms of affinity', () => {
  const required = ['web', 'gold'].flatMap(
    (label) => near(zone, { labelSelector: { matchLabels: { [label]: 'yes' } } }).podAffinity?.required ?? [],
  )
  const labelled = (one: ReturnType<typeof pod>, ...labels: ReadonlyArray<string>) => ({
    ...one,
    labels: Object.fromEntries(labels.map((label) => [label, 'yes'])),
  })
  const beside = pod('p', '100m', { podAffinity: { required, preferred: [] } })

  test('are met by one pod that has it all, and by two for the reference alone', () => {
    const alone = ['web', 'gold'].map((label) => labelled(pod(label, '100m'), label))
    const apartFromEachOther = { nodes: [nodeIn('n', 'a', ...alone)], types, pods: [beside] }
    expect(decide(apartFromEachOther, { strategy: 'reference' }).placements).toEqual(['n: p'])
    expect(decide(apartFromEachOther, { strategy: 'first-fit' }).rejections).toEqual([
      'p unplaced: TopologyUnsatisfied',
    ])
    const inOne = labelled(pod('both', '100m'), 'web', 'gold')
    expect(decide({ nodes: [nodeIn('n', 'a', inOne)], types, pods: [beside] }).placements).toEqual(['n: p'])
  })

  test('are met by a pod of the same pass, and by the pod itself where it is the first', () => {
    const leader = labelled(pod('a', '200m', inZone('b')), 'web', 'gold')
    expect(decide({ types, pods: [leader, beside] }).launches).toEqual(['default: a p'])
    expect(decide({ types, pods: [labelled(beside, 'web', 'gold')] }).launches).toEqual(['default: p'])
    expect(decide({ types, pods: [labelled(beside, 'web')] }).launches).toEqual([])
  })
})

describe('pod anti-affinity', () => {
  test('P-AFF-06: every empty zone stays open; a host is free or not', () => {
    const offerings = ['a', 'b', 'c'].map((where) => offering(where, 'on-demand', 1))
    const nodes = [fullNodeIn('n', 'b', web('x'))]
    const inAll = [instanceType('only', 2, { offerings })]
    expect(decide({ nodes, types: inAll, pods: [pod('p', full, apart(zone))] }).valuesOf(zone)).toEqual(['a c'])
    const hosts = [nodeIn('taken', 'a', web('y')), nodeIn('vacant', 'a')]
    expect(decide({ nodes: hosts, pods: [pod('p', '1', apart(hostname))] }).placements).toEqual(['vacant: p'])
  })

  test('P-AFF-08: pods that name their zones take one each; pods that do not take one a pass', () => {
    const named = ['a', 'b'].map((where) => web(where, full, apart(zone), inZone(where)))
    expect(decide({ types, pods: named }).launches).toHaveLength(2)
    const open = copies(2, (name) => web(name, full, apart(zone)))
    expect(decide({ types, pods: open }).launches).toEqual(['default: p0'])
  })

  test('a node without the label of the topology is beside nobody, once it has all its labels', () => {
    const bare = stateNode('bare', { cpu: '4' }, { pods: [runningOn('bare', web('x', '100m', apart(zone)))] })
    const scene = { nodes: [bare] }
    for (const pods of [[web('p', '100m', apart(zone))], [web('p', '100m')]]) {
      expect(decide({ ...scene, pods }, { strategy: 'reference' }).placements).toEqual([])
      expect(decide({ ...scene, pods }, { strategy: 'first-fit' }).placements).toEqual(['bare: p'])
    }
    const pods = [web('p', '100m', apart(zone))]
    const { [labelKeys.initialized]: _mark, ...labels } = bare.node!.labels
    const starting = { ...bare, isManaged: true, node: { ...bare.node!, labels } }
    expect(decide({ ...scene, nodes: [starting], pods }).placements).toEqual([])
  })

  test('P-AFF-09: pods keep away from where a running pod does not want them', () => {
    const nodes = [nodeIn('n', 'a', pod('loner', '1', apart(zone)))]
    expect(decide({ nodes, types, pods: [web('p', '1')] }).valuesOf(zone)).toEqual(['b'])
    expect(decide({ nodes, types, pods: [pod('unselected', '1')] }).placements).toEqual(['n: unselected'])
  })

  test('ST-15 P-AFF-09: a preference to be alone keeps nobody else away', () => {
    const nodes = [nodeIn('n', 'a', pod('loner', '1', preferringApart(zone)))]
    expect(decide({ nodes, types, pods: [web('p', '1')] }).placements).toEqual(['n: p'])
  })

  test('P-AFF-10: a running pod whose node is not known keeps nobody away', () => {
    const waiting = { ...pod('loner', '1', apart(zone)), nodeName: 'gone', isUnschedulable: false }
    expect(decide({ types, pods: [web('p', '1'), waiting] }).demanded(zone)).toEqual([''])
  })

  test('ST-15 P-AFF-10, P-CST-09: the index of who keeps others away follows what runs now', () => {
    const loner = pod('loner', '1', apart(zone))
    const without = { ...loner, constraints: unconstrained }
    const chosen = (one: typeof loner) => decide({ types, nodes: [fullNodeIn('n', 'a', one)], pods: [web('p', '1')] })
    expect(chosen(loner).valuesOf(zone)).toEqual(['b'])
    expect(chosen(without).demanded(zone)).toEqual([''])
    const state = fullNodeIn('n', 'a', loner)
    const nodes = [{ ...state, pods: state.pods.map((one) => ({ ...one, phase: 'Succeeded' as const })) }]
    expect(decide({ types, nodes, pods: [web('p', '1')] }).demanded(zone)).toEqual([''])
  })

  test('a preference for company is given up where there is none', () => {
    const decision = decide({ types, pods: [pod('p', full, preferringNear(zone))] })
    expect(decision.launches).toEqual(['default: p'])
    expect(decision.plan.stats.relaxedPods).toEqual(['default/p'])
  })

  test('circular affinity leaves its pods alone without a place', () => {
    const to = (app: string) => near(hostname, { labelSelector: { matchLabels: { app } } })
    const circle = [
      { ...pod('x', '1', to('y')), labels: { app: 'x' } },
      { ...pod('y', '1', to('x')), labels: { app: 'y' } },
    ]
    const decision = decide({ pods: [...circle, pod('plain', '1')] })
    expect(decision.rejections).toEqual(['x unplaced: TopologyUnsatisfied', 'y unplaced: TopologyUnsatisfied'])
    expect(decision.launches).toEqual(['default: plain'])
  })

  test('P-TOP-07: constraints on one key choose apart from each other, and may miss what both allow', () => {
    const nodes = [fullNodeIn('n', 'b', web('x'))]
    const pods = [web('p', full, near(zone), spread(zone, { maxSkew: 2 }))]
    // The spread takes the empty zone, where affinity finds nobody; b would suit both (W5).
    expect(decide({ nodes, types, pods }, { strategy: 'reference' }).launches).toEqual([])
  })
})
