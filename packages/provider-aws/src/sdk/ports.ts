import type * as ec2 from '@aws-sdk/client-ec2'
import type * as eks from '@aws-sdk/client-eks'
import type * as iam from '@aws-sdk/client-iam'
import type * as pricing from '@aws-sdk/client-pricing'
import type * as sqs from '@aws-sdk/client-sqs'
import type * as ssm from '@aws-sdk/client-ssm'
import type { CancelSignal } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AwsError } from './aws-error.ts'

/**
 * One operation of an AWS service: one request, retried where that is safe, one page of its answer.
 *
 * Errors: Left for whatever the service, the network or the credentials have to say; `Cancelled` once `signal` aborts.
 */
export type AwsCall<Input, Output> = (
  input: Input,
  signal: CancelSignal,
) => TaskEither<AwsError, Omit<Output, '$metadata'>>

/** The calls of EC2 that this provider makes. A dry run is tried once, since its error is its answer. */
export interface Ec2Port {
  readonly createFleet: AwsCall<ec2.CreateFleetCommandInput, ec2.CreateFleetCommandOutput>
  readonly createLaunchTemplate: AwsCall<ec2.CreateLaunchTemplateCommandInput, ec2.CreateLaunchTemplateCommandOutput>
  readonly createTags: AwsCall<ec2.CreateTagsCommandInput, ec2.CreateTagsCommandOutput>
  readonly deleteLaunchTemplate: AwsCall<ec2.DeleteLaunchTemplateCommandInput, ec2.DeleteLaunchTemplateCommandOutput>
  readonly describeCapacityReservations: AwsCall<
    ec2.DescribeCapacityReservationsCommandInput,
    ec2.DescribeCapacityReservationsCommandOutput
  >
  readonly describeImages: AwsCall<ec2.DescribeImagesCommandInput, ec2.DescribeImagesCommandOutput>
  readonly describeInstanceStatus: AwsCall<
    ec2.DescribeInstanceStatusCommandInput,
    ec2.DescribeInstanceStatusCommandOutput
  >
  readonly describeInstanceTypeOfferings: AwsCall<
    ec2.DescribeInstanceTypeOfferingsCommandInput,
    ec2.DescribeInstanceTypeOfferingsCommandOutput
  >
  readonly describeInstanceTypes: AwsCall<ec2.DescribeInstanceTypesCommandInput, ec2.DescribeInstanceTypesCommandOutput>
  readonly describeInstances: AwsCall<ec2.DescribeInstancesCommandInput, ec2.DescribeInstancesCommandOutput>
  readonly describeLaunchTemplates: AwsCall<
    ec2.DescribeLaunchTemplatesCommandInput,
    ec2.DescribeLaunchTemplatesCommandOutput
  >
  readonly describePlacementGroups: AwsCall<
    ec2.DescribePlacementGroupsCommandInput,
    ec2.DescribePlacementGroupsCommandOutput
  >
  readonly describeSecurityGroups: AwsCall<
    ec2.DescribeSecurityGroupsCommandInput,
    ec2.DescribeSecurityGroupsCommandOutput
  >
  readonly describeSpotPriceHistory: AwsCall<
    ec2.DescribeSpotPriceHistoryCommandInput,
    ec2.DescribeSpotPriceHistoryCommandOutput
  >
  readonly describeSubnets: AwsCall<ec2.DescribeSubnetsCommandInput, ec2.DescribeSubnetsCommandOutput>
  readonly runInstances: AwsCall<ec2.RunInstancesCommandInput, ec2.RunInstancesCommandOutput>
  readonly terminateInstances: AwsCall<ec2.TerminateInstancesCommandInput, ec2.TerminateInstancesCommandOutput>
}

export interface IamPort {
  readonly addRoleToInstanceProfile: AwsCall<
    iam.AddRoleToInstanceProfileCommandInput,
    iam.AddRoleToInstanceProfileCommandOutput
  >
  readonly createInstanceProfile: AwsCall<iam.CreateInstanceProfileCommandInput, iam.CreateInstanceProfileCommandOutput>
  readonly deleteInstanceProfile: AwsCall<iam.DeleteInstanceProfileCommandInput, iam.DeleteInstanceProfileCommandOutput>
  readonly getInstanceProfile: AwsCall<iam.GetInstanceProfileCommandInput, iam.GetInstanceProfileCommandOutput>
  readonly listInstanceProfiles: AwsCall<iam.ListInstanceProfilesCommandInput, iam.ListInstanceProfilesCommandOutput>
  readonly removeRoleFromInstanceProfile: AwsCall<
    iam.RemoveRoleFromInstanceProfileCommandInput,
    iam.RemoveRoleFromInstanceProfileCommandOutput
  >
}

export interface SsmPort {
  readonly getParameter: AwsCall<ssm.GetParameterCommandInput, ssm.GetParameterCommandOutput>
}

export interface EksPort {
  readonly describeCluster: AwsCall<eks.DescribeClusterCommandInput, eks.DescribeClusterCommandOutput>
}

export interface SqsPort {
  readonly deleteMessageBatch: AwsCall<sqs.DeleteMessageBatchCommandInput, sqs.DeleteMessageBatchCommandOutput>
  readonly getQueueUrl: AwsCall<sqs.GetQueueUrlCommandInput, sqs.GetQueueUrlCommandOutput>
  readonly receiveMessage: AwsCall<sqs.ReceiveMessageCommandInput, sqs.ReceiveMessageCommandOutput>
}

export interface PricingPort {
  readonly getProducts: AwsCall<pricing.GetProductsCommandInput, pricing.GetProductsCommandOutput>
}

/** Shifts of traffic away from a zone, as Application Recovery Controller knows them. */
export interface ZonalShiftPort {
  readonly getManagedResource: AwsCall<{ readonly resourceIdentifier: string }, ManagedResource>
}

/** A resource that is registered for zonal shifts. */
export interface ManagedResource {
  readonly arn?: string
  readonly zonalShifts: ReadonlyArray<{
    /** The id of the zone, such as `use1-az1`. */
    readonly awayFrom: string
    readonly appliedStatus: string
    readonly expiryTimeMs: number
  }>
}

/** Everything of AWS that this provider touches; the SDK's clients stay behind it. */
export interface AwsPorts {
  /** The region that all of these are about. */
  readonly region: string
  readonly ec2: Ec2Port
  readonly iam: IamPort
  readonly ssm: SsmPort
  readonly eks: EksPort
  readonly sqs: SqsPort
  readonly pricing: PricingPort
  readonly zonalShift: ZonalShiftPort
}
