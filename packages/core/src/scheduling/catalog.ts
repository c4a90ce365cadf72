import type { InstanceType, Offering } from '../instance/index.ts'
import {
  compareNumber,
  compareText,
  emptyBitset,
  fullBitset,
  hasBit,
  insertBit,
  intersectInto,
  uniteInto,
  type Bitset,
} from '../internal/index.ts'
import { capacityTypes, labelKeys } from '../labels/index.ts'
import { Resources, type ResourceList } from '../quantity/index.ts'
import { Requirement, type Requirements } from '../requirements/index.ts'
import { signatureOf, type RequirementSet, type RequirementTable } from '../topology/index.ts'
import type { ResourceColumns } from './resource-columns.ts'

/** Offerings of one place and kind, whichever type they belong to. */
export interface OfferingKind {
  readonly set: RequirementSet
  readonly capacityType: string | undefined
  /** Set for reserved offerings. */
  readonly reservationId?: string
  /** Variants that have an available offering of this kind, and those that could be launched into it now. */
  readonly variants: Bitset
  readonly launchable: Bitset
}

/** An available offering as the catalog keeps it. */
export interface CompiledOffering {
  readonly kind: number
  readonly pricePerHour: number
  readonly isReserved: boolean
  /** Left in the reservation; 0 where the offering is not reserved. */
  readonly remaining: number
}

/** Capacity types as launches prefer them: the first that can be had decides (P-PRC-04). */
const launchPrecedence = [capacityTypes.reserved, capacityTypes.spot, capacityTypes.onDemand]

interface KeyIndex {
  readonly groups: ReadonlyArray<{ readonly requirement: Requirement; readonly variants: Bitset }>
  /** Variants whose type says nothing of the key. */
  readonly silent: Bitset
}

interface LevelIndex {
  /** Distinct amounts, ascending. */
  readonly levels: Float64Array
  /** Beside each level, the variants that have at least that much; none beside the end. */
  readonly atLeast: ReadonlyArray<Bitset>
}

const none: Bitset = new Uint32Array(0)

/**
 * The instance types of one list, compiled for questions about all of them at once.
 *
 * A *variant* is a type with one of its allocatable amounts: offerings may override capacity and overhead, and fit and
 * offering must hold for one and the same variant (P-FLT-02). Nearly every type has one variant. Sets of candidates are
 * bitsets of variants in which the variants of one type stand or fall together.
 */
export class Catalog {
  readonly types: ReadonlyArray<InstanceType>
  readonly kinds: ReadonlyArray<OfferingKind>
  /** Available offerings by type. */
  readonly offerings: ReadonlyArray<ReadonlyArray<CompiledOffering>>
  /** Type by variant. */
  readonly typeOf: ReadonlyArray<number>
  readonly isPlain: boolean
  readonly hasReservations: boolean
  /** Allocatable by resource, then variant. */
  readonly allocatable: ReadonlyArray<Float64Array>
  /** Whole capacity by type. */
  readonly capacity: ReadonlyArray<Float64Array>
  readonly attachmentDrivers: ReadonlySet<string>
  readonly #table: RequirementTable
  readonly #viable: Bitset
  readonly #keys = new Map<string, KeyIndex>()
  readonly #fits: Array<LevelIndex | undefined> = []
  readonly #capacities: Array<LevelIndex | undefined> = []
  readonly #capacityColumns: Array<Float64Array | undefined> = []
  readonly #candidates: Array<Bitset | undefined> = []
  readonly #keyMasks = new Map<Requirement, Bitset>()
  readonly #kindsBySet: Array<ReadonlyArray<boolean> | undefined> = []
  readonly #priceOrders: Array<ReadonlyArray<number> | undefined> = []
  readonly #prices: Array<ReadonlyArray<number> | undefined> = []
  readonly #worstPrices: Array<ReadonlyArray<number> | undefined> = []

  constructor(
    types: ReadonlyArray<InstanceType>,
    columns: ResourceColumns,
    table: RequirementTable,
    reservationKey: string | undefined,
  ) {
    this.types = types
    this.#table = table
    const typeOf: Array<number> = []
    const rows: Array<Float64Array> = []
    const kinds = new Map<
      string,
      OfferingKind & { readonly members: Array<number>; readonly launchableMembers: Array<number> }
    >()
    const kindIndexes = new Map<string, number>()
    this.offerings = types.map((type, index) => {
      const variants = variantsOf(type, columns)
      const first = typeOf.length
      for (const { allocatable } of variants) {
        typeOf.push(index)
        rows.push(allocatable)
      }
      return variants.flatMap(({ offerings }, position) =>
        offerings.map((offering) => {
          const key = signatureOfAll(offering.requirements)
          let kind = kinds.get(key)
          if (kind === undefined) {
            kind = {
              ...kindOf(offering, table, reservationKey),
              variants: none,
              launchable: none,
              members: [],
              launchableMembers: [],
            }
            kindIndexes.set(key, kinds.size)
            kinds.set(key, kind)
          }
          kind.members.push(first + position)
          const compiled: CompiledOffering = {
            kind: kindIndexes.get(key) ?? 0,
            pricePerHour: offering.pricePerHour ?? Number.POSITIVE_INFINITY,
            isReserved: kind.capacityType === capacityTypes.reserved,
            remaining: offering.reservation?.remaining ?? 0,
          }
          if (isLaunchable(compiled)) kind.launchableMembers.push(first + position)
          return compiled
        }),
      )
    })
    this.typeOf = typeOf
    this.isPlain = typeOf.length === types.length
    const setOf = (members: ReadonlyArray<number>) => {
      const set = emptyBitset(typeOf.length)
      for (const member of members) insertBit(set, member)
      return set
    }
    this.kinds = [...kinds.values()].map(({ members, launchableMembers, ...kind }) => ({
      ...kind,
      variants: setOf(members),
      launchable: setOf(launchableMembers),
    }))
    this.hasReservations = this.kinds.some(({ capacityType }) => capacityType === capacityTypes.reserved)
    this.allocatable = columns.names.map((_, resource) => Float64Array.from(rows, (row) => row[resource] ?? 0))
    this.capacity = types.map(({ capacity }) => columns.vector(capacity))
    this.attachmentDrivers = new Set(types.flatMap((type) => [...(type.volumeAttachmentLimits?.keys() ?? [])]))
    this.#viable = emptyBitset(typeOf.length)
    for (const [variant, row] of rows.entries())
      if (row.every((amount) => amount >= 0)) insertBit(this.#viable, variant)
  }

  get size(): number {
    return this.typeOf.length
  }

  /** Every variant. */
  all(): Bitset {
    return fullBitset(this.size)
  }

  /** Variants that meet the set and have an available offering for it. Cost: one look-up for a set seen before. */
  candidates(set: RequirementSet): Bitset {
    const known = this.#candidates[set.id]
    if (known !== undefined) return known
    const mask = this.meeting(set)
    intersectInto(mask, this.offered(set))
    this.#candidates[set.id] = mask
    return mask
  }

  /** Variants whose type's requirements overlap the set's on every key that both mention. */
  meeting(set: RequirementSet): Bitset {
    const mask = this.all()
    for (const requirement of set.byKey.values()) intersectInto(mask, this.#keyMask(requirement))
    return mask
  }

  /** Variants with an available offering compatible with the set. */
  offered(set: RequirementSet): Bitset {
    const mask = emptyBitset(this.size)
    const admitted = this.kindsAdmitted(set)
    for (const [index, kind] of this.kinds.entries()) if (admitted[index]) uniteInto(mask, kind.variants)
    return mask
  }

  /** Which offering kinds the set admits, by index. */
  kindsAdmitted(set: RequirementSet): ReadonlyArray<boolean> {
    return (this.#kindsBySet[set.id] ??= this.kinds.map((kind) => this.#table.isCompatible('future', set, kind.set)))
  }

  /** Leaves in `target` the variants that have room for `total` beside `extra`. Negative allocatables never fit (P-RES-02). */
  keepFitting(target: Bitset, total: Float64Array, extra: Float64Array | undefined): void {
    intersectInto(target, this.#viable)
    for (let resource = 0; resource < total.length; resource += 1) {
      const needed = total[resource]! + (extra === undefined ? 0 : extra[resource]!)
      if (needed > 0) intersectInto(target, this.#atLeast(resource, needed))
    }
  }

  /** The variants whose type has at most this much of a resource in all. */
  withinCapacity(resource: number, most: number): Bitset {
    const { levels, atLeast } = (this.#capacities[resource] ??= this.#levelIndex(this.#capacityColumn(resource)))
    let beyond = firstLevel(levels, most)
    if (levels[beyond] === most) beyond += 1
    const within = this.all()
    for (let word = 0; word < within.length; word += 1) within[word]! &= ~atLeast[beyond]![word]!
    return within
  }

  /** The most of a resource that any of the variants' types has in all; 0 for no variants. */
  mostCapacity(resource: number, variants: Bitset): number {
    const amounts = this.#capacityColumn(resource)
    let most = 0
    for (let word = 0; word < variants.length; word += 1) {
      for (let bits = variants[word]!; bits !== 0; bits = (bits & (bits - 1)) >>> 0) {
        const amount = amounts[(word << 5) + (31 - Math.clz32(bits & -bits))]!
        if (amount > most) most = amount
      }
    }
    return most
  }

  /** Adds the other variants of every type that is in `target`. */
  close(target: Bitset): void {
    if (this.isPlain) return
    const types = new Set<number>()
    for (const [variant, type] of this.typeOf.entries()) if (hasBit(target, variant)) types.add(type)
    for (const [variant, type] of this.typeOf.entries()) if (types.has(type)) insertBit(target, variant)
  }

  /** A variant of the type; the others are in a set of candidates exactly when it is. */
  firstVariant(type: number): number {
    return this.isPlain ? type : this.typeOf.indexOf(type)
  }

  /** The types in a set of variants, ascending. */
  typesIn(variants: Bitset): ReadonlyArray<number> {
    const types: Array<number> = []
    for (const [variant, type] of this.typeOf.entries()) {
      if (hasBit(variants, variant) && types.at(-1) !== type) types.push(type)
    }
    return types
  }

  /** Every type by its cheapest launchable offering that the set admits, then by name (P-PRC-01). */
  priceOrder(set: RequirementSet): ReadonlyArray<number> {
    const known = this.#priceOrders[set.id]
    if (known !== undefined) return known
    const prices = this.prices(set)
    const order = [...this.types.keys()].sort(
      (a, b) =>
        compareNumber(prices[a] ?? 0, prices[b] ?? 0) ||
        compareText(this.types[a]?.name ?? '', this.types[b]?.name ?? ''),
    )
    this.#priceOrders[set.id] = order
    return order
  }

  /** By type, the price of the cheapest launchable offering that the set admits; infinite where there is none. */
  prices(set: RequirementSet): ReadonlyArray<number> {
    const known = this.#prices[set.id]
    if (known !== undefined) return known
    const admitted = this.kindsAdmitted(set)
    const prices = this.offerings.map((offerings) => {
      let cheapest = Number.POSITIVE_INFINITY
      for (const offering of offerings) {
        if (offering.pricePerHour < cheapest && isLaunchable(offering) && admitted[offering.kind]) {
          cheapest = offering.pricePerHour
        }
      }
      return cheapest
    })
    this.#prices[set.id] = prices
    return prices
  }

  /**
   * By type, the most that a launch under the set may cost: the dearest launchable offering of the first capacity type
   * that has any, in the order in which launches prefer them; infinite where there is none (P-PRC-04).
   */
  worstPrices(set: RequirementSet): ReadonlyArray<number> {
    const known = this.#worstPrices[set.id]
    if (known !== undefined) return known
    const admitted = this.kindsAdmitted(set)
    const prices = this.offerings.map((offerings) => {
      for (const capacityType of launchPrecedence) {
        let dearest = Number.NEGATIVE_INFINITY
        for (const offering of offerings) {
          const isMeant = this.kinds[offering.kind]?.capacityType === capacityType && admitted[offering.kind]
          if (isMeant && isLaunchable(offering)) dearest = Math.max(dearest, offering.pricePerHour)
        }
        if (dearest !== Number.NEGATIVE_INFINITY) return dearest
      }
      return Number.POSITIVE_INFINITY
    })
    this.#worstPrices[set.id] = prices
    return prices
  }

  #keyMask(requirement: Requirement): Bitset {
    const known = this.#keyMasks.get(requirement)
    if (known !== undefined) return known
    const { groups, silent } = this.#keyIndex(requirement.key)
    const mask = silent.slice()
    for (const group of groups) {
      const overlaps =
        Requirement.hasIntersection(group.requirement, requirement) ||
        (Requirement.allowsAbsence(group.requirement) && Requirement.allowsAbsence(requirement))
      if (overlaps) uniteInto(mask, group.variants)
    }
    this.#keyMasks.set(requirement, mask)
    return mask
  }

  #keyIndex(key: string): KeyIndex {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const silent = emptyBitset(this.size)
    const bySignature = new Map<string, { readonly requirement: Requirement; readonly variants: Bitset }>()
    for (const [variant, type] of this.typeOf.entries()) {
      const requirement = this.types[type]?.requirements.byKey.get(key)
      if (requirement === undefined) {
        insertBit(silent, variant)
        continue
      }
      const signature = signatureOf(requirement)
      let group = bySignature.get(signature)
      if (group === undefined) bySignature.set(signature, (group = { requirement, variants: emptyBitset(this.size) }))
      insertBit(group.variants, variant)
    }
    const index: KeyIndex = { groups: [...bySignature.values()], silent }
    this.#keys.set(key, index)
    return index
  }

  #atLeast(resource: number, needed: number): Bitset {
    const { levels, atLeast } = (this.#fits[resource] ??= this.#levelIndex(this.allocatable[resource]!))
    return atLeast[firstLevel(levels, needed)]!
  }

  #capacityColumn(resource: number): Float64Array {
    return (this.#capacityColumns[resource] ??= Float64Array.from(
      this.typeOf,
      (type) => this.capacity[type]?.[resource] ?? 0,
    ))
  }

  #levelIndex(amounts: Float64Array): LevelIndex {
    const levels = Float64Array.from(new Set(amounts)).sort()
    const atLeast: Array<Bitset> = Array.from({ length: levels.length + 1 }, () => none)
    const byAmount = new Map<number, Array<number>>()
    for (const [variant, amount] of amounts.entries()) {
      const members = byAmount.get(amount)
      if (members === undefined) byAmount.set(amount, [variant])
      else members.push(variant)
    }
    let mask = emptyBitset(this.size)
    atLeast[levels.length] = mask
    for (let level = levels.length - 1; level >= 0; level -= 1) {
      mask = mask.slice()
      for (const variant of byAmount.get(levels[level]!) ?? []) insertBit(mask, variant)
      atLeast[level] = mask
    }
    return { levels, atLeast }
  }
}

// The first level that is no less than an amount, or the end.
const firstLevel = (levels: Float64Array, amount: number): number => {
  let low = 0
  let high = levels.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (levels[middle]! < amount) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether a node can be launched into the offering now: a reservation that is full cannot. */
export const isLaunchable = (offering: CompiledOffering): boolean => !offering.isReserved || offering.remaining > 0

/** Whether the offering counts at all: the provider can sell it and says for how much. */
export const isAvailable = (offering: Offering): boolean =>
  offering.unavailable === undefined && offering.pricePerHour !== undefined

/** The reservation's name, for a reserved offering. */
export const reservationIdOf = (offering: Offering, reservationKey: string | undefined): string | undefined => {
  const { byKey } = offering.requirements
  const capacityType = byKey.get(labelKeys.capacityType)
  if (capacityType === undefined || Requirement.singleValue(capacityType) !== capacityTypes.reserved) return undefined
  const id = reservationKey === undefined ? undefined : byKey.get(reservationKey)
  return (id === undefined ? undefined : Requirement.singleValue(id)) ?? ''
}

const kindOf = (
  offering: Offering,
  table: RequirementTable,
  reservationKey: string | undefined,
): Omit<OfferingKind, 'variants' | 'launchable'> => {
  const capacityType = offering.requirements.byKey.get(labelKeys.capacityType)
  const reservationId = reservationIdOf(offering, reservationKey)
  return {
    set: table.supply(offering.requirements),
    capacityType: capacityType === undefined ? undefined : Requirement.singleValue(capacityType),
    ...(reservationId === undefined ? {} : { reservationId }),
  }
}

const signatureOfAll = ({ byKey }: Requirements): string =>
  [...byKey.values()].map(signatureOf).sort(compareText).join('\u0001')

interface Variant {
  readonly allocatable: Float64Array
  readonly offerings: ReadonlyArray<Offering>
}

// The first variant is the type as it stands; offerings with overrides follow, grouped by them (P-ITO-04).
const variantsOf = (type: InstanceType, columns: ResourceColumns): ReadonlyArray<Variant> => {
  const available = type.offerings.filter(isAvailable)
  const plain = available.filter((offering) => !isOverriding(offering))
  const variants: Array<Variant> = [{ allocatable: allocatableOf(type, undefined, columns), offerings: plain }]
  const groups = new Map<string, [Offering, ...Array<Offering>]>()
  for (const offering of available) {
    if (!isOverriding(offering)) continue
    const key = `${listSignature(offering.capacity)}|${listSignature(offering.overhead)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [offering])
    else group.push(offering)
  }
  for (const offerings of groups.values()) {
    variants.push({ allocatable: allocatableOf(type, offerings[0], columns), offerings })
  }
  return variants
}

const isOverriding = ({ capacity, overhead }: Offering): boolean =>
  overhead !== undefined || (capacity !== undefined && Object.keys(capacity).length > 0)

const listSignature = (list: ResourceList | undefined): string =>
  list === undefined ? '' : JSON.stringify(Object.entries(list).sort(([a], [b]) => compareText(a, b)))

/** Capacity less overhead for what the capacity names; huge pages come out of the memory (P-ITO-03). */
const allocatableOf = (type: InstanceType, offering: Offering | undefined, columns: ResourceColumns): Float64Array => {
  const { kubeReserved, systemReserved, evictionThreshold } = type.overhead
  const capacity = { ...type.capacity, ...offering?.capacity }
  const row = columns.vector(capacity)
  const reserved =
    offering?.overhead === undefined
      ? [kubeReserved, systemReserved, evictionThreshold]
      : [{ ...Resources.add(kubeReserved, systemReserved, evictionThreshold), ...offering.overhead }]
  for (const overhead of reserved) {
    for (const name of Object.keys(overhead)) {
      const resource = columns.index(name)
      const amount = overhead[name]
      if (resource === undefined || amount === undefined || !Object.hasOwn(capacity, name)) continue
      row[resource]! -= columns.amount(resource, amount)
    }
  }
  const memory = columns.index('memory')
  for (const name of Object.keys(capacity)) {
    const resource = name.startsWith('hugepages-') ? columns.index(name) : undefined
    const amount = capacity[name]
    if (resource === undefined || memory === undefined || amount === undefined) continue
    // Bytes on both sides, in units that may differ.
    const bytes = columns.quantity(resource, columns.amount(resource, amount))
    row[memory] = Math.max(0, row[memory]! - columns.amount(memory, bytes))
  }
  return row
}
