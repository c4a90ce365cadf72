import { describe, expect, test } from '@jest/globals'

import { ingestPod, makePodInterner } from '../ingest/index.ts'
import type { InstanceType, Offering } from '../instance/index.ts'
import { coreLabelKnowledge } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { forecastLaunch } from '../scheduling/index.ts'
import type { Launch, Reason, Rejection } from '../scheduling/index.ts'
import { podObject } from '../testing/index.ts'
import {
  groupRejections,
  renderReason,
  renderRejection,
  renderRejectionTable,
  renderSummary,
  utilization,
} from './index.ts'

const pod = (name: string) => ingestPod(podObject(name, { cpu: '1' }), makePodInterner())
const rejection = (name: string, reason: Reason, ...more: ReadonlyArray<Reason>): Rejection => ({
  pod: pod(name),
  verdict: 'unplaced',
  reasons: [reason, ...more],
  mayResolveByWaiting: false,
})
const untolerated: Reason = {
  _tag: 'UntoleratedTaints',
  nodePool: 'gpu',
  taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }],
}
const misfit: Reason = {
  _tag: 'NoInstanceTypeFits',
  nodePool: 'general',
  considered: 12,
  meetRequirements: 9,
  haveRoom: 0,
  haveOffering: 10,
  overLimit: 0,
  requirements: Requirements.empty,
  requests: Resources.parse({ cpu: '200', pods: '1' }),
  closest: { instanceType: 'm5.24xlarge', resource: 'cpu', requested: '200', allocatable: '95690m' },
}

describe('renderRejection()', () => {
  test('P-FLT-10: says in one sentence, NodePool by NodePool, why there is no place', () => {
    const sentence = renderRejection(rejection('web', untolerated, misfit))
    expect(sentence).toBe(
      'Pod default/web has no place: NodePool gpu: the pod does not tolerate the taint team=a:NoSchedule; ' +
        'NodePool general: all of its 12 instance types are too small for cpu 200; ' +
        'the closest, m5.24xlarge, has cpu 95690m of the 200 needed',
    )
  })

  test('P-ELG-05: tells a pod that was refused from one that found no place', () => {
    const refused: Rejection = { ...rejection('web', { _tag: 'OptedOut' }), verdict: 'ignored' }
    expect(renderRejection(refused)).toBe(
      'Pod default/web is not planned for: the pod asks for nodes that no NodePool manages',
    )
  })

  test('P-FLT-05: says which test the types fail: requirements, room, offers, or no two together', () => {
    const text = (change: object) => renderReason({ ...misfit, haveRoom: 12, ...change } as Reason)
    const zone = Requirements.of([Requirement.isIn('zone', ['z'])])
    expect(text({ meetRequirements: 0, requirements: zone })).toContain('none of 12 instance types meets zone In [z]')
    expect(text({ haveOffering: 0 })).toContain('can be bought at present')
    expect(text({ haveRoom: 3 })).toContain('9 meet the requirements, 3 have room, 10 can be bought')
  })

  test('P-FLT-08: names the limit that is reached', () => {
    expect(renderReason({ _tag: 'LimitReached', nodePool: 'p', resource: 'cpu', remaining: '2', smallest: '4' })).toBe(
      'NodePool p: its limit leaves cpu 2, and its smallest type would add 4',
    )
  })

  test('P-FLT-07: names the constraint and the count of each domain', () => {
    const reason: Reason = {
      _tag: 'TopologyUnsatisfied',
      nodePool: 'p',
      kind: 'spread',
      topologyKey: 'zone',
      domains: [
        { domain: 'a', pods: 2 },
        { domain: 'b', pods: 1 },
      ],
      maxSkew: 1,
    }
    expect(renderReason(reason)).toBe(
      'NodePool p: its spread over zone with maxSkew 1 leaves no domain (a has 2, b has 1)',
    )
  })

  test('says how many places of volumes are tried (W42)', () => {
    const reason: Reason = { _tag: 'TooManyVolumePlaces', claims: ['default/a', 'default/b'], most: 1000 }
    expect(renderReason(reason)).toContain(
      'its volume claims default/a, default/b can be combined in more than 1000 places',
    )
  })

  test('P-VTP-05: says what is wrong with a volume claim and what to use', () => {
    const reason: Reason = { _tag: 'VolumeClaimRefused', claim: 'data', problem: 'unbound with immediate binding' }
    expect(renderReason(reason)).toContain('its volume claim data is not bound')
    expect(renderReason(reason)).toContain('use volumeBindingMode WaitForFirstConsumer')
  })

  test('tells a label nobody defines from one with other values', () => {
    const demand = Requirement.isIn('team', ['a'])
    const undefinedLabel: Reason = {
      _tag: 'Incompatible',
      nodePool: 'p',
      conflicts: [{ _tag: 'UndefinedLabel', key: 'team', demand }],
    }
    expect(renderReason(undefinedLabel)).toContain('team In [a], a label that the NodePool does not define')
    const supply = Requirement.isIn('team', ['b'])
    const other: Reason = { ...undefinedLabel, conflicts: [{ _tag: 'NoCommonValue', key: 'team', demand, supply }] }
    expect(renderReason(other)).toContain('team In [a], where only team In [b] is possible')
  })
})

test('renderRejectionTable() shows how far each NodePool came', () => {
  const lines = renderRejectionTable(rejection('web', untolerated, misfit)).split('\n')
  expect(lines[0]).toMatch(/^NODEPOOL +TYPES +MATCH +ROOM +ON SALE +WHY NOT$/)
  expect(lines[2]).toMatch(/^general +12 +9 +0 +10 {2}all of its 12/)
})

test('groupRejections() puts equal reasons together, the largest group first', () => {
  const groups = groupRejections([rejection('a', misfit), rejection('b', untolerated), rejection('c', untolerated)])
  expect(groups.map(({ rejections }) => rejections.map(({ pod: { name } }) => name))).toEqual([['b', 'c'], ['a']])
})

const offering = (
  zone: string,
  capacityType: string,
  pricePerHour: number,
  more: Partial<Offering> = {},
): Offering => ({
  requirements: Requirements.of([
    Requirement.isIn('topology.kubernetes.io/zone', [zone]),
    Requirement.isIn('karpenter.sh/capacity-type', [capacityType]),
  ]),
  pricePerHour,
  ...more,
})
const launch = (offerings: ReadonlyArray<Offering>, demand: ReadonlyArray<Requirement> = []): Launch => {
  const type: InstanceType = {
    name: 'm5.large',
    requirements: Requirements.empty,
    capacity: Resources.parse({ cpu: '2', memory: '8Gi' }),
    overhead: {
      kubeReserved: Resources.parse({ cpu: '500m' }),
      systemReserved: Resources.empty,
      evictionThreshold: Resources.empty,
    },
    offerings,
  }
  return {
    nodePool: 'p',
    pods: [pod('web')],
    requirements: Requirements.of(demand),
    instanceTypes: [type],
    requests: Resources.parse({ cpu: '750m' }),
    taints: [],
    startupTaints: [],
    labels: {},
    annotations: {},
    pricePerHour: 0.1,
  }
}

describe('forecastLaunch()', () => {
  const offers = [
    offering('a', 'on-demand', 0.3),
    offering('b', 'spot', 0.1, { unavailable: { reason: 'SoldOut' } }),
    offering('c', 'spot', 0.2),
    offering('d', 'reserved', 0.01, { reservation: { remaining: 0, observedAtMs: 0 } }),
  ]

  test('takes the cheapest place that is for sale', () => {
    expect(forecastLaunch(launch(offers), coreLabelKnowledge)).toMatchObject({
      zone: 'c',
      capacityType: 'spot',
      pricePerHour: 0.2,
    })
  })

  test('keeps to what the launch allows', () => {
    const onDemand = Requirement.isIn('karpenter.sh/capacity-type', ['on-demand'])
    expect(forecastLaunch(launch(offers, [onDemand]), coreLabelKnowledge).zone).toBe('a')
  })

  test('knows what pods may use', () => {
    const { allocatable } = forecastLaunch(launch(offers), coreLabelKnowledge)
    expect(utilization(Resources.parse({ cpu: '750m' }), allocatable, 'cpu')).toBe(0.5)
    expect(utilization(Resources.empty, allocatable, 'example.com/gpu')).toBe(0)
  })
})

test('renderSummary() counts nodes, pods and cost', () => {
  const stats = { pods: 1, classes: 1, attempts: 1, relaxedPods: [] }
  const nothing = { launches: [], placements: [], rejections: [], stats }
  expect(renderSummary(nothing)).toBe('Nothing to do')
  expect(
    renderSummary({
      ...nothing,
      launches: [launch([])],
      placements: [{ node: 'n', pods: [pod('a'), pod('b')] }],
      rejections: [rejection('c', misfit)],
    }),
  ).toBe('Launch 1 node for 1 pod at 0.1000 an hour; 2 pods fit nodes that exist; 1 pod has no place')
})
