import { describe, expect, test } from '@jest/globals'

import type { PodObject } from '../objects.ts'
import { inDeletionOrder } from './deletion-order.ts'

const pod = (
  name: string,
  {
    node = 'n1',
    phase = 'Running',
    readyAt = '2026-01-01T00:00:00Z',
    cost,
    created = '2026-01-01T00:00:00Z',
    restarts = 0,
  }: {
    readonly node?: string
    readonly phase?: string
    readonly readyAt?: string | undefined
    readonly cost?: string
    readonly created?: string
    readonly restarts?: number
  } = {},
): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: created,
    ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
  },
  spec: { nodeName: node },
  status: {
    phase,
    conditions: [{ type: 'Ready', status: readyAt === '' ? 'False' : 'True', lastTransitionTime: readyAt }],
    containerStatuses: [{ name: 'main', ready: readyAt !== '', restartCount: restarts }],
  },
})

const names = (pods: ReadonlyArray<PodObject>) => inDeletionOrder(pods).map(({ metadata }) => metadata.name)

describe('inDeletionOrder()', () => {
  test.each([
    ['unassigned before assigned', pod('b', { node: 'n2' }), pod('a', { node: '', phase: 'Pending' })],
    ['pending before running', pod('b'), pod('a', { phase: 'Pending', node: 'n2' })],
    ['unready before ready', pod('b'), pod('a', { readyAt: '', node: 'n2' })],
    ['cheap before dear, negative costs included', pod('b', { cost: '-1' }), pod('a', { cost: '-2', node: 'n2' })],
    ['recently ready before long ready', pod('b'), pod('a', { readyAt: '2026-01-01T00:05:00Z', node: 'n2' })],
    ['often restarted before seldom', pod('b', { restarts: 1 }), pod('a', { restarts: 3, node: 'n2' })],
    ['new before old', pod('b'), pod('a', { created: '2026-01-01T00:00:01Z', node: 'n2' })],
  ])('deletes %s', (_rule, later, earlier) => {
    expect(names([later, earlier])).toEqual(['a', 'b'])
  })

  test('deletes from crowded nodes before lonely ones, after what costs say', () => {
    const pods = [pod('c', { node: 'n2' }), pod('a'), pod('b'), pod('z', { node: 'n3', cost: '-5' })]
    expect(names(pods)).toEqual(['z', 'a', 'b', 'c'])
  })

  test('counts a cost that is no integer as 0', () => {
    expect(names([pod('b', { cost: 'lots' }), pod('a', { cost: '-1', node: 'n2' })])).toEqual(['a', 'b'])
  })
})
