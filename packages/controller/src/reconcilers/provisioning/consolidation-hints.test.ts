import { describe, expect, test } from '@jest/globals'
import { ingestPod, makePodInterner } from '@scantling/core'
import { podObject, type Overrides } from '@scantling/core/testing'
import { virtualClock } from '@scantling/provider-kit'
import { settingsOf } from '../../../test/settings.ts'
import { silentLog } from '../../../test/silent-log.ts'
import { makeConsolidationHints } from './consolidation-hints.ts'

const interner = makePodInterner()
const pod = (name: string, spec: Overrides = {}) => ingestPod(podObject(name, {}, { spec }), interner)
const spread = (whenUnsatisfiable: string) => ({
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable, labelSelector: {} }],
})
const apart = {
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, podAffinityTerm: { topologyKey: 'zone', labelSelector: {} } },
      ],
    },
  },
}

const start = (flags: ReadonlyArray<string> = []) => {
  const clock = virtualClock(0)
  const told: Array<unknown> = []
  const hint = makeConsolidationHints({
    clock,
    log: { ...silentLog, info: (_, fields) => void told.push(fields) },
    settings: settingsOf(flags),
  })
  return { clock, told, hint }
}

describe('consolidation hints', () => {
  test('P-PRV-12: pods whose preferences hinder consolidation are named, by preference', () => {
    const { told, hint } = start()
    hint([
      pod('plain'),
      pod('strict', spread('DoNotSchedule')),
      pod('soft', spread('ScheduleAnyway')),
      pod('apart', apart),
    ])
    expect(told).toEqual([
      { preference: 'ScheduleAnyway spread', pods: ['default/soft'], count: 1 },
      { preference: 'preferred anti-affinity', pods: ['default/apart'], count: 1 },
    ])
  })

  test('P-PRV-12: each is told of once in 24 hours', async () => {
    const { clock, told, hint } = start()
    hint([pod('soft', spread('ScheduleAnyway'))])
    hint([pod('soft', spread('ScheduleAnyway'))])
    expect(told).toHaveLength(1)
    await clock.advance(24 * 3_600_000)
    hint([pod('soft', spread('ScheduleAnyway'))])
    expect(told).toHaveLength(2)
  })

  test('P-PRV-12: nothing is said where preferences are ignored', () => {
    const { told, hint } = start(['--preference-policy', 'Ignore'])
    hint([pod('soft', spread('ScheduleAnyway'))])
    expect(told).toEqual([])
  })
})
