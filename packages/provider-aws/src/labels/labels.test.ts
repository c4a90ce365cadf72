import { describe, expect, test } from '@jest/globals'
import { coreLabelKnowledge, labelKeys, Labels, nodePoolProblems, Requirement, Requirements } from '@scantling/core'
import { nodePoolObject } from '@scantling/core/testing'
import { typeInfo } from '../../test/subjects.ts'
import { awsLabelKeys, awsLabelPolicy, awsResources, exoticResources, internalKeys, typeRequirements } from './index.ts'

const knowledge = Labels.extend(coreLabelKnowledge, awsLabelPolicy)
const labelsOf = (info: Parameters<typeof typeRequirements>[0]) =>
  Object.fromEntries(
    typeRequirements(info, 'eu-west-1').map((one) => [one.key, Requirement.sortedValues(one).join(',')]),
  )
const problemsWith = (requirements: ReadonlyArray<object>, labels: object = {}) => {
  const pool = nodePoolObject('general')
  const { template } = pool.spec
  return nodePoolProblems(
    {
      ...pool,
      spec: {
        ...pool.spec,
        template: {
          metadata: { ...template.metadata, labels: { ...labels } },
          spec: { ...template.spec, requirements } as typeof template.spec,
        },
      },
    },
    knowledge,
  ).map(({ path }) => path)
}

describe('label policy', () => {
  const keys = awsLabelPolicy.wellKnown.map(({ key }) => key)
  test('A-LBL-01: well-known keys, the restricted domain, and the alias of the EBS driver', () => {
    expect(keys.filter((key) => key.startsWith('karpenter.k8s.aws/'))).toHaveLength(29)
    expect(keys).toContain('topology.k8s.aws/zone-id')
    expect(awsLabelPolicy.restricted).toEqual(['karpenter.k8s.aws'])
    expect(Labels.normalizeKey('topology.ebs.csi.aws.com/zone', knowledge)).toBe(labelKeys.zone)
  })
  test('A-API-23: other keys of the domain are refused in requirements and labels; overlays know 23 of the 29', () => {
    const exists = (key: string) => ({ key, operator: 'Exists' })
    expect(problemsWith(keys.map(exists))).toEqual([])
    expect(
      problemsWith([exists('karpenter.k8s.aws/made-up'), exists('a.karpenter.k8s.aws/x'), exists('team')]),
    ).toEqual(['spec.template.spec.requirements[0].key', 'spec.template.spec.requirements[1].key'])
    expect(
      problemsWith([], { 'karpenter.k8s.aws/made-up': 'a', 'karpenter.k8s.aws/instance-family': 'm5' }),
    ).toHaveLength(1)
    const inOverlays = awsLabelPolicy.wellKnown.filter(
      ({ key, notInOverlays }) => notInOverlays !== true && key.startsWith('karpenter.k8s.aws/'),
    )
    expect(inOverlays).toHaveLength(23)
  })
  test('A-API-24: tenancy is refused only where none of its values exists', () => {
    const tenancy = (...values: ReadonlyArray<string>) => [{ key: awsLabelKeys.tenancy, operator: 'In', values }]
    expect(problemsWith(tenancy('dedicated', 'host'))).toEqual([])
    expect(problemsWith(tenancy('host'))).not.toEqual([])
  })
  test('A-LBL-05: one list of keys names what reserved machines alone have (W-10)', () => {
    expect(awsLabelPolicy.reservation).toEqual({
      id: 'karpenter.k8s.aws/capacity-reservation-id',
      all: [
        'karpenter.k8s.aws/capacity-reservation-id',
        'karpenter.k8s.aws/capacity-reservation-type',
        'karpenter.k8s.aws/capacity-reservation-interruptible',
      ],
    })
  })
  test('A-LBL-10: resources beside the core’s, and those that make a type exotic', () => {
    expect(Object.values(awsResources)).toEqual(
      expect.arrayContaining([
        'vpc.amazonaws.com/pod-eni',
        'aws.amazon.com/neuron',
        'aws.amazon.com/neuroncore',
        'habana.ai/gaudi',
        'vpc.amazonaws.com/efa',
      ]),
    )
    expect(exoticResources).toEqual([
      'nvidia.com/gpu',
      'amd.com/gpu',
      'habana.ai/gaudi',
      'aws.amazon.com/neuron',
      'aws.amazon.com/neuroncore',
    ])
  })
})

describe('labels of a type', () => {
  test('A-LBL-06: category, generation, family, size and flex come from the name', () => {
    const of = (name: string) => {
      const labels = labelsOf({ InstanceType: name as 'm5.large' })
      return [
        awsLabelKeys.category,
        awsLabelKeys.generation,
        awsLabelKeys.family,
        awsLabelKeys.size,
        awsLabelKeys.flex,
      ].map((key) => labels[key])
    }
    expect(of('m6idn.32xlarge')).toEqual(['m', '6', 'm6idn', '32xlarge', 'false'])
    expect(of('u-6tb1.metal')).toEqual(['u', '1', 'u-6tb1', 'metal', 'false'])
    expect(of('u7i-12tb.224xlarge')).toEqual(['u', '7', 'u7i-12tb', '224xlarge', 'false'])
    expect(of('gr6.4xlarge')).toEqual(['gr', '6', 'gr6', '4xlarge', 'false'])
    expect(of('m7i-flex.large')).toEqual(['m', '7', 'm7i-flex', 'large', 'true'])
    expect(of('odd')).toEqual([undefined, undefined, undefined, undefined, 'false'])
  })
  test('A-LBL-07: free text becomes lower case with hyphens', () => {
    expect(labelsOf(typeInfo('g4ad.16xlarge'))).toMatchObject({
      [awsLabelKeys.gpuName]: 'radeon-pro-v520',
      [awsLabelKeys.gpuManufacturer]: 'amd',
    })
  })
  test('describe processor, memory, disks, network, GPU and accelerators', () => {
    expect(labelsOf(typeInfo('g4dn.8xlarge'))).toMatchObject({
      [labelKeys.instanceType]: 'g4dn.8xlarge',
      [labelKeys.arch]: 'amd64',
      [labelKeys.region]: 'eu-west-1',
      [awsLabelKeys.cpu]: '32',
      [awsLabelKeys.cpuManufacturer]: 'intel',
      [awsLabelKeys.cpuClockSpeed]: '2500',
      [awsLabelKeys.memory]: '131072',
      [awsLabelKeys.hypervisor]: 'nitro',
      [awsLabelKeys.encryptionInTransit]: 'true',
      [awsLabelKeys.nitroSandbox]: 'true',
      [awsLabelKeys.localNvme]: '900',
      [awsLabelKeys.ebsBandwidth]: '9500',
      [awsLabelKeys.networkBandwidth]: '50000',
      [awsLabelKeys.gpuName]: 't4',
      [awsLabelKeys.gpuManufacturer]: 'nvidia',
      [awsLabelKeys.gpuCount]: '1',
      [awsLabelKeys.gpuMemory]: '16384',
      [awsLabelKeys.tenancy]: 'dedicated,default',
      [internalKeys.quota]: 'g-and-vt',
    })
    expect(labelsOf(typeInfo('trn1.32xlarge'))).toMatchObject({
      [awsLabelKeys.acceleratorName]: 'trainium',
      [awsLabelKeys.acceleratorManufacturer]: 'aws',
      [awsLabelKeys.acceleratorCount]: '16',
    })
    expect(labelsOf(typeInfo('m5.metal'))[awsLabelKeys.hypervisor]).toBe('')
    const plain = labelsOf(typeInfo('m5.large'))
    for (const key of [awsLabelKeys.localNvme, awsLabelKeys.gpuCount, awsLabelKeys.acceleratorCount])
      expect(plain[key]).toBeUndefined()
    expect(labelsOf(typeInfo('m6g.large'))[labelKeys.arch]).toBe('arm64')
    // A part of a GPU counts as one.
    expect(labelsOf(typeInfo('g6f.large'))[awsLabelKeys.gpuCount]).toBe('1')
  })
  test('an inference accelerator counts where the type has no Neuron devices', () => {
    const accelerators = { Accelerators: [{ Count: 4, Name: 'Inferentia', Manufacturer: 'AWS' }] }
    const info = typeInfo('m5.large', { InferenceAcceleratorInfo: accelerators })
    expect(labelsOf(info)).toMatchObject({
      [awsLabelKeys.acceleratorName]: 'inferentia',
      [awsLabelKeys.acceleratorManufacturer]: 'aws',
      [awsLabelKeys.acceleratorCount]: '4',
    })
  })
  test('bandwidth is that of all cards together, within what EC2 states for the type (W-16)', () => {
    const of = (name: string) => labelsOf(typeInfo(name))[awsLabelKeys.networkBandwidth]
    expect(['m5.large', 'p4d.24xlarge', 'm6idn.32xlarge', 'c8gn.48xlarge'].map(of)).toEqual([
      '750',
      '400000',
      '200000',
      '600000',
    ])
    expect(
      labelsOf({ InstanceType: 'm5.large', NetworkInfo: { NetworkCards: [{}] } })[awsLabelKeys.networkBandwidth],
    ).toBeUndefined()
  })
  test('types that share a vCPU quota share an internal label, so that one mark covers them (W-13)', () => {
    const of = (name: string) => labelsOf({ InstanceType: name as 'm5.large' })[internalKeys.quota]
    expect(
      [
        'm5.large',
        't3.large',
        'z1d.large',
        'p4d.24xlarge',
        'g5.xlarge',
        'vt1.3xlarge',
        'inf2.xlarge',
        'trn1.2xlarge',
        'dl1.24xlarge',
        'f2.6xlarge',
        'x2gd.large',
        'u-6tb1.metal',
        'u7i-12tb.224xlarge',
        'hpc7a.96xlarge',
        'im4gn.large',
      ].map(of),
    ).toEqual([
      'standard',
      'standard',
      'standard',
      'p',
      'g-and-vt',
      'g-and-vt',
      'inf',
      'trn',
      'dl',
      'f',
      'x',
      'high-memory',
      'high-memory',
      'hpc',
      'standard',
    ])
    expect(Requirements.of(typeRequirements(typeInfo('m5.large'), 'r')).byKey.has(internalKeys.quota)).toBe(true)
    expect(awsLabelPolicy.internal).toContain(internalKeys.quota)
  })
})
