import type { CreateFleetError } from '@aws-sdk/client-ec2'
import {
  labelKeys,
  Requirement,
  Requirements,
  type InstanceType,
  type Notice,
  type ProviderError,
  type UnavailableMark,
} from '@scantling/core'
import {
  isCapacityError,
  isQuotaError,
  isSpotRoleMissing,
  isSpreadLimit,
  isSubnetFull,
  launchReasonOf,
  providerErrorOf,
} from '../error-codes.ts'
import { awsLabelKeys, internalKeys } from '../labels/index.ts'
import { labelOf } from './filters.ts'
import type { LaunchPlan } from './plan.ts'

/** How long what could not be bought is left alone. */
export const unavailableForMs = 180_000

/** What the errors of a fleet teach. */
export interface Lessons {
  readonly marks: ReadonlyArray<UnavailableMark>
  readonly notices: ReadonlyArray<Notice>
  /** Subnets without free addresses. */
  readonly fullSubnets: ReadonlyArray<string>
  /** One for each error, for the metric. */
  readonly refusals: ReadonlyArray<{ readonly zone: string; readonly reason: string }>
}

interface Context {
  readonly plan: Pick<LaunchPlan, 'capacityType' | 'types' | 'partition' | 'reservation'>
  readonly claimName: string
  readonly placementGroupId?: string
}

interface Refusal {
  readonly code: string
  readonly message: string
  readonly type: string
  readonly zone: string
  readonly subnetId?: string
}

const refusalOf = ({ ErrorCode = '', ErrorMessage = '', LaunchTemplateAndOverrides }: CreateFleetError): Refusal => {
  const { InstanceType = '', AvailabilityZone = '', SubnetId } = LaunchTemplateAndOverrides?.Overrides ?? {}
  return {
    code: ErrorCode,
    message: ErrorMessage,
    type: InstanceType,
    zone: AvailabilityZone,
    ...(SubnetId !== undefined && { subnetId: SubnetId }),
  }
}

/** What to leave alone for a while after a fleet's errors (A-LCH-16…21). */
export const lessonsOf = (errors: ReadonlyArray<CreateFleetError>, context: Context): Lessons => {
  const marks = new Map<string, UnavailableMark>()
  const notices: Array<Notice> = []
  const fullSubnets = new Set<string>()
  const mark = (refusal: Refusal, ...requirements: ReadonlyArray<Requirement>) => {
    const match = Requirements.of(requirements)
    const { reason } = launchReasonOf(refusal)
    marks.set(Requirements.render(match), { match, forMs: unavailableForMs, reason, message: refusal.message })
  }
  for (const refusal of errors.map(refusalOf)) {
    if (isSpotRoleMissing(refusal)) {
      mark(refusal, Requirement.isIn(labelKeys.capacityType, ['spot']))
      notices.push({
        on: { _tag: 'NodeClaim', name: context.claimName },
        type: 'Warning',
        reason: 'SpotServiceLinkedRoleMissing',
        message:
          'Spot cannot be used: the account lacks the service-linked role of EC2 Spot; make it by aws iam create-service-linked-role --aws-service-name spot.amazonaws.com',
      })
    } else if (isSpreadLimit(refusal) && context.placementGroupId !== undefined)
      mark(
        refusal,
        Requirement.isIn(labelKeys.zone, [refusal.zone]),
        Requirement.isIn(awsLabelKeys.placementGroupId, [context.placementGroupId]),
      )
    else if (isSubnetFull(refusal) && refusal.subnetId !== undefined)
      // The subnet alone: another one in the zone may have addresses (S-10).
      fullSubnets.add(refusal.subnetId)
    else if (isCapacityError(refusal)) mark(refusal, ...closedBy(refusal, context))
  }
  return {
    marks: [...marks.values()],
    notices,
    fullSubnets: [...fullSubnets],
    refusals: errors.map((error) => {
      const refusal = refusalOf(error)
      return { zone: refusal.zone, reason: launchReasonOf(refusal).reason }
    }),
  }
}

/** What a refusal closes: an offering, a reservation, or all that would count against the same quota. */
const closedBy = (refusal: Refusal, { plan, placementGroupId }: Context): ReadonlyArray<Requirement> => {
  const capacityType = Requirement.isIn(labelKeys.capacityType, [plan.capacityType])
  const type = plan.types.find(({ name }) => name === refusal.type)
  if (refusal.code === 'MaxFleetCountExceeded') return [capacityType]
  if (isQuotaError(refusal)) {
    const quota = type && labelOf(type, internalKeys.quota)
    const cpu = type && labelOf(type, awsLabelKeys.cpu)
    // Smaller machines may still fit under the quota; of the others each would be refused in turn (W-13).
    if (quota !== undefined && cpu !== undefined)
      return [
        capacityType,
        Requirement.isIn(internalKeys.quota, [quota]),
        Requirement.fromSpec({ key: awsLabelKeys.cpu, operator: 'Gte', values: [cpu] }),
      ]
  }
  const reservation = plan.capacityType === 'reserved' ? reservationIn(type, refusal.zone) : undefined
  if (reservation !== undefined) return [Requirement.isIn(awsLabelKeys.reservationId, [reservation])]
  return [
    Requirement.isIn(labelKeys.instanceType, [refusal.type]),
    Requirement.isIn(labelKeys.zone, [refusal.zone]),
    capacityType,
    ...(placementGroupId === undefined ? [] : [Requirement.isIn(awsLabelKeys.placementGroupId, [placementGroupId])]),
    ...(placementGroupId === undefined || plan.partition === undefined
      ? []
      : [Requirement.isIn(awsLabelKeys.placementGroupPartition, [plan.partition])]),
  ]
}

/** The reservation that a type would have used in a zone. */
export const reservationIn = (type: InstanceType | undefined, zone: string): string | undefined => {
  const offering = type?.offerings.find((one) => labelOf(one, labelKeys.zone) === zone)
  return offering === undefined ? undefined : labelOf(offering, awsLabelKeys.reservationId)
}

/** Why a fleet without a machine failed: for want of capacity if that is all that was said, else by its first other error. */
export const failureOf = (
  errors: ReadonlyArray<CreateFleetError>,
): { readonly error: ProviderError; readonly reason: string } => {
  const refusals = errors.map(refusalOf)
  const message = [...new Set(refusals.map(({ code, message: text }) => `${code}: ${text}`))].join('; ')
  if (refusals.length > 0 && refusals.every(isSubnetFull))
    return {
      reason: 'InsufficientFreeAddressesInSubnet',
      error: {
        _tag: 'InsufficientCapacity',
        code: 'InsufficientFreeAddressesInSubnet',
        message: `${message}; free addresses in the subnets, or let the EC2NodeClass select others`,
      },
    }
  const other = refusals.find((refusal) => !isCapacityError(refusal) && !isSpotRoleMissing(refusal))
  if (other === undefined)
    return {
      reason: 'InsufficientCapacity',
      error: { _tag: 'InsufficientCapacity', message, ...(refusals[0] !== undefined && { code: refusals[0].code }) },
    }
  const { reason } = launchReasonOf(other)
  return { reason, error: providerErrorOf({ action: 'ec2:CreateFleet', code: other.code, message }) }
}
