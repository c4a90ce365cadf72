import { describe, expect, test } from '@jest/globals'

import type { ClaimState, StateNode } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import {
  copies,
  daemonPod,
  daemonSet,
  decide,
  inZone,
  instanceType,
  near,
  pendingPod,
  pod,
  requiring,
  runningOn,
  selecting,
  spread,
  stateNode,
  usingClaims,
  usingPort,
  web,
} from '../testing/index.ts'

const { zone, hostname } = labelKeys
const tier = 'example.com/tier'
const taint = { key: 'team', value: 'x', effect: 'NoSchedule' as const }
const startup = { key: 'starting', value: '', effect: 'NoSchedule' as const }

const claimOf = (rest: Partial<ClaimState> = {}): ClaimState => ({
  name: 'claim',
  uid: 'claim',
  generation: 1,
  resourceVersion: '1',
  finalizers: [],
  labels: {},
  annotations: {},
  nodeClass: { group: 'test.example.com', kind: 'TestNodeClass', name: 'default' },
  requirements: [],
  requests: {},
  taints: [],
  startupTaints: [],
  capacity: Resources.parse({ cpu: '4', pods: '110' }),
  allocatable: Resources.parse({ cpu: '4', pods: '110' }),
  createdAtMs: 0,
  conditions: [],
  ...rest,
})

/** A managed node that has registered but not finished starting. */
const starting = (name: string, resources: Record<string, string>, rest: Partial<StateNode> = {}): StateNode => ({
  ...stateNode(name, resources, { labels: { [labelKeys.initialized]: 'false' } }),
  isManaged: true,
  claim: claimOf(),
  ...rest,
})
const taintedWith = (state: StateNode, ...taints: ReadonlyArray<typeof taint>): StateNode => ({
  ...state,
  node: { ...state.node!, taints },
})

describe('order', () => {
  test('P-EXN-01: a node that has started goes before one that has not; unmanaged nodes count as started', () => {
    const nodes = [starting('a', { cpu: '4' }), stateNode('b', { cpu: '4' })]
    expect(decide({ nodes, pods: [pod('p')] }).placements).toEqual(['b: p'])
  })

  test('P-EXN-01: how full a node is does not matter', () => {
    const nodes = [stateNode('a', { cpu: '64' }), stateNode('b', { cpu: '1' })]
    expect(decide({ nodes, pods: [pod('p')] }).placements).toEqual(['a: p'])
  })

  test('P-EXN-02: claims that have no Node yet take pods, and so do nodes of others', () => {
    const { node: _, ...rest } = starting('coming', { cpu: '4' })
    expect(decide({ nodes: [rest], pods: [pod('p')] }).placements).toEqual(['coming: p'])
    expect(decide({ nodes: [stateNode('theirs', { cpu: '4' })], pods: [pod('p')] }).placements).toEqual(['theirs: p'])
    const going = { ...stateNode('going', { cpu: '4' }), isMarkedForDeletion: true }
    expect(decide({ nodes: [going], pods: [pod('p')] }).placements).toEqual([])
  })
})

describe('what a node must have for a pod', () => {
  const roomy = stateNode('n', { cpu: '4' }, { labels: { [zone]: 'a' } })
  const fits = (state: StateNode, one: ReturnType<typeof pod>) =>
    decide({ nodes: [state], pods: [one] }).placements.length === 1
  const withPort = { ...roomy, pods: [runningOn('n', pod('x', '1', usingPort(80)))] }

  test.each([
    ['every taint must be tolerated', taintedWith(roomy, taint), pod('p')],
    ['host ports must be free', withPort, pod('p', '1', usingPort(80))],
    ['there must be room', roomy, pod('p', '5')],
    ['the selector must be met', roomy, pod('p', '1', inZone('b'))],
    ['topology must allow it', roomy, pod('p', '1', near(zone))],
    [
      'a label that it lacks is not assumed, well-known or not',
      roomy,
      pod('p', '1', selecting({ [labelKeys.arch]: 'amd64' })),
    ],
    ['Exists wants the label there', roomy, pod('p', '1', requiring([{ key: tier, operator: 'Exists' }]))],
  ])('P-EXN-03, P-EXN-04: %s', (_, state, one) => {
    expect(fits(state, one)).toBe(false)
    expect(fits(roomy, pod('p', '1', inZone('a')))).toBe(true)
  })

  test('P-EXN-04: NotIn and DoesNotExist are content with a label that is not there', () => {
    expect(fits(roomy, pod('p', '1', requiring([{ key: tier, operator: 'DoesNotExist' }])))).toBe(true)
    expect(fits(roomy, pod('p', '1', requiring([{ key: tier, operator: 'NotIn', values: ['gold'] }])))).toBe(true)
  })

  test('P-EXN-04: a pod that a node lacks a label for gets a new node, where a NodePool may bring the label', () => {
    const decision = decide({ nodes: [stateNode('bare', { cpu: '4' })], pods: [pod('p', '1', inZone('a'))] })
    expect(decision.placements).toEqual([])
    expect(decision.launches).toEqual(['default: p'])
  })

  test('P-EXN-04: without a hostname label the node’s name is its hostname', () => {
    const { [hostname]: _, ...labels } = roomy.node!.labels
    const nameless = { ...roomy, node: { ...roomy.node!, labels } }
    const moved = runningOn('going', pod('p', '1', selecting({ [hostname]: 'n' })))
    const going = { ...stateNode('going', { cpu: '1' }), isMarkedForDeletion: true, pods: [moved] }
    // Pods of deleting nodes are not checked, so that they may name a host (P-ELG-08).
    expect(decide({ nodes: [nameless, going] }).placements).toEqual(['n: p'])
  })

  test('P-EXN-05: requests of running pods count, those of finished ones do not', () => {
    const bound = runningOn('n', pod('x', '3500m'))
    expect(fits({ ...roomy, pods: [bound] }, pod('p'))).toBe(false)
    expect(fits({ ...roomy, pods: [{ ...bound, phase: 'Succeeded' }] }, pod('p'))).toBe(true)
  })

  test('P-EXN-05: pods of the same pass share the room', () => {
    expect(decide({ nodes: [roomy], pods: copies(3, (name) => pod(name, '1500m')) }).placements).toEqual(['n: p0 p1'])
  })

  test('P-RES-02: nothing fits a node that owes any resource; what a node does not name it has none of', () => {
    const owing = stateNode('n', { cpu: '4', memory: '1Gi' })
    const bound = runningOn('n', pendingPod('x', { memory: '2Gi' }))
    expect(fits({ ...owing, pods: [bound] }, pod('p'))).toBe(false)
    expect(fits(roomy, pendingPod('p', { 'example.com/gpu': '1' }))).toBe(false)
    expect(fits(roomy, pendingPod('p', { 'example.com/gpu': '0' }))).toBe(true)
  })

  test('P-EXN-07: a pod’s demands narrow the node for those after it', () => {
    const avoiding = (value: string) => requiring([{ key: tier, operator: 'NotIn', values: [value] }])
    const pods = [pod('p0', '2', avoiding('gold')), pod('p1', '1', avoiding('tin'))]
    expect(decide({ nodes: [roomy], pods }).placements).toEqual(['n: p0 p1'])
  })

  test('P-EXN-07: the reference takes a label for granted once a pod has said which value it must not have', () => {
    const avoiding = requiring([{ key: tier, operator: 'NotIn', values: ['gold'] }])
    const pods = [pod('p0', '2', avoiding), pod('p1', '1', selecting({ [tier]: 'tin' }))]
    expect(decide({ nodes: [roomy], pods }, { strategy: 'reference' }).placements).toEqual(['n: p0 p1'])
    // The node has no such label, so that the scheduler would never put p1 there.
    expect(decide({ nodes: [roomy], pods }, { strategy: 'first-fit' }).placements).toEqual(['n: p0'])
  })

  test('P-EXN-08: outside a simulation of consolidation, a node that was filled a moment ago takes running pods', () => {
    const moved = runningOn('going', pod('moved'))
    const going = { ...stateNode('going', { cpu: '1' }), isMarkedForDeletion: true, pods: [moved] }
    const fresh = { ...starting('fresh', { cpu: '4' }), claim: claimOf({ lastPodEventAtMs: 0 }) }
    expect(decide({ nodes: [fresh, going] }).placements).toEqual(['fresh: moved'])
  })
})

describe('nodes that are starting', () => {
  test('P-EXN-06: while a node starts, what it lacks or reports as zero is taken from its claim', () => {
    const allocatable = Resources.parse({ cpu: '4', pods: '110', 'example.com/gpu': '2' })
    const wants = [pendingPod('p', { 'example.com/gpu': '1' })]
    const bare = { claim: claimOf({ allocatable }) }
    expect(decide({ nodes: [starting('n', { cpu: '4' }, bare)], pods: wants }).placements).toEqual(['n: p'])
    const zero = starting('n', { cpu: '4', 'example.com/gpu': '0' }, bare)
    expect(decide({ nodes: [zero], pods: wants }).placements).toEqual(['n: p'])
    const started = { ...stateNode('n', { cpu: '4', 'example.com/gpu': '0' }), isManaged: true, ...bare }
    expect(decide({ nodes: [started], pods: wants }).placements).toEqual([])
  })

  test('P-TNT-03: taints that a starting node sheds by itself do not count until it has started', () => {
    const notReady = { key: 'node.kubernetes.io/not-ready', value: '', effect: 'NoSchedule' as const }
    const claim = claimOf({ startupTaints: [startup] })
    const pods = [pod('p')]
    const placed = (state: StateNode) => decide({ nodes: [state], pods }).placements
    expect(placed(taintedWith(starting('n', { cpu: '4' }, { claim }), notReady, startup))).toEqual(['n: p'])
    expect(placed(taintedWith(starting('n', { cpu: '4' }, { claim }), taint))).toEqual([])
    const started = { ...stateNode('n', { cpu: '4' }), isManaged: true, claim }
    expect(placed(taintedWith(started, startup))).toEqual([])
    expect(placed(taintedWith(stateNode('n', { cpu: '4' }), notReady))).toEqual([])
  })

  test('P-TNT-04, P-EXN-09: until it registers, a node’s claim speaks for its labels and taints', () => {
    const state = starting('n', { cpu: '4' }, { claim: claimOf({ labels: { [zone]: 'a' }, taints: [taint] }) })
    const unregistered = {
      ...state,
      node: { ...state.node!, labels: { [labelKeys.registered]: 'false', [zone]: 'b' } },
    }
    const tolerant = { tolerations: [{ operator: 'Exists' as const }] }
    expect(decide({ nodes: [unregistered], pods: [pod('p', '1', inZone('a'))] }).placements).toEqual([])
    expect(decide({ nodes: [unregistered], pods: [pod('p', '1', inZone('a'), tolerant)] }).placements).toEqual(['n: p'])
    expect(decide({ nodes: [state], pods: [pod('p', '1', inZone('a'), tolerant)] }).placements).toEqual([])
  })
})

describe('daemons on existing nodes', () => {
  test('P-DMN-08: what daemons that run there do not yet ask for stays free; what they ask too much frees nothing', () => {
    const agent = daemonSet('agent', { cpu: '2' })
    const running = (cpu: string) => [runningOn('n', daemonPod(pendingPod('agent-x', { cpu })))]
    const placed = (state: StateNode, cpu: string) =>
      decide({ nodes: [state], daemonSets: [agent], pods: [pod('p', cpu)], types: [] }).placements.length
    const node = stateNode('n', { cpu: '4' })
    expect([placed(node, '2'), placed(node, '2100m')]).toEqual([1, 0])
    // One that runs has its share already.
    expect([placed({ ...node, pods: running('2') }, '2'), placed({ ...node, pods: running('2') }, '2100m')]).toEqual([
      1, 0,
    ])
    expect([placed({ ...node, pods: running('3') }, '1'), placed({ ...node, pods: running('3') }, '1100m')]).toEqual([
      1, 0,
    ])
  })

  test('P-DMN-08: a daemon is expected where it tolerates the taints and its first alternative is met', () => {
    const gold = requiring([{ key: tier, operator: 'In', values: ['gold'] }], [{ key: zone, operator: 'Exists' }])
    const placed = (state: StateNode, constraints: Parameters<typeof daemonSet>[2], tolerations = {}) =>
      decide({
        nodes: [state],
        types: [],
        daemonSets: [daemonSet('agent', { cpu: '2' }, constraints)],
        pods: [pod('p', '4', tolerations)],
      }).placements.length
    const labelled = stateNode('n', { cpu: '4' }, { labels: { [tier]: 'gold' } })
    expect(placed(labelled, gold)).toBe(0)
    // Its second alternative would be met here; the first alone counts.
    expect(placed(stateNode('n', { cpu: '4' }, { labels: { [zone]: 'a' } }), gold)).toBe(1)
    const tolerant = { tolerations: [{ operator: 'Exists' as const }] }
    expect(placed(taintedWith(labelled, taint), {}, tolerant)).toBe(1)
    expect(placed(taintedWith(labelled, taint), tolerant, tolerant)).toBe(0)
  })
})

describe('host ports', () => {
  const node = stateNode('n', { cpu: '8' })
  const clashes = (one: ReturnType<typeof usingPort>, other: ReturnType<typeof usingPort>) =>
    decide({ nodes: [{ ...node, pods: [runningOn('n', pod('x', '1', one))] }], pods: [pod('p', '1', other)] })
      .placements.length === 0

  test.each([
    ['the same port', usingPort(80), usingPort(80), true],
    ['another port', usingPort(80), usingPort(81), false],
    ['another protocol', usingPort(80), usingPort(80, { protocol: 'UDP' }), false],
    ['another address', usingPort(80, { ip: '10.0.0.1' }), usingPort(80, { ip: '10.0.0.2' }), false],
    ['any address', usingPort(80, { ip: '10.0.0.1' }), usingPort(80, { ip: '::' }), true],
  ])('P-HPT-02: %s', (_, one, other, expected) => {
    expect(clashes(one, other)).toBe(expected)
  })

  test('P-HPT-03: ports of pods placed in the same pass count', () => {
    const pods = copies(2, (name) => pod(name, '1', usingPort(80)))
    const decision = decide({ nodes: [node], pods })
    expect([decision.placements, decision.launches]).toEqual([['n: p0'], ['default: p1']])
  })
})

describe('attached volumes', () => {
  const claim = (name: string) => ({
    namespace: 'default',
    name,
    isDeleting: false,
    isBindCompleted: true,
    volumeName: `v-${name}`,
  })
  const volume = (name: string, driver: string) => ({
    name: `v-${name}`,
    isDeleting: false,
    isNodeLocal: false,
    driver,
    nodeTerms: [],
  })
  const names = ['a', 'b', 'c']
  const volumes = {
    claims: new Map(names.map((name) => [`default/${name}`, claim(name)])),
    persistentVolumes: new Map(names.map((name) => [`v-${name}`, volume(name, name === 'c' ? 'other' : 'csi')])),
    storageClasses: new Map(),
  }
  const node = stateNode('n', { cpu: '8' }, { volumeLimits: new Map([['csi', 1]]) })
  const placed = (state: StateNode, ...pods: ReadonlyArray<ReturnType<typeof pod>>) =>
    decide({ nodes: [state], volumes, pods }).placements

  test('P-VLM-01: claims are counted once by driver, those of running pods and of the pass together', () => {
    expect(placed(node, pod('p', '1', usingClaims('a')), pod('q', '1', usingClaims('a')))).toEqual(['n: p q'])
    expect(placed(node, pod('p', '1', usingClaims('a')), pod('q', '1', usingClaims('b')))).toEqual(['n: p'])
    expect(placed(node, pod('p', '1', usingClaims('a')), pod('q', '1', usingClaims('c')))).toEqual(['n: p q'])
    const busy = { ...node, pods: [runningOn('n', pod('x', '1', usingClaims('a')))] }
    expect(placed(busy, pod('p', '1', usingClaims('b')))).toEqual([])
    expect(placed(busy, pod('p', '1', usingClaims('a')))).toEqual(['n: p'])
  })

  test('P-VLM-02: a driver that the node does not name has no limit', () => {
    const free = stateNode('n', { cpu: '8' })
    expect(placed(free, pod('p', '1', usingClaims('a', 'b')))).toEqual(['n: p'])
  })

  test('P-VLM-05: nodes that have registered but not started are held to their limits', () => {
    const young = { ...starting('n', { cpu: '8' }), volumeLimits: new Map([['csi', 1]]) }
    expect(placed(young, pod('p', '1', usingClaims('a', 'b')))).toEqual([])
    expect(placed(young, pod('p', '1', usingClaims('a')))).toEqual(['n: p'])
  })

  test('P-VLM-05: so are nodes to come, to what their types are known to attach', () => {
    const types = [instanceType('only', 8, { volumeAttachmentLimits: new Map([['csi', 1]]) })]
    const pods = [
      pod('p', '1', usingClaims('a')),
      pod('q', '900m', usingClaims('b')),
      pod('r', '800m', usingClaims('c')),
    ]
    expect(decide({ types, volumes, pods }).launches).toEqual(['default: p r', 'default: q'])
    const both = [pod('p', '1', usingClaims('a', 'b'))]
    expect(decide({ types, volumes, pods: both }).rejections).toEqual(['p unplaced: TooManyVolumes'])
  })
})

describe('spread over hosts that exist', () => {
  test('P-TOP-04: hostnames of existing nodes are domains from the start', () => {
    const nodes = ['n0', 'n1'].map((name) => stateNode(name, { cpu: '4' }))
    expect(decide({ nodes, pods: copies(2, (name) => web(name, '1', spread(hostname))) }).placements).toEqual([
      'n0: p0',
      'n1: p1',
    ])
  })
})
