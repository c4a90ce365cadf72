import { describe, expect, test } from '@jest/globals'
import { controllerPolicies, type Statement } from '../src/iam/policies.ts'
import { policyScope } from './subjects.ts'

const statements = controllerPolicies(policyScope).flatMap((policy) => policy.statements)

type Context = Readonly<Record<string, string | ReadonlyArray<string>>>

const isLike = (pattern: string, value: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's').test(value)
const valuesOf = (given: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  given === undefined ? [] : typeof given === 'string' ? [given] : given

/** Whether one operator of a condition holds, as IAM has it. One that it does not know is a mistake in a policy. */
const holds = (operator: string, given: ReadonlyArray<string>, wanted: ReadonlyArray<string>): boolean => {
  switch (operator) {
    case 'StringEquals':
      return given.length > 0 && given.every((value) => wanted.includes(value))
    case 'StringLike':
      return given.length > 0 && given.every((value) => wanted.some((pattern) => isLike(pattern, value)))
    case 'StringEqualsIfExists':
      return given.every((value) => wanted.includes(value))
    case 'ForAllValues:StringEquals':
      return given.every((value) => wanted.includes(value))
    default:
      throw new Error(`IAM knows no operator ${operator}, or this test does not`)
  }
}

/** What IAM says when nothing else grants or denies. */
const isAllowed = (action: string, resource: string, context: Context = {}): boolean =>
  statements.some(
    ({ Action, Resource, Condition = {} }: Statement) =>
      Action.includes(action) &&
      Resource.some((pattern) => isLike(pattern, resource)) &&
      Object.entries(Condition).every(([operator, keys]) =>
        Object.entries(keys).every(([key, wanted]) => holds(operator, valuesOf(context[key]), valuesOf(wanted))),
      ),
  )

const ec2 = (kind: string, id = '1', region = 'us-west-2') => `arn:aws:ec2:${region}:123456789012:${kind}/${id}`
const instance = ec2('instance', 'i-1')
const profile = 'arn:aws:iam::123456789012:instance-profile/karpenter/us-west-2/demo/1/x'
const tags = (kind: 'RequestTag' | 'ResourceTag', cluster: string) => ({
  [`aws:${kind}/kubernetes.io/cluster/${cluster}`]: 'owned',
  [`aws:${kind}/eks:eks-cluster-name`]: cluster,
  [`aws:${kind}/karpenter.sh/nodepool`]: 'default',
  [`aws:${kind}/karpenter.k8s.aws/ec2nodeclass`]: 'default',
  [`aws:${kind}/topology.kubernetes.io/region`]: 'us-west-2',
})
const own = tags('ResourceTag', 'demo')
const foreign = tags('ResourceTag', 'theirs')

describe('the controller’s policies confine it to its own cluster', () => {
  test('A-IAM-05: it ends its own machines and templates, and no others', () => {
    for (const [action, resource] of [
      ['ec2:TerminateInstances', instance],
      ['ec2:DeleteLaunchTemplate', ec2('launch-template')],
    ] as const) {
      expect(isAllowed(action, resource, own)).toBe(true)
      expect(isAllowed(action, resource, foreign)).toBe(false)
      expect(isAllowed(action, resource)).toBe(false)
    }
    expect(isAllowed('ec2:TerminateInstances', ec2('instance', 'i-1', 'eu-west-1'), own)).toBe(false)
  })

  test('A-IAM-03: it launches what bears the tags of its cluster, from its own templates', () => {
    for (const kind of ['instance', 'fleet', 'volume', 'network-interface', 'spot-instances-request']) {
      expect(isAllowed('ec2:CreateFleet', ec2(kind), tags('RequestTag', 'demo'))).toBe(true)
      expect(isAllowed('ec2:RunInstances', ec2(kind), tags('RequestTag', 'theirs'))).toBe(false)
      expect(isAllowed('ec2:RunInstances', ec2(kind))).toBe(false)
    }
    expect(isAllowed('ec2:CreateFleet', ec2('launch-template'), own)).toBe(true)
    expect(isAllowed('ec2:CreateFleet', ec2('launch-template'), foreign)).toBe(false)
    expect(isAllowed('ec2:CreateFleet', ec2('subnet'))).toBe(true)
    expect(isAllowed('ec2:CreateFleet', ec2('subnet', '1', 'eu-west-1'))).toBe(false)
  })

  test('A-IAM-04: it tags what it makes while it makes it, and its own machines with three keys later', () => {
    const made = { ...tags('RequestTag', 'demo'), 'ec2:CreateAction': 'CreateFleet' }
    expect(isAllowed('ec2:CreateTags', instance, made)).toBe(true)
    expect(isAllowed('ec2:CreateTags', instance, { ...made, 'ec2:CreateAction': 'CreateVolume' })).toBe(false)
    const later = { ...own, 'aws:TagKeys': ['Name', 'karpenter.sh/nodeclaim'] }
    expect(isAllowed('ec2:CreateTags', instance, later)).toBe(true)
    expect(isAllowed('ec2:CreateTags', instance, { ...foreign, 'aws:TagKeys': ['Name'] })).toBe(false)
    // Else it could make any machine its own, and end it then.
    expect(isAllowed('ec2:CreateTags', instance, { ...foreign, ...tags('RequestTag', 'demo') })).toBe(false)
    expect(isAllowed('ec2:CreateTags', instance, { ...later, 'aws:TagKeys': ['Name', 'costs'] })).toBe(false)
    expect(isAllowed('ec2:CreateTags', ec2('volume'), { ...own, 'aws:TagKeys': ['Name'] })).toBe(false)
  })

  test('A-IAM-06: it passes the role of the nodes to EC2 alone, and changes profiles of its cluster', () => {
    const role = 'arn:aws:iam::123456789012:role/node-role'
    const toEc2 = { 'iam:PassedToService': 'ec2.amazonaws.com' }
    expect(isAllowed('iam:PassRole', role, toEc2)).toBe(true)
    expect(isAllowed('iam:PassRole', role, { 'iam:PassedToService': 'lambda.amazonaws.com' })).toBe(false)
    expect(isAllowed('iam:PassRole', 'arn:aws:iam::123456789012:role/admin', toEc2)).toBe(false)
    expect(isAllowed('iam:CreateInstanceProfile', profile, tags('RequestTag', 'demo'))).toBe(true)
    expect(isAllowed('iam:CreateInstanceProfile', profile, tags('RequestTag', 'theirs'))).toBe(false)
    for (const action of ['AddRoleToInstanceProfile', 'RemoveRoleFromInstanceProfile', 'DeleteInstanceProfile']) {
      expect(isAllowed(`iam:${action}`, profile, own)).toBe(true)
      expect(isAllowed(`iam:${action}`, profile, foreign)).toBe(false)
      expect(isAllowed(`iam:${action}`, profile)).toBe(false)
    }
  })

  test('A-IAM-07, A-IAM-08: it reads in its region, of its cluster and its queue', () => {
    expect(isAllowed('ec2:DescribeInstances', '*', { 'aws:RequestedRegion': 'us-west-2' })).toBe(true)
    expect(isAllowed('ec2:DescribeInstances', '*', { 'aws:RequestedRegion': 'eu-west-1' })).toBe(false)
    expect(isAllowed('eks:DescribeCluster', 'arn:aws:eks:us-west-2:123456789012:cluster/demo')).toBe(true)
    expect(isAllowed('eks:DescribeCluster', 'arn:aws:eks:us-west-2:123456789012:cluster/theirs')).toBe(false)
    expect(isAllowed('sqs:ReceiveMessage', 'arn:aws:sqs:us-west-2:123456789012:demo')).toBe(true)
    expect(isAllowed('sqs:ReceiveMessage', 'arn:aws:sqs:us-west-2:123456789012:theirs')).toBe(false)
    expect(isAllowed('ssm:GetParameter', 'arn:aws:ssm:us-west-2::parameter/aws/service/eks/x')).toBe(true)
    expect(isAllowed('ssm:GetParameter', 'arn:aws:ssm:us-west-2:123456789012:parameter/secret')).toBe(false)
  })
})
