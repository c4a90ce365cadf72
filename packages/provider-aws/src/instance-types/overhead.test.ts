import { describe, expect, test } from '@jest/globals'
import { typeOf, family } from '../../test/listed-types.ts'
import { type InstanceTypesSettings } from './index.ts'

describe('overhead', () => {
  const overhead = (name: string, ...rest: [Readonly<Record<string, unknown>>?, Partial<InstanceTypesSettings>?]) =>
    typeOf(name, ...rest).overhead
  test('A-OVH-01: memory by the pods that interfaces allow, or by those of the node, as the family has it (S-02)', () => {
    const of = (...rest: [Readonly<Record<string, unknown>>?, Partial<InstanceTypesSettings>?]) =>
      overhead('t3.large', ...rest).kubeReserved['memory']
    expect([of(), of({ kubelet: { maxPods: 5 } }), of({}, { reservedEnis: 1 }), of(family('Custom'))]).toEqual([
      '640Mi',
      '640Mi',
      '640Mi',
      '640Mi',
    ])
    expect(of(family('Bottlerocket'), { reservedEnis: 1 })).toBe('519Mi')
    expect(of({ ...family('Bottlerocket'), kubelet: { maxPods: 5 } })).toBe('310Mi')
    expect(of(family('Windows2022'))).toBe('1465Mi')
  })
  test('A-OVH-02: cpu falls with every band of cores', () => {
    const of = (name: string) => overhead(name).kubeReserved['cpu']
    expect([of('t4g.medium'), of('m5.xlarge'), of('g4dn.8xlarge'), of('m6idn.32xlarge')]).toEqual([
      '70m',
      '80m',
      '150m',
      '390m',
    ])
  })
  test('A-OVH-03: storage by default, and the user’s amounts resource by resource', () => {
    expect(overhead('t3.large').kubeReserved).toEqual({ cpu: '70m', memory: '640Mi', 'ephemeral-storage': '1Gi' })
    expect(overhead('t3.large', { kubelet: { kubeReserved: { memory: '10Gi', pid: '100' } } }).kubeReserved).toEqual({
      cpu: '70m',
      memory: '10Gi',
      'ephemeral-storage': '1Gi',
      pid: '100',
    })
  })
  test('A-OVH-04: systemReserved is the user’s alone', () => {
    expect(overhead('t3.large').systemReserved).toEqual({})
    expect(overhead('t3.large', { kubelet: { systemReserved: { cpu: '2' } } }).systemReserved).toEqual({ cpu: '2' })
  })
  test('A-OVH-05, A-OVH-07: eviction by default, by amount, by percentage of what is estimated; 100% is none', () => {
    const of = (evictionHard: Readonly<Record<string, string>>) =>
      overhead('m5.large', { kubelet: { evictionHard } }, { vmMemoryOverheadPercent: 0 }).evictionThreshold
    expect(of({})).toEqual({ memory: '100Mi', 'ephemeral-storage': '2147483648' })
    expect(of({ 'memory.available': '500Mi', 'nodefs.available': '5Gi', 'pid.available': '10%' })).toEqual({
      memory: '500Mi',
      'ephemeral-storage': '5Gi',
    })
    expect(of({ 'memory.available': '10%', 'nodefs.available': '7%' })).toEqual({
      memory: '858993460',
      'ephemeral-storage': '1503238554',
    })
    expect(of({ 'memory.available': '100%', 'nodefs.available': '100%' })).toEqual({
      memory: '0',
      'ephemeral-storage': '0',
    })
  })
  test('A-OVH-06: evictionSoft keeps nothing', () => {
    const soft = { evictionSoft: { 'memory.available': '50%' }, evictionSoftGracePeriod: { 'memory.available': '1m' } }
    expect(overhead('m5.large', { kubelet: soft })).toEqual(overhead('m5.large'))
  })
})
