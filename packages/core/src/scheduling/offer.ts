import { compareText, emptyBitset, hasBit, insertBit, type Bitset } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import type { RequirementSet, RequirementTable } from '../topology/index.ts'
import type { Catalog } from './catalog.ts'
import { overlap, unmetByTypes, type UnmetMinValues } from './min-values.ts'

/** Types that one launch may name (P-FIN-03). */
export const mostInstanceTypes = 600

/**
 * What a node to be launched may become: requirements, and the types that are left, cheapest first.
 *
 * A value; narrowing makes another. Types are indexes into the catalog.
 */
export class Offer {
  readonly catalog: Catalog
  readonly set: RequirementSet
  readonly types: ReadonlyArray<number>
  readonly #table: RequirementTable

  constructor(catalog: Catalog, set: RequirementSet, types: ReadonlyArray<number>, table: RequirementTable) {
    this.catalog = catalog
    this.set = set
    this.types = types
    this.#table = table
  }

  /** The cheapest of the variants' types under the set, as many as one launch may name. */
  static of(catalog: Catalog, set: RequirementSet, variants: Bitset, table: RequirementTable): Offer {
    const types: Array<number> = []
    for (const type of catalog.priceOrder(set)) {
      if (types.length === mostInstanceTypes) break
      if (hasBit(variants, catalog.firstVariant(type))) types.push(type)
    }
    return new Offer(catalog, set, types, table)
  }

  /** Whether a node of this capacity type would do. */
  admits(capacityType: string): boolean {
    const requirement = this.set.byKey.get(labelKeys.capacityType)
    return requirement === undefined || Requirement.has(requirement, capacityType)
  }

  /** The same types, launched as one capacity type only. */
  pinnedTo(capacityType: string): Offer {
    const pin = Requirement.isIn(labelKeys.capacityType, [capacityType])
    const present = this.set.byKey.get(labelKeys.capacityType)
    const byKey = new Map(this.set.byKey)
    byKey.set(labelKeys.capacityType, present === undefined ? pin : Requirement.intersection(present, pin))
    return new Offer(this.catalog, this.#table.intern(byKey), this.types, this.#table)
  }

  /** The types that have an available offering under the set, full reservations included. */
  onSale(): Offer {
    const offered = this.catalog.offered(this.set)
    this.catalog.close(offered)
    return this.#keeping((type) => hasBit(offered, this.catalog.firstVariant(type)))
  }

  /** The types whose launch costs less than `pricePerHour` at worst (P-PRC-04, P-PRC-05). */
  below(pricePerHour: number): Offer {
    const worst = this.catalog.worstPrices(this.set)
    return this.#keeping((type) => worst[type]! < pricePerHour)
  }

  /** The same types by their price under the set as it is now: narrowing keeps the order of before. */
  inOrder(): Offer {
    const left = new Set(this.types)
    const types = this.catalog.priceOrder(this.set).filter((type) => left.has(type))
    return new Offer(this.catalog, this.set, types, this.#table)
  }

  /** The first of the types. */
  cheapest(count: number): Offer {
    return this.types.length <= count
      ? this
      : new Offer(this.catalog, this.set, this.types.slice(0, count), this.#table)
  }

  get hasMinValues(): boolean {
    return this.set.minKeys.length > 0
  }

  /** The keys whose minValues the types fail; no types at all fail nothing (P-MIN-02). */
  unmetMinValues(): ReadonlyArray<UnmetMinValues> {
    return this.types.length === 0 ? [] : unmetByTypes(this.catalog, this.types, this.set)
  }

  /** How many of the first types meet every minValues; all of them where none do. */
  typesForMinValues(): number {
    for (let count = 1; count < this.types.length; count += 1) {
      if (unmetByTypes(this.catalog, this.types.slice(0, count), this.set).length === 0) return count
    }
    return this.types.length
  }

  /** The price of the first type's cheapest offering under the set; infinite where it has none. */
  get pricePerHour(): number {
    const [first] = this.types
    return first === undefined
      ? Number.POSITIVE_INFINITY
      : (this.catalog.prices(this.set)[first] ?? Number.POSITIVE_INFINITY)
  }

  /** Names of the types, in order. */
  get names(): ReadonlyArray<string> {
    return this.types.map((type) => this.catalog.types[type]!.name)
  }

  /** The capacity types into which some of the types can be launched now. */
  capacityTypes(): ReadonlyArray<string> {
    const variants = emptyBitset(this.catalog.size)
    for (const type of this.types) insertBit(variants, this.catalog.firstVariant(type))
    this.catalog.close(variants)
    const admitted = this.catalog.kindsAdmitted(this.set)
    const found = this.catalog.kinds.flatMap(({ capacityType, launchable }, kind) =>
      capacityType !== undefined && admitted[kind] === true && overlap(launchable, variants) ? [capacityType] : [],
    )
    return [...new Set(found)].sort(compareText)
  }

  #keeping(isKept: (type: number) => boolean): Offer {
    const types = this.types.filter(isKept)
    return types.length === this.types.length ? this : new Offer(this.catalog, this.set, types, this.#table)
  }
}
