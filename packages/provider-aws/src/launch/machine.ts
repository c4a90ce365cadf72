import type { CreateFleetInstance } from '@aws-sdk/client-ec2'
import { Quantity, Resources, type Call, type Instance, type InstanceType, type LaunchRequest } from '@scantling/core'
import type { PlacementGroup } from '../instance-types/index.ts'
import type { Ec2Details } from '../instances/index.ts'
import { awsAnnotationKeys, awsLabelKeys, awsResources } from '../labels/index.ts'
import type { Ec2NodeClass, ResolvedSubnet } from '../node-class/index.ts'
import { providerIdOf } from '../provider-id.ts'
import { tagKeys } from '../tags.ts'
import { labelOf } from './filters.ts'
import type { LaunchPlan, Override } from './plan.ts'

/** The addresses that a node with so many pods takes of its subnet. */
export const addressesOf = ({ spec }: Ec2NodeClass, { cluster }: Call, pods: number): number => {
  // With IPv6 pods have addresses of their own kind, and with prefixes they come by sixteen.
  if (cluster.dnsServiceIp?.includes(':') === true) return 1
  const { ipPrefixCount = 0 } = spec
  return ipPrefixCount > 0 ? 1 + 16 * ipPrefixCount : pods
}

export const podsOf = (type: InstanceType): number => Quantity.toNumber(Resources.get(type.capacity, 'pods'))

/** The least that a launch may take in each zone where it may end up (A-SUB-05). */
export const leastNeeds = (
  types: ReadonlyArray<InstanceType>,
  subnets: ReadonlyMap<string, ResolvedSubnet>,
  needOf: (pods: number) => number,
): ReadonlyMap<string, number> => {
  const needs = new Map<string, number>()
  for (const type of types)
    for (const offering of type.offerings) {
      const subnet = subnets.get(labelOf(offering, 'topology.kubernetes.io/zone') ?? '')
      if (subnet === undefined) continue
      const need = needOf(podsOf(type))
      needs.set(subnet.id, Math.min(need, needs.get(subnet.id) ?? need))
    }
  return needs
}

/** The override that a fleet used for a machine. */
export const overrideOf = (
  { InstanceType, LaunchTemplateAndOverrides }: CreateFleetInstance,
  overrides: ReadonlyArray<Override>,
): Override | undefined => {
  const { SubnetId, AvailabilityZone, InstanceType: type = InstanceType } = LaunchTemplateAndOverrides?.Overrides ?? {}
  return overrides.find(
    (one) =>
      one.instanceType === type && (SubnetId === undefined ? one.zone === AvailabilityZone : one.subnetId === SubnetId),
  )
}

/** A machine as it is known the moment EC2 has accepted it (A-LCH-22, A-LBL-08). */
export const launchedInstance = (facts: {
  readonly id: string
  readonly override: Override
  readonly request: Pick<LaunchRequest<Ec2NodeClass>, 'claim' | 'nodeClass'>
  readonly plan: LaunchPlan
  readonly type: InstanceType
  readonly tags: Readonly<Record<string, string>>
  readonly group?: PlacementGroup
  readonly nowMs: number
}): Instance<Ec2Details> => {
  const { id, override, request, plan, type, tags, group, nowMs } = facts
  const { claim, nodeClass } = request
  const zoneId = nodeClass.status.subnets.find((subnet) => subnet.id === override.subnetId)?.zoneID
  const reservationId = labelOf(override.offering, awsLabelKeys.reservationId)
  const hasEfa =
    !Quantity.isZero(Resources.get(claim.requests, awsResources.efa)) ||
    (nodeClass.spec.networkInterfaces ?? []).length > 0
  return {
    providerId: providerIdOf(override.zone, id),
    aliases: [id],
    phase: 'pending',
    launchedAtMs: nowMs,
    instanceType: override.instanceType,
    zone: override.zone,
    capacityType: plan.capacityType,
    imageId: override.imageId,
    owner: {
      ...(claim.nodePool !== undefined && { nodePool: claim.nodePool }),
      nodeClass: nodeClass.metadata.name,
      nodeClaim: claim.name,
    },
    labels: {
      [awsLabelKeys.tenancy]: plan.tenancy,
      ...(zoneId !== undefined && { [awsLabelKeys.zoneId]: zoneId }),
      ...(plan.capacityType === 'reserved' &&
        reservationId !== undefined && {
          [awsLabelKeys.reservationId]: reservationId,
          [awsLabelKeys.reservationType]: plan.reservation?.type ?? 'default',
          [awsLabelKeys.reservationInterruptible]: String(plan.reservation?.interruptible ?? false),
        }),
      ...(group !== undefined && { [awsLabelKeys.placementGroupId]: group.id }),
      // EC2 chooses where the claim did not; the label is filled in before the node registers.
      ...(group?.strategy === 'partition' && { [awsLabelKeys.placementGroupPartition]: plan.partition ?? '' }),
    },
    annotations: { [awsAnnotationKeys.instanceProfileName]: nodeClass.status.instanceProfile ?? '' },
    capacity: hasEfa
      ? { [awsResources.efa]: Resources.get(type.capacity, awsResources.efa) }
      : { [awsResources.efa]: Quantity.zero },
    details: {
      instanceId: id,
      subnetId: override.subnetId,
      securityGroupIds: nodeClass.status.securityGroups.map((one) => one.id).sort(),
      ...(plan.capacityType === 'reserved' && reservationId !== undefined && { capacityReservationId: reservationId }),
      ...(group !== undefined && { placementGroupId: group.id }),
      ...(group?.strategy === 'partition' &&
        plan.partition !== undefined && { placementGroupPartition: plan.partition }),
      // As asked for; what `converge` adds it adds after looking.
      tags: Object.fromEntries(Object.entries(tags).filter(([key]) => key !== tagKeys.nodeClaim)),
    },
  }
}
