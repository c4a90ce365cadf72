import { azureGroup } from '../node-class/index.ts'

const aksDomain = 'kubernetes.azure.com'

/** Labels by which users choose machines (Z-LBL-01). */
export const azureLabelKeys = {
  skuName: `${azureGroup}/sku-name`,
  skuFamily: `${azureGroup}/sku-family`,
  skuSeries: `${azureGroup}/sku-series`,
  skuVersion: `${azureGroup}/sku-version`,
  skuCpu: `${azureGroup}/sku-cpu`,
  skuMemory: `${azureGroup}/sku-memory`,
  skuAcceleratedNetworking: `${azureGroup}/sku-networking-accelerated`,
  skuPremiumStorage: `${azureGroup}/sku-storage-premium-capable`,
  skuEphemeralOsMaxSize: `${azureGroup}/sku-storage-ephemeralos-maxsize`,
  skuUltraSsd: `${azureGroup}/sku-storage-ultra-ssd`,
  skuGpuName: `${azureGroup}/sku-gpu-name`,
  skuGpuManufacturer: `${azureGroup}/sku-gpu-manufacturer`,
  skuGpuCount: `${azureGroup}/sku-gpu-count`,
  placementScope: `${azureGroup}/placement-scope`,
  aksCpu: `${aksDomain}/sku-cpu`,
  aksMemory: `${aksDomain}/sku-memory`,
  cluster: `${aksDomain}/cluster`,
  mode: `${aksDomain}/mode`,
  scaleSetPriority: `${aksDomain}/scalesetpriority`,
  priority: `${aksDomain}/priority`,
  osSku: `${aksDomain}/os-sku`,
  fipsEnabled: `${aksDomain}/fips_enabled`,
} as const

/** Keys on types alone: images are chosen by the one, marks on a family's quota match the other. */
export const internalLabelKeys = {
  hyperVGeneration: `${azureGroup}/sku-hyperv-generation`,
  quotaFamily: `${azureGroup}/sku-quota-family`,
} as const

/** Labels that nodes are given and nobody schedules by. */
export const nodeLabelKeys = {
  role: `${aksDomain}/role`,
  kubeletIdentityClientId: `${aksDomain}/kubelet-identity-client-id`,
  osSkuRequested: `${aksDomain}/os-sku-requested`,
  osSkuEffective: `${aksDomain}/os-sku-effective`,
  subnetName: `${aksDomain}/network-subnet`,
  vnetGuid: `${aksDomain}/nodenetwork-vnetguid`,
  azureCniOverlay: `${aksDomain}/azure-cni-overlay`,
  podNetworkType: `${aksDomain}/podnetwork-type`,
  statelessCni: `${aksDomain}/network-stateless-cni`,
  ebpfDataplane: `${aksDomain}/ebpf-dataplane`,
  localDnsState: `${aksDomain}/localdns-state`,
  artifactStreaming: `${aksDomain}/artifactstreaming-enabled`,
} as const

/** Annotations of claims. */
export const azureAnnotationKeys = {
  inPlaceUpdateHash: `${azureGroup}/in-place-update-hash`,
  machineResourceId: `${azureGroup}/aks-machine-resource-id`,
} as const

/** Labels that AKS sets outside its own domain. */
const legacyKeys = ['agentpool', 'storageprofile', 'storagetier', 'accelerator']

/** Whether the label is of AKS' own domain, or one of its older ones. */
export const isAksLabel = (key: string): boolean => key.startsWith(`${aksDomain}/`) || legacyKeys.includes(key)

export { aksDomain, legacyKeys }
