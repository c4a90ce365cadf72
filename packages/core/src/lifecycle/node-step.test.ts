import { describe, expect, test } from '@jest/globals'
import type { ClaimState, NodeState, Pod } from '../cluster/index.ts'
import { ingestNode, ingestNodeClaim, ingestPod, makePodInterner } from '../ingest/index.ts'
import { nodeClaimObject, nodeObject, podObject, type Overrides } from '../testing/index.ts'
import { stepNodeTermination, terminationDeadline, type NodeAction, type NodeInput } from './index.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const instant = (offsetMs: number) => new Date(nowMs + offsetMs).toISOString()
const interner = makePodInterner()

const going = { deletionTimestamp: instant(-1000), finalizers: ['karpenter.sh/termination'] }
const cordoned = {
  metadata: { ...going, labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': 'karpenter' } },
  spec: { providerID: 'test://node', taints: [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }] },
}
const nodeWith = (overrides: Overrides = cordoned): NodeState => ingestNode(nodeObject('node', overrides))
const drainedSince = (status: string, offsetMs: number) => ({
  type: 'Drained',
  status,
  reason: status === 'True' ? 'Drained' : 'Draining',
  message: '',
  lastTransitionTime: instant(offsetMs),
  observedGeneration: 1,
})
const claimWith = (...conditions: ReadonlyArray<object>): ClaimState =>
  ingestNodeClaim(
    nodeClaimObject('claim', 'pool', {
      metadata: { deletionTimestamp: instant(-1000) },
      status: { providerID: 'test://node', conditions },
    }),
  )
const pod = (name: string, overrides: Overrides = {}): Pod =>
  ingestPod(
    podObject(
      name,
      {},
      {
        ...overrides,
        spec: { nodeName: 'node', terminationGracePeriodSeconds: 30, ...(overrides['spec'] as object) },
        status: {
          phase: 'Running',
          startTime: instant(-3_600_000),
          conditions: [],
          ...(overrides['status'] as object),
        },
      },
    ),
    interner,
  )
const owned = (kind: string, apiVersion = 'apps/v1') => ({
  metadata: { ownerReferences: [{ apiVersion, kind, name: 'owner', uid: 'u', controller: true }] },
})
const critical = { spec: { priorityClassName: 'system-node-critical', priority: 2_000_001_000 } }
const protectedPod = { metadata: { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } } }
const tolerating = {
  spec: { tolerations: [{ key: 'karpenter.sh/disrupted', operator: 'Exists', effect: 'NoSchedule' }] },
}

const step = (input: Partial<NodeInput> = {}) =>
  stepNodeTermination({ nowMs, node: nodeWith(), pods: [], attachedVolumes: [], isInstanceGone: false, ...input })
const tags = (input: Partial<NodeInput> = {}) => step(input).actions.map(({ _tag }) => _tag)
const drainOf = (input: Partial<NodeInput>) => {
  const drain = step(input).actions.find((action): action is NodeAction & { _tag: 'Drain' } => action._tag === 'Drain')
  return {
    evict: drain?.drain.evict.map(({ name }) => name),
    force: drain?.drain.forceDelete.map((one) => [one.pod.name, one.gracePeriodSeconds]),
    waiting: drain?.drain.waiting.map(({ name }) => name),
  }
}
const changesOf = (input: Partial<NodeInput>) =>
  step(input).actions.flatMap((action) => (action._tag === 'SetClaimConditions' ? action.changes : []))

describe('a Node on its way out', () => {
  test('T-TERM-01 is ours only with a deletion timestamp and our finalizer', () => {
    expect(step({ node: nodeWith({}) })).toEqual({ actions: [] })
    expect(step({ node: nodeWith({ metadata: { ...going, finalizers: ['theirs'] } }) })).toEqual({ actions: [] })
  })

  test('T-TERM-02 T-TERM-05 takes its claim along and is kept from new pods before anything else', () => {
    const claim = ingestNodeClaim(nodeClaimObject('claim', 'pool', { status: { providerID: 'test://node' } }))
    expect(tags({ node: nodeWith({ metadata: going }), claim, pods: [pod('a')] })).toEqual([
      'DeleteClaim',
      'Cordon',
      'SetClaimConditions',
      'Drain',
    ])
    expect(tags({ claim: claimWith(), pods: [pod('a')] })).toEqual(['SetClaimConditions', 'Drain'])
  })

  test('T-TERM-03 goes at once when it is not Ready and its instance is gone; a Ready one is drained all the same', () => {
    const lost = { ...cordoned, status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Lost' }] } }
    expect(tags({ node: nodeWith(lost), claim: claimWith(), pods: [pod('a')], isInstanceGone: true })).toEqual([
      'AbandonDrain',
      'RemoveFinalizer',
    ])
    expect(tags({ node: nodeWith(lost), claim: claimWith(), pods: [], isInstanceGone: true })).toEqual([
      'RemoveFinalizer',
    ])
    expect(tags({ claim: claimWith(), pods: [pod('a')], isInstanceGone: true })).toContain('Drain')
  })

  test('T-TERM-07 drains for five seconds at least, and reports it once', () => {
    expect(changesOf({ claim: claimWith() })).toEqual([{ type: 'Drained', status: 'Unknown', reason: 'Draining' }])
    expect(tags({ claim: claimWith(drainedSince('Unknown', -4999)) })).toEqual(['Drain'])
    expect(step({ claim: claimWith(drainedSince('Unknown', -4999)) }).requeueAfterMs).toBe(1000)
    expect(changesOf({ claim: claimWith(drainedSince('Unknown', -5000)) })).toMatchObject([
      { type: 'Drained', status: 'True' },
      { type: 'VolumesDetached', status: 'True' },
    ])
  })

  test('T-TERM-07 a drain that seems to begin in the future is not held up until then: a clock was set back', () => {
    expect(changesOf({ claim: claimWith(drainedSince('Unknown', 3_600_000)) })).toMatchObject([
      { type: 'Drained', status: 'True' },
      { type: 'VolumesDetached', status: 'True' },
    ])
  })

  test('T-TERM-08 waits for volumes, five of them named, and not beyond the deadline', () => {
    const claim = claimWith(drainedSince('True', -1000))
    const attachedVolumes = ['a', 'b', 'c', 'd', 'e', 'f']
    expect(changesOf({ claim, attachedVolumes })).toEqual([
      {
        type: 'VolumesDetached',
        status: 'Unknown',
        reason: 'AwaitingVolumeDetachment',
        message: 'Volumes are still attached: a, b, c, d, e',
      },
    ])
    expect(tags({ claim, attachedVolumes, deadlineMs: nowMs + 1 })).not.toContain('TerminateInstance')
    expect(changesOf({ claim, attachedVolumes, deadlineMs: nowMs })).toMatchObject([
      { type: 'VolumesDetached', status: 'False', reason: 'TerminationGracePeriodElapsed' },
    ])
    expect(tags({ claim, attachedVolumes, deadlineMs: nowMs })).toContain('TerminateInstance')
  })

  test('T-TERM-06 T-TERM-09 ends the instance last, and says nothing twice', () => {
    const detached = { ...drainedSince('True', -1000), type: 'VolumesDetached' }
    expect(step({ claim: claimWith(drainedSince('True', -1000), detached) }).actions).toEqual([
      { _tag: 'TerminateInstance', providerId: 'test://node' },
    ])
  })

  test('T-TERM-11 without a claim is drained and let go, with no instance to end', () => {
    expect(tags({ pods: [pod('a')] })).toEqual(['Drain'])
    expect(tags()).toEqual(['RemoveFinalizer'])
  })

  test('T-TERM-04 has the deadline that its claim carries', () => {
    expect(terminationDeadline(claimWith())).toBeUndefined()
    const annotations = { 'karpenter.sh/nodeclaim-termination-timestamp': '2026-01-01T02:00:00Z' }
    expect(terminationDeadline({ ...claimWith(), annotations })).toBe('2026-01-01T02:00:00Z')
  })
})

describe('a drain', () => {
  test('T-DRAIN-02 goes by tiers: plain pods, daemons, critical pods, critical daemons', () => {
    const tiers = [
      pod('plain'),
      pod('daemon', owned('DaemonSet')),
      pod('critical', critical),
      pod('critical-daemon', { ...owned('DaemonSet'), ...critical }),
    ]
    for (let gone = 0; gone < tiers.length; gone++) {
      const pods = tiers.slice(gone).reverse()
      expect(drainOf({ pods }).evict).toEqual([tiers[gone]?.name])
      expect(drainOf({ pods }).waiting).toHaveLength(tiers.length - gone)
    }
  })

  test('T-DRAIN-02 a tier that holds a protected or terminating pod holds the next up', () => {
    expect(drainOf({ pods: [pod('kept', protectedPod), pod('daemon', owned('DaemonSet'))] })).toMatchObject({
      evict: [],
      waiting: ['kept', 'daemon'],
    })
    const ending = pod('ending', { metadata: { deletionTimestamp: instant(10_000) } })
    expect(drainOf({ pods: [ending, pod('daemon', owned('DaemonSet'))] })).toMatchObject({ evict: [] })
  })

  test('P-07 T-DRAIN-04 waits for no pod that is done, tolerates it, is stuck, or is the node’s own', () => {
    const pods = [
      pod('done', { status: { phase: 'Succeeded' } }),
      pod('failed', { status: { phase: 'Failed' } }),
      pod('tolerating', tolerating),
      pod('stuck', { metadata: { deletionTimestamp: instant(-60_001) } }),
      pod('static', owned('Node', 'v1')),
    ]
    expect(tags({ pods })).toEqual(['LeaveStuck', 'RemoveFinalizer'])
    expect(tags({ pods: [pod('late', { metadata: { deletionTimestamp: instant(-60_000) } })] })).toEqual(['Drain'])
  })

  test('T-EVICT-04 T-EVICT-05 T-DRAIN-01 deletes what the deadline overtakes, whatever its tier, with the rest of the time', () => {
    const pods = [pod('plain'), pod('critical', critical), pod('kept', protectedPod)]
    expect(drainOf({ pods, deadlineMs: nowMs + 30_000 }).force).toEqual([])
    expect(drainOf({ pods, deadlineMs: nowMs + 29_999 }).force).toEqual([
      ['plain', 29],
      ['critical', 29],
      ['kept', 29],
    ])
    expect(drainOf({ pods: [pod('plain')], deadlineMs: nowMs - 5000 }).force).toEqual([['plain', 1]])
  })

  test('T-EVICT-04 shortens the end of a terminating pod that would outlive the deadline, and only then', () => {
    const ending = pod('ending', { metadata: { deletionTimestamp: instant(10_000) } })
    expect(drainOf({ pods: [ending], deadlineMs: nowMs + 9000 }).force).toEqual([['ending', 9]])
    expect(drainOf({ pods: [ending], deadlineMs: nowMs + 10_000 }).force).toEqual([])
  })

  test('T-EVICT-04 never forces a running pod that states no grace period', () => {
    const endless = pod('endless', { spec: { terminationGracePeriodSeconds: undefined } })
    expect(drainOf({ pods: [endless], deadlineMs: nowMs - 60_000 })).toMatchObject({ force: [], evict: ['endless'] })
  })
})
