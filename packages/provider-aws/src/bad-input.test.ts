import { describe, expect, test } from '@jest/globals'
import { Requirements } from '@scantling/core'
import { leftOf, rightOf } from '@scantling/simulation/testing'
import { claimFor, rig } from '../test/rig.ts'

type Rig = Awaited<ReturnType<typeof rig>>

/** The condition as a pass leaves it, and that a later pass succeeds once the cause is gone. */
const conditionAfter = async (
  type: string,
  options: Parameters<typeof rig>[0],
  breakIt: (made: Rig) => void,
  mendIt: (made: Rig) => void,
  nodePools?: Parameters<Rig['resolve']>[0],
) => {
  const made = await rig(options)
  breakIt(made)
  const { conditions } = await made.resolve(nodePools)
  mendIt(made)
  await made.clock.advance(600_000)
  await made.resolve()
  await made.clock.advance(60_000)
  const after = await made.resolve()
  expect(after.conditions[type]).toMatchObject({ status: 'True' })
  return conditions[type]
}
const nothing = () => undefined

describe('what people get wrong is a condition with its remedy, and goes once it is mended', () => {
  test('a region where nothing of the cluster is', async () => {
    const made = await rig({
      world: {
        cluster: { name: 'elsewhere', endpoint: '', version: '1.34', cidr: '', arn: '' },
        subnets: [],
        securityGroups: [],
      },
    })
    const { conditions } = await made.resolve()
    for (const type of ['SubnetsReady', 'SecurityGroupsReady'])
      expect(conditions[type]).toMatchObject({ status: 'False', message: expect.stringContaining('and at the region') })
    expect(conditions['ValidationSucceeded']).toMatchObject({
      status: 'False',
      reason: 'ClusterCIDRResolutionFailed',
      message: expect.stringContaining('name the cluster and its region as EKS does'),
    })
  })

  test.each([
    ['expired', 'ExpiredToken'],
    ['missing', 'CredentialsMissing'],
  ])('credentials that are %s', async (_, code) => {
    const actions = ['ec2:DescribeSubnets', 'ec2:DescribeSecurityGroups', 'ssm:GetParameter', 'iam:GetInstanceProfile']
    const condition = await conditionAfter(
      'SubnetsReady',
      {},
      ({ aws }) => {
        for (const action of actions) aws.failNext(action, { code, message: 'The token is not valid', httpStatus: 403 })
      },
      ({ aws }) => aws.board.failures.clear(),
    )
    expect(condition).toEqual({
      status: 'False',
      reason: 'CredentialsInvalid',
      message:
        'Cannot call ec2:DescribeSubnets: The token is not valid; give the controller a role with current credentials',
    })
  })

  test('image selectors that match nothing', async () => {
    const condition = await conditionAfter(
      'AMIsReady',
      { spec: { amiFamily: 'AL2023', amiSelectorTerms: [{ tags: { team: 'a' } }] } },
      nothing,
      ({ aws }) => {
        for (const image of aws.world.images) image.Tags?.push({ Key: 'team', Value: 'a' })
      },
    )
    expect(condition).toMatchObject({
      status: 'False',
      reason: 'AMINotFound',
      message: expect.stringMatching(/spec\.amiSelectorTerms finds nothing: look at ids, tags and names/),
    })
  })

  test('subnets without free addresses: on the NodeClass, and on the claim that wanted one', async () => {
    const made = await rig()
    for (const subnet of made.aws.world.subnets) subnet.AvailableIpAddressCount = 0
    expect((await made.resolve()).conditions['SubnetsReady']).toEqual({
      status: 'True',
      message:
        'No subnet has free addresses (subnet-1, subnet-2, subnet-3): free some, or select other subnets in spec.subnetSelectorTerms',
    })
    expect(leftOf(await made.launch(claimFor('one')))).toMatchObject({
      reason: 'InsufficientFreeAddressesInSubnet',
      error: { _tag: 'InsufficientCapacity', message: expect.stringContaining('let the EC2NodeClass select others') },
    })
    for (const subnet of made.aws.world.subnets.slice(1)) subnet.AvailableIpAddressCount = 10
    await made.clock.advance(600_000)
    expect((await made.resolve()).conditions['SubnetsReady']).toMatchObject({
      message: expect.stringMatching(/^Of 3 subnets 1 have no free addresses \(subnet-1\)/),
    })
    expect(rightOf(await made.launch(claimFor('two'))).instance.zone).toMatch(/[bc]$/)
  })

  test('a role that does not exist', async () => {
    const condition = await conditionAfter(
      'InstanceProfileReady',
      { spec: { role: 'nobody' } },
      nothing,
      ({ aws }) => void aws.world.roles.add('nobody'),
    )
    expect(condition).toEqual({
      status: 'False',
      reason: 'RoleNotFound',
      message: 'IAM has no role nobody: make it, or name another one in spec.role',
    })
  })

  test.each([
    [
      'of the user’s own image',
      { amiFamily: 'Custom', amiSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'demo' } }] },
    ],
    ['of AL2023', {}],
  ])('user data over 16 KB, %s', async (_, spec) => {
    const made = await rig({ spec: { ...spec, userData: `#!/bin/sh\n${'x'.repeat(17_000)}` } })
    expect((await made.resolve()).conditions['ValidationSucceeded']).toMatchObject({
      status: 'False',
      reason: 'UserDataSizeLimitExceeded',
      message: expect.stringMatching(/16,384 bytes.*shorten spec\.userData/),
    })
  })

  test('an instance type that does not exist', async () => {
    const requirements = Requirements.fromSpecs([
      { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['m9.huge', 'm5.large', 't3.*'] },
    ])
    const condition = await conditionAfter('ValidationSucceeded', {}, nothing, nothing, [
      { name: 'typo', labels: {}, requirements },
    ])
    expect(condition).toMatchObject({
      status: 'True',
      message:
        'NodePool typo names instance types that EC2 does not offer in this region: m9.huge; correct or remove them',
    })
  })

  test('a message in the queue that is not JSON is dropped, and those after it are read', async () => {
    const made = await rig({ settings: { interruptionQueue: 'demo' } })
    const warning = {
      version: '0',
      source: 'aws.ec2',
      'detail-type': 'EC2 Spot Instance Interruption Warning',
      detail: { 'instance-id': 'i-0123456789abcdef0', 'instance-action': 'terminate' },
    }
    made.aws.world.messages = ['<html>', JSON.stringify(warning)].map((body, index) => ({
      body,
      id: `m-${index}`,
      sentAtMs: made.clock.nowMs(),
    }))
    const { interruptions } = made.provider
    const received = rightOf(await made.run(interruptions!.receive(made.call)))
    expect(received.flatMap((delivery) => delivery.interruptions).map(({ id }) => id)).toEqual(['i-0123456789abcdef0'])
    rightOf(
      await made.run(
        interruptions!.acknowledge(
          received.map(({ receipt }) => receipt),
          made.call,
        ),
      ),
    )
    expect(made.aws.world.messages).toEqual([])
    expect(made.logged.map(({ message }) => message).join()).toMatch(/queue/i)
  })
})
