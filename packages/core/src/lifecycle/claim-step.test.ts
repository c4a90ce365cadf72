import { describe, expect, test } from '@jest/globals'
import { Conditions, type ClaimState, type NodeState } from '../cluster/index.ts'
import { ingestNode, ingestNodeClaim } from '../ingest/index.ts'
import { Taints, type Taint } from '../taints/index.ts'
import { nodeClaimObject, nodeObject, type Overrides } from '../testing/index.ts'
import { claimDependents, stepClaim, type ClaimAction, type ClaimInput } from './index.ts'

const createdAtMs = Date.UTC(2026, 0, 1)
const minute = 60_000

const condition = (type: string, status: string, atMs = createdAtMs) => ({
  type,
  status,
  reason: type,
  message: '',
  lastTransitionTime: new Date(atMs).toISOString(),
  observedGeneration: 1,
})
const claimWith = (overrides: Overrides = {}): ClaimState =>
  ingestNodeClaim(nodeClaimObject('claim', 'pool', overrides))
const launched = { providerID: 'test://node', conditions: [condition('Launched', 'True')] }
const registered = {
  providerID: 'test://node',
  conditions: [condition('Launched', 'True'), condition('Registered', 'True')],
}
const unregisteredNode = { spec: { providerID: 'test://node', taints: [Taints.unregisteredTaint] } }
const nodeWith = (overrides: Overrides = {}): NodeState => ingestNode(nodeObject('node', overrides))
const step = (claim: ClaimState, { nodes = [], ...rest }: Partial<ClaimInput> = {}) =>
  stepClaim({ nowMs: createdAtMs + 1000, claim, nodes, pendingHooks: [], ...rest })
const tags = (claim: ClaimState, input: Partial<ClaimInput> = {}) => step(claim, input).actions.map(({ _tag }) => _tag)
const changeOf = (actions: ReadonlyArray<ClaimAction>) =>
  actions.flatMap((action) => (action._tag === 'SetConditions' ? action.changes : []))
const syncOf = (actions: ReadonlyArray<ClaimAction>) =>
  actions.flatMap((action) => (action._tag === 'SyncNode' ? [action.sync] : []))[0]

describe('launch', () => {
  test('L-CTRL-03 comes after the finalizer, never with it', () => {
    expect(tags(claimWith({ metadata: { finalizers: [] } }))).toEqual(['AddFinalizer'])
    expect(tags(claimWith())).toEqual(['Launch'])
  })

  test('L-LAUNCH-01 is asked for while Launched is Unknown only', () => {
    expect(tags(claimWith({ status: { conditions: [condition('Launched', 'Unknown')] } }))).toEqual(['Launch'])
    expect(tags(claimWith({ status: launched }))).not.toContain('Launch')
    expect(tags(claimWith({ status: { conditions: [condition('Launched', 'False')] } }))).toEqual([])
  })

  test('L-LIVE-02 is given up five minutes after it was first tried, and not a moment before', () => {
    const tried = claimWith({ status: { conditions: [condition('Launched', 'Unknown')] } })
    expect(step(tried, { nowMs: createdAtMs + 5 * minute - 1 }).actions).toEqual([{ _tag: 'Launch' }])
    expect(step(tried, { nowMs: createdAtMs + 5 * minute }).actions).toEqual([
      { _tag: 'DeleteClaim', reason: 'launch_timeout' },
    ])
    // Whatever our clock makes of its age.
    expect(step(claimWith(), { nowMs: createdAtMs + 60 * minute }).actions).toEqual([{ _tag: 'Launch' }])
  })
})

describe('verdicts', () => {
  test('L-CTRL-07 that stand are said again for the claim as it is now, and only once', () => {
    const conditions = ['Launched', 'Registered', 'Initialized'].map((type) => condition(type, 'True'))
    const of = (generation: number) =>
      step(claimWith({ metadata: { generation }, status: { ...launched, conditions } })).actions
    expect(changeOf(of(2)).map(({ type, status }) => [type, status])).toEqual([
      ['Launched', 'True'],
      ['Registered', 'True'],
      ['Initialized', 'True'],
    ])
    expect(of(1)).toEqual([])
    const failed = [condition('Launched', 'True'), condition('Registered', 'False')]
    const claim = claimWith({ metadata: { generation: 2 }, status: { ...launched, conditions: failed } })
    expect(changeOf(step(claim).actions)).toMatchObject([{ type: 'Launched' }, { type: 'Registered', status: 'False' }])
    const undecided = [condition('Launched', 'Unknown')]
    expect(tags(claimWith({ metadata: { generation: 2 }, status: { conditions: undecided } }))).toEqual(['Launch'])
  })
})

describe('registration', () => {
  test('L-REG-01 waits for a Node with the provider id', () => {
    const { actions, requeueAfterMs } = step(claimWith({ status: launched }))
    expect(changeOf(actions)).toMatchObject([
      { type: 'Registered', status: 'Unknown', reason: 'NodeNotFound' },
      { type: 'Initialized', status: 'Unknown' },
    ])
    expect(requeueAfterMs).toBe(15 * minute - 1000)
  })

  test('L-REG-01 of two Nodes with one provider id fails, and names them', () => {
    const nodes = [nodeWith(), nodeWith({ metadata: { name: 'another' } })]
    expect(changeOf(step(claimWith({ status: launched }), { nodes }).actions)).toEqual([
      {
        type: 'Registered',
        status: 'False',
        reason: 'MultipleNodesFound',
        message: "Several nodes have the claim's provider id: another, node",
      },
    ])
  })

  test('L-REG-03 L-REG-06 makes the Node carry what its claim says, and then says so', () => {
    const claim = claimWith({
      metadata: { labels: { 'karpenter.sh/nodepool': 'pool', team: 'a' }, annotations: { note: 'claim' } },
      spec: {
        taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }],
        startupTaints: [{ key: 'cilium', effect: 'NoExecute' }],
      },
      status: launched,
    })
    const node = nodeWith({
      ...unregisteredNode,
      metadata: { labels: { team: 'b', zone: 'z' }, annotations: { note: 'node', other: 'x' }, finalizers: ['theirs'] },
    })
    const { actions } = step(claim, { nodes: [node] })
    expect(actions.map(({ _tag }) => _tag)).toEqual(['SyncNode', 'SetConditions'])
    expect(syncOf(actions)).toMatchObject({
      node: 'node',
      labels: { team: 'a', zone: 'z', 'karpenter.sh/nodepool': 'pool', 'karpenter.sh/registered': 'true' },
      annotations: { note: 'claim', other: 'x' },
      taints: [
        { key: 'team', value: 'a', effect: 'NoSchedule' },
        { key: 'cilium', effect: 'NoExecute' },
      ],
      finalizers: ['theirs', 'karpenter.sh/termination'],
      needsOwner: true,
      unregisteredTaintMissing: false,
    })
    expect(actions[1]).toMatchObject({
      nodeName: 'node',
      changes: [
        { type: 'Registered', status: 'True' },
        { type: 'Initialized', status: 'Unknown', reason: 'StartupTaintsExist' },
      ],
      isInterim: true,
    })
    expect(syncOf(actions)?.labels).not.toHaveProperty(['karpenter.sh/initialized'])
  })

  test('L-REG-06 L-INIT-06 of a Node that is ready marks it as initialized with the same strokes', () => {
    const claim = claimWith({ status: launched })
    const { actions } = step(claim, { nodes: [nodeWith(unregisteredNode)] })
    expect(actions.map(({ _tag }) => _tag)).toEqual(['SyncNode', 'SetConditions'])
    expect(syncOf(actions)?.labels).toMatchObject({
      'karpenter.sh/registered': 'true',
      'karpenter.sh/initialized': 'true',
    })
    const verdicts = ['Registered', 'Initialized', 'ConsistentStateFound'].map((type) => ({ type, status: 'True' }))
    expect(actions[1]).toEqual({ _tag: 'SetConditions', changes: verdicts, nodeName: 'node' })
    // A controller that died before it could say so goes on where it was, whether the Node became ready since or not.
    const labels = { 'karpenter.sh/registered': 'true' }
    const later = nodeWith({ metadata: { labels } })
    expect(step(claim, { nodes: [later] }).actions).toEqual([{ _tag: 'LabelInitialized', node: 'node' }, actions[1]])
    const both = nodeWith({ metadata: { labels: { ...labels, 'karpenter.sh/initialized': 'true' } } })
    expect(step(claim, { nodes: [both] }).actions).toEqual([actions[1]])
  })

  test('L-REG-02 goes on without the unregistered taint, and tells', () => {
    expect(syncOf(step(claimWith({ status: launched }), { nodes: [nodeWith()] }).actions)).toMatchObject({
      unregisteredTaintMissing: true,
    })
  })

  test('L-REG-04 leaves taints alone where the Node asks for it, and with that value only', () => {
    const taints = [{ key: 'team', effect: 'NoSchedule' }]
    for (const [value, expected] of [
      ['true', []],
      ['false', taints],
    ] as const) {
      const node = nodeWith({ ...unregisteredNode, metadata: { labels: { 'karpenter.sh/do-not-sync-taints': value } } })
      expect(
        syncOf(step(claimWith({ spec: { taints }, status: launched }), { nodes: [node] }).actions)?.taints,
      ).toEqual(expected)
    }
  })

  test('L-REG-05 with a hook pending syncs the Node and keeps it unregistered', () => {
    const input = { nodes: [nodeWith(unregisteredNode)], pendingHooks: ['first', 'second'] }
    const { actions } = step(claimWith({ status: launched }), input)
    expect(changeOf(actions)).toEqual([
      { type: 'Registered', status: 'Unknown', reason: 'RegistrationHookPending', message: 'first, second' },
    ])
    const sync = syncOf(actions)
    expect(sync?.taints).toEqual([Taints.unregisteredTaint])
    expect(sync?.labels).not.toHaveProperty(['karpenter.sh/registered'])
  })

  test('L-REG-07 never puts startup taints back that were removed after registration', () => {
    const claim = claimWith({ spec: { startupTaints: [{ key: 'cilium', effect: 'NoExecute' }] }, status: launched })
    const node = nodeWith({ metadata: { labels: { 'karpenter.sh/registered': 'true' } } })
    expect(tags(claim, { nodes: [node] })).toEqual(['LabelInitialized', 'SetConditions'])
  })

  test('L-LIVE-03 is given up fifteen minutes after Registered was first Unknown', () => {
    const conditions = [condition('Launched', 'True'), condition('Registered', 'Unknown', createdAtMs + minute)]
    const claim = claimWith({ status: { ...launched, conditions } })
    expect(tags(claim, { nowMs: createdAtMs + 16 * minute - 1 })).toEqual(['SetConditions'])
    expect(step(claim, { nowMs: createdAtMs + 16 * minute }).actions).toEqual([
      { _tag: 'DeleteClaim', reason: 'registration_timeout' },
    ])
  })

  test('L-LIVE-03 counts from the launch where that came later, so a slow launch takes no time from it', () => {
    const conditions = [condition('Launched', 'True', createdAtMs + 4 * minute), condition('Registered', 'Unknown')]
    const claim = claimWith({ status: { ...launched, conditions } })
    expect(tags(claim, { nowMs: createdAtMs + 19 * minute - 1 })).toEqual(['SetConditions'])
    expect(tags(claim, { nowMs: createdAtMs + 19 * minute })).toEqual(['DeleteClaim'])
  })

  test('L-LIVE-01 is never given up once the Node is there', () => {
    const input = { nodes: [nodeWith(unregisteredNode)], nowMs: createdAtMs + 60 * minute }
    expect(tags(claimWith({ status: launched }), input)).toEqual(['SyncNode', 'SetConditions'])
    const marked = nodeWith({ metadata: { labels: { 'karpenter.sh/registered': 'true' } } })
    expect(tags(claimWith({ status: launched }), { ...input, nodes: [marked] })).not.toContain('DeleteClaim')
    expect(tags(claimWith({ status: registered }), { nowMs: createdAtMs + 60 * minute })).not.toContain('DeleteClaim')
  })
})

describe('initialization', () => {
  const claim = claimWith({
    spec: {
      startupTaints: [{ key: 'cilium', value: 'starting', effect: 'NoExecute' }],
      resources: { requests: { cpu: '1', 'nvidia.com/gpu': '1', memory: '0' } },
    },
    status: registered,
  })
  const gpu = { status: { allocatable: { cpu: '4', 'nvidia.com/gpu': '1' } } }
  const tainted = (...taints: ReadonlyArray<Taint>) => ({ ...gpu, spec: { providerID: 'test://node', taints } })
  const notReady = { ...gpu.status, conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Gone' }] }

  test.each([
    ['NodeNotReady', { status: notReady }],
    ['StartupTaintsExist', tainted({ key: 'cilium', value: 'other', effect: 'NoExecute' })],
    ['KnownEphemeralTaintsExist', tainted({ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' })],
    ['KnownEphemeralTaintsExist', tainted({ key: 'readiness.k8s.io/network', effect: 'NoSchedule' })],
    ['ResourceNotRegistered', { status: { allocatable: { cpu: '4' } } }],
    ['ResourceNotRegistered', { status: { allocatable: { cpu: '4', 'nvidia.com/gpu': '0' } } }],
  ])('L-INIT-01 L-INIT-02 L-INIT-03 L-INIT-04 waits: %s', (reason, overrides: Overrides) => {
    const { actions } = step(claim, { nodes: [nodeWith(overrides)] })
    expect(actions).toMatchObject([
      { _tag: 'SetConditions', changes: [{ type: 'Initialized', status: 'Unknown', reason }], isInterim: true },
    ])
  })

  test('L-INIT-01 waits for a Node that is gone', () => {
    expect(changeOf(step(claim).actions)).toMatchObject([{ status: 'Unknown', reason: 'NodeNotFound' }])
  })

  test('L-INIT-01 names the first that is missing', () => {
    const overrides = { ...tainted({ key: 'cilium', effect: 'NoExecute' }), status: notReady }
    expect(changeOf(step(claim, { nodes: [nodeWith(overrides)] }).actions)).toMatchObject([{ reason: 'NodeNotReady' }])
  })

  test('L-INIT-06 marks Node and claim, the Node first', () => {
    const done = step(claim, { nodes: [nodeWith(gpu)] })
    expect(done.actions).toEqual([
      { _tag: 'LabelInitialized', node: 'node' },
      {
        _tag: 'SetConditions',
        changes: [
          { type: 'Initialized', status: 'True' },
          { type: 'ConsistentStateFound', status: 'True' },
        ],
      },
    ])
    const marked = nodeWith({ ...gpu, metadata: { labels: { 'karpenter.sh/initialized': 'true' } } })
    expect(tags(claim, { nodes: [marked] })).toEqual(['SetConditions'])
  })

  test('L-INIT-07 has no time-out, and once done nothing is left to do', () => {
    expect(tags(claim, { nowMs: createdAtMs + 100 * 60 * minute })).toEqual(['SetConditions'])
    const conditions = [...registered.conditions, condition('Initialized', 'True')]
    expect(step(claimWith({ status: { ...registered, conditions } }), { nodes: [nodeWith(gpu)] })).toEqual({
      actions: [],
    })
  })
})

describe('the end', () => {
  const deleting = { deletionTimestamp: '2026-01-01T00:10:00Z' }
  const deletedAtMs = createdAtMs + 10 * minute

  test('L-FIN-01 states the deadline once, from the deletion on', () => {
    const spec = { terminationGracePeriod: '30m' }
    expect(step(claimWith({ metadata: deleting, spec, status: registered })).actions[0]).toEqual({
      _tag: 'StampTerminationTime',
      atMs: deletedAtMs + 30 * minute,
    })
    const annotations = { 'karpenter.sh/nodeclaim-termination-timestamp': '2026-01-01T00:11:00Z' }
    expect(tags(claimWith({ metadata: { ...deleting, annotations }, spec }))).toEqual(['RemoveFinalizer'])
    expect(tags(claimWith({ metadata: deleting }))).toEqual(['RemoveFinalizer'])
  })

  test('L-FIN-02 deletes the Nodes of a registered claim, once, and waits until they are gone', () => {
    const claim = claimWith({ metadata: deleting, status: registered })
    const going = nodeWith({ metadata: { name: 'going', deletionTimestamp: '2026-01-01T00:10:00Z' } })
    expect(step(claim, { nodes: [nodeWith(), going] }).actions).toEqual([{ _tag: 'DeleteNode', node: 'node' }])
    expect(step(claim, { nodes: [going] }).actions).toEqual([])
    expect(tags(claim)).toEqual(['TerminateInstance'])
  })

  test('L-FIN-02 L-FIN-03 leaves Nodes of an unregistered claim alone and ends the instance', () => {
    expect(step(claimWith({ metadata: deleting, status: launched }), { nodes: [nodeWith()] }).actions).toEqual([
      { _tag: 'TerminateInstance', providerId: 'test://node' },
    ])
  })

  test('L-FIN-02 drains a Node that was registered a moment ago, before its claim says so', () => {
    const joined = nodeWith({ metadata: { labels: { 'karpenter.sh/registered': 'true' } } })
    const claim = claimWith({ metadata: deleting, status: launched })
    expect(step(claim, { nodes: [joined] }).actions).toEqual([{ _tag: 'DeleteNode', node: 'node' }])
  })

  test('L-FIN-04 asks nothing of the cloud for a claim that has no instance', () => {
    expect(tags(claimWith({ metadata: deleting }))).toEqual(['RemoveFinalizer'])
  })

  test('L-FIN-05 ends with our finalizer', () => {
    expect(tags(claimWith({ metadata: { ...deleting, finalizers: ['theirs'] }, status: registered }))).toEqual([])
  })
})

test('L-CTRL-04 a claim that is carried from step to step becomes Ready and asks for nothing more', () => {
  let claim = claimWith({ metadata: { finalizers: [] } })
  let node = nodeWith(unregisteredNode)
  const seen: Array<string> = []
  for (let turn = 0; turn < 10; turn++) {
    const { actions } = step(claim, { nodes: claim.providerId === undefined ? [] : [node] })
    if (actions.length === 0) break
    for (const action of actions) {
      seen.push(action._tag)
      const at = { nowMs: createdAtMs, createdAtMs, generation: 1, dependents: claimDependents }
      if (action._tag === 'AddFinalizer') claim = { ...claim, finalizers: ['karpenter.sh/termination'] }
      if (action._tag === 'Launch') claim = claimWith({ status: launched })
      if (action._tag === 'SyncNode') node = { ...node, labels: action.sync.labels, taints: action.sync.taints }
      if (action._tag === 'SetConditions') {
        const conditions = Conditions.apply(claim.conditions, action.changes, at)
        claim = {
          ...claim,
          conditions: Conditions.apply(conditions, [Conditions.rollUp(conditions, claimDependents, 1)], at),
        }
      }
    }
  }
  expect(seen).toEqual(['AddFinalizer', 'Launch', 'SyncNode', 'SetConditions'])
  expect(Conditions.isTrue(claim.conditions, 'Ready')).toBe(true)
})
