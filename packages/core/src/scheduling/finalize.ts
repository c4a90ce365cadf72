import type { LabelRules, Pod } from '../cluster/index.ts'
import { compareText, hasBit, invariant } from '../internal/index.ts'
import { annotationKeys, capacityTypes, labelKeys, type Labels } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import type { RequirementSet, RequirementTable } from '../topology/index.ts'
import type { Claim } from './claim.ts'
import { isLaunchable } from './catalog.ts'
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

/** The NodeClaim that a packed claim becomes (P-FIN-01…04, P-RSV-07). */
export const finalize = (claim: Claim, context: FinalizeContext): Finalized => {
  const { table, columns, pods, labelRules, minValuesPolicy, isReference } = context
  const { template } = claim
  const { catalog, nodePool } = template
  const set = pinned(claim, table, labelRules)
  const types: Array<number> = []
  for (const type of catalog.priceOrder(set)) {
    if (types.length < mostInstanceTypes && hasBit(claim.variants, catalog.firstVariant(type))) types.push(type)
  }
  if (minValuesPolicy === 'Strict') {
    const unmet = unmetByTypes(catalog, types, set)
    if (unmet.length > 0) return { unmet }
  }
  const byKey = new Map(set.byKey)
  for (const key of simulationKeys) byKey.delete(key)
  const add = (requirement: Requirement) => {
    const present = byKey.get(requirement.key)
    byKey.set(requirement.key, present === undefined ? requirement : Requirement.intersection(present, requirement))
  }
  const instanceTypes = types.map((type) => catalog.types[type]!)
  add(
    Requirement.isIn(
      labelKeys.instanceType,
      instanceTypes.map(({ name }) => name),
    ),
  )
  const offered = capacityTypesOf(claim, types, set)
  if (offered.length > 0) add(Requirement.isIn(labelKeys.capacityType, offered))
  const price = catalog.prices(set)[types[0]!] ?? Number.POSITIVE_INFINITY
  const hasRelaxedMinValues = isReference ? template.hasRelaxedMinValues : claim.hasRelaxedMinValues
  const [firstPod, ...otherPods] = claim.pods.map((pod) => pods[pod]!)
  const [cheapest, ...otherTypes] = instanceTypes
  invariant(firstPod !== undefined && cheapest !== undefined, 'a claim with a pod and a type for it')
  return {
    launch: {
      nodePool: nodePool.name,
      pods: [firstPod, ...otherPods],
      requirements: { byKey },
      instanceTypes: [cheapest, ...otherTypes],
      requests: columns.list(withDaemons(claim, isReference)),
      taints: nodePool.taints,
      startupTaints: nodePool.startupTaints,
      labels: { ...template.labels, ...customLabels(byKey, labelRules) },
      annotations: {
        ...template.annotations,
        [annotationKeys.minValuesRelaxed]: String(hasRelaxedMinValues),
      },
      ...(price === Number.POSITIVE_INFINITY ? {} : { pricePerHour: price }),
    },
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

const capacityTypesOf = (
  { template: { catalog } }: Claim,
  types: ReadonlyArray<number>,
  set: RequirementSet,
): ReadonlyArray<string> => {
  const admitted = catalog.kindsAdmitted(set)
  const found = new Set<string>()
  for (const type of types) {
    for (const offering of catalog.offerings[type] ?? []) {
      const capacityType = catalog.kinds[offering.kind]?.capacityType
      if (capacityType !== undefined && admitted[offering.kind] && isLaunchable(offering)) found.add(capacityType)
    }
  }
  return [...found].sort(compareText)
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
const customLabels = (byKey: ReadonlyMap<string, Requirement>, { knowledge }: LabelRules): Labels => {
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
