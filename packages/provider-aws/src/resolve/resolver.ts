import {
  labelKeys,
  Requirements,
  type Call,
  type JsonObject,
  type ProviderError,
  type Resolution,
  type ResolveInput,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isCredentialError, isRoleMissing, isTransient, launchReasonOf, providerErrorOf } from '../error-codes.ts'
import type { Catalogue, InstanceTypes, PlacementGroup } from '../instance-types/index.ts'
import type { InstanceProfiles, PlacementGroupFinder, SecurityGroupFinder, SubnetFinder } from '../network/index.ts'
import { conditionTypes, familyOf, type Ec2NodeClass, type Ec2NodeClassStatus } from '../node-class/index.ts'
import type { Reservations } from '../reservations/index.ts'
import type { AwsError } from '../sdk/index.ts'
import { staticVerdict, verdictWithoutObjection, type Verdict } from '../validation/index.ts'
import type { ImageFinder } from './image-finder.ts'
import type { probes } from './probes.ts'

const recheckMs = 60_000
const minute = 60_000

type Condition = Resolution['conditions'][string]
type Fields = Omit<Ec2NodeClassStatus, 'conditions'>

/** What a step found out: fields of the status, its condition, and when to look again. */
interface Step {
  readonly type: string
  readonly fields?: Partial<Fields>
  readonly condition: Condition
  readonly failure?: ProviderError
  readonly recheckAfterMs?: number
}

export interface ResolverDeps {
  readonly images: ImageFinder
  readonly subnets: SubnetFinder
  readonly securityGroups: SecurityGroupFinder
  readonly placementGroups: PlacementGroupFinder
  readonly profiles: InstanceProfiles
  /** Absent: the gate ReservedCapacity is off. */
  readonly reservations?: Reservations
  readonly catalogue: () => Catalogue | undefined
  readonly instanceTypes: Pick<InstanceTypes, 'kubeletOf'>
  /** Types with a status that nobody has written yet. */
  readonly typesFor: (nodeClass: Ec2NodeClass, group: PlacementGroup | undefined) => ReturnType<InstanceTypes['of']>
  readonly clusterCidrOf: (call: Call) => TaskEither<AwsError, string>
  readonly probes: Pick<ReturnType<typeof probes>, 'verdictOf'>
  readonly allowsExpressions: boolean
  readonly disableDryRun: boolean
  readonly nowMs: () => number
}

const found: Condition = { status: 'True' }

/**
 * Finds what an EC2NodeClass names and whether machines can be launched from it (A-NC-01).
 *
 * All steps are taken, whichever of them fail; validation looks at what the others came to.
 */
export const resolver =
  (deps: ResolverDeps) =>
  ({ nodeClass, nodePools }: ResolveInput<Ec2NodeClass>, call: Call): TaskEither<ProviderError, Resolution> =>
  async () => {
    const { spec, status } = nodeClass
    const { signal } = call
    const stepOf = (type: string, error: AwsError): Step => failedStep(type, error, nodeClass)

    const images = async (): Promise<Step> => {
      const type = conditionTypes.images
      const answer = await deps.images.find(nodeClass, call.cluster.kubernetesVersion, signal)()
      if (E.isRight(answer))
        return answer.right.length > 0
          ? { type, fields: { amis: answer.right }, condition: found, recheckAfterMs: 5 * minute }
          : missing(type, { amis: [] }, 'AMINotFound', 'amiSelectorTerms')
      switch (answer.left._tag) {
        case 'UnsupportedAlias':
          return {
            type,
            fields: { amis: [] },
            condition: { status: 'False', reason: 'UnsupportedAlias', message: answer.left.message },
          }
        case 'NotFound':
          return {
            type,
            fields: { amis: [] },
            condition: { status: 'False', reason: 'AMINotFound', message: answer.left.message },
            recheckAfterMs: minute,
          }
        case 'Failed':
          return stepOf(type, answer.left.error)
      }
    }
    const reservations = async (): Promise<Step | undefined> => {
      if (deps.reservations === undefined) return undefined
      const type = conditionTypes.capacityReservations
      const answer = await deps.reservations.find(nodeClass, signal)()
      if (E.isLeft(answer)) return stepOf(type, answer.left)
      const nextMs = deps.reservations.nextChangeMs(answer.right)
      return {
        type,
        fields: { capacityReservations: answer.right },
        condition: found,
        recheckAfterMs: Math.min(minute, nextMs === undefined ? minute : Math.max(1000, nextMs - deps.nowMs())),
      }
    }
    const placementGroup = async (): Promise<Step> => {
      const type = conditionTypes.placementGroup
      const answer = await deps.placementGroups.find(nodeClass, signal)()
      if (E.isLeft(answer))
        return {
          type,
          condition: {
            status: 'False',
            reason: 'PlacementGroupResolutionFailed',
            message: `Cannot look up the placement group: ${answer.left.message}`,
          },
          failure: providerErrorOf(answer.left),
        }
      return spec.placementGroupSelector === undefined || answer.right !== undefined
        ? { type, condition: found, recheckAfterMs: minute }
        : missing(type, {}, 'PlacementGroupNotFound', 'placementGroupSelector')
    }
    const subnets = async (): Promise<Step> => {
      const type = conditionTypes.subnets
      const answer = await deps.subnets.find(nodeClass, signal)()
      if (E.isLeft(answer)) return stepOf(type, answer.left)
      const resolved = answer.right.map(({ id, zone, zoneID }) => ({
        id,
        zone,
        ...(zoneID !== undefined && { zoneID }),
      }))
      return resolved.length === 0
        ? missing(type, { subnets: [] }, 'SubnetsNotFound', 'subnetSelectorTerms')
        : { type, fields: { subnets: resolved }, condition: subnetsFound(answer.right), recheckAfterMs: minute }
    }
    const securityGroups = async (): Promise<Step> => {
      const type = conditionTypes.securityGroups
      const answer = await deps.securityGroups.find(nodeClass, signal)()
      if (E.isLeft(answer)) return stepOf(type, answer.left)
      return answer.right.length === 0
        ? missing(type, { securityGroups: [] }, 'SecurityGroupsNotFound', 'securityGroupSelectorTerms')
        : { type, fields: { securityGroups: answer.right }, condition: found, recheckAfterMs: 5 * minute }
    }
    const instanceProfile = async (): Promise<Step> => {
      const type = conditionTypes.instanceProfile
      const answer = await deps.profiles.resolve(nodeClass, call.cluster.name, signal)()
      return E.isLeft(answer)
        ? stepOf(type, answer.left)
        : { type, fields: { instanceProfile: answer.right }, condition: found }
    }

    const steps: Array<Step> = []
    for (const step of [images, reservations, placementGroup, subnets, securityGroups, instanceProfile]) {
      const taken = await step()
      if (taken !== undefined) steps.push(taken)
    }
    const { conditions: _, ...last } = status
    const fields: Fields = steps.reduce((all, step) => ({ ...all, ...step.fields }), last)
    const verdict = await validate(
      deps,
      { nodeClass: { ...nodeClass, status: { ...status, ...fields } }, nodePools },
      steps,
      call,
    )
    const all: ReadonlyArray<Step> = [
      ...steps,
      {
        type: conditionTypes.validation,
        condition:
          verdict.condition === 'unchanged'
            ? unchanged(nodeClass, conditionTypes.validation, verdict.failure)
            : verdict.condition,
        ...(verdict.failure !== undefined && { failure: verdict.failure }),
        ...(verdict.recheckAfterMs !== undefined && { recheckAfterMs: verdict.recheckAfterMs }),
      },
    ]
    const failures = all.flatMap(({ failure }) => failure ?? [])
    return E.right({
      status: JSON.parse(JSON.stringify(fields)) as JsonObject,
      conditions: Object.fromEntries(all.map(({ type, condition }) => [type, condition])),
      ...(failures.length > 0 && { failures }),
      recheckAfterMs: Math.min(recheckMs, ...all.map(({ recheckAfterMs = recheckMs }) => recheckAfterMs)),
    })
  }

const missing = (type: string, fields: Partial<Fields>, reason: string, field: string): Step => ({
  type,
  fields,
  condition: {
    status: 'False',
    reason,
    message: `spec.${field} finds nothing: look at ids, tags and names in it, and at the region`,
  },
  recheckAfterMs: minute,
})

/**
 * A step that erred: what passes by itself leaves the verdict as it is; what does not is told (W-29).
 *
 * A role without a permission would otherwise show in the log alone.
 */
const failedStep = (type: string, error: AwsError, nodeClass: Ec2NodeClass): Step => {
  const failure = providerErrorOf(error)
  if (isTransient(error)) return { type, condition: unchanged(nodeClass, type, failure), failure }
  const { reason, message } = launchReasonOf(error)
  const told =
    isRoleMissing(error) && nodeClass.spec.role !== undefined
      ? {
          reason: 'RoleNotFound',
          message: `IAM has no role ${nodeClass.spec.role}: make it, or name another one in spec.role`,
        }
      : isCredentialError(error)
        ? { reason: 'CredentialsInvalid', message: failure.message }
        : {
            reason: reason === 'LaunchFailed' ? 'ResolutionFailed' : reason,
            message: `Cannot call ${error.action}: ${message}`,
          }
  return { type, condition: { status: 'False', ...told }, failure }
}

/** Subnets may be there and yet of no use; launches leave those alone, so this is no reason to stop. */
const subnetsFound = (subnets: ReadonlyArray<{ readonly id: string; readonly freeAddresses: number }>): Condition => {
  const full = subnets.filter(({ freeAddresses }) => freeAddresses <= 0).map(({ id }) => id)
  if (full.length === 0) return found
  const which = full.length === subnets.length ? 'No subnet has' : `Of ${subnets.length} subnets ${full.length} have no`
  return {
    status: 'True',
    message: `${which} free addresses (${full.slice(0, namedSubnets).join(', ')}): free some, or select other subnets in spec.subnetSelectorTerms`,
  }
}

const namedSubnets = 5

/** Types that NodePools name and EC2 does not offer in the region; wildcards aside, which may match nothing. */
const unknownTypes = (
  nodePools: ResolveInput<Ec2NodeClass>['nodePools'],
  catalogue: Catalogue | undefined,
): string | undefined => {
  if (catalogue === undefined) return undefined
  const sentences = nodePools.flatMap(({ name, requirements }) => {
    const wanted = Requirements.get(requirements, labelKeys.instanceType)
    if (wanted.complement) return []
    const unknown = [...wanted.values].filter((type) => !type.includes('*') && !catalogue.types.has(type)).sort()
    return unknown.length === 0
      ? []
      : [`NodePool ${name} names instance types that EC2 does not offer in this region: ${unknown.join(', ')}`]
  })
  return sentences.length === 0 ? undefined : `${sentences.join('; ')}; correct or remove them`
}

/** A condition that was never there has nothing to stay at. */
const unchanged = ({ status }: Ec2NodeClass, type: string, failure: ProviderError | undefined): Condition =>
  status.conditions.some((condition) => condition.type === type)
    ? 'unchanged'
    : { status: 'Unknown', reason: 'ResolutionFailed', message: failure?.message ?? '' }

const validate = async (
  deps: ResolverDeps,
  { nodeClass, nodePools }: ResolveInput<Ec2NodeClass>,
  steps: ReadonlyArray<Step>,
  call: Call,
): Promise<Verdict> => {
  const needsCidr = familyOf(nodeClass.spec) === 'AL2023'
  const cidr = needsCidr ? await deps.clusterCidrOf(call)() : undefined
  const known = new Map(nodeClass.status.conditions.map(({ type, status }) => [type, status]))
  const objection = staticVerdict({
    nodeClass,
    cluster: call.cluster,
    allowsExpressions: deps.allowsExpressions,
    ...(cidr !== undefined && {
      clusterCidr: E.mapLeft((error: AwsError) => ({
        isTransient: isTransient(error),
        message: providerErrorOf(error).message,
      }))(cidr),
    }),
    conditions: new Map(
      steps.map(({ type, condition }) => [
        type,
        condition === 'unchanged' ? (known.get(type) ?? 'Unknown') : condition.status,
      ]),
    ),
    types: deps.catalogue()?.types.values(),
    kubeletOf: deps.instanceTypes.kubeletOf,
  })
  if (objection !== undefined) return objection
  if (deps.disableDryRun) return verdictWithoutObjection
  const group = deps.placementGroups.known(nodeClass)
  const verdict = await deps.probes.verdictOf(
    { nodeClass, nodePools, types: () => deps.typesFor(nodeClass, group), ...(group !== undefined && { group }) },
    call,
  )
  const message = unknownTypes(nodePools, deps.catalogue())
  return message === undefined || verdict.condition === 'unchanged' || verdict.condition.status !== 'True'
    ? verdict
    : { ...verdict, condition: { ...verdict.condition, message } }
}
