import { describe, expect, test } from '@jest/globals'
import { decisionOf } from './decisions.ts'

describe('decisionOf()', () => {
  test('says what is bought, for what, and from which price on', () => {
    const line = {
      level: 'INFO',
      message: 'Created NodeClaim',
      NodeClaim: { name: 'default-abc' },
      NodePool: { name: 'default' },
      requests: { cpu: '5', memory: '2560Mi', pods: '10' },
      'instance-types': 'c6a.2xlarge, t3a.2xlarge and 463 others',
      'price-per-hour': 0.0877,
    }
    expect(decisionOf(JSON.stringify(line))).toBe(
      'NodeClaim default-abc (pool default) for cpu 5, memory 2.5Gi: the cheapest of c6a.2xlarge, t3a.2xlarge and 463 others from $0.0877/h',
    )
  })

  test('counts what was planned', () => {
    const line = { message: 'Planned', pods: 12, 'new-nodeclaims': 1, 'existing-nodes': 0, unplaced: 0, seconds: 0.1 }
    expect(decisionOf(JSON.stringify(line))).toBe(
      'Planned 12 pods: 1 new machine, 0 existing nodes for some, 0 without a place (100 ms)',
    )
  })

  test('shows warnings and errors, passes over the rest, and survives lines that are no log', () => {
    expect(decisionOf('{"level":"WARN","message":"Cannot list instances","error":"refused"}')).toBe(
      'Cannot list instances: refused',
    )
    expect(decisionOf('{"level":"INFO","message":"Connected to the API server"}')).toBeUndefined()
    expect(decisionOf('{"level":"WARN","message":"The event loop was blocked"}')).toBeUndefined()
    expect(decisionOf('Debugger attached.')).toBeUndefined()
  })
})
