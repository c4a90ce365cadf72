import { describe, expect, test } from '@jest/globals'
import { ingestNode, ingestNodeClaim, stepClaim, Taints, type NodeObject } from '@scantling/core'
import { nodeClaimObject, nodeObject, type Overrides } from '@scantling/core/testing'
import { nodePatchOf } from './node-writes.ts'

const launched = {
  providerID: 'test://node',
  conditions: [
    { type: 'Launched', status: 'True', reason: 'Launched', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ],
}
const claim = ingestNodeClaim(
  nodeClaimObject('claim', 'pool', {
    metadata: { labels: { 'karpenter.sh/nodepool': 'pool', team: 'a' }, annotations: { note: 'x' } },
    spec: { taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }] },
    status: launched,
  }),
)
const patchOf = (node: NodeObject) => {
  const { actions } = stepClaim({ nowMs: claim.createdAtMs, claim, nodes: [ingestNode(node)], pendingHooks: [] })
  const [sync] = actions.flatMap((action) => (action._tag === 'SyncNode' ? [action.sync] : []))
  return sync && nodePatchOf(sync, claim, node)
}
const node = (overrides: Overrides) => nodeObject('node', { spec: { providerID: 'test://node' }, ...overrides })
const other = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

describe('nodePatchOf()', () => {
  test('L-REG-03 L-REG-06 names what it changes, and what must not have changed', () => {
    const joined = node({
      metadata: { labels: { team: 'b', 'karpenter.sh/nodepool': 'pool' } },
      spec: { providerID: 'test://node', taints: [Taints.unregisteredTaint, other] },
    })
    expect(patchOf(joined)).toEqual({
      type: 'json',
      body: [
        { op: 'add', path: '/metadata/labels/team', value: 'a' },
        { op: 'add', path: '/metadata/labels/karpenter.sh~1registered', value: 'true' },
        { op: 'test', path: '/metadata/annotations', value: null },
        { op: 'add', path: '/metadata/annotations', value: { note: 'x' } },
        { op: 'test', path: '/metadata/finalizers', value: null },
        { op: 'add', path: '/metadata/finalizers', value: ['karpenter.sh/termination'] },
        { op: 'test', path: '/metadata/ownerReferences', value: null },
        {
          op: 'add',
          path: '/metadata/ownerReferences',
          value: [
            {
              apiVersion: 'karpenter.sh/v1',
              kind: 'NodeClaim',
              name: 'claim',
              uid: claim.uid,
              blockOwnerDeletion: true,
            },
          ],
        },
        { op: 'add', path: '/spec/taints/-', value: { key: 'team', value: 'a', effect: 'NoSchedule' } },
        { op: 'test', path: '/spec/taints/0/key', value: 'karpenter.sh/unregistered' },
        { op: 'test', path: '/spec/taints/0/effect', value: 'NoExecute' },
        { op: 'remove', path: '/spec/taints/0' },
      ],
    })
  })

  test('L-REG-02 L-REG-03 gives taints to a Node that has none, and keeps what others put into its lists', () => {
    const owner = { apiVersion: 'v1', kind: 'Other', name: 'owner', uid: 'u' }
    const joined = node({ metadata: { finalizers: ['theirs'], ownerReferences: [owner] } })
    const body = patchOf(joined)?.body
    expect(body).toContainEqual({ op: 'test', path: '/metadata/finalizers', value: ['theirs'] })
    expect(body).toContainEqual({
      op: 'add',
      path: '/metadata/finalizers',
      value: ['theirs', 'karpenter.sh/termination'],
    })
    expect(body).toContainEqual({ op: 'test', path: '/metadata/ownerReferences', value: [owner] })
    expect(body).toContainEqual({
      op: 'test',
      path: '/metadata/resourceVersion',
      value: joined.metadata.resourceVersion,
    })
    expect(body).toContainEqual({
      op: 'add',
      path: '/spec/taints',
      value: [{ key: 'team', value: 'a', effect: 'NoSchedule' }],
    })
  })
})
