import { controllerPolicies, documentOf, type Statement } from './policies.ts'

/** Managed policies that a node needs to join, to pull images and to be managed (A-IAM-01). */
export const nodePolicies = [
  'AmazonEKS_CNI_Policy',
  'AmazonEKSWorkerNodePolicy',
  'AmazonEC2ContainerRegistryPullOnly',
  'AmazonSSMManagedInstanceCore',
]

/** Events that the controller reads, by the rule that sends them to the queue (A-INT-10). */
export const interruptionEvents: Readonly<Record<string, { readonly source: string; readonly type: string }>> = {
  ScheduledChange: { source: 'aws.health', type: 'AWS Health Event' },
  SpotInterruption: { source: 'aws.ec2', type: 'EC2 Spot Instance Interruption Warning' },
  Rebalance: { source: 'aws.ec2', type: 'EC2 Instance Rebalance Recommendation' },
  InstanceStateChange: { source: 'aws.ec2', type: 'EC2 Instance State-change Notification' },
  CapacityReservationInterruption: {
    source: 'aws.ec2',
    type: 'EC2 Capacity Reservation Instance Interruption Warning',
  },
}

const retentionSeconds = 300
const sub = (text: string) => ({ 'Fn::Sub': text })
const arnOf = (resource: string) => ({ 'Fn::GetAtt': [resource, 'Arn'] })

/**
 * A CloudFormation template with what the controller needs beside the cluster: the nodes' role, its own policies, and
 * the queue with the rules that fill it.
 */
export const cloudFormation = () => ({
  AWSTemplateFormatVersion: '2010-09-09',
  Description: 'What Scantling needs beside an EKS cluster: node role, controller policies, interruption queue.',
  Parameters: {
    ClusterName: { Type: 'String', Description: 'Name of the EKS cluster.' },
  },
  Resources: {
    NodeRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: sub('KarpenterNodeRole-${ClusterName}'),
        Path: '/',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { Service: sub('ec2.${AWS::URLSuffix}') }, Action: ['sts:AssumeRole'] },
          ],
        },
        ManagedPolicyArns: nodePolicies.map((name) => sub(`arn:\${AWS::Partition}:iam::aws:policy/${name}`)),
      },
    },
    ...Object.fromEntries(
      controllerPolicies({
        partition: '${AWS::Partition}',
        region: '${AWS::Region}',
        account: '${AWS::AccountId}',
        cluster: '${ClusterName}',
        nodeRoleArn: '${NodeRole.Arn}',
        queueArn: '${InterruptionQueue.Arn}',
      }).map((policy) => [
        `${policy.name}Policy`,
        {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: {
            ManagedPolicyName: sub(`KarpenterController${policy.name}Policy-\${ClusterName}`),
            Description: policy.description,
            // As one text: CloudFormation fills in no keys, and the tag of the cluster is one.
            PolicyDocument: sub(JSON.stringify(documentOf(policy))),
          },
        },
      ]),
    ),
    InterruptionQueue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: sub('${ClusterName}'),
        MessageRetentionPeriod: retentionSeconds,
        SqsManagedSseEnabled: true,
      },
    },
    InterruptionQueuePolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'InterruptionQueue' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'FromEventBridge',
              Effect: 'Allow',
              Principal: { Service: ['events.amazonaws.com', 'sqs.amazonaws.com'] },
              Action: 'sqs:SendMessage',
              Resource: arnOf('InterruptionQueue'),
            },
            {
              Sid: 'OverTlsAlone',
              Effect: 'Deny',
              Principal: '*',
              Action: 'sqs:*',
              Resource: arnOf('InterruptionQueue'),
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      },
    },
    ...Object.fromEntries(
      Object.entries(interruptionEvents).map(([name, { source, type }]) => [
        `${name}Rule`,
        {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: { source: [source], 'detail-type': [type] },
            Targets: [{ Id: 'ScantlingInterruptionQueue', Arn: arnOf('InterruptionQueue') }],
          },
        },
      ]),
    ),
  },
  Outputs: {
    NodeRoleName: { Description: 'For spec.role of EC2NodeClasses.', Value: { Ref: 'NodeRole' } },
    QueueName: {
      Description: 'For --interruption-queue.',
      Value: { 'Fn::GetAtt': ['InterruptionQueue', 'QueueName'] },
    },
  },
})

/** The controller's policies with placeholders in the manner of envsubst, by name. */
export const policyDocuments = (): Readonly<
  Record<string, { readonly Version: string; readonly Statement: ReadonlyArray<Statement> }>
> =>
  Object.fromEntries(
    controllerPolicies({
      partition: '${AWS_PARTITION}',
      region: '${AWS_REGION}',
      account: '${AWS_ACCOUNT_ID}',
      cluster: '${CLUSTER_NAME}',
      nodeRoleArn: 'arn:${AWS_PARTITION}:iam::${AWS_ACCOUNT_ID}:role/KarpenterNodeRole-${CLUSTER_NAME}',
      queueArn: 'arn:${AWS_PARTITION}:sqs:${AWS_REGION}:${AWS_ACCOUNT_ID}:${CLUSTER_NAME}',
    }).map((policy) => [policy.name, documentOf(policy)]),
  )
