import {
  bootTaints,
  labelKeys,
  Requirement,
  Requirements,
  type ClusterFacts,
  type InstanceType,
  type Labels,
  type NodeClaimFacts,
} from '@scantling/core'
import type { Arch } from '../image/index.ts'
import { gpuDrivers, gpuDriverTypeOf, gpuManufacturerOf } from '../instance-types/index.ts'
import { installsGpuDriver, maxPodsOf, type AksNodeClass } from '../node-class/index.ts'
import { parseSubnetId } from '../resource-id/index.ts'
import type { AzureSettings } from '../settings.ts'
import { containerdConfig } from './containerd.ts'
import { cniUrls, credentialProviderUrl, kubeBinaryUrl } from './downloads.ts'
import { kubeletFlags } from './kubelet-flags.ts'
import { swapAndHugePagesOf, sysctlsOf } from './os-config.ts'

/** What the script of a node depends on. */
export interface ScriptlessInput {
  readonly claim: Pick<NodeClaimFacts, 'taints' | 'startupTaints'>
  readonly nodeClass: AksNodeClass
  readonly type: InstanceType
  /** As `nodeLabels` gives them. */
  readonly labels: Labels
  readonly kubernetesVersion: string
  readonly cluster: Pick<ClusterFacts, 'endpoint' | 'caBundle' | 'dnsServiceIp'>
  readonly tenantId: string
  /** Name of the network security group that AKS made for nodes: `aks-agentpool-12345678-nsg`. */
  readonly networkSecurityGroup: string
  readonly settings: AzureSettings
}

/** The address of the cluster’s DNS: the setting, else what was found in the cluster, else what AKS takes (Z-NET-08). */
export const dnsServiceIpOf = (
  settings: Pick<AzureSettings, 'dnsServiceIp'>,
  cluster: Pick<ClusterFacts, 'dnsServiceIp'>,
): string => settings.dnsServiceIp || cluster.dnsServiceIp || '10.0.0.10'

/** The network plugin that the node’s own script sets up: none where the cluster brings its own (Z-BOOT-08). */
export const bootNetworkPluginOf = ({
  networkPlugin,
  networkPluginMode,
  networkDataplane,
}: Pick<AzureSettings, 'networkPlugin' | 'networkPluginMode' | 'networkDataplane'>): 'azure' | 'none' =>
  networkPlugin === 'none' || networkPluginMode === 'overlay' || networkDataplane === 'cilium' ? 'none' : 'azure'

/**
 * The custom data of a VM: the script that starts what the image brings along, in base64 (Z-BOOT-01…12).
 *
 * The same input gives the same text, for a second PUT with other custom data is refused (W-33). It holds the
 * bootstrap token: whoever can read the VM’s metadata on the node can read it.
 */
export const scriptlessCustomData = (input: ScriptlessInput): string =>
  Buffer.from(scriptOf(variablesOf(input)), 'utf8').toString('base64')

const scriptOf = (variables: ReadonlyMap<string, string>): string =>
  [
    '#!/bin/bash',
    '',
    '# Everything below is exported to what runs at the end.',
    'set -o allexport',
    "echo '#EOF' >> /opt/azure/manifest.json",
    'mkdir -p /var/log/azure/Microsoft.Azure.Extensions.CustomScript/events',
    'echo $(date),$(hostname) > /var/log/azure/cluster-provision-cse-output.log',
    '# The image writes its scripts while it boots; the last line of each says that it is whole.',
    'for i in $(seq 1 1200); do',
    '  grep -Fq "EOF" /opt/azure/containers/provision.sh && break',
    '  if [ "$i" -eq 1200 ]; then exit 100; else sleep 1; fi',
    'done',
    ...[...variables].map(([name, value]) => `${name}=${quoted(value)}`),
    '/usr/bin/nohup /bin/bash -c "/bin/bash /opt/azure/containers/provision_start.sh"',
    '',
  ].join('\n')

const quoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

/** The variables that the image’s scripts read, by name; most are empty, but none may be missing. */
const variablesOf = (input: ScriptlessInput): ReadonlyMap<string, string> => {
  const { nodeClass, type, kubernetesVersion, cluster, settings } = input
  const arch: Arch = Requirement.has(Requirements.get(type.requirements, labelKeys.arch), 'arm64') ? 'arm64' : 'amd64'
  const subnet = parseSubnetId(nodeClass.spec.vnetSubnetID ?? settings.vnetSubnetId)
  const cni = cniUrls(arch)
  const { swapFileMib, hugePagesEnabled, hugePagesDefrag } = swapAndHugePagesOf(nodeClass.spec.linuxOSConfig)
  const hasDriver = gpuManufacturerOf(type.name) === 'nvidia' && installsGpuDriver(nodeClass)
  const driverType = gpuDriverTypeOf(type.name)
  const driver = hasDriver ? gpuDrivers[driverType] : { version: '', imageSuffix: '' }
  const targetCloud = settings.cloud === '' ? 'AzurePublicCloud' : settings.cloud
  const filled: Readonly<Record<string, string | number | boolean>> = {
    ADMINUSER: settings.linuxAdminUsername,
    TENANT_ID: input.tenantId,
    SUBSCRIPTION_ID: settings.subscriptionId,
    RESOURCE_GROUP: settings.nodeResourceGroup,
    LOCATION: settings.location,
    KUBERNETES_VERSION: kubernetesVersion,
    KUBE_BINARY_URL: kubeBinaryUrl(kubernetesVersion, arch),
    CREDENTIAL_PROVIDER_DOWNLOAD_URL: credentialProviderUrl(kubernetesVersion, arch),
    VNET_CNI_PLUGINS_URL: cni.azure,
    CNI_PLUGINS_URL: cni.plugins,
    SUBNET: subnet?.subnet ?? '',
    VIRTUAL_NETWORK: subnet?.vnet ?? '',
    VIRTUAL_NETWORK_RESOURCE_GROUP: subnet?.resourceGroup ?? '',
    NETWORK_SECURITY_GROUP: input.networkSecurityGroup,
    ROUTE_TABLE: routeTableOf(input.networkSecurityGroup),
    NETWORK_PLUGIN: bootNetworkPluginOf(settings),
    NETWORK_POLICY: settings.networkPolicy,
    SERVICE_PRINCIPAL_CLIENT_ID: 'msi',
    SERVICE_PRINCIPAL_FILE_CONTENT: base64('msi'),
    USER_ASSIGNED_IDENTITY_ID: settings.kubeletIdentityClientId,
    API_SERVER_NAME: hostOf(cluster.endpoint ?? ''),
    KUBE_CA_CRT: cluster.caBundle ?? '',
    TLS_BOOTSTRAP_TOKEN: settings.kubeletBootstrapToken,
    GPU_NODE: hasDriver,
    CONFIG_GPU_DRIVER_IF_NEEDED: hasDriver,
    GPU_DRIVER_VERSION: driver.version,
    GPU_DRIVER_TYPE: hasDriver ? driverType : '',
    GPU_IMAGE_SHA: driver.imageSuffix,
    SHOULD_CONFIG_SWAP_FILE: swapFileMib > 0,
    SWAP_FILE_SIZE_MB: swapFileMib,
    SHOULD_CONFIG_TRANSPARENT_HUGE_PAGE: hugePagesEnabled !== '' || hugePagesDefrag !== '',
    THP_ENABLED: hugePagesEnabled,
    THP_DEFRAG: hugePagesDefrag,
    SYSCTL_CONTENT: base64(sysctlsOf(nodeClass.spec.linuxOSConfig)),
    CONTAINERD_CONFIG_CONTENT: base64(containerdConfig(hasDriver)),
    TARGET_CLOUD: targetCloud,
    TARGET_ENVIRONMENT: targetCloud,
    KUBELET_NODE_LABELS: Object.entries(input.labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
    KUBELET_FLAGS: kubeletFlags({
      kubernetesVersion,
      kubelet: nodeClass.spec.kubelet,
      overhead: type.overhead,
      maxPods: maxPodsOf(nodeClass, settings),
      dnsServiceIp: dnsServiceIpOf(settings, cluster),
      taints: bootTaints(input.claim),
    }),
  }
  return new Map(
    [...emptyVariables.map((name) => [name, ''] as const), ...Object.entries(constants), ...Object.entries(filled)].map(
      ([name, value]) => [name, String(value)],
    ),
  )
}

/** The table of routes that AKS made beside the security group: they share a number. */
const routeTableOf = (networkSecurityGroup: string): string =>
  `aks-agentpool-${/^aks-agentpool-(\d{8})-nsg$/i.exec(networkSecurityGroup)?.[1] ?? ''}-routetable`

const hostOf = (endpoint: string): string => (URL.canParse(endpoint) ? new URL(endpoint).hostname : endpoint)

/** What is the same for every node. */
const constants: Readonly<Record<string, string | number | boolean>> = {
  VM_TYPE: 'standard',
  CLOUDPROVIDER_BACKOFF: true,
  CLOUDPROVIDER_BACKOFF_MODE: 'v2',
  CLOUDPROVIDER_BACKOFF_RETRIES: 6,
  CLOUDPROVIDER_BACKOFF_EXPONENT: 0,
  CLOUDPROVIDER_BACKOFF_DURATION: 5,
  CLOUDPROVIDER_BACKOFF_JITTER: 0,
  CLOUDPROVIDER_RATELIMIT: true,
  CLOUDPROVIDER_RATELIMIT_QPS: 10,
  CLOUDPROVIDER_RATELIMIT_QPS_WRITE: 10,
  CLOUDPROVIDER_RATELIMIT_BUCKET: 100,
  CLOUDPROVIDER_RATELIMIT_BUCKET_WRITE: 100,
  LOAD_BALANCER_DISABLE_OUTBOUND_SNAT: false,
  USE_MANAGED_IDENTITY_EXTENSION: true,
  USE_INSTANCE_METADATA: true,
  LOAD_BALANCER_SKU: 'Standard',
  EXCLUDE_MASTER_FROM_STANDARD_LB: true,
  MAXIMUM_LOADBALANCER_RULE_COUNT: 250,
  CONTAINER_RUNTIME: 'containerd',
  CLI_TOOL: 'ctr',
  IS_VHD: true,
  SGX_NODE: false,
  MIG_NODE: false,
  ENABLE_GPU_DEVICE_PLUGIN_IF_NEEDED: false,
  ENABLE_HOSTS_CONFIG_AGENT: false,
  DISABLE_SSH: false,
  NEEDS_CONTAINERD: true,
  TELEPORT_ENABLED: false,
  SHOULD_CONFIGURE_HTTP_PROXY: false,
  SHOULD_CONFIGURE_HTTP_PROXY_CA: false,
  SHOULD_CONFIGURE_CUSTOM_CA_TRUST: false,
  CUSTOM_CA_TRUST_COUNT: 0,
  IS_KRUSTLET: false,
  GPU_NEEDS_FABRIC_MANAGER: false,
  NEEDS_DOCKER_LOGIN: false,
  IPV6_DUAL_STACK_ENABLED: false,
  OUTBOUND_COMMAND: 'curl -v --insecure --proxy-insecure https://mcr.microsoft.com/v2/',
  ENABLE_UNATTENDED_UPGRADES: false,
  ENSURE_NO_DUPE_PROMISCUOUS_BRIDGE: false,
  IS_CUSTOM_CLOUD: false,
  CSE_HELPERS_FILEPATH: '/opt/azure/containers/provision_source.sh',
  CSE_DISTRO_HELPERS_FILEPATH: '/opt/azure/containers/provision_source_distro.sh',
  CSE_INSTALL_FILEPATH: '/opt/azure/containers/provision_installs.sh',
  CSE_DISTRO_INSTALL_FILEPATH: '/opt/azure/containers/provision_installs_distro.sh',
  CSE_CONFIG_FILEPATH: '/opt/azure/containers/provision_configs.sh',
  HAS_CUSTOM_SEARCH_DOMAIN: false,
  CUSTOM_SEARCH_DOMAIN_FILEPATH: '/opt/azure/containers/setup-custom-search-domains.sh',
  ENABLE_TLS_BOOTSTRAPPING: true,
  ENABLE_SECURE_TLS_BOOTSTRAPPING: false,
  ENABLE_KUBELET_SERVING_CERTIFICATE_ROTATION: false,
  KUBELET_CONFIG_FILE_ENABLED: false,
  HAS_KUBELET_DISK_TYPE: false,
  NEEDS_CGROUPV2: true,
  IS_KATA: false,
  MCR_REPOSITORY_BASE: 'mcr.microsoft.com',
  ENABLE_IMDS_RESTRICTION: false,
  INSERT_IMDS_RESTRICTION_RULE_TO_MANGLE_TABLE: false,
  CSE_TIMEOUT: '15m',
}

/** What the scripts look at and nodes of ours have no use for. */
const emptyVariables = [
  'MOBY_VERSION',
  'HYPERKUBE_URL',
  'CUSTOM_KUBE_BINARY_URL',
  'KUBEPROXY_URL',
  'APISERVER_PUBLIC_KEY',
  'PRIMARY_AVAILABILITY_SET',
  'PRIMARY_SCALE_SET',
  'CONTAINERD_DOWNLOAD_URL_BASE',
  'NETWORK_MODE',
  'TELEPORTD_PLUGIN_DOWNLOAD_URL',
  'CONTAINERD_VERSION',
  'CONTAINERD_PACKAGE_URL',
  'RUNC_VERSION',
  'RUNC_PACKAGE_URL',
  'HTTP_PROXY_TRUSTED_CA',
  'CUSTOM_ENV_JSON',
  'AZURE_PRIVATE_REGISTRY_SERVER',
  'HTTP_PROXY_URLS',
  'HTTPS_PROXY_URLS',
  'NO_PROXY_URLS',
  'DHCPV6_SERVICE_FILEPATH',
  'DHCPV6_CONFIG_FILEPATH',
  'KUBELET_CLIENT_CONTENT',
  'KUBELET_CLIENT_CERT_CONTENT',
  'KUBELET_CONFIG_FILE_CONTENT',
  'GPU_INSTANCE_PROFILE',
  'CUSTOM_SEARCH_DOMAIN_NAME',
  'CUSTOM_SEARCH_REALM_USER',
  'CUSTOM_SEARCH_REALM_PASSWORD',
  'MESSAGE_OF_THE_DAY',
  'AZURE_ENVIRONMENT_FILEPATH',
]
