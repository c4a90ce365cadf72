import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Pod } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import type { Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { Requirements } from '../requirements/index.ts'
import type { Taint } from '../taints/index.ts'
import type { Rejection } from './rejection.ts'

/**
 * Whose decisions to make.
 *
 * `reference` reproduces Karpenter's, overshoots included. `first-fit` is the same with the corrections of
 * docs/differences-from-karpenter.md.
 */
export type Strategy = 'reference' | 'first-fit'

export interface ProvisioningOptions {
  readonly strategy: Strategy
  /** `strict` defers pods that could use a reservation already spoken for; `fallback` buys otherwise (P-PRV-05). */
  readonly reservedOfferings: 'strict' | 'fallback'
}

/** What to buy and where pods go. A value: nothing has happened yet. */
export interface ProvisioningPlan {
  readonly launches: ReadonlyArray<Launch>
  /** Pods that fit nodes that exist or are already coming, ordered by node name. */
  readonly placements: ReadonlyArray<Placement>
  /** Pods with no place, each with its reasons, by namespace and name. */
  readonly rejections: ReadonlyArray<Rejection>
  /** Set where nothing was tried: then every pod is rejected for that reason (P-PRV-06). */
  readonly failure?: 'NoNodePools'
  /** NodePools that took no part, because no instance type meets what they ask for (P-SCH-04); absent: none. */
  readonly barrenNodePools?: ReadonlyNonEmptyArray<string>
  readonly stats: ProvisioningStats
}

/** A NodeClaim to be created. */
export interface Launch {
  readonly nodePool: string
  readonly pods: ReadonlyNonEmptyArray<Pod>
  /** Placeholder hostname removed, reservations pinned, capacity types narrowed to those on offer (P-FIN-01, P-FIN-03). */
  readonly requirements: Requirements
  /** Types the claim may become, cheapest first, at most 600. */
  readonly instanceTypes: ReadonlyNonEmptyArray<InstanceType>
  /** Requests of the pods and the least overhead of daemons on any of the types (P-DMN-07). */
  readonly requests: ResourceList
  readonly taints: ReadonlyArray<Taint>
  readonly startupTaints: ReadonlyArray<Taint>
  /** Labels of the claim: those of the template and of custom requirements (P-FIN-02, P-FIN-04). */
  readonly labels: Labels
  readonly annotations: Labels
  /** The cheapest offering that can be launched; absent when no compatible offering has a price. */
  readonly pricePerHour?: number
}

/** Pods to wait for one node. */
export interface Placement {
  readonly node: string
  readonly pods: ReadonlyNonEmptyArray<Pod>
}

export interface ProvisioningStats {
  readonly pods: number
  /** Distinct pod classes: pods that every constraint treats alike. */
  readonly classes: number
  /** Placement attempts, the unit of `step`. */
  readonly attempts: number
  /** Pods that had a soft constraint relaxed. */
  readonly relaxedPods: ReadonlyArray<string>
}
