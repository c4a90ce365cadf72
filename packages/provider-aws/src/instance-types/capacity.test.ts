import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { describe, expect, test } from '@jest/globals'
import { launchedFacts, Resources } from '@scantling/core'
import { typeOf, family } from '../../test/listed-types.ts'
import { typeInfo } from '../../test/subjects.ts'
import { awsLabelPolicy } from '../labels/index.ts'
import { branchInterfacesOf, eniLimitedPods, type InstanceTypesSettings } from './index.ts'

const capacity = (
  name: string,
  resource: string,
  ...rest: [Readonly<Record<string, unknown>>?, Partial<InstanceTypesSettings>?, Partial<InstanceTypeInfo>?]
) => String(Resources.get(typeOf(name, ...rest).capacity, resource))

describe('capacity', () => {
  test('A-CAP-01: cpu', () => {
    expect([capacity('m5.large', 'cpu'), capacity('m6idn.32xlarge', 'cpu')]).toEqual(['2', '128'])
  })
  test('A-CAP-02: memory, less what Graviton keeps and the share of the hypervisor in whole MiB', () => {
    const of = (name: string, vmMemoryOverheadPercent: number) =>
      capacity(name, 'memory', {}, { vmMemoryOverheadPercent })
    expect([of('m5.large', 0), of('m5.large', 0.075), of('m5.large', 0.0751)]).toEqual(['8Gi', '7577Mi', '7576Mi'])
    expect([of('m6g.large', 0), of('m6g.large', 0.075)]).toEqual(['8128Mi', '7518Mi'])
  })
  test('A-CAP-04: ephemeral storage, the first that applies', () => {
    const of = (name: string, spec: Readonly<Record<string, unknown>>) => capacity(name, 'ephemeral-storage', spec)
    const volumes = (...list: ReadonlyArray<readonly [device: string, size: string | undefined, root?: true]>) => ({
      blockDeviceMappings: list.map(([deviceName, volumeSize, rootVolume]) => ({
        deviceName,
        ebs: volumeSize === undefined ? { snapshotID: 'snap-1' } : { volumeSize },
        ...(rootVolume && { rootVolume }),
      })),
    })
    const raid = { instanceStorePolicy: 'RAID0' }
    expect(of('m6idn.32xlarge', { ...raid, ...volumes(['/dev/xvda', '50Gi', true]) })).toBe('7600G')
    expect(of('m5.large', { ...raid, ...volumes(['/dev/xvda', '50Gi']) })).toBe('50Gi')
    expect(of('m5.large', volumes(['/dev/xvda', '50Gi'], ['/dev/xvdb', '70Gi', true]))).toBe('70Gi')
    expect(of('m5.large', volumes(['/dev/xvdb', '70Gi']))).toBe('20Gi')
    expect(
      of('m5.large', { ...family('Bottlerocket'), ...volumes(['/dev/xvda', '50Gi'], ['/dev/xvdb', '70Gi']) }),
    ).toBe('70Gi')
    expect(of('m5.large', { ...family('Custom'), ...volumes(['/dev/a', '50Gi'], ['/dev/b', '60Gi']) })).toBe('60Gi')
    expect(of('m5.large', { ...family('Custom'), ...volumes(['/dev/a', '50Gi'], ['/dev/b', undefined]) })).toBe('20Gi')
    expect([of('m5.large', family('Custom')), of('m5.large', family('Windows2022')), of('m5.large', {})]).toEqual([
      '20Gi',
      '50Gi',
      '20Gi',
    ])
  })
  test('A-CAP-05: pods by maxPods, by interfaces, or 110; podsPerCore where the family has it', () => {
    const of = (spec: Readonly<Record<string, unknown>>) => capacity('m5.large', 'pods', spec)
    expect(of({})).toBe('29')
    expect(of({ kubelet: { maxPods: 10 } })).toBe('10')
    expect(of({ kubelet: { maxPods: 0 } })).toBe('0')
    expect(of(family('Windows2022'))).toBe('110')
    expect(of({ kubelet: { podsPerCore: 4 } })).toBe('8')
    expect(of({ kubelet: { podsPerCore: 40 } })).toBe('29')
    expect(of({ kubelet: { podsPerCore: 0 } })).toBe('29')
    expect(of({ ...family('Windows2022'), kubelet: { podsPerCore: 4, maxPods: 50 } })).toBe('8')
    expect(of({ ...family('Bottlerocket'), kubelet: { podsPerCore: 4 } })).toBe('29')
  })
  test('A-CAP-06: pods that interfaces allow', () => {
    const efa = { networkCardIndex: 0, deviceIndex: 1, interfaceType: 'efa-only' as const }
    const first = { networkCardIndex: 0, deviceIndex: 0, interfaceType: 'interface' as const }
    expect([eniLimitedPods(typeInfo('t3.large'), 0), eniLimitedPods(typeInfo('m6idn.32xlarge'), 0)]).toEqual([35, 394])
    expect(eniLimitedPods(typeInfo('t3.large'), 1)).toBe(24)
    expect(eniLimitedPods(typeInfo('t3.large'), 3)).toBe(0)
    expect(eniLimitedPods(typeInfo('t3.large'), 0, [first, efa])).toBe(24)
    expect(eniLimitedPods(typeInfo('t3.large'), 0, [first, { ...efa, networkCardIndex: 1 }])).toBe(35)
    expect(eniLimitedPods({}, 0)).toBe(0)
    expect(capacity('t3.large', 'pods', {}, { reservedEnis: 1 })).toBe('24')
  })
  test('A-CAP-07: ipPrefixCount leaves pods as they are; an expression can count prefixes', () => {
    expect(capacity('m5.large', 'pods', { ipPrefixCount: 2 })).toBe('29')
    const maxPods = 'min(110, default_enis * (ips_per_eni - 1) * 16 + 2)'
    expect(capacity('m5.large', 'pods', { kubelet: { maxPods } })).toBe('110')
  })
  test('A-CAP-08: branch interfaces', () => {
    expect([branchInterfacesOf('m5.large'), branchInterfacesOf('t3.large'), branchInterfacesOf('made.up')]).toEqual([
      9, 0, 0,
    ])
    expect(capacity('m5.large', 'vpc.amazonaws.com/pod-eni')).toBe('9')
  })
  test('A-CAP-09: addresses of Windows nodes, on types that boot Windows alone', () => {
    const address = 'vpc.amazonaws.com/PrivateIPv4Address'
    expect([capacity('m5.large', address, family('Windows2022')), capacity('m5.large', address)]).toEqual(['9', '0'])
    expect(Object.hasOwn(typeOf('m5.large').capacity, address)).toBe(false)
  })
  test('A-CAP-10: GPUs by manufacturer, parts of one counted as one (W-15)', () => {
    const of = (name: string) =>
      ['nvidia.com/gpu', 'amd.com/gpu', 'habana.ai/gaudi'].map((resource) => capacity(name, resource))
    expect(of('g4dn.8xlarge')).toEqual(['1', '0', '0'])
    expect(of('g4ad.16xlarge')).toEqual(['0', '4', '0'])
    expect(of('dl1.24xlarge')).toEqual(['0', '0', '8'])
    expect(of('g6f.large')).toEqual(['1', '0', '0'])
    expect(
      capacity('g4dn.8xlarge', 'nvidia.com/gpu', {}, {}, { GpuInfo: { Gpus: [{ Manufacturer: 'Nvidia', Count: 1 }] } }),
    ).toBe('0')
  })
  test('A-CAP-11: Neuron devices and cores, cores summed over the groups (W-27)', () => {
    const of = (name: string, info: Partial<InstanceTypeInfo> = {}) =>
      ['aws.amazon.com/neuron', 'aws.amazon.com/neuroncore'].map((resource) => capacity(name, resource, {}, {}, info))
    expect([of('trn1.2xlarge'), of('trn1.32xlarge'), of('inf2.xlarge'), of('inf1.2xlarge')]).toEqual([
      ['1', '2'],
      ['16', '32'],
      ['1', '2'],
      ['1', '4'],
    ])
    const groups = [
      { Count: 2, CoreInfo: { Count: 2 } },
      { Count: 1, CoreInfo: { Count: 8 } },
    ]
    expect(of('trn1.2xlarge', { NeuronInfo: { NeuronDevices: groups } })).toEqual(['3', '12'])
    expect(of('trn1.2xlarge', { NeuronInfo: {} })).toEqual(['0', '0'])
  })
  test('A-CAP-12: EFA devices, or those that the NodeClass lists', () => {
    const efa = 'vpc.amazonaws.com/efa'
    const first = { networkCardIndex: 0, deviceIndex: 0, interfaceType: 'interface' }
    const only = { networkCardIndex: 1, deviceIndex: 1, interfaceType: 'efa-only' }
    expect([capacity('p4d.24xlarge', efa), capacity('m5.large', efa), capacity('m6idn.32xlarge', efa)]).toEqual([
      '4',
      '0',
      '2',
    ])
    expect(capacity('p4d.24xlarge', efa, { networkInterfaces: [first, only] })).toBe('1')
    expect(capacity('p4d.24xlarge', efa, { networkInterfaces: [first] })).toBe('0')
  })
  test('A-CAP-13: zeros stay on the type and leave the claim', () => {
    const type = typeOf('m5.large')
    expect(Object.hasOwn(type.capacity, 'nvidia.com/gpu')).toBe(true)
    const facts = launchedFacts(
      {
        providerId: 'aws:///a/i-1',
        phase: 'running',
        instanceType: 'm5.large',
        zone: 'eu-west-1a',
        capacityType: 'spot',
        owner: {},
      },
      type,
      awsLabelPolicy,
    )
    expect(Object.keys(facts.capacity).sort()).toEqual([
      'cpu',
      'ephemeral-storage',
      'memory',
      'pods',
      'vpc.amazonaws.com/pod-eni',
    ])
  })
})
