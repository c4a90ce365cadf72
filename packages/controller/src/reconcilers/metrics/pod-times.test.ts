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
  const metrics = makeMetrics({ detail: true })
  const made = makeObjectCache({
    kind: makeKinds().pods,
    indexers: { byNode: ({ spec }: PodObject) => spec.nodeName ?? '' },
    onListenerError: (cause) => {
      throw cause
    },
  })
  let version = 1
  const object = (name: string, nodeName?: string, isReady = false): PodObject => {
    version += 1
    return podObject(
      name,
      {},
      {
        metadata: { uid: `uid-${name}`, creationTimestamp: '1970-01-01T00:00:00Z', resourceVersion: String(version) },
        spec: nodeName === undefined ? {} : { nodeName },
        status: isReady
          ? { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
          : { phase: 'Pending', conditions: nodeName === undefined ? unschedulable : [] },
      },
    )
  }
  const context = { clock, metrics, caches: { pods: made.cache }, views: makeDomainViews(() => true) }
  return {
    clock,
    times: followPods(context as unknown as ReconcilerContext),
    put: (name: string, nodeName?: string, isReady?: boolean) =>
      made.sink.apply({ _tag: 'Modified', object: object(name, nodeName, isReady) }),
    /** What gauges say of each pod, by the end of their name. */
    gauges: async () =>
      Object.fromEntries(
        [...(await metrics.render()).matchAll(/^karpenter_pods_provisioning_(\w+)\{name="(\w+)".*\} (\S+)$/gm)].map(
          ([, gauge = '', name = '', value]) => [`${gauge} ${name}`, Number(value)],
        ),
      ),
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

  test('M-POD-03: gauges count from first sight to the decision, from the place to the binding and to being ready', async () => {
    const { clock, times, put, gauges, histogram } = setup()
    put('a')
    await clock.advance(1000)
    expect(await gauges()).toEqual({ 'scheduling_undecided_time_seconds a': 1 })
    times.decided(planFor('a', '1'))
    await clock.advance(2000)
    expect(await gauges()).toEqual({ 'unstarted_time_seconds a': 2, 'unbound_time_seconds a': 2 })
    put('a', 'node-1')
    await clock.advance(3000)
    expect(await gauges()).toEqual({ 'unstarted_time_seconds a': 5 })
    put('a', 'node-1', true)
    put('a', 'node-1', true)
    expect(await gauges()).toEqual({})
    expect(await histogram('provisioning_startup_duration_seconds')).toEqual([1, 5])
    expect(await histogram('provisioning_bound_duration_seconds')).toEqual([1, 2])
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
