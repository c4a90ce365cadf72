import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { sortInSteps } from './sort-in-steps.ts'

const drained = <A>(steps: Generator<void, A>): { readonly pauses: number; readonly value: A } => {
  for (let pauses = 0; ; pauses += 1) {
    const { done, value } = steps.next()
    if (done === true) return { pauses, value }
  }
}

describe('sortInSteps()', () => {
  test('sorts as the built-in sort does, equal items in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 2500, maxLength: 3500 }), (keys) => {
        const items = keys.map((key, index) => ({ key, index }))
        const byKey = (a: { readonly key: number }, b: { readonly key: number }) => a.key - b.key
        expect(drained(sortInSteps(items, byKey)).value).toEqual([...items].sort(byKey))
      }),
      { numRuns: 20 },
    )
  })

  test('pauses within a long list, and not within a short one', () => {
    const descending = (count: number) => Array.from({ length: count }, (_, index) => count - index)
    let comparisons = 0
    let most = 0
    const steps = sortInSteps(descending(20_000), (a, b) => {
      comparisons += 1
      return a - b
    })
    while (steps.next().done !== true) {
      most = Math.max(most, comparisons)
      comparisons = 0
    }
    expect(most).toBeLessThan(20_000)
    expect(drained(sortInSteps(descending(900), (a, b) => a - b)).pauses).toBe(0)
  })
})
