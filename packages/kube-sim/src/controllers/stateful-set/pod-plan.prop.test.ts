import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import type { PodObject, StatefulSetObject } from '../objects.ts'
import { planPods, wantedOrdinals } from './pod-plan.ts'

interface State {
  readonly revision: 'old' | 'new'
  readonly health: 'pending' | 'ready' | 'going' | 'failed'
}

const meta = (name: string) => ({ name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '' })

const podOf = (ordinal: number, { revision, health }: State): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...meta(`web-${ordinal}`),
    labels: { 'controller-revision-hash': revision },
    ...(health === 'going' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: {},
  status: {
    phase: health === 'pending' ? 'Pending' : health === 'failed' ? 'Failed' : 'Running',
    conditions: [{ type: 'Ready', status: health === 'ready' || health === 'going' ? 'True' : 'False' }],
  },
})

const anyState: fc.Arbitrary<State> = fc.record({
  revision: fc.constantFrom('old', 'new'),
  health: fc.constantFrom('pending', 'ready', 'ready', 'ready', 'going', 'failed'),
})
const anyCase = fc.record({
  replicas: fc.nat(5),
  start: fc.nat(2),
  partition: fc.nat(4),
  policy: fc.constantFrom('OrderedReady', 'Parallel'),
  strategy: fc.constantFrom('RollingUpdate', 'RollingUpdate', 'OnDelete'),
  pods: fc.dictionary(fc.nat(7).map(String), anyState),
})
type Case = typeof anyCase extends fc.Arbitrary<infer A> ? A : never

const setOf = ({ replicas, start, partition, policy, strategy }: Case): StatefulSetObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: meta('web'),
  spec: {
    replicas,
    ordinals: { start },
    podManagementPolicy: policy,
    updateStrategy: { type: strategy, ...(strategy === 'OnDelete' ? {} : { rollingUpdate: { partition } }) },
  },
})
const planOf = (one: Case, states: ReadonlyMap<number, State>) => {
  const pods = [...states].map(([ordinal, state]) => podOf(ordinal, state))
  const { create, remove } = planPods({ set: setOf(one), pods, updateRevision: 'new', nowMs: 0 })
  return { create, remove: remove.map(({ metadata }) => Number(metadata.name.slice('web-'.length))) }
}
const statesOf = ({ pods }: Case): ReadonlyMap<number, State> =>
  new Map(Object.entries(pods).map(([ordinal, state]) => [Number(ordinal), state]))

describe('planPods()', () => {
  test('never makes what is there or not asked for, and removes nothing twice', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const states = statesOf(one)
        const wanted = wantedOrdinals(setOf(one))
        const { create, remove } = planOf(one, states)
        expect(create.every((ordinal) => wanted.includes(ordinal) && !states.has(ordinal))).toBe(true)
        expect(remove.every((ordinal) => states.has(ordinal) && states.get(ordinal)?.health !== 'going')).toBe(true)
        expect(new Set(remove).size).toBe(remove.length)
      }),
    )
  })

  test('in order takes one step at a time, and none past a pod that is not available', () => {
    fc.assert(
      fc.property(
        anyCase.map((one): Case => ({ ...one, policy: 'OrderedReady' })),
        (one) => {
          const states = statesOf(one)
          const wanted = wantedOrdinals(setOf(one))
          const { create, remove } = planOf(one, states)
          expect(create.length + remove.length).toBeLessThanOrEqual(1)
          const isReady = (ordinal: number) => states.get(ordinal)?.health === 'ready'
          for (const ordinal of create) expect(wanted.filter((each) => each < ordinal).every(isReady)).toBe(true)
          const isHealthy = wanted.every(isReady)
          for (const ordinal of remove) if (states.get(ordinal)?.health !== 'failed') expect(isHealthy).toBe(true)
          // Of surplus pods the last goes first, when those after it are gone.
          const surplus = remove.filter((ordinal) => !wanted.includes(ordinal))
          for (const ordinal of surplus)
            if (states.get(ordinal)?.health !== 'failed')
              expect([...states.keys()].filter((each) => !wanted.includes(each) && each > ordinal)).toEqual([])
        },
      ),
    )
  })

  test('takes a pod for its revision only at and above the partition, one at a time, when all above are new and up', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const states = statesOf(one)
        const wanted = wantedOrdinals(setOf(one))
        const taken = planOf(one, states).remove.filter(
          (ordinal) => wanted.includes(ordinal) && states.get(ordinal)?.health !== 'failed',
        )
        expect(taken.length).toBeLessThanOrEqual(1)
        if (one.strategy === 'OnDelete') expect(taken).toEqual([])
        for (const ordinal of taken) {
          expect(ordinal).toBeGreaterThanOrEqual(one.start + one.partition)
          expect(states.get(ordinal)?.revision).toBe('old')
          for (const above of wanted.filter((each) => each > ordinal))
            expect(states.get(above)).toEqual({ revision: 'new', health: 'ready' })
        }
      }),
    )
  })

  test('ends with just the pods asked for, of the new revision from the partition on', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const states = new Map(statesOf(one))
        const held = one.strategy === 'OnDelete' ? 0 : one.start + one.partition
        for (let step = 0; step < 60; step += 1) {
          const { create, remove } = planOf(one, states)
          for (const ordinal of remove) states.delete(ordinal)
          for (const ordinal of create) {
            states.set(ordinal, { revision: ordinal < held ? 'old' : 'new', health: 'pending' })
          }
          for (const [ordinal, { revision, health }] of [...states]) {
            if (health === 'going') states.delete(ordinal)
            if (health === 'pending') states.set(ordinal, { revision, health: 'ready' })
          }
        }
        const wanted = wantedOrdinals(setOf(one))
        expect([...states.keys()].sort((a, b) => a - b)).toEqual(wanted)
        expect([...states.values()].every(({ health }) => health === 'ready')).toBe(true)
        if (one.strategy === 'OnDelete') return
        for (const [ordinal, { revision }] of states) if (ordinal >= held) expect(revision).toBe('new')
      }),
    )
  })
})
