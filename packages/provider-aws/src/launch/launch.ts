import {
  annotationKeys,
  type Call,
  type InstanceType,
  type Launched,
  type LaunchFailure,
  type LaunchRequest,
  type Notice,
  type ProviderError,
  type ProviderHost,
} from '@scantling/core'
import { traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  isCapacityError,
  isLaunchTemplateNotFound,
  isSpreadLimit,
  isTokenTaken,
  launchReasonOf,
  providerErrorOf,
} from '../error-codes.ts'
import { userDataSizeProblem } from '../bootstrap/index.ts'
import type { PlacementGroup } from '../instance-types/index.ts'
import type { Ec2Details, Instances } from '../instances/index.ts'
import { launchFailures, userDataBytes } from '../metrics.ts'
import type { AddressLedger } from '../network/index.ts'
import type { Ec2NodeClass, ResolvedSubnet } from '../node-class/index.ts'
import type { Reservations } from '../reservations/index.ts'
import type { AwsError, Ec2Port } from '../sdk/index.ts'
import { launchTags } from '../tags.ts'
import { fleetInput, fleetRequests, type FleetConfig, type FleetResult } from './fleet.ts'
import type { LaunchTemplates } from './launch-templates.ts'
import { addressesOf, launchedInstance, leastNeeds, overrideOf, podsOf } from './machine.ts'
import type { MachineTemplates } from './machine-templates.ts'
import { failureOf, lessonsOf, reservationIn, type Lessons } from './outcome.ts'
import { shortagePace } from './pace.ts'
import { overridesOf, planLaunch, type LaunchPlan } from './plan.ts'
import { priorLaunches } from './prior-launches.ts'

const templatesAtOnce = 10
const tokenTakenRetryMs = 5_000

export interface LaunchDeps {
  readonly ec2: Pick<Ec2Port, 'createFleet'>
  readonly host: Pick<ProviderHost, 'clock' | 'record' | 'log'>
  readonly addresses: AddressLedger
  readonly instances: Pick<Instances, 'recent' | 'get' | 'list'>
  readonly reservations: Pick<Reservations, 'exhaust'>
  readonly templates: Pick<LaunchTemplates, 'ensure' | 'forget'>
  readonly machines: MachineTemplates
  readonly placementGroupOf: (
    nodeClass: Ec2NodeClass,
    call: Call,
  ) => TaskEither<ProviderError, PlacementGroup | undefined>
}

type Request = LaunchRequest<Ec2NodeClass>
type Outcome = E.Either<LaunchFailure, Launched<Ec2Details>>

/** A launch with everything that was decided before anything is asked of EC2. */
interface Purchase {
  readonly request: Request
  readonly call: Call
  readonly plan: LaunchPlan
  readonly tags: Readonly<Record<string, string>>
  readonly group?: PlacementGroup
  /** By zone. */
  readonly subnets: ReadonlyMap<string, ResolvedSubnet>
}

/**
 * Launches one machine for a claim.
 *
 * The same token gets the same machine: in this process by memory, in the next one by the machine's tag and by the
 * client token of its fleet.
 */
export const launcher = (
  deps: LaunchDeps,
): ((request: Request, call: Call) => TaskEither<LaunchFailure, Launched<Ec2Details>>) => {
  const { host } = deps
  const pace = shortagePace(host.clock.nowMs)
  const prior = priorLaunches(deps.instances, host.clock.nowMs)
  const requestFleet = fleetRequests(deps)
  const underWay = new Map<string, Promise<Outcome>>()

  const launch = async (request: Request, call: Call): Promise<Outcome> => {
    const { token, claim } = request
    const present = await prior.find(request, call)
    if (E.isLeft(present)) return present
    if (present.right !== undefined) {
      prior.remember(token, present.right)
      return E.right({ instance: present.right })
    }
    const purchase = await decide(request, call)
    if (E.isLeft(purchase)) return purchase
    const { plan, subnets } = purchase.right
    const waitMs = pace.enter(claim.nodePool ?? '', namesOf(request.candidates))
    if (waitMs > 0) return E.left(heldBack(claim.nodePool ?? '', waitMs))
    const needOf = (pods: number) => addressesOf(request.nodeClass, call, pods)
    const addresses = deps.addresses.reserve(leastNeeds(plan.types, subnets, needOf))
    const outcome = await buy(purchase.right).catch((bug: unknown) => {
      addresses.settle()
      throw bug
    })
    const used = E.isRight(outcome) ? outcome.right.instance : undefined
    const type = plan.types.find(({ name }) => name === used?.instanceType)
    addresses.settle(
      used?.details?.subnetId === undefined || type === undefined
        ? undefined
        : { subnetId: used.details.subnetId, addresses: needOf(podsOf(type)) },
    )
    return outcome
  }

  const decide = async (request: Request, call: Call): Promise<E.Either<LaunchFailure, Purchase>> => {
    const { claim, nodeClass } = request
    const tags = launchTags(nodeClass, call.cluster, claim.nodePool ?? '')
    if (E.isLeft(tags))
      return E.left({ reason: 'NodeClassNotReady', error: { _tag: 'NodeClassNotReady', message: tags.left } })
    const group = await deps.placementGroupOf(nodeClass, call)()
    if (E.isLeft(group)) return E.left({ reason: 'PlacementGroupResolutionFailed', error: group.left })
    const plan = planLaunch(request)
    if (E.isLeft(plan))
      return E.left({ reason: 'InsufficientCapacity', error: { _tag: 'InsufficientCapacity', message: plan.left } })
    for (const { filter, types, count } of plan.right.rejected)
      host.log('debug', 'Instance types left out of a launch', { nodeClaim: claim.name, filter, types, count })
    return E.right({
      request,
      call,
      plan: plan.right,
      tags: tags.right,
      subnets: deps.addresses.choose(nodeClass.status.subnets),
      ...(group.right !== undefined && { group: group.right }),
    })
  }

  const buy = async (purchase: Purchase): Promise<Outcome> => {
    const { request, plan } = purchase
    const { token, claim } = request
    const configs = await configsFor(purchase)
    if (E.isLeft(configs)) return configs
    let answer = await ask(purchase, configs.right)
    if (E.isLeft(answer) && isLaunchTemplateNotFound(answer.left)) {
      // Someone deleted a template that is remembered as there.
      deps.templates.forget(configs.right.map(({ templateName }) => templateName))
      const again = await configsFor(purchase)
      if (E.isLeft(again)) return again
      answer = await ask(purchase, again.right)
    }
    if (E.isLeft(answer)) {
      if (!isTokenTaken(answer.left)) return E.left(failureOfCall(answer.left, 'Cannot request a fleet: '))
      prior.taken(token)
      const { message } = answer.left
      return E.left({
        reason: 'LaunchFailed',
        error: { _tag: 'Throttled', message, retryAfterMs: tokenTakenRetryMs },
      })
    }
    const { instance: machine, errors } = answer.right
    const lessons = learn(purchase, errors)
    if (machine === undefined) {
      prior.refused(token)
      const failure = failureOf(errors)
      const isShortage = failure.error._tag === 'InsufficientCapacity'
      if (isShortage) pace.gotNothing(claim.nodePool ?? '', namesOf(request.candidates))
      return E.left({
        ...failure,
        unavailable: lessons.marks,
        notices: lessons.notices,
        // Spot before on-demand, and sixty types before the sixty-first: the same claim goes on with the rest.
        ...(isShortage && plan.hasMore && { keepClaim: true as const }),
      })
    }
    const override = overrideOf(
      machine.launched,
      configs.right.flatMap(({ overrides }) => overrides),
    )
    const type = plan.types.find(({ name }) => name === override?.instanceType)
    if (override === undefined || type === undefined)
      return E.left({
        reason: 'LaunchFailed',
        error: { _tag: 'Unknown', message: `EC2 started instance ${machine.id} as something that nobody asked for` },
        unavailable: lessons.marks,
      })
    pace.launched(claim.nodePool ?? '', type.name)
    const instance = launchedInstance({ ...purchase, id: machine.id, override, type, nowMs: host.clock.nowMs() })
    deps.instances.recent.add(instance)
    prior.remember(token, instance)
    return E.right({ instance, unavailable: lessons.marks, notices: [...lessons.notices, ...inflexibility(purchase)] })
  }

  const configsFor = async (purchase: Purchase): Promise<E.Either<LaunchFailure, ReadonlyArray<FleetConfig>>> => {
    const { request, call, plan, subnets } = purchase
    const { nodeClass, claim } = request
    const wanted = await deps.machines.write(
      { ...purchase, nodeClass, claim, requests: claim.requests, types: plan.types },
      call,
    )()
    if (E.isLeft(wanted)) return wanted
    const usable = wanted.right.flatMap((machine) => {
      const overrides = overridesOf(machine.types, subnets, machine.imageId)
      return overrides.length === 0 ? [] : [{ ...machine, overrides }]
    })
    if (usable.length === 0)
      return E.left({
        reason: 'SubnetResolutionFailed',
        error: {
          _tag: 'InsufficientCapacity',
          message: `EC2NodeClass ${nodeClass.metadata.name} has no subnet in the zones where the types are on sale`,
        },
      })
    measureUserData(nodeClass.metadata.name, Math.max(...usable.map((machine) => machine.userDataBytes)))
    return pipe(
      usable,
      traverseBounded(templatesAtOnce, ({ template }) => deps.templates.ensure(template, call.signal)),
      (ensured) => async () =>
        E.bimap(
          (error: AwsError) => failureOfCall(error, 'Cannot make the launch template: '),
          () => usable.map(({ template, overrides }) => ({ templateName: template.name, overrides })),
        )(await ensured()),
    )()
  }

  const measureUserData = (nodeClass: string, bytes: number) => {
    host.record(userDataBytes, bytes, { nodeclass: nodeClass })
    const problem = userDataSizeProblem({ bytes })
    if (problem !== undefined) host.log('warn', problem, { nodeClass })
  }

  const ask = (
    { request: { claim, nodeClass, token }, call, plan, tags }: Purchase,
    configs: ReadonlyArray<FleetConfig>,
  ): Promise<E.Either<AwsError, FleetResult>> => {
    const isRelaxed = claim.annotations[annotationKeys.minValuesRelaxed] === 'true'
    const { context } = nodeClass.spec
    const input = fleetInput({ configs, plan, tags, ...(context !== undefined && !isRelaxed && { context }) })
    return requestFleet({ input, token, attempt: prior.attemptOf(token), claimName: claim.name }, call.signal)()
  }

  const learn = ({ request: { claim, nodeClass }, plan, group }: Purchase, errors: FleetResult['errors']): Lessons => {
    const lessons = lessonsOf(errors, {
      plan,
      claimName: claim.name,
      ...(group !== undefined && { placementGroupId: group.id }),
    })
    for (const subnetId of lessons.fullSubnets) deps.addresses.exhaust(subnetId)
    if (plan.capacityType === 'reserved')
      for (const { ErrorCode: code = '', ErrorMessage: message = '', LaunchTemplateAndOverrides } of errors) {
        const { InstanceType: name, AvailabilityZone: zone = '' } = LaunchTemplateAndOverrides?.Overrides ?? {}
        const id = reservationIn(
          plan.types.find((type) => type.name === name),
          zone,
        )
        const refusal = { code, message }
        if (id !== undefined && isCapacityError(refusal) && !isSpreadLimit(refusal)) deps.reservations.exhaust(id)
      }
    for (const { zone, reason } of lessons.refusals)
      host.record(launchFailures, 1, {
        zone,
        zone_id: nodeClass.status.subnets.find((subnet) => subnet.zone === zone)?.zoneID ?? '',
        capacity_type: plan.capacityType,
        reason,
      })
    return lessons
  }

  const inflexibility = ({ plan, request: { claim } }: Purchase): ReadonlyArray<Notice> => {
    if (!plan.isInflexible) return []
    host.log('warn', 'On-demand bought where spot is allowed, with few pools to choose from', { nodeClaim: claim.name })
    return [
      {
        on: { _tag: 'NodeClaim', name: claim.name },
        type: 'Warning',
        reason: 'FewSpotPools',
        message: 'On-demand was bought though spot is allowed: allow more types and zones to get spot more often',
      },
    ]
  }

  return (request, call) => () => {
    const present = underWay.get(request.token)
    if (present !== undefined) return present
    const made = launch(request, call).finally(() => underWay.delete(request.token))
    underWay.set(request.token, made)
    return made
  }
}

const namesOf = (types: ReadonlyArray<InstanceType>): ReadonlyArray<string> => types.map(({ name }) => name)

const heldBack = (nodePool: string, retryAfterMs: number): LaunchFailure => ({
  reason: 'InsufficientCapacity',
  error: {
    _tag: 'Throttled',
    message: `EC2 has had nothing for NodePool ${nodePool} lately: it is asked again in a while`,
    retryAfterMs,
  },
})

const failureOfCall = (error: AwsError, prefix: string): LaunchFailure => {
  const { reason, message } = launchReasonOf(error)
  return { reason, error: { ...providerErrorOf(error), message: `${prefix}${message}` } }
}
