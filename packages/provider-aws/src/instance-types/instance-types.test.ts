import { describe, expect, test } from '@jest/globals'
import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import {
  completeWellKnown,
  coreLabelKnowledge,
  labelKeys,
  Labels,
  launchedFacts,
  Requirement,
  Requirements,
  Resources,
  type InstanceType,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { nodeClass, recordedTypes, resolvedStatus, typeInfo } from '../../test/subjects.ts'
import { awsLabelKeys, awsLabelPolicy } from '../labels/index.ts'
import { initialPrices } from '../pricing/index.ts'
import type { AwsError, Ec2Port } from '../sdk/index.ts'
import {
  branchInterfacesOf,
  catalogueOf,
  createInstanceTypes,
  eniLimitedPods,
  incompatibilityOf,
  kubeletOfType,
  loadCatalogue,
  soldIn,
  type InstanceTypesInput,
  type InstanceTypesSettings,
} from './index.ts'

const zones = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']
const catalogueWith = (types: ReadonlyArray<InstanceTypeInfo>, places: ReadonlyArray<string> = zones) =>
  catalogueOf(
    types,
    types.flatMap(({ InstanceType }) => places.map((zone) => ({ type: String(InstanceType), zone }))),
  )
const catalogue = catalogueWith(recordedTypes)
const prices = initialPrices(
  {
    source: 'test',
    byRegion: new Map([['us-east-1', new Map(recordedTypes.map(({ InstanceType }) => [String(InstanceType), 1]))]]),
  },
  'us-east-1',
)
const settings: InstanceTypesSettings = {
  region: 'eu-west-1',
  vmMemoryOverheadPercent: 0.075,
  reservedEnis: 0,
  allowsExpressions: true,
  usesReservations: true,
}
const nothing: InstanceTypesInput = {
  nodeClass: nodeClass({}, resolvedStatus),
  catalogue,
  prices,
  shiftedZoneIds: new Set(),
  exhaustedSubnetIds: new Set(),
  reservationCounts: new Map(),
}
const listOf = (input: Partial<InstanceTypesInput> = {}, changes: Partial<InstanceTypesSettings> = {}) =>
  createInstanceTypes({ ...settings, ...changes }).of({ ...nothing, ...input })
const all = (...args: Parameters<typeof listOf>): ReadonlyArray<InstanceType> => {
  const found = listOf(...args)
  if (E.isLeft(found)) throw new Error(found.left.message)
  return found.right
}
/** One type as a NodeClass with this spec sees it. */
const typeOf = (
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  changes: Partial<InstanceTypesSettings> = {},
  info: Partial<InstanceTypeInfo> = {},
): InstanceType => {
  const [found] = all(
    { nodeClass: nodeClass(spec, resolvedStatus), catalogue: catalogueWith([typeInfo(name, info)]) },
    changes,
  )
  if (found === undefined) throw new Error(`${name} is not among the types`)
  return found
}
const family = (amiFamily: string) => ({ amiFamily, amiSelectorTerms: [{ id: 'ami-1' }] })
const capacity = (
  name: string,
  resource: string,
  ...rest: [Readonly<Record<string, unknown>>?, Partial<InstanceTypesSettings>?, Partial<InstanceTypeInfo>?]
) => String(Resources.get(typeOf(name, ...rest).capacity, resource))
const valuesOf = (type: InstanceType, key: string) => {
  const requirement = type.requirements.byKey.get(key)
  return requirement === undefined ? undefined : Requirement.sortedValues(requirement)
}

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
    const [type] = all({
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

describe('the catalogue', () => {
  const signal = new AbortController().signal
  const pagesOf = <A>(...pages: ReadonlyArray<A>) => {
    const inputs: Array<unknown> = []
    return {
      inputs,
      call: (input: { NextToken?: string }) => () => {
        inputs.push(input)
        const at = Number(input.NextToken ?? 0)
        const next = at + 1 < pages.length ? { NextToken: String(at + 1) } : {}
        return Promise.resolve(E.right({ ...pages[at], ...next }))
      },
    }
  }
  type Loader = Pick<Ec2Port, 'describeInstanceTypes' | 'describeInstanceTypeOfferings'>
  const types = pagesOf({ InstanceTypes: [typeInfo('m5.large')] }, { InstanceTypes: [typeInfo('c3.large')] })
  const places = pagesOf(
    { InstanceTypeOfferings: [{ InstanceType: 'm5.large', Location: 'b' }] },
    {
      InstanceTypeOfferings: [
        { InstanceType: 'm5.large', Location: 'a' },
        { InstanceType: 'c3.large', Location: 'b' },
      ],
    },
  )
  const ec2 = { describeInstanceTypes: types.call, describeInstanceTypeOfferings: places.call } as unknown as Loader
  test('A-ITP-01, A-ITP-02: all pages of types and of the zones that they are sold in', async () => {
    const loaded = await loadCatalogue(ec2, signal)
    if (E.isLeft(loaded)) throw new Error(loaded.left.message)
    expect([[...loaded.right.types.keys()], loaded.right.zones]).toEqual([
      ['c3.large', 'm5.large'],
      ['a', 'b'],
    ])
    expect([[...soldIn(loaded.right, 'm5.large')].sort(), [...soldIn(loaded.right, 'made.up')]]).toEqual([
      ['a', 'b'],
      [],
    ])
    expect(types.inputs[0]).toEqual({
      MaxResults: 100,
      Filters: [
        { Name: 'supported-virtualization-type', Values: ['hvm'] },
        { Name: 'processor-info.supported-architecture', Values: ['x86_64', 'arm64'] },
      ],
    })
    expect(places.inputs[0]).toEqual({ MaxResults: 1000, LocationType: 'availability-zone' })
  })
  test('A-ITP-03: a failure or an empty answer is an error, not an empty catalogue', async () => {
    const failure: AwsError = { action: 'ec2:DescribeInstanceTypes', code: 'AuthFailure', message: 'no' }
    const broken = { ...ec2, describeInstanceTypes: () => () => Promise.resolve(E.left(failure)) } as unknown as Loader
    expect(await loadCatalogue(broken, signal)).toEqual(E.left(failure))
    const empty = { ...ec2, describeInstanceTypes: pagesOf({ InstanceTypes: [] }).call } as unknown as Loader
    expect(await loadCatalogue(empty, signal)).toMatchObject({ left: { code: 'EmptyAnswer' } })
  })
})

describe('types of a NodeClass', () => {
  const wellKnown = Labels.extend(coreLabelKnowledge, awsLabelPolicy).wellKnown
  test('A-LBL-02: every well-known key has a requirement once the shell has completed them', () => {
    const [type] = completeWellKnown([typeOf('m5.large')], wellKnown)
    const missing = [...wellKnown].filter((key) => type?.requirements.byKey.has(key) === false)
    // What a claim gets from its NodePool, NodeClass and the shell.
    expect(missing.filter((key) => key !== labelKeys.nodePool)).toEqual([])
    const gpu = type && Requirements.get(type.requirements, awsLabelKeys.gpuCount)
    expect(gpu && Requirement.operatorOf(gpu)).toBe('DoesNotExist')
  })
  test('A-LBL-03: zones are those of the type and the NodeClass both, with their ids where these are known', () => {
    const inTwo = all({ catalogue: catalogueWith([typeInfo('m5.large')], ['eu-west-1b', 'eu-west-1c']) })[0]
    expect(inTwo && [valuesOf(inTwo, labelKeys.zone), valuesOf(inTwo, awsLabelKeys.zoneId)]).toEqual([
      ['eu-west-1b'],
      ['euw1-az2'],
    ])
    const old = all({ nodeClass: nodeClass({}, { ...resolvedStatus, subnets: [{ id: 's', zone: 'eu-west-1a' }] }) })[0]
    expect(old && valuesOf(old, awsLabelKeys.zoneId)).toBeUndefined()
    const nowhere = all({ catalogue: catalogueWith([typeInfo('m5.large')], ['eu-west-1c']) })[0]
    expect(nowhere && valuesOf(nowhere, labelKeys.zone)).toEqual([])
  })
  const reservation = (id: string, changes: object = {}) => ({
    id,
    availabilityZone: 'eu-west-1a',
    instanceMatchCriteria: 'targeted',
    instanceType: 'm5.large',
    ownerID: '012345678901',
    ...changes,
  })
  test('A-LBL-04, A-LBL-05: capacity types of EC2, and reserved with the keys of the reservations that match', () => {
    const reserved = nodeClass(
      {},
      {
        ...resolvedStatus,
        capacityReservations: [
          reservation('cr-1'),
          reservation('cr-2', { reservationType: 'capacity-block', interruptible: true }),
          reservation('cr-3', { instanceType: 'c3.large' }),
        ],
      },
    )
    const of = (changes: Partial<InstanceTypesSettings>, info: Partial<InstanceTypeInfo> = {}) =>
      all({ nodeClass: reserved, catalogue: catalogueWith([typeInfo('m5.large', info)]) }, changes)[0]
    const with_ = of({})
    expect(
      with_ &&
        [
          labelKeys.capacityType,
          awsLabelKeys.reservationId,
          awsLabelKeys.reservationType,
          awsLabelKeys.reservationInterruptible,
        ].map((key) => valuesOf(with_, key)),
    ).toEqual([
      ['on-demand', 'reserved', 'spot'],
      ['cr-1', 'cr-2'],
      ['capacity-block', 'default'],
      ['false', 'true'],
    ])
    const without = of({ usesReservations: false }, { SupportedUsageClasses: ['on-demand', 'capacity-block'] })
    expect(
      without && [valuesOf(without, labelKeys.capacityType), valuesOf(without, awsLabelKeys.reservationId)],
    ).toEqual([['on-demand'], undefined])
  })
  test('A-LBL-08: a claim gets the single values of type and offering, reservation keys from a reserved one alone', () => {
    const reserved = nodeClass({}, { ...resolvedStatus, capacityReservations: [reservation('cr-1')] })
    const [type] = all({ nodeClass: reserved, catalogue: catalogueWith([typeInfo('m5.large')]) })
    const labels = (capacityType: 'spot' | 'reserved') =>
      launchedFacts(
        { providerId: 'p', phase: 'running', instanceType: 'm5.large', zone: 'eu-west-1a', capacityType, owner: {} },
        type,
        awsLabelPolicy,
      ).labels
    expect(labels('spot')).toMatchObject({
      [labelKeys.zone]: 'eu-west-1a',
      [awsLabelKeys.zoneId]: 'euw1-az1',
      [labelKeys.capacityType]: 'spot',
      [awsLabelKeys.family]: 'm5',
    })
    const keys = [awsLabelKeys.reservationId, awsLabelKeys.tenancy, 'scantling.sh/ec2-vcpu-quota']
    expect(keys.map((key) => labels('spot')[key])).toEqual([undefined, undefined, undefined])
    expect(labels('reserved')[awsLabelKeys.reservationId]).toBe('cr-1')
  })
  test('A-LBL-09: a placement group and its partitions are labels of every type', () => {
    const [type] = all({
      placementGroup: { id: 'pg-1', strategy: 'partition', partitionCount: 3 },
      catalogue: catalogueWith([typeInfo('m5.large')]),
    })
    expect(
      type && [valuesOf(type, awsLabelKeys.placementGroupId), valuesOf(type, awsLabelKeys.placementGroupPartition)],
    ).toEqual([['pg-1'], ['1', '2', '3']])
    const [spread] = all({
      placementGroup: { id: 'pg-2', strategy: 'spread' },
      catalogue: catalogueWith([typeInfo('m5.large')]),
    })
    expect(spread && valuesOf(spread, awsLabelKeys.placementGroupPartition)).toBeUndefined()
  })
  test('A-ITP-07: Windows boots on x86 alone, under its build', () => {
    const of = (name: string, spec = {}) =>
      [labelKeys.os, labelKeys.windowsBuild].map((key) => valuesOf(typeOf(name, spec), key))
    expect(of('m5.large', family('Windows2019'))).toEqual([['windows'], ['10.0.17763']])
    expect(of('m6g.large', family('Windows2019'))).toEqual([[], ['10.0.17763']])
    expect(of('m6g.large')).toEqual([['linux'], undefined])
  })
  test('A-ITP-04, A-ITP-06: while nothing changed, the same array of the same objects; what changed is new, the rest is not', () => {
    const types = createInstanceTypes(settings)
    const of = (input: Partial<InstanceTypesInput> = {}) => {
      const found = types.of({ ...nothing, ...input })
      if (E.isLeft(found)) throw new Error(found.left.message)
      return found.right
    }
    const first = of()
    expect(of()).toBe(first)
    // Equal facts in new objects: the status was written again, the prices were read again.
    expect(of({ nodeClass: nodeClass({}, { ...resolvedStatus, conditions: [] }, { generation: 2 }) })).toBe(first)
    expect(of({ prices: { ...prices, onDemand: new Map(prices.onDemand) } })).toBe(first)
    const dearer = of({ prices: { ...prices, onDemand: new Map([...prices.onDemand, ['m5.large', 2]]) } })
    expect(dearer).not.toBe(first)
    expect(dearer.filter((type, index) => type !== first[index]).map(({ name }) => name)).toEqual(['m5.large'])
    const kinds: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { kubelet: { maxPods: 5 } },
      { blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { volumeSize: '9Gi' } }] },
      { instanceStorePolicy: 'RAID0' },
      { cpuOptions: { nestedVirtualization: 'enabled' } },
      { connectionTracking: { udpTimeout: 30 } },
      { amiFamily: 'Custom' },
      { ipPrefixCount: 20 },
    ]
    // The reference's key lacks the image family and nested virtualization (W-04).
    for (const spec of kinds) expect(of({ nodeClass: nodeClass(spec, resolvedStatus) })).not.toBe(first)
    // Another NodeClass has its own.
    const other = of({ nodeClass: nodeClass({}, resolvedStatus, { uid: 'uid-2' }) })
    expect([of({ nodeClass: nodeClass({}, resolvedStatus, { uid: 'uid-2' }) }) === other, other.length]).toEqual([
      true,
      first.length,
    ])
    types.forget(nodeClass({}, resolvedStatus))
    expect(of()).not.toBe(first)
  })
  test('A-ITP-05: no list without catalogue or subnets', () => {
    expect(listOf({ catalogue: undefined })).toMatchObject({ left: { _tag: 'Unknown', retryAfterMs: 1000 } })
    expect(listOf({ catalogue: catalogueOf([typeInfo('m5.large')], []) })).toMatchObject({ left: { _tag: 'Unknown' } })
    expect(listOf({ nodeClass: nodeClass() })).toMatchObject({ left: { _tag: 'NodeClassNotReady' } })
  })
  test('A-ITP-08: each type names the image that a launch would boot, by which the shell learns its memory', () => {
    expect([
      typeOf('m5.large').imageId,
      typeOf('m6g.large').imageId,
      typeOf('g4dn.8xlarge').imageId,
      typeOf('inf2.xlarge').imageId,
    ]).toEqual(['ami-amd', 'ami-arm', 'ami-gpu', undefined])
  })
})

describe('compatibility', () => {
  const of = (
    name: string,
    spec: Readonly<Record<string, unknown>>,
    rest: object = {},
    info: Partial<InstanceTypeInfo> = {},
  ) => incompatibilityOf({ info: typeInfo(name, info), family: 'AL2', spec, ...rest })?.reason
  const nic = (
    networkCardIndex: number,
    deviceIndex: number,
    interfaceType: 'interface' | 'efa-only' = 'interface',
  ) => ({ networkCardIndex, deviceIndex, interfaceType })
  test('A-CMP-01: network interfaces', () => {
    const with_ = (name: string, list: ReadonlyArray<unknown>, info: Partial<InstanceTypeInfo> = {}) =>
      of(name, { networkInterfaces: list }, {}, info)
    const { NetworkInfo = {} } = typeInfo('m5.large')
    expect(with_('m5.large', [nic(0, 0), nic(0, 2)])).toBeUndefined()
    expect(with_('m5.large', [nic(0, 0), nic(0, 3)])).toBe('NetworkInterfacesUnsupported')
    expect(with_('m5.large', [nic(0, 0), nic(1, 0)])).toBe('NetworkInterfacesUnsupported')
    expect(with_('p4d.24xlarge', [nic(0, 0), nic(1, 1, 'efa-only')])).toBeUndefined()
    expect(with_('m5.large', [nic(0, 0), nic(0, 1, 'efa-only')])).toBe('NetworkInterfacesUnsupported')
    expect(with_('m5.large', [nic(0, 0)], { NetworkInfo: { ...NetworkInfo, EnaSupport: 'unsupported' } })).toBe(
      'NetworkInterfacesUnsupported',
    )
    expect(with_('m5.large', [nic(0, 0)], { NetworkInfo: {} })).toBe('NetworkInterfacesUnsupported')
    expect(with_('m5.large', [], { NetworkInfo: {} })).toBeUndefined()
  })
  test('A-CMP-02: AL2023 does not run on a1', () => {
    expect([
      of('a1.large', {}, { family: 'AL2023' }),
      of('a1.large', {}),
      of('m6g.large', {}, { family: 'AL2023' }),
    ]).toEqual(['ImageFamilyUnsupported', undefined, undefined])
  })
  test('A-CMP-03: nested virtualization', () => {
    const on = { cpuOptions: { nestedVirtualization: 'enabled' } }
    expect([
      of('m8i.large', on),
      of('m5.large', on),
      of('m5.large', { cpuOptions: { nestedVirtualization: 'disabled' } }),
    ]).toEqual([undefined, 'NestedVirtualizationUnsupported', undefined])
  })
  test('A-CMP-04: the strategy of a placement group, on a type that says nothing of groups, too (W-18)', () => {
    const group = { placementGroup: { id: 'pg-1', strategy: 'cluster' } }
    expect([of('m5.large', {}, group), of('t3.large', {}, group)]).toEqual([undefined, 'PlacementStrategyUnsupported'])
    expect(
      incompatibilityOf({ info: {}, family: 'AL2', spec: {}, placementGroup: { id: 'pg-1', strategy: 'spread' } })
        ?.reason,
    ).toBe('PlacementStrategyUnsupported')
  })
  test('A-CMP-05: connection tracking needs Nitro, which bare metal does not have (S-20)', () => {
    const tracking = { connectionTracking: { udpTimeout: 30 } }
    expect([of('m5.large', tracking), of('m5.metal', tracking), of('c3.large', tracking)]).toEqual([
      undefined,
      'ConnectionTrackingUnsupported',
      'ConnectionTrackingUnsupported',
    ])
  })
  test('A-CMP-06: prefixes and the interface’s own address must fit on an interface', () => {
    expect([
      of('m5.large', { ipPrefixCount: 9 }),
      of('m5.large', { ipPrefixCount: 10 }),
      of('m5.large', { ipPrefixCount: 0 }),
    ]).toEqual([undefined, 'TooManyPrefixes', undefined])
  })
  test('what is not compatible is listed with every offering unavailable, and says why', () => {
    const type = typeOf('m5.large', { cpuOptions: { nestedVirtualization: 'enabled' } })
    expect(new Set(type.offerings.map(({ unavailable }) => unavailable?.reason))).toEqual(
      new Set(['NestedVirtualizationUnsupported']),
    )
  })
})
