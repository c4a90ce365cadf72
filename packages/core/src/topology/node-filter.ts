import type { PodConstraints, TopologySpreadConstraint } from '../cluster/index.ts'
import { Requirements, type Aliases } from '../requirements/index.ts'
import { Taints, type Taint, type Toleration } from '../taints/index.ts'
import type { Demand, RequirementSet, RequirementTable } from './requirement-table.ts'

/** Stands for the name of a node that does not exist yet. */
const unnamed = 'hostname-placeholder'

/** Which nodes a spread constraint counts (P-TSC-06). */
export class NodeFilter {
  readonly #table: RequirementTable
  /** Alternatives; empty: every node's labels are fine. */
  readonly #terms: ReadonlyArray<Demand>
  /** Absent: taints do not matter. */
  readonly #tolerations: ReadonlyArray<Toleration> | undefined
  readonly #tolerated = new Map<ReadonlyArray<Taint>, boolean>()

  constructor(
    table: RequirementTable,
    constraints: Pick<PodConstraints, 'nodeSelector' | 'requiredNodeTerms' | 'tolerations'>,
    policies: Pick<TopologySpreadConstraint, 'nodeAffinityPolicy' | 'nodeTaintsPolicy'>,
    aliases: Aliases,
  ) {
    this.#table = table
    const selector = Requirements.fromLabels(constraints.nodeSelector, aliases)
    this.#terms =
      policies.nodeAffinityPolicy === 'Ignore'
        ? []
        : constraints.requiredNodeTerms.length === 0
          ? [table.demand(selector)]
          : constraints.requiredNodeTerms.map(({ expressions }) =>
              table.demand(Requirements.and(selector, Requirements.fromSpecs(expressions, aliases))),
            )
    this.#tolerations = policies.nodeTaintsPolicy === 'Honor' ? constraints.tolerations : undefined
  }

  /** Labels must be there: even a node yet to be launched counts only once its labels are known (P-TSC-07). */
  matches(taints: ReadonlyArray<Taint>, labels: RequirementSet, hostname: string): boolean {
    return (
      (this.#terms.length === 0 || this.#terms.some((term) => this.#table.meets('present', labels, hostname, term))) &&
      this.#tolerates(taints)
    )
  }

  /** Whether a node yet to be launched with these labels could meet what is asked of labels. */
  mayMatch(labels: RequirementSet): boolean {
    return this.#terms.length === 0 || this.#terms.some((term) => this.#table.meets('future', labels, unnamed, term))
  }

  #tolerates(taints: ReadonlyArray<Taint>): boolean {
    if (this.#tolerations === undefined || taints.length === 0) return true
    const known = this.#tolerated.get(taints)
    if (known !== undefined) return known
    const verdict = Taints.areTolerated(taints, this.#tolerations)
    this.#tolerated.set(taints, verdict)
    return verdict
  }
}
