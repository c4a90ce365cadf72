import { describe, expect, test } from '@jest/globals'

import type { PodConstraints } from '../cluster/index.ts'
import { unconstrained } from '../testing/index.ts'
import { relaxed } from './relaxation.ts'

const term = (zone: string) => ({
  expressions: [{ key: 'zone', operator: 'In' as const, values: [zone] }],
  hasMatchFields: false,
})
const podTerm = (topologyKey: string) => ({ topologyKey, namespaces: [] })
const spread = (topologyKey: string, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable,
  matchLabelKeys: [],
  nodeAffinityPolicy: 'Honor' as const,
  nodeTaintsPolicy: 'Ignore' as const,
})

const everything: PodConstraints = {
  ...unconstrained,
  requiredNodeTerms: [term('a'), term('b')],
  preferredNodeTerms: [
    { weight: 1, term: term('light') },
    { weight: 9, term: term('heavy') },
  ],
  podAffinity: { required: [], preferred: [{ weight: 1, term: podTerm('near') }] },
  podAntiAffinity: { required: [], preferred: [{ weight: 1, term: podTerm('far') }] },
  topologySpread: [spread('x', 'ScheduleAnyway'), spread('y', 'DoNotSchedule'), spread('z', 'ScheduleAnyway')],
}

const chain = (constraints: PodConstraints, hasPreferNoSchedule: boolean) => {
  const steps = [constraints]
  for (let next = relaxed(constraints, { hasPreferNoSchedule }); next !== undefined;) {
    steps.push(next)
    next = relaxed(next, { hasPreferNoSchedule })
  }
  return steps
}

describe('relaxed', () => {
  test('P-PRF-01: gives up one thing at a time, in the fixed order', () => {
    const counts = chain(everything, true).map((step) => [
      step.requiredNodeTerms.length,
      step.podAffinity.preferred.length,
      step.podAntiAffinity.preferred.length,
      step.preferredNodeTerms.length,
      step.topologySpread.length,
      step.tolerations.length,
    ])
    expect(counts).toEqual([
      [2, 1, 1, 2, 3, 0],
      [1, 1, 1, 2, 3, 0],
      [1, 0, 1, 2, 3, 0],
      [1, 0, 0, 2, 3, 0],
      [1, 0, 0, 1, 3, 0],
      [1, 0, 0, 0, 3, 0],
      [1, 0, 0, 0, 2, 0],
      [1, 0, 0, 0, 1, 0],
      [1, 0, 0, 0, 1, 1],
    ])
  })

  test('P-PRF-02: the heaviest preference goes first, the last required term never, and the last spread fills a gap', () => {
    const steps = chain(everything, false)
    expect(steps[4]?.preferredNodeTerms.map(({ weight }) => weight)).toEqual([1])
    expect(steps.at(-1)?.requiredNodeTerms).toEqual([term('b')])
    expect(steps[6]?.topologySpread.map(({ topologyKey }) => topologyKey)).toEqual(['z', 'y'])
  })

  test('P-PRF-03: tolerates PreferNoSchedule once, and only where a NodePool has such a taint', () => {
    expect(relaxed(unconstrained, { hasPreferNoSchedule: false })).toBeUndefined()
    const tolerant = relaxed(unconstrained, { hasPreferNoSchedule: true })
    expect(tolerant?.tolerations).toEqual([{ operator: 'Exists', effect: 'PreferNoSchedule' }])
    expect(tolerant && relaxed(tolerant, { hasPreferNoSchedule: true })).toBeUndefined()
  })
})
