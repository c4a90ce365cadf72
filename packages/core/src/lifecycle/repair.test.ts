import { describe, expect, test } from '@jest/globals'
import type { NodeState } from '../cluster/index.ts'
import { ingestNode } from '../ingest/index.ts'
import { nodeObject } from '../testing/index.ts'
import { isRepairSafe, repairDue } from './index.ts'

const policies = [
  { conditionType: 'Ready', status: 'False', tolerationMs: 600_000 },
  { conditionType: 'Ready', status: 'Unknown', tolerationMs: 600_000 },
  { conditionType: 'BadDisk', status: 'True', tolerationMs: 60_000 },
] as const

const nodeWith = (conditions: Record<string, readonly [status: string, sinceMs: number]>): NodeState =>
  ingestNode(
    nodeObject('node', {
      status: {
        conditions: Object.entries(conditions).map(([type, [status, sinceMs]]) => ({
          type,
          status,
          reason: type,
          message: '',
          lastTransitionTime: new Date(sinceMs).toISOString(),
        })),
      },
    }),
  )

describe('repairDue()', () => {
  test('H-HEALTH-03 takes the condition whose patience ends first', () => {
    const due = (conditions: Parameters<typeof nodeWith>[0]) => {
      const found = repairDue(nodeWith(conditions), policies)
      return found && [found.condition.type, found.atMs]
    }
    expect(due({ Ready: ['True', 0] })).toBeUndefined()
    expect(due({ BadDisk: ['False', 0] })).toBeUndefined()
    expect(due({ Other: ['True', 0] })).toBeUndefined()
    expect(due({ Ready: ['Unknown', 5000] })).toEqual(['Ready', 605_000])
    expect(due({ Ready: ['False', 0], BadDisk: ['True', 100_000] })).toEqual(['BadDisk', 160_000])
    expect(due({ Ready: ['False', 0], BadDisk: ['True', 541_000] })).toEqual(['Ready', 600_000])
  })

  test('a condition with a deadline says by when the machine goes', () => {
    const announced = { conditionType: 'Preempted', status: 'True', tolerationMs: 0, deadlineMs: () => 90_000 } as const
    expect(repairDue(nodeWith({ Preempted: ['True', 0] }), [announced])).toMatchObject({ atMs: 0, deadlineMs: 90_000 })
  })
})

describe('isRepairSafe()', () => {
  test('H-HEALTH-04 as long as at most a fifth, rounded up, is unhealthy, patience or not', () => {
    const ill = nodeWith({ Ready: ['False', 0] })
    const well = nodeWith({ Ready: ['True', 0] })
    const most = (count: number) => {
      let allowed = 0
      for (let bad = 1; bad <= count; bad++) {
        const nodes = Array.from({ length: count }, (_, index) => (index < bad ? ill : well))
        if (isRepairSafe(nodes, policies)) allowed = bad
      }
      return allowed
    }
    expect([1, 2, 5, 6, 10, 11, 15, 35].map(most)).toEqual([1, 1, 1, 2, 2, 3, 3, 7])
    expect(isRepairSafe([], policies)).toBe(true)
  })

  test('H-HEALTH-04 machines that the cloud takes away do not count', () => {
    const announced = { conditionType: 'Preempted', status: 'True', tolerationMs: 0, deadlineMs: () => 1 } as const
    const going = nodeWith({ Preempted: ['True', 0] })
    expect(isRepairSafe([going, going, going], [announced])).toBe(true)
  })
})
