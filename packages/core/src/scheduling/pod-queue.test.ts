import { describe, expect, test } from '@jest/globals'

import { comparePods, PodQueue } from './pod-queue.ts'

const pod = (name: string, cpu: number, memory: number, createdAtMs = 0, uid = name) => ({
  name,
  cpu,
  memory,
  createdAtMs,
  uid,
})

describe('comparePods', () => {
  test('P-QUE-01: most CPU, then most memory, then oldest, then by UID', () => {
    const pods = [
      pod('late', 1, 1, 5),
      pod('b', 1, 1),
      pod('a', 1, 1),
      pod('big-memory', 1, 9),
      pod('big-cpu', 4, 1, 9),
    ]
    expect(pods.sort(comparePods).map(({ name }) => name)).toEqual(['big-cpu', 'big-memory', 'a', 'b', 'late'])
  })
})

describe('PodQueue', () => {
  test('P-QUE-02: a full turn without progress ends the loop, and progress in between does not', () => {
    const queue = new PodQueue([0, 1, 2])
    const tries: Array<number> = []
    // Pod 0 fits only once pod 2 is placed; pod 1 never does.
    const placed = new Set<number>()
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      tries.push(next)
      if (next === 2 || (next === 0 && placed.has(2))) placed.add(next)
      else queue.push(next)
    }
    expect(tries).toEqual([0, 1, 2, 0, 1])
  })
})
