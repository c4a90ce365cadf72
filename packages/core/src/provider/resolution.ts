import type { JsonObject } from '../instance/index.ts'
import type { Labels } from '../labels/index.ts'
import type { Requirements } from '../requirements/index.ts'
import type { LaunchFailure } from './launch.ts'
import type { ProviderError } from './provider-error.ts'

/** A NodeClass and the NodePools that use it. */
export interface ResolveInput<C> {
  readonly nodeClass: C
  readonly nodePools: ReadonlyArray<{
    readonly name: string
    readonly labels: Labels
    readonly requirements: Requirements
  }>
}

/** What a NodeClass names, found or missing; the shell writes it as one patch. */
export interface Resolution {
  /** All fields of the status but its conditions, whole. */
  readonly status: JsonObject
  /** All that Ready depends on; `unchanged` keeps verdict and generation. */
  readonly conditions: Readonly<
    Record<
      string,
      | { readonly status: 'True' | 'False' | 'Unknown'; readonly reason?: string; readonly message?: string }
      | 'unchanged'
    >
  >
  /** Steps that erred. The rest stands; the shell tries again with back-off. */
  readonly failures?: ReadonlyArray<ProviderError>
  /** Absent: asked again when the NodeClass, its NodePools or the ClusterFacts change. */
  readonly recheckAfterMs?: number
}

export type DriftVerdict =
  | { readonly _tag: 'InSync' }
  | { readonly _tag: 'Drifted'; readonly reason: string; readonly message?: string }
  | { readonly _tag: 'Unknown'; readonly message: string }

/** Whether the cloud's side of a launched claim agrees with the cluster's. */
export type Convergence =
  /** Labels and annotations go to claim and Node. */
  | { readonly _tag: 'Converged'; readonly labels?: Labels; readonly annotations?: Labels }
  /** The create did not succeed after all; the shell takes the marks, reports, and ends claim and instance. */
  | { readonly _tag: 'Failed'; readonly failure: LaunchFailure }
  | {
      readonly _tag: 'Pending'
      readonly reason: string
      readonly retryAfterMs: number
      readonly blocksRegistration?: true
    }
