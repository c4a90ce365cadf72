import { decoderOf, renderFieldError, type NodeClaimFacts } from '@scantling/core'
import { nodeClaimFacts } from '@scantling/core/testing'
import * as E from 'fp-ts/lib/Either.js'
import { readSku, type ResourceSku, type Sku } from '../src/instance-types/index.ts'
import { aksNodeClass, conditionTypes, type AksNodeClass } from '../src/node-class/index.ts'
import type { AzureSettings } from '../src/settings.ts'

const decode = decoderOf(aksNodeClass.versions[0].schema)

/** An AKSNodeClass that is Ready at generation 1, unless `status` says otherwise. */
export const nodeClass = (
  spec: Readonly<Record<string, unknown>> = {},
  status: Readonly<Record<string, unknown>> = {},
): AksNodeClass => {
  const decoded = decode({
    metadata: { name: 'default', uid: 'u', generation: 1 },
    spec,
    status: {
      kubernetesVersion: '1.33.5',
      conditions: Object.values(conditionTypes).map((type) => ({
        type,
        status: 'True',
        reason: type,
        message: '',
        observedGeneration: 1,
      })),
      ...status,
    },
  })
  if (E.isRight(decoded)) return decoded.right
  throw new Error(decoded.left.map(renderFieldError).join('; '))
}

/** LocalDNS in this mode with both zones that it must have; `changes` are laid over each. */
export const localDns = (mode: string, changes: Readonly<Record<string, unknown>> = {}) => {
  const zones = ['.', 'cluster.local'].map((zone) => ({
    zone,
    queryLogging: 'Error',
    protocol: 'PreferUDP',
    forwardDestination: zone === '.' ? 'VnetDNS' : 'ClusterCoreDNS',
    forwardPolicy: 'Sequential',
    maxConcurrent: 1,
    cacheDuration: '1h',
    serveStaleDuration: '1h',
    serveStale: 'Disable',
    ...changes,
  }))
  return { mode, vnetDNSOverrides: zones, kubeDNSOverrides: zones }
}

export const subnetId =
  '/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/aks-vnet-12345678/subnets/aks-subnet'

/** Settings with every default, and what is required. */
export const azureSettingsOf = (changes: Partial<AzureSettings> = {}): AzureSettings => ({
  subscriptionId: 'sub',
  tenantId: '',
  location: 'southcentralus',
  clusterResourceGroup: 'rg',
  nodeResourceGroup: 'MC_rg_cluster_southcentralus',
  cloud: '',
  environmentFilepath: '',
  vmMemoryOverheadPercent: 0.075,
  kubeletBootstrapToken: 'abcdef.0123456789abcdef',
  linuxAdminUsername: 'azureuser',
  sshPublicKey: 'ssh-rsa AAAA azureuser',
  networkPlugin: 'azure',
  networkPluginMode: 'overlay',
  networkPolicy: '',
  networkDataplane: 'cilium',
  dnsServiceIp: '',
  vnetGuid: '11111111-1111-1111-1111-111111111111',
  vnetSubnetId: subnetId,
  nodeIdentities: [],
  provisionMode: 'aksscriptless',
  nodeBootstrappingServerUrl: '',
  kubeletIdentityClientId: '22222222-2222-2222-2222-222222222222',
  useSig: false,
  sigAccessTokenServerUrl: '',
  sigSubscriptionId: '',
  diskEncryptionSetId: '',
  manageExistingAksMachines: false,
  aksMachinesPoolName: '',
  batchIdleMs: 1000,
  batchMaxMs: 5000,
  batchMaxSize: 50,
  additionalTags: {},
  enableAzureSdkLogging: true,
  ...changes,
})

/** A claim that asks for nothing in particular. */
export const claimOf = ({ name = 'general-abcde', ...changes }: Partial<NodeClaimFacts> = {}): NodeClaimFacts =>
  nodeClaimFacts(name, { uid: 'uid-1', nodePool: 'general', ...changes })

/** A row of the list of SKUs. Sizes and capabilities as Azure states them. */
export const skuRow = (
  name: string,
  capabilities: Readonly<Record<string, string>> = {},
  changes: Partial<ResourceSku> & { readonly zones?: ReadonlyArray<string>; readonly location?: string } = {},
): ResourceSku => {
  const { zones = ['1', '2', '3'], location = 'southcentralus', ...rest } = changes
  const all = {
    vCPUs: '2',
    MemoryGB: '8',
    CpuArchitectureType: 'x64',
    HyperVGenerations: 'V1,V2',
    LowPriorityCapable: 'True',
    PremiumIO: 'True',
    AcceleratedNetworkingEnabled: 'True',
    EncryptionAtHostSupported: 'True',
    EphemeralOSDiskSupported: 'True',
    CachedDiskBytes: '53687091200',
    MaxResourceVolumeMB: '16384',
    ...capabilities,
  }
  return {
    resourceType: 'virtualMachines',
    name,
    size: name.replace(/^Standard_/, ''),
    family: 'standardDSv3Family',
    capabilities: Object.entries(all).map(([key, value]) => ({ name: key, value })),
    locationInfo: [{ location, zones }],
    restrictions: [],
    ...rest,
  }
}

/** The SKU that a row describes; throws where nodes could not be of it. */
export const skuOf = (...row: Parameters<typeof skuRow>): Sku => {
  const read = readSku(skuRow(...row), 'southcentralus')
  if (E.isRight(read)) return read.right
  throw new Error(read.left)
}
