import type { LabelRules, Pod } from '../cluster/index.ts'
import { compareText, invariant } from '../internal/index.ts'
import { annotationKeys, capacityTypes, labelKeys, type Labels } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import type { RequirementSet, RequirementTable } from '../topology/index.ts'
import type { Claim } from './claim.ts'
import type { Catalog } from './catalog.ts'
import { overlap, type UnmetMinValues } from './min-values.ts'
import { Offer } from './offer.ts'
import type { Launch } from './plan.ts'
import type { ResourceColumns } from './resource-columns.ts'

// Marks of a started node that stand in templates for the sake of daemons only (P-SCH-02).
const simulationKeys: ReadonlySet<string> = new Set([labelKeys.registered, labelKeys.initialized])

export interface FinalizeContext {
  readonly table: RequirementTable
  readonly columns: ResourceColumns
  readonly pods: ReadonlyArray<Pod>
  readonly labelRules: LabelRules
  readonly minValuesPolicy: 'Strict' | 'BestEffort'
  /** Whether to repeat the reference's slips in what a launch states (W25, W26). */
  readonly isReference: boolean
}

/** A launch, or the minValues that its types fail once only the cheapest are kept (P-FLT-09). */
export type Finalized = { readonly launch: Launch } | { readonly unmet: ReadonlyArray<UnmetMinValues> }

// What launches of equal requirements and types have in common.
interface Terms {
  readonly instanceTypes: Launch['instanceTypes']
  readonly byKey: ReadonlyMap<string, Requirement>
  readonly customLabels: Labels
}

interface SharedOffer {
  readonly offer: Offer
  readonly unmet: ReadonlyArray<UnmetMinValues>
}

/** Turns packed claims into launches; claims that came out alike share the work. */
export class Finalizer {
  readonly #context: FinalizeContext
  readonly #offers = new Map<Catalog, Map<string, SharedOffer>>()
  readonly #terms = new Map<Offer, Terms>()

  constructor(context: FinalizeContext) {
    this.#context = context
  }

  /** The NodeClaim that a packed claim becomes (P-FIN-01…04, P-RSV-07). */
  finalize(claim: Claim): Finalized {
    const { offer, unmet } = this.offerOf(claim)
    if (this.#context.minValuesPolicy === 'Strict' && unmet.length > 0) return { unmet }
    // The reference looks at what the template's last claim did (W26).
    if (this.#context.isReference) claim.hasRelaxedMinValues = claim.template.hasRelaxedMinValues
    return { launch: this.launch(claim, offer) }
  }

  /** What the claim may become, and the minValues that its cheapest types fail. */
  offerOf(claim: Claim): SharedOffer {
    const { catalog } = claim.template
    const { table, labelRules } = this.#context
    const set = pinned(claim, table, labelRules)
    let offers = this.#offers.get(catalog)
    if (offers === undefined) this.#offers.set(catalog, (offers = new Map()))
    const key = `${set.id}|${claim.variants.join()}`
    let shared = offers.get(key)
    if (shared === undefined) {
      const offer = Offer.of(catalog, set, claim.variants, table)
      offers.set(key, (shared = { offer, unmet: offer.unmetMinValues() }))
    }
    return shared
  }

  /** The claim launched on the terms of an offer: that of {@link offerOf}, or one narrowed from it. */
  launch(claim: Claim, offer: Offer): Launch {
    const { columns, pods, isReference } = this.#context
    const { template } = claim
    const { nodePool } = template
    const { instanceTypes, byKey, customLabels: custom } = this.#termsOf(offer)
    const [firstPod, ...otherPods] = claim.pods.map((pod) => pods[pod]!)
    invariant(firstPod !== undefined, 'a claim with a pod')
    const price = offer.pricePerHour
    return {
      nodePool: nodePool.name,
      pods: [firstPod, ...otherPods],
      requirements: { byKey },
      instanceTypes,
      requests: columns.list(withDaemons(claim, isReference)),
      taints: nodePool.taints,
      startupTaints: nodePool.startupTaints,
      labels: { ...template.labels, ...custom },
      annotations: { ...template.annotations, [annotationKeys.minValuesRelaxed]: String(claim.hasRelaxedMinValues) },
      ...(price === Number.POSITIVE_INFINITY ? {} : { pricePerHour: price }),
    }
  }

  #termsOf(offer: Offer): Terms {
    let terms = this.#terms.get(offer)
    if (terms === undefined) this.#terms.set(offer, (terms = termsOf(offer, this.#context.labelRules)))
    return terms
  }
}

const termsOf = (offer: Offer, labelRules: LabelRules): Terms => {
  const byKey = new Map(offer.set.byKey)
  for (const key of simulationKeys) byKey.delete(key)
  const add = (requirement: Requirement) => {
    const present = byKey.get(requirement.key)
    byKey.set(requirement.key, present === undefined ? requirement : Requirement.intersection(present, requirement))
  }
  const [cheapest, ...others] = offer.types.map((type) => offer.catalog.types[type]!)
  invariant(cheapest !== undefined, 'a claim with a type')
  add(Requirement.isIn(labelKeys.instanceType, offer.names))
  const offered = offer.capacityTypes()
  if (offered.length > 0) add(Requirement.isIn(labelKeys.capacityType, offered))
  return { instanceTypes: [cheapest, ...others], byKey, customLabels: customLabels(byKey, labelRules) }
}

// A claim that holds reservations must use one: whatever was asked of the capacity type before is overwritten.
const pinned = ({ set, reserved }: Claim, table: RequirementTable, { reservation }: LabelRules): RequirementSet => {
  if (reserved.size === 0) return set
  const byKey = new Map(set.byKey)
  byKey.set(labelKeys.capacityType, Requirement.isIn(labelKeys.capacityType, [capacityTypes.reserved]))
  if (reservation !== undefined) {
    const ids = Requirement.isIn(reservation.id, [...reserved].sort(compareText))
    const present = byKey.get(reservation.id)
    byKey.set(reservation.id, present === undefined ? ids : Requirement.intersection(present, ids))
  }
  return table.intern(byKey)
}

/**
 * The pods' requests and the least that daemons add on any remaining type (P-DMN-07).
 *
 * The reference takes a group without daemons that comes first for "not set yet", and lets one that comes later reset
 * the minimum, so that the groups after it decide alone (W25).
 */
const withDaemons = (claim: Claim, isReference: boolean): Float64Array => {
  let least: Float64Array | undefined
  for (const { variants, hasDaemons, overhead } of claim.template.groups) {
    if (!overlap(claim.variants, variants)) continue
    if (!hasDaemons) {
      if (!isReference) return claim.requests
      least = undefined
    } else least = least === undefined ? overhead : overhead.map((amount, index) => Math.min(amount, least![index]!))
  }
  return least === undefined ? claim.requests : claim.requests.map((amount, index) => amount + least[index]!)
}

// P-FIN-04. The reference draws at random where several values are allowed; the first in order serves as well.
export const customLabels = (byKey: ReadonlyMap<string, Requirement>, { knowledge }: LabelRules): Labels => {
  const labels: Record<string, string> = {}
  for (const [key, requirement] of byKey) {
    if (knowledge.wellKnown.has(key)) continue
    const value = someValue(requirement)
    if (value !== undefined) labels[key] = value
  }
  return labels
}

const someValue = (requirement: Requirement): string | undefined => {
  if (!requirement.complement) return Requirement.sortedValues(requirement)[0]
  const { gte = 0, lte = Number.MAX_SAFE_INTEGER, values } = requirement
  for (let value = gte; value <= lte; value += 1) if (!values.has(String(value))) return String(value)
  return undefined
}
