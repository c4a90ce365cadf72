import type { ClaimState, ConditionChange, NodeState } from '../cluster/index.ts'
import type { Labels } from '../labels/index.ts'
import type { Taint } from '../taints/index.ts'

/** What is known of a NodeClaim when its next step is decided. */
export interface ClaimInput {
  readonly nowMs: number
  readonly claim: ClaimState
  /** Every Node whose provider id is the claim's. */
  readonly nodes: ReadonlyArray<NodeState>
  /** What the provider still waits for before the node may count as registered, by name (P-CPI-03). */
  readonly pendingHooks: ReadonlyArray<string>
}

/** One effect. Each is idempotent: doing it twice leaves what doing it once leaves. */
export type ClaimAction =
  | { readonly _tag: 'AddFinalizer' }
  /** Ask the provider for an instance; the claim's UID is the token. */
  | { readonly _tag: 'Launch' }
  | { readonly _tag: 'SyncNode'; readonly sync: NodeSync }
  | { readonly _tag: 'LabelInitialized'; readonly node: string }
  | {
      readonly _tag: 'SetConditions'
      readonly changes: ReadonlyArray<ConditionChange>
      readonly nodeName?: string
      /** The Node is about to become ready, and nothing hangs on it that the claim says so far: that may wait a moment. */
      readonly isInterim?: true
    }
  | { readonly _tag: 'DeleteClaim'; readonly reason: 'launch_timeout' | 'registration_timeout' }
  | { readonly _tag: 'StampTerminationTime'; readonly atMs: number }
  | { readonly _tag: 'DeleteNode'; readonly node: string }
  /** Ask the provider to end the instance; when it is gone the finalizer goes, too. */
  | { readonly _tag: 'TerminateInstance'; readonly providerId: string }
  | { readonly _tag: 'RemoveFinalizer' }

/** What to do now, in order, and when to look again if nothing happens before. */
export interface ClaimStep {
  readonly actions: ReadonlyArray<ClaimAction>
  readonly requeueAfterMs?: number
}

/** What a Node must look like to belong to its claim; whole values, so that applying it twice changes nothing. */
export interface NodeSync {
  readonly node: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly taints: ReadonlyArray<Taint>
  readonly finalizers: ReadonlyArray<string>
  /** Whether the claim has still to be added to the Node's owners. */
  readonly needsOwner: boolean
  /** The Node had neither mark of a node that waits for us: pods may have been placed before its taints (L-REG-02). */
  readonly unregisteredTaintMissing: boolean
}
