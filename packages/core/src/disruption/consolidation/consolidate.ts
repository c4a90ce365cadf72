import { StateNodes } from '../../cluster/index.ts'
import type { Steps } from '../../internal/index.ts'
import { capacityTypes, labelKeys, Labels } from '../../labels/index.ts'
import type { Offer, Placement, SimulatedLaunch, SimulationTerms } from '../../scheduling/index.ts'
import type { CandidateState } from '../candidate.ts'
import { whyHomeless } from '../homeless.ts'
import type { Pass } from '../pass.ts'
import type { BlockedReason } from '../plan.ts'
import { cheaperOffer } from './replacement-price.ts'
import { spotOffer } from './spot-to-spot.ts'

/** How some nodes can be done without. */
export interface Consolidation {
  readonly moved: ReadonlyArray<CandidateState>
  /** None: the pods fit the nodes that are left. */
  readonly replacements: ReadonlyArray<{ readonly node: SimulatedLaunch; readonly offer: Offer }>
  /** Pods that go to nodes that exist. */
  readonly placements: ReadonlyArray<Placement>
  readonly mostPricePerHour?: number | undefined
}

/** New nodes that may take the place of others together; the reference never buys more than one (W-04). */
export const mostReplacements = 10

/**
 * Whether the pods of some nodes fit the rest, or the rest and cheaper nodes. D-CONS-02…09.
 *
 * A node that is not replaced goes whatever it costs; replacements must be cheaper for certain. Under `reference` there
 * is one at most.
 */
export function* consolidate(
  moved: ReadonlyArray<CandidateState>,
  pass: Pass,
  terms: SimulationTerms = {},
): Steps<Consolidation | BlockedReason> {
  const names = moved.map(({ state }) => state.name)
  const simulation = yield* pass.without(names, { ...terms, keepsRestingNodes: true })
  if (simulation === undefined) return { _tag: 'NoNodePools' }
  const { launches, placements, homeless } = simulation
  if (homeless.length > 0) return yield* whyHomeless(moved, simulation, pass, { ...terms, keepsRestingNodes: true })
  const offers = cheaperOffers(launches, moved, pass)
  return '_tag' in offers
    ? offers
    : { moved, placements, replacements: launches.map((node, index) => ({ node, offer: offers[index]! })), ...terms }
}

// Sums of prices differ in their last digits where they are equal: that saves nobody anything.
const leastSavedShare = 1e-9

const isSaving = (afterPerHour: number, beforePerHour: number): boolean =>
  afterPerHour < beforePerHour * (1 - leastSavedShare)

const cheaperOffers = (
  launches: ReadonlyArray<SimulatedLaunch>,
  moved: ReadonlyArray<CandidateState>,
  pass: Pass,
): ReadonlyArray<Offer> | BlockedReason => {
  const isAllSpot = moved.every(
    ({ state }) => Labels.get(StateNodes.labelsOf(state), labelKeys.capacityType) === capacityTypes.spot,
  )
  const mayBeSeveral = pass.strategy !== 'reference' && !(isAllSpot && moved.length === 1)
  if (launches.length > (mayBeSeveral ? mostReplacements : 1))
    return { _tag: 'NeedsSeveralNodes', nodes: launches.length }
  const pricePerHour = moved.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
  const cheapest = launches.reduce((sum, { offer }) => sum + offer.pricePerHour, 0)
  const notCheaper = (after: number): BlockedReason => ({
    _tag: 'NotCheaper',
    pricePerHour,
    ...(Number.isFinite(after) ? { cheapestPerHour: after } : {}),
  })
  if (launches.length > 1 && !isSaving(cheapest, pricePerHour)) return notCheaper(cheapest)
  const offers: Array<Offer> = []
  for (const { offer } of launches) {
    // Several share what the nodes cost by what they would cost themselves, so that even the dearest of all cost less.
    const share = launches.length === 1 ? pricePerHour : pricePerHour * (offer.pricePerHour / cheapest)
    const cheaper =
      isAllSpot && offer.admits(capacityTypes.spot)
        ? spotOffer(offer, { pricePerHour: share, nodes: moved.length, isAllowed: spotGate(pass) })
        : cheaperOffer(offer, share, pass.strategy)
    if ('_tag' in cheaper) return cheaper
    offers.push(cheaper)
  }
  const after = offers.reduce((sum, offer) => sum + offer.pricePerHour, 0)
  return pass.strategy === 'reference' || offers.length === 0 || isSaving(after, pricePerHour)
    ? offers
    : notCheaper(after)
}

const spotGate = ({ snapshot }: Pass): boolean => snapshot.settings.featureGates.spotToSpotConsolidation

/** What the nodes cost less what takes their place; a replacement of unknown price counts as free (D-COST-06). */
export const savingsOf = ({ moved, replacements }: Consolidation): number => {
  const before = moved.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
  const after = replacements.reduce(
    (sum, { offer }) => sum + (Number.isFinite(offer.pricePerHour) ? offer.pricePerHour : 0),
    0,
  )
  return before - after
}
