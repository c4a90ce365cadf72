import * as ec2 from '@aws-sdk/client-ec2'
import * as pricing from '@aws-sdk/client-pricing'
import * as ssm from '@aws-sdk/client-ssm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startEmulator, type Emulator } from './index.ts'

let aws: Emulator
let client: ec2.EC2Client
let clientOptions: object

beforeAll(async () => {
  aws = await startEmulator({ cluster: 'emulator' })
  clientOptions = {
    region: aws.region,
    endpoint: aws.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  client = new ec2.EC2Client(clientOptions)
  const data: ec2.RequestLaunchTemplateData = { ImageId: 'ami-12345678', InstanceType: 't3.micro' }
  await client.send(
    new ec2.CreateLaunchTemplateCommand({ LaunchTemplateName: 'karpenter.k8s.aws/1', LaunchTemplateData: data }),
  )
}, 300_000)
afterAll(() => aws?.stop())
beforeEach(() => {
  aws.state.faults = []
  aws.state.shortages = []
  aws.state.hiddenForMs = 0
  aws.state.capacityReservations.clear()
  aws.state.pageSize = 1000
})

const fleet = (
  overrides: ReadonlyArray<ec2.FleetLaunchTemplateOverridesRequest>,
  changes: Partial<ec2.CreateFleetCommandInput> = {},
) =>
  client.send(
    new ec2.CreateFleetCommand({
      Type: 'instant',
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateName: 'karpenter.k8s.aws/1', Version: '$Latest' },
          Overrides: [...overrides],
        },
      ],
      TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'on-demand' },
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'test', Value: 'fleet' }] }],
      ...changes,
    }),
  )
const way = (InstanceType: string, at = 0) => ({
  InstanceType: InstanceType as ec2._InstanceType,
  SubnetId: aws.subnets[at]?.id,
})

describe('moto behind the proxy', () => {
  test('CreateFleet takes the cheapest override, and starts as many as asked', async () => {
    const made = await fleet([way('m5.24xlarge'), way('m5.large', 1), way('m5.4xlarge')], {
      TargetCapacitySpecification: { TotalTargetCapacity: 3, DefaultTargetCapacityType: 'on-demand' },
    })
    const [first] = made.Instances ?? []
    expect(first?.InstanceType).toBe('m5.large')
    expect(first?.InstanceIds).toHaveLength(3)
    expect(first?.LaunchTemplateAndOverrides?.Overrides).toMatchObject({
      SubnetId: aws.subnets[1]?.id,
      AvailabilityZone: aws.subnets[1]?.zone,
    })
    const { Reservations = [] } = await client.send(
      new ec2.DescribeInstancesCommand({ InstanceIds: first?.InstanceIds }),
    )
    const types = Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceType }) => InstanceType))
    expect(types).toEqual(['m5.large', 'm5.large', 'm5.large'])
  }, 30_000)

  test('CreateFleet takes the lowest priority where it is told to prioritize', async () => {
    const made = await fleet(
      [
        { ...way('m5.24xlarge'), Priority: 0 },
        { ...way('m5.large'), Priority: 1 },
      ],
      {
        OnDemandOptions: { AllocationStrategy: 'prioritized' },
      },
    )
    expect(made.Instances?.[0]?.InstanceType).toBe('m5.24xlarge')
  })

  test('CreateFleet names what there is nothing of, and takes the next', async () => {
    aws.state.shortages = [{ instanceType: 'm5.large' }, { instanceType: 'm5.xlarge', code: 'VcpuLimitExceeded' }]
    const made = await fleet([way('m5.large'), way('m5.xlarge'), way('m5.2xlarge')])
    expect(
      made.Errors?.map(({ ErrorCode, LaunchTemplateAndOverrides }) => [
        LaunchTemplateAndOverrides?.Overrides?.InstanceType,
        ErrorCode,
      ]),
    ).toEqual([
      ['m5.large', 'InsufficientInstanceCapacity'],
      ['m5.xlarge', 'VcpuLimitExceeded'],
    ])
    expect(made.Instances?.[0]?.InstanceType).toBe('m5.2xlarge')
    const none = await fleet([way('m5.large')])
    expect(none.Instances).toEqual([])
    expect(none.Errors).toHaveLength(1)
  })

  test('CreateFleet answers a client token once, and spot has a lifecycle', async () => {
    const spot = {
      TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' as const },
      ClientToken: 't-1',
    }
    const [a, b] = await Promise.all([fleet([way('m5.large')], spot), fleet([way('m5.large')], spot)])
    expect(a.Instances?.[0]?.InstanceIds).toEqual(b.Instances?.[0]?.InstanceIds)
    const described = await client.send(
      new ec2.DescribeInstancesCommand({ InstanceIds: a.Instances?.[0]?.InstanceIds }),
    )
    expect(described.Reservations?.[0]?.Instances?.[0]?.InstanceLifecycle).toBe('spot')
  })

  test('reservations are listed, filled and told on the instance', async () => {
    const own = {
      id: 'cr-1',
      instanceType: 'm5.large',
      zone: aws.subnets[0]?.zone ?? '',
      ownerId: '123456789012',
      total: 1,
      available: 1,
      tags: { team: 'a' },
    }
    aws.state.capacityReservations.set('cr-1', own)
    const reserved = {
      TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'reserved-capacity' as const },
    }
    const made = await fleet([way('m5.large')], reserved)
    const described = await client.send(
      new ec2.DescribeInstancesCommand({ InstanceIds: made.Instances?.[0]?.InstanceIds }),
    )
    expect(described.Reservations?.[0]?.Instances?.[0]?.CapacityReservationId).toBe('cr-1')
    const found = await client.send(
      new ec2.DescribeCapacityReservationsCommand({ Filters: [{ Name: 'tag:team', Values: ['a'] }] }),
    )
    expect(found.CapacityReservations).toMatchObject([
      { CapacityReservationId: 'cr-1', AvailableInstanceCount: 0, State: 'active' },
    ])
    expect((await fleet([way('m5.large')], reserved)).Errors?.[0]?.ErrorCode).toBe('ReservationCapacityExceeded')
  })

  test('new instances are hidden for a while', async () => {
    aws.state.hiddenForMs = 60_000
    const ids = (await fleet([way('m5.large')])).Instances?.[0]?.InstanceIds ?? []
    await expect(client.send(new ec2.DescribeInstancesCommand({ InstanceIds: ids }))).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    })
    const listed = await client.send(
      new ec2.DescribeInstancesCommand({ Filters: [{ Name: 'tag:test', Values: ['fleet'] }] }),
    )
    expect(JSON.stringify(listed)).not.toContain(ids[0])
    aws.state.hiddenForMs = 0
    expect((await client.send(new ec2.DescribeInstancesCommand({ InstanceIds: ids }))).Reservations).toHaveLength(1)
  })

  test('calls are throttled, refused and lost on demand, and counted', async () => {
    const before = aws.calls().get('ec2:DescribeSubnets') ?? 0
    const describe_ = () => client.send(new ec2.DescribeSubnetsCommand({}))
    aws.state.faults = [
      { action: 'ec2:DescribeSubnets', code: 'RequestLimitExceeded' },
      { action: 'ec2:DescribeSubnets', code: 'UnauthorizedOperation', status: 403 },
      { action: 'ec2:DescribeSubnets', code: '', after: true },
    ]
    await expect(describe_()).rejects.toMatchObject({
      name: 'RequestLimitExceeded',
      $metadata: { httpStatusCode: 503 },
    })
    await expect(describe_()).rejects.toMatchObject({ name: 'UnauthorizedOperation' })
    await expect(describe_()).rejects.toThrow('socket hang up')
    expect((await describe_()).Subnets?.length).toBeGreaterThan(0)
    expect((aws.calls().get('ec2:DescribeSubnets') ?? 0) - before).toBe(4)
  })

  test('types come in pages, prices from the price list and by zone', async () => {
    const types: Array<string | undefined> = []
    const filters = [{ Name: 'processor-info.supported-architecture', Values: ['x86_64', 'arm64'] }]
    for await (const page of ec2.paginateDescribeInstanceTypes({ client }, { Filters: filters, MaxResults: 100 }))
      types.push(...(page.InstanceTypes ?? []).map(({ InstanceType }) => InstanceType))
    expect(new Set(types).size).toBe(types.length)
    expect(types.length).toBeGreaterThan(1000)
    const products = await new pricing.PricingClient(clientOptions).send(
      new pricing.GetProductsCommand({ ServiceCode: 'AmazonEC2' }),
    )
    expect(products.PriceList).toHaveLength(100)
    expect(products.NextToken).toBe('100')
    const spot = await client.send(new ec2.DescribeSpotPriceHistoryCommand({ MaxResults: 10 }))
    expect(spot.SpotPriceHistory).toHaveLength(10)
    expect(Number(spot.SpotPriceHistory?.[0]?.SpotPrice)).toBeGreaterThan(0)
  }, 60_000)

  test('images are found by the names that AWS gives them, and can be deprecated', async () => {
    const parameters = new ssm.SSMClient(clientOptions)
    const Name = '/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/recommended/image_id'
    const id = (await parameters.send(new ssm.GetParameterCommand({ Name }))).Parameter?.Value ?? ''
    aws.state.deprecations.set(id, '2026-01-01T00:00:00.000Z')
    const { Images } = await client.send(new ec2.DescribeImagesCommand({ ImageIds: [id] }))
    expect(Images).toMatchObject([{ Architecture: 'arm64', DeprecationTime: '2026-01-01T00:00:00.000Z' }])
    await expect(parameters.send(new ssm.GetParameterCommand({ Name: '/aws/service/none' }))).rejects.toMatchObject({
      name: 'ParameterNotFound',
    })
  })

  test('placement groups, shifts of zones and limits of user data are there', async () => {
    aws.state.placementGroups.set('pg-1', { id: 'pg-1', name: 'ours', strategy: 'partition', partitionCount: 3 })
    const { PlacementGroups } = await client.send(new ec2.DescribePlacementGroupsCommand({ GroupNames: ['ours'] }))
    expect(PlacementGroups).toMatchObject([{ GroupId: 'pg-1', PartitionCount: 3, State: 'available' }])
    await expect(client.send(new ec2.DescribePlacementGroupsCommand({ GroupNames: ['theirs'] }))).rejects.toMatchObject(
      { name: 'InvalidPlacementGroup.Unknown' },
    )
    aws.state.zonalShifts.set('euw1-az1', 4_000_000_000_000)
    const shifted = (await (await fetch(`${aws.url}/managedresources/arn`)).json()) as {
      readonly zonalShifts: ReadonlyArray<object>
    }
    expect(shifted.zonalShifts).toMatchObject([{ awayFrom: 'euw1-az1' }])
    const UserData = Buffer.alloc(16_385).toString('base64')
    const template = new ec2.CreateLaunchTemplateCommand({
      LaunchTemplateName: 'large',
      LaunchTemplateData: { UserData },
    })
    await expect(client.send(template)).rejects.toMatchObject({ name: 'InvalidUserData.Malformed' })
    await expect(client.send(new ec2.DescribeInstanceTypesCommand({ DryRun: true }))).rejects.toMatchObject({
      name: 'DryRunOperation',
    })
  })
})
