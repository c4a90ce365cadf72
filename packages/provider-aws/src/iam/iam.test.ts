import { describe, expect, test } from '@jest/globals'
import type {
  CreateFleetCommandInput,
  CreateLaunchTemplateCommandInput,
  CreateTagsCommandInput,
  Tag,
} from '@aws-sdk/client-ec2'
import type { ManagedInstance } from '@scantling/core'
import { recordingHost } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import type { Ec2Details } from '../instances/index.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { checkConnectivity } from '../start-up.ts'
import { fakeAws, openReservation, tag } from '../../test/fake-aws/index.ts'
import { claimFor, rig } from '../../test/rig.ts'
import { policyScope } from '../../test/subjects.ts'
import { actionsFor, allCalls } from './calls.ts'
import { cloudFormation, interruptionEvents, nodePolicies, policyDocuments } from './cloud-formation.ts'
import { controllerPolicies, documentOf, type Statement } from './policies.ts'

const policies = controllerPolicies(policyScope)
const statement = (sid: string): Statement => {
  const found = policies.flatMap(({ statements }) => statements).find(({ Sid }) => Sid === sid)
  if (found === undefined) throw new Error(sid)
  return found
}
const granted = new Set(policies.flatMap(({ statements }) => statements.flatMap(({ Action }) => Action)))

/**
 * Everything that the provider does in a cluster's life, with some action taken away; answers what failed, in the words
 * of whoever noticed. Empty: nothing did.
 */
const life = async (denied?: string) => {
  const { clock } = recordingHost()
  const group = { GroupId: 'pg-1', GroupName: 'mine', State: 'available' as const, Strategy: 'cluster' as const }
  const aws = fakeAws(
    {
      reservations: [openReservation('cr-1')],
      placementGroups: [group],
      messages: [{ body: 'not JSON', id: 'r-1', sentAtMs: 0 }],
    },
    clock.nowMs,
  )
  if (denied !== undefined) aws.board.denied.add(denied)
  const complaints: Array<string> = []
  const note = (what: string, result: E.Either<unknown, unknown>) => {
    if (E.isLeft(result)) complaints.push(what)
  }
  note('connectivity', await checkConnectivity(aws.ports, new AbortController().signal)())
  let made: Awaited<ReturnType<typeof rig>>
  try {
    made = await rig({
      aws,
      clock,
      settings: { enableZonalShift: true, interruptionQueue: 'demo' },
      spec: {
        capacityReservationSelectorTerms: [{ id: 'cr-1' }],
        placementGroupSelector: { name: 'mine' },
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
      },
    })
  } catch {
    return { complaints: [...complaints, 'start'], aws }
  }
  const { provider, call, run } = made
  const resolution = await made.resolve()
  for (const [type, verdict] of Object.entries(resolution.conditions))
    if (verdict === 'unchanged' || verdict.status !== 'True') complaints.push(type)
  for (const name of [
    'on-demand-prices',
    'spot-prices',
    'instance-status',
    'zonal-shift',
    'instance-profiles',
    'ssm-parameters',
  ])
    note(name, await made.runTask(name))
  const claim = claimFor('one')
  const launched = await made.launch(claim).catch(() => E.left('launch'))
  note('launch', launched)
  if (E.isRight(launched)) {
    const { instance } = launched.right
    note('list', await run(provider.list(call)))
    const subject: ManagedInstance<Ec2NodeClass, Ec2Details> = {
      claim,
      nodeClass: made.nodeClass(),
      instance,
      node: { name: 'n', labels: {}, kubeletVersion: '', capacity: {} },
    }
    note('converge', await run(provider.converge?.(subject, call) ?? (() => Promise.reject(new Error('none')))))
    note('terminate', await run(provider.terminate({ providerId: instance.providerId }, call)))
  }
  const source = provider.interruptions
  if (source !== undefined) {
    note('receive', await run(source.receive(call)))
    note('acknowledge', await run(source.acknowledge(['r-1'], call)))
  }
  note('release', await run(provider.release?.(made.nodeClass(), call) ?? (() => Promise.reject(new Error('none')))))
  return { complaints, aws }
}

describe('the controller’s policies', () => {
  test('A-IAM-02: are six, each within what AWS takes', () => {
    expect(policies.map(({ name }) => name)).toEqual([
      'NodeLifecycle',
      'IAMIntegration',
      'EKSIntegration',
      'Interruption',
      'ZonalShift',
      'ResourceDiscovery',
    ])
    for (const policy of policies) expect(JSON.stringify(documentOf(policy)).length).toBeLessThan(6144)
  })

  test('grant the actions of our calls, what AWS asks for beside them, and no more', () => {
    const beside = ['iam:PassRole', 'iam:TagInstanceProfile']
    expect([...granted].sort()).toEqual([...allCalls.map(({ action }) => action), ...beside].sort())
    expect([...granted].some((action) => action.includes('*'))).toBe(false)
  })

  test('leave nothing to be denied in the life of a cluster, in which every one of the calls is made', async () => {
    const { complaints, aws } = await life()
    expect(complaints).toEqual([])
    const called = new Set(aws.board.calls.map(({ action }) => action))
    expect(allCalls.map(({ action }) => action).filter((action) => !called.has(action))).toEqual([])
  })

  test.each([...granted].sort())('lack nothing that could be left out: without %s something fails', async (action) => {
    expect((await life(action)).complaints).not.toEqual([])
  })

  test('A-IAM-03: launches may use images and networks freely, their own templates, and make what bears the tags', async () => {
    expect(statement('UseForLaunch').Resource.map((arn) => arn.split(':').at(-1))).toEqual([
      'image/*',
      'snapshot/*',
      'security-group/*',
      'subnet/*',
      'capacity-reservation/*',
      'placement-group/*',
    ])
    expect(statement('LaunchFromOwnTemplates').Condition).toEqual({
      StringEquals: { 'aws:ResourceTag/kubernetes.io/cluster/demo': 'owned' },
      StringLike: { 'aws:ResourceTag/karpenter.sh/nodepool': '*' },
    })
    expect(statement('MakeWithOwnTags').Condition).toEqual({
      StringEquals: {
        'aws:RequestTag/kubernetes.io/cluster/demo': 'owned',
        'aws:RequestTag/eks:eks-cluster-name': 'demo',
      },
      StringLike: { 'aws:RequestTag/karpenter.sh/nodepool': '*' },
    })
    expect(statement('MakeWithOwnTags').Resource.map((arn) => arn.split(':').at(-1))).toEqual([
      'fleet/*',
      'instance/*',
      'volume/*',
      'network-interface/*',
      'launch-template/*',
      'spot-instances-request/*',
    ])
    // And our requests give those tags to all that they make.
    const { aws } = await life()
    const specs = [
      ...aws
        .inputsOf<CreateFleetCommandInput>('ec2:CreateFleet')
        .flatMap(({ TagSpecifications }) => TagSpecifications ?? []),
      ...aws
        .inputsOf<CreateLaunchTemplateCommandInput>('ec2:CreateLaunchTemplate')
        .flatMap(({ TagSpecifications, LaunchTemplateData }) => [
          ...(TagSpecifications ?? []),
          ...(LaunchTemplateData?.TagSpecifications ?? []),
        ]),
    ]
    const kinds = new Set(specs.map(({ ResourceType }) => ResourceType))
    expect(kinds).toEqual(new Set(['fleet', 'instance', 'launch-template', 'network-interface', 'volume']))
    for (const { Tags = [] } of specs)
      expect(Tags).toEqual(
        expect.arrayContaining([
          tag('kubernetes.io/cluster/demo', 'owned'),
          tag('eks:eks-cluster-name', 'demo'),
          expect.objectContaining({ Key: 'karpenter.sh/nodepool' }),
        ]),
      )
  })

  test('A-IAM-04: tags are given at creation, and later three of them to machines of the cluster alone', async () => {
    expect(statement('TagWhatIsMade').Condition?.['StringEquals']).toMatchObject({
      'ec2:CreateAction': ['CreateFleet', 'RunInstances', 'CreateLaunchTemplate'],
    })
    const keys = statement('TagOwnMachines').Condition?.['ForAllValues:StringEquals']?.['aws:TagKeys'] ?? []
    expect(keys).toEqual(['eks:eks-cluster-name', 'karpenter.sh/nodeclaim', 'Name'])
    const { aws } = await life()
    const given = aws
      .inputsOf<CreateTagsCommandInput>('ec2:CreateTags')
      .flatMap(({ Tags = [] }) => Tags.map(({ Key }: Tag) => Key))
    expect(given.length).toBeGreaterThan(0)
    expect(given.filter((key) => !keys.includes(key ?? ''))).toEqual([])
  })

  test('A-IAM-05: only what bears the cluster’s tags is ended', () => {
    expect(statement('EndOwn')).toMatchObject({
      Action: ['ec2:DeleteLaunchTemplate', 'ec2:TerminateInstances'],
      Condition: {
        StringEquals: { 'aws:ResourceTag/kubernetes.io/cluster/demo': 'owned' },
        StringLike: { 'aws:ResourceTag/karpenter.sh/nodepool': '*' },
      },
    })
  })

  test('A-IAM-06: the node role goes to EC2 alone, and only profiles of the cluster are changed', () => {
    expect(statement('PassNodeRole')).toMatchObject({
      Action: ['iam:PassRole'],
      Resource: [policyScope.nodeRoleArn],
      Condition: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'] } },
    })
    expect(statement('MakeOwnProfiles').Condition).toMatchObject({
      StringEquals: {
        'aws:RequestTag/kubernetes.io/cluster/demo': 'owned',
        'aws:RequestTag/eks:eks-cluster-name': 'demo',
        'aws:RequestTag/topology.kubernetes.io/region': 'us-west-2',
      },
      StringLike: { 'aws:RequestTag/karpenter.k8s.aws/ec2nodeclass': '*' },
    })
    expect(statement('ChangeOwnProfiles')).toMatchObject({
      Action: ['iam:AddRoleToInstanceProfile', 'iam:DeleteInstanceProfile', 'iam:RemoveRoleFromInstanceProfile'],
      Condition: { StringLike: { 'aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass': '*' } },
    })
    expect(statement('ListProfiles').Resource).toEqual(['*'])
    expect(statement('LookAtProfiles').Action).toEqual(['iam:GetInstanceProfile'])
  })

  test('A-IAM-07: cluster, queue, shifts, prices and published parameters', () => {
    expect(statement('DescribeCluster').Resource).toEqual(['arn:aws:eks:us-west-2:123456789012:cluster/demo'])
    expect(statement('ReadQueue')).toMatchObject({
      Action: ['sqs:DeleteMessage', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
      Resource: [policyScope.queueArn],
    })
    expect(statement('FollowZonalShifts').Action).toEqual(['arc-zonal-shift:GetManagedResource'])
    expect(statement('ReadPrices').Action).toEqual(['pricing:GetProducts'])
    expect(statement('ReadPublishedImages').Resource).toEqual(['arn:aws:ssm:us-west-2::parameter/aws/service/*'])
  })

  test('A-IAM-08: descriptions are confined to the region', () => {
    expect(statement('DescribeInRegion').Condition).toEqual({ StringEquals: { 'aws:RequestedRegion': 'us-west-2' } })
    expect(actionsFor('discover').map((action) => action.slice('ec2:Describe'.length))).toEqual([
      'CapacityReservations',
      'Images',
      'InstanceStatus',
      'InstanceTypeOfferings',
      'InstanceTypes',
      'Instances',
      'LaunchTemplates',
      'PlacementGroups',
      'SecurityGroups',
      'SpotPriceHistory',
      'Subnets',
    ])
  })
})

describe('the CloudFormation template', () => {
  const { Resources } = cloudFormation() as unknown as {
    readonly Resources: Readonly<
      Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>
    >
  }
  test('A-IAM-01: nodes may be EC2’s, with four managed policies', () => {
    expect(JSON.stringify(Resources['NodeRole']?.Properties['AssumeRolePolicyDocument'])).toContain(
      'ec2.${AWS::URLSuffix}',
    )
    expect(nodePolicies).toEqual([
      'AmazonEKS_CNI_Policy',
      'AmazonEKSWorkerNodePolicy',
      'AmazonEC2ContainerRegistryPullOnly',
      'AmazonSSMManagedInstanceCore',
    ])
  })
  test('A-INT-10: five rules fill a queue of the cluster’s name, which keeps messages for five minutes and takes them over TLS', () => {
    expect(
      Object.values(interruptionEvents)
        .map(({ type }) => type)
        .sort(),
    ).toEqual([
      'AWS Health Event',
      'EC2 Capacity Reservation Instance Interruption Warning',
      'EC2 Instance Rebalance Recommendation',
      'EC2 Instance State-change Notification',
      'EC2 Spot Instance Interruption Warning',
    ])
    expect(Object.values(Resources).filter(({ Type }) => Type === 'AWS::Events::Rule')).toHaveLength(5)
    expect(Resources['InterruptionQueue']?.Properties).toEqual({
      QueueName: { 'Fn::Sub': '${ClusterName}' },
      MessageRetentionPeriod: 300,
      SqsManagedSseEnabled: true,
    })
    const access = JSON.stringify(Resources['InterruptionQueuePolicy'])
    for (const text of [
      'events.amazonaws.com',
      'sqs.amazonaws.com',
      '"aws:SecureTransport":"false"',
      '"Effect":"Deny"',
    ])
      expect(access).toContain(text)
  })
  test('has every policy, with placeholders of its own', () => {
    for (const name of Object.keys(policyDocuments())) {
      const document = Resources[`${name}Policy`]?.Properties['PolicyDocument'] as { readonly 'Fn::Sub': string }
      expect(JSON.parse(document['Fn::Sub'])).toHaveProperty('Statement')
      expect(document['Fn::Sub']).not.toContain('undefined')
    }
  })
})
