import { describe, expect, test } from '@jest/globals'
import { Conditions, type Condition } from './index.ts'

const at = { nowMs: 5000, createdAtMs: 1000, generation: 2, dependents: ['Launched', 'Registered'] }
const condition = (type: string, status: Condition['status'], more: Partial<Condition> = {}): Condition => ({
  type,
  status,
  reason: type,
  message: '',
  lastTransitionAtMs: 2000,
  observedGeneration: 2,
  ...more,
})

describe('Conditions.apply()', () => {
  test('moves the transition time with the status, and with nothing else', () => {
    const before = [condition('Launched', 'Unknown', { observedGeneration: 1 })]
    const same = { type: 'Launched', status: 'Unknown', reason: 'LaunchFailed', message: 'no' } as const
    expect(Conditions.apply(before, [same], at)).toEqual([{ ...same, lastTransitionAtMs: 2000, observedGeneration: 2 }])
    expect(Conditions.apply(before, [{ type: 'Launched', status: 'True' }], at)).toEqual([
      condition('Launched', 'True', { lastTransitionAtMs: 5000 }),
    ])
  })

  test('C-API-12 a dependent first reported Unknown counts from the creation, others from now', () => {
    const made = (type: string, status: Condition['status']) =>
      Conditions.apply([], [{ type, status }], at)[0]?.lastTransitionAtMs
    expect(made('Registered', 'Unknown')).toBe(1000)
    expect(made('Registered', 'True')).toBe(5000)
    expect(made('Drained', 'Unknown')).toBe(5000)
  })

  test('removes, sorts, and leaves its input alone', () => {
    const before = [condition('Registered', 'True'), condition('Consolidatable', 'True')]
    expect(Conditions.apply(before, [{ type: 'Consolidatable', status: 'Absent' }], at)).toEqual([
      condition('Registered', 'True'),
    ])
    expect(Conditions.apply(before, [], at).map(({ type }) => type)).toEqual(['Consolidatable', 'Registered'])
    expect(before.map(({ type }) => type)).toEqual(['Registered', 'Consolidatable'])
  })

  test('applied twice it changes nothing', () => {
    const changes = [
      { type: 'Launched', status: 'True' },
      { type: 'Drained', status: 'Unknown', reason: 'Draining' },
    ] as const
    const once = Conditions.apply([], changes, at)
    expect(Conditions.apply(once, changes, { ...at, nowMs: 9000 })).toEqual(once)
  })
})

describe('Conditions.rollUp()', () => {
  const statuses = ['True', 'False', 'Unknown', 'stale', 'absent'] as const

  test('C-API-11 Ready is False with any dependent, True with all, Unknown otherwise, for every combination', () => {
    for (const a of statuses)
      for (const b of statuses) {
        const list = (
          [
            ['Launched', a],
            ['Registered', b],
          ] as const
        ).flatMap(([type, status]) =>
          status === 'absent'
            ? []
            : [
                condition(
                  type,
                  status === 'stale' ? 'True' : status,
                  status === 'stale' ? { observedGeneration: 1 } : {},
                ),
              ],
        )
        const expected = a === 'False' || b === 'False' ? 'False' : a === 'True' && b === 'True' ? 'True' : 'Unknown'
        expect([a, b, Conditions.rollUp(list, at.dependents, 2).status]).toEqual([a, b, expected])
      }
  })

  test('C-API-11 names the dependents that keep it from being True', () => {
    const list = [condition('Launched', 'False', { message: 'no capacity' }), condition('Registered', 'False')]
    expect(Conditions.rollUp(list, at.dependents, 2)).toEqual({
      type: 'Ready',
      status: 'False',
      reason: 'UnhealthyDependents',
      message: 'Launched=False, no capacity; Registered=False, Registered',
    })
    expect(Conditions.rollUp([], at.dependents, 2)).toMatchObject({
      reason: 'ReconcilingDependents',
      message: 'Launched=Unknown; Registered=Unknown',
    })
  })

  test('a condition that is not reported is Unknown', () => {
    expect(Conditions.isUnknown([], 'Launched')).toBe(true)
    expect(Conditions.isTrue([], 'Launched')).toBe(false)
    expect(Conditions.isUnknown([condition('Launched', 'False')], 'Launched')).toBe(false)
  })
})
