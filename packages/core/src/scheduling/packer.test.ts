import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements, type RequirementSpec } from '../requirements/index.ts'
import {
  apart,
  copies,
  daemonSet,
  decide,
  inZone,
  instanceType,
  isIn,
  near,
  nodePool,
  offering,
  pendingPod,
  pod,
  preferring,
  preferringApart,
  preferringNear,
  requiring,
  selecting,
  softSpread,
  spread,
  stateNode,
  usingPort,
  web,
} from '../testing/index.ts'

const { zone, hostname, arch } = labelKeys
const tier = 'example.com/tier'
const taint = { key: 'team', value: 'x', effect: 'NoSchedule' as const }
const soft = { key: 'team', value: 'x', effect: 'PreferNoSchedule' as const }
const only = [instanceType('only', 2)]
const sizes = [instanceType('small', 2), instanceType('large', 8)]
const full = '1500m'

describe('the queue', () => {
  test('P-ELG-02: priority does not move a pod ahead of a larger one', () => {
    const urgent = { ...pod('urgent', '1'), priority: 1_000_000 }
    const nodes = [stateNode('n', { cpu: '2' })]
    expect(decide({ nodes, types: only, pods: [urgent, pod('large', full)] }).placements).toEqual(['n: large'])
  })

  test('P-QUE-03: a pod that failed is tried again as it was, its preferences included', () => {
    // Large goes first and alone must give up its wish to be near web; when web is there the wish is met after all.
    const wishing = pod(
      'large',
      full,
      preferringNear(zone),
      near(hostname, { labelSelector: { matchLabels: { app: 'seed' } } }),
    )
    const seed = { ...web('seed', '100m', inZone('b')), labels: { app: 'seed' } }
    const friend = web('friend', '50m', inZone('b'))
    const decision = decide({ types: only, pods: [wishing, seed, friend] })
    expect(decision.rejections).toEqual([])
    expect(decision.launches).toEqual(['default: seed friend large'])
  })

  test('P-QUE-03: what a pod gave up in a failed attempt binds again in the next: its groups count as before', () => {
    const follower = web(
      'p0',
      full,
      softSpread(zone),
      near(hostname, { labelSelector: { matchLabels: { app: 'late' } } }),
    )
    const late = { ...pod('late', '100m', inZone('b')), labels: { app: 'late' } }
    expect(decide({ types: only, pods: [follower, late] }).launches).toEqual(['default: late p0'])
  })

  test('P-QUE-02: pods are tried until a whole round places none, and then no more', () => {
    const hopeless = copies(3, (name) => pod(name, '1', near(zone)))
    const decision = decide({ pods: [...hopeless, pod('fine', '100m')] })
    expect(decision.rejections).toHaveLength(3)
    // Three fail, one is placed, the three fail again.
    expect(decision.plan.stats.attempts).toBe(7)
  })

  test('P-QUE-05: no prices are compared: a pod joins a node even where that leaves only a dear type', () => {
    const types = [
      instanceType('small', 2, { offerings: [offering('a', 'on-demand', 1)] }),
      instanceType('large', 8, { offerings: [offering('a', 'on-demand', 100)] }),
    ]
    const decision = decide({ types, pods: [pod('p0', full), pod('p1', full)] }, { strategy: 'reference' })
    expect(decision.launches).toEqual(['default: p0 p1'])
    expect(decision.types).toEqual(['large'])
  })

  test('P-QUE-06: without any type pods still go where there is room, and the others hear which NodePools are barren', () => {
    const nodePools = [nodePool('default', { requirements: [isIn(arch, 'riscv')] })]
    const decision = decide({ nodePools, nodes: [stateNode('n', { cpu: '1' })], pods: copies(2, (name) => pod(name)) })
    expect(decision.placements).toEqual(['n: p0'])
    expect(decision.plan.rejections[0]?.reasons).toEqual([{ _tag: 'NoInstanceTypes', nodePools: ['default'] }])
  })

  test('P-QUE-09: the first candidate in order wins, however many would do', () => {
    const nodes = ['c', 'a', 'b'].map((name) => stateNode(name, { cpu: '2' }))
    expect(decide({ nodes, pods: [pod('p')] }).placements).toEqual(['a: p'])
    const nodePools = ['a', 'c', 'b'].map((name) => nodePool(name))
    expect(decide({ nodePools, pods: [pod('p')] }).launches).toEqual(['c: p'])
  })

  test('P-QUE-10: a plan holds what to launch, where the others go, and an error for each that has no place', () => {
    const pods = [pod('huge', '99'), pod('there', '2'), pod('new', full)]
    const { plan } = decide({ nodes: [stateNode('n', { cpu: '2' })], types: only, pods })
    expect(plan.launches.map((launch) => launch.pods.map(({ name }) => name))).toEqual([['new']])
    expect(plan.placements.map(({ node, pods: placed }) => [node, placed.map(({ name }) => name)])).toEqual([
      ['n', ['there']],
    ])
    expect(plan.rejections.map(({ pod: { name }, verdict }) => [name, verdict])).toEqual([['huge', 'unplaced']])
  })
})

describe('nodes opened in the pass', () => {
  test('P-INF-01: each has a hostname of its own for topology, and no claim mentions it', () => {
    const decision = decide({ pods: copies(3, (name) => web(name, '100m', apart(hostname))) })
    expect(decision.launches).toHaveLength(3)
    expect(decision.demanded(hostname)).toEqual(['', '', ''])
  })

  test('P-INF-01: it is all its types and zones at once, until pods rule some out', () => {
    const open = decide({ types: sizes, pods: [pod('p', '1')] })
    expect([open.types, open.demanded(zone)]).toEqual([['small large'], ['']])
    const narrowed = decide({ types: sizes, pods: [pod('p', '1'), pod('q', '900m', inZone('b')), pod('r', '800m')] })
    expect([narrowed.types, narrowed.valuesOf(zone)]).toEqual([['large'], ['b']])
  })

  test.each([
    ['taints', nodePool('default', { taints: [taint] }), pod('p'), 'UntoleratedTaints'],
    [
      'requirements',
      nodePool('default', { labels: { [tier]: 'tin' } }),
      pod('p', '1', selecting({ [tier]: 'gold' })),
      'Incompatible',
    ],
    ['topology', nodePool('default'), pod('p', '99', near(zone)), 'TopologyUnsatisfied'],
    ['types', nodePool('default'), pod('p', '99'), 'NoInstanceTypeFits'],
  ])('P-INF-03: the first check that fails is the reason: %s', (_, pool, one, expected) => {
    expect(decide({ nodePools: [pool], pods: [one] }).rejections).toEqual([`p unplaced: ${expected}`])
  })

  test('P-INF-03: taints come before requirements, requirements before topology, topology before types', () => {
    const both = nodePool('default', { taints: [taint], labels: { [tier]: 'tin' } })
    const all = pod('p', '99', selecting({ [tier]: 'gold' }), near(zone))
    expect(decide({ nodePools: [both], pods: [all] }).rejections).toEqual(['p unplaced: UntoleratedTaints'])
    const labelled = nodePool('default', { labels: { [tier]: 'tin' } })
    expect(decide({ nodePools: [labelled], pods: [all] }).rejections).toEqual(['p unplaced: Incompatible'])
    expect(decide({ pods: [pod('p', '99', near(zone))] }).rejections).toEqual(['p unplaced: TopologyUnsatisfied'])
  })

  test('P-INF-03: a well-known label may still come, a custom one must be promised', () => {
    expect(decide({ pods: [pod('p', '1', inZone('a'))] }).launches).toHaveLength(1)
    expect(decide({ pods: [pod('p', '1', selecting({ [tier]: 'gold' }))] }).rejections).toEqual([
      'p unplaced: Incompatible',
    ])
  })

  test('P-INF-04: NodePools are asked in order, the first that accepts wins, and a pod without a place hears of each', () => {
    const nodePools = [
      nodePool('a', { weight: 9, taints: [taint] }),
      nodePool('b', { weight: 5, labels: { [tier]: 'tin' } }),
      nodePool('c', { weight: 1 }),
    ]
    const picky = (cpu: string) => pod('p', cpu, requiring([{ key: tier, operator: 'DoesNotExist' }]))
    expect(decide({ nodePools, pods: [picky('1')] }).launches).toEqual(['c: p'])
    expect(decide({ nodePools, pods: [picky('99')] }).rejections).toEqual([
      'p unplaced: UntoleratedTaints,Incompatible,NoInstanceTypeFits',
    ])
  })

  test('P-INF-05: limits matter when a node is opened; what it is then stays open to it', () => {
    const nodePools = [nodePool('default', { limits: { cpu: '8' } as never })]
    // The first pod takes the whole limit; the second still finds the large type open on the same node.
    const decision = decide({ types: sizes, nodePools, pods: [pod('p0', full), pod('p1', full)] })
    expect([decision.launches, decision.types]).toEqual([['default: p0 p1'], ['large']])
  })

  test('P-INF-06: a pod that joins leaves its demands, requests and ports behind', () => {
    const pods = [pod('p0', '1', usingPort(80)), pod('p1', '900m', inZone('b')), pod('p2', '800m', usingPort(80))]
    const decision = decide({ types: sizes, pods })
    expect(decision.launches).toEqual(['default: p0 p1', 'default: p2'])
    expect(decision.valuesOf(zone)[0]).toBe('b')
    expect(decision.plan.launches[0]?.requests).toMatchObject({ cpu: '1900m', pods: '2' })
  })
})

describe('relaxation', () => {
  test('P-RQS-09: of what a pod asks, selector, first alternative and heaviest wish are looked at, and hold together', () => {
    const wishes = preferring([1, isIn(zone, 'a')], [5, isIn(arch, 'amd64')])
    const asking = pod(
      'p',
      full,
      inZone('b'),
      requiring([isIn(labelKeys.capacityType, 'on-demand')], [isIn(zone, 'a')]),
      wishes,
    )
    const decision = decide({ types: only, pods: [asking] })
    expect([decision.valuesOf(zone), decision.demanded(arch)]).toEqual([['b'], [`${arch} In [amd64]`]])
    expect(decision.plan.stats.relaxedPods).toEqual([])
  })

  test('P-RQS-10: under Ignore wishes ask for nothing', () => {
    const pods = [pod('p', full, preferring([1, isIn(zone, 'b')]))]
    expect(decide({ types: only, pods }).demanded(zone)).toEqual([`${zone} In [b]`])
    expect(decide({ types: only, pods, settings: { preferencePolicy: 'Ignore' } }).demanded(zone)).toEqual([''])
  })

  test('P-RQS-11: the heaviest wish is found wherever it stands; of equals the first', () => {
    const chosen = (...wishes: ReadonlyArray<readonly [weight: number, spec: RequirementSpec]>) =>
      decide({ types: only, pods: [pod('p', full, preferring(...wishes))] }).valuesOf(zone)
    expect(chosen([1, isIn(zone, 'a')], [9, isIn(zone, 'b')])).toEqual(['b'])
    expect(chosen([5, isIn(zone, 'b')], [5, isIn(zone, 'a')])).toEqual(['b'])
  })

  test('P-PRF-06: after each step everything is tried again: a node that exists, then open ones, then a new one', () => {
    const nodes = [stateNode('n', { cpu: '2' }, { labels: { [zone]: 'a' } })]
    const wishing = pod('p', full, preferring([2, isIn(zone, 'nowhere')], [1, isIn(zone, 'a')]))
    expect(decide({ nodes, types: only, pods: [wishing] }).placements).toEqual(['n: p'])
    const further = pod('p', full, preferring([2, isIn(zone, 'nowhere')], [1, isIn(zone, 'b')]))
    // The second wish opens a node in b, though without it the pod would have fit the one that exists.
    expect(decide({ nodes, types: only, pods: [further] }).valuesOf(zone)).toEqual(['b'])
  })

  test('P-PRF-01: required alternatives are used up before any preference is dropped', () => {
    const pods = [pod('p', full, requiring([isIn(zone, 'a')], [isIn(zone, 'b')]), preferring([1, isIn(zone, 'c')]))]
    expect(decide({ types: only, pods }).valuesOf(zone)).toEqual(['b'])
  })

  test('P-PRF-01: the reference never tries an early alternative without the preferences; we do in the end (W15)', () => {
    const pods = [
      pod('p', full, requiring([isIn(zone, 'a')], [isIn(zone, 'nowhere')]), preferring([1, isIn(zone, 'b')])),
    ]
    expect(decide({ types: only, pods }, { strategy: 'reference' }).launches).toEqual([])
    expect(decide({ types: only, pods }, { strategy: 'first-fit' }).valuesOf(zone)).toEqual(['a'])
  })

  test('a wish that contradicts what the pod requires is given up', () => {
    const wishing = pod(
      'p',
      full,
      requiring([{ key: tier, operator: 'DoesNotExist' }]),
      preferring([1, isIn(tier, 'gold')]),
    )
    expect(decide({ types: only, pods: [wishing] }).launches).toEqual(['default: p'])
  })

  test('P-PRF-02: the last required alternative stays', () => {
    const pods = [pod('p', full, requiring([isIn(zone, 'y')], [isIn(zone, 'z')]))]
    expect(decide({ types: only, pods }).rejections).toEqual(['p unplaced: NoInstanceTypeFits'])
  })

  test('P-PRF-03, P-SCH-05: PreferNoSchedule is tolerated last, and only where some NodePool has such a taint', () => {
    const tainted = nodePool('default', { taints: [soft] })
    const decision = decide({
      nodePools: [tainted],
      types: only,
      pods: [pod('p', full, preferring([1, isIn(zone, 'a')]))],
    })
    // The preference was dropped first, in vain; the toleration alone would have done.
    expect([decision.launches, decision.demanded(zone)]).toEqual([['default: p'], ['']])
    const nodes = [stateNode('n', { cpu: '4' })].map((state) => ({
      ...state,
      node: { ...state.node!, taints: [soft] },
    }))
    expect(decide({ nodes, types: [], pods: [pod('p')] }).placements).toEqual([])
    expect(decide({ nodes, nodePools: [tainted], types: [], pods: [pod('p')] }).placements).toEqual(['n: p'])
  })

  test('P-PRF-04: a pod that gave up a constraint is no longer bound by it, and is counted still', () => {
    const first = web('p0', '1600m', preferringApart(zone, { labelSelector: {} }), inZone('a'))
    const nodes = [stateNode('n', { cpu: '0' }, { labels: { [zone]: 'a' } })].map((state) => ({
      ...state,
      pods: [{ ...pendingPod('x', {}), nodeName: 'n', phase: 'Running' as const, isUnschedulable: false }],
    }))
    const decision = decide({ nodes, types: only, pods: [first, web('p1', full, spread(zone))] })
    expect(decision.valuesOf(zone)).toEqual(['a', 'b'])
    expect(decision.plan.stats.relaxedPods).toEqual(['default/p0'])
  })

  test('P-SCH-08: pods of one shape share what is computed for them, and each is relaxed by itself', () => {
    const make = (name: string) => web(name, '100m', preferringApart(hostname))
    const decision = decide({ nodes: [stateNode('n', { cpu: '1' })], types: [], pods: copies(3, make) })
    expect(decision.placements).toEqual(['n: p0 p1 p2'])
    expect(decision.plan.stats).toMatchObject({ classes: 1, relaxedPods: ['default/p1', 'default/p2'] })
  })
})

describe('NodePools', () => {
  test('P-SCH-03: claims of one NodePool share its annotations, hash included', () => {
    const nodePools = [nodePool('default', { annotations: { team: 'x' }, hash: '42' })]
    const { plan } = decide({ nodePools, types: only, pods: copies(2, (name) => pod(name, full)) })
    for (const { annotations } of plan.launches) {
      expect(annotations).toMatchObject({
        team: 'x',
        'karpenter.sh/nodepool-hash': '42',
        'karpenter.sh/nodepool-hash-version': 'v3',
      })
    }
  })

  test('P-SCH-04: types that the NodePool’s own demands exclude are not considered; a NodePool without any is barren', () => {
    const priced = instanceType('priced', 2, { offerings: [offering('a', 'spot', 1)] })
    const gone = instanceType('gone', 2, {
      offerings: [offering('a', 'on-demand', 1, { unavailable: { reason: 'SoldOut' } })],
    })
    const nodePools = [nodePool('default', { requirements: [isIn(labelKeys.capacityType, 'on-demand')] })]
    const considered = decide({ nodePools, types: [...sizes, priced, gone], pods: [pod('p', '99')] })
    expect(considered.plan.rejections[0]?.reasons[0]).toMatchObject({ considered: 2 })
    const barren = decide({ nodePools, types: [priced, gone], pods: [pod('p')] })
    expect(barren.plan.rejections[0]?.reasons).toEqual([{ _tag: 'NoInstanceTypes', nodePools: ['default'] }])
    expect(barren.plan.barrenNodePools).toEqual(['default'])
  })

  test('P-SCH-07: pods of deleting nodes are placed like the others, beside pods that wait', () => {
    const moved = { ...pod('moved', '2'), nodeName: 'going', phase: 'Running' as const, isUnschedulable: false }
    const going = { ...stateNode('going', { cpu: '4' }), isMarkedForDeletion: true, pods: [moved] }
    const decision = decide({ nodes: [going, stateNode('n', { cpu: '3' })], pods: [pod('p', '1')] })
    expect(decision.placements).toEqual(['n: moved p'])
  })
})

describe('instance types', () => {
  test('P-FLT-03: types whose daemons hold the pod’s port are passed over; where all are, that is the reason', () => {
    const onSmall = selecting({ [labelKeys.instanceType]: 'small' })
    const some = [daemonSet('agent', {}, { ...usingPort(80), ...onSmall })]
    expect(decide({ types: sizes, daemonSets: some, pods: [pod('p', '1', usingPort(80))] }).types).toEqual(['large'])
    const all = [daemonSet('agent', {}, usingPort(80))]
    expect(
      decide({ types: sizes, daemonSets: all, pods: [pod('p', '1', usingPort(80))] }).plan.rejections[0]?.reasons,
    ).toEqual([{ _tag: 'HostPortsTaken', nodePool: 'default', ports: [80] }])
  })

  test('P-FLT-04: the order of the types given does not matter: a launch has them by price, then name', () => {
    const types = ['c', 'a', 'b'].map((name) =>
      instanceType(name, 2, { offerings: [offering('a', 'spot', name === 'b' ? 1 : 2)] }),
    )
    expect(decide({ types, pods: [pod('p')] }).types).toEqual(['b a c'])
    expect(decide({ types: [...types].reverse(), pods: [pod('p')] }).types).toEqual(['b a c'])
  })

  test.each([
    [
      'requirements',
      pod('p', '1', selecting({ [arch]: 'arm64' })),
      { meetRequirements: 0, haveRoom: 2, haveOffering: 2 },
    ],
    ['room', pod('p', '99'), { meetRequirements: 2, haveRoom: 0, haveOffering: 2 }],
    ['offerings', pod('p', '1', selecting({ [zone]: 'z' })), { haveRoom: 2, haveOffering: 0 }],
    [
      'one type lacks room, the other the zone',
      pod('p', '3', inZone('c')),
      { considered: 2, haveRoom: 1, haveOffering: 1 },
    ],
  ])('P-FLT-05: the reason counts what each test by itself leaves: %s', (_, one, expected) => {
    const types = [
      instanceType('small', 2, { offerings: [offering('c', 'spot', 1), offering('a', 'spot', 1)] }),
      instanceType('large', 8),
    ]
    const [rejection] = decide({ types: one.constraints.nodeSelector[zone] === 'c' ? types : sizes, pods: [one] }).plan
      .rejections
    expect(rejection?.reasons[0]).toMatchObject({ _tag: 'NoInstanceTypeFits', ...expected })
  })

  test('P-FLT-06: the reason carries what was asked: the requirements, and the requests with the least of the daemons', () => {
    const daemonSets = [daemonSet('agent', { cpu: '1' })]
    const [rejection] = decide({ daemonSets, pods: [pod('p', '99', inZone('a'))] }).plan.rejections
    const reason = rejection?.reasons[0]
    expect(reason?._tag === 'NoInstanceTypeFits' && reason.requests).toMatchObject({ cpu: '100', pods: '2' })
    expect(
      reason?._tag === 'NoInstanceTypeFits' && Requirement.render(Requirements.get(reason.requirements, zone)),
    ).toBe(`${zone} In [a]`)
  })

  test('P-FLT-07: a topology reason names the constraint, its key and how many pods each domain has', () => {
    const [rejection] = decide({ pods: [pod('p', '1', near(zone))] }).plan.rejections
    expect(rejection?.reasons[0]).toEqual({
      _tag: 'TopologyUnsatisfied',
      nodePool: 'default',
      kind: 'affinity',
      topologyKey: zone,
      domains: ['a', 'b'].map((domain) => ({ domain, pods: 0 })),
    })
  })
})
