import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { NodePool } from '../cluster/index.ts'
import type { Requirements } from '../requirements/index.ts'
import type { Launch } from '../scheduling/index.ts'
import type { DisruptionReason } from './budget.ts'

/** The ways of finding something to take away, in the order in which they are tried (D-LOOP-02). */
export const disruptionMethods = [
  'emptiness',
  'static-drift',
  'drift',
  'multi-node-consolidation',
  'single-node-consolidation',
] as const
export type DisruptionMethod = (typeof disruptionMethods)[number]

/** What to take away, what to put in its place first, and why the rest stays. */
export interface DisruptionPlan {
  /** The method that found the commands; absent where none did. */
  readonly method?: DisruptionMethod
  readonly commands: ReadonlyArray<DisruptionCommand>
  /** Every managed node that no command names, with the reason that binds. Ordered by node name. */
  readonly blocked: ReadonlyArray<BlockedNode>
  /** What would be saved now if nothing were done against churn; empty where that costs nothing. */
  readonly forgone: ReadonlyArray<ForgoneSaving>
  readonly stats: DisruptionStats
}

/** Nodes that stay for the sake of pods that would be moved again, and what that costs. */
export interface ForgoneSaving {
  readonly nodes: ReadonlyNonEmptyArray<string>
  /** **Units**: currency per hour. */
  readonly savingsPerHour: number
  /** The rule of the README under which they stay. */
  readonly rule: 'RecentlyMoved' | 'ReplacementWouldGo' | 'WouldBeBoughtAgain'
}

/** One decision: these nodes go, after these replacements are up. */
export interface DisruptionCommand {
  readonly reason: DisruptionReason
  readonly candidates: ReadonlyNonEmptyArray<Candidate>
  readonly replacements: ReadonlyArray<Replacement>
  /** Set: no dearer type was allowed when the replacements were planned, so that they are filled better. */
  readonly mostPricePerHour?: number
  /** Set: the nodes go before their replacement can come, because nothing else makes room for it. */
  readonly terminateFirst?: TerminateFirstReason
  /** **Units**: currency per hour. */
  readonly savingsPerHour: number
  /** What it is worth to each NodePool that it touches; of consolidation only. */
  readonly scores?: ReadonlyArray<PoolScore>
}

/** What a NodePool costs, and what emptying all its nodes would (D-BAL-04, D-BAL-05). */
export interface PoolTotals {
  readonly pricePerHour: number
  readonly disruption: number
}

/** What a command is worth to one NodePool. */
export interface PoolScore {
  readonly nodePool: string
  readonly policy: NodePool['disruption']['consolidationPolicy']
  /** How many of its nodes go. */
  readonly nodes: number
  /** Savings and disruption of its nodes beside its totals; only a Balanced NodePool weighs them. */
  readonly balance?: {
    readonly score: number
    readonly savings: number
    readonly disruption: number
    readonly total: PoolTotals | undefined
  }
}

/** A node that takes the place of others: planned for their pods, or one more of a static NodePool. */
export type Replacement = Launch | StaticReplacement

/** One more node of a NodePool that keeps a fixed number of them; the provider chooses its type. */
export interface StaticReplacement {
  readonly nodePool: string
  readonly requirements: Requirements
  readonly instanceTypes?: undefined
}

/** The slot in a full reservation that the node holds is the only one its replacement could take, or the pool is at its limit. */
export type TerminateFirstReason = 'no-reserved-capacity' | 'static-at-limit'

/** A node that a command takes away. */
export interface Candidate {
  readonly node: string
  readonly claim: string
  readonly nodePool: string
  readonly pricePerHour: number
  readonly rescheduleCost: number
}

export interface BlockedNode {
  readonly node: string
  readonly nodePool: string | undefined
  readonly reason: BlockedReason
}

/** Why a node stays. The first that applies, in this order. */
export type BlockedReason =
  /** A command under way takes the node already (D-CAND-02). */
  | { readonly _tag: 'InFlight' }
  | { readonly _tag: 'NoClaim' | 'NoNode' | 'NotInitialized' | 'Deleting' | 'DoNotDisrupt' | 'StaticNodePool' }
  | { readonly _tag: 'Nominated'; readonly untilMs: number }
  | { readonly _tag: 'NodePoolNotFound'; readonly nodePool: string | undefined }
  | { readonly _tag: 'PodDoNotDisrupt'; readonly pod: string }
  | { readonly _tag: 'PodDisruptionBudget'; readonly pod: string; readonly budgets: ReadonlyNonEmptyArray<string> }
  /** `consolidateAfter: Never`. */
  | { readonly _tag: 'ConsolidationDisabled'; readonly nodePool: string }
  | { readonly _tag: 'NotEmpty'; readonly pods: number }
  /** Pods came or went too recently. */
  | { readonly _tag: 'NotConsolidatable' }
  /** Nothing was tried: there is no NodePool that could take pods (D-SIM-11). */
  | { readonly _tag: 'NoNodePools' }
  /** What the node costs cannot be told: its type is none of the NodePool's, or it lacks a label (D-CONS-01). */
  | { readonly _tag: 'InstanceTypeUnknown'; readonly instanceType: string | undefined }
  | { readonly _tag: 'LabelMissing'; readonly label: string }
  /** The NodePool takes away empty nodes only. */
  | { readonly _tag: 'OnlyWhenEmpty'; readonly nodePool: string }
  /** Pods that would have no place elsewhere, at most five of `total` (D-SIM-08). */
  | { readonly _tag: 'PodsWithoutPlace'; readonly pods: ReadonlyNonEmptyArray<string>; readonly total: number }
  /** A pod would go to a node that has not finished starting (D-SIM-07). */
  | { readonly _tag: 'NeedsUninitializedNode'; readonly pod: string; readonly node: string }
  /** The pods would need this many new nodes, more than consolidation buys: one under `reference`, ten else (D-CONS-04, W-04). */
  | { readonly _tag: 'NeedsSeveralNodes'; readonly nodes: number }
  /** No type that would do is sure to cost less (D-CONS-06). */
  | { readonly _tag: 'NotCheaper'; readonly pricePerHour: number; readonly cheapestPerHour?: number }
  /** The cheaper types that are left fail a requirement's minValues (D-CONS-07). */
  | { readonly _tag: 'MinValuesUnmetIfCheaper'; readonly keys: ReadonlyArray<string> }
  /** Spot nodes are not replaced by spot nodes: the feature gate is off (D-SPOT-01). */
  | { readonly _tag: 'SpotToSpotDisabled' }
  /** Too few cheaper types for a spot node to be replaced by another (D-SPOT-04). */
  | { readonly _tag: 'SpotToSpotInflexible'; readonly types: number; readonly needed: number }
  /** A Balanced NodePool: the savings are too small for the disruption (D-BAL-02). */
  | { readonly _tag: 'NotWorthwhile'; readonly nodePool: string; readonly score: number; readonly threshold: number }
  /** Every node of the NodePool that may go now waits until there are no more than `replicas` (D-SDRIFT-02). */
  | { readonly _tag: 'AboveReplicas'; readonly nodePool: string; readonly nodes: number; readonly replicas: number }
  /** The NodePool is at its limit on nodes, so that nothing can be put in the node's place (D-SDRIFT-03). */
  | { readonly _tag: 'AtNodeLimit'; readonly nodePool: string }
  /** The only capacity that the NodePool may use is in reservations, and they are full. */
  | { readonly _tag: 'ReservationsFull'; readonly nodePool: string }
  /** Pods on it were moved a short while ago, and would have to move again. */
  | { readonly _tag: 'RecentlyMoved'; readonly pod: string; readonly untilMs: number }
  /** What would take its place could itself be done without at once: the pods would move twice. */
  | { readonly _tag: 'ReplacementWouldGo'; readonly nodes: ReadonlyNonEmptyArray<string> }
  /** Nobody minds its pods being moved, but they have no place elsewhere: a node like it would be bought for them. */
  | { readonly _tag: 'WouldBeBoughtAgain'; readonly pod: string }
  /** A replacement must be up before the node goes, and the limits of the NodePools leave no room for both. */
  | { readonly _tag: 'LimitWhileReplacing'; readonly nodePools: ReadonlyNonEmptyArray<string> }
  /** Other nodes go first; this one is looked at again in the next pass. */
  | { readonly _tag: 'OthersFirst'; readonly method: DisruptionMethod }
  | { readonly _tag: 'Budget'; readonly nodePool: string; readonly allowed: number; readonly consumed: number }

export interface DisruptionStats {
  readonly nodes: number
  readonly candidates: number
  /** How many nodes each method that was tried could take, before budgets and simulations. */
  readonly eligible: ReadonlyArray<{ readonly method: DisruptionMethod; readonly nodes: number }>
  /** Sets of nodes that were tried without. */
  readonly simulations: number
  /** How far the search for several nodes got; absent where there was none. */
  readonly search?: SearchProgress
}

/** How far the search past prefixes got. */
export interface SearchProgress {
  /** Sets of nodes that it looked at, and the most that it may. */
  readonly looks: number
  readonly mostLooks: number
  /** Pods that it placed in all of them, and the most that it may. */
  readonly pods: number
  readonly mostPods: number
  /** Whether it ended by itself, not at one of the two bounds. */
  readonly isComplete: boolean
}
