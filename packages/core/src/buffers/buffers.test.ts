import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import { decodeCapacityBuffer, decodeStoredPodTemplate } from '../api/index.ts'
import type { CapacityBuffer } from '../cluster/index.ts'
import { ingestBufferTemplate, ingestCapacityBuffer, makePodInterner } from '../ingest/index.ts'
import { Resources } from '../quantity/index.ts'
import type { ProvisioningPlan } from '../scheduling/index.ts'
import { bufferOutcome, bufferSize, virtualPods } from './index.ts'

const requests = Resources.parse({ cpu: '500m', memory: '1Gi', pods: '1' })

describe('bufferSize', () => {
  test.each([
    ['replicas alone', { replicas: 3 }, undefined, 3],
    ['a percentage, rounded up', { percentage: 10 }, 45, 5],
    ['a small percentage of a small workload, at least one', { percentage: 1 }, 3, 1],
    ['no percentage of a workload at all', { percentage: 0 }, 3, 0],
    ['a percentage of a workload without replicas', { percentage: 50 }, 0, 0],
    ['the larger of both', { replicas: 2, percentage: 50 }, 10, 5],
    ['the larger of both, the other way round', { replicas: 8, percentage: 50 }, 10, 8],
    ['replicas within limits', { replicas: 10, limits: Resources.parse({ cpu: '2' }) }, undefined, 4],
    [
      'the tightest of several limits',
      { replicas: 10, limits: Resources.parse({ cpu: '2', memory: '2Gi' }) },
      undefined,
      2,
    ],
    ['limits that allow more', { replicas: 3, limits: Resources.parse({ cpu: '20' }) }, undefined, 3],
    ['limits alone', { limits: Resources.parse({ cpu: '1900m' }) }, undefined, 3],
    ['a limit on what no unit requests', { replicas: 3, limits: Resources.parse({ 'a.com/gpu': '1' }) }, undefined, 3],
    ['only a limit on what no unit requests', { limits: Resources.parse({ 'a.com/gpu': '1' }) }, undefined, 0],
    ['a limit of zero', { replicas: 3, limits: Resources.parse({ cpu: '0' }) }, undefined, 0],
    ['nothing', {}, 10, 0],
  ])('P-CBC-02: %s', (_, spec, workloadReplicas, expected) => {
    expect(bufferSize(spec, { requests, ...(workloadReplicas === undefined ? {} : { workloadReplicas }) })).toBe(
      expected,
    )
  })
})

const decoded = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const buffer = (status: object = {}, spec: object = { podTemplateRef: { name: 't' }, replicas: 2 }): CapacityBuffer =>
  ingestCapacityBuffer(
    decoded(
      decodeCapacityBuffer({
        apiVersion: 'autoscaling.x-k8s.io/v1beta1',
        kind: 'CapacityBuffer',
        metadata: { name: 'spare', namespace: 'team', uid: 'u', generation: 1 },
        spec,
        status,
      }),
    ),
  )

const ready = buffer({
  conditions: [
    {
      type: 'ReadyForProvisioning',
      status: 'True',
      reason: 'Resolved',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
})

const { template } = decoded(
  decodeStoredPodTemplate({
    metadata: { name: 't', namespace: 'team' },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        nodeName: 'n-1',
        nodeSelector: { arch: 'x' },
        containers: [{ name: 'main', resources: { limits: { cpu: '500m' }, requests: { memory: '1Gi' } } }],
        volumes: [
          { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
          { name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } },
        ],
      },
    },
  }),
)

describe('virtualPods', () => {
  const unit = ingestBufferTemplate(template, ready, makePodInterner())

  test('X-BUF-02 P-CBC-05 P-CBA-04: copies wait for a machine under names of their own, without node or claims', () => {
    const pods = virtualPods(unit, 2)
    expect(pods.map(({ name, uid }) => [name, uid])).toEqual([
      ['capacity-buffer-spare-0', 'u-0'],
      ['capacity-buffer-spare-1', 'u-1'],
    ])
    const [first] = pods
    expect(first).toMatchObject({
      namespace: 'team',
      labels: { app: 'web' },
      isUnschedulable: true,
      priority: -2147483648,
      buffer: 'team/spare',
    })
    expect(first).not.toHaveProperty('nodeName')
    expect(first!.constraints.volumes).toEqual([])
    expect(first!.constraints.nodeSelector).toEqual({ arch: 'x' })
    expect(first!.requests).toMatchObject({ cpu: '500m', memory: '1Gi' })
  })

  test('P-CBC-05: copies share what they have in common, so that they are one class', () => {
    const [first, second] = virtualPods(unit, 2)
    expect(first!.constraints).toBe(second!.constraints)
    expect(first!.requests).toBe(second!.requests)
  })
})

describe('bufferOutcome', () => {
  const unit = ingestBufferTemplate(template, ready, makePodInterner())
  const [one, two] = virtualPods(unit, 2) as [typeof unit, typeof unit]
  const sizes = new Map([['team/spare', 2]])
  const planOf = (plan: Partial<ProvisioningPlan>) => ({ launches: [], placements: [], rejections: [], ...plan })
  const conditionOf = (buffers: CapacityBuffer, size: number, plan: Partial<ProvisioningPlan>) =>
    bufferOutcome([buffers], new Map([['team/spare', size]]), planOf(plan)).conditions.get('team/spare')

  test('X-BUF-03 P-CBC-07 P-CBC-08: all on nodes that exist is True, and the nodes are counted', () => {
    const outcome = bufferOutcome([ready], sizes, planOf({ placements: [{ node: 'n', pods: [one, two] }] }))
    expect(outcome.conditions.get('team/spare')).toMatchObject({ status: 'True', reason: 'FitsExistingCapacity' })
    expect([...outcome.podsByNode]).toEqual([['n', 2]])
  })

  test('X-BUF-03 P-CBC-07: any that needs a new node or has no place is RequiresNewCapacity', () => {
    const placements = [{ node: 'n', pods: [one] as const }]
    const launches = [{ pods: [two] }] as unknown as ProvisioningPlan['launches']
    expect(conditionOf(ready, 2, { placements: placements as never, launches })).toMatchObject({
      status: 'False',
      reason: 'RequiresNewCapacity',
    })
    const rejections = [{ pod: two }] as unknown as ProvisioningPlan['rejections']
    expect(conditionOf(ready, 2, { rejections })).toMatchObject({ status: 'False', reason: 'RequiresNewCapacity' })
  })

  test('X-BUF-03 P-CBC-07: not ready and empty buffers say so, and those a machine is coming for stay as they are', () => {
    expect(conditionOf(buffer(), 2, {})).toMatchObject({ status: 'False', reason: 'NotReadyForProvisioning' })
    expect(conditionOf(ready, 0, {})).toMatchObject({ status: 'False', reason: 'BufferEmpty' })
    expect(conditionOf(ready, 2, {})).toBeUndefined()
  })
})
