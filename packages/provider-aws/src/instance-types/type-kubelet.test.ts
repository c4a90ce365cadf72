import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { catalogueWith, listOf, typesOf, settings } from '../../test/listed-types.ts'
import { nodeClass, resolvedStatus, typeInfo } from '../../test/subjects.ts'
import { createInstanceTypes, kubeletOfType, type InstanceTypesSettings } from './index.ts'

describe('expressions over the type', () => {
  const resolved = (kubelet: Readonly<Record<string, unknown>>, changes: Partial<InstanceTypesSettings> = {}) =>
    createInstanceTypes({ ...settings, ...changes }).kubeletOf(nodeClass({ kubelet }), typeInfo('m5.xlarge'))
  test('A-CEL-01: off, expressions count as not written; on, they are worked out per type', () => {
    const kubelet = { maxPods: 'vcpus * 10', kubeReserved: { cpu: 'vcpus * 30', memory: '1Gi' } }
    expect(resolved(kubelet)).toMatchObject({
      right: { maxPods: 40, pods: 40, kubeReserved: { cpu: '120m', memory: '1Gi' } },
    })
    const off = resolved(kubelet, { allowsExpressions: false })
    expect(off).toMatchObject({ right: { pods: 58, kubeReserved: { memory: '1Gi' } } })
    expect(E.isRight(off) && [off.right.maxPods, off.right.kubeReserved['cpu']]).toEqual([undefined, undefined])
  })
  test('A-CEL-05: max_pods is the default in maxPods, and its result elsewhere', () => {
    expect(resolved({ maxPods: 'max_pods / 2', systemReserved: { pid: 'max_pods' } })).toMatchObject({
      right: { pods: 29, systemReserved: { pid: '29' } },
    })
    expect(resolved({ podsPerCore: 5, maxPods: 'max_pods + 1', systemReserved: { pid: 'max_pods' } })).toMatchObject({
      right: { maxPods: 21, pods: 20, systemReserved: { pid: '20' } },
    })
  })
  test('A-CEL-06: an amount without a result is dropped and told; maxPods without one fails the list', () => {
    const dropped = resolved({ kubeReserved: { cpu: 'vcpus / 0', memory: 'vcpus - 10', pid: '7' } })
    expect(dropped).toMatchObject({ right: { kubeReserved: { pid: '7' } } })
    expect(E.isRight(dropped) && dropped.right.dropped).toEqual([
      'Cannot use expression "vcpus / 0": for m5.xlarge, division by zero',
      'Cannot use expression "vcpus - 10" as memory of m5.xlarge: -6 is negative',
    ])
    for (const maxPods of ['vcpus / 0', 'vcpus - 10', '2147483648'])
      expect(listOf({ nodeClass: nodeClass({ kubelet: { maxPods } }, resolvedStatus) })).toMatchObject({
        left: { _tag: 'NodeClassNotReady' },
      })
  })
  test('A-CEL-08: what a node is told is what was planned with', () => {
    const kubelet = { maxPods: 'default_enis * 3', kubeReserved: { memory: 'max_pods * 11 + 255' } }
    const [type] = typesOf({
      nodeClass: nodeClass({ kubelet }, resolvedStatus),
      catalogue: catalogueWith([typeInfo('m5.xlarge')]),
    })
    const told = resolved(kubelet)
    expect(type?.capacity['pods']).toBe('12')
    expect(E.isRight(told) && [String(told.right.pods), told.right.kubeReserved['memory']]).toEqual([
      '12',
      type?.overhead.kubeReserved['memory'],
    ])
    expect(kubeletOfType).toBeDefined()
  })
})
