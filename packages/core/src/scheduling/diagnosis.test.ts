import { describe, expect, test } from '@jest/globals'

import { renderReasons } from '../explain/index.ts'
import { labelKeys } from '../labels/index.ts'
import { decide, instanceType, isIn, pod, preferring, requiring } from '../testing/index.ts'

const { zone } = labelKeys
const tier = 'example.com/tier'
const only = [instanceType('only', 2)]
const reasonsFor = (asking: ReturnType<typeof pod>) =>
  decide({ types: only, pods: [asking] }, { strategy: 'first-fit' }).plan.rejections.map(renderReasons)

describe('the obstacle that a rejection names', () => {
  test('Exists beside NotIn: the label that the NodePool does not define', () => {
    const exists = { key: tier, operator: 'Exists' as const }
    const notGold = { key: tier, operator: 'NotIn' as const, values: ['gold'] }
    expect(reasonsFor(pod('p', '1', requiring([exists, notGold])))).toEqual([
      `NodePool default: the pod asks for ${tier} Exists, a label that the NodePool does not define`,
    ])
  })

  test('P-FLT-10: of several required alternatives that which comes furthest, wherever it stands', () => {
    const [roomy, impossible] = [[isIn(zone, 'a')], [isIn(tier, 'gold')]]
    const tooSmall = expect.stringContaining('too small')
    expect(reasonsFor(pod('p', '9', requiring(roomy, impossible)))).toEqual([tooSmall])
    expect(reasonsFor(pod('p', '9', requiring(impossible, roomy)))).toEqual([tooSmall])
  })

  test('of alternatives that come equally far, the first', () => {
    expect(reasonsFor(pod('p', '1', requiring([isIn(tier, 'gold')], [isIn(tier, 'tin')])))).toEqual([
      expect.stringContaining(`${tier} In [gold]`),
    ])
  })

  test('a wish is never the obstacle, although it comes further', () => {
    const asking = pod('p', '1', requiring([isIn(tier, 'gold')]), preferring([1, isIn(zone, 'nowhere')]))
    expect(reasonsFor(asking)).toEqual([expect.stringContaining(`${tier} In [gold]`)])
  })
})
