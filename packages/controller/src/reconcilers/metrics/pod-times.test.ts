import { describe, expect, test } from '@jest/globals'
import type { PodObject } from '@scantling/core'
import { instanceType, nodePool, decide, pod as plannedPod, podObject } from '@scantling/core/testing'
import { virtualClock } from '@scantling/provider-kit'
import { makeObjectCache } from '../../cache/index.ts'
import { makeKinds } from '../../kube/index.ts'
import { makeMetrics } from '../../observability/index.ts'
import { makeDomainViews } from '../../state/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { followPods } from './pod-times.ts'

const setup = () => {
  const clock = virtualClock(0)
  const metrics = makeMetrics()
  const made = makeObjectCache({
    kind: makeKinds().pods,
    indexers: { byNode: ({ spec }: PodObject) => spec.nodeName ?? '' },
    onListenerError: (cause) => {
      throw cause
    },
  })
  let version = 1
  const object = (name: string, nodeName?: string): PodObject => {
    version += 1
    return podObject(
      name,
      {},
      {
        metadata: { uid: `uid-${name}`, creationTimestamp: '1970-01-01T00:00:00Z', resourceVersion: String(version) },
        spec: nodeName === undefined ? {} : { nodeName },
        status: { phase: 'Pending', conditions: nodeName === undefined ? unschedulable : [] },
      },
    )
  }
  const context = { clock, metrics, caches: { pods: made.cache }, views: makeDomainViews(() => true) }
  return {
    clock,
    times: followPods(context as unknown as ReconcilerContext),
    put: (name: string, nodeName?: string) => made.sink.apply({ _tag: 'Modified', object: object(name, nodeName) }),
    remove: (name: string) => made.sink.apply({ _tag: 'Deleted', object: object(name) }),
    /** Count and sum of a histogram. */
    histogram: async (name: string) => {
      const text = await metrics.render()
      return ['count', 'sum'].map((part) =>
        Number(new RegExp(`^karpenter_pods_${name}_${part} (\\S+)$`, 'm').exec(text)?.[1] ?? 0),
      )
    },
  }
}
const unschedulable = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }]
const planFor = (name: string, cpu: string) =>
  decide({ types: [instanceType('small', 2)], nodePools: [nodePool('default')], pods: [plannedPod(name, cpu)] }).plan

describe('followPods()', () => {
  test('P-CST-07: a pod’s times run from first sight to its first decision, from its place and its creation to its binding', async () => {
    const { clock, times, put, histogram } = setup()
    await clock.advance(1000)
    put('a')
    await clock.advance(2000)
    put('a')
    times.decided(planFor('a', '1'))
    await clock.advance(4000)
    times.decided(planFor('a', '1'))
    put('a', 'node-1')
    put('a', 'node-1')
    expect(await histogram('scheduling_decision_duration_seconds')).toEqual([1, 2])
    expect(await histogram('provisioning_bound_duration_seconds')).toEqual([1, 4])
    expect(await histogram('bound_duration_seconds')).toEqual([1, 7])
  })

  test('P-CST-07: a pass that finds no place takes the place back, and deletion forgets the pod', async () => {
    const { clock, times, put, remove, histogram } = setup()
    put('a')
    put('b')
    times.decided(planFor('a', '1'))
    await clock.advance(1000)
    times.decided(planFor('a', '9'))
    put('a', 'node-1')
    expect(await histogram('provisioning_bound_duration_seconds')).toEqual([0, 0])
    remove('b')
    times.decided(planFor('b', '1'))
    expect(await histogram('scheduling_decision_duration_seconds')).toEqual([1, 0])
  })

  test('P-CST-07: nothing is told of a pod that was bound when it was first seen', async () => {
    const { put, histogram } = setup()
    put('a', 'node-1')
    expect(await histogram('bound_duration_seconds')).toEqual([0, 0])
  })
})
