import { capacityTypes, labelKeys, Requirement, Requirements, type UnavailableMark } from '@scantling/core'
import type { Sku } from '../instance-types/index.ts'
import { azureLabelKeys, internalLabelKeys } from '../labels/index.ts'
import type { PlacementScope } from './zones.ts'

/** Which offerings a mark is on. What is left out does not matter. */
export interface MarkedOfferings {
  readonly sku: Pick<Sku, 'name' | 'quotaFamily' | 'vCpus'>
  /** All sizes of the family instead of those at least as large. */
  readonly wholeFamily?: true
  readonly zone?: string
  readonly scope?: PlacementScope
  readonly capacityType?: string
}

/**
 * The offerings of a SKU, and of every size of its family with as many vCPUs or more (Z-UNAV-01, Z-UNAV-03, Z-ERR-10).
 *
 * What there is no room for, there is no room for a larger of. A SKU without a family stands alone. Each size is marked
 * with its own time: a short mark neither shortens a longer one nor lengthens it, as the reference's does (W-06).
 */
export const offeringsLike = ({ sku, wholeFamily, zone, scope, capacityType }: MarkedOfferings): Requirements =>
  Requirements.of([
    ...(sku.quotaFamily === ''
      ? [Requirement.isIn(labelKeys.instanceType, [sku.name])]
      : [
          Requirement.isIn(internalLabelKeys.quotaFamily, [sku.quotaFamily.toLowerCase()]),
          ...(wholeFamily === true ? [] : [atLeastCpus(sku.vCpus)]),
        ]),
    ...placed({ zone, scope, capacityType }),
  ])

/** Every offering of a capacity type with as many vCPUs or more: what a quota of the region keeps out. */
export const offeringsOfSize = (vCpus: number, capacityType: string): Requirements =>
  Requirements.of([atLeastCpus(vCpus), ...placed({ capacityType })])

/** Every spot offering (Z-UNAV-01). */
export const allSpot: Requirements = Requirements.of([Requirement.isIn(labelKeys.capacityType, [capacityTypes.spot])])

/** A mark on offerings that could not be bought. */
export const markOn = (match: Requirements, forMs: number, reason: string, message: string): UnavailableMark => ({
  match,
  forMs,
  reason,
  message,
})

const atLeastCpus = (vCpus: number): Requirement =>
  Requirement.fromSpec({ key: azureLabelKeys.skuCpu, operator: 'Gt', values: [String(vCpus - 1)] })

const placed = ({
  zone,
  scope,
  capacityType,
}: {
  readonly zone?: string | undefined
  readonly scope?: PlacementScope | undefined
  readonly capacityType?: string | undefined
}): ReadonlyArray<Requirement> => [
  ...(zone === undefined ? [] : [Requirement.isIn(labelKeys.zone, [zone])]),
  ...(scope === undefined ? [] : [Requirement.isIn(azureLabelKeys.placementScope, [scope])]),
  ...(capacityType === undefined ? [] : [Requirement.isIn(labelKeys.capacityType, [capacityType])]),
]
