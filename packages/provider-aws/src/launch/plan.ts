import {
  labelKeys,
  Offerings,
  Requirement,
  Requirements,
  truncateTypes,
  type CapacityType,
  type InstanceType,
  type LaunchRequest,
  type NodeClaimFacts,
  type Offering,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { awsLabelKeys } from '../labels/index.ts'
import type { Ec2NodeClass, ResolvedSubnet } from '../node-class/index.ts'
import { capacityTypeIs, cheapestOf, filters, labelOf, priceOf } from './filters.ts'

/** EC2 takes no more overrides than this many types make. */
export const mostTypes = 60
/** With fewer than this many pools of spot capacity, on-demand bought instead deserves a word. */
const flexiblePools = 5
const namedRejections = 5

/** What a launch is going to ask for, before anything is asked. */
export interface LaunchPlan {
  readonly capacityType: CapacityType
  readonly tenancy: 'default' | 'dedicated'
  /** Cheapest first, with the offerings of the capacity type alone. */
  readonly types: ReadonlyArray<InstanceType>
  /** The reservation kind of a reserved launch: all its offerings are of one. */
  readonly reservation?: { readonly type: string; readonly interruptible: boolean }
  /** Of the claim's partitions the smallest; label and template say the same one. */
  readonly partition?: string
  readonly isPriceOverlaid: boolean
  /** Candidates are left that this plan does not try. */
  readonly hasMore: boolean
  /** What each filter took away, for the log. */
  readonly rejected: ReadonlyArray<{
    readonly filter: string
    readonly types: ReadonlyArray<string>
    readonly count: number
  }>
  /** Spot was allowed, on-demand is bought, and there was little choice. */
  readonly isInflexible: boolean
}

/**
 * Chooses what to ask of EC2: types by the filters, at most sixty, then capacity type and tenancy.
 *
 * Errors: a sentence, when nothing is left.
 */
export const planLaunch = (
  request: Pick<LaunchRequest<Ec2NodeClass>, 'candidates' | 'claim' | 'minValues'>,
): E.Either<string, LaunchPlan> => {
  const { candidates, claim, minValues } = request
  const rejected: Array<LaunchPlan['rejected'][number]> = []
  let types: ReadonlyArray<InstanceType> = candidates
  for (const filter of filters) {
    const kept = filter.apply(types, claim)
    const names = new Set(kept.map(({ name }) => name))
    const gone = types.filter(({ name }) => !names.has(name)).map(({ name }) => name)
    if (gone.length > 0 && filter !== filters[0])
      rejected.push({ filter: filter.name, types: gone.slice(0, namedRejections), count: gone.length })
    if (kept.length === 0) return E.left(`No instance type is left after the filter ${filter.name}`)
    types = kept
  }
  const sorted = [...types].sort((a, b) => cheapestOf(a) - cheapestOf(b) || (a.name < b.name ? -1 : 1))
  const cut = truncateTypes(sorted, { requirements: claim.requirements, limit: mostTypes, minValues })
  if (E.isLeft(cut)) {
    const [unmet] = cut.left
    return E.left(
      `The ${mostTypes} cheapest types offer ${unmet?.reached ?? 0} values of ${unmet?.key ?? ''}, and the NodePool asks for ${unmet?.minValues ?? 0}`,
    )
  }
  const capacityType = capacityTypeOf(cut.right, claim)
  const bought = cut.right.flatMap((type) => {
    const offerings = type.offerings.filter((offering) => capacityTypeIs(offering, capacityType))
    return offerings.length === 0 ? [] : [{ ...type, offerings }]
  })
  const [first] = bought.flatMap(({ offerings }) => offerings)
  if (first === undefined) return E.left(`No offering of capacity type ${capacityType} is left`)
  const partition = partitionOf(claim, bought)
  return E.right({
    capacityType,
    tenancy: tenancyOf(claim),
    types: bought,
    ...(capacityType === 'reserved' && {
      reservation: {
        type: labelOf(first, awsLabelKeys.reservationType) ?? 'default',
        interruptible: labelOf(first, awsLabelKeys.reservationInterruptible) === 'true',
      },
    }),
    ...(partition !== undefined && { partition }),
    isPriceOverlaid: bought.some(({ offerings }) => offerings.some((one) => one.isPriceOverlaid === true)),
    hasMore: countOfferings(candidates) > countOfferings(bought),
    rejected,
    isInflexible: capacityType === 'on-demand' && mayBe(claim, 'spot') && countOfferings(bought) < flexiblePools,
  })
}

const countOfferings = (types: ReadonlyArray<InstanceType>): number =>
  types.reduce((sum, { offerings }) => sum + offerings.length, 0)

const mayBe = ({ requirements }: Pick<NodeClaimFacts, 'requirements'>, capacityType: string): boolean =>
  Requirement.has(Requirements.get(requirements, labelKeys.capacityType), capacityType)

/** Reserved before spot before on-demand, of what is allowed and there. */
const capacityTypeOf = (types: ReadonlyArray<InstanceType>, claim: NodeClaimFacts): CapacityType => {
  for (const capacityType of ['reserved', 'spot'] as const)
    if (
      mayBe(claim, capacityType) &&
      types.some((type) => type.offerings.some((one) => capacityTypeIs(one, capacityType)))
    )
      return capacityType
  return 'on-demand'
}

const tenancyOf = ({ requirements }: NodeClaimFacts): LaunchPlan['tenancy'] =>
  Requirement.has(Requirements.get(requirements, awsLabelKeys.tenancy), 'default') ? 'default' : 'dedicated'

/** The first partition that claim and types allow (W-11: chosen once, for label and template alike). */
const partitionOf = ({ requirements }: NodeClaimFacts, types: ReadonlyArray<InstanceType>): string | undefined => {
  const key = awsLabelKeys.placementGroupPartition
  if (!Requirements.has(requirements, key)) return undefined
  const wanted = Requirements.get(requirements, key)
  const offered = types.flatMap((type) =>
    [type, ...type.offerings].flatMap(({ requirements: own }) => [...(own.byKey.get(key)?.values ?? [])]),
  )
  const values = wanted.complement ? offered : [...wanted.values]
  return values.filter((value) => Requirement.has(wanted, value)).sort()[0]
}

/** A machine that the fleet may start. */
export interface Override {
  readonly instanceType: string
  readonly zone: string
  readonly subnetId: string
  readonly imageId: string
  readonly pricePerHour: number
  readonly offering: Offering
}

/** One override for each type and zone; the cheapest offering where several differ in nothing that EC2 sees. */
export const overridesOf = (
  types: ReadonlyArray<InstanceType>,
  subnets: ReadonlyMap<string, ResolvedSubnet>,
  imageId: string,
): ReadonlyArray<Override> => {
  const byPlace = new Map<string, Override>()
  for (const type of types)
    for (const offering of type.offerings) {
      const zone = Offerings.zoneOf(offering)
      const subnet = zone === undefined ? undefined : subnets.get(zone)
      if (zone === undefined || subnet === undefined) continue
      const key = `${type.name} ${zone}`
      const rival = byPlace.get(key)
      if (rival === undefined || priceOf(offering) < rival.pricePerHour)
        byPlace.set(key, {
          instanceType: type.name,
          zone,
          subnetId: subnet.id,
          imageId,
          pricePerHour: priceOf(offering),
          offering,
        })
    }
  return [...byPlace.values()]
}
