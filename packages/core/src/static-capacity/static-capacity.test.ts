import { describe, expect, test } from '@jest/globals'

import type { StateNode } from '../cluster/index.ts'
import {
  ingestNode,
  ingestNodeClaim,
  ingestNodePool,
  ingestPod,
  makePodInterner,
  stateNodeOf,
} from '../ingest/index.ts'
import { coreLabelKnowledge } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirements } from '../requirements/index.ts'
import { nodeClaimObject, nodeObject, nodePoolObject, podObject, type Overrides } from '../testing/index.ts'
import { staticLaunch, StaticPools, type StaticClaim } from './index.ts'

const nowMs = Date.parse('2026-01-02T00:00:00Z')
const claims = (active: number, pending = 0, deleting = 0) => [
  ...Array.from({ length: active }, () => ({ phase: 'Active' as const })),
  ...Array.from({ length: pending }, () => ({ phase: 'PendingDisruption' as const })),
  ...Array.from({ length: deleting }, () => ({ phase: 'Deleting' as const })),
]
const nodes = (limit: string) => Resources.parse({ nodes: limit })

describe('planScaleUp', () => {
  test.each([
    ['nothing yet', { replicas: 3 }, claims(0), { _tag: 'Create', count: 3, isCut: false }],
    ['enough', { replicas: 3 }, claims(3), { _tag: 'Enough' }],
    ['too many', { replicas: 1 }, claims(3), { _tag: 'Enough' }],
    ['scaled to zero', { replicas: 0 }, claims(0), { _tag: 'Enough' }],
    [
      'those on their way out do not count',
      { replicas: 3 },
      claims(2, 0, 4),
      { _tag: 'Create', count: 1, isCut: false },
    ],
    ['one that waits for its replacement counts', { replicas: 3 }, claims(2, 1), { _tag: 'Enough' }],
    ['and is not asked for again', { replicas: 4 }, claims(2, 1), { _tag: 'Create', count: 1, isCut: false }],
    ['the limit cuts', { replicas: 5, limits: nodes('4') }, claims(2), { _tag: 'Create', count: 2, isCut: true }],
    [
      'the limit counts those on their way out',
      { replicas: 5, limits: nodes('4') },
      claims(2, 0, 2),
      { _tag: 'AtLimit', limit: 4 },
    ],
    ['a limit above', { replicas: 2, limits: nodes('9') }, claims(0), { _tag: 'Create', count: 2, isCut: false }],
    [
      'limits on other resources do not bind',
      { replicas: 2, limits: Resources.parse({ cpu: '1' }) },
      claims(0),
      { _tag: 'Create', count: 2, isCut: false },
    ],
  ])('P-STA-02 S-STATIC-03: %s', (_, pool, present, expected) => {
    expect(StaticPools.planScaleUp(pool, present)).toEqual(expected)
  })

  test('S-STATIC-02: only pools with replicas that are managed, Ready and not being deleted scale', () => {
    const pool = (overrides: Overrides) =>
      ingestNodePool(nodePoolObject('static', overrides), { supportsNodeClass: () => true, readiness: 'stated' })
    expect(StaticPools.isScalable(pool({ spec: { replicas: 0 } }))).toBe(true)
    expect(StaticPools.isScalable(pool({}))).toBe(false)
    expect(StaticPools.isScalable(pool({ spec: { replicas: 1 }, status: { conditions: [] } }))).toBe(false)
    expect(
      StaticPools.isScalable(pool({ spec: { replicas: 1 }, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })),
    ).toBe(false)
  })
})

const interner = makePodInterner()
const pod = (name: string, overrides: Overrides = {}) =>
  ingestPod(podObject(name, { cpu: '1' }, { status: { phase: 'Running' }, ...overrides }), interner)
const ofDaemonSet = (name: string, annotations: Record<string, string> = {}) =>
  pod(name, {
    metadata: {
      annotations,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd', controller: true }],
    },
  })
const protectedPod = (name: string) =>
  pod(name, { metadata: { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } } })

const launched = (
  name: string,
  pods: StateNode['pods'],
  { createdAt = '2026-01-01T00:00:00Z', expireAfter = 'Never' } = {},
): StaticClaim => {
  const claim = ingestNodeClaim(
    nodeClaimObject(name, 'static', {
      metadata: { creationTimestamp: createdAt },
      spec: { expireAfter },
      status: { providerID: `test://${name}` },
    }),
  )
  const state = stateNodeOf({
    providerId: `test://${name}`,
    node: ingestNode(nodeObject(name)),
    claim,
    pods,
    isMarked: false,
  })
  return { name, createdAtMs: claim.createdAtMs, phase: 'Active', state }
}
const unlaunched = (name: string, createdAtMs: number): StaticClaim => ({ name, createdAtMs, phase: 'Active' })

describe('planScaleDown', () => {
  test('P-STA-04 S-STATIC-07: claims without a machine go first, then empty nodes, then the cheap, then the protected', () => {
    const present = [
      launched('protected', [protectedPod('p')]),
      launched('busy', [pod('b-1'), pod('b-2')]),
      launched('quiet', [pod('q-1')]),
      launched('daemons', [ofDaemonSet('d-1')]),
      unlaunched('coming-old', 1),
      unlaunched('coming-young', 2),
    ]
    const order = ['coming-young', 'coming-old', 'daemons', 'quiet', 'busy', 'protected']
    for (let kept = 0; kept <= present.length; kept += 1)
      expect(StaticPools.planScaleDown({ replicas: kept }, present, nowMs)).toEqual(
        order.slice(0, present.length - kept),
      )
  })

  test('S-STATIC-07: a node with only daemons is not empty while one of them asks not to be disrupted', () => {
    const present = [
      launched('a', [ofDaemonSet('d', { 'karpenter.sh/do-not-disrupt': 'true' })]),
      launched('b', [pod('p')]),
    ]
    expect(StaticPools.planScaleDown({ replicas: 1 }, present, nowMs)).toEqual(['b'])
  })

  test('S-STATIC-07: a node near the end of its life costs less to empty', () => {
    const present = [
      launched('young', [pod('p')], { expireAfter: '720h', createdAt: '2026-01-01T23:00:00Z' }),
      launched('old', [pod('q'), pod('r')], { expireAfter: '25h', createdAt: '2026-01-01T00:00:00Z' }),
    ]
    expect(StaticPools.planScaleDown({ replicas: 1 }, present, nowMs)).toEqual(['old'])
  })

  test('S-STATIC-06: claims that wait for their replacement or are on their way out are no excess', () => {
    const present: ReadonlyArray<StaticClaim> = [
      launched('a', []),
      { ...launched('b', []), phase: 'PendingDisruption' },
      { ...launched('c', []), phase: 'Deleting' },
    ]
    expect(StaticPools.planScaleDown({ replicas: 1 }, present, nowMs)).toEqual([])
  })

  test('P-STA-04: equal nodes go by name, whatever their order', () => {
    const present = ['c', 'a', 'b'].map((name) => launched(name, []))
    expect(StaticPools.planScaleDown({ replicas: 1 }, present, nowMs)).toEqual(['a', 'b'])
  })
})

describe('phaseOf', () => {
  test('P-CST-08 S-STATIC-10: a claim is in exactly one phase', () => {
    const claim = ingestNodeClaim(nodeClaimObject('c', 'static'))
    const disrupted = ingestNodeClaim(
      nodeClaimObject('c', 'static', {
        status: {
          conditions: [
            {
              type: 'DisruptionReason',
              status: 'True',
              reason: 'Drifted',
              message: '',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
        },
      }),
    )
    expect(StaticPools.phaseOf(claim, false)).toBe('Active')
    expect(StaticPools.phaseOf(disrupted, false)).toBe('PendingDisruption')
    expect(StaticPools.phaseOf(disrupted, true)).toBe('Deleting')
    expect(StaticPools.phaseOf({ ...claim, deletionTimestampMs: 1 }, false)).toBe('Deleting')
  })
})

describe('staticLaunch', () => {
  test('P-STA-03 S-STATIC-04: states the template and names neither types nor requests', () => {
    const pool = ingestNodePool(
      nodePoolObject('static', {
        spec: {
          replicas: 2,
          template: {
            metadata: { labels: { team: 'x' }, annotations: { note: 'y' } },
            spec: {
              requirements: [
                { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] },
                { key: 'rack', operator: 'In', values: ['2', '1'] },
              ],
            },
          },
        },
      }),
      { supportsNodeClass: () => true, readiness: 'stated' },
    )
    const launch = staticLaunch(pool, {
      knowledge: coreLabelKnowledge,
      unsupportedTopologyKeys: new Set(),
      unsupportedProvisioners: new Set(),
    })
    expect(launch.labels).toEqual({ team: 'x', rack: '1', 'karpenter.sh/nodepool': 'static' })
    expect(launch.annotations).toEqual({ note: 'y' })
    expect(launch.requests).toEqual({})
    expect([...launch.requirements.byKey.keys()].sort()).toEqual([
      'karpenter.sh/nodepool',
      'rack',
      'team',
      'topology.kubernetes.io/zone',
    ])
    expect(Requirements.has(launch.requirements, 'node.kubernetes.io/instance-type')).toBe(false)
  })
})
