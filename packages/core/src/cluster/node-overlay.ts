import type { ResourceList } from '../quantity/index.ts'
import type { RequirementSpec } from '../requirements/index.ts'

/** A correction of what the provider says of instance types, as planners read it. */
export interface NodeOverlay {
  readonly name: string
  /** Higher goes first; 0 where the manifest gives none. */
  readonly weight: number
  readonly requirements: ReadonlyArray<RequirementSpec>
  /** Absent: prices stay. */
  readonly price?: PriceChange
  /** Resources that the nodes hold beside those the provider knows of. */
  readonly capacity: ResourceList
  /** What admission let through and evaluation does not accept, as sentences. Not empty: the overlay is skipped. */
  readonly problems: ReadonlyArray<string>
}

/** What becomes of a price (P-ITO-06). **Units**: the provider's currency per hour; `percent` is signed. */
export type PriceChange =
  | { readonly _tag: 'Replace'; readonly pricePerHour: number }
  | { readonly _tag: 'AddPercent'; readonly percent: number }
  | { readonly _tag: 'AddAmount'; readonly pricePerHour: number }
