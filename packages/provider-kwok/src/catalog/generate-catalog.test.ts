import { describe, expect, test } from '@jest/globals'
import { Requirements, Resources, type InstanceType } from '@scantling/core'
import { catalogNames, catalogTypes, generateCatalog, labelPolicyOf } from './index.ts'

const typeOf = (types: ReadonlyArray<InstanceType>, name: string): InstanceType => {
  const found = types.find((type) => type.name === name)
  if (found === undefined) throw new Error(`Expected a type named ${name}`)
  return found
}
const labelsOf = (type: InstanceType) =>
  Object.fromEntries(
    Requirements.toSpecs(type.requirements).map(({ key, values }) => [key, values?.join(',') ?? 'none']),
  )
const allocatable = ({ capacity, overhead }: InstanceType) =>
  Resources.subtract(
    capacity,
    Resources.add(overhead.kubeReserved, overhead.systemReserved, overhead.evictionThreshold),
  )

describe('generateCatalog()', () => {
  test('gives equal catalogues for equal seeds, and other spot prices alone for another seed', () => {
    expect(generateCatalog('ec2-like')).toEqual(generateCatalog('ec2-like'))
    const [ours, other] = [generateCatalog('ec2-like', 'a'), generateCatalog('ec2-like', 'b')]
    expect(ours).not.toEqual(other)
    const onDemand = (catalog: typeof ours) =>
      catalog.map(({ offerings, ...rest }) => ({
        ...rest,
        offerings: offerings.filter((one) => one.Requirements.some(({ values }) => values.includes('on-demand'))),
      }))
    expect(onDemand(ours)).toEqual(onDemand(other))
  })

  test('has more than 700 EC2-like types, spot cheaper than on-demand in each of four zones', () => {
    const types = catalogTypes('ec2-like')
    expect(types.length).toBeGreaterThanOrEqual(700)
    expect(new Set(types.map(({ name }) => name)).size).toBe(types.length)
    const m5 = typeOf(types, 'm5.large')
    expect(m5.offerings).toHaveLength(8)
    for (const { requirements, pricePerHour } of m5.offerings)
      if (Requirements.get(requirements, 'karpenter.sh/capacity-type').values.has('spot'))
        expect(pricePerHour).toBeLessThan(0.096 * 0.51)
      else expect(pricePerHour).toBe(0.096)
  })

  test('reproduces the allocatable that the tutorials print for c7g.2xlarge', () => {
    // The tutorial's NodePool reserves another 100m of CPU and 100Mi of memory for the system.
    expect(allocatable(typeOf(catalogTypes('ec2-like'), 'c7g.2xlarge'))).toEqual(
      Resources.parse({ cpu: '7910m', memory: '14103Mi', pods: '58', 'ephemeral-storage': '17Gi' }),
    )
  })

  test('labels EC2-like types as manifests for EC2 select them', () => {
    const types = catalogTypes('ec2-like')
    expect(labelsOf(typeOf(types, 'm7i-flex.2xlarge'))).toMatchObject({
      'karpenter.k8s.aws/instance-category': 'm',
      'karpenter.k8s.aws/instance-generation': '7',
      'karpenter.k8s.aws/instance-family': 'm7i-flex',
      'karpenter.k8s.aws/instance-size': '2xlarge',
      'karpenter.k8s.aws/instance-capability-flex': 'true',
      'karpenter.k8s.aws/instance-cpu': '8',
      'karpenter.k8s.aws/instance-memory': '32768',
      'karpenter.k8s.aws/instance-hypervisor': 'nitro',
      'karpenter.k8s.aws/instance-gpu-name': 'none',
      'karpenter.k8s.aws/instance-local-nvme': 'none',
      'karpenter.kwok.sh/instance-family': 'm7i-flex',
      'kubernetes.io/arch': 'amd64',
      'topology.kubernetes.io/region': 'us-west-2',
    })
    expect(labelsOf(typeOf(types, 'g5.12xlarge'))).toMatchObject({
      'karpenter.k8s.aws/instance-gpu-name': 'a10g',
      'karpenter.k8s.aws/instance-gpu-count': '4',
    })
    expect(typeOf(types, 'g5.12xlarge').capacity['nvidia.com/gpu']).toBe('4')
    expect(labelsOf(typeOf(types, 't4g.medium'))['kubernetes.io/arch']).toBe('arm64')
    expect(labelsOf(typeOf(types, 't3.large'))['karpenter.k8s.aws/instance-hypervisor']).toBe('nitro')
  })

  test('labels and reserves as AKS does', () => {
    const types = catalogTypes('azure-like')
    const d4 = typeOf(types, 'Standard_D4ps_v6')
    expect(labelsOf(d4)).toMatchObject({
      'karpenter.azure.com/sku-family': 'D',
      'karpenter.azure.com/sku-series': 'Dps_v6',
      'karpenter.azure.com/sku-version': '6',
      'karpenter.azure.com/sku-cpu': '4',
      'karpenter.azure.com/sku-memory': '16384',
      'karpenter.azure.com/sku-gpu-name': 'none',
      'kubernetes.io/arch': 'arm64',
    })
    const d2 = typeOf(types, 'Standard_D2s_v5')
    expect(d2.overhead.kubeReserved).toEqual(Resources.parse({ cpu: '100m', memory: '1843Mi' }))
  })

  test("has the reference's 144 types at its prices (K-01, K-02)", () => {
    const types = catalogTypes('kwok')
    expect(types).toHaveLength(144)
    const smallest = typeOf(types, 'c-1x-amd64-linux')
    expect(smallest.offerings.map(({ pricePerHour }) => pricePerHour)).toContain(0.027147483648)
    expect(smallest.offerings).toHaveLength(8)
    expect(typeOf(types, 'm-128x-arm64-windows').capacity['pods']).toBe('1024')
  })

  test('names every label of its types well known, and no label of the core (K-04)', () => {
    for (const name of catalogNames) {
      const keys = labelPolicyOf(catalogTypes(name)).wellKnown.map(({ key }) => key)
      expect(keys).toContain('karpenter.kwok.sh/instance-family')
      expect(keys).not.toContain('topology.kubernetes.io/zone')
    }
    expect(catalogTypes('ec2-like')).toBe(catalogTypes('ec2-like'))
  })
})
