import type { NodePool } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import { Requirement, Requirements, type Aliases } from '../requirements/index.ts'
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
  /** By key and domain, the places in `pools` of those that offer it. */
  readonly #byKey = new Map<string, ReadonlyMap<string, ReadonlyArray<number>>>()
  readonly #ownRequirements: ReadonlyArray<Requirements>
  /** NodePools, each with all labels that it is sure to give its nodes. */
  readonly pools: ReadonlyArray<{ readonly nodePool: NodePool; readonly requirements: Requirements }>

  constructor(offers: ReadonlyArray<PoolOffer>, aliases: Aliases) {
    this.#offers = offers
    this.#aliases = aliases
    this.#ownRequirements = offers.map(({ nodePool: { requirements, labels } }) =>
      Requirements.and(Requirements.fromSpecs(requirements, this.#aliases), Requirements.fromLabels(labels, aliases)),
    )
    this.pools = offers.map(({ nodePool }, index) => ({
      nodePool,
      requirements: Requirements.and(
        this.#ownRequirements[index] ?? Requirements.empty,
        Requirements.fromLabels(
          {
            [labelKeys.nodePool]: nodePool.name,
            [Labels.nodeClassLabelKey(nodePool.nodeClass)]: nodePool.nodeClass.name,
          },
          aliases,
        ),
      ),
    }))
  }

  /** The domains of a key that some open pool offers, by its place in `pools`. */
  domains(key: string, isOpen: ReadonlyArray<boolean>): ReadonlyArray<string> {
    let byDomain = this.#byKey.get(key)
    if (byDomain === undefined) {
      byDomain = this.#collect(key)
      this.#byKey.set(key, byDomain)
    }
    return [...byDomain].filter(([, pools]) => pools.some((pool) => isOpen[pool])).map(([domain]) => domain)
  }

  #collect(key: string): ReadonlyMap<string, ReadonlyArray<number>> {
    const byDomain = new Map<string, Array<number>>()
    for (const [index, { instanceTypes }] of this.#offers.entries()) {
      const add = (values: Iterable<string>) => {
        for (const value of values) {
          const pools = byDomain.get(value)
          if (pools === undefined) byDomain.set(value, [index])
          else if (pools.at(-1) !== index) pools.push(index)
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
