import { describe, expect, test } from '@jest/globals'
import { taintEffects, Taints, type Taint, type Toleration } from './index.ts'

const taint = (text: string, effect: Taint['effect'] = 'NoSchedule'): Taint => {
  const [key = '', value] = text.split('=')
  return { key, effect, ...(value === undefined ? {} : { value }) }
}

describe('tolerations', () => {
  test('P-TNT-01 cover a taint by key, value and effect, for every combination', () => {
    const covered: Array<string> = []
    for (const key of [undefined, 'a', 'b'])
      for (const operator of ['Equal', 'Exists'] as const)
        for (const value of [undefined, '1'])
          for (const effect of [undefined, 'NoSchedule', 'NoExecute'] as const) {
            const toleration: Toleration = {
              operator,
              ...(key !== undefined && { key }),
              ...(value !== undefined && { value }),
              ...(effect !== undefined && { effect }),
            }
            const expected =
              (key === undefined || key === 'a') &&
              (operator === 'Exists' || value === '1') &&
              (effect === undefined || effect === 'NoSchedule')
            expect([toleration, Taints.covers(toleration, taint('a=1'))]).toEqual([toleration, expected])
            if (expected) covered.push(operator)
          }
    expect(covered.length).toBeGreaterThan(0)
  })

  test('P-TNT-01 are Equal unless they say otherwise, and an absent value is an empty one', () => {
    expect(Taints.covers({ key: 'a', value: '1' }, taint('a=1'))).toBe(true)
    expect(Taints.covers({ key: 'a' }, taint('a'))).toBe(true)
    expect(Taints.covers({ key: 'a', value: '' }, taint('a'))).toBe(true)
    expect(Taints.covers({ key: 'a' }, taint('a=1'))).toBe(false)
  })

  test.each([
    ['Gt', '5', '6', true],
    ['Gt', '5', '5', false],
    ['Lt', '5', '4', true],
    ['Lt', '5', '5', false],
    ['Gt', 'many', '6', false],
    ['Lt', '5', 'few', false],
    ['Gt', '-2', '-1', true],
  ] as const)('P-TNT-01 %s %s covers a taint of %s: %s', (operator, value, present, expected) => {
    expect(Taints.covers({ key: 'a', operator, value }, taint(`a=${present}`))).toBe(expected)
  })

  test('P-TNT-01 must cover each taint, PreferNoSchedule as well', () => {
    const taints = taintEffects.map((effect) => taint('a', effect))
    const tolerations: ReadonlyArray<Toleration> = [
      { key: 'a', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'a', operator: 'Exists', effect: 'NoExecute' },
    ]
    expect(Taints.untolerated(taints, tolerations)).toEqual([taint('a', 'PreferNoSchedule')])
    expect(Taints.areTolerated(taints, tolerations)).toBe(false)
    expect(Taints.areTolerated(taints, [{ operator: 'Exists' }])).toBe(true)
    expect(Taints.areTolerated([], [])).toBe(true)
  })
})

describe('taints', () => {
  test('P-TNT-02 that starting nodes shed are known by key and effect, those of readiness gates by their prefix', () => {
    expect(
      [
        taint('node.kubernetes.io/not-ready'),
        taint('node.kubernetes.io/not-ready', 'NoExecute'),
        taint('node.kubernetes.io/unreachable'),
        taint('node.cloudprovider.kubernetes.io/uninitialized=true'),
        taint('karpenter.sh/unregistered', 'NoExecute'),
        taint('readiness.k8s.io/network', 'PreferNoSchedule'),
      ].map(Taints.isEphemeral),
    ).toEqual([true, true, true, true, true, true])
    expect(
      [
        taint('node.kubernetes.io/unreachable', 'NoExecute'),
        taint('karpenter.sh/unregistered'),
        taint('karpenter.sh/disrupted'),
        taint('example.com/readiness.k8s.io'),
      ].map(Taints.isEphemeral),
    ).toEqual([false, false, false, false])
  })

  test('P-TNT-06 merge by key and effect, the first list winning', () => {
    const merged = Taints.merge([taint('a=1')], [taint('a=2'), taint('a=2', 'NoExecute'), taint('b')])
    expect(merged).toEqual([taint('a=1'), taint('a=2', 'NoExecute'), taint('b')])
    expect(Taints.merge(merged, merged)).toEqual(merged)
  })

  test('P-TNT-07 of nodes in motion carry the names that Karpenter gives them', () => {
    expect([Taints.disruptedTaint, Taints.unregisteredTaint].map(Taints.render)).toEqual([
      'karpenter.sh/disrupted:NoSchedule',
      'karpenter.sh/unregistered:NoExecute',
    ])
    expect(Taints.render(taint('a=1'))).toBe('a=1:NoSchedule')
  })
})
