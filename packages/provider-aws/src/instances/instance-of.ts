import type { Instance as Ec2Instance } from '@aws-sdk/client-ec2'
import { Quantity, type Instance, type Labels } from '@scantling/core'
import { awsLabelKeys, awsResources } from '../labels/index.ts'
import { providerIdOf } from '../provider-id.ts'
import { tagKeys } from '../tags.ts'
import type { Ec2Details } from './details.ts'

const phases: Readonly<Record<string, Instance['phase']>> = {
  pending: 'pending',
  running: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  'shutting-down': 'terminating',
  terminated: 'terminating',
}

/** What a machine was bought as, told from what EC2 says of it. */
export interface Purchase {
  readonly capacityType: Instance['capacityType']
  readonly reservation?: { readonly id: string; readonly type: string; readonly interruptible: boolean }
}

/**
 * How an instance was bought (A-INS-05).
 *
 * `reserved` only where it was launched into a reservation on purpose: one that happened to match an open reservation
 * would leave it for another machine at any time.
 */
export const purchaseOf = (instance: Ec2Instance, knowsReservations: boolean): Purchase => {
  const { SpotInstanceRequestId, InstanceLifecycle, CapacityReservationId: id } = instance
  const lifecycle: string | undefined = InstanceLifecycle
  if (SpotInstanceRequestId !== undefined || lifecycle === 'spot') return { capacityType: 'spot' }
  const preference: string | undefined = instance.CapacityReservationSpecification?.CapacityReservationPreference
  if (!knowsReservations || id === undefined || preference !== 'capacity-reservations-only')
    return { capacityType: 'on-demand' }
  return {
    capacityType: 'reserved',
    reservation: {
      id,
      type: lifecycle === 'capacity-block' ? 'capacity-block' : 'default',
      interruptible: lifecycle === 'interruptible-capacity-reservation',
    },
  }
}

/** An instance of EC2's as the port has it; `undefined` for one without an id or a place. */
export const instanceOf = (instance: Ec2Instance, knowsReservations: boolean): Instance<Ec2Details> | undefined => {
  const { InstanceId: id, InstanceType: type, Placement, State, LaunchTime } = instance
  const zone = Placement?.AvailabilityZone
  if (id === undefined || type === undefined || zone === undefined || zone === '') return undefined
  const tags: Record<string, string> = Object.create(null) as Record<string, string>
  for (const { Key, Value = '' } of instance.Tags ?? []) if (Key !== undefined) tags[Key] = Value
  const purchase = purchaseOf(instance, knowsReservations)
  const details = detailsOf(instance, id, tags)
  const efas = (instance.NetworkInterfaces ?? []).filter(
    ({ InterfaceType }) => InterfaceType === 'efa' || InterfaceType === 'efa-only',
  ).length
  return {
    providerId: providerIdOf(zone, id),
    aliases: [id],
    phase: phases[State?.Name ?? ''] ?? 'running',
    ...(LaunchTime !== undefined && { launchedAtMs: LaunchTime.getTime() }),
    instanceType: type,
    zone,
    capacityType: purchase.capacityType,
    ...(instance.ImageId !== undefined && { imageId: instance.ImageId }),
    owner: {
      ...ownerTag(tags, tagKeys.nodePool, 'nodePool'),
      ...ownerTag(tags, tagKeys.nodeClass, 'nodeClass'),
      ...ownerTag(tags, tagKeys.nodeClaim, 'nodeClaim'),
    },
    labels: labelsOf(instance, purchase, details),
    // A type may have EFA devices that this machine was not given; zero removes them.
    capacity: { [awsResources.efa]: Quantity.of(String(efas)) },
    details,
  }
}

const ownerTag = <Name extends string>(tags: Labels, key: string, name: Name) => {
  const value = tags[key]
  return value === undefined || value === '' ? {} : ({ [name]: value } as Readonly<Record<Name, string>>)
}

const detailsOf = (instance: Ec2Instance, instanceId: string, tags: Labels): Ec2Details => {
  const groups = (instance.SecurityGroups ?? []).flatMap(({ GroupId }) => GroupId ?? [])
  // Some machines state their groups on their interfaces alone.
  const stated =
    groups.length > 0
      ? groups
      : (instance.NetworkInterfaces ?? []).flatMap(({ Groups = [] }) => Groups.flatMap(({ GroupId }) => GroupId ?? []))
  const { GroupId: placementGroupId, PartitionNumber: partition } = instance.Placement ?? {}
  return {
    instanceId,
    ...(instance.SubnetId !== undefined && { subnetId: instance.SubnetId }),
    securityGroupIds: [...new Set(stated)].sort(),
    ...(instance.CapacityReservationId !== undefined && { capacityReservationId: instance.CapacityReservationId }),
    ...(placementGroupId !== undefined && placementGroupId !== '' && { placementGroupId }),
    ...(partition !== undefined && partition !== 0 && { placementGroupPartition: String(partition) }),
    tags,
  }
}

const labelsOf = (instance: Ec2Instance, { reservation }: Purchase, details: Ec2Details): Labels => {
  const { Tenancy, AvailabilityZoneId } = instance.Placement ?? {}
  const tenancy: string | undefined = Tenancy
  return {
    [awsLabelKeys.tenancy]: tenancy === undefined || tenancy === '' ? 'default' : tenancy,
    ...(AvailabilityZoneId !== undefined && { [awsLabelKeys.zoneId]: AvailabilityZoneId }),
    ...(reservation !== undefined && {
      [awsLabelKeys.reservationId]: reservation.id,
      [awsLabelKeys.reservationType]: reservation.type,
      [awsLabelKeys.reservationInterruptible]: String(reservation.interruptible),
    }),
    ...(details.placementGroupId !== undefined && {
      [awsLabelKeys.placementGroupId]: details.placementGroupId,
      ...(details.placementGroupPartition !== undefined && {
        [awsLabelKeys.placementGroupPartition]: details.placementGroupPartition,
      }),
    }),
  }
}
