import { nodeClassSchema, type NodeClassKind } from '@scantling/core'
import { hashOf, hashVersion } from './hash.ts'
import { oldSpecFields, oldSpecRules, specFields, specRules, type Ec2NodeClass } from './spec.ts'
import { statusFields } from './status.ts'

export const nodeClassGroup = 'karpenter.k8s.aws'

const options = { status: statusFields, hasPlainConditions: true } as const

/** EC2NodeClass as the reference has it: `karpenter.k8s.aws/v1`, and v1beta1 for conversion alone. */
export const ec2NodeClass: NodeClassKind<Ec2NodeClass> = {
  group: nodeClassGroup,
  kind: 'EC2NodeClass',
  finalizer: `${nodeClassGroup}/termination`,
  names: { plural: 'ec2nodeclasses', short: ['ec2nc', 'ec2ncs'], categories: ['karpenter'] },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Role', type: 'string', jsonPath: '.spec.role', wide: true },
  ],
  versions: [
    {
      name: 'v1',
      schema: nodeClassSchema<Ec2NodeClass>('EC2NodeClass', specFields, {
        ...options,
        description: 'What EC2 machines of a NodePool are made from.',
        specDescription: 'Where machines go, which image they boot, and what they have.',
        specRules,
      }),
    },
    {
      name: 'v1beta1',
      served: false,
      schema: nodeClassSchema<Ec2NodeClass>('EC2NodeClass', oldSpecFields, { ...options, specRules: oldSpecRules }),
    },
  ],
  hash: { version: hashVersion, of: hashOf },
}
