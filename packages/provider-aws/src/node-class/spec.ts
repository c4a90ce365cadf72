import { s, type NodeClassObject, type ObjectOf, type Rule } from '@scantling/core'
import {
  blockDeviceMappings,
  connectionTracking,
  metadataOptionsField,
  networkInterfaces,
  ownTags,
  placementGroupSelector,
} from './machine-fields.ts'
import {
  capacityReservationSelectorTerms,
  imageSelectorTerms,
  oldImageSelectorTerms,
  securityGroupSelectorTerms,
  subnetSelectorTerms,
} from './selector-terms.ts'
import type { Ec2NodeClassStatus } from './status.ts'

/** The image families, each with its user data and default volumes. */
export const imageFamilies = [
  'AL2',
  'AL2023',
  'Bottlerocket',
  'Custom',
  'Windows2019',
  'Windows2022',
  'Windows2025',
] as const
export type ImageFamily = (typeof imageFamilies)[number]

const notEmpty = (field: string): Rule => ({
  message: `${field} cannot be empty`,
  cel: "self != ''",
  holds: (text: string) => text !== '',
})

export const specFields = {
  subnetSelectorTerms,
  securityGroupSelectorTerms,
  capacityReservationSelectorTerms: s.optional(capacityReservationSelectorTerms),
  placementGroupSelector: s.optional(placementGroupSelector),
  amiSelectorTerms: imageSelectorTerms,
  amiFamily: s.optional(
    s.literals(imageFamilies, {
      description: 'Decides user data and default volumes. Absent: the family of the alias.',
    }),
  ),
  userData: s.optional(
    s.string({ description: 'User data of the nodes in the form of the image family; what joins the node is added.' }),
  ),
  role: s.optional(
    s.string({
      description: 'IAM role of the nodes; its instance profile is kept for you.',
      rules: [notEmpty('role')],
    }),
  ),
  instanceProfile: s.optional(
    s.string({
      description: 'Instance profile of the nodes, instead of role.',
      rules: [notEmpty('instanceProfile')],
    }),
  ),
  tags: s.optional(
    ownTags([
      'eks:eks-cluster-name',
      'karpenter.sh/nodepool',
      'karpenter.sh/nodeclaim',
      'karpenter.k8s.aws/ec2nodeclass',
    ]),
  ),
  kubelet: s.optional(
    s.record(s.any(), {
      description:
        'Fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1). Checked by the controller, which reports in the condition ValidationSucceeded.',
    }),
  ),
  blockDeviceMappings: s.optional(blockDeviceMappings),
  instanceStorePolicy: s.optional(
    s.literals(['RAID0'], { description: 'RAID0: instance store disks become the storage of pods.' }),
  ),
  networkInterfaces: s.optional(networkInterfaces),
  detailedMonitoring: s.optional(s.boolean({ description: 'Whether CloudWatch monitors by the minute.' })),
  metadataOptions: metadataOptionsField(1),
  connectionTracking: s.optional(connectionTracking),
  associatePublicIPAddress: s.optional(
    s.boolean({ description: 'Whether nodes get a public address. Absent: as the subnet has it.' }),
  ),
  ipPrefixCount: s.optional(
    s.integer({
      description: 'Prefixes of addresses that each network interface gets.',
      format: 'int32',
      minimum: 0,
    }),
  ),
  context: s.optional(s.string({ description: 'Context of launches, as AWS may have handed it to you.' })),
  cpuOptions: s.optional(
    s.object(
      {
        nestedVirtualization: s.optional(
          s.literals(['enabled', 'disabled'], {
            description: 'Whether virtual machines can run on the nodes; narrows the types to those that support it.',
          }),
        ),
      },
      { description: 'Options of the processor.' },
    ),
  ),
}

/** The spec of an EC2NodeClass. */
export interface Ec2NodeClassSpec extends ObjectOf<typeof specFields> {}

/** An EC2NodeClass, decoded: what EC2 machines of a NodePool are made from. */
export interface Ec2NodeClass extends NodeClassObject {
  readonly spec: Ec2NodeClassSpec
  readonly status: Ec2NodeClassStatus
}

interface RuleSubject {
  readonly role?: string
  readonly instanceProfile?: string
  readonly amiFamily?: string
  readonly amiSelectorTerms: ReadonlyArray<{ readonly alias?: string }>
}

const exactlyOneIdentity: Rule = {
  message: "must specify exactly one of ['role', 'instanceProfile']",
  cel: 'has(self.role) != has(self.instanceProfile)',
  holds: ({ role, instanceProfile }: RuleSubject) => (role === undefined) !== (instanceProfile === undefined),
}

const agreesWithAlias = (family: ImageFamily): Rule => ({
  message: `if set, amiFamily must be '${family}' or 'Custom' when using an ${family} alias`,
  cel: `!has(self.amiFamily) || self.amiFamily in ['Custom', '${family}'] || !self.amiSelectorTerms.exists(x, has(x.alias) && x.alias.startsWith('${family.toLowerCase()}@'))`,
  holds: ({ amiFamily, amiSelectorTerms }: RuleSubject) =>
    amiFamily === undefined ||
    amiFamily === 'Custom' ||
    amiFamily === family ||
    !amiSelectorTerms.some(({ alias }) => alias?.startsWith(`${family.toLowerCase()}@`)),
})

export const specRules: ReadonlyArray<Rule> = [
  exactlyOneIdentity,
  ...imageFamilies.filter((family) => family !== 'Custom').map(agreesWithAlias),
  {
    message: 'must specify amiFamily if amiSelectorTerms does not contain an alias',
    cel: 'has(self.amiFamily) || self.amiSelectorTerms.exists(x, has(x.alias))',
    holds: ({ amiFamily, amiSelectorTerms }: RuleSubject) =>
      amiFamily !== undefined || amiSelectorTerms.some(({ alias }) => alias !== undefined),
  },
]

// Fields that came with v1 are absent here; `kubelet` was the NodePool's.
export const oldSpecFields = {
  subnetSelectorTerms,
  securityGroupSelectorTerms,
  amiSelectorTerms: s.filledIn(oldImageSelectorTerms, []),
  amiFamily: s.literals(['AL2', 'AL2023', 'Bottlerocket', 'Ubuntu', 'Custom', 'Windows2019', 'Windows2022']),
  userData: specFields.userData,
  role: specFields.role,
  instanceProfile: specFields.instanceProfile,
  tags: s.optional(
    ownTags([
      'karpenter.sh/nodepool',
      'karpenter.sh/managed-by',
      'karpenter.sh/nodeclaim',
      'karpenter.k8s.aws/ec2nodeclass',
    ]),
  ),
  blockDeviceMappings: specFields.blockDeviceMappings,
  instanceStorePolicy: specFields.instanceStorePolicy,
  detailedMonitoring: specFields.detailedMonitoring,
  metadataOptions: metadataOptionsField(2),
  associatePublicIPAddress: specFields.associatePublicIPAddress,
  context: specFields.context,
}

export const oldSpecRules: ReadonlyArray<Rule> = [
  {
    message: "amiSelectorTerms is required when amiFamily == 'Custom'",
    cel: "self.amiFamily != 'Custom' || self.amiSelectorTerms.size() != 0",
    holds: ({ amiFamily, amiSelectorTerms }: RuleSubject) => amiFamily !== 'Custom' || amiSelectorTerms.length > 0,
  },
  exactlyOneIdentity,
]
