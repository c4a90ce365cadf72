import type { LabelRules, NodeOverlay, NodePool } from '../cluster/index.ts'
import type { InstanceType, Offering } from '../instance/index.ts'
import { compareText } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'
import type { Quantity } from '../quantity/index.ts'

import { Requirement, Requirements } from '../requirements/index.ts'
import { applyEffects, signatureOf, type TypeEffects } from './apply-effects.ts'
import { changedPrice } from './price.ts'

/** What became of one overlay; shown as its condition ValidationSucceeded. */
export type OverlayVerdict =
  | { readonly _tag: 'Valid' }
  /** It contradicts itself or names what does not exist (P-OVC-06). */
  | { readonly _tag: 'Invalid'; readonly problems: ReadonlyArray<string> }
  /** Another overlay of equal weight says something of the same offering or resource (P-OVC-05). */
  | {
      readonly _tag: 'Conflict'
      readonly other: string
      readonly nodePool: string
      readonly instanceType: string
      /** Absent: it is about a price. */
      readonly resource?: string
    }

export interface OverlayInput {
  readonly overlays: ReadonlyArray<NodeOverlay>
  /** Types as the provider gives them, by NodePool name. A pool that is absent could not be evaluated (P-OVC-07). */
  readonly instanceTypes: ReadonlyMap<string, ReadonlyArray<InstanceType>>
  readonly nodePools: ReadonlyArray<Pick<NodePool, 'name' | 'labels'>>
  readonly labelRules: LabelRules
}

/** What overlays make of the types. Hand it back as `previous`: what did not change stays the same object. */
export interface OverlayEvaluation {
  readonly instanceTypes: ReadonlyMap<string, ReadonlyArray<InstanceType>>
  /** By overlay name. */
  readonly verdicts: ReadonlyMap<string, OverlayVerdict>
  readonly copies: ReadonlyMap<string, ReadonlyMap<InstanceType, Copy>>
}

interface Copy {
  readonly signature: string
  readonly copy: InstanceType
}

/** Who spoke last of a price or a resource, and with what weight. */
interface Claim {
  readonly overlay: string
  readonly weight: number
}

interface TypeState {
  readonly type: InstanceType
  readonly labels: Requirements
  readonly prices: Map<Offering, number>
  readonly priceClaims: Map<Offering, Claim>
  readonly capacity: Map<string, Quantity>
  readonly capacityClaims: Map<string, Claim>
}

interface PoolState {
  readonly name: string
  readonly types: ReadonlyArray<TypeState>
}

interface Touched {
  readonly pool: string
  readonly state: TypeState
  readonly offerings: ReadonlyArray<Offering>
}

/**
 * Higher weight first; at equal weight the name that comes later in the alphabet (P-OVA-05).
 *
 * @example
 * const overlay = (name: string, weight: number) => ({ name, weight, requirements: [], capacity: {}, problems: [] })
 * compareOverlays(overlay('a', 10), overlay('b', 1)) < 0 // => true
 */
export const compareOverlays = (a: NodeOverlay, b: NodeOverlay): number =>
  b.weight - a.weight || compareText(b.name, a.name)

/**
 * Lays overlays over the instance types of each NodePool.
 *
 * An overlay speaks of the offerings that its requirements select, given the pool's labels and the type's (P-OVC-02).
 * The first to speak of a price or a resource decides it (P-OVC-04). One that speaks of what another of equal weight
 * spoke of last is in conflict, and nothing of it applies to any pool (P-OVC-05). Inputs are not changed; only types
 * that an overlay changes are copied, and those not again while neither the type nor its change is another.
 *
 * Cost: O(overlays × pools × (types + offerings of the types that match)).
 *
 * @example
 * import { instanceType, nodePool, snapshotFor } from '@scantling/core/testing'
 * const { labelRules } = snapshotFor({})
 * const { instanceTypes } = evaluateOverlays({
 *   overlays: [],
 *   instanceTypes: new Map([['general', [instanceType('m5.large', 2)]]]),
 *   nodePools: [nodePool('general')],
 *   labelRules,
 * })
 * instanceTypes.get('general')?.map(({ name }) => name) // => ['m5.large']
 */
export const evaluateOverlays = (input: OverlayInput, previous?: OverlayEvaluation): OverlayEvaluation => {
  const { overlays, instanceTypes, nodePools, labelRules } = input
  const pools = nodePools
    .flatMap(({ name, labels }): ReadonlyArray<PoolState> => {
      const types = instanceTypes.get(name)
      return types === undefined ? [] : [stateOf(name, Requirements.fromLabels(labels, labelRules.knowledge), types)]
    })
    .sort((a, b) => compareText(a.name, b.name))
  const reservationKeys =
    labelRules.reservation === undefined ? [] : [labelRules.reservation.id, ...labelRules.reservation.all]
  const verdicts = new Map<string, OverlayVerdict>()
  for (const overlay of [...overlays].sort(compareOverlays)) {
    if (overlay.problems.length > 0) {
      verdicts.set(overlay.name, { _tag: 'Invalid', problems: overlay.problems })
      continue
    }
    const demand = Requirements.fromSpecs(overlay.requirements, labelRules.knowledge)
    const touched = pools.flatMap((pool) => touchedIn(pool, demand, reservationKeys))
    const conflict = conflictOf(overlay, touched)
    if (conflict === undefined) for (const one of touched) claim(overlay, one)
    verdicts.set(overlay.name, conflict ?? { _tag: 'Valid' })
  }
  return copyTypes(pools, instanceTypes, verdicts, previous)
}

const stateOf = (name: string, labels: Requirements, types: ReadonlyArray<InstanceType>): PoolState => {
  const own = Requirements.and(Requirements.of([Requirement.isIn(labelKeys.nodePool, [name])]), labels)
  return {
    name,
    types: types.map((type) => ({
      type,
      labels: Requirements.and(own, type.requirements),
      prices: new Map(),
      priceClaims: new Map(),
      capacity: new Map(),
      capacityClaims: new Map(),
    })),
  }
}

const nothing: ReadonlySet<string> = new Set()

const touchedIn = (
  pool: PoolState,
  demand: Requirements,
  reservationKeys: ReadonlyArray<string>,
): ReadonlyArray<Touched> => {
  const demandedReservation = reservationKeys.filter(
    (key) => Requirements.has(demand, key) && !Requirement.allowsAbsence(Requirements.get(demand, key)),
  )
  const found: Array<Touched> = []
  for (const state of pool.types) {
    if (!Requirements.isCompatible(state.labels, demand, nothing)) continue
    const offerings = state.type.offerings.filter(
      ({ requirements }) =>
        Requirements.intersects(requirements, demand) &&
        // Only the offering of a reservation carries its labels; the others of the type must not be taken for it.
        demandedReservation.every((key) => Requirements.has(requirements, key)),
    )
    if (offerings.length > 0) found.push({ pool: pool.name, state, offerings })
  }
  return found
}

const conflictOf = (overlay: NodeOverlay, touched: ReadonlyArray<Touched>): OverlayVerdict | undefined => {
  for (const { pool, state, offerings } of touched) {
    const at = { nodePool: pool, instanceType: state.type.name }
    if (overlay.price !== undefined)
      for (const offering of offerings) {
        const last = state.priceClaims.get(offering)
        if (last?.weight === overlay.weight) return { _tag: 'Conflict', other: last.overlay, ...at }
      }
    for (const resource of Object.keys(overlay.capacity)) {
      const last = state.capacityClaims.get(resource)
      if (last?.weight === overlay.weight) return { _tag: 'Conflict', other: last.overlay, ...at, resource }
    }
  }
  return undefined
}

const claim = (overlay: NodeOverlay, { state, offerings }: Touched): void => {
  const { name, weight, price, capacity } = overlay
  const mine = { overlay: name, weight }
  if (price !== undefined)
    for (const offering of offerings) {
      if (!state.priceClaims.has(offering)) {
        const changed = changedPrice(offering.pricePerHour, price)
        if (changed !== undefined) state.prices.set(offering, changed)
      }
      state.priceClaims.set(offering, mine)
    }
  for (const resource of Object.keys(capacity)) {
    if (!state.capacityClaims.has(resource)) state.capacity.set(resource, capacity[resource]!)
    state.capacityClaims.set(resource, mine)
  }
}

const copyTypes = (
  pools: ReadonlyArray<PoolState>,
  sources: OverlayInput['instanceTypes'],
  verdicts: OverlayEvaluation['verdicts'],
  previous: OverlayEvaluation | undefined,
): OverlayEvaluation => {
  const instanceTypes = new Map<string, ReadonlyArray<InstanceType>>()
  const copies = new Map<string, ReadonlyMap<InstanceType, Copy>>()
  for (const { name, types } of pools) {
    const known = previous?.copies.get(name)
    const made = new Map<InstanceType, Copy>()
    const overlaid = types.map(({ type, prices, capacity }) => {
      if (prices.size === 0 && capacity.size === 0) return type
      const effects: TypeEffects = { prices, capacity }
      const signature = signatureOf(type, effects)
      const present = known?.get(type)
      const one = present?.signature === signature ? present : { signature, copy: applyEffects(type, effects) }
      made.set(type, one)
      return one.copy
    })
    copies.set(name, made)
    const before = previous?.instanceTypes.get(name)
    const list = made.size === 0 ? sources.get(name)! : isSameList(before, overlaid) ? before : overlaid
    instanceTypes.set(name, list)
  }
  return { instanceTypes, verdicts, copies }
}

const isSameList = (
  before: ReadonlyArray<InstanceType> | undefined,
  after: ReadonlyArray<InstanceType>,
): before is ReadonlyArray<InstanceType> =>
  before !== undefined && before.length === after.length && after.every((type, index) => before[index] === type)
