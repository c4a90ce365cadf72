import { readFileSync } from 'node:fs'
import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { decoderOf, type FieldErrors } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { ec2NodeClass, type Ec2NodeClass } from '../src/node-class/index.ts'

/** Types as DescribeInstanceTypes tells them, cut to what is read. Source: moto 5.2.1 (Apache-2.0), recorded from EC2. */
const recorded = JSON.parse(
  readFileSync(new URL('./catalogs/ec2-types.json', import.meta.url), 'utf8'),
) as ReadonlyArray<InstanceTypeInfo>

export const recordedTypes = recorded

export const typeInfo = (name: string, changes: Partial<InstanceTypeInfo> = {}): InstanceTypeInfo => {
  const found = recorded.find(({ InstanceType }) => InstanceType === name)
  if (found === undefined) throw new Error(`There is no recorded type ${name}`)
  return { ...found, ...changes }
}

const decode = decoderOf(ec2NodeClass.versions[0].schema)

export const leastSpec = {
  role: 'node',
  amiSelectorTerms: [{ alias: 'al2023@latest' }],
  subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'demo' } }],
  securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'demo' } }],
}

export const manifest = (spec: unknown, rest: object = {}) => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'default' },
  spec,
  ...rest,
})

export const decodeNodeClass = (object: unknown): E.Either<FieldErrors, Ec2NodeClass> => decode(object)

/** A NodeClass of the least spec with changes; `undefined` drops a field. */
export const nodeClass = (
  spec: Readonly<Record<string, unknown>> = {},
  status: Readonly<Record<string, unknown>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
): Ec2NodeClass => {
  const decoded = decode(
    JSON.parse(
      JSON.stringify(
        manifest(
          { ...leastSpec, ...spec },
          { status, metadata: { name: 'default', uid: 'uid-1', generation: 1, ...metadata } },
        ),
      ),
    ),
  )
  if (E.isLeft(decoded)) throw new Error(JSON.stringify(decoded.left))
  return decoded.right
}

const ami = (id: string, name: string, arch: string, ...requirements: ReadonlyArray<object>) => ({
  id,
  name,
  requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: [arch] }, ...requirements],
})
const withoutDevices = ['gpu', 'accelerator'].map((device) => ({
  key: `karpenter.k8s.aws/instance-${device}-count`,
  operator: 'DoesNotExist',
}))

/** The status of a NodeClass that is resolved: two zones, and images for either architecture and for GPUs. */
export const resolvedStatus = {
  subnets: [
    { id: 'subnet-a', zone: 'eu-west-1a', zoneID: 'euw1-az1' },
    { id: 'subnet-b', zone: 'eu-west-1b', zoneID: 'euw1-az2' },
  ],
  securityGroups: [{ id: 'sg-1', name: 'nodes' }],
  amis: [
    ami('ami-amd', 'x86', 'amd64', ...withoutDevices),
    ami('ami-arm', 'arm', 'arm64', ...withoutDevices),
    ami('ami-gpu', 'nvidia', 'amd64', { key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Exists' }),
  ],
  instanceProfile: 'profile',
} as const

/** A capacity reservation as the status of a NodeClass has it. */
export const reservation = (id: string, changes: object = {}) => ({
  id,
  availabilityZone: 'eu-west-1a',
  instanceMatchCriteria: 'targeted',
  instanceType: 'm5.large',
  ownerID: '012345678901',
  ...changes,
})

/** The cluster that policies are written for. */
export const policyScope = {
  partition: 'aws',
  region: 'us-west-2',
  account: '123456789012',
  cluster: 'demo',
  nodeRoleArn: 'arn:aws:iam::123456789012:role/node-role',
  queueArn: 'arn:aws:sqs:us-west-2:123456789012:demo',
}
