import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from '@jest/globals'
import type { Budget, NodePool, StateNode } from '../cluster/index.ts'
import { ingestNode, ingestNodeClaim, ingestNodePool } from '../ingest/index.ts'
import { nodeClaimObject, nodeObject, nodePoolObject } from '../testing/index.ts'
import { allowances, allowedDisruptions, isBudgetActive } from './index.ts'

const minute = 60_000
const noonMs = Date.UTC(2026, 0, 1, 12)
const window = (durationMs: number, schedule = '0 12 * * *'): Budget => ({ nodes: '1', schedule, durationMs })
const allowed = (budgets: ReadonlyArray<Budget>, nodes = 10, nowMs = noonMs) =>
  allowedDisruptions(budgets, 'Empty', { nowMs, nodes })

describe('a budget', () => {
  test.each([
    ['before its hour', -1, false],
    ['at its hour', 0, true],
    ['just before its end', 10 * minute - 1, true],
    ['at its end', 10 * minute, false],
  ])('D-BUDG-05 P-NPR-07 %s', (_, offsetMs, expected) => {
    expect(isBudgetActive(window(10 * minute), noonMs + offsetMs)).toEqual(E.right(expected))
  })

  test('D-BUDG-05 is always active without a schedule, and with a window longer than its recurrence', () => {
    expect(isBudgetActive({ nodes: '1' }, noonMs)).toEqual(E.right(true))
    for (let offset = 0; offset < 120; offset += 7)
      expect(isBudgetActive(window(61 * minute, '@hourly'), noonMs + offset * minute)).toEqual(E.right(true))
  })

  test.each([
    ['0', 10, 0],
    ['3', 10, 3],
    ['30', 10, 30],
    ['0%', 10, 0],
    ['10%', 10, 1],
    ['10%', 11, 2],
    ['1%', 1, 1],
    ['100%', 7, 7],
    ['10%', 0, 0],
    ['-1', 10, 0],
    ['many', 10, 0],
  ])('D-BUDG-03 P-NPR-08 of %s for %i nodes allows %i', (nodes, count, expected) => {
    expect(allowed([{ nodes }], count)).toBe(expected)
  })

  test('D-BUDG-01 the least of those that are active counts; none bind nothing', () => {
    expect(allowed([])).toBe(Infinity)
    expect(allowed([{ nodes: '5' }, { nodes: '20%' }, { nodes: '7' }])).toBe(2)
    expect(allowed([{ nodes: '5' }, window(minute)], 10, noonMs + minute)).toBe(5)
    expect(allowed([{ nodes: '5' }, window(minute)], 10, noonMs)).toBe(1)
    expect(allowed([window(minute)], 10, noonMs + minute)).toBe(Infinity)
  })

  test('D-BUDG-02 speaks of every reason, or of those it names, or of none', () => {
    expect(allowed([{ nodes: '1', reasons: ['Empty'] }])).toBe(1)
    expect(allowed([{ nodes: '1', reasons: ['Drifted', 'Underutilized'] }])).toBe(Infinity)
    expect(allowed([{ nodes: '1', reasons: [] }])).toBe(Infinity)
  })

  test('D-BUDG-06 that cannot be read keeps every node, whatever reasons it names', () => {
    const broken: Budget = { nodes: '5', reasons: ['Drifted'], schedule: '61 * * * *', durationMs: minute }
    expect(allowed([{ nodes: '5' }, broken])).toBe(0)
  })
})

describe('what is left of a NodePool’s budget', () => {
  const pool: NodePool = {
    ...ingestNodePool(nodePoolObject('pool'), { supportsNodeClass: () => true, readiness: 'stated' }),
    disruption: { consolidationPolicy: 'WhenEmpty', budgets: [{ nodes: '50%' }] },
  }
  const state = (
    name: string,
    {
      ready = true,
      initialized = true,
      isManaged = true,
      isMarkedForDeletion = false,
      ending = false,
      nodePool = 'pool',
    } = {},
  ): StateNode => ({
    name,
    providerId: `test://${name}`,
    node: ingestNode(
      nodeObject(name, {
        metadata: {
          labels: {
            'karpenter.sh/nodepool': nodePool,
            'karpenter.sh/registered': 'true',
            ...(initialized && { 'karpenter.sh/initialized': 'true' }),
          },
        },
        ...(!ready && { status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Lost' }] } }),
      }),
    ),
    claim: ingestNodeClaim(
      nodeClaimObject(name, nodePool, {
        ...(ending && {
          status: { conditions: [{ type: 'InstanceTerminating', status: 'True', reason: 'x', message: '' }] },
        }),
      }),
    ),
    isManaged,
    isMarkedForDeletion,
    pods: [],
    volumeLimits: new Map(),
  })
  const of = (...nodes: ReadonlyArray<StateNode>) => allowances([pool], nodes, 'Empty', noonMs).get('pool')

  test('D-BUDG-07 counts initialized nodes of ours whose instance is not ending yet', () => {
    const counted = [state('a'), state('b')]
    expect(of(...counted)).toEqual({ allowed: 1, consumed: 0, left: 1 })
    const rest = [
      state('starting', { initialized: false }),
      state('foreign', { isManaged: false }),
      state('ending', { ending: true, isMarkedForDeletion: true }),
      state('elsewhere', { nodePool: 'other' }),
    ]
    expect(of(...counted, ...rest)).toEqual({ allowed: 1, consumed: 0, left: 1 })
  })

  test('D-BUDG-08 nodes that are going or not Ready use it up, each once', () => {
    const nodes = [
      state('a'),
      state('b'),
      state('c', { ready: false }),
      state('d', { isMarkedForDeletion: true, ready: false }),
    ]
    expect(of(...nodes)).toEqual({ allowed: 2, consumed: 2, left: 0 })
  })

  test('D-BUDG-09 is never negative', () => {
    expect(of(state('a', { ready: false }), state('b', { ready: false }))).toEqual({ allowed: 1, consumed: 2, left: 0 })
  })

  test('D-BUDG-07 of a pool without nodes is there', () => {
    expect(of()).toEqual({ allowed: 0, consumed: 0, left: 0 })
  })
})
