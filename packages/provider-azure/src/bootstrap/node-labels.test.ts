import { describe, expect, test } from '@jest/globals'
import { launchedFacts, Requirements } from '@scantling/core'
import { bootInputs, typeOf, type BootCase } from '../../test/boot-inputs.ts'
import { claimOf, subnetId } from '../../test/builders.ts'
import { labelPolicy } from '../labels/index.ts'
import { labelsOfLaunched, machineLabels, modeOf, nodeLabels } from './index.ts'

const labelsOf = (input: BootCase) => nodeLabels(bootInputs(input).labelsInput)

describe('labels of nodes', () => {
  test('Z-LBL-15: what every node of AKS has', () => {
    expect(labelsOf({})).toMatchObject({
      'kubernetes.azure.com/role': 'agent',
      'kubernetes.azure.com/cluster': 'MC_rg_cluster_southcentralus',
      'kubernetes.azure.com/kubelet-identity-client-id': '22222222-2222-2222-2222-222222222222',
      'kubernetes.azure.com/mode': 'user',
      'karpenter.sh/do-not-sync-taints': 'true',
      'kubernetes.azure.com/scalesetpriority': 'spot',
      'kubernetes.azure.com/priority': 'spot',
      'kubernetes.azure.com/os-sku': 'Ubuntu',
      'kubernetes.azure.com/os-sku-requested': 'Ubuntu',
      'kubernetes.azure.com/os-sku-effective': 'Ubuntu2204',
      'kubernetes.azure.com/localdns-state': 'disabled',
    })
    expect(labelsOf({ capacityType: 'on-demand' })['kubernetes.azure.com/priority']).toBe('regular')
    const none = labelsOf({})
    expect([none['kubernetes.azure.com/fips_enabled'], none['kubernetes.azure.com/artifactstreaming-enabled']]).toEqual(
      [undefined, undefined],
    )
    const effective = (spec: BootCase['spec'], version?: string) =>
      labelsOf({ ...(spec && { spec }), ...(version && { version }) })['kubernetes.azure.com/os-sku-effective']
    expect([
      effective({}, '1.34.0'),
      effective({ imageFamily: 'AzureLinux' }, '1.31.0'),
      effective({ imageFamily: 'AzureLinux' }, '1.32.0'),
      effective({ fipsMode: 'FIPS' }),
    ]).toEqual(['Ubuntu2404', 'AzureLinux2', 'AzureLinux3', 'Ubuntu'])
    const all = labelsOf({
      spec: { fipsMode: 'FIPS', artifactStreaming: { enabled: true } },
      status: { localDNSState: 'Enabled' },
    })
    expect(all).toMatchObject({
      'kubernetes.azure.com/fips_enabled': 'true',
      'kubernetes.azure.com/localdns-state': 'enabled',
      'kubernetes.azure.com/artifactstreaming-enabled': 'true',
    })
    const byClaim = labelsOf({
      claim: {
        labels: { 'kubernetes.azure.com/role': 'mine', team: 'a' },
        requirements: Requirements.fromLabels({ 'kubernetes.azure.com/mode': 'system' }),
      },
    })
    expect([byClaim['kubernetes.azure.com/role'], byClaim['kubernetes.azure.com/mode'], byClaim['team']]).toEqual([
      'mine',
      'system',
      'a',
    ])
  })

  test('Z-LBL-16: networks of Azure CNI overlay, and cilium', () => {
    expect(labelsOf({})).toMatchObject({
      'kubernetes.azure.com/network-subnet': 'aks-subnet',
      'kubernetes.azure.com/nodenetwork-vnetguid': '11111111-1111-1111-1111-111111111111',
      'kubernetes.azure.com/azure-cni-overlay': 'true',
      'kubernetes.azure.com/podnetwork-type': 'overlay',
      'kubernetes.azure.com/network-stateless-cni': 'false',
      'kubernetes.azure.com/ebpf-dataplane': 'cilium',
    })
    expect(labelsOf({ version: '1.34.0' })['kubernetes.azure.com/network-stateless-cni']).toBe('true')
    const own = subnetId.replace('subnets/aks-subnet', 'subnets/mine')
    expect(labelsOf({ spec: { vnetSubnetID: own } })['kubernetes.azure.com/network-subnet']).toBe('mine')
    const plain = labelsOf({ settings: { networkPluginMode: '', networkDataplane: '' } })
    expect(Object.keys(plain).filter((key) => /cni|network|ebpf/.test(key) && !key.includes('sku-'))).toEqual([])
  })

  test('Z-LBL-17: the claim’s, its requirements, the type’s and the choice, without what a kubelet may not set', () => {
    const labels = labelsOf({
      claim: {
        labels: { team: 'a', 'karpenter.azure.com/sku-name': 'overridden', 'example.k8s.io/x': 'no' },
        requirements: Requirements.fromSpecs([
          { key: 'team', operator: 'In', values: ['b'] },
          { key: 'zones', operator: 'In', values: ['1', '2'] },
          { key: 'karpenter.azure.com/sku-storage-ultra-ssd', operator: 'In', values: ['true'] },
        ]),
      },
      ultraSsd: true,
    })
    expect(labels).toMatchObject({
      team: 'b',
      'karpenter.azure.com/sku-name': 'Standard_D2s_v3',
      'karpenter.azure.com/sku-family': 'D',
      'karpenter.sh/capacity-type': 'spot',
      'karpenter.azure.com/placement-scope': 'zonal',
      'karpenter.azure.com/sku-storage-ultra-ssd': 'true',
      'topology.kubernetes.io/zone': 'southcentralus-1',
      'node.kubernetes.io/instance-type': 'Standard_D2s_v3',
    })
    for (const key of [
      'example.k8s.io/x',
      'zones',
      'karpenter.azure.com/sku-hyperv-generation',
      'karpenter.azure.com/sku-quota-family',
    ])
      expect(labels).not.toHaveProperty([key])
    expect(labelsOf({})['karpenter.azure.com/sku-storage-ultra-ssd']).toBe('false')
  })

  test('Z-MACH-11: a machine gets none of AKS’ own labels, nor what its kubelet finds out', () => {
    const { labelsInput } = bootInputs({
      claim: {
        labels: { team: 'a', agentpool: 'x', 'kubernetes.azure.com/mode': 'system', 'example.k8s.io/x': 'no' },
        requirements: Requirements.empty,
      },
    })
    const labels = machineLabels(labelsInput)
    expect(labels).toMatchObject({
      team: 'a',
      'karpenter.sh/capacity-type': 'spot',
      'karpenter.azure.com/placement-scope': 'zonal',
      'karpenter.azure.com/sku-storage-ultra-ssd': 'false',
    })
    expect(
      Object.keys(labels).filter((key) => /kubernetes\.azure\.com|agentpool|kubernetes\.io|k8s\.io/.test(key)),
    ).toEqual([])
    expect(modeOf(labelsInput)).toBe('System')
    expect(modeOf(bootInputs({}).labelsInput)).toBe('User')
  })
})

describe('labels of claims', () => {
  test('Z-LBL-18: the type’s, the offering’s, the choice, and what the claim’s requirements decide of Azure’s keys', () => {
    const claim = claimOf({
      requirements: Requirements.fromSpecs([
        { key: 'kubernetes.azure.com/mode', operator: 'In', values: ['system'] },
        { key: 'karpenter.azure.com/sku-family', operator: 'In', values: ['D', 'E'] },
        { key: 'team', operator: 'In', values: ['a'] },
      ]),
    })
    const { labels } = launchedFacts(
      {
        providerId: 'azure:///vm',
        phase: 'running',
        instanceType: 'Standard_D2s_v3',
        zone: 'southcentralus-1',
        capacityType: 'spot',
        owner: { nodePool: 'general' },
        labels: labelsOfLaunched(claim, false),
      },
      typeOf(),
      labelPolicy,
    )
    expect(labels).toMatchObject({
      'node.kubernetes.io/instance-type': 'Standard_D2s_v3',
      'topology.kubernetes.io/zone': 'southcentralus-1',
      'karpenter.sh/capacity-type': 'spot',
      'karpenter.azure.com/placement-scope': 'zonal',
      'karpenter.azure.com/sku-family': 'D',
      'karpenter.azure.com/sku-storage-ultra-ssd': 'false',
      'kubernetes.azure.com/scalesetpriority': 'spot',
      'kubernetes.azure.com/priority': 'spot',
      'kubernetes.azure.com/mode': 'system',
    })
    for (const key of ['team', 'karpenter.azure.com/sku-hyperv-generation', 'karpenter.azure.com/sku-quota-family'])
      expect(labels).not.toHaveProperty([key])
  })
})
