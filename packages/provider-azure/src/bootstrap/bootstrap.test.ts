import { describe, expect, test } from '@jest/globals'
import { launchedFacts, Requirements, type InstanceType, type NodeClaimFacts } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureSettingsOf, claimOf, nodeClass, skuOf, subnetId } from '../../test/builders.ts'
import { instanceTypeOf } from '../instance-types/index.ts'
import { labelPolicy } from '../labels/index.ts'
import { offeringsOf } from '../offerings/index.ts'
import type { AzureSettings } from '../settings.ts'
import {
  aksKubeletConfig,
  aksLinuxOsConfig,
  bootNetworkPluginOf,
  dnsServiceIpOf,
  labelsOfLaunched,
  machineLabels,
  modeOf,
  nodeBootstrappingPath,
  nodeBootstrappingTimeoutMs,
  nodeLabels,
  provisionValuesOf,
  readNodeBootstrapping,
  scriptlessCustomData,
  skuMemoryGibOf,
} from './index.ts'

const region = 'southcentralus'
const typeOf = (
  name = 'Standard_D2s_v3',
  capabilities: Readonly<Record<string, string>> = {},
  of = nodeClass(),
  settings = azureSettingsOf(),
): InstanceType => {
  const sku = skuOf(name, capabilities)
  const prices = { onDemand: new Map(), spot: new Map() }
  return instanceTypeOf(sku, offeringsOf(sku, region, { prices, usages: undefined }), of, settings, '1.33.5')
}

interface Case {
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly version?: string
  readonly settings?: Partial<AzureSettings>
  readonly claim?: Partial<NodeClaimFacts>
  readonly type?: InstanceType
  readonly capacityType?: 'on-demand' | 'spot'
  readonly ultraSsd?: boolean
}
const setUp = ({
  spec,
  status,
  version = '1.33.5',
  settings,
  claim,
  type,
  capacityType = 'spot',
  ultraSsd = false,
}: Case) => {
  const all = azureSettingsOf(settings)
  const of = nodeClass(spec, status)
  const chosen = type ?? typeOf('Standard_D2s_v3', {}, of, all)
  const offering = chosen.offerings[capacityType === 'spot' ? 1 : 0]
  if (offering === undefined) throw new Error('no offering')
  const labelsInput = {
    claim: claimOf(claim),
    nodeClass: of,
    kubernetesVersion: version,
    type: chosen,
    offering,
    ultraSsd,
    settings: all,
  }
  return { labelsInput, settings: all, of, chosen, version }
}
const labelsOf = (input: Case) => nodeLabels(setUp(input).labelsInput)

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
    const effective = (spec: Case['spec'], version?: string) =>
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
    const { labelsInput } = setUp({
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
    expect(modeOf(setUp({}).labelsInput)).toBe('User')
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

const scriptOf = (input: Case) => {
  const { labelsInput, settings, of, chosen, version } = setUp(input)
  const encoded = scriptlessCustomData({
    claim: labelsInput.claim,
    nodeClass: of,
    type: chosen,
    labels: nodeLabels(labelsInput),
    kubernetesVersion: version,
    cluster: {
      endpoint: 'https://cluster-1.hcp.southcentralus.azmk8s.io:443',
      caBundle: 'Q0E=',
      dnsServiceIp: '10.1.0.10',
    },
    tenantId: 'tenant',
    networkSecurityGroup: 'aks-agentpool-12345678-nsg',
    settings,
  })
  return Buffer.from(encoded, 'base64').toString('utf8')
}
const variablesOf = (input: Case = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...scriptOf(input).matchAll(/^([A-Z0-9_]+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
const flagsOf = (input: Case = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (variablesOf(input)['KUBELET_FLAGS'] ?? '').split(' ').map((flag) => {
      const equals = flag.indexOf('=')
      return [flag.slice(0, equals), flag.slice(equals + 1)]
    }),
  )
const decoded = (name: string, input: Case = {}) =>
  Buffer.from(variablesOf(input)[name] ?? '', 'base64').toString('utf8')

describe('the script of a VM', () => {
  test('Z-BOOT-01: waits for the image’s scripts, exports their variables, and runs them for 15 minutes at most', () => {
    const script = scriptOf({})
    expect(script.startsWith('#!/bin/bash\n')).toBe(true)
    expect(script).toContain('set -o allexport')
    expect(script).toContain('for i in $(seq 1 1200); do\n  grep -Fq "EOF" /opt/azure/containers/provision.sh && break')
    expect(script).toContain('exit 100')
    // Of the reference’s 130, one occurs twice and one is for clouds that AKS calls custom.
    expect(Object.keys(variablesOf())).toHaveLength(128)
    expect(variablesOf()['CSE_TIMEOUT']).toBe('15m')
    expect(script.trimEnd().endsWith('provision_start.sh"')).toBe(true)
  })

  test('the same node gets the same text, and no value gets out of its quotes (W-33)', () => {
    expect(scriptOf({})).toBe(scriptOf({}))
    const script = scriptOf({ settings: { networkPolicy: `a'; rm -rf / #` } })
    expect(script).toContain(`NETWORK_POLICY='a'\\''; rm -rf / #'`)
  })

  test('Z-BOOT-02: the flags that every kubelet has', () => {
    expect(flagsOf()).toMatchObject({
      '--anonymous-auth': 'false',
      '--authentication-token-webhook': 'true',
      '--authorization-mode': 'Webhook',
      '--cloud-provider': 'external',
      '--event-qps': '0',
      '--image-gc-high-threshold': '85',
      '--image-gc-low-threshold': '80',
      '--node-status-update-frequency': '10s',
      '--protect-kernel-defaults': 'true',
      '--read-only-port': '0',
      '--rotate-certificates': 'true',
      '--streaming-connection-idle-timeout': '4h',
      '--pod-max-pids': '-1',
    })
    expect(flagsOf()['--tls-cipher-suites']?.split(',')).toHaveLength(8)
    // 29 fixed ones; beside them reservations, taints and the provider of credentials.
    expect(Object.keys(flagsOf({ version: '1.33.5' }))).toHaveLength(29 + 5)
  })

  test('Z-BOOT-03: flags and downloads by version', () => {
    const keys = (version: string) => Object.keys(flagsOf({ version }))
    expect(flagsOf({ version: '1.30.9' })['--keep-terminated-pod-volumes']).toBe('false')
    expect(keys('1.31.0')).not.toContain('--keep-terminated-pod-volumes')
    expect(['1.33.5', '1.34.0'].map((version) => keys(version).includes('--cloud-config'))).toEqual([true, false])
    expect(['1.34.9', '1.35.0'].map((version) => keys(version).includes('--pod-infra-container-image'))).toEqual([
      true,
      false,
    ])
    expect(['1.33.5', '1.34.0'].map((version) => variablesOf({ version })['KUBE_BINARY_URL'])).toEqual([
      'https://acs-mirror.azureedge.net/kubernetes/v1.33.5/binaries/kubernetes-node-linux-amd64.tar.gz',
      '',
    ])
  })

  test.each([
    ['1.29.9', undefined],
    ['1.30.1', '1.30.12'],
    ['1.31.1', '1.31.6'],
    ['1.32.1', '1.32.5'],
    ['1.33.1', '1.33.0'],
    ['1.36.0', '1.33.0'],
  ])('Z-BOOT-04: at %s the provider of credentials is %s', (version, release) => {
    const url = variablesOf({ version })['CREDENTIAL_PROVIDER_DOWNLOAD_URL']
    expect(url).toBe(
      release === undefined
        ? ''
        : `https://acs-mirror.azureedge.net/cloud-provider-azure/v${release}/binaries/azure-acr-credential-provider-linux-amd64-v${release}.tar.gz`,
    )
    const flags = flagsOf({ version })
    expect([
      flags['--image-credential-provider-config'],
      flags['--feature-gates'],
      flags['--azure-container-registry-config'],
    ]).toEqual(
      release === undefined
        ? [undefined, 'DisableKubeletCloudCredentialProviders=false', '/etc/kubernetes/azure.json']
        : ['/var/lib/kubelet/credential-provider-config.yaml', undefined, undefined],
    )
  })

  test('Z-BOOT-05: other downloads, by architecture', () => {
    const arm = { type: typeOf('Standard_D2ps_v6', { CpuArchitectureType: 'Arm64', HyperVGenerations: 'V2' }) }
    expect(variablesOf(arm)).toMatchObject({
      VNET_CNI_PLUGINS_URL:
        'https://acs-mirror.azureedge.net/azure-cni/v1.4.32/binaries/azure-vnet-cni-linux-arm64-v1.4.32.tgz',
      CNI_PLUGINS_URL:
        'https://acs-mirror.azureedge.net/cni-plugins/v1.1.1/binaries/cni-plugins-linux-arm64-v1.1.1.tgz',
      KUBE_BINARY_URL:
        'https://acs-mirror.azureedge.net/kubernetes/v1.33.5/binaries/kubernetes-node-linux-arm64.tar.gz',
    })
  })

  test('Z-BOOT-06, Z-CAP-08: what the class and the type say; thresholds of disks stay', () => {
    expect(flagsOf()).toMatchObject({
      '--max-pods': '250',
      '--kube-reserved': 'cpu=100m,memory=1843Mi',
      '--system-reserved': 'cpu=0,memory=0',
      '--eviction-hard': 'memory.available<750Mi,nodefs.available<10%,nodefs.inodesFree<5%',
      '--cluster-dns': '10.1.0.10',
    })
    const kubelet = {
      cpuManagerPolicy: 'static',
      cpuCFSQuota: false,
      topologyManagerPolicy: 'single-numa-node',
      imageGCHighThresholdPercent: 70,
      imageGCLowThresholdPercent: 60,
      containerLogMaxSize: '10Mi',
      containerLogMaxFiles: 3,
      podPidsLimit: 500,
      allowedUnsafeSysctls: ['kernel.msg*', 'net.core.somaxconn'],
    }
    expect(flagsOf({ spec: { kubelet, maxPods: 40 } })).toMatchObject({
      '--max-pods': '40',
      '--cpu-manager-policy': 'static',
      '--cpu-cfs-quota': 'false',
      '--topology-manager-policy': 'single-numa-node',
      '--image-gc-high-threshold': '70',
      '--image-gc-low-threshold': '60',
      '--container-log-max-size': '10Mi',
      '--container-log-max-files': '3',
      '--pod-max-pids': '500',
      '--allowed-unsafe-sysctls': 'kernel.msg*,net.core.somaxconn',
    })
    expect(flagsOf()).not.toHaveProperty('--cpu-manager-policy')
  })

  test('Z-BOOT-07: all taints with the unregistered mark, and labels in one order', () => {
    const claim = {
      taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' as const }],
      startupTaints: [{ key: 'node.cilium.io/agent-not-ready', value: 'true', effect: 'NoExecute' as const }],
    }
    expect(flagsOf({ claim })['--register-with-taints']).toBe(
      'gpu=yes:NoSchedule,node.cilium.io/agent-not-ready=true:NoExecute,karpenter.sh/unregistered:NoExecute',
    )
    const labels = variablesOf()['KUBELET_NODE_LABELS']?.split(',') ?? []
    expect(labels).toContain('kubernetes.azure.com/role=agent')
    expect(labels).toEqual([...labels].sort())
  })

  test('Z-BOOT-08: the network of the node, from the IDs of its subnet and of the security group', () => {
    expect(variablesOf()).toMatchObject({
      SUBNET: 'aks-subnet',
      VIRTUAL_NETWORK: 'aks-vnet-12345678',
      VIRTUAL_NETWORK_RESOURCE_GROUP: 'rg',
      NETWORK_SECURITY_GROUP: 'aks-agentpool-12345678-nsg',
      ROUTE_TABLE: 'aks-agentpool-12345678-routetable',
      NETWORK_PLUGIN: 'none',
    })
    const plugin = (
      networkPlugin: 'azure' | 'none',
      networkPluginMode: 'overlay' | '',
      networkDataplane: 'azure' | 'cilium' | '',
    ) => bootNetworkPluginOf({ networkPlugin, networkPluginMode, networkDataplane })
    expect([
      plugin('azure', 'overlay', 'azure'),
      plugin('azure', '', 'cilium'),
      plugin('none', '', ''),
      plugin('azure', '', 'azure'),
      plugin('azure', '', ''),
    ]).toEqual(['none', 'none', 'none', 'azure', 'azure'])
  })

  test('Z-NET-08: the cluster’s DNS is the setting, what the cluster has, or what AKS takes', () => {
    expect(dnsServiceIpOf({ dnsServiceIp: '10.2.0.10' }, { dnsServiceIp: '10.1.0.10' })).toBe('10.2.0.10')
    expect(dnsServiceIpOf({ dnsServiceIp: '' }, { dnsServiceIp: '10.1.0.10' })).toBe('10.1.0.10')
    expect(dnsServiceIpOf({ dnsServiceIp: '' }, {})).toBe('10.0.0.10')
  })

  test('Z-BOOT-09: identity, token, API server and its certificate', () => {
    expect(variablesOf()).toMatchObject({
      SERVICE_PRINCIPAL_CLIENT_ID: 'msi',
      USER_ASSIGNED_IDENTITY_ID: '22222222-2222-2222-2222-222222222222',
      TLS_BOOTSTRAP_TOKEN: 'abcdef.0123456789abcdef',
      API_SERVER_NAME: 'cluster-1.hcp.southcentralus.azmk8s.io',
      KUBE_CA_CRT: 'Q0E=',
      TENANT_ID: 'tenant',
      SUBSCRIPTION_ID: 'sub',
      RESOURCE_GROUP: 'MC_rg_cluster_southcentralus',
      LOCATION: 'southcentralus',
    })
  })

  test('Z-BOOT-10: containerd runs pods by runc, or by NVIDIA’s runtime where its driver is installed', () => {
    const plain = decoded('CONTAINERD_CONFIG_CONTENT')
    expect(plain).toContain('sandbox_image = "mcr.microsoft.com/oss/kubernetes/pause:3.6"')
    expect(plain).toContain('default_runtime_name = "runc"')
    expect(plain).toContain('SystemdCgroup = true')
    expect(plain).toContain('config_path = "/etc/containerd/certs.d"')
    expect(plain).toContain('address = "0.0.0.0:10257"')
    const gpu = { type: typeOf('Standard_NC4as_T4_v3', { GPUs: '1' }) }
    expect(decoded('CONTAINERD_CONFIG_CONTENT', gpu)).toContain('default_runtime_name = "nvidia-container-runtime"')
  })

  test('Z-BOOT-11: settings of the kernel', () => {
    expect(decoded('SYSCTL_CONTENT').split('\n')).toEqual([
      'net.ipv4.tcp_retries2=8',
      'net.core.message_burst=80',
      'net.core.message_cost=40',
      'net.core.somaxconn=16384',
      'net.ipv4.tcp_max_syn_backlog=16384',
      'net.ipv4.neigh.default.gc_thresh1=4096',
      'net.ipv4.neigh.default.gc_thresh2=8192',
      'net.ipv4.neigh.default.gc_thresh3=16384',
      '',
    ])
  })

  test('Z-BOOT-12: swap, huge pages, kernel settings, CFS period and target cloud do count here', () => {
    const spec = {
      kubelet: { failSwapOn: false, cpuCFSQuotaPeriod: '50ms' },
      linuxOSConfig: {
        swapFileSize: '1500Mi',
        transparentHugePageEnabled: 'madvise',
        transparentHugePageDefrag: 'defer',
        sysctls: {
          vmSwappiness: 5,
          netCoreSomaxconn: 20_000,
          netIPv4IPLocalPortRange: '32768 60999',
          netIPv4TCPTwReuse: true,
        },
      },
    }
    expect(variablesOf({ spec, settings: { cloud: 'AzureChinaCloud' } })).toMatchObject({
      SHOULD_CONFIG_SWAP_FILE: 'true',
      SWAP_FILE_SIZE_MB: '1500',
      SHOULD_CONFIG_TRANSPARENT_HUGE_PAGE: 'true',
      THP_ENABLED: 'madvise',
      THP_DEFRAG: 'defer',
      TARGET_CLOUD: 'AzureChinaCloud',
    })
    expect(variablesOf()).toMatchObject({
      SHOULD_CONFIG_SWAP_FILE: 'false',
      SHOULD_CONFIG_TRANSPARENT_HUGE_PAGE: 'false',
      TARGET_CLOUD: 'AzurePublicCloud',
    })
    const flags = flagsOf({ spec })
    expect([flags['--fail-swap-on'], flags['--cpu-cfs-quota-period'], flags['--feature-gates']]).toEqual([
      'false',
      '50ms',
      'CustomCPUCFSQuotaPeriod=true',
    ])
    const sysctls = decoded('SYSCTL_CONTENT', { spec }).split('\n')
    for (const line of [
      'vm.swappiness=5',
      'net.core.somaxconn=20000',
      'net.ipv4.ip_local_port_range=32768 60999',
      'net.ipv4.tcp_tw_reuse=1',
    ])
      expect(sysctls).toContain(line)
    expect(sysctls).not.toContain('net.core.somaxconn=16384')
  })

  test('Z-GPU-04: drivers of NVIDIA are installed where the class wants them; other nodes are set up without GPU', () => {
    const gpu = { type: typeOf('Standard_NC4as_T4_v3', { GPUs: '1' }) }
    expect(variablesOf(gpu)).toMatchObject({
      GPU_NODE: 'true',
      CONFIG_GPU_DRIVER_IF_NEEDED: 'true',
      GPU_DRIVER_VERSION: '580.159.04',
      GPU_DRIVER_TYPE: 'cuda-lts',
      GPU_IMAGE_SHA: '20260629214430',
    })
    for (const input of [
      { ...gpu, spec: { gpu: { mode: 'None' } } },
      { type: typeOf('Standard_NV4ads_V710_v5', { GPUs: '1' }) },
      {},
    ]) {
      expect(variablesOf(input)).toMatchObject({
        GPU_NODE: 'false',
        CONFIG_GPU_DRIVER_IF_NEEDED: 'false',
        GPU_DRIVER_TYPE: '',
      })
    }
  })
})

const zone = (name: string) => ({
  zone: name,
  queryLogging: 'Error',
  protocol: 'PreferUDP',
  forwardDestination: name === '.' ? 'VnetDNS' : 'ClusterCoreDNS',
  forwardPolicy: 'Sequential',
  maxConcurrent: 1000,
  cacheDuration: '1h',
  serveStaleDuration: '1h30m',
  serveStale: 'Immediate',
})

describe('the bootstrapping service', () => {
  const profileOf = (input: Case = {}, isEphemeralOsDisk = false) => {
    const { labelsInput, settings, of, chosen, version } = setUp(input)
    return provisionValuesOf({
      claim: labelsInput.claim,
      nodeClass: of,
      type: chosen,
      labels: nodeLabels(labelsInput),
      kubernetesVersion: version,
      distro: 'aks-ubuntu-containerd-22.04-gen2',
      isEphemeralOsDisk,
      settings,
    })
  }

  test('Z-NPS-01: where it is asked, and what of its answer is needed', () => {
    expect(nodeBootstrappingPath('s', 'rg', 'c')).toBe(
      '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedclusters/c/nodeBootstrapping',
    )
    expect(nodeBootstrappingTimeoutMs).toBe(30_000)
    const customData = Buffer.from('data').toString('base64')
    for (const answer of [
      undefined,
      {},
      { cse: 'x' },
      { customData },
      { cse: '', customData },
      { cse: 'x', customData: '!' },
    ])
      expect(E.isLeft(readNodeBootstrapping(answer, 't'))).toBe(true)
    expect(E.isRight(readNodeBootstrapping({ cse: 'x', customData }, 't'))).toBe(true)
  })

  test('Z-NPS-02: the bootstrap token is put in, whatever characters it has', () => {
    const text = 'TOKEN={{.TokenID}}.{{.TokenSecret}}; again {{.TokenID}}.{{.TokenSecret}}'
    const read = readNodeBootstrapping({ cse: text, customData: Buffer.from(text).toString('base64') }, 'ab$&.cd')
    expect(read).toEqual(
      E.right({
        cse: 'TOKEN=ab$&.cd; again ab$&.cd',
        customData: Buffer.from('TOKEN=ab$&.cd; again ab$&.cd').toString('base64'),
      }),
    )
  })

  test('Z-NPS-03: the profile of a node', () => {
    const claim = {
      taints: [{ key: 'gpu', effect: 'NoSchedule' as const }],
      startupTaints: [{ key: 'boot', effect: 'NoExecute' as const }],
    }
    const { provisionProfile } = profileOf({ claim }, true) as {
      readonly provisionProfile: Readonly<Record<string, unknown>>
    }
    expect(provisionProfile).toMatchObject({
      name: '',
      architecture: 'x64',
      osType: 2,
      osSku: 1,
      vmSize: 'Standard_D2s_v3',
      distro: 'aks-ubuntu-containerd-22.04-gen2',
      orchestratorVersion: '1.33.5',
      vnetSubnetID: subnetId,
      storageProfile: 'Ephemeral',
      nodeTaints: ['gpu:NoSchedule'],
      nodeInitializationTaints: ['boot:NoExecute', 'karpenter.sh/unregistered:NoExecute'],
      securityProfile: { sshAccess: 0 },
      maxPods: 250,
      enableFIPS: false,
      artifactStreamingProfile: { enabled: false },
      mode: 2,
      customNodeLabels: { 'kubernetes.azure.com/role': 'agent' },
    })
    for (const absent of ['localDNSProfile', 'customLinuxOSConfig', 'customKubeletConfig', 'gpuProfile'])
      expect(provisionProfile).not.toHaveProperty(absent)
    const zones = [zone('.'), zone('cluster.local')]
    expect(
      profileOf({
        spec: {
          imageFamily: 'AzureLinux',
          security: { trustedLaunch: { vtpm: true, secureBoot: false } },
          artifactStreaming: { enabled: true },
          kubelet: { cpuManagerPolicy: 'static' },
          linuxOSConfig: { transparentHugePageEnabled: 'never' },
          localDNS: { mode: 'Preferred', vnetDNSOverrides: zones, kubeDNSOverrides: zones },
        },
        status: { localDNSState: 'Enabled' },
        claim: { requirements: Requirements.fromLabels({ 'kubernetes.azure.com/mode': 'system' }) },
      }),
    ).toMatchObject({
      provisionProfile: {
        osSku: 7,
        storageProfile: 'ManagedDisks',
        securityProfile: { enableVTPM: true, enableSecureBoot: false },
        artifactStreamingProfile: { enabled: true },
        customKubeletConfig: { cpuManagerPolicy: 'static', containerLogMaxSizeMB: 50 },
        customLinuxOSConfig: { transparentHugePageEnabled: 'never' },
        mode: 1,
        localDNSProfile: {
          mode: 'Required',
          kubeDNSOverrides: { 'cluster.local': { cacheDurationInSeconds: 3600, serveStaleDurationInSeconds: 5400 } },
        },
      },
    })
    const arm = typeOf('Standard_D2ps_v6', { CpuArchitectureType: 'Arm64', HyperVGenerations: 'V2' })
    expect(profileOf({ type: arm })).toMatchObject({ provisionProfile: { architecture: 'Arm64' } })
  })

  test('Z-GPU-05: the GPU of a node is NVIDIA’s or not mentioned', () => {
    const gpuProfile = (name: string, mode = 'Driver') =>
      (
        profileOf({ type: typeOf(name, { GPUs: '1' }), spec: { gpu: { mode } } }) as {
          readonly provisionProfile: object
        }
      ).provisionProfile
    expect(gpuProfile('Standard_NC4as_T4_v3')).toMatchObject({ gpuProfile: { driverType: 3, installGPUDriver: true } })
    expect(gpuProfile('Standard_NV6ads_A10_v5', 'None')).toMatchObject({
      gpuProfile: { driverType: 2, installGPUDriver: false },
    })
    expect(gpuProfile('Standard_NV4ads_V710_v5')).not.toHaveProperty('gpuProfile')
  })

  test('Z-NPS-04: CPUs, and the memory of the size as it is sold', () => {
    expect(profileOf()).toMatchObject({ provisionHelperValues: { skuCPU: 2, skuMemory: 8 } })
    for (const gib of [1, 4, 7, 64, 256]) expect(skuMemoryGibOf(gib * 2 ** 30 * (1 - 0.075), 0.075)).toBe(gib)
    expect(skuMemoryGibOf(8 * 2 ** 30, 0)).toBe(8)
  })
})

describe('settings in AKS’ form', () => {
  test('Z-MACH-12: the kubelet: whole MiB, pids within bounds, no period of zero', () => {
    const of = (kubelet: Readonly<Record<string, unknown>>) => aksKubeletConfig(nodeClass({ kubelet }).spec.kubelet)
    expect(aksKubeletConfig(undefined)).toBeUndefined()
    expect(of({})).toEqual({
      cpuManagerPolicy: 'none',
      cpuCfsQuota: true,
      cpuCfsQuotaPeriod: '100ms',
      topologyManagerPolicy: 'none',
      containerLogMaxSizeMB: 50,
      containerLogMaxFiles: 5,
    })
    expect(of({ cpuCFSQuotaPeriod: '0s' })).not.toHaveProperty('cpuCfsQuotaPeriod')
    expect([of({ podPidsLimit: -5 }), of({ podPidsLimit: 2 ** 40 })].map((one) => one?.['podMaxPids'])).toEqual([
      -1, 2_147_483_647,
    ])
    expect(
      of({
        containerLogMaxSize: '1500Ki',
        imageGCHighThresholdPercent: 90,
        imageGCLowThresholdPercent: 80,
        allowedUnsafeSysctls: ['a'],
        failSwapOn: false,
      }),
    ).toMatchObject({
      containerLogMaxSizeMB: 1,
      imageGcHighThreshold: 90,
      imageGcLowThreshold: 80,
      allowedUnsafeSysctls: ['a'],
      failSwapOn: false,
    })
  })

  test('Z-MACH-13: swap in whole MiB, huge pages, and all 28 kernel settings by AKS’ names', () => {
    const sysctls = {
      fsAioMaxNr: 65_536,
      fsFileMax: 8192,
      fsInotifyMaxUserWatches: 781_250,
      fsNrOpen: 8192,
      kernelThreadsMax: 20,
      netCoreNetdevMaxBacklog: 1000,
      netCoreOptmemMax: 20_480,
      netCoreRmemDefault: 212_992,
      netCoreRmemMax: 212_992,
      netCoreSomaxconn: 4096,
      netCoreWmemDefault: 212_992,
      netCoreWmemMax: 212_992,
      netIPv4IPLocalPortRange: '32768 60999',
      netIPv4NeighDefaultGcThresh1: 128,
      netIPv4NeighDefaultGcThresh2: 512,
      netIPv4NeighDefaultGcThresh3: 1024,
      netIPv4TCPFinTimeout: 5,
      netIPv4TCPKeepaliveIntvl: 10,
      netIPv4TCPKeepaliveProbes: 1,
      netIPv4TCPKeepaliveTime: 30,
      netIPv4TCPMaxSynBacklog: 128,
      netIPv4TCPMaxTwBuckets: 8000,
      netIPv4TCPTwReuse: true,
      netNetfilterNfConntrackBuckets: 65_536,
      netNetfilterNfConntrackMax: 131_072,
      vmMaxMapCount: 65_530,
      vmSwappiness: 0,
      vmVfsCachePressure: 0,
    }
    const of = (linuxOSConfig: object) =>
      aksLinuxOsConfig(nodeClass({ linuxOSConfig, kubelet: { failSwapOn: false } }).spec.linuxOSConfig)
    expect(aksLinuxOsConfig(undefined)).toBeUndefined()
    const config = of({
      swapFileSize: '1G',
      transparentHugePageEnabled: 'always',
      transparentHugePageDefrag: 'never',
      sysctls,
    })
    expect(config).toMatchObject({
      swapFileSizeMB: 954,
      transparentHugePageEnabled: 'always',
      transparentHugePageDefrag: 'never',
    })
    expect(Object.keys(config?.['sysctls'] as object)).toHaveLength(28)
    expect(Object.keys(config?.['sysctls'] as object)).toEqual(
      expect.arrayContaining([
        'fsAioMaxNr',
        'netIpv4IpLocalPortRange',
        'netIpv4NeighDefaultGcThresh1',
        'netIpv4TcpFinTimeout',
        'netIpv4TcpkeepaliveIntvl',
        'netIpv4TcpKeepaliveProbes',
        'netIpv4TcpTwReuse',
        'vmVfsCachePressure',
      ]),
    )
    expect(of({})).toEqual({})
  })
})
