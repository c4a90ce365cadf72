import {
  coreLabelKnowledge,
  Labels,
  Requirement,
  Requirements,
  type InstanceType,
  type ResolveInput,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import {
  denialOf,
  isDenied,
  isDryRunSuccess,
  isInstanceProfileMissing,
  isTransient,
  isUserDataTooLarge,
  providerErrorOf,
} from '../error-codes.ts'
import { familyTraits, isStandardVariant } from '../image/index.ts'
import { awsLabelKeys, awsLabelPolicy } from '../labels/index.ts'
import { familyOf, type Ec2NodeClass } from '../node-class/index.ts'
import type { AwsError } from '../sdk/index.ts'
import { denied, refused, succeeded, undecided, type Verdict } from './verdict.ts'

type NodePools = ResolveInput<Ec2NodeClass>['nodePools']

// One of each architecture, sold nearly everywhere.
const fallbackTypes: ReadonlySet<string> = new Set(['m5.large', 'm6g.large'])
const { wellKnown } = Labels.extend(coreLabelKnowledge, awsLabelPolicy)

/** The machine whose launch is tried dry. */
export interface Probe {
  readonly type: InstanceType
  readonly tenancy: 'default' | 'dedicated'
}

/**
 * The machine to try: of a type that a NodePool of the NodeClass may launch, rather with an image that is not for
 * accelerators, since those need larger volumes (A-VAL-05).
 *
 * Errors: a verdict, where no type has an image; the reference breaks down on this (W-06).
 */
export const probeOf = (
  nodeClass: Ec2NodeClass,
  types: ReadonlyArray<InstanceType>,
  nodePools: NodePools,
): E.Either<Verdict, Probe> => {
  const launchable = types.filter(({ offerings }) => offerings.some(isConceivable))
  const compatible =
    familyTraits[familyOf(nodeClass.spec)].os === 'windows'
      ? []
      : launchable.filter((type) => nodePools.some((pool) => isFor(type, pool)))
  const named = launchable.filter(({ name }) => fallbackTypes.has(name))
  const preferred = [compatible, named, launchable].find((list) => list.length > 0) ?? []
  const booting = preferred.filter(({ imageId }) => imageId !== undefined)
  const standard = new Set(
    nodeClass.status.amis.filter(({ requirements }) => isStandardVariant(requirements)).map(({ id }) => id),
  )
  const type = booting.find(({ imageId }) => imageId !== undefined && standard.has(imageId)) ?? booting[0]
  return type === undefined
    ? E.left(
        refused(
          'NoInstanceTypeForImages',
          preferred.length === 0
            ? 'No instance type can be launched with this EC2NodeClass: look at networkInterfaces, cpuOptions, connectionTracking and the placement group'
            : 'None of the images is for an instance type that a NodePool of this EC2NodeClass may launch: select images of its architecture, or change the requirements of the NodePool',
        ),
      )
    : E.right({ type, tenancy: tenancyOf(nodePools) })
}

// Zones and shortage come and go; what the type cannot do stays.
const isConceivable = ({ unavailable }: InstanceType['offerings'][number]): boolean =>
  unavailable === undefined || passing.has(unavailable.reason)
const passing: ReadonlySet<string> = new Set(['ZoneShifted', 'SubnetsExhausted', 'ReservationExpiring'])

const isFor = (type: InstanceType, { labels, requirements }: NodePools[number]): boolean =>
  Requirements.intersects(type.requirements, Requirements.and(Requirements.fromLabels(labels), requirements)) &&
  Requirements.isCompatible(type.requirements, requirements, wellKnown)

/** Dedicated where a NodePool allows it, since that takes more rights (A-VAL-06). */
const tenancyOf = (nodePools: NodePools): Probe['tenancy'] =>
  nodePools.some(
    ({ labels, requirements }) =>
      (requirements.byKey.has(awsLabelKeys.tenancy) &&
        Requirement.has(Requirements.get(requirements, awsLabelKeys.tenancy), 'dedicated')) ||
      (Object.hasOwn(labels, awsLabelKeys.tenancy) && labels[awsLabelKeys.tenancy] === 'dedicated'),
  )
    ? 'dedicated'
    : 'default'

const reasons = {
  CreateLaunchTemplate: 'CreateLaunchTemplateAuthCheckFailed',
  CreateFleet: 'CreateFleetAuthCheckFailed',
  RunInstances: 'RunInstancesAuthCheckFailed',
} as const

/** The calls that are tried, in their order: the first for real, the others dry (A-VAL-07, A-VAL-08). */
export type ProbeStep = keyof typeof reasons

/**
 * What the outcome of a probe says; `undefined`: go on with the next.
 *
 * Of RunInstances, which is tried once per subnet until one passes, give the error of the first subnet.
 */
export const verdictOfProbe = (
  step: ProbeStep,
  outcome: E.Either<AwsError, unknown>,
  nodeClass: Ec2NodeClass,
): Verdict | undefined => {
  if (E.isRight(outcome) || isDryRunSuccess(outcome.left)) return undefined
  const error = outcome.left
  if (isTransient(error)) return undecided(providerErrorOf(error))
  if (isInstanceProfileMissing(error)) return missingProfile(nodeClass, error)
  if (step === 'CreateLaunchTemplate' && isUserDataTooLarge(error))
    return denied(
      'UserDataSizeLimitExceeded',
      `EC2 takes no user data of more than 16,384 bytes: ${error.message}; shorten spec.userData, or let it fetch what it needs`,
    )
  const failure = providerErrorOf(error)
  // Nothing but a change of the NodeClass makes a wrong parameter right; EC2's words name it.
  if (failure._tag === 'InvalidRequest') return { ...refused(`${step}Rejected`, failure.message), failure }
  return isDenied(error)
    ? denied(reasons[step], `The controller is not authorized to call ec2:${step}: ${denialOf(error.message).message}`)
    : undecided(failure)
}

// A profile that was just made is not seen by EC2 for some seconds; one that the user names may really be missing.
const missingProfile = ({ spec }: Ec2NodeClass, error: AwsError): Verdict => {
  const failure = { ...providerErrorOf(error), retryAfterMs: 5000 }
  return spec.instanceProfile === undefined
    ? undecided(failure)
    : {
        ...refused(
          'InstanceProfileNotFound',
          `Instance profile ${JSON.stringify(spec.instanceProfile)} is not there, or EC2 does not see it yet: create it, or name a role in spec.role`,
        ),
        failure,
      }
}

/** The verdict once all probes passed, or none were to be made (A-VAL-11). */
export const verdictWithoutObjection: Verdict = succeeded
