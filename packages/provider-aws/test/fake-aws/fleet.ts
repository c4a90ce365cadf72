import type {
  CreateFleetCommandInput,
  CreateFleetCommandOutput,
  FleetLaunchTemplateOverridesRequest,
  Instance,
  LaunchTemplateAndOverridesResponse,
  Tag,
} from '@aws-sdk/client-ec2'
import { Refusal } from './operation.ts'
import type { StoredTemplate, World } from './world.ts'

type FleetOutput = Omit<CreateFleetCommandOutput, '$metadata'>
type Override = FleetLaunchTemplateOverridesRequest

interface Way {
  readonly template: StoredTemplate
  readonly override: Override
  readonly price: number
}

/** A way of buying that a fleet tried in vain. */
export interface FleetRefusal {
  /** `capacityType:type:zone`. */
  readonly offering: string
  readonly atMs: number
}

/** Carries out fleets of type instant: cheapest override first, errors for those without capacity. */
export const fleets = (
  world: World,
  nowMs: () => number,
  newId: (prefix: string) => string,
  onRefusal: (refusal: FleetRefusal) => void,
) => {
  const byToken = new Map<string, { readonly params: string; readonly output: FleetOutput }>()

  const create = (input: CreateFleetCommandInput): FleetOutput => {
    if (input.DryRun === true) throw new Refusal('DryRunOperation', 'Request would have succeeded', { httpStatus: 412 })
    const { ClientToken: token, ...rest } = input
    const params = JSON.stringify(rest)
    const known = token === undefined ? undefined : byToken.get(token)
    if (known !== undefined) {
      if (known.params === params) return known.output
      throw new Refusal('IdempotentParameterMismatch', 'The client token was used with other parameters')
    }
    const output = launch(input)
    if (token !== undefined) byToken.set(token, { params, output })
    return output
  }

  const launch = (input: CreateFleetCommandInput): FleetOutput => {
    const spot = input.TargetCapacitySpecification?.DefaultTargetCapacityType === 'spot'
    const capacityType = spot ? 'spot' : 'on-demand'
    const ways: Array<Way> = []
    for (const config of input.LaunchTemplateConfigs ?? []) {
      const name = config.LaunchTemplateSpecification?.LaunchTemplateName
      const template = world.templates.find(({ LaunchTemplateName }) => LaunchTemplateName === name)
      if (template === undefined)
        throw new Refusal(
          'InvalidLaunchTemplateName.NotFoundException',
          `The launch template ${name ?? ''} is not there`,
        )
      for (const override of config.Overrides ?? []) ways.push({ template, override, price: priceOf(override, spot) })
    }
    ways.sort((a, b) => a.price - b.price)
    const errors: NonNullable<FleetOutput['Errors']> = []
    const launched: Array<Instance> = []
    const used: Array<Way> = []
    const closed = new Set<Way>()
    for (let left = input.TargetCapacitySpecification?.TotalTargetCapacity ?? 1; left > 0; left -= 1) {
      const way = ways.find((one) => {
        if (closed.has(one)) return false
        const refusal = refusalOf(capacityType, one)
        if (refusal === undefined) return true
        closed.add(one)
        const { InstanceType = '', AvailabilityZone = '' } = one.override
        onRefusal({ offering: `${capacityType}:${InstanceType}:${AvailabilityZone}`, atMs: nowMs() })
        errors.push({
          ErrorCode: refusal.code,
          ErrorMessage: refusal.message,
          LaunchTemplateAndOverrides: answerOf(one),
          Lifecycle: capacityType,
        })
        return false
      })
      if (way === undefined) break
      used.push(way)
      launched.push(start(way, capacityType, tagsOf(input, 'instance')))
    }
    return {
      FleetId: newId('fleet'),
      Errors: errors,
      Instances: used.map((way, index) => ({
        InstanceIds: [launched[index]?.InstanceId ?? ''],
        ...(way.override.InstanceType !== undefined && { InstanceType: way.override.InstanceType }),
        LaunchTemplateAndOverrides: answerOf(way),
        Lifecycle: capacityType,
      })),
    }
  }

  const priceOf = ({ InstanceType }: Override, spot: boolean) =>
    (world.prices.get(InstanceType ?? '') ?? 1) * (spot ? 1 / 3 : 1)

  const refusalOf = (capacityType: string, { template, override }: Way) => {
    const { AvailabilityZone: zone = '', SubnetId } = override
    const type: string = override.InstanceType ?? ''
    const target = template.data.CapacityReservationSpecification?.CapacityReservationTarget?.CapacityReservationId
    const keys = [capacityType, '*'].flatMap((c) =>
      [type, '*'].flatMap((t) => [zone, '*'].map((z) => `${c}:${t}:${z}`)),
    )
    const error = keys.map((key) => world.fleetErrors.get(key)).find((one) => one !== undefined)
    if (error !== undefined) return error
    if (target !== undefined) {
      const reservation = world.reservations.find(({ CapacityReservationId }) => CapacityReservationId === target)
      if ((reservation?.AvailableInstanceCount ?? 0) <= 0)
        return { code: 'ReservationCapacityExceeded', message: 'The reservation is full' }
    }
    if (keys.some((key) => world.soldOut.has(key)))
      return { code: 'InsufficientInstanceCapacity', message: `No capacity for ${type} in ${zone}` }
    const subnet = world.subnets.find((one) => one.SubnetId === SubnetId)
    if (subnet !== undefined && (subnet.AvailableIpAddressCount ?? 0) <= 0)
      return { code: 'InsufficientFreeAddressesInSubnet', message: `There are no free addresses in ${SubnetId ?? ''}` }
    return undefined
  }

  const start = ({ template, override }: Way, capacityType: string, tags: Array<Tag>): Instance => {
    const { data } = template
    const subnet = world.subnets.find(({ SubnetId }) => SubnetId === override.SubnetId)
    if (subnet !== undefined) subnet.AvailableIpAddressCount = (subnet.AvailableIpAddressCount ?? 0) - 1
    const target = data.CapacityReservationSpecification?.CapacityReservationTarget?.CapacityReservationId
    const reservation = world.reservations.find(({ CapacityReservationId }) => CapacityReservationId === target)
    if (target !== undefined && reservation !== undefined)
      reservation.AvailableInstanceCount = (reservation.AvailableInstanceCount ?? 0) - 1
    const instance: Instance = {
      InstanceId: newId('i'),
      ...(override.InstanceType !== undefined && { InstanceType: override.InstanceType }),
      ...(override.ImageId !== undefined && { ImageId: override.ImageId }),
      LaunchTime: new Date(nowMs()),
      State: { Name: 'pending' },
      Placement: {
        AvailabilityZone: override.AvailabilityZone ?? '',
        Tenancy: data.Placement?.Tenancy ?? 'default',
        ...(data.Placement?.GroupId !== undefined && { GroupId: data.Placement.GroupId }),
        ...(data.Placement?.PartitionNumber !== undefined && { PartitionNumber: data.Placement.PartitionNumber }),
      },
      ...(override.SubnetId !== undefined && { SubnetId: override.SubnetId }),
      SecurityGroups: [...new Set((data.NetworkInterfaces ?? []).flatMap(({ Groups }) => Groups ?? []))].map(
        (GroupId) => ({
          GroupId,
        }),
      ),
      NetworkInterfaces: (data.NetworkInterfaces ?? []).map(({ InterfaceType = 'interface' }) => ({ InterfaceType })),
      Tags: tags,
      ...(capacityType === 'spot' && { SpotInstanceRequestId: newId('sir'), InstanceLifecycle: 'spot' as const }),
      ...(target !== undefined && {
        CapacityReservationId: target,
        CapacityReservationSpecification: { CapacityReservationPreference: 'capacity-reservations-only' as const },
      }),
    }
    world.instances.push(instance)
    return instance
  }

  return { create }
}

const answerOf = ({ template, override }: Way): LaunchTemplateAndOverridesResponse => ({
  LaunchTemplateSpecification: {
    ...(template.LaunchTemplateId !== undefined && { LaunchTemplateId: template.LaunchTemplateId }),
    Version: '1',
  },
  Overrides: {
    ...(override.InstanceType !== undefined && { InstanceType: override.InstanceType }),
    ...(override.SubnetId !== undefined && { SubnetId: override.SubnetId }),
    ...(override.AvailabilityZone !== undefined && { AvailabilityZone: override.AvailabilityZone }),
    ...(override.ImageId !== undefined && { ImageId: override.ImageId }),
    ...(override.Priority !== undefined && { Priority: override.Priority }),
  },
})

const tagsOf = (input: CreateFleetCommandInput, resource: string): Array<Tag> => [
  ...(input.TagSpecifications?.find(({ ResourceType }) => ResourceType === resource)?.Tags ?? []),
]
