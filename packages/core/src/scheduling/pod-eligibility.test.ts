import { describe, expect, test } from '@jest/globals'

import type { Pod, PodDisruptionBudget, Snapshot } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import {
  daemonPod,
  decide,
  isIn,
  nodePool,
  pod,
  preferring,
  requiring,
  runningOn,
  selecting,
  stateNode,
  usingClaims,
  web,
} from '../testing/index.ts'

const terminating = { deletionTimestampMs: 1 }
const ownedBy = (one: Pod, kind: string, apiVersion = 'apps/v1'): Pod => ({
  ...one,
  owner: { apiVersion, kind, name: 'owner', uid: 'owner' },
})
const moves = (one: Pod, rest: Partial<Snapshot> = {}): boolean => {
  const going = { ...stateNode('going', { cpu: '4' }), isMarkedForDeletion: true, pods: [one] }
  return decide({ ...rest, nodes: [going] }).launches.length === 1
}
const running = runningOn('going', web('p'))

describe('pods that wait', () => {
  test.each([
    ['one that is not unschedulable, as behind a gate', { isUnschedulable: false }],
    ['one that is bound', { nodeName: 'n' }],
    ['one that preempts others', { nominatedNodeName: 'n' }],
    ['one of a DaemonSet', { owner: daemonPod(web('p')).owner! }],
    ['one of the kubelet', { isMirror: true }],
    ['one of a Node', { owner: ownedBy(web('p'), 'Node', 'v1').owner! }],
  ])('P-ELG-01: %s is not provisioned for', (_, change) => {
    expect(decide({ pods: [web('p')] }).launches).toHaveLength(1)
    const { plan } = decide({ pods: [{ ...web('p'), ...change }] })
    expect([plan.launches, plan.rejections]).toEqual([[], []])
  })

  test('P-ELG-05: a pod that is refused is one rejection, with all that is wrong, and the others go on', () => {
    const bad = pod('bad', '1', selecting({ [labelKeys.hostname]: 'n' }), usingClaims('gone'))
    const decision = decide({ pods: [bad, pod('fine')] })
    expect(decision.rejections).toEqual(['bad ignored: InvalidRequirement,VolumeClaimRefused'])
    expect(decision.launches).toEqual(['default: fine'])
  })

  test.each([
    ['a hostname', selecting({ [labelKeys.hostname]: 'n' }), 'restricted label'],
    ['a label of ours that nobody knows', selecting({ 'karpenter.sh/unknown': 'x' }), 'restricted label'],
    ['a capacity type that does not exist', selecting({ [labelKeys.capacityType]: 'free' }), 'unknown values'],
    [
      'a bound that is no number',
      requiring([{ key: 'a', operator: 'Gt', values: ['x'] }]),
      'not one non-negative integer',
    ],
    ['no value for In', requiring([isIn('a')]), 'missing values'],
    ['a value that no label has', requiring([isIn('a', 'not valid')]), 'malformed value'],
    ['an expression of a later alternative', requiring([isIn('a', 'x')], [isIn('a')]), 'missing values'],
  ])('P-ELG-07: %s refuses the pod', (_, constraints, problem) => {
    const [rejection] = decide({ pods: [pod('p', '1', constraints)] }).plan.rejections
    expect([rejection?.verdict, rejection?.reasons]).toMatchObject([
      'ignored',
      [{ _tag: 'InvalidRequirement', problem }],
    ])
  })

  test('P-ELG-07: selecting by fields refuses the pod, a bad preference does not', () => {
    const byField = { requiredNodeTerms: [{ expressions: [], hasMatchFields: true }] }
    expect(decide({ pods: [pod('p', '1', byField)] }).rejections).toEqual(['p ignored: MatchFieldsUnsupported'])
    const wish = preferring([1, { key: labelKeys.hostname, operator: 'In', values: ['n'] }])
    expect(decide({ pods: [pod('p', '1', wish)] }).launches).toHaveLength(1)
  })

  test('P-ELG-07: a capacity type among others that does not exist is passed over', () => {
    const some = requiring([isIn(labelKeys.capacityType, 'free', 'on-demand')])
    expect(decide({ pods: [pod('p', '1', some)] }).launches).toHaveLength(1)
  })

  test('P-ELG-06: pods that want no NodePool are left alone, by selector, requirement or heaviest wish', () => {
    const no = { key: labelKeys.nodePool, operator: 'DoesNotExist' as const }
    expect(decide({ pods: [pod('p', '1', requiring([no]))] }).rejections).toEqual(['p ignored: OptedOut'])
    expect(decide({ pods: [pod('p', '1', preferring([2, no], [1, isIn('a', 'x')]))] }).rejections).toEqual([
      'p ignored: OptedOut',
    ])
    expect(decide({ pods: [pod('p', '1', preferring([1, no], [2, isIn('a', 'x')]))] }).launches).toHaveLength(1)
  })
})

describe('pods of nodes under deletion', () => {
  test.each([
    ['a running pod moves', running, true],
    ['a pod that has finished does not', { ...running, phase: 'Succeeded' as const }, false],
    ['a terminating pod does not', { ...running, ...terminating }, false],
    ['a terminating pod of a StatefulSet does', ownedBy({ ...running, ...terminating }, 'StatefulSet'), true],
    ['a terminating pod of a ReplicaSet does not', ownedBy({ ...running, ...terminating }, 'ReplicaSet'), false],
    ['one of a DaemonSet does not', daemonPod(running), false],
    ['one of the kubelet does not', { ...running, isMirror: true }, false],
    [
      'one that may not be disrupted does not',
      { ...running, disruption: { deletionCost: 0, doNotDisrupt: {} } },
      false,
    ],
    [
      'one whose protection has passed does',
      { ...running, disruption: { deletionCost: 0, doNotDisrupt: { forMs: 5, sinceMs: -9 } } },
      true,
    ],
  ])('P-ELG-03: %s', (_, one, expected) => {
    expect(moves(one)).toBe(expected)
  })

  const budget = (rest: Partial<PodDisruptionBudget>): PodDisruptionBudget => ({
    namespace: 'default',
    name: 'budget',
    selector: { matchLabels: { app: 'web' } },
    disruptionsAllowed: 0,
    unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    ...rest,
  })
  test.each([
    ['none', [], true],
    ['no pod unavailable', [budget({ maxUnavailable: '0' })], false],
    ['0 % unavailable', [budget({ maxUnavailable: '0%' })], false],
    ['100 % available', [budget({ minAvailable: '100%' })], false],
    ['one that is only spent for now', [budget({ maxUnavailable: '1' })], true],
    ['one of another namespace', [budget({ maxUnavailable: '0', namespace: 'other' })], true],
    ['one that selects other pods', [budget({ maxUnavailable: '0', selector: { matchLabels: { app: 'db' } } })], true],
    [
      'two that select the pod, whatever they say',
      [budget({ maxUnavailable: '1' }), budget({ maxUnavailable: '2' })],
      false,
    ],
  ])('P-ELG-04: a pod under a budget: %s', (_, podDisruptionBudgets, expected) => {
    expect(moves(running, { podDisruptionBudgets })).toBe(expected)
  })

  test('P-ELG-04: AlwaysAllow lets pods go that are not ready', () => {
    const podDisruptionBudgets = [budget({ maxUnavailable: '0', unhealthyPodEvictionPolicy: 'AlwaysAllow' })]
    expect(moves({ ...running, isReady: false }, { podDisruptionBudgets })).toBe(true)
    expect(moves(running, { podDisruptionBudgets })).toBe(false)
  })

  test('P-ELG-08: they are not checked as pending pods are: they ran with what they ask for', () => {
    const odd = runningOn(
      'going',
      pod(
        'p',
        '1',
        requiring([{ key: 'team', operator: 'DoesNotExist' }, isIn(labelKeys.capacityType, 'free', 'on-demand')]),
      ),
    )
    expect(moves(odd)).toBe(true)
    const noPool = runningOn('going', pod('p', '1', requiring([{ key: labelKeys.nodePool, operator: 'DoesNotExist' }])))
    const waiting = decide({
      pods: [pod('p', '1', requiring([{ key: labelKeys.nodePool, operator: 'DoesNotExist' }]))],
    })
    expect(waiting.rejections).toEqual(['p ignored: OptedOut'])
    const going = { ...stateNode('going', { cpu: '4' }), isMarkedForDeletion: true, pods: [noPool] }
    expect(decide({ nodes: [going] }).rejections).toEqual(['p unplaced: Incompatible'])
  })
})

describe('a pass', () => {
  test('P-PRV-03: it places pods that wait and those of nodes under deletion, on nodes that stay', () => {
    const going = { ...stateNode('going', { cpu: '8' }), isMarkedForDeletion: true, pods: [running] }
    const decision = decide({ nodes: [going, stateNode('stays', { cpu: '8' })], pods: [pod('q')] })
    expect(decision.placements).toEqual(['stays: p q'])
  })

  test.each([
    ['of a NodeClass that nobody here supports', { isManaged: false }],
    ['that is static', { replicas: 3 }],
    ['that is not ready', { isReady: false }],
    ['that is being deleted', { isDeleting: true }],
  ])('P-PRV-06: a NodePool %s takes no part', (_, change) => {
    const decision = decide({ nodePools: [nodePool('a'), nodePool('z', change)], pods: [pod('p')] })
    expect(decision.launches).toEqual(['a: p'])
    expect(decide({ nodePools: [nodePool('z', change)], pods: [pod('p')] }).plan.failure).toBe('NoNodePools')
  })
})
