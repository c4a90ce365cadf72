import { describe, expect, test } from '@jest/globals'

import { nodeClaimObject, nodeObject, podObject } from '../testing/index.ts'
import { ingestPod, joinStateNodes, makePodInterner, providerIdOf } from './index.ts'

const join = (sources: Partial<Parameters<typeof joinStateNodes>[0]>) =>
  joinStateNodes({
    nodes: [],
    nodeClaims: [],
    csiNodes: [],
    podsByNode: new Map(),
    supportsNodeClass: ({ kind }) => kind === 'TestNodeClass',
    ...sources,
  })
const ours = { 'karpenter.sh/nodepool': 'default', 'node.kubernetes.io/instance-type': 'm5.large' }
const node = (labels: object = {}, more: object = {}) => nodeObject('n', { metadata: { labels, ...more } })
const claim = (status: object = {}, more: object = {}) =>
  nodeClaimObject('c', 'default', { status: { providerID: 'test://n', ...status }, ...more })

describe('providerIdOf()', () => {
  test('ST-05 P-CST-03: a node of another without a provider id goes by its name', () => {
    expect(providerIdOf(nodeObject('n', { spec: { providerID: undefined } }))).toBe('n')
    expect(providerIdOf(nodeObject('n'))).toBe('test://n')
  })

  test('ST-05 P-CST-03: a node of ours counts with its provider id and instance type, or once initialized', () => {
    expect(
      providerIdOf(nodeObject('n', { metadata: { labels: ours }, spec: { providerID: undefined } })),
    ).toBeUndefined()
    expect(providerIdOf(node({ 'karpenter.sh/nodepool': 'default' }))).toBeUndefined()
    expect(providerIdOf(node({ 'karpenter.sh/nodepool': 'default', 'karpenter.sh/initialized': 'true' }))).toBe(
      'test://n',
    )
    expect(providerIdOf(node(ours))).toBe('test://n')
  })
})

describe('joinStateNodes()', () => {
  test('P-EXN-09: a machine goes by its claim until the node is registered', () => {
    const [starting] = join({ nodes: [node(ours)], nodeClaims: [claim()] })
    expect(starting).toMatchObject({ name: 'c', providerId: 'test://n', isManaged: true })
    const [registered] = join({ nodes: [node({ ...ours, 'karpenter.sh/registered': 'true' })], nodeClaims: [claim()] })
    expect(registered?.name).toBe('n')
  })

  test('P-EXN-02: a launched claim without a node counts; one that is not launched does not', () => {
    expect(join({ nodeClaims: [claim()] })).toMatchObject([{ name: 'c', isManaged: true, pods: [] }])
    expect(join({ nodeClaims: [nodeClaimObject('c', 'default')] })).toEqual([])
  })

  test('a claim of a NodeClass that is not supported leaves its node unmanaged', () => {
    const foreign = claim({}, { spec: { nodeClassRef: { group: 'g', kind: 'Other', name: 'default' } } })
    expect(join({ nodes: [node(ours)], nodeClaims: [foreign] })).toMatchObject([{ name: 'n', isManaged: false }])
  })

  test('ST-10 P-CST-04: marked for deletion by the shell, by its claim, or unmanaged by its node', () => {
    const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' }
    const isMarked = (sources: Parameters<typeof join>[0]) => join(sources)[0]?.isMarkedForDeletion
    expect(isMarked({ nodes: [node()] })).toBe(false)
    expect(isMarked({ nodes: [node()], marked: new Set(['test://n']) })).toBe(true)
    expect(isMarked({ nodes: [node({}, deleted)] })).toBe(true)
    expect(isMarked({ nodes: [node(ours, deleted)], nodeClaims: [claim()] })).toBe(false)
    expect(isMarked({ nodeClaims: [claim({}, { metadata: deleted })] })).toBe(true)
    const conditions = [{ type: 'InstanceTerminating', status: 'True', reason: 'InstanceTerminating' }]
    expect(isMarked({ nodeClaims: [claim({ conditions })] })).toBe(true)
  })

  test('P-VLM-02: limits come from the CSINode of the same name; a driver without a count is unlimited', () => {
    const csiNode = {
      apiVersion: 'storage.k8s.io/v1' as const,
      kind: 'CSINode' as const,
      metadata: nodeObject('n').metadata,
      spec: {
        drivers: [
          { name: 'limited', nodeID: '', allocatable: { count: 3 }, topologyKeys: [] },
          { name: 'free', nodeID: '', topologyKeys: [] },
        ],
      },
    }
    expect(join({ nodes: [node()], csiNodes: [csiNode] })[0]?.volumeLimits).toEqual(
      new Map([
        ['free', Number.MAX_SAFE_INTEGER],
        ['limited', 3],
      ]),
    )
    expect(join({ nodes: [node()] })[0]?.volumeLimits).toEqual(new Map())
  })

  test('pods belong to the node that they are bound to', () => {
    const pod = ingestPod(podObject('p', {}, { spec: { nodeName: 'n' } }), makePodInterner())
    expect(join({ nodes: [node()], podsByNode: new Map([['n', [pod]]]) })[0]?.pods).toEqual([pod])
  })
})
