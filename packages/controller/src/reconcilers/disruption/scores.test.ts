import { describe, expect, test } from '@jest/globals'
import { planDisruption, type DisruptionMethod } from '@scantling/core'
import { managedNode, nodePool, runningPod, sceneOf } from '@scantling/core/testing'
import { silentLog } from '../../../test/silent-log.ts'
import type { EventRecord } from '../../events/index.ts'
import { makeMetrics } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { countRejected, tellApproved } from './scores.ts'

const poolOf = (name: string, consolidationPolicy: 'Balanced' | 'WhenEmptyOrUnderutilized') =>
  nodePool(name, { disruption: { consolidationPolicy, consolidateAfterMs: 0, budgets: [] } })
const pods = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => runningPod(`${name}-${index}`, { cpu: '100m' }))

/** What is told of the plan that the method makes. */
const toldOf = async (scene: Parameters<typeof sceneOf>[0], method: DisruptionMethod) => {
  const { commands, blocked } = planDisruption(sceneOf(scene), { strategy: 'reference', methods: [method] })
  const metrics = makeMetrics()
  const events: Array<EventRecord> = []
  const logged: Array<unknown> = []
  const there = { get: (name: string) => ({ metadata: { name, uid: name } }) }
  const context = {
    metrics,
    events: { record: (event: EventRecord) => void events.push(event) },
    caches: { nodes: there, nodeClaims: there, nodePools: there },
    log: { ...silentLog, debug: (_: string, fields: unknown) => void logged.push(fields) },
  } as unknown as ReconcilerContext
  countRejected(context, blocked)
  for (const command of commands) tellApproved(context, command)
  const lines = (await metrics.render())
    .split('\n')
    .filter((line) => /^karpenter_consolidation_(moves|score_sum)/.test(line))
  return { commands, events, logged, lines: lines.map((line) => line.replace('karpenter_consolidation_', '')).sort() }
}

describe('the score of a move', () => {
  test('D-BAL-10 D-BAL-12: of one node is counted, told on Node and NodeClaim, and logged with what it is made of', async () => {
    const nodes = [
      managedNode('cheap', { type: 'small', cpu: 2, pods: pods('cheap', 9) }),
      managedNode('dear', { pods: pods('dear', 1) }),
    ]
    const scene = { nodePools: [poolOf('default', 'Balanced')], nodes }
    const { commands, events, logged, lines } = await toldOf(scene, 'single-node-consolidation')
    expect(commands.map(({ candidates }) => candidates.map(({ node }) => node))).toEqual([['dear']])
    expect(lines).toEqual([
      'moves_total{decision="approved",nodepool="default",policy="Balanced"} 1',
      expect.stringMatching(/^score_sum\{decision="approved",nodepool="default",policy="Balanced"\} [\d.]+$/),
    ])
    expect(events.map(({ on, reason }) => `${on.kind} ${reason}`)).toEqual([
      'Node ConsolidationApproved',
      'NodeClaim ConsolidationApproved',
    ])
    expect(events[0]?.message).toMatch(
      /^Moving one node is worth it: it saves [\d.]+% .* for [\d.]+% .* score of [\d.]+/,
    )
    expect(logged).toEqual([
      expect.objectContaining({ NodePool: 'default', threshold: 0.5, k: 2, candidates: 1, score: expect.any(Number) }),
    ])
  })

  test('D-BAL-10: a refusal is counted and not told', async () => {
    const nodes = [
      managedNode('cheap', { type: 'small', cpu: 2, pods: pods('cheap', 9) }),
      managedNode('other', { pods: pods('other', 1), conditions: [] }),
    ]
    const scene = { nodePools: [poolOf('default', 'Balanced')], nodes }
    const { commands, events, lines } = await toldOf(scene, 'single-node-consolidation')
    expect([commands, events]).toEqual([[], []])
    expect(lines).toEqual([
      'moves_total{decision="rejected",nodepool="default",policy="Balanced"} 1',
      expect.stringMatching(/^score_sum\{decision="rejected"/),
    ])
  })

  test('D-BAL-10: a move of another policy is counted, without a score, and not told', async () => {
    const scene = {
      nodePools: [poolOf('default', 'WhenEmptyOrUnderutilized')],
      nodes: [managedNode('one', { pods: pods('one', 1) }), managedNode('two', { pods: pods('two', 1) })],
    }
    const { events, logged, lines } = await toldOf(scene, 'single-node-consolidation')
    expect(lines).toEqual(['moves_total{decision="approved",nodepool="default",policy="WhenEmptyOrUnderutilized"} 1'])
    expect([events, logged]).toEqual([[], []])
  })

  test('D-BAL-11: of several nodes is counted for each NodePool, and told on those that weighed it, by their own share', async () => {
    const nodes = ['balanced', 'free', 'balanced'].map((poolName, index) =>
      managedNode(`node-${index}`, { poolName, pods: pods(`node-${index}`, 1) }),
    )
    const scene = { nodePools: [poolOf('balanced', 'Balanced'), poolOf('free', 'WhenEmptyOrUnderutilized')], nodes }
    const { commands, events, lines } = await toldOf(scene, 'multi-node-consolidation')
    expect(commands[0]?.candidates.map(({ nodePool }) => nodePool)).toEqual(['balanced', 'free'])
    expect(lines).toEqual([
      'moves_total{decision="approved",nodepool="balanced",policy="Balanced"} 1',
      'moves_total{decision="approved",nodepool="free",policy="WhenEmptyOrUnderutilized"} 1',
      expect.stringMatching(/^score_sum\{decision="approved",nodepool="balanced"/),
    ])
    expect(events.map(({ on, reason }) => `${on.kind} ${on.name} ${reason}`)).toEqual([
      'NodePool balanced ConsolidationApproved',
    ])
  })
})
