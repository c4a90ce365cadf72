import { isIP } from 'node:net'
import { Time, type ClusterFacts, type Setting, type SettingsSpec } from '@scantling/core'
import { SettingCodecs } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { isSame, parseResourceId, parseSubnetId } from './resource-id/index.ts'

/** How nodes are made: a VM that we set up, one that AKS' service sets up, or a machine of AKS, alone or in batches. */
export type ProvisionMode = 'aksscriptless' | 'bootstrappingclient' | 'aksmachineapi' | 'aksmachineapiheaderbatch'

export interface AzureSettings {
  readonly subscriptionId: string
  /** Empty: as the credentials say. */
  readonly tenantId: string
  /** Region of the cluster. */
  readonly location: string
  /** Resource group of the cluster itself. */
  readonly clusterResourceGroup: string
  readonly nodeResourceGroup: string
  /** Name of the cloud, such as AzurePublicCloud; empty: public, unless a file says otherwise. */
  readonly cloud: string
  /** File that describes a cloud of its own; empty: none. */
  readonly environmentFilepath: string
  readonly vmMemoryOverheadPercent: number
  readonly kubeletBootstrapToken: string
  readonly linuxAdminUsername: string
  readonly sshPublicKey: string
  readonly networkPlugin: 'azure' | 'none'
  readonly networkPluginMode: 'overlay' | ''
  readonly networkPolicy: string
  readonly networkDataplane: 'azure' | 'cilium' | ''
  readonly dnsServiceIp: string
  readonly vnetGuid: string
  readonly vnetSubnetId: string
  /** IDs of user-assigned identities that every VM gets. */
  readonly nodeIdentities: ReadonlyArray<string>
  readonly provisionMode: ProvisionMode
  readonly nodeBootstrappingServerUrl: string
  readonly kubeletIdentityClientId: string
  readonly useSig: boolean
  readonly sigAccessTokenServerUrl: string
  readonly sigSubscriptionId: string
  readonly diskEncryptionSetId: string
  readonly manageExistingAksMachines: boolean
  readonly aksMachinesPoolName: string
  readonly batchIdleMs: number
  readonly batchMaxMs: number
  readonly batchMaxSize: number
  readonly additionalTags: Readonly<Record<string, string>>
  readonly enableAzureSdkLogging: boolean
}

/** Most machines that AKS takes in one request. */
export const mostMachinesPerBatch = 50

/** Whether machines of AKS are made instead of VMs. */
export const usesMachines = ({ provisionMode }: Pick<AzureSettings, 'provisionMode'>): boolean =>
  provisionMode === 'aksmachineapi' || provisionMode === 'aksmachineapiheaderbatch'

const { duration, listOf, numberFrom, oneOf, oneOfOrNone, text, textThat, trueOrFalse, wholeNumber } = SettingCodecs

const tags = SettingCodecs.make<Readonly<Record<string, string>>>(
  'tags',
  (input) => {
    const found: Array<readonly [string, string]> = []
    const keys = new Set<string>()
    for (const pair of input.split(',').filter((part) => part.trim() !== '')) {
      const equals = pair.indexOf('=')
      const key = pair.slice(0, equals).trim()
      const value = pair.slice(equals + 1).trim()
      const problem = equals < 0 ? `expected key=value, ${pair} has no value` : problemWithTag(key, value, keys)
      if (problem !== undefined) return E.left(problem)
      keys.add(key.toLowerCase())
      found.push([key, value])
    }
    return E.right(Object.fromEntries(found))
  },
  (value) =>
    Object.entries(value)
      .map(([key, one]) => `${key}=${one}`)
      .join(','),
)

const problemWithTag = (key: string, value: string, seen: ReadonlySet<string>): string | undefined => {
  if (key === '' || key.length > 512)
    return `a tag’s key has 1 to 512 characters, ${key.slice(0, 20)}… has ${key.length}`
  if (value.length > 256) return `a tag’s value has at most 256 characters, that of ${key} has ${value.length}`
  if (/[<>%&\\?/]/.test(key)) return `a tag’s key has none of <>%&\\?/, ${key} has`
  return seen.has(key.toLowerCase()) ? `${key} occurs twice, for tags have no case` : undefined
}

const uuid = textThat('a UUID', (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
const ip = textThat('an IP address', (value) => isIP(value) !== 0)
const adminName = textThat('a name of at most 32 characters: a letter, then letters, digits, - and _', (value) =>
  /^[A-Za-z][-A-Za-z0-9_]{0,31}$/.test(value),
)
const subnet = textThat(
  'the ID of a subnet, /subscriptions/…/subnets/NAME',
  (value) => parseSubnetId(value) !== undefined,
)
const diskEncryptionSet = textThat('the ID of a Microsoft.Compute/diskEncryptionSets', (value) =>
  isSame(parseResourceId(value)?.type ?? '', 'Microsoft.Compute/diskEncryptionSets'),
)

const required = <A>(
  flag: string,
  codec: Setting<A>['codec'],
  help: string,
  more: Partial<Setting<A>> = {},
): Setting<A> => ({
  flag,
  env: [flag.toUpperCase().replaceAll('-', '_')],
  codec,
  help,
  ...more,
})

const optional = <A>(
  flag: string,
  codec: Setting<A>['codec'],
  fallback: NoInfer<A>,
  help: string,
  more: Partial<Setting<A>> = {},
): Setting<A> => ({ ...required(flag, codec, help, more), default: fallback })

/**
 * Settings under the reference's flags and variables (Z-OPT-01); those of the environment alone have flags too.
 *
 * Name and endpoint of the cluster are the shell's. A value that cannot be read is an error, never a silent default.
 */
export const azureSettings: SettingsSpec<AzureSettings> = {
  fields: {
    subscriptionId: required('subscription-id', text, 'Subscription of the nodes', {
      env: ['AZURE_SUBSCRIPTION_ID', 'ARM_SUBSCRIPTION_ID'],
    }),
    tenantId: optional('tenant-id', text, '', 'Tenant of the credentials; empty: as they say', {
      env: ['AZURE_TENANT_ID', 'ARM_TENANT_ID'],
    }),
    location: required('location', text, 'Region of the cluster, such as westeurope'),
    clusterResourceGroup: required('cluster-resource-group', text, 'Resource group of the cluster', {
      env: ['ARM_RESOURCE_GROUP'],
    }),
    nodeResourceGroup: required('node-resource-group', text, 'Resource group in which AKS keeps the nodes, MC_…', {
      env: ['AZURE_NODE_RESOURCE_GROUP'],
    }),
    cloud: optional(
      'arm-cloud',
      text,
      '',
      'Azure cloud, such as AzurePublicCloud, AzureChinaCloud, AzureUSGovernmentCloud',
      {
        env: ['ARM_CLOUD'],
      },
    ),
    environmentFilepath: optional('azure-environment-filepath', text, '', 'File that describes a cloud of its own'),
    vmMemoryOverheadPercent: optional(
      'vm-memory-overhead-percent',
      numberFrom(0),
      0.075,
      'Share of memory that the hypervisor keeps, until a node of the type has shown what it has',
    ),
    kubeletBootstrapToken: required('kubelet-bootstrap-token', text, 'Token with which kubelets join', {
      secret: true,
    }),
    linuxAdminUsername: optional('linux-admin-username', adminName, 'azureuser', 'Admin of the VMs', { secret: true }),
    sshPublicKey: required('ssh-public-key', text, 'SSH key of the VMs', { secret: true }),
    networkPlugin: optional(
      'network-plugin',
      oneOf('azure', 'none'),
      'azure',
      'Network plugin of the cluster: azure or none',
    ),
    networkPluginMode: optional('network-plugin-mode', oneOfOrNone('overlay'), 'overlay', 'Its mode: overlay or none'),
    networkPolicy: optional('network-policy', text, '', 'Network policy of the cluster: cilium, calico, azure or none'),
    networkDataplane: optional(
      'network-dataplane',
      oneOfOrNone('azure', 'cilium'),
      'cilium',
      'Dataplane of the cluster: azure, cilium or none',
    ),
    dnsServiceIp: optional(
      'dns-service-ip',
      ip,
      '',
      'Address of the cluster’s DNS; empty: that of kube-system/kube-dns, else 10.0.0.10',
    ),
    vnetGuid: optional('vnet-guid', uuid, '', 'GUID of the cluster’s network; empty: asked for'),
    vnetSubnetId: required('vnet-subnet-id', subnet, 'ID of the subnet of nodes whose class names none'),
    nodeIdentities: optional('node-identities', listOf('identities'), [], 'IDs of identities that VMs get'),
    provisionMode: optional(
      'provision-mode',
      oneOf('aksscriptless', 'bootstrappingclient', 'aksmachineapi', 'aksmachineapiheaderbatch'),
      'aksscriptless',
      'How nodes are made: aksscriptless, bootstrappingclient, aksmachineapi or aksmachineapiheaderbatch',
    ),
    nodeBootstrappingServerUrl: optional(
      'nodebootstrapping-server-url',
      text,
      '',
      'Address of AKS’ bootstrapping service',
      { secret: true },
    ),
    kubeletIdentityClientId: optional('kubelet-identity-client-id', uuid, '', 'Client ID of the kubelets’ identity'),
    useSig: optional(
      'use-sig',
      trueOrFalse,
      false,
      'Images come from AKS’ shared galleries instead of the community ones',
    ),
    sigAccessTokenServerUrl: optional(
      'sig-access-token-server-url',
      text,
      '',
      'Where tokens for those galleries come from',
      { secret: true },
    ),
    sigSubscriptionId: optional('sig-subscription-id', text, '', 'Subscription of those galleries'),
    diskEncryptionSetId: optional(
      'node-osdisk-diskencryptionset-id',
      diskEncryptionSet,
      '',
      'ID of the disk encryption set of OS disks',
    ),
    manageExistingAksMachines: optional(
      'manage-existing-aks-machines',
      trueOrFalse,
      false,
      'Look after machines of AKS although VMs are made',
    ),
    aksMachinesPoolName: optional('aks-machines-pool-name', text, '', 'Agent pool that machines of AKS are in'),
    batchIdleMs: optional(
      'provider-batch-idle-duration',
      duration(0),
      1_000,
      'How long a batch of machines waits for one more',
    ),
    batchMaxMs: optional(
      'provider-batch-max-duration',
      duration(0),
      5_000,
      'How long a batch of machines waits at all',
    ),
    batchMaxSize: optional('provider-batch-max-size', wholeNumber(0), mostMachinesPerBatch, 'Most machines of a batch'),
    additionalTags: optional('additional-tags', tags, {}, 'Tags of all that is made, as key=value,key=value'),
    enableAzureSdkLogging: optional('enable-azure-sdk-logging', trueOrFalse, true, 'Log every call to Azure'),
  },
  check: (settings) => [
    ...checkNetwork(settings),
    ...checkMode(settings),
    ...checkSig(settings),
    ...(settings.cloud !== '' && settings.environmentFilepath !== ''
      ? ['arm-cloud: Invalid value: it and azure-environment-filepath cannot both be set: leave one out']
      : []),
  ],
}

const invalid = (flag: string, value: unknown, reason: string): string =>
  `${flag}: Invalid value: ${JSON.stringify(value)}: ${reason}`

const checkNetwork = ({ networkPlugin, networkPluginMode }: AzureSettings): ReadonlyArray<string> =>
  networkPlugin === 'none' && networkPluginMode !== ''
    ? [
        invalid(
          'network-plugin-mode',
          networkPluginMode,
          'a cluster without network plugin has no mode: set it to none',
        ),
      ]
    : []

const checkMode = (settings: AzureSettings): ReadonlyArray<string> => {
  const { provisionMode, nodeBootstrappingServerUrl, aksMachinesPoolName, useSig } = settings
  if (provisionMode === 'aksscriptless') return []
  if (provisionMode === 'bootstrappingclient')
    return nodeBootstrappingServerUrl === ''
      ? [`nodebootstrapping-server-url: Required value: provision-mode ${provisionMode} asks this service`]
      : []
  return [
    ...(aksMachinesPoolName === ''
      ? [`aks-machines-pool-name: Required value: provision-mode ${provisionMode} makes machines in this pool`]
      : []),
    ...(useSig
      ? []
      : [
          invalid(
            'use-sig',
            useSig,
            `provision-mode ${provisionMode} needs images of the shared galleries: set it to true`,
          ),
        ]),
    ...(provisionMode === 'aksmachineapiheaderbatch' ? checkBatch(settings) : []),
  ]
}

const checkBatch = ({ batchIdleMs, batchMaxMs, batchMaxSize }: AzureSettings): ReadonlyArray<string> => [
  ...(batchMaxSize < 1 || batchMaxSize > mostMachinesPerBatch
    ? [invalid('provider-batch-max-size', batchMaxSize, `expected 1 to ${mostMachinesPerBatch}`)]
    : []),
  ...(batchMaxMs < batchIdleMs
    ? [
        invalid(
          'provider-batch-max-duration',
          Time.renderDuration(batchMaxMs),
          `expected at least provider-batch-idle-duration, ${Time.renderDuration(batchIdleMs)}`,
        ),
      ]
    : []),
]

const checkSig = (settings: AzureSettings): ReadonlyArray<string> => {
  const { useSig, sigSubscriptionId, sigAccessTokenServerUrl } = settings
  if (!useSig) return []
  return [
    ...(sigSubscriptionId === '' ? ['sig-subscription-id: Required value: use-sig takes images from it'] : []),
    // Machines get their images from AKS itself.
    ...(usesMachines(settings) || isUrl(sigAccessTokenServerUrl)
      ? []
      : [
          sigAccessTokenServerUrl === ''
            ? 'sig-access-token-server-url: Required value: use-sig needs its tokens'
            : 'sig-access-token-server-url: Invalid value: expected an address such as http://127.0.0.1:8080',
        ]),
  ]
}

/** What is missing among the shell's own settings: a node needs an API server to join (Z-OPT-02). */
export const problemsWithCluster = ({
  name,
  endpoint,
}: Pick<ClusterFacts, 'name' | 'endpoint'>): ReadonlyArray<string> => [
  ...(name === '' ? ['cluster-name: Required value: it marks what belongs to the cluster'] : []),
  ...(endpoint === undefined || endpoint === ''
    ? ['cluster-endpoint: Required value: nodes join the API server there']
    : isUrl(endpoint)
      ? []
      : [
          invalid(
            'cluster-endpoint',
            endpoint,
            'expected an address such as https://name.hcp.westeurope.azmk8s.io:443',
          ),
        ]),
]

const isUrl = (address: string): boolean => URL.canParse(address) && new URL(address).hostname !== ''
