import { describe, expect, test } from '@jest/globals'
import { Requirements, type DisruptionCommand } from '@scantling/core'
import { instanceType } from '@scantling/core/testing'
import { commandFacts, decisionOf, renderCommand, renderForNode, snakeCase } from './command-text.ts'

const candidate = (node: string, nodePool = 'default') => ({
  node,
  claim: `${node}-claim`,
  nodePool,
  pricePerHour: 1,
  rescheduleCost: 1,
})
const replacement = (types: number, capacityTypes: ReadonlyArray<string>) => ({
  nodePool: 'default',
  requirements: Requirements.fromSpecs([
    { key: 'karpenter.sh/capacity-type', operator: 'In', values: [...capacityTypes] },
  ]),
  instanceTypes: Array.from({ length: types }, (_, index) => instanceType(`t-${index}`, 4)),
})
const running = (nodes: ReadonlyArray<ReturnType<typeof candidate>>, replacements: ReadonlyArray<unknown>) => ({
  id: 'f0e1',
  reason: 'Underutilized',
  command: {
    reason: 'Underutilized',
    candidates: nodes,
    replacements,
    savingsPerHour: 0.123456,
  } as unknown as DisruptionCommand,
})
const about = {
  pods: 7,
  labelsOf: () => ({ 'node.kubernetes.io/instance-type': 'm5', 'karpenter.sh/capacity-type': 'spot' }),
}

describe('a command in words', () => {
  test('D-LOOP-15: names reason, decision, NodePools, nodes, replacements and savings to two decimals', () => {
    expect(renderCommand(running([candidate('a'), candidate('b', 'other')], [replacement(1, ['spot'])]))).toBe(
      'underutilized/f0e1: replace, NodePools [default, other], nodes [a, b] -> 1 replacement, savings 0.12 per hour',
    )
    expect(renderCommand(running([candidate('a')], []))).toBe(
      'underutilized/f0e1: delete, NodePools [default], nodes [a], savings 0.12 per hour',
    )
  })

  test('D-LOOP-15: for one node of several, names that node alone', () => {
    expect(renderForNode(running([candidate('a'), candidate('b')], []), 'b')).toBe(
      'underutilized/f0e1: delete b, part of a disruption of 2 nodes',
    )
    expect(renderForNode(running([candidate('a')], []), 'a')).toBe('underutilized/f0e1: delete a')
  })

  test('D-LOOP-11: nodes with replacements are replaced, others deleted', () => {
    expect(decisionOf(running([candidate('a')], [replacement(1, [])]).command)).toBe('replace')
    expect(decisionOf(running([candidate('a')], []).command)).toBe('delete')
  })
})

describe('a command in the log', () => {
  test('D-LOOP-14: counts nodes, replacements and pods, and names what each node is', () => {
    expect(commandFacts(running([candidate('a')], []), about)).toEqual({
      'command-id': 'f0e1',
      reason: 'underutilized',
      decision: 'delete',
      'disrupted-node-count': 1,
      'replacement-node-count': 0,
      'pod-count': 7,
      'disrupted-nodes': [{ Node: 'a', NodeClaim: 'a-claim', 'instance-type': 'm5', 'capacity-type': 'spot' }],
      'replacement-nodes': [],
      'savings-per-hour': 0.12346,
    })
  })

  test('D-LOOP-14: names the first five types of a single replacement, and what it is bought as if all is on offer', () => {
    const facts = (replacements: ReadonlyArray<unknown>) =>
      commandFacts(running([candidate('a')], replacements), about)['replacement-nodes']
    expect(facts([replacement(7, ['on-demand', 'spot'])])).toEqual([
      { 'capacity-type': 'spot', 'instance-types': 't-0, t-1, t-2, t-3, t-4 and 2 others' },
    ])
    expect(facts([replacement(2, ['reserved', 'on-demand', 'spot']), replacement(2, ['on-demand'])])).toEqual([
      { 'capacity-type': 'reserved' },
      { 'capacity-type': 'on-demand' },
    ])
  })

  test.each([
    ['WhenEmptyOrUnderutilized', 'when_empty_or_underutilized'],
    ['Empty', 'empty'],
    ['spot_interrupted', 'spot_interrupted'],
  ])('D-QUEUE-12: metrics write %s as %s', (text, written) => {
    expect(snakeCase(text)).toBe(written)
  })
})
