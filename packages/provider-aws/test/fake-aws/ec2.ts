import type { Instance, InstanceTypeInfo, Tag } from '@aws-sdk/client-ec2'
import type { Ec2Port } from '../../src/sdk/index.ts'
import { fleets, type FleetRefusal } from './fleet.ts'
import { meets, operation, page, Refusal, type Switchboard } from './operation.ts'
import type { World } from './world.ts'

/** EC2 over a world. */
export const fakeEc2 = (
  world: World,
  board: Switchboard,
  nowMs: () => number,
  newId: (prefix: string) => string,
  onRefusal: (refusal: FleetRefusal) => void,
): Ec2Port => {
  const fleet = fleets(world, nowMs, newId, onRefusal)
  const terminatedAtMs = new Map<string, number>()

  const dryRun = (asked: boolean | undefined) => {
    if (asked === true) throw new Refusal('DryRunOperation', 'Request would have succeeded', { httpStatus: 412 })
  }
  /** States move on as time passes. */
  const age = () => {
    for (const instance of world.instances) {
      const id = instance.InstanceId ?? ''
      const endedMs = terminatedAtMs.get(id)
      if (endedMs !== undefined) {
        if (nowMs() >= endedMs + world.shutdownMs) instance.State = { Name: 'terminated' }
      } else if (instance.State?.Name === 'pending' && nowMs() > (instance.LaunchTime?.getTime() ?? 0))
        instance.State = { Name: 'running' }
    }
  }
  const visible = () => {
    age()
    return world.instances.filter(({ LaunchTime }) => nowMs() >= (LaunchTime?.getTime() ?? 0) + world.hiddenForMs)
  }
  const named = (ids: ReadonlyArray<string> | undefined, from: ReadonlyArray<Instance>) => {
    if (ids === undefined) return from
    const found = from.filter(({ InstanceId }) => ids.includes(InstanceId ?? ''))
    const missing = ids.filter((id) => !found.some(({ InstanceId }) => InstanceId === id))
    if (missing.length > 0)
      throw new Refusal('InvalidInstanceID.NotFound', `The instance IDs '${missing.join(', ')}' do not exist`)
    return found
  }
  const sizeOf = (asked: number | undefined) => Math.min(asked ?? world.pageSize, world.pageSize)
  const list = <A extends { readonly Tags?: ReadonlyArray<Tag> | undefined }>(
    items: ReadonlyArray<A>,
    input: {
      readonly MaxResults?: number | undefined
      readonly NextToken?: string | undefined
      readonly Filters?: ReadonlyArray<{ Name?: string | undefined; Values?: Array<string> | undefined }> | undefined
    },
    attributesOf: (item: A) => Readonly<Record<string, string | undefined>>,
  ) =>
    page(
      items.filter((item) => meets(item.Tags, attributesOf(item), input.Filters)),
      sizeOf(input.MaxResults),
      input.NextToken,
    )

  return {
    createFleet: operation(board, 'ec2:CreateFleet', fleet.create),
    createLaunchTemplate: operation(board, 'ec2:CreateLaunchTemplate', (input) => {
      dryRun(input.DryRun)
      const name = input.LaunchTemplateName ?? ''
      if (world.templates.some(({ LaunchTemplateName }) => LaunchTemplateName === name))
        throw new Refusal('InvalidLaunchTemplateName.AlreadyExistsException', `Launch template ${name} is there`)
      if (Buffer.from(input.LaunchTemplateData?.UserData ?? '', 'base64').length > 16384)
        throw new Refusal('InvalidUserData.Malformed', 'User data is limited to 16384 bytes')
      const template = {
        LaunchTemplateId: newId('lt'),
        LaunchTemplateName: name,
        CreateTime: new Date(nowMs()),
        data: input.LaunchTemplateData ?? {},
        Tags: [...(input.TagSpecifications?.[0]?.Tags ?? [])],
      }
      world.templates.push(template)
      return { LaunchTemplate: template }
    }),
    createTags: operation(board, 'ec2:CreateTags', ({ Resources = [], Tags = [] }) => {
      for (const instance of named(Resources, world.instances)) {
        const keys = new Set(Tags.map(({ Key }) => Key))
        instance.Tags = [...(instance.Tags ?? []).filter(({ Key }) => !keys.has(Key)), ...Tags]
      }
      return {}
    }),
    deleteLaunchTemplate: operation(board, 'ec2:DeleteLaunchTemplate', ({ LaunchTemplateId, LaunchTemplateName }) => {
      const kept = world.templates.filter(
        (one) => one.LaunchTemplateId !== LaunchTemplateId && one.LaunchTemplateName !== LaunchTemplateName,
      )
      if (kept.length === world.templates.length)
        throw new Refusal('InvalidLaunchTemplateId.NotFound', `Launch template ${LaunchTemplateId ?? ''} is not there`)
      world.templates = kept
      return {}
    }),
    describeCapacityReservations: operation(board, 'ec2:DescribeCapacityReservations', (input) => {
      const ids = input.CapacityReservationIds
      const found = world.reservations.filter(
        ({ CapacityReservationId }) => ids === undefined || ids.includes(CapacityReservationId ?? ''),
      )
      if (ids !== undefined && found.length === 0)
        throw new Refusal('InvalidCapacityReservationId.NotFound', `The reservation ${ids.join()} is not there`)
      const { items, NextToken } = list(found, input, (one) => ({
        state: one.State,
        'owner-id': one.OwnerId,
        'instance-match-criteria': one.InstanceMatchCriteria,
      }))
      return { CapacityReservations: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeImages: operation(board, 'ec2:DescribeImages', (input) => {
      const owners = input.Owners
      const { items, NextToken } = list(
        world.images.filter(
          ({ ImageId, OwnerId }) =>
            (input.ImageIds === undefined || input.ImageIds.includes(ImageId ?? '')) &&
            (owners === undefined || owners.includes('self') || owners.includes(OwnerId ?? '')),
        ),
        input,
        (one) => ({ 'image-id': one.ImageId, name: one.Name, state: one.State }),
      )
      return { Images: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeInstanceStatus: operation(board, 'ec2:DescribeInstanceStatus', (input) => {
      const wanted = (input.Filters ?? []).flatMap(({ Name = '', Values = [] }) =>
        Values.map((value) => `${Name}=${value}`),
      )
      const found = world.statuses.filter(
        (one) =>
          (input.InstanceIds === undefined || input.InstanceIds.includes(one.InstanceId ?? '')) &&
          (wanted.length === 0 ||
            wanted.includes(`instance-status.status=${one.InstanceStatus?.Status ?? ''}`) ||
            wanted.includes(`system-status.status=${one.SystemStatus?.Status ?? ''}`) ||
            wanted.includes(`attached-ebs-status.status=${one.AttachedEbsStatus?.Status ?? ''}`) ||
            (one.Events ?? []).some(({ Code = '' }) => wanted.includes(`event.code=${Code}`))),
      )
      const { items, NextToken } = page(found, sizeOf(input.MaxResults), input.NextToken)
      return { InstanceStatuses: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeInstanceTypeOfferings: operation(board, 'ec2:DescribeInstanceTypeOfferings', (input) => {
      const rows = world.types.flatMap(({ InstanceType }) =>
        world.zones.map(({ name }) => ({
          ...(InstanceType !== undefined && { InstanceType }),
          Location: name,
          LocationType: 'availability-zone' as const,
        })),
      )
      const { items, NextToken } = page(rows, sizeOf(input.MaxResults), input.NextToken)
      return { InstanceTypeOfferings: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeInstanceTypes: operation(board, 'ec2:DescribeInstanceTypes', (input) => {
      dryRun(input.DryRun)
      const types: ReadonlyArray<InstanceTypeInfo> = world.types
      const { items, NextToken } = page(types, sizeOf(input.MaxResults), input.NextToken)
      return { InstanceTypes: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeInstances: operation(board, 'ec2:DescribeInstances', (input) => {
      const { items, NextToken } = list(named(input.InstanceIds, visible()), input, (one) => ({
        'instance-state-name': one.State?.Name,
      }))
      return { Reservations: [{ Instances: items }], ...(NextToken !== undefined && { NextToken }) }
    }),
    describeLaunchTemplates: operation(board, 'ec2:DescribeLaunchTemplates', (input) => {
      const names = input.LaunchTemplateNames
      const found = world.templates.filter(
        ({ LaunchTemplateName }) => names === undefined || names.includes(LaunchTemplateName ?? ''),
      )
      if (names !== undefined && found.length === 0)
        throw new Refusal('InvalidLaunchTemplateName.NotFoundException', `Launch template ${names.join()} is not there`)
      const { items, NextToken } = list(found, input, () => ({}))
      return { LaunchTemplates: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describePlacementGroups: operation(board, 'ec2:DescribePlacementGroups', (input) => {
      const found = world.placementGroups.filter(
        ({ GroupId, GroupName }) =>
          (input.GroupIds === undefined || input.GroupIds.includes(GroupId ?? '')) &&
          (input.GroupNames === undefined || input.GroupNames.includes(GroupName ?? '')),
      )
      if (found.length === 0) throw new Refusal('InvalidPlacementGroup.Unknown', 'The Placement Group is unknown')
      return { PlacementGroups: found.filter((one) => meets(one.Tags, { state: one.State }, input.Filters)) }
    }),
    describeSecurityGroups: operation(board, 'ec2:DescribeSecurityGroups', (input) => {
      const { items, NextToken } = list(world.securityGroups, input, (one) => ({
        'group-id': one.GroupId,
        'group-name': one.GroupName,
      }))
      return { SecurityGroups: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeSpotPriceHistory: operation(board, 'ec2:DescribeSpotPriceHistory', (input) => {
      const rows = [...world.prices].flatMap(([type, price]) =>
        world.zones.map(({ name }) => ({
          InstanceType: type as NonNullable<InstanceTypeInfo['InstanceType']>,
          AvailabilityZone: name,
          SpotPrice: (world.spotPrices.get(`${type}:${name}`) ?? price / 3).toFixed(6),
          Timestamp: new Date(nowMs()),
        })),
      )
      const { items, NextToken } = page(rows, sizeOf(input.MaxResults), input.NextToken)
      return { SpotPriceHistory: items, ...(NextToken !== undefined && { NextToken }) }
    }),
    describeSubnets: operation(board, 'ec2:DescribeSubnets', (input) => {
      const { items, NextToken } = list(world.subnets, input, (one) => ({ 'subnet-id': one.SubnetId }))
      // A copy, as from a cloud: what it holds does not change under its reader.
      return { Subnets: items.map((one) => ({ ...one })), ...(NextToken !== undefined && { NextToken }) }
    }),
    runInstances: operation(board, 'ec2:RunInstances', (input) => {
      const name = input.LaunchTemplate?.LaunchTemplateName
      const template = world.templates.find(({ LaunchTemplateName }) => LaunchTemplateName === name)
      if (template === undefined)
        throw new Refusal(
          'InvalidLaunchTemplateName.NotFoundException',
          `The launch template ${name ?? ''} is not there`,
        )
      const profile = template.data.IamInstanceProfile?.Name ?? ''
      if (!world.profiles.some((one) => one.name === profile))
        throw new Refusal(
          'InvalidParameterValue',
          `Value (${profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`,
        )
      dryRun(input.DryRun)
      throw new Refusal('UnsupportedOperation', 'The fake cloud runs instances by fleets alone')
    }),
    terminateInstances: operation(board, 'ec2:TerminateInstances', (input) => {
      age()
      const ended = named(input.InstanceIds, visible())
      for (const instance of ended) {
        const id = instance.InstanceId ?? ''
        if (!terminatedAtMs.has(id)) terminatedAtMs.set(id, nowMs())
        if (instance.State?.Name !== 'terminated') instance.State = { Name: 'shutting-down' }
        const subnet = world.subnets.find(({ SubnetId }) => SubnetId === instance.SubnetId)
        if (subnet !== undefined) subnet.AvailableIpAddressCount = (subnet.AvailableIpAddressCount ?? 0) + 1
      }
      return {
        TerminatingInstances: ended.map(({ InstanceId = '', State }) => ({
          InstanceId,
          ...(State !== undefined && { CurrentState: State }),
        })),
      }
    }),
  }
}
