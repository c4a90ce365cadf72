import { describe, expect, test } from '@jest/globals'
import { coreLabelKnowledge, Labels, nodePoolProblems } from '@scantling/core'
import { nodePoolObject } from '@scantling/core/testing'
import { azureLabelKeys, clusterLabelOf, isAksLabel, labelPolicy, osSkuOf } from './index.ts'

const knowledge = Labels.extend(coreLabelKnowledge, labelPolicy)
const pool = (overrides: Readonly<Record<string, unknown>>) =>
  nodePoolProblems(nodePoolObject('general', { spec: { template: overrides } }), knowledge).map(({ path }) => path)
const withLabel = (key: string) => pool({ metadata: { labels: { [key]: 'x' } } })
const withRequirement = (key: string, ...values: ReadonlyArray<string>) =>
  pool({ spec: { requirements: [{ key, operator: 'In', values }] } })

describe('label policy', () => {
  test('Z-LBL-01: the keys by which users schedule, and those that have few values', () => {
    expect(Object.values(azureLabelKeys).sort()).toEqual([
      'karpenter.azure.com/placement-scope',
      'karpenter.azure.com/sku-cpu',
      'karpenter.azure.com/sku-family',
      'karpenter.azure.com/sku-gpu-count',
      'karpenter.azure.com/sku-gpu-manufacturer',
      'karpenter.azure.com/sku-gpu-name',
      'karpenter.azure.com/sku-memory',
      'karpenter.azure.com/sku-name',
      'karpenter.azure.com/sku-networking-accelerated',
      'karpenter.azure.com/sku-series',
      'karpenter.azure.com/sku-storage-ephemeralos-maxsize',
      'karpenter.azure.com/sku-storage-premium-capable',
      'karpenter.azure.com/sku-storage-ultra-ssd',
      'karpenter.azure.com/sku-version',
      'kubernetes.azure.com/cluster',
      'kubernetes.azure.com/fips_enabled',
      'kubernetes.azure.com/mode',
      'kubernetes.azure.com/os-sku',
      'kubernetes.azure.com/priority',
      'kubernetes.azure.com/scalesetpriority',
      'kubernetes.azure.com/sku-cpu',
      'kubernetes.azure.com/sku-memory',
    ])
    for (const [key, right, wrong] of [
      ['karpenter.sh/capacity-type', 'spot', 'reserved'],
      [azureLabelKeys.skuAcceleratedNetworking, 'true', 'maybe'],
      [azureLabelKeys.skuPremiumStorage, 'true', 'maybe'],
      [azureLabelKeys.skuUltraSsd, 'false', 'maybe'],
      [azureLabelKeys.skuGpuManufacturer, 'nvidia', 'intel'],
      [azureLabelKeys.placementScope, 'zonal', 'global'],
      [azureLabelKeys.mode, 'system', 'control-plane'],
      [azureLabelKeys.scaleSetPriority, 'regular', 'low'],
      [azureLabelKeys.priority, 'regular', 'low'],
      [azureLabelKeys.osSku, 'AzureLinux', 'AzureLinux3'],
      [azureLabelKeys.fipsEnabled, 'true', 'false'],
    ] as const) {
      expect([key, withRequirement(key, right), withRequirement(key, right, wrong)]).toEqual([key, [], []])
      expect(withRequirement(key, wrong)).toHaveLength(1)
    }
    expect(withRequirement(azureLabelKeys.skuName, 'anything')).toEqual([])
  })

  test('Z-LBL-02: the provider’s own domain is closed, and internal keys are nobody’s to ask for', () => {
    expect(withRequirement('karpenter.azure.com/sku-hyperv-generation', '2')).toHaveLength(1)
    expect(withLabel('karpenter.azure.com/sku-hyperv-generation')).toHaveLength(1)
    expect(withLabel('karpenter.azure.com/made-up')).toHaveLength(1)
    expect(labelPolicy.internal).toContain('karpenter.azure.com/sku-hyperv-generation')
  })

  test('Z-LBL-03: of AKS’ domain users may set what agents select by; older keys not at all', () => {
    for (const key of ['ebpf-dataplane', 'ebpf-host-routing', 'network-policy', 'hostedvm', 'cluster', 'sku-cpu'])
      expect([withLabel(`kubernetes.azure.com/${key}`), withRequirement(`kubernetes.azure.com/${key}`, 'x')]).toEqual([
        [],
        [],
      ])
    expect(withLabel('karpenter.azure.com/aksnodeclass')).toEqual([])
    for (const key of [
      'kubernetes.azure.com/agentpool',
      'kubernetes.azure.com/role',
      'kubernetes.azure.com/storageprofile',
      'agentpool',
      'storageprofile',
      'storagetier',
      'accelerator',
    ]) {
      expect([withLabel(key).length, withRequirement(key, 'x').length]).toEqual([1, 1])
    }
    expect([isAksLabel('agentpool'), isAksLabel('kubernetes.azure.com/any'), isAksLabel('team')]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('Z-LBL-19: the zone of the disk driver is the zone, and its empty text the region as a whole', () => {
    const key = Labels.normalizeKey('topology.disk.csi.azure.com/zone', knowledge)
    expect(key).toBe('topology.kubernetes.io/zone')
    expect([Labels.normalizeValue(key, '', knowledge), Labels.normalizeValue(key, 'westus-1', knowledge)]).toEqual([
      '0',
      'westus-1',
    ])
  })
})

describe('label values', () => {
  test.each([
    ['MC_rg_cluster_westus', 'MC_rg_cluster_westus'],
    ['MC_(rg)_c', 'MC_-rg-_c'],
    ['MC_rg)', 'MC_rg-z'],
    ['MC_rg_', 'MC_rg_z'],
    ['MC_rg.', 'MC_rg.z'],
    ['a'.repeat(70), 'a'.repeat(63)],
    [`${'a'.repeat(62)}-bbb`, `${'a'.repeat(62)}z`],
    [`${'a'.repeat(61)}-`, `${'a'.repeat(61)}-z`],
  ])('Z-LBL-10: cluster %s is %s', (group, label) => {
    expect(clusterLabelOf(group)).toBe(label)
    expect(label.length).toBeLessThanOrEqual(63)
  })

  test.each([
    ['Ubuntu', 'Ubuntu'],
    ['Ubuntu2204', 'Ubuntu'],
    ['Ubuntu2404', 'Ubuntu'],
    ['AzureLinux', 'AzureLinux'],
    ['', 'Ubuntu'],
    ['Mariner', 'Mariner'],
  ])('Z-LBL-11: family "%s" has the os-sku %s', (family, osSku) => {
    expect(osSkuOf(family)).toBe(osSku)
  })
})
