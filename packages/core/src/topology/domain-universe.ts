import type { NodePool } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { Requirement, Requirements, type Aliases } from '../requirements/index.ts'
import { Taints, type Taint, type Toleration } from '../taints/index.ts'
import { signatureOf } from './requirement-table.ts'

/** A NodePool and the types it may launch. */
export interface PoolOffer {
  readonly nodePool: NodePool
  readonly instanceTypes: ReadonlyArray<InstanceType>
}

/**
 * The domains that NodePools could bring into being, by topology key (P-TOP-02).
 *
 * Over-inclusive on purpose, as the reference is: all types of a pool count, those excluded by other keys too, and the
 * excluded values of a NotIn are domains (weakness W21).
 */
export class DomainUniverse {
  readonly #offers: ReadonlyArray<PoolOffer>
  readonly #aliases: Aliases
  readonly #byKey = new Map<string, ReadonlyMap<string, ReadonlyArray<ReadonlyArray<Taint>>>>()
  readonly #ownRequirements: ReadonlyArray<Requirements>

  constructor(offers: ReadonlyArray<PoolOffer>, aliases: Aliases) {
    this.#offers = offers
    this.#aliases = aliases
    this.#ownRequirements = offers.map(({ nodePool: { requirements, labels } }) =>
      Requirements.and(Requirements.fromSpecs(requirements, this.#aliases), Requirements.fromLabels(labels, aliases)),
    )
  }

  /** The domains of a key; with tolerations, those that some pool offers behind taints that they cover (P-TOP-03). */
  domains(key: string, tolerations: ReadonlyArray<Toleration> | undefined): ReadonlyArray<string> {
    let byDomain = this.#byKey.get(key)
    if (byDomain === undefined) {
      byDomain = this.#collect(key)
      this.#byKey.set(key, byDomain)
    }
    return [...byDomain]
      .filter(
        ([, marks]) => tolerations === undefined || marks.some((taints) => Taints.areTolerated(taints, tolerations)),
      )
      .map(([domain]) => domain)
  }

  #collect(key: string): ReadonlyMap<string, ReadonlyArray<ReadonlyArray<Taint>>> {
    const byDomain = new Map<string, Array<ReadonlyArray<Taint>>>()
    for (const [index, { nodePool, instanceTypes }] of this.#offers.entries()) {
      const add = (values: Iterable<string>) => {
        for (const value of values) {
          const marks = byDomain.get(value)
          if (marks === undefined) byDomain.set(value, [nodePool.taints])
          else if (!marks.includes(nodePool.taints)) marks.push(nodePool.taints)
        }
      }
      const own = this.#ownRequirements[index]?.byKey.get(key)
      const seen = new Set<string>()
      for (const { requirements } of instanceTypes) {
        const offered = requirements.byKey.get(key)
        const both = offered === undefined ? own : own === undefined ? offered : Requirement.intersection(own, offered)
        if (both === undefined) continue
        // Types share few distinct values of a key such as the zone: look at each once.
        const signature = signatureOf(both)
        if (!seen.has(signature)) add(both.values)
        seen.add(signature)
      }
      if (own !== undefined && Requirement.operatorOf(own) === 'In') add(own.values)
    }
    return byDomain
  }
}
