import type { LabelRules, Pod } from '../cluster/index.ts'
import { compareText, emptyBitset, hasBit, insertBit, invariant, type Bitset } from '../internal/index.ts'
import { annotationKeys, capacityTypes, labelKeys, type Labels } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import type { RequirementSet, RequirementTable } from '../topology/index.ts'
import type { Claim } from './claim.ts'
import type { Catalog } from './catalog.ts'
import { unmetByTypes, overlap, type UnmetMinValues } from './min-values.ts'
import type { Launch } from './plan.ts'
import type { ResourceColumns } from './resource-columns.ts'

/** Types that one launch may name (P-FIN-03). */
export const mostInstanceTypes = 600

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

// What claims of equal requirements and types have in common.
interface Offer {
  readonly instanceTypes: Launch['instanceTypes']
  readonly unmet: ReadonlyArray<UnmetMinValues>
  readonly byKey: ReadonlyMap<string, Requirement>
  readonly customLabels: Labels
  readonly price: number
}

/** Turns packed claims into launches; claims that came out alike share the work. */
export class Finalizer {
  readonly #context: FinalizeContext
  readonly #offers = new Map<Catalog, Map<string, Offer>>()

  constructor(context: FinalizeContext) {
    this.#context = context
  }

  /** The NodeClaim that a packed claim becomes (P-FIN-01…04, P-RSV-07). */
  finalize(claim: Claim): Finalized {
    const { columns, pods, minValuesPolicy, isReference } = this.#context
    const { template } = claim
    const { nodePool } = template
    const { unmet, instanceTypes, byKey, customLabels: custom, price } = this.#offerOf(claim)
    if (minValuesPolicy === 'Strict' && unmet.length > 0) return { unmet }
    const [firstPod, ...otherPods] = claim.pods.map((pod) => pods[pod]!)
    invariant(firstPod !== undefined, 'a claim with a pod')
    const hasRelaxedMinValues = isReference ? template.hasRelaxedMinValues : claim.hasRelaxedMinValues
    return {
      launch: {
        nodePool: nodePool.name,
        pods: [firstPod, ...otherPods],
        requirements: { byKey },
        instanceTypes,
        requests: columns.list(withDaemons(claim, isReference)),
        taints: nodePool.taints,
        startupTaints: nodePool.startupTaints,
        labels: { ...template.labels, ...custom },
        annotations: { ...template.annotations, [annotationKeys.minValuesRelaxed]: String(hasRelaxedMinValues) },
        ...(price === Number.POSITIVE_INFINITY ? {} : { pricePerHour: price }),
      },
    }
  }

  #offerOf(claim: Claim): Offer {
    const { catalog } = claim.template
    const { table, labelRules } = this.#context
    const set = pinned(claim, table, labelRules)
    let offers = this.#offers.get(catalog)
    if (offers === undefined) this.#offers.set(catalog, (offers = new Map()))
    const key = `${set.id}|${claim.variants.join()}`
    let offer = offers.get(key)
    if (offer === undefined) offers.set(key, (offer = makeOffer(catalog, claim.variants, set, labelRules)))
    return offer
  }
}

const makeOffer = (catalog: Catalog, variants: Bitset, set: RequirementSet, labelRules: LabelRules): Offer => {
  const types: Array<number> = []
  const chosen = emptyBitset(catalog.size)
  for (const type of catalog.priceOrder(set)) {
    const variant = catalog.firstVariant(type)
    if (types.length === mostInstanceTypes || !hasBit(variants, variant)) continue
    types.push(type)
    insertBit(chosen, variant)
  }
  catalog.close(chosen)
  const byKey = new Map(set.byKey)
  for (const key of simulationKeys) byKey.delete(key)
  const add = (requirement: Requirement) => {
    const present = byKey.get(requirement.key)
    byKey.set(requirement.key, present === undefined ? requirement : Requirement.intersection(present, requirement))
  }
  const [cheapest, ...others] = types.map((type) => catalog.types[type]!)
  invariant(cheapest !== undefined, 'a claim with a type')
  const instanceTypes = [cheapest, ...others] as const
  add(
    Requirement.isIn(
      labelKeys.instanceType,
      instanceTypes.map(({ name }) => name),
    ),
  )
  const offered = capacityTypesOf(catalog, chosen, set)
  if (offered.length > 0) add(Requirement.isIn(labelKeys.capacityType, offered))
  return {
    instanceTypes,
    unmet: unmetByTypes(catalog, types, set),
    byKey,
    customLabels: customLabels(byKey, labelRules),
    price: catalog.prices(set)[types[0]!] ?? Number.POSITIVE_INFINITY,
  }
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

// The capacity types into which some of the types can be launched now.
const capacityTypesOf = (catalog: Catalog, variants: Bitset, set: RequirementSet): ReadonlyArray<string> => {
  const admitted = catalog.kindsAdmitted(set)
  const found = catalog.kinds.flatMap(({ capacityType, launchable }, kind) =>
    capacityType !== undefined && admitted[kind] === true && overlap(launchable, variants) ? [capacityType] : [],
  )
  return [...new Set(found)].sort(compareText)
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
