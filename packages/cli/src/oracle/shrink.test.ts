import { describe, expect, test } from '@jest/globals'
import { shrink } from './shrink.ts'

describe('shrink()', () => {
  test('keeps exactly the objects that the difference needs', () => {
    const objects = Array.from({ length: 50 }, (_, index) => index)
    const needs =
      (wanted: ReadonlyArray<number>) => (candidates: ReadonlyArray<{ readonly objects: ReadonlyArray<unknown> }>) => {
        const index = candidates.findIndex((candidate) => wanted.every((one) => candidate.objects.includes(one)))
        return index < 0 ? undefined : index
      }
    expect(shrink({ objects }, needs([3, 31])).objects).toEqual([3, 31])
    expect(shrink({ objects }, needs([49])).objects).toEqual([49])
    expect(shrink({ objects }, needs([])).objects).toEqual([])
  })

  test('leaves a scenario alone from which nothing can go', () => {
    expect(shrink({ objects: [1, 2, 3] }, () => undefined).objects).toEqual([1, 2, 3])
  })
})
