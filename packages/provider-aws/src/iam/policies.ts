import { ownedTagOf, tagKeys } from '../tags.ts'
import { actionsFor } from './calls.ts'

/** A statement of a policy. */
export interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: ReadonlyArray<string>
  readonly Resource: ReadonlyArray<string>
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | ReadonlyArray<string>>>>>
}

export interface Policy {
  readonly name: string
  readonly description: string
  readonly statements: ReadonlyArray<Statement>
}

/** What policies are about; values may be placeholders of whoever fills them in. */
export interface PolicyScope {
  readonly partition: string
  readonly region: string
  readonly account: string
  readonly cluster: string
  readonly nodeRoleArn: string
  readonly queueArn: string
}

/** What launches may use as it is: none of it is made by them. */
const used = ['security-group', 'subnet', 'capacity-reservation', 'placement-group']
/** What launches make, and tag in the same breath. */
const made = ['fleet', 'instance', 'volume', 'network-interface', 'launch-template', 'spot-instances-request']

/**
 * The rights of the controller: what the calls that we make need, confined to machines of the cluster (A-IAM-02…08).
 *
 * Six policies, as in the reference, so that each can be left out where its feature is not used.
 */
export const controllerPolicies = (scope: PolicyScope): ReadonlyArray<Policy> => {
  const { partition, region, account, cluster, nodeRoleArn, queueArn } = scope
  const ec2 = (kind: string) => `arn:${partition}:ec2:${region}:*:${kind}/*`
  const profiles = `arn:${partition}:iam::${account}:instance-profile/*`
  const clusterArn = `arn:${partition}:eks:${region}:${account}:cluster/${cluster}`
  const owned = ownedTagOf(cluster)
  const allow = (
    Sid: string,
    Action: ReadonlyArray<string>,
    Resource: ReadonlyArray<string>,
    Condition?: Statement['Condition'],
  ): Statement => ({ Sid, Effect: 'Allow', Action, Resource, ...(Condition !== undefined && { Condition }) })

  const hasOurTags = {
    StringEquals: { [`aws:ResourceTag/${owned}`]: 'owned' },
    StringLike: { [`aws:ResourceTag/${tagKeys.nodePool}`]: '*' },
  }
  const givesOurTags = {
    StringEquals: { [`aws:RequestTag/${owned}`]: 'owned', [`aws:RequestTag/${tagKeys.cluster}`]: cluster },
    StringLike: { [`aws:RequestTag/${tagKeys.nodePool}`]: '*' },
  }
  const regionKey = 'topology.kubernetes.io/region'
  const ofOurProfile = (kind: 'RequestTag' | 'ResourceTag') => ({
    [`aws:${kind}/${owned}`]: 'owned',
    ...(kind === 'RequestTag' && { [`aws:RequestTag/${tagKeys.cluster}`]: cluster }),
    [`aws:${kind}/${regionKey}`]: region,
  })

  return [
    {
      name: 'NodeLifecycle',
      description: 'Launch, tag and end machines of the cluster.',
      statements: [
        allow('UseForLaunch', actionsFor('launch'), [
          `arn:${partition}:ec2:${region}::image/*`,
          `arn:${partition}:ec2:${region}::snapshot/*`,
          ...used.map(ec2),
        ]),
        allow('LaunchFromOwnTemplates', actionsFor('launch'), [ec2('launch-template')], hasOurTags),
        allow(
          'MakeWithOwnTags',
          [...actionsFor('launch'), ...actionsFor('make templates')],
          made.map(ec2),
          givesOurTags,
        ),
        allow('TagWhatIsMade', actionsFor('tag machines'), made.map(ec2), {
          StringEquals: {
            ...givesOurTags.StringEquals,
            'ec2:CreateAction': [...actionsFor('launch'), ...actionsFor('make templates')].map((action) =>
              action.slice('ec2:'.length),
            ),
          },
          StringLike: givesOurTags.StringLike,
        }),
        allow('TagOwnMachines', actionsFor('tag machines'), [ec2('instance')], {
          StringEquals: hasOurTags.StringEquals,
          StringLike: hasOurTags.StringLike,
          StringEqualsIfExists: { [`aws:RequestTag/${tagKeys.cluster}`]: cluster },
          'ForAllValues:StringEquals': { 'aws:TagKeys': [tagKeys.cluster, tagKeys.nodeClaim, tagKeys.name] },
        }),
        allow('EndOwn', actionsFor('end'), [ec2('instance'), ec2('launch-template')], hasOurTags),
      ],
    },
    {
      name: 'IAMIntegration',
      description: 'Keep instance profiles for the roles that EC2NodeClasses name.',
      statements: [
        allow('PassNodeRole', ['iam:PassRole'], [nodeRoleArn], {
          StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'] },
        }),
        allow('MakeOwnProfiles', actionsFor('make profiles'), [profiles], {
          StringEquals: ofOurProfile('RequestTag'),
          StringLike: { [`aws:RequestTag/${tagKeys.nodeClass}`]: '*' },
        }),
        allow('TagOwnProfiles', ['iam:TagInstanceProfile'], [profiles], {
          StringEquals: { ...ofOurProfile('ResourceTag'), ...ofOurProfile('RequestTag') },
          StringLike: {
            [`aws:ResourceTag/${tagKeys.nodeClass}`]: '*',
            [`aws:RequestTag/${tagKeys.nodeClass}`]: '*',
          },
        }),
        allow('ChangeOwnProfiles', actionsFor('change profiles'), [profiles], {
          StringEquals: ofOurProfile('ResourceTag'),
          StringLike: { [`aws:ResourceTag/${tagKeys.nodeClass}`]: '*' },
        }),
        allow('ListProfiles', actionsFor('list profiles'), ['*']),
        allow('LookAtProfiles', actionsFor('look at profiles'), [profiles]),
      ],
    },
    {
      name: 'EKSIntegration',
      description: 'Find the endpoint of the cluster and its service addresses.',
      statements: [allow('DescribeCluster', actionsFor('describe cluster'), [clusterArn])],
    },
    {
      name: 'Interruption',
      description: 'Read what happens to machines from the queue.',
      statements: [allow('ReadQueue', actionsFor('read the queue'), [queueArn])],
    },
    {
      name: 'ZonalShift',
      description: 'Follow zonal shifts of the cluster.',
      statements: [allow('FollowZonalShifts', actionsFor('follow zonal shifts'), [clusterArn])],
    },
    {
      name: 'ResourceDiscovery',
      description: 'Find what EC2NodeClasses name, what there is to buy, and what it costs.',
      statements: [
        allow('DescribeInRegion', actionsFor('discover'), ['*'], { StringEquals: { 'aws:RequestedRegion': region } }),
        allow('ReadPublishedImages', actionsFor('read parameters'), [
          `arn:${partition}:ssm:${region}::parameter/aws/service/*`,
        ]),
        allow('ReadPrices', actionsFor('read prices'), ['*']),
      ],
    },
  ]
}

/** A policy as AWS takes it. */
export const documentOf = ({ statements }: Pick<Policy, 'statements'>) => ({
  Version: '2012-10-17',
  Statement: statements,
})
