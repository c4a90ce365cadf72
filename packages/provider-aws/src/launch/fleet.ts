import { createHash } from 'node:crypto'
import type { CreateFleetCommandInput, CreateFleetError, CreateFleetInstance } from '@aws-sdk/client-ec2'
import type { CancelSignal, CapacityType, JsonObject, ProviderHost } from '@scantling/core'
import { fingerprint } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { batched, windows } from '../batched.ts'
import type { AwsError, Ec2Port } from '../sdk/index.ts'
import { tagKeys, tagList } from '../tags.ts'
import type { LaunchPlan, Override } from './plan.ts'

/** A template with the machines that may be started from it. */
export interface FleetConfig {
  readonly templateName: string
  readonly overrides: ReadonlyArray<Override>
}

/**
 * The request for a fleet (A-LCH-05…11). What it does not say is who it is for, so that equal wishes share a request.
 */
export const fleetInput = (options: {
  readonly configs: ReadonlyArray<FleetConfig>
  readonly plan: Pick<LaunchPlan, 'capacityType' | 'reservation' | 'isPriceOverlaid'>
  readonly tags: Readonly<Record<string, string>>
  readonly context?: string
}): CreateFleetCommandInput => {
  const { configs, plan, tags, context } = options
  const { capacityType, reservation, isPriceOverlaid } = plan
  const list = tagList(tags)
  return {
    Type: 'instant',
    LaunchTemplateConfigs: configs.map(({ templateName, overrides }) => ({
      LaunchTemplateSpecification: { LaunchTemplateName: templateName, Version: '$Latest' },
      Overrides: overrides.map(({ instanceType, zone, subnetId, imageId, pricePerHour }) => ({
        InstanceType: instanceType as 'm5.large',
        SubnetId: subnetId,
        ImageId: imageId,
        AvailabilityZone: zone,
        // What has no price is bought last.
        ...(Number.isFinite(pricePerHour) && { Priority: pricePerHour }),
      })),
    })),
    TargetCapacitySpecification: {
      TotalTargetCapacity: 1,
      DefaultTargetCapacityType: targetOf(capacityType, reservation),
    },
    ...(capacityType === 'spot' && {
      SpotOptions: {
        AllocationStrategy: isPriceOverlaid ? 'capacity-optimized-prioritized' : 'price-capacity-optimized',
      },
    }),
    ...((capacityType === 'on-demand' || (reservation?.type === 'default' && !reservation.interruptible)) && {
      OnDemandOptions: { AllocationStrategy: isPriceOverlaid ? 'prioritized' : 'lowest-price' },
    }),
    ...(reservation?.type === 'default' &&
      reservation.interruptible && {
        ReservedCapacityOptions: { ReservationTypes: ['interruptible-capacity-reservation'] },
      }),
    TagSpecifications: (['instance', 'volume', 'fleet'] as const).map((ResourceType) => ({ ResourceType, Tags: list })),
    ...(context !== undefined && context !== '' && { Context: context }),
  }
}

const targetOf = (
  capacityType: CapacityType,
  reservation: LaunchPlan['reservation'],
): 'spot' | 'on-demand' | 'capacity-block' | 'reserved-capacity' =>
  capacityType === 'spot'
    ? 'spot'
    : reservation?.type === 'capacity-block'
      ? 'capacity-block'
      : reservation?.interruptible === true
        ? 'reserved-capacity'
        : 'on-demand'

/** One claim's wish for a machine. */
export interface FleetWish {
  readonly input: CreateFleetCommandInput
  /** The claim's UID, and how often it was refused before. */
  readonly token: string
  readonly attempt: number
  readonly claimName: string
}

/** What one claim gets of a fleet. */
export interface FleetResult {
  readonly instance?: { readonly id: string; readonly launched: CreateFleetInstance }
  /** All errors of the fleet, whichever claim they were for. */
  readonly errors: ReadonlyArray<CreateFleetError>
}

const tooFew: CreateFleetError = {
  ErrorCode: 'UnfulfillableCapacity',
  ErrorMessage: 'EC2 started fewer instances than it was asked for and gave no reason',
}

/**
 * Asks for fleets, several machines at a time where claims want the same.
 *
 * A fleet of one bears the claim's UID as its client token, and the machine a tag with it: whoever repeats the request
 * gets the same machine, in this process or in another. A fleet of several has a token of all their UIDs, which makes
 * the repeats of the SDK harmless.
 */
export const fleetRequests = (options: {
  readonly ec2: Pick<Ec2Port, 'createFleet'>
  readonly host: Pick<ProviderHost, 'clock' | 'record' | 'log'>
}): ((wish: FleetWish, signal: CancelSignal) => TE.TaskEither<AwsError, FleetResult>) => {
  const { ec2, host } = options
  return batched<FleetWish, FleetResult>({
    name: 'create_fleet',
    action: 'ec2:CreateFleet',
    window: windows.createFleet,
    host,
    keyOf: ({ input }) => fingerprint(JSON.parse(JSON.stringify(input)) as JsonObject),
    run: (wishes, signal) =>
      pipe(
        ec2.createFleet(requestOf(wishes), signal),
        TE.map(({ Instances = [], Errors = [] }) => {
          const launched = Instances.flatMap((one) => (one.InstanceIds ?? []).map((id) => ({ id, launched: one })))
          if (launched.length > wishes.length)
            host.log('warn', 'EC2 started more instances than it was asked for', {
              asked: wishes.length,
              started: launched.map(({ id }) => id),
            })
          const errors = launched.length < wishes.length && Errors.length === 0 ? [tooFew] : Errors
          return wishes.map((_, index) => {
            const instance = launched[index]
            return E.right<AwsError, FleetResult>({ ...(instance !== undefined && { instance }), errors })
          })
        }),
      ),
  })
}

const requestOf = (wishes: ReadonlyArray<FleetWish>): CreateFleetCommandInput => {
  const [first] = wishes
  if (first === undefined) throw new Error('A batch has members')
  const { input } = first
  if (wishes.length > 1)
    return {
      ...input,
      ClientToken: tokenOfMany(wishes),
      TargetCapacitySpecification: { ...input.TargetCapacitySpecification, TotalTargetCapacity: wishes.length },
    }
  const own = [
    { Key: tagKeys.nodeClaim, Value: first.claimName },
    { Key: tagKeys.launchToken, Value: first.token },
  ]
  return {
    ...input,
    // A refusal is remembered under its token as well: another attempt needs another one.
    ClientToken: first.attempt === 0 ? first.token : `${first.token}-${first.attempt}`,
    TagSpecifications: (input.TagSpecifications ?? []).map((spec) =>
      spec.ResourceType === 'instance' ? { ...spec, Tags: [...(spec.Tags ?? []), ...own] } : spec,
    ),
  }
}

const tokenOfMany = (wishes: ReadonlyArray<FleetWish>): string =>
  createHash('sha256')
    .update(
      wishes
        .map(({ token, attempt }) => `${token}-${attempt}`)
        .sort()
        .join(),
    )
    .digest('hex')
    .slice(0, 60)
