import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
import {
  apart,
  copies,
  decide,
  inZone,
  instanceType,
  isIn,
  nodePool,
  offering,
  pod,
  preferring,
  requiring,
  runningOn,
  softSpread,
  spread,
  spreadRule,
  stateNode,
  web,
} from '../testing/index.ts'

const { zone, hostname, capacityType, arch, instanceType: typeKey } = labelKeys
const rack = 'example.com/rack'
// Each pod fills one of these, so that every pod is a launch and its zone shows.
const types = [instanceType('only', 2)]
const full = '1500m'
const threeZones = [
  instanceType('only', 2, { offerings: ['a', 'b', 'c'].map((name) => offering(name, 'on-demand', 2)) }),
]
const nodeIn = (name: string, value: string, pods: ReadonlyArray<string> = [], key = zone) =>
  stateNode(
    name,
    { cpu: '0' },
    { labels: { [key]: value }, pods: pods.map((one) => runningOn(name, web(`${name}-${one}`, '0'))) },
  )

describe('spread constraints', () => {
  test('P-TSC-01: ScheduleAnyway binds like DoNotSchedule first, and under Ignore not at all', () => {
    const pods = copies(2, (name) => web(name, '500m', softSpread(zone)))
    expect(decide({ pods }).valuesOf(zone)).toEqual(['a', 'b'])
    expect(decide({ pods, settings: { preferencePolicy: 'Ignore' } }).launches).toEqual(['default: p0 p1'])
    const hard = copies(2, (name) => web(name, '500m', spread(zone)))
    expect(decide({ pods: hard, settings: { preferencePolicy: 'Ignore' } }).launches).toHaveLength(2)
  })

  test('P-TSC-02: count plus the pod itself, less the minimum, may not exceed maxSkew; a pod that is not counted adds nothing', () => {
    // Zone a has a node but nothing can be launched there, so that it holds the minimum at zero.
    const nodePools = [nodePool('default', { requirements: [isIn(zone, 'b')] })]
    const nodes = [nodeIn('n0', 'a'), nodeIn('n1', 'b', ['x'])]
    expect(decide({ nodes, nodePools, pods: [web('p', full, spread(zone))] }).rejections).toEqual([
      'p unplaced: TopologyUnsatisfied',
    ])
    expect(decide({ nodes, nodePools, pods: [pod('p', full, spread(zone))] }).rejections).toEqual([])
    expect(decide({ nodes, nodePools, pods: [web('p', full, spread(zone, { maxSkew: 2 }))] }).rejections).toEqual([])
  })

  test('domains out of reach do not hold the minimum, but for the reference (W21)', () => {
    const nodePools = [
      nodePool('here', { labels: { team: 'here' }, requirements: [isIn(zone, 'a')] }),
      nodePool('there', { labels: { team: 'there' }, requirements: [isIn(zone, 'b')] }),
    ]
    const labels = { team: 'here', [labelKeys.nodePool]: 'here', [zone]: 'a' }
    const nodes = [stateNode('n0', { cpu: '0' }, { labels, pods: [runningOn('n0', web('x', '0'))] })]
    for (const key of ['team', labelKeys.nodePool]) {
      const scene = { nodes, nodePools, pods: [web('p', full, spread(zone), requiring([isIn(key, 'here')]))] }
      expect(decide(scene, { strategy: 'reference' }).launches).toEqual([])
      expect(decide(scene, { strategy: 'first-fit' }).valuesOf(zone)).toEqual(['a'])
    }
    // Who could use both keeps to both, and pods that differ in what they may use do not share a minimum.
    const free = decide({ nodes, nodePools, pods: [web('p', full, spread(zone))] })
    expect(free.valuesOf(zone)).toEqual(['b'])
    const pods = [
      web('p0', full, spread(zone), requiring([isIn('team', 'there', 'here')])),
      web('p1', full, spread(zone), requiring([isIn('team', 'here')])),
    ]
    expect(decide({ nodes, nodePools, pods }, { strategy: 'first-fit' }).valuesOf(zone)).toEqual(['b', 'a'])
  })

  test('a spread over hosts is over those that are there, where none can be bought for the pod', () => {
    const labels = { team: 'own' }
    const taken = (name: string, ...pods: ReadonlyArray<string>) =>
      stateNode(name, { cpu: '4' }, { labels, pods: pods.map((one) => runningOn(name, web(one, '100m'))) })
    const own = (name: string) => web(name, '100m', spread(hostname), requiring([isIn('team', 'own')]))
    const scene = { nodes: [taken('n0', 'x'), taken('n1', 'y')], pods: [own('p0'), own('p1'), own('p2')] }
    expect(decide(scene, { strategy: 'reference' }).placements).toEqual([])
    const { placements } = decide(scene, { strategy: 'first-fit' })
    expect(placements).toEqual(['n0: p0 p2', 'n1: p1'])
    const withPool = { ...scene, nodePools: [nodePool('default', { labels })] }
    expect(decide(withPool).placements).toEqual([])
  })

  test('P-TSC-03: the minimum is taken over the zones that the pod itself allows', () => {
    const nodes = [nodeIn('n0', 'a'), nodeIn('n1', 'b', ['x'])]
    const pods = [web('p', full, spread(zone), requiring([isIn(zone, 'b')]))]
    expect(decide({ nodes, pods }).valuesOf(zone)).toEqual(['b'])
  })

  test('P-TSC-04: the emptiest zone is demanded alone, though others are within the skew', () => {
    const nodes = [nodeIn('n0', 'a', ['x'])]
    const pods = [web('p', full, spread(zone, { maxSkew: 5 }))]
    expect(decide({ nodes, pods, types: threeZones }).valuesOf(zone)).toEqual(['b'])
  })

  test('P-TSC-05: on one host only its own pods count, however empty others are', () => {
    const nodes = [stateNode('n', { cpu: '8' }, { pods: [runningOn('n', web('x'))] }), stateNode('empty', { cpu: '0' })]
    const placed = (maxSkew: number) =>
      decide({ nodes, pods: [web('p', '1', spread(hostname, { maxSkew }))] }).placements
    expect(placed(2)).toEqual(['n: p'])
    expect(placed(1)).toEqual([])
  })

  test('P-TSC-06: pods on nodes that the pod cannot select are not counted, unless the policy is Ignore', () => {
    const gold = stateNode('gold', { cpu: '0' }, { labels: { [zone]: 'a', tier: 'gold' } })
    const nodes = [{ ...gold, pods: [runningOn('gold', web('x', '0'))] }, nodeIn('tin', 'b', ['y', 'z'])]
    const nodePools = [nodePool('default', { labels: { tier: 'gold' } })]
    const chosen = (rest: object) =>
      decide({
        nodes,
        nodePools,
        pods: [web('p', full, spread(zone, rest), { nodeSelector: { tier: 'gold' } })],
      }).valuesOf(zone)
    expect(chosen({})).toEqual(['b'])
    expect(chosen({ nodeAffinityPolicy: 'Ignore' })).toEqual(['a'])
  })

  test('P-TSC-06: any of the required alternatives makes a node count', () => {
    const nodes = [
      stateNode('x', { cpu: '0' }, { labels: { [zone]: 'a', tier: 'tin' }, pods: [runningOn('x', web('r', '0'))] }),
    ]
    const nodePools = [nodePool('default', { labels: { tier: 'gold' } })]
    const either = requiring([isIn('tier', 'gold')], [isIn('tier', 'tin')])
    expect(decide({ nodes, nodePools, pods: [web('p', full, spread(zone), either)] }).valuesOf(zone)).toEqual(['b'])
    const one = requiring([isIn('tier', 'gold')])
    expect(decide({ nodes, nodePools, pods: [web('p', full, spread(zone), one)] }).valuesOf(zone)).toEqual(['a'])
  })

  test('P-TSC-06: tainted nodes count, unless taints are honoured and not tolerated', () => {
    const taints = [{ key: 'team', value: 'x', effect: 'NoSchedule' as const }]
    const plain = nodeIn('n', 'a', ['x'])
    const nodes = [{ ...plain, node: { ...plain.node!, taints } }]
    const chosen = (...constraints: Parameters<typeof web>[2][]) =>
      decide({ nodes, types, pods: [web('p', full, ...constraints)] }).valuesOf(zone)
    expect(chosen(spread(zone))).toEqual(['b'])
    expect(chosen(spread(zone, { nodeTaintsPolicy: 'Honor' }))).toEqual(['a'])
    expect(chosen(spread(zone, { nodeTaintsPolicy: 'Honor' }), { tolerations: [{ operator: 'Exists' }] })).toEqual([
      'b',
    ])
  })

  test('P-TSC-07: a launch counts only once its labels are known, well-known ones too', () => {
    // The selector of p asks for a windows build; the claim of its first pod gets that label, that of `other` lacks it.
    const pods = copies(2, (name) => web(name, full, spread(zone), { nodeSelector: { [labelKeys.windowsBuild]: '1' } }))
    const other = web('other', '1600m', inZone('a'))
    expect(decide({ types, pods: [other, ...pods] }).valuesOf(zone)).toEqual(['a', 'a', 'b'])
  })

  test('P-TSC-08: matchLabelKeys count only pods with the pod’s own values; keys it lacks are passed over', () => {
    const revision = (name: string, value: string) => ({ ...web(name, full), labels: { app: 'web', revision: value } })
    const nodes = [{ ...nodeIn('n', 'a'), pods: [runningOn('n', { ...revision('old', '1'), requests: {} })] }]
    const rule = spread(zone, { matchLabelKeys: ['revision', 'missing'] })
    const chosen = (value: string) => {
      const one = revision('p', value)
      return decide({ nodes, types, pods: [{ ...one, constraints: { ...one.constraints, ...rule } }] }).valuesOf(zone)
    }
    expect(chosen('1')).toEqual(['b'])
    expect(chosen('2')).toEqual(['a'])
  })

  test('P-TSC-08: a value that the API server has merged into the selector already makes no second group', () => {
    const merged = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'r', operator: 'In', values: ['1'] }] }
    const rules = [
      spread(zone, { matchLabelKeys: ['r'] }),
      spread(zone, { matchLabelKeys: ['r'], labelSelector: merged }),
    ]
    const pods = copies(4, (name, index) => ({ ...web(name, full, rules[index % 2]!), labels: { app: 'web', r: '1' } }))
    expect(decide({ pods, types }).valuesOf(zone)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('P-TSC-09: pods of other namespaces are not counted', () => {
    const elsewhere = { ...runningOn('n', web('x', '0')), namespace: 'other' }
    const nodes = [{ ...nodeIn('n', 'a'), pods: [elsewhere] }]
    expect(decide({ nodes, pods: [web('p', full, spread(zone))] }).valuesOf(zone)).toEqual(['a'])
  })

  test.each([
    [zone, ['a', 'b']],
    [capacityType, ['on-demand', 'spot']],
    [arch, ['amd64', 'arm64']],
    [typeKey, ['x86', 'arm']],
    [rack, ['r1', 'r2']],
  ])('P-TSC-10: pods spread by %s over %j', (key, domains) => {
    const offerings = ['spot', 'on-demand'].flatMap((kind) => ['a', 'b'].map((name) => offering(name, kind, 1)))
    const x86 = instanceType('x86', 2, { offerings })
    const arm = instanceType('arm', 2, { offerings })
    const isArm = (one: typeof arm) => ({
      ...one,
      requirements: {
        byKey: new Map([
          ...one.requirements.byKey,
          [arch, { ...one.requirements.byKey.get(arch)!, values: new Set(['arm64']) }],
        ]),
      },
    })
    const nodePools = [nodePool('default', { requirements: [isIn(rack, 'r1', 'r2')] })]
    const pods = copies(4, (name) => web(name, full, spread(key)))
    const values = decide({ pods, nodePools, types: [x86, isArm(arm)] }).valuesOf(key)
    expect([...values].sort()).toEqual([...domains, ...domains].sort())
  })

  test('P-TSC-10: the pod’s own zones are all that it is spread over', () => {
    const pods = copies(4, (name) => web(name, full, spread(zone), requiring([isIn(zone, 'b', 'c')])))
    expect(decide({ pods, types: threeZones }).valuesOf(zone)).toEqual(['b', 'c', 'b', 'c'])
  })

  test('P-TSC-11: where one zone alone can be launched, pods pile up there as far as the skew over the others allows', () => {
    const nodePools = [nodePool('default', { requirements: [isIn(zone, 'b')] })]
    const nodes = [nodeIn('n0', 'a', ['x'])]
    const pods = copies(6, (name) => web(name, full, spread(zone, { maxSkew: 2 })))
    const decision = decide({ nodes, nodePools, types, pods })
    expect(decision.launches).toHaveLength(3)
    expect(decision.rejections).toHaveLength(3)
  })

  test('P-TSC-11: where the skew is exceeded already, the emptiest zones alone are viable', () => {
    const nodes = [nodeIn('n0', 'a', ['v', 'w', 'x', 'y']), nodeIn('n1', 'b', ['z'])]
    const pods = copies(5, (name) => web(name, full, spread(zone)))
    expect(decide({ nodes, types, pods }).valuesOf(zone)).toEqual(['b', 'b', 'b', 'a', 'b'])
  })

  test('P-TSC-03: with fewer zones than minDomains the minimum is zero, however full all of them are', () => {
    const nodes = [nodeIn('n0', 'a', ['x']), nodeIn('n1', 'b', ['y'])]
    const placed = (minDomains: number) =>
      decide({ nodes, types, pods: [web('p', full, spread(zone, { minDomains }))] }).launches.length
    expect([placed(2), placed(3)]).toEqual([1, 0])
  })

  test('P-TSC-03: minDomains that are there change nothing', () => {
    const pods = copies(4, (name) => web(name, full, spread(zone, { minDomains: 2 })))
    expect(decide({ pods, types }).valuesOf(zone)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('P-TOP-08: a preference for a zone does not limit what the skew is reckoned over', () => {
    // Under the preference for b alone the pod would find itself two above a and stay out.
    const nodes = [nodeIn('n0', 'a'), nodeIn('n1', 'b', ['x'])]
    const pods = [web('p', full, spread(zone), preferring([1, isIn(zone, 'b')]))]
    const decision = decide({ nodes, pods })
    expect(decision.valuesOf(zone)).toEqual(['a'])
    expect(decision.plan.stats.relaxedPods).toEqual(['default/p'])
  })

  test('two constraints of one pod hold together', () => {
    const both = { topologySpread: [spreadRule(zone), spreadRule(capacityType)] }
    const offerings = ['spot', 'on-demand'].flatMap((kind) => ['a', 'b'].map((name) => offering(name, kind, 1)))
    const decision = decide({
      pods: copies(4, (name) => web(name, full, both)),
      types: [instanceType('only', 2, { offerings })],
    })
    expect([...decision.valuesOf(zone)].sort()).toEqual(['a', 'a', 'b', 'b'])
    expect([...decision.valuesOf(capacityType)].sort()).toEqual(['on-demand', 'on-demand', 'spot', 'spot'])
  })

  test('spread and anti-affinity of one pod hold together', () => {
    const pods = copies(3, (name) => web(name, '100m', spread(zone), apart(hostname)))
    expect(decide({ pods, types: threeZones }).valuesOf(zone)).toEqual(['a', 'b', 'c'])
  })
})
