import { StateNodes } from '../../cluster/index.ts'
import { capacityTypes, labelKeys, Labels } from '../../labels/index.ts'
import type { Steps } from '../../internal/index.ts'
import type { Offer, SimulatedLaunch } from '../../scheduling/index.ts'
import type { CandidateState } from '../candidate.ts'
import { homelessReason } from '../homeless.ts'
import type { Pass } from '../pass.ts'
import type { BlockedReason } from '../plan.ts'
import { cheaperOffer } from './replacement-price.ts'
import { spotOffer } from './spot-to-spot.ts'

/** How some nodes can be done without. */
export interface Consolidation {
  readonly moved: ReadonlyArray<CandidateState>
  /** Absent: the pods fit the nodes that are left. */
  readonly replacement?: { readonly node: SimulatedLaunch; readonly offer: Offer }
}

/**
 * Whether the pods of some nodes fit the rest, or the rest and one cheaper node. D-CONS-02…09.
 *
 * A node that is not replaced goes whatever it costs; a replacement must be cheaper for certain.
 */
export function* consolidate(moved: ReadonlyArray<CandidateState>, pass: Pass): Steps<Consolidation | BlockedReason> {
  const names = moved.map(({ state }) => state.name)
  const simulation = yield* pass.without(names, true)
  if (simulation === undefined) return { _tag: 'NoNodePools' }
  if (simulation.homeless.length > 0) return homelessReason(simulation)
  const [node, ...others] = simulation.launches
  if (node === undefined) return { moved }
  if (others.length > 0) return { _tag: 'NeedsSeveralNodes', nodes: simulation.launches.length }
  const pricePerHour = moved.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
  const isAllSpot = moved.every(
    ({ state }) => Labels.get(StateNodes.labelsOf(state), labelKeys.capacityType) === capacityTypes.spot,
  )
  const offer =
    isAllSpot && node.offer.admits(capacityTypes.spot)
      ? spotOffer(node.offer, { pricePerHour, nodes: moved.length, isAllowed: spotGate(pass) })
      : cheaperOffer(node.offer, pricePerHour, pass.strategy)
  return '_tag' in offer ? offer : { moved, replacement: { node, offer } }
}

const spotGate = ({ snapshot }: Pass): boolean => snapshot.settings.featureGates.spotToSpotConsolidation

/** What the nodes cost less what takes their place; a replacement of unknown price counts as free (D-COST-06). */
export const savingsOf = ({ moved, replacement }: Consolidation): number => {
  const before = moved.reduce((sum, { candidate }) => sum + candidate.pricePerHour, 0)
  const after = replacement?.offer.pricePerHour ?? 0
  return before - (Number.isFinite(after) ? after : 0)
}
