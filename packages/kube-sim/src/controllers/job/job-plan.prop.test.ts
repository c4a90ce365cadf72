import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import type { JobObject, PodObject } from '../objects.ts'
import { isActive } from '../pod-state.ts'
import { indexOf } from './job-pods.ts'
import { planJob, type JobPlan } from './job-plan.ts'

const meta = (name: string) => ({ name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '' })
const podOf = (name: string, index: number | undefined): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...meta(name),
    ...(index === undefined ? {} : { annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } }),
  },
  spec: {},
  status: { phase: 'Running' },
})
const jobOf = (spec: JobObject['spec']): JobObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: meta('job'),
  spec,
  status: { startTime: '1970-01-01T00:00:00Z' },
})

const anySpec: fc.Arbitrary<JobObject['spec']> = fc
  .record({
    parallelism: fc.nat(4),
    completions: fc.option(fc.nat(6), { nil: undefined }),
    isIndexed: fc.boolean(),
    backoffLimit: fc.nat(5),
  })
  .map(({ parallelism, completions, isIndexed, backoffLimit }) => ({
    parallelism,
    backoffLimit,
    ...(completions === undefined ? {} : { completions }),
    completionMode: isIndexed && completions !== undefined ? 'Indexed' : 'NonIndexed',
  }))

/** Plays a Job to its end: in each round pods are made as planned, then one of those that run ends as drawn. */
const play = (
  spec: JobObject['spec'],
  fates: ReadonlyArray<{ readonly pick: number; readonly isWell: boolean }>,
  watch: (plan: JobPlan, active: ReadonlyArray<PodObject>, succeeded: number) => void,
) => {
  let pods: ReadonlyArray<PodObject> = []
  let made = 0
  let succeeded = 0
  let failed = 0
  const completed = new Set<number>()
  for (const { pick, isWell } of fates) {
    const progress = { succeeded, failed, completed, failedIndexes: new Set<number>() }
    const plan = planJob({ job: jobOf(spec), pods, progress, notBeforeMs: () => 0, nowMs: 0 })
    if (plan._tag !== 'Run') return { plan, succeeded, failed }
    pods = [
      ...pods.filter((pod) => !plan.remove.includes(pod)),
      ...plan.create.map((index) => podOf(`${++made}`, index)),
    ]
    watch(plan, pods, succeeded)
    const chosen = pods[pick % Math.max(pods.length, 1)]
    if (chosen === undefined) continue
    pods = pods.filter((pod) => pod !== chosen)
    const index = indexOf(chosen)
    if (!isWell) failed += 1
    else if (index !== undefined) completed.add(index)
    succeeded = index === undefined ? succeeded + (isWell ? 1 : 0) : completed.size
  }
  return { plan: undefined, succeeded, failed }
}

const anyFates = fc.array(fc.record({ pick: fc.nat(5), isWell: fc.boolean() }), { maxLength: 40 })

describe('planJob()', () => {
  test('keeps at most as many pods going as may run and as are still to succeed, each index once', () => {
    fc.assert(
      fc.property(anySpec, anyFates, (spec, fates) => {
        play(spec, fates, (_plan, pods, succeeded) => {
          const active = pods.filter(isActive)
          expect(active.length).toBeLessThanOrEqual(spec.parallelism ?? 1)
          if (spec.completions !== undefined) expect(active.length).toBeLessThanOrEqual(spec.completions - succeeded)
          if (spec.completionMode === 'Indexed') expect(new Set(active.map(indexOf)).size).toBe(active.length)
        })
      }),
    )
  })

  test('succeeds with just its completions, and fails just beyond its limit', () => {
    fc.assert(
      fc.property(anySpec, anyFates, (spec, fates) => {
        const { plan, succeeded, failed } = play(spec, fates, () => {})
        const isOver = failed > (spec.backoffLimit ?? 0)
        if (plan?._tag === 'Fail') expect(isOver).toBe(true)
        if (plan?._tag !== 'Succeed') return
        expect(isOver).toBe(false)
        if (spec.completions === undefined) expect(succeeded).toBeGreaterThan(0)
        else expect(succeeded).toBe(spec.completions)
      }),
    )
  })

  test('comes to an end when every pod ends well', () => {
    fc.assert(
      fc.property(
        anySpec.filter(({ parallelism }) => parallelism !== 0),
        (spec) => {
          const fates = Array.from({ length: 40 }, () => ({ pick: 0, isWell: true }))
          const { plan, failed } = play(spec, fates, () => {})
          expect([plan?._tag, failed]).toEqual(['Succeed', 0])
        },
      ),
    )
  })

  test('removes surplus and useless pods, and nothing that it needs', () => {
    const pods = [podOf('a', 0), podOf('b', 1), podOf('c', 1), podOf('d', 7), podOf('e', undefined)]
    const spec = { parallelism: 3, completions: 3, completionMode: 'Indexed' }
    const progress = { succeeded: 1, failed: 0, completed: new Set([0]), failedIndexes: new Set<number>() }
    const plan = planJob({ job: jobOf(spec), pods, progress, notBeforeMs: () => 0, nowMs: 0 })
    if (plan._tag !== 'Run') throw new Error('It goes on')
    expect(plan.remove.map(({ metadata }) => metadata.name).toSorted()).toEqual(['a', 'b', 'd', 'e'])
    expect(plan.create).toEqual([2])
  })
})
