import { nodeClassSchema, s, type NodeClassKind, type NodeClassObject, type ObjectOf, type Rule } from '@scantling/core'
import { azureGroup } from './group.ts'
import { hashOf, hashVersion } from './hash.ts'
import { kubeletSchema } from './kubelet.ts'
import { linuxOsConfigSchema } from './linux-os-config.ts'
import { localDnsSchema } from './local-dns.ts'

const subnetPattern =
  '^\\/subscriptions\\/[^\\/]+\\/resourceGroups\\/[a-zA-Z0-9_\\-().]{0,89}[a-zA-Z0-9_\\-()]\\/providers\\/Microsoft\\.Network\\/virtualNetworks\\/[^\\/]+\\/subnets\\/[^\\/]+$'
// The API server's expressions take a flag inside the pattern; the program's take it beside.
const subnetExpression = new RegExp(subnetPattern, 'iu')

const specFields = {
  vnetSubnetID: s.optional(
    s.string({
      description: 'The subnet of nodes. Default: the cluster’s, --vnet-subnet-id.',
      pattern: `(?i)${subnetPattern}`,
      problem: (id) =>
        subnetExpression.test(id)
          ? undefined
          : 'expected a subnet ID such as /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…/subnets/…',
    }),
  ),
  osDiskSizeGB: s.defaulted(
    s.integer({ description: 'Size of the OS disk.', format: 'int32', minimum: 30, maximum: 2048 }),
    128,
  ),
  imageFamily: s.defaulted(
    s.literals(['Ubuntu', 'Ubuntu2204', 'Ubuntu2404', 'AzureLinux'], {
      description: 'Which operating system nodes run. Ubuntu and AzureLinux follow the Kubernetes version.',
    }),
    'Ubuntu',
  ),
  fipsMode: s.optional(s.literals(['FIPS', 'Disabled'], { description: 'Whether nodes run FIPS-validated modules.' })),
  tags: s.optional(
    s.record(s.string(), {
      description: 'Tags of every resource that is made for a node. A change is applied in place.',
      rules: [
        {
          message: 'tags keys must be less than 512 characters',
          cel: 'self.all(k, size(k) <= 512)',
          each: (key: string) => [...key].length <= 512,
        },
        {
          message: "tags keys must not contain '<', '>', '%', '&', or '?'",
          cel: "self.all(k, !k.matches('[<>%&?]'))",
          each: (key: string) => !/[<>%&?]/.test(key),
        },
        {
          message: "tags keys must not contain '\\'",
          cel: "self.all(k, !k.contains('\\\\'))",
          each: (key: string) => !key.includes('\\'),
        },
        {
          message: 'tags values must be less than 256 characters',
          cel: 'self.all(k, size(self[k]) <= 256)',
          holds: (tags: Readonly<Record<string, string>>) =>
            Object.keys(tags).every((key) => [...(tags[key] ?? '')].length <= 256),
        },
      ],
    }),
  ),
  maxPods: s.optional(
    s.integer({
      description:
        'Most pods on a node. Default: by network plugin, 250 with overlay or none, 30 with Azure CNI, else 110.',
      format: 'int32',
      minimum: 10,
      maximum: 250,
    }),
  ),
  kubelet: s.optional(kubeletSchema),
  linuxOSConfig: s.optional(linuxOsConfigSchema),
  security: s.optional(
    s.object(
      {
        encryptionAtHost: s.optional(
          s.boolean({ description: 'Whether disks are encrypted at the host, on types that can.' }),
        ),
        trustedLaunch: s.optional(
          s.object(
            {
              vtpm: s.optional(s.boolean({ description: 'A virtual TPM.' })),
              secureBoot: s.optional(s.boolean({ description: 'Only signed boot components.' })),
            },
            { description: 'Trusted launch; on when one of its parts is.' },
          ),
        ),
      },
      { description: 'Security settings.' },
    ),
  ),
  localDNS: s.optional(localDnsSchema),
  gpu: s.optional(
    s.object(
      {
        mode: s.defaulted(
          s.literals(['Driver', 'None'], {
            description:
              'Driver installs the GPU driver and leaves out types for which there is none; None leaves drivers to others.',
          }),
          'Driver',
        ),
      },
      { description: 'Settings of nodes with GPUs.' },
    ),
  ),
  artifactStreaming: s.optional(
    s.object(
      {
        enabled: s.optional(
          s.boolean({ description: 'Whether images are streamed. Default false; not available on arm64.' }),
        ),
      },
      { description: 'Streaming of container images.' },
    ),
  ),
}

const hasTrustedLaunch = ({ security }: SpecInput): boolean =>
  security?.trustedLaunch?.vtpm === true || security?.trustedLaunch?.secureBoot === true
const isFips = ({ fipsMode }: SpecInput): boolean => fipsMode === 'FIPS'

interface SpecInput {
  readonly imageFamily?: string
  readonly fipsMode?: string
  readonly security?: AksNodeClassSpec['security']
  readonly kubelet?: { readonly failSwapOn?: boolean }
  readonly linuxOSConfig?: { readonly swapFileSize?: string }
}

const trustedLaunchCel =
  'has(self.security) && has(self.security.trustedLaunch) && ((has(self.security.trustedLaunch.vtpm) && self.security.trustedLaunch.vtpm) || (has(self.security.trustedLaunch.secureBoot) && self.security.trustedLaunch.secureBoot))'

/** Rules that span fields (Z-API-21). */
const specRules: ReadonlyArray<Rule> = [
  {
    message: 'FIPS is not yet supported for Ubuntu2404',
    cel: "has(self.fipsMode) && self.fipsMode == 'FIPS' ? (has(self.imageFamily) && self.imageFamily != 'Ubuntu2404') : true",
    holds: (spec: SpecInput) => !isFips(spec) || (spec.imageFamily !== undefined && spec.imageFamily !== 'Ubuntu2404'),
  },
  {
    message: 'TrustedLaunch is required for FIPS support with Ubuntu2204',
    cel: `has(self.fipsMode) && self.fipsMode == 'FIPS' ? (has(self.imageFamily) && (self.imageFamily != 'Ubuntu2204' || (${trustedLaunchCel}))) : true`,
    holds: (spec: SpecInput) => !isFips(spec) || spec.imageFamily !== 'Ubuntu2204' || hasTrustedLaunch(spec),
  },
  {
    message: 'TrustedLaunch with FIPSMode FIPS is only supported for Ubuntu and Ubuntu2204',
    cel: `has(self.fipsMode) && self.fipsMode == 'FIPS' && ${trustedLaunchCel} ? (!has(self.imageFamily) || self.imageFamily == 'Ubuntu' || self.imageFamily == 'Ubuntu2204') : true`,
    holds: (spec: SpecInput) =>
      !isFips(spec) || !hasTrustedLaunch(spec) || spec.imageFamily === 'Ubuntu' || spec.imageFamily === 'Ubuntu2204',
  },
  {
    message: 'kubelet.failSwapOn must be set to false when linuxOSConfig.swapFileSize is specified',
    cel: '!has(self.linuxOSConfig) || !has(self.linuxOSConfig.swapFileSize) || (has(self.kubelet) && has(self.kubelet.failSwapOn) && self.kubelet.failSwapOn == false)',
    holds: (spec: SpecInput) => spec.linuxOSConfig?.swapFileSize === undefined || spec.kubelet?.failSwapOn === false,
  },
]

const statusFields = {
  images: s.optional(
    s.array(
      s.object({
        id: s.string({ description: 'Resource ID of the image.' }),
        requirements: s.array(
          s.object({
            key: s.string(),
            operator: s.string(),
            values: s.optional(s.array(s.string(), { listType: 'atomic' })),
          }),
          { description: 'Which instance types can boot it.' },
        ),
      }),
      { description: 'Images that nodes boot; the first that fits a type is taken.' },
    ),
  ),
  kubernetesVersion: s.optional(s.string({ description: 'The Kubernetes version of new nodes.' })),
  localDNSState: s.optional(
    s.literals(['Enabled', 'Disabled'], { description: 'What the mode of local DNS resolved to.' }),
  ),
}

/** The spec of an AKSNodeClass, with its defaults filled in. */
export interface AksNodeClassSpec extends ObjectOf<typeof specFields> {}
export type Kubelet = NonNullable<AksNodeClassSpec['kubelet']>
export type LinuxOsConfig = NonNullable<AksNodeClassSpec['linuxOSConfig']>
export type LocalDns = NonNullable<AksNodeClassSpec['localDNS']>

/** One image of the status: which it is, and the types that can boot it. */
export interface NodeImage {
  readonly id: string
  readonly requirements: ReadonlyArray<{
    readonly key: string
    readonly operator: string
    readonly values?: ReadonlyArray<string>
  }>
}

/** What an AKSNodeClass resolved to, as its last reconciliation wrote it. */
export interface AksNodeClassStatus extends Omit<ObjectOf<typeof statusFields>, 'images'> {
  readonly images?: ReadonlyArray<NodeImage>
  readonly conditions: ReadonlyArray<{
    readonly type: string
    readonly status: 'True' | 'False' | 'Unknown'
    readonly reason: string
    readonly message: string
    readonly observedGeneration?: number
  }>
}

/** How nodes are made on AKS. */
export interface AksNodeClass extends NodeClassObject {
  readonly spec: AksNodeClassSpec
  readonly status: AksNodeClassStatus
}

const schema = nodeClassSchema<AksNodeClass>('AKSNodeClass', specFields, {
  description: 'How nodes are made on AKS.',
  specDescription: 'What is launched, and how it is set up.',
  isSpecOptional: true,
  specRules,
  status: statusFields,
  hasPlainConditions: true,
})

/** AKSNodeClass as the reference serves it: two versions of one form, the older deprecated (Z-API-01, Z-API-02). */
export const aksNodeClass: NodeClassKind<AksNodeClass> = {
  group: azureGroup,
  kind: 'AKSNodeClass',
  finalizer: `${azureGroup}/termination`,
  names: { plural: 'aksnodeclasses', short: ['aksnc', 'aksncs'], categories: ['karpenter', 'nap'] },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'ImageFamily', type: 'string', jsonPath: '.spec.imageFamily', wide: true },
  ],
  versions: [
    { name: 'v1beta1', schema },
    { name: 'v1alpha2', schema, deprecated: 'use v1beta1.AKSNodeClass instead' },
  ],
  hash: { version: hashVersion, of: hashOf },
}
