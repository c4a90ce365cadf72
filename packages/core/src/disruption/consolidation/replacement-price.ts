import { StateNodes } from '../../cluster/index.ts'
import { capacityTypes, labelKeys, Labels } from '../../labels/index.ts'
import { Requirements } from '../../requirements/index.ts'
import type { Offer, Strategy } from '../../scheduling/index.ts'
import type { CandidateState } from '../candidate.ts'
import type { Pass } from '../pass.ts'
import type { BlockedReason } from '../plan.ts'

/**
 * The offer narrowed to types that are sure to cost less than `pricePerHour`. D-CONS-06…09.
 *
 * What may be spot or on demand is pinned to spot: the price was reckoned for spot, and a launch that finds none must
 * fail instead of buying a dearer node. The reference pins types that are never sold as spot, too, so that their launch
 * is bound to fail; otherwise the capacity type that comes cheaper is chosen, with the types that are sold as it.
 */
export const cheaperOffer = (offer: Offer, pricePerHour: number, strategy: Strategy): Offer | BlockedReason => {
  const cheaper = below(offer, pricePerHour)
  if ('_tag' in cheaper) return cheaper
  if (!cheaper.admits(capacityTypes.spot) || !cheaper.admits(capacityTypes.onDemand)) return cheaper
  if (strategy === 'reference') return cheaper.pinnedTo(capacityTypes.spot)
  const [spot, onDemand] = [capacityTypes.spot, capacityTypes.onDemand].map((capacityType) =>
    below(cheaper.pinnedTo(capacityType).onSale().inOrder(), pricePerHour),
  )
  if (spot === undefined || '_tag' in spot) return onDemand ?? cheaper
  return onDemand === undefined || '_tag' in onDemand || spot.pricePerHour <= onDemand.pricePerHour ? spot : onDemand
}

/** The types that cost less at worst; minValues bind here under either policy (D-CONS-07). */
export const below = (offer: Offer, pricePerHour: number): Offer | BlockedReason => {
  const cheaper = offer.below(pricePerHour)
  const [first, ...rest] = cheaper.unmetMinValues()
  if (first !== undefined) return { _tag: 'MinValuesUnmetIfCheaper', keys: [first, ...rest].map(({ key }) => key) }
  if (cheaper.types.length > 0) return cheaper
  const cheapest = offer.pricePerHour
  return { _tag: 'NotCheaper', pricePerHour, ...(Number.isFinite(cheapest) ? { cheapestPerHour: cheapest } : {}) }
}

/**
 * The offer without the types that make a merger pointless. D-MULTI-06.
 *
 * Merging nodes into one of a type that one of them has already is the same as keeping that node. So a replacement must
 * be cheaper than the cheapest of those nodes whose type it may have.
 */
export const withoutKept = (offer: Offer, moved: ReadonlyArray<CandidateState>, pass: Pass): Offer | BlockedReason => {
  const prices = new Map<string, number>()
  for (const one of moved) {
    const name = Labels.get(StateNodes.labelsOf(one.state), labelKeys.instanceType) ?? ''
    const price = priceAsLabelled(one, name, pass)
    const least = prices.get(name)
    if (price !== undefined) prices.set(name, least === undefined ? price : Math.min(least, price))
    else if (least === undefined) prices.set(name, Number.POSITIVE_INFINITY)
  }
  const limit = offer.names.reduce((least, name) => {
    const price = prices.get(name)
    // A node whose price is unknown counts as free.
    return price === undefined ? least : Math.min(least, Number.isFinite(price) ? price : 0)
  }, Number.POSITIVE_INFINITY)
  return below(offer, limit)
}

// A candidate belongs to one pass; large sets of nodes are looked at again and again.
const known = new WeakMap<CandidateState, { readonly price: number | undefined }>()

const priceAsLabelled = (one: CandidateState, name: string, pass: Pass): number | undefined => {
  let found = known.get(one)
  if (found === undefined) known.set(one, (found = { price: cheapestAsLabelled(one, name, pass) }))
  return found.price
}

// Of the offerings that fit the node's labels, sold out ones included.
const cheapestAsLabelled = ({ state, nodePool }: CandidateState, name: string, pass: Pass): number | undefined => {
  const { labelRules, instanceTypes } = pass.snapshot
  const { knowledge } = labelRules
  const own = Requirements.fromLabels(StateNodes.labelsOf(state), knowledge)
  const type = (instanceTypes.get(nodePool.name) ?? []).find((one) => one.name === name)
  const prices = (type?.offerings ?? [])
    .filter(({ requirements }) => Requirements.isCompatible(own, requirements, knowledge.wellKnown))
    .map(({ pricePerHour = 0 }) => pricePerHour)
  return prices.length === 0 ? undefined : Math.min(...prices)
}
