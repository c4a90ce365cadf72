import { Quantity, Taints, type InstanceType, type ResourceList, type Taint } from '@scantling/core'
import { isAtLeast, isBefore } from '../image/index.ts'
import type { Kubelet } from '../node-class/index.ts'

/** What every node’s kubelet is told; what differs is laid over it (Z-BOOT-02). */
const baseFlags: Readonly<Record<string, string>> = {
  '--address': '0.0.0.0',
  '--anonymous-auth': 'false',
  '--authentication-token-webhook': 'true',
  '--authorization-mode': 'Webhook',
  '--cgroups-per-qos': 'true',
  '--client-ca-file': '/etc/kubernetes/certs/ca.crt',
  '--cloud-config': '/etc/kubernetes/azure.json',
  '--cloud-provider': 'external',
  '--cluster-dns': '10.0.0.10',
  '--cluster-domain': 'cluster.local',
  '--enforce-node-allocatable': 'pods',
  '--event-qps': '0',
  '--eviction-hard': 'memory.available<750Mi,nodefs.available<10%,nodefs.inodesFree<5%',
  '--image-gc-high-threshold': '85',
  '--image-gc-low-threshold': '80',
  '--kubeconfig': '/var/lib/kubelet/kubeconfig',
  '--max-pods': '110',
  '--node-status-update-frequency': '10s',
  '--pod-infra-container-image': 'mcr.microsoft.com/oss/kubernetes/pause:3.6',
  '--pod-manifest-path': '/etc/kubernetes/manifests',
  '--pod-max-pids': '-1',
  '--protect-kernel-defaults': 'true',
  '--read-only-port': '0',
  '--resolv-conf': '/run/systemd/resolve/resolv.conf',
  '--rotate-certificates': 'true',
  '--streaming-connection-idle-timeout': '4h',
  '--tls-cert-file': '/etc/kubernetes/certs/kubeletserver.crt',
  '--tls-cipher-suites': [
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'TLS_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_RSA_WITH_AES_128_GCM_SHA256',
  ].join(','),
  '--tls-private-key-file': '/etc/kubernetes/certs/kubeletserver.key',
}

/** What the flags of a node depend on. */
export interface KubeletFlagsInput {
  readonly kubernetesVersion: string
  readonly kubelet: Kubelet | undefined
  readonly overhead: InstanceType['overhead']
  readonly maxPods: number
  readonly dnsServiceIp: string
  readonly taints: ReadonlyArray<Taint>
}

/**
 * The flags of a kubelet, in one order (Z-BOOT-02, Z-BOOT-03, Z-BOOT-06, Z-BOOT-07, Z-CAP-08).
 *
 * What a node keeps for itself is what its type says it keeps, so that its allocatable is what was planned with. Beside
 * that, the thresholds of disks stay, which the reference drops; and `cpuCFSQuotaPeriod` and `failSwapOn` count, which
 * the reference passes over on this path (section 3, item 4).
 */
export const kubeletFlags = (input: KubeletFlagsInput): string =>
  Object.entries(flagsOf(input))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

const flagsOf = (input: KubeletFlagsInput): Readonly<Record<string, string>> => {
  const { kubernetesVersion: version, kubelet, overhead, maxPods, dnsServiceIp, taints } = input
  const flags: Record<string, string> = { ...baseFlags, ...(kubelet && flagsOfClass(kubelet)) }
  const gates: Array<string> = []
  if (isBefore(version, '1.31')) flags['--keep-terminated-pod-volumes'] = 'false'
  if (isAtLeast(version, '1.34')) delete flags['--cloud-config']
  if (isAtLeast(version, '1.35')) delete flags['--pod-infra-container-image']
  if (isBefore(version, '1.30')) {
    // Before the provider of credentials was a program of its own.
    gates.push('DisableKubeletCloudCredentialProviders=false')
    flags['--azure-container-registry-config'] = '/etc/kubernetes/azure.json'
  } else {
    flags['--image-credential-provider-config'] = '/var/lib/kubelet/credential-provider-config.yaml'
    flags['--image-credential-provider-bin-dir'] = '/var/lib/kubelet/credential-provider'
  }
  // Another period than the default is behind a gate.
  if (flags['--cpu-cfs-quota-period'] !== undefined) gates.push('CustomCPUCFSQuotaPeriod=true')
  if (gates.length > 0) flags['--feature-gates'] = gates.join(',')
  if (taints.length > 0) flags['--register-with-taints'] = taints.map(Taints.render).join(',')
  const evictionMemory = overhead.evictionThreshold['memory'] ?? Quantity.zero
  return {
    ...flags,
    '--max-pods': String(maxPods),
    '--cluster-dns': dnsServiceIp,
    '--kube-reserved': amounts(overhead.kubeReserved),
    '--system-reserved': amounts(overhead.systemReserved),
    '--eviction-hard': `memory.available<${evictionMemory},nodefs.available<10%,nodefs.inodesFree<5%`,
  }
}

const amounts = (list: ResourceList): string =>
  Object.keys(list)
    .sort()
    .map((name) => `${name}=${list[name]}`)
    .join(',')

const flagsOfClass = (kubelet: Kubelet): Readonly<Record<string, string>> => {
  const {
    imageGCHighThresholdPercent: high,
    imageGCLowThresholdPercent: low,
    allowedUnsafeSysctls: sysctls = [],
  } = kubelet
  return {
    '--cpu-cfs-quota': String(kubelet.cpuCFSQuota),
    ...(kubelet.cpuCFSQuotaPeriod !== '100ms' && { '--cpu-cfs-quota-period': kubelet.cpuCFSQuotaPeriod }),
    '--cpu-manager-policy': kubelet.cpuManagerPolicy,
    '--topology-manager-policy': kubelet.topologyManagerPolicy,
    '--container-log-max-size': kubelet.containerLogMaxSize,
    '--container-log-max-files': String(kubelet.containerLogMaxFiles),
    ...(high !== undefined && { '--image-gc-high-threshold': String(high) }),
    ...(low !== undefined && { '--image-gc-low-threshold': String(low) }),
    ...(kubelet.podPidsLimit !== undefined && { '--pod-max-pids': String(kubelet.podPidsLimit) }),
    ...(kubelet.failSwapOn !== undefined && { '--fail-swap-on': String(kubelet.failSwapOn) }),
    ...(sysctls.length > 0 && { '--allowed-unsafe-sysctls': sysctls.join(',') }),
  }
}
