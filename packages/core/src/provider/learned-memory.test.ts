import { describe, expect, test } from '@jest/globals'
import { Quantity } from '../quantity/index.ts'
import { instanceType } from '../testing/index.ts'
import { apply, empty, observe, type ObservedNode } from './learned-memory.ts'

const day = 86_400_000
const node = (memory: string, imageId = 'image-1', name = 'm5.large'): ObservedNode => ({
  instanceType: name,
  imageId,
  memory: Quantity.of(memory),
})
const type = (imageId: string | undefined, name = 'm5.large') => ({
  ...instanceType(name, 2),
  ...(imageId !== undefined && { imageId }),
})
const memoryOf = (learned: typeof empty, imageId = 'image-1') => apply([type(imageId)], learned)[0]?.capacity['memory']

describe('LearnedMemories', () => {
  test('A-CAP-03: the memory that Nodes have had replaces the estimate, for the image that a launch would boot', () => {
    const learned = observe(empty, [node('7Gi')], 0)
    expect([memoryOf(empty), memoryOf(learned), memoryOf(learned, 'image-2')]).toEqual(['8Gi', '7Gi', '8Gi'])
  })
  test('A-DSC-02, A-DSC-04: one entry per type and image, so a new image in the list makes no other type cold', () => {
    const learned = observe(empty, [node('7Gi'), node('6Gi', 'image-2')], 0)
    expect([memoryOf(learned), memoryOf(learned, 'image-2')]).toEqual(['7Gi', '6Gi'])
  })
  test('A-DSC-03: of several Nodes the least counts, for 60 days after the last; living Nodes correct both ways', () => {
    const both = observe(empty, [node('7Gi'), node('6Gi')], 0)
    expect(memoryOf(both)).toBe('6Gi')
    expect(memoryOf(observe(both, [], 60 * day - 1))).toBe('6Gi')
    expect(memoryOf(observe(both, [], 60 * day))).toBe('8Gi')
    // The reference only ever goes down.
    expect(memoryOf(observe(both, [node('7Gi')], 1))).toBe('7Gi')
    expect(memoryOf(observe(observe(both, [node('6Gi')], 40 * day), [], 90 * day))).toBe('6Gi')
    expect(observe(empty, [node('0')], 0)).toBe(empty)
  })
  test('A-DSC-01: what is learned anew from the Nodes alive is the same after a restart; nothing new, the same objects', () => {
    const nodes = [node('7Gi'), node('6Gi', 'image-2')]
    const learned = observe(empty, nodes, 0)
    expect(observe(learned, nodes, day)).toBe(learned)
    expect(observe(empty, nodes, day).entries.get('m5.large/image-1')?.memory).toBe('7Gi')
    const types = [type('image-1'), type('image-1', 'c5.large')]
    const [first, second] = apply(types, learned)
    expect([first === types[0], second === types[1]]).toEqual([false, true])
    expect(apply([type('image-9')].slice(0, 0), learned)).toEqual([])
    const untouched = [type(undefined)]
    expect(apply(untouched, learned)).toBe(untouched)
  })
})
