import { describe, expect, test } from '@jest/globals'
import { ingestNode, ingestNodeClaim } from '../ingest/index.ts'
import { nodeClaimObject, nodeObject, type Overrides } from '../testing/index.ts'
import { StateNodes, type StateNode } from './index.ts'

const startup = { key: 'cilium', effect: 'NoExecute' }
const ephemeral = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
const own = { key: 'team', value: 'a', effect: 'NoSchedule' }
const claim = ingestNodeClaim(
  nodeClaimObject('claim', 'pool', {
    metadata: { labels: { side: 'claim' } },
    spec: { taints: [own], startupTaints: [startup] },
    status: {
      providerID: 'test://node',
      capacity: { cpu: '8', 'nvidia.com/gpu': '1' },
      allocatable: { cpu: '7', 'nvidia.com/gpu': '1' },
    },
  }),
)
const stage = (labels: Record<string, string> | undefined, more: Overrides = {}, isManaged = true): StateNode => ({
  name: 'node',
  providerId: 'test://node',
  ...(labels && {
    node: ingestNode(
      nodeObject('node', {
        metadata: { labels: { side: 'node', ...labels } },
        spec: { taints: [own, startup, ephemeral] },
        status: { capacity: { cpu: '4' }, allocatable: { cpu: '0' } },
        ...more,
      }),
    ),
  }),
  ...(isManaged && { claim }),
  isManaged,
  isMarkedForDeletion: false,
  pods: [],
  volumeLimits: new Map(),
})
const claimed = stage(undefined)
const joined = stage({})
const registered = stage({ 'karpenter.sh/registered': 'true' })
const initialized = stage({ 'karpenter.sh/registered': 'true', 'karpenter.sh/initialized': 'true' })
const foreign = stage({}, {}, false)
const stages = [claimed, joined, registered, initialized, foreign]

describe('who speaks for a machine', () => {
  test('ST-08 P-EXN-01 another’s node counts as registered and initialized, ours when its labels say so', () => {
    expect(stages.map(StateNodes.isRegistered)).toEqual([false, false, true, true, true])
    expect(stages.map(StateNodes.isInitialized)).toEqual([false, false, false, true, true])
  })

  test('ST-08 P-EXN-09 labels are the claim’s until the node is registered', () => {
    expect(stages.map((state) => StateNodes.labelsOf(state)['side'])).toEqual([
      'claim',
      'claim',
      'node',
      'node',
      'node',
    ])
  })

  test('ST-09 P-TNT-03 P-TNT-04 taints of starting nodes do not count until they are initialized', () => {
    expect(stages.map((state) => StateNodes.taintsOf(state).map(({ key }) => key))).toEqual([
      ['team'],
      ['team'],
      ['team'],
      ['team', 'cilium', 'node.kubernetes.io/not-ready'],
      ['team', 'cilium', 'node.kubernetes.io/not-ready'],
    ])
  })

  test('ST-09 P-EXN-06 gaps of a starting node are filled from its claim', () => {
    expect(stages.map((state) => StateNodes.allocatableOf(state)['nvidia.com/gpu'])).toEqual([
      '1',
      '1',
      '1',
      undefined,
      undefined,
    ])
    expect(StateNodes.allocatableOf(registered)['cpu']).toBe('7')
    expect(StateNodes.allocatableOf(initialized)['cpu']).toBe('0')
    expect(StateNodes.capacityOf(registered)['cpu']).toBe('4')
  })

  test('ST-09 P-CST-05 capacity counts the node itself', () => {
    for (const state of stages) expect(StateNodes.capacityOf(state)['nodes']).toBe('1')
  })
})
