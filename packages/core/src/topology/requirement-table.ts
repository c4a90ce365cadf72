import { compareText } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'

/**
 * An interned conjunction of requirements: equal sets are one object, so that verdicts can be remembered by identity.
 *
 * The hostname is never in it. Every node and claim has one of its own, which would make every set unique; demands on it
 * stand beside the set in a {@link Demand}.
 */
export interface RequirementSet {
  readonly id: number
  readonly byKey: ReadonlyMap<string, Requirement>
  /** Keys with minValues, in code-unit order. */
  readonly minKeys: ReadonlyArray<string>
}

/** What a pod, volume or node filter asks of a node: labels, and perhaps of the hostname. */
export interface Demand {
  readonly id: number
  readonly set: RequirementSet
  readonly host?: Requirement
}

/** `future`: a node yet to be launched may still get any well-known label. `present`: it has what it has (P-RQS-06). */
export type Supply = 'future' | 'present'

/**
 * Interns requirement sets and remembers how they combine.
 *
 * A pass meets few distinct sets however many pods there are, so nearly every question is one map look-up.
 */
export class RequirementTable {
  readonly #wellKnown: ReadonlySet<string>
  readonly #nothing: ReadonlySet<string> = new Set()
  readonly #sets = new Map<string, RequirementSet>()
  readonly #demands = new Map<string, Demand>()
  readonly #combined: Record<Supply, Array<Map<number, RequirementSet | null>>> = { future: [], present: [] }
  readonly #narrowed: Record<Supply, Array<Map<string, RequirementSet | null>>> = { future: [], present: [] }
  readonly empty: RequirementSet
  readonly anything: Demand

  constructor(wellKnown: ReadonlySet<string>) {
    this.#wellKnown = wellKnown
    this.empty = this.intern(new Map())
    this.anything = this.demand(Requirements.empty)
  }

  /** How many sets there are; ids count from zero. */
  get size(): number {
    return this.#sets.size
  }

  intern(byKey: ReadonlyMap<string, Requirement>): RequirementSet {
    const signature = [...byKey.keys()]
      .sort(compareText)
      .map((key) => signatureOf(byKey.get(key) ?? Requirement.exists(key)))
      .join('\u0001')
    const known = this.#sets.get(signature)
    if (known !== undefined) return known
    const minKeys = [...byKey.values()].filter(({ minValues }) => minValues !== undefined).map(({ key }) => key)
    const set: RequirementSet = { id: this.#sets.size, byKey, minKeys: minKeys.sort(compareText) }
    this.#sets.set(signature, set)
    return set
  }

  /** The set of a node's or template's requirements, the hostname left out. */
  supply(requirements: Requirements): RequirementSet {
    return this.intern(withoutHost(requirements))
  }

  demand(requirements: Requirements): Demand {
    const set = this.intern(withoutHost(requirements))
    const host = requirements.byKey.get(labelKeys.hostname)
    const signature = host === undefined ? `${set.id}` : `${set.id} ${signatureOf(host)}`
    const known = this.#demands.get(signature)
    if (known !== undefined) return known
    const demand: Demand = { id: this.#demands.size, set, ...(host === undefined ? {} : { host }) }
    this.#demands.set(signature, demand)
    return demand
  }

  /** Both sets at once, or `undefined` where `supply` cannot meet `demand` (P-RQS-03…07). */
  combine(kind: Supply, supply: RequirementSet, demand: RequirementSet): RequirementSet | undefined {
    if (demand === this.empty) return supply
    const memory = (this.#combined[kind][supply.id] ??= new Map())
    const known = memory.get(demand.id)
    if (known !== undefined) return known ?? undefined
    const isCompatible = Requirements.isCompatible(supply, demand, this.#allowUndefined(kind))
    const result = isCompatible ? this.#and(supply, demand) : null
    memory.set(demand.id, result)
    return result ?? undefined
  }

  isCompatible(kind: Supply, supply: RequirementSet, demand: RequirementSet): boolean {
    return this.combine(kind, supply, demand) !== undefined
  }

  /** Whether a node of this name and these labels meets a demand. */
  meets(kind: Supply, supply: RequirementSet, hostname: string, demand: Demand): boolean {
    return (
      (demand.host === undefined || Requirement.has(demand.host, hostname)) &&
      this.isCompatible(kind, supply, demand.set)
    )
  }

  /**
   * `supply` with one key narrowed to the domains that topology leaves, or `undefined` where that cannot be.
   *
   * The reference compares the set with what is left of it, not with the domains: where the set is content with the
   * label's absence, nothing left means no label, which passes (P-TOP-07).
   */
  narrow(
    kind: Supply,
    supply: RequirementSet,
    key: string,
    domains: ReadonlyArray<string>,
  ): RequirementSet | undefined {
    const memory = (this.#narrowed[kind][supply.id] ??= new Map())
    const signature = domains.length === 1 ? `${key}\u0001${domains[0]}` : `${key}\u0001${domains.join('\u0001')}\u0001`
    const known = memory.get(signature)
    if (known !== undefined) return known ?? undefined
    const result = this.#narrow(kind, supply, key, Requirement.isIn(key, domains))
    memory.set(signature, result ?? null)
    return result
  }

  #narrow(kind: Supply, supply: RequirementSet, key: string, domains: Requirement): RequirementSet | undefined {
    const present = supply.byKey.get(key)
    if (present === undefined) {
      const isAllowed = this.#allowUndefined(kind).has(key) || Requirement.allowsAbsence(domains)
      return isAllowed ? this.intern(new Map(supply.byKey).set(key, domains)) : undefined
    }
    const left = Requirement.intersection(present, domains)
    const isAllowed =
      Requirement.hasIntersection(present, left) ||
      (Requirement.allowsAbsence(present) && Requirement.allowsAbsence(left))
    return isAllowed ? this.intern(new Map(supply.byKey).set(key, left)) : undefined
  }

  #allowUndefined(kind: Supply): ReadonlySet<string> {
    return kind === 'future' ? this.#wellKnown : this.#nothing
  }

  #and(supply: RequirementSet, demand: RequirementSet): RequirementSet {
    const byKey = new Map(supply.byKey)
    let isChanged = false
    for (const [key, requirement] of demand.byKey) {
      const present = byKey.get(key)
      const both = present === undefined ? requirement : Requirement.intersection(present, requirement)
      // An unchanged member keeps its identity, under which masks of instance types are remembered.
      if (present !== undefined && signatureOf(present) === signatureOf(both)) continue
      byKey.set(key, both)
      isChanged = true
    }
    return isChanged ? this.intern(byKey) : supply
  }
}

const withoutHost = ({ byKey }: Requirements): ReadonlyMap<string, Requirement> => {
  if (!byKey.has(labelKeys.hostname)) return byKey
  const rest = new Map(byKey)
  rest.delete(labelKeys.hostname)
  return rest
}

/** Text that two requirements share exactly when they are equal. */
export const signatureOf = (requirement: Requirement): string => {
  const { key, complement, gte, lte, minValues } = requirement
  const values = Requirement.sortedValues(requirement).join('\u0003')
  return `${key}\u0002${complement ? '!' : ''}${requirement.values.size}\u0003${values}\u0002${gte ?? ''}\u0002${lte ?? ''}\u0002${minValues ?? ''}`
}
