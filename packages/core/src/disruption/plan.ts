import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Launch } from '../scheduling/index.ts'
import type { DisruptionReason } from './budget.ts'

/** What to take away, what to put in its place first, and why the rest stays. */
export interface DisruptionPlan {
  readonly commands: ReadonlyArray<DisruptionCommand>
  /** Every managed node that no command names, with the reason that binds. Ordered by node name. */
  readonly blocked: ReadonlyArray<BlockedNode>
  readonly stats: DisruptionStats
}

/** One decision: these nodes go, after these replacements are up. */
export interface DisruptionCommand {
  readonly reason: DisruptionReason
  readonly candidates: ReadonlyNonEmptyArray<Candidate>
  readonly replacements: ReadonlyArray<Launch>
  /** **Units**: currency per hour. */
  readonly savingsPerHour: number
}

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
  | { readonly _tag: 'Budget'; readonly nodePool: string; readonly allowed: number; readonly consumed: number }

export interface DisruptionStats {
  readonly nodes: number
  readonly candidates: number
}
