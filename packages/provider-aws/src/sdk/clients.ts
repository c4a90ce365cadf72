import * as ec2 from '@aws-sdk/client-ec2'
import * as eks from '@aws-sdk/client-eks'
import * as iam from '@aws-sdk/client-iam'
import * as pricing from '@aws-sdk/client-pricing'
import * as sqs from '@aws-sdk/client-sqs'
import * as ssm from '@aws-sdk/client-ssm'
import type { CancelSignal } from '@scantling/core'
import { withAbortSignal } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AwsError } from './aws-error.ts'
import type { ConnectOptions } from './connect-options.ts'
import type { AwsCall, AwsPorts } from './ports.ts'
import { pricingRegionOf } from './region.ts'
import { awsErrorOf } from './sdk-error.ts'
import { zonalShiftPort } from './zonal-shift.ts'

const requestTimeoutMs = 240_000
const connectionTimeoutMs = 5_000
// The executors of a batch come at once.
const maxSockets = 128
const mostAttempts = 3

interface Sender {
  readonly send: (command: never, options: { readonly abortSignal: AbortSignal }) => Promise<unknown>
}

/**
 * The ports over the clients of the SDK.
 *
 * Credentials come from the SDK's default chain, the region from the options, the shared configuration or the metadata
 * service. `endpoint` stands in for all services.
 *
 * Errors: Left when no region can be found.
 */
export const portsOverSdk =
  (options: ConnectOptions, signal: CancelSignal): TaskEither<AwsError, AwsPorts> =>
  async () => {
    const { endpoint, userAgent, observe } = options
    const found = await regionOf(options.region, signal)
    if (E.isLeft(found)) return found
    const region = found.right
    const common = {
      region,
      ...(endpoint !== '' && { endpoint }),
      ...(options.credentials !== undefined && { credentials: options.credentials }),
      customUserAgent: userAgent,
      maxAttempts: mostAttempts,
      requestHandler: {
        requestTimeout: requestTimeoutMs,
        connectionTimeout: connectionTimeoutMs,
        httpAgent: { maxSockets },
        httpsAgent: { maxSockets },
      },
    }
    const ec2Client = new ec2.EC2Client(common)
    // The answer of a dry run is its error: trying again is wrong.
    const probe = new ec2.EC2Client({ ...common, maxAttempts: 1 })
    const iamClient = new iam.IAMClient(common)
    const ssmClient = new ssm.SSMClient(common)
    const eksClient = new eks.EKSClient(common)
    const sqsClient = new sqs.SQSClient(common)
    const pricingClient = new pricing.PricingClient({ ...common, region: pricingRegionOf(region) })

    const call =
      <Input, Output>(
        action: string,
        Command: new (input: Input) => object,
        clientOf: (input: Input) => Sender,
      ): AwsCall<Input, Output> =>
      (input, callSignal) =>
      async () => {
        const startedMs = options.nowMs()
        const report = (code: string) => observe?.({ action, code, durationMs: options.nowMs() - startedMs })
        try {
          const output = await withAbortSignal(callSignal, (abortSignal) =>
            clientOf(input).send(new Command(input) as never, { abortSignal }),
          )
          report('200')
          return E.right(output as Output & { $metadata: never })
        } catch (thrown) {
          const error = awsErrorOf(action, thrown)
          if (error === undefined) throw thrown
          report(error.code)
          return E.left(error)
        }
      }
    const ofEc2 = <Input extends { DryRun?: boolean | undefined }, Output>(
      name: string,
      Command: new (input: Input) => object,
    ) => call<Input, Output>(`ec2:${name}`, Command, ({ DryRun }) => (DryRun === true ? probe : ec2Client))
    const ofIam = <Input, Output>(name: string, Command: new (input: Input) => object) =>
      call<Input, Output>(`iam:${name}`, Command, () => iamClient)
    const ofSqs = <Input, Output>(name: string, Command: new (input: Input) => object) =>
      call<Input, Output>(`sqs:${name}`, Command, () => sqsClient)

    return E.right({
      region,
      ec2: {
        createFleet: ofEc2('CreateFleet', ec2.CreateFleetCommand),
        createLaunchTemplate: ofEc2('CreateLaunchTemplate', ec2.CreateLaunchTemplateCommand),
        createTags: ofEc2('CreateTags', ec2.CreateTagsCommand),
        deleteLaunchTemplate: ofEc2('DeleteLaunchTemplate', ec2.DeleteLaunchTemplateCommand),
        describeCapacityReservations: ofEc2('DescribeCapacityReservations', ec2.DescribeCapacityReservationsCommand),
        describeImages: ofEc2('DescribeImages', ec2.DescribeImagesCommand),
        describeInstanceStatus: ofEc2('DescribeInstanceStatus', ec2.DescribeInstanceStatusCommand),
        describeInstanceTypeOfferings: ofEc2('DescribeInstanceTypeOfferings', ec2.DescribeInstanceTypeOfferingsCommand),
        describeInstanceTypes: ofEc2('DescribeInstanceTypes', ec2.DescribeInstanceTypesCommand),
        describeInstances: ofEc2('DescribeInstances', ec2.DescribeInstancesCommand),
        describeLaunchTemplates: ofEc2('DescribeLaunchTemplates', ec2.DescribeLaunchTemplatesCommand),
        describePlacementGroups: ofEc2('DescribePlacementGroups', ec2.DescribePlacementGroupsCommand),
        describeSecurityGroups: ofEc2('DescribeSecurityGroups', ec2.DescribeSecurityGroupsCommand),
        describeSpotPriceHistory: ofEc2('DescribeSpotPriceHistory', ec2.DescribeSpotPriceHistoryCommand),
        describeSubnets: ofEc2('DescribeSubnets', ec2.DescribeSubnetsCommand),
        runInstances: ofEc2('RunInstances', ec2.RunInstancesCommand),
        terminateInstances: ofEc2('TerminateInstances', ec2.TerminateInstancesCommand),
      },
      iam: {
        addRoleToInstanceProfile: ofIam('AddRoleToInstanceProfile', iam.AddRoleToInstanceProfileCommand),
        createInstanceProfile: ofIam('CreateInstanceProfile', iam.CreateInstanceProfileCommand),
        deleteInstanceProfile: ofIam('DeleteInstanceProfile', iam.DeleteInstanceProfileCommand),
        getInstanceProfile: ofIam('GetInstanceProfile', iam.GetInstanceProfileCommand),
        listInstanceProfiles: ofIam<iam.ListInstanceProfilesCommandInput, iam.ListInstanceProfilesCommandOutput>(
          'ListInstanceProfiles',
          iam.ListInstanceProfilesCommand,
        ),
        removeRoleFromInstanceProfile: ofIam('RemoveRoleFromInstanceProfile', iam.RemoveRoleFromInstanceProfileCommand),
      },
      ssm: { getParameter: call('ssm:GetParameter', ssm.GetParameterCommand, () => ssmClient) },
      eks: { describeCluster: call('eks:DescribeCluster', eks.DescribeClusterCommand, () => eksClient) },
      sqs: {
        deleteMessageBatch: ofSqs('DeleteMessage', sqs.DeleteMessageBatchCommand),
        getQueueUrl: ofSqs('GetQueueUrl', sqs.GetQueueUrlCommand),
        receiveMessage: ofSqs('ReceiveMessage', sqs.ReceiveMessageCommand),
      },
      pricing: { getProducts: call('pricing:GetProducts', pricing.GetProductsCommand, () => pricingClient) },
      zonalShift: zonalShiftPort({ region, endpoint, userAgent, credentials: ec2Client.config.credentials }),
    })
  }

const regionOf = async (given: string, signal: CancelSignal): Promise<E.Either<AwsError, string>> => {
  if (given !== '') return E.right(given)
  try {
    return E.right(await new ec2.EC2Client({}).config.region())
  } catch {
    // Neither the environment nor the shared configuration names one.
  }
  const metadata = await regionOfMetadata(signal)
  return metadata === undefined
    ? E.left({
        action: 'region',
        code: 'RegionMissing',
        message: 'Cannot find the region: set AWS_REGION, or run where the instance metadata service answers',
      })
    : E.right(metadata)
}

const metadataUrl = 'http://169.254.169.254/latest'
const metadataTimeoutMs = 2_000

const regionOfMetadata = (signal: CancelSignal): Promise<string | undefined> =>
  withAbortSignal(signal, async (abortSignal) => {
    const within = AbortSignal.any([abortSignal, AbortSignal.timeout(metadataTimeoutMs)])
    try {
      const token = await fetch(`${metadataUrl}/api/token`, {
        method: 'PUT',
        headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
        signal: within,
      })
      const region = await fetch(`${metadataUrl}/meta-data/placement/region`, {
        headers: { 'x-aws-ec2-metadata-token': await token.text() },
        signal: within,
      })
      return region.ok ? await region.text() : undefined
    } catch {
      return undefined
    }
  })
