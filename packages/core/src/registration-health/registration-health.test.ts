import { describe, expect, test } from '@jest/globals'

import {
  recordRegistration,
  registrationCondition,
  registrationVerdict,
  restoredHealth,
  type RegistrationHealth,
} from './index.ts'

const health = (text: string): RegistrationHealth =>
  [...text].reduce<RegistrationHealth>((before, letter) => recordRegistration(before, letter === '+'), [])
const failure = { reason: 'RegistrationFailed', message: 'no node joined' }

describe('registration health', () => {
  test.each([
    ['', 'Unknown'],
    ['+', 'Healthy'],
    ['-', 'Healthy'],
    ['--', 'Unhealthy'],
    ['+-+-', 'Unhealthy'],
    ['---+', 'Unhealthy'],
    ['--++', 'Unhealthy'],
    ['--+++', 'Healthy'],
    ['----++++', 'Healthy'],
    ['++++-', 'Healthy'],
  ])('P-AUX-02 NP-REGH-01: %j is %s', (outcomes, verdict) => {
    expect(registrationVerdict(health(outcomes))).toBe(verdict)
  })

  test('NP-REGH-01: no more than four outcomes are remembered', () => {
    expect(health('----++++-')).toEqual([true, true, true, false])
  })

  test.each([
    ['+', 'True'],
    ['--+', undefined],
    ['--+++', 'True'],
    ['--', 'False'],
    ['-', undefined],
    ['+-', undefined],
    ['', undefined],
  ])('P-AUX-02 NP-REGH-02: after %j the condition becomes %s', (outcomes, status) => {
    expect(registrationCondition(health(outcomes), failure)?.status).toBe(status)
  })

  test('P-AUX-03 NP-REGH-03: a condition of an earlier process stands for what it was made from', () => {
    expect(registrationVerdict(restoredHealth('True'))).toBe('Healthy')
    expect(registrationVerdict(restoredHealth('False'))).toBe('Unhealthy')
    expect(registrationVerdict(restoredHealth('Unknown'))).toBe('Unknown')
    expect(registrationVerdict(recordRegistration(restoredHealth('False'), true))).toBe('Unhealthy')
  })
})
