import { describe, expect, test } from '@jest/globals'

import { decide, instanceType, pendingPod, stateNode } from '../testing/index.ts'
import { buffersLast, PodQueue, queueOrder } from './pod-queue.ts'

describe('queueOrder()', () => {
  test('P-QUE-01: most CPU, then most memory, then oldest, then by UID; sizes that are equal are one', () => {
    const [early, late] = [0, 5]
    const pod = (name: string, createdAtMs: number) => ({ ...pendingPod(name), uid: name, createdAtMs })
    const pods = [pod('late', late), pod('b', early), pod('a', early), pod('big-memory', early), pod('big-cpu', late)]
    const sizes = [
      { cpu: 1, memory: 1 },
      { cpu: 1, memory: 1 },
      { cpu: 1, memory: 1 },
      { cpu: 1, memory: 9 },
      { cpu: 4, memory: 1 },
    ]
    const steps = queueOrder(pods, (index) => sizes[index]!)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    expect(step.value.map((index) => pods[index]?.name)).toEqual(['big-cpu', 'big-memory', 'a', 'b', 'late'])
  })
})

test('placeholders of capacity buffers come after all other pods under first-fit alone (W32)', () => {
  const spare = { ...pendingPod('spare', { cpu: '2' }), buffer: 'default/spare' }
  const pods = [spare, { ...spare, name: 'spare-2', uid: 'uid-spare-2' }, pendingPod('web', { cpu: '1' })]
  expect(buffersLast([0, 2, 1], pods)).toEqual([2, 0, 1])
  const scene = { pods, nodes: [stateNode('n', { cpu: '2' })], types: [instanceType('only', 3)] }
  const placed = (strategy: 'reference' | 'first-fit') => decide(scene, { strategy }).placements
  expect(placed('reference')).toEqual(['n: spare'])
  expect(placed('first-fit')).toEqual(['n: web'])
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
