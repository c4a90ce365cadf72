import type { DaemonSet, HostPort } from '../cluster/index.ts'
import { emptyBitset, hasBit, insertBit, type Bitset } from '../internal/index.ts'
import type { Labels } from '../labels/index.ts'
import { Requirement, Requirements, type Aliases } from '../requirements/index.ts'
import { Taints, type Taint, type Toleration } from '../taints/index.ts'
import type { Demand, RequirementSet, RequirementTable } from '../topology/index.ts'
import type { Catalog } from './catalog.ts'
import { toleratingPreferences } from './relaxation.ts'
import type { ResourceColumns } from './resource-columns.ts'

/** Variants on which the same daemons run (P-DMN-04). */
export interface DaemonGroup {
  readonly variants: Bitset
  readonly hasDaemons: boolean
  /** What the daemons request together. */
  readonly overhead: Float64Array
  readonly hostPorts: ReadonlyArray<HostPort>
}

interface Daemon {
  readonly requests: Float64Array
  readonly hostPorts: ReadonlyArray<HostPort>
  /** One for each alternative of the required node affinity, the node selector included. */
  readonly alternatives: ReadonlyArray<Demand>
  /** The alternatives before this one have been given up, for good (W24). */
  alternative: number
  tolerations: ReadonlyArray<Toleration>
}

/**
 * The daemons of a pass, and where each would run.
 *
 * Asking for a NodePool's groups changes later answers, as in the reference: a daemon that gave up an alternative for
 * one type does not come back to it for later types, pools or nodes (W24), and once asked about a pool it tolerates
 * PreferNoSchedule everywhere.
 */
export class Daemons {
  readonly #table: RequirementTable
  readonly #columns: ResourceColumns
  readonly #daemons: ReadonlyArray<Daemon>

  constructor(
    daemonSets: ReadonlyArray<DaemonSet>,
    columns: ResourceColumns,
    table: RequirementTable,
    aliases: Aliases,
  ) {
    this.#table = table
    this.#columns = columns
    this.#daemons = daemonSets
      // Daemons that claim devices are not planned for (P-DMN-09).
      .filter(({ pod }) => !pod.constraints.usesDynamicResources)
      .map(({ pod: { constraints, requests } }) => {
        const selector = Requirements.fromLabels(constraints.nodeSelector, aliases)
        const terms = constraints.requiredNodeTerms.length === 0 ? [{ expressions: [] }] : constraints.requiredNodeTerms
        return {
          requests: columns.vector(requests),
          hostPorts: constraints.hostPorts,
          alternatives: terms.map(({ expressions }) =>
            table.demand(Requirements.and(selector, Requirements.fromSpecs(expressions, aliases))),
          ),
          alternative: 0,
          tolerations: constraints.tolerations,
        }
      })
  }

  /** The types of a NodePool by the daemons that would run on them, in the order of the types (P-DMN-03). */
  groupsFor(
    pool: { readonly set: RequirementSet; readonly taints: ReadonlyArray<Taint> },
    catalog: Catalog,
    variants: Bitset,
  ): ReadonlyArray<DaemonGroup> {
    const compatible = this.#daemons.map((daemon) => this.#compatibleTypes(daemon, pool, catalog, variants))
    const groups = new Map<string, DaemonGroup>()
    for (let variant = 0; variant < catalog.size; variant += 1) {
      if (!hasBit(variants, variant)) continue
      const members = this.#daemons.filter((_, index) => compatible[index]?.has(catalog.typeOf[variant]!))
      const key = members.map((daemon) => this.#daemons.indexOf(daemon)).join(',')
      let group = groups.get(key)
      if (group === undefined) {
        group = {
          variants: emptyBitset(catalog.size),
          hasDaemons: members.length > 0,
          overhead: this.#sum(members),
          hostPorts: members.flatMap(({ hostPorts }) => hostPorts),
        }
        groups.set(key, group)
      }
      insertBit(group.variants, variant)
    }
    return [...groups.values()]
  }

  /** What the daemons of an existing node request together; only their first alternative counts there (P-DMN-08). */
  requestsOn(taints: ReadonlyArray<Taint>, set: RequirementSet, hostname: string): Float64Array {
    return this.#sum(
      this.#daemons.filter(({ alternatives, alternative, tolerations }) => {
        const demand = alternatives[alternative]
        return (
          demand !== undefined &&
          Taints.areTolerated(taints, tolerations) &&
          this.#table.meets('present', set, hostname, demand)
        )
      }),
    )
  }

  #compatibleTypes(
    daemon: Daemon,
    { set, taints }: { readonly set: RequirementSet; readonly taints: ReadonlyArray<Taint> },
    catalog: Catalog,
    variants: Bitset,
  ): ReadonlySet<number> {
    const found = new Set<number>()
    const types = catalog.typesIn(variants)
    if (types.length > 0) daemon.tolerations = toleratingPreferences(daemon.tolerations)
    if (!Taints.areTolerated(taints, daemon.tolerations)) return found
    let mask: Bitset | undefined
    for (const type of types) {
      for (;;) {
        mask ??= this.#mask(daemon, set, catalog)
        if (hasBit(mask, catalog.firstVariant(type))) {
          found.add(type)
          break
        }
        if (daemon.alternative + 1 >= daemon.alternatives.length) break
        daemon.alternative += 1
        mask = undefined
      }
    }
    return found
  }

  #mask({ alternatives, alternative }: Daemon, set: RequirementSet, catalog: Catalog): Bitset {
    const demand = alternatives[alternative]
    // A node yet to be launched has no hostname to select.
    const isCompatible =
      demand !== undefined &&
      (demand.host === undefined || Requirement.allowsAbsence(demand.host)) &&
      this.#table.isCompatible('future', set, demand.set)
    return isCompatible ? catalog.meeting(demand.set) : emptyBitset(catalog.size)
  }

  #sum(daemons: ReadonlyArray<Daemon>): Float64Array {
    const sum = new Float64Array(this.#columns.count)
    for (const { requests } of daemons) for (const [index, amount] of requests.entries()) sum[index]! += amount
    return sum
  }
}

/** Label keys that any of the daemons selects nodes by. */
export const daemonKeys = (daemonSets: ReadonlyArray<DaemonSet>): ReadonlyArray<string> =>
  daemonSets.flatMap(({ pod: { constraints } }) => [
    ...Object.keys(constraints.nodeSelector satisfies Labels),
    ...constraints.requiredNodeTerms.flatMap(({ expressions }) => expressions.map(({ key }) => key)),
  ])
