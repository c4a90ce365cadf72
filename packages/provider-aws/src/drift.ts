import { Requirement, Requirements, type DriftVerdict, type ManagedInstance } from '@scantling/core'
import type { Ec2Details } from './instances/index.ts'
import { awsLabelKeys } from './labels/index.ts'
import type { Ec2NodeClass } from './node-class/index.ts'

type Subject = ManagedInstance<Ec2NodeClass, Ec2Details>

/**
 * Whether a machine is still what its NodeClass asks for (A-DRF-04…07).
 *
 * Each check judges by itself, in the order image, security groups, subnet, reservation, placement group. One that
 * cannot say does not hide what a later one finds; nothing is drifted because something could not be looked up.
 */
export const drift = (subject: Subject): DriftVerdict => {
  const verdicts = checks.map((check) => check(subject))
  return verdicts.find(({ _tag }) => _tag === 'Drifted') ?? verdicts.find(({ _tag }) => _tag === 'Unknown') ?? inSync
}

const inSync: DriftVerdict = { _tag: 'InSync' }
const drifted = (reason: string, message: string): DriftVerdict => ({ _tag: 'Drifted', reason, message })
const unknown = (message: string): DriftVerdict => ({ _tag: 'Unknown', message })

const image = ({ claim, nodeClass, instance, type }: Subject): DriftVerdict => {
  const current = claim.imageId ?? instance.imageId
  if (type === undefined) return unknown(`Instance type ${instance.instanceType} is not known`)
  if (nodeClass.status.amis.length === 0) return unknown('The EC2NodeClass has found no images')
  if (current === undefined || current === '') return unknown('The image of the machine is not known')
  // Images may be missing from a list for a while; a machine is not replaced by nothing.
  if (type.imageId === undefined) return unknown(`No image of the EC2NodeClass is for ${type.name}`)
  return current === type.imageId
    ? inSync
    : drifted('AMIDrift', `the machine runs ${current}, a new one would run ${type.imageId}`)
}

const securityGroups = ({ nodeClass, instance }: Subject): DriftVerdict => {
  const wanted = new Set(nodeClass.status.securityGroups.map(({ id }) => id))
  const present = new Set(instance.details?.securityGroupIds)
  if (wanted.size === 0) return unknown('The EC2NodeClass has found no security groups')
  if (present.size === 0) return unknown('The security groups of the machine are not known')
  return wanted.size === present.size && [...wanted].every((id) => present.has(id))
    ? inSync
    : drifted('SecurityGroupDrift', `the machine has ${listed(present)}, a new one would have ${listed(wanted)}`)
}

const listed = (ids: ReadonlySet<string>): string => [...ids].sort().join(', ')

const subnet = ({ nodeClass, instance }: Subject): DriftVerdict => {
  const current = instance.details?.subnetId
  if (nodeClass.status.subnets.length === 0) return unknown('The EC2NodeClass has found no subnets')
  if (current === undefined) return unknown('The subnet of the machine is not known')
  return nodeClass.status.subnets.some(({ id }) => id === current)
    ? inSync
    : drifted('SubnetDrift', `the machine is in ${current}, which the EC2NodeClass does not select`)
}

// One that runs on demand since its reservation ended is no longer about that reservation.
const capacityReservation = ({ nodeClass, instance }: Subject): DriftVerdict => {
  const current = instance.capacityType === 'reserved' ? instance.details?.capacityReservationId : undefined
  return current === undefined || nodeClass.status.capacityReservations.some(({ id }) => id === current)
    ? inSync
    : drifted('CapacityReservationDrift', `the machine uses ${current}, which the EC2NodeClass does not select`)
}

const placementGroup = ({ claim, nodeClass, type }: Subject): DriftVerdict => {
  const current = Object.hasOwn(claim.labels, awsLabelKeys.placementGroupId)
    ? (claim.labels[awsLabelKeys.placementGroupId] ?? '')
    : ''
  const wanted = resolvedGroup(type)
  if (nodeClass.spec.placementGroupSelector !== undefined && wanted === '')
    return unknown('The placement group of the EC2NodeClass is not known')
  return current === wanted
    ? inSync
    : drifted('PlacementGroupDrift', `the machine is in ${nameOf(current)}, a new one would be in ${nameOf(wanted)}`)
}

const nameOf = (group: string): string => (group === '' ? 'no placement group' : group)

const resolvedGroup = (type: Subject['type']): string =>
  type === undefined
    ? ''
    : (Requirement.singleValue(Requirements.get(type.requirements, awsLabelKeys.placementGroupId)) ?? '')

const checks = [image, securityGroups, subnet, capacityReservation, placementGroup]
