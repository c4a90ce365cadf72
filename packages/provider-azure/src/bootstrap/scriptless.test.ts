import { describe, expect, test } from '@jest/globals'
import { bootInputs, typeOf, type BootCase } from '../../test/boot-inputs.ts'
import { bootNetworkPluginOf, dnsServiceIpOf, nodeLabels, scriptlessCustomData } from './index.ts'

const scriptOf = (input: BootCase) => {
  const { labelsInput, settings, of, chosen, version } = bootInputs(input)
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
const variablesOf = (input: BootCase = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...scriptOf(input).matchAll(/^([A-Z0-9_]+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
const flagsOf = (input: BootCase = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (variablesOf(input)['KUBELET_FLAGS'] ?? '').split(' ').map((flag) => {
      const equals = flag.indexOf('=')
      return [flag.slice(0, equals), flag.slice(equals + 1)]
    }),
  )
const decoded = (name: string, input: BootCase = {}) =>
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
