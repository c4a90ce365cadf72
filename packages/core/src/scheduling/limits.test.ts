import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import {
  apart,
  copies,
  decide,
  inZone,
  instanceType,
  nodePool,
  offering,
  pod,
  runningOn,
  stateNode,
  web,
} from '../testing/index.ts'

const limitedTo = (limits: Record<string, string>) => [nodePool('default', { limits: Resources.parse(limits) })]
const ofPool = (name: string, cpu: string, rest = {}) => ({
  ...stateNode(name, { cpu }, { labels: { [labelKeys.nodePool]: 'default' } }),
  ...rest,
})
const full = '1500m'
const small = [instanceType('small', 2)]
const sizes = [instanceType('small', 2), instanceType('medium', 4), instanceType('large', 8)]

describe('weight', () => {
  test('P-LIM-01: a heavier NodePool is first for new nodes, but an open node of a lighter one comes before that', () => {
    const nodePools = [
      nodePool('heavy', { weight: 10, requirements: [{ key: labelKeys.zone, operator: 'In', values: ['a'] }] }),
      nodePool('light', { weight: 1 }),
    ]
    const pods = [pod('p0', '3', inZone('b')), pod('p1', '2')]
    expect(decide({ nodePools, pods }).launches).toEqual(['light: p0 p1'])
    expect(decide({ nodePools, pods: [pods[1]!] }).launches).toEqual(['heavy: p1'])
  })

  test('C-API-09: of NodePools of one weight the last by name is first', () => {
    const nodePools = ['b', 'c', 'a'].map((name) => nodePool(name, { weight: 5 }))
    expect(decide({ nodePools, pods: [pod('p')] }).launches).toEqual(['c: p'])
  })

  test('P-LIM-01: where the heavier NodePool has reached its limit the lighter one serves', () => {
    const nodePools = [
      nodePool('heavy', { weight: 10, limits: Resources.parse({ cpu: '2' }) }),
      nodePool('light', { weight: 1 }),
    ]
    const decision = decide({ nodePools, types: small, pods: copies(2, (name) => pod(name, full)) })
    expect(decision.launches).toEqual(['heavy: p0', 'light: p1'])
  })
})

describe('limits', () => {
  test('P-LIM-02: what is left of a limit on nodes is refused at zero, whatever would fit', () => {
    const nodes = [ofPool('n', '0')]
    expect(decide({ nodes, pods: [pod('p')], nodePools: limitedTo({ nodes: '1' }) }).rejections).toEqual([
      'p unplaced: LimitReached',
    ])
    expect(decide({ nodes, pods: [pod('p')], nodePools: limitedTo({ nodes: '2' }) }).launches).toHaveLength(1)
  })

  test('P-LIM-02: more nodes than the limit leave as little room as exactly so many', () => {
    const nodes = ['n0', 'n1'].map((name) => ofPool(name, '0'))
    const scene = { nodes, pods: [pod('p')], nodePools: limitedTo({ nodes: '1' }) }
    expect(decide(scene).rejections).toEqual(['p unplaced: LimitReached'])
  })

  test.each([
    ['cpu at its limit', { cpu: '8' }, 'small medium large'],
    ['cpu a little under', { cpu: '7900m' }, 'small medium'],
    ['two limits together', { cpu: '8', memory: '8Gi' }, 'small'],
    ['a resource that no type has', { 'example.com/gpu': '1' }, 'small medium large'],
    ['a resource at zero that no type has', { 'example.com/gpu': '0' }, 'small medium large'],
  ])('P-LIM-03: types that have more than is left are out: %s', (_, limits, expected) => {
    expect(decide({ types: sizes, pods: [pod('p')], nodePools: limitedTo(limits) }).types).toEqual([expected])
  })

  test('P-LIM-03: a limit that is overrun excludes even types that have none of the resource', () => {
    const nodes = [ofPool('n', '0', {})].map((state) => ({
      ...state,
      node: { ...state.node!, capacity: Resources.parse({ 'example.com/gpu': '2' }) },
    }))
    const scene = { types: small, nodes, pods: [pod('p')], nodePools: limitedTo({ 'example.com/gpu': '1' }) }
    expect(decide(scene).rejections).toEqual(['p unplaced: LimitReached'])
  })

  test('P-LIM-04: an opened node takes the largest of its types off the limit', () => {
    // p0 leaves all three sizes open and is charged 8 of the 10, though it will end up on far less.
    const pods = [web('p0', '1', apart(labelKeys.hostname)), web('p1', '900m', apart(labelKeys.hostname))]
    const decision = decide({ types: sizes, pods, nodePools: limitedTo({ cpu: '10' }) })
    expect(decision.types).toEqual(['small medium large', 'small'])
    const tight = decide({ types: sizes, pods, nodePools: limitedTo({ cpu: '9' }) })
    expect(tight.rejections).toEqual(['p1 unplaced: LimitReached'])
  })

  test('P-LIM-04: the reference gives nothing back when a node can no longer become its largest type; we do', () => {
    // p0 leaves the large size open and takes all 8; p1 ties the node to zone c, where only small ones are sold.
    const here = instanceType('here', 2, { offerings: [offering('c', 'on-demand', 2), offering('a', 'on-demand', 2)] })
    const pods = [pod('p0', '1'), pod('p1', '800m', inZone('c')), pod('p2', '700m', inZone('a'))]
    const scene = { types: [here, instanceType('large', 8)], pods, nodePools: limitedTo({ cpu: '8' }) }
    expect(decide(scene, { strategy: 'reference' }).rejections).toEqual(['p2 unplaced: LimitReached'])
    expect(decide(scene, { strategy: 'first-fit' }).launches).toEqual(['default: p0 p1', 'default: p2'])
  })

  test('P-LIM-05: without limits anything goes; limits are held against capacity, not against what pods may use', () => {
    expect(decide({ types: small, pods: copies(20, (name) => pod(name, full)) }).launches).toHaveLength(20)
    // A small node offers pods 1900m of its 2 CPUs.
    expect(decide({ types: small, pods: [pod('p', full)], nodePools: limitedTo({ cpu: '1900m' }) }).launches).toEqual(
      [],
    )
    expect(decide({ types: small, pods: [pod('p', full)], nodePools: limitedTo({ cpu: '2' }) }).launches).toHaveLength(
      1,
    )
  })

  test('P-LIM-06: nodes under deletion do not count towards limits', () => {
    const scene = (rest: object) => ({
      types: small,
      nodes: [ofPool('n', '2', rest)],
      pods: [pod('p', full)],
      nodePools: limitedTo({ cpu: '3' }),
    })
    const busy = { pods: [runningOn('n', pod('x', full))] }
    expect(decide(scene(busy)).launches).toEqual([])
    // Its own pod comes along and takes one node; the limit has room for no second.
    expect(decide(scene({ isMarkedForDeletion: true })).launches).toEqual(['default: p'])
  })

  test('P-LIM-06: a claim without a Node counts with the capacity that it states', () => {
    const { node: _, ...rest } = ofPool('n', '0')
    const claim = {
      labels: { [labelKeys.nodePool]: 'default' },
      taints: [],
      startupTaints: [],
      allocatable: {},
      capacity: Resources.parse({ cpu: '2' }),
    }
    const nodes = [{ ...rest, isManaged: true, claim: claim as never }]
    expect(
      decide({ types: small, nodes, pods: [pod('p', full)], nodePools: limitedTo({ cpu: '3' }) }).launches,
    ).toEqual([])
    expect(decide({ types: small, pods: [pod('p', full)], nodePools: limitedTo({ cpu: '3' }) }).launches).toHaveLength(
      1,
    )
  })

  test('P-SCH-06, P-CST-05: limits lose the capacity of the NodePool’s own nodes, one node each', () => {
    const theirs = { ...ofPool('n', '8') }
    const other = stateNode('m', { cpu: '8' }, { labels: { [labelKeys.nodePool]: 'other' } })
    const left = (nodes: ReadonlyArray<typeof theirs>, limits: Record<string, string>) =>
      decide({ types: small, nodes, pods: [pod('p', '20'), pod('q', full, inZone('a'))], nodePools: limitedTo(limits) })
        .launches
    expect(left([theirs], { cpu: '9' })).toEqual([])
    expect(left([theirs], { cpu: '10' })).toEqual(['default: q'])
    expect(left([other], { cpu: '9' })).toEqual(['default: q'])
    expect(left([theirs], { nodes: '1' })).toEqual([])
  })

  test('P-FLT-08: the reason names the NodePool, the resource, what is left and the least that a node would add', () => {
    const scene = { types: sizes, pods: [pod('p')], nodePools: limitedTo({ cpu: '1' }) }
    expect(decide(scene).plan.rejections[0]?.reasons).toEqual([
      { _tag: 'LimitReached', nodePool: 'default', resource: 'cpu', remaining: '1', smallest: '2' },
    ])
  })
})
