import type { ResourceList } from '../quantity/index.ts'
import type { Condition } from './state-node.ts'

/** Room that is to be kept free for pods to come, as planners read it. */
export interface CapacityBuffer {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly createdAtMs: number
  /** Where the shape of one unit comes from; absent: nowhere, which the API allows. */
  readonly source?: BufferSource
  readonly replicas?: number
  /** Of the workload's replicas. */
  readonly percentage?: number
  /** How much all units together may request. */
  readonly limits?: ResourceList
  /** As written; every value counts as active capacity (P-CBC-04). */
  readonly provisioningStrategy: string
  readonly conditions: ReadonlyArray<Condition>
}

export type BufferSource =
  | { readonly _tag: 'PodTemplate'; readonly name: string }
  | { readonly _tag: 'Scalable'; readonly apiGroup: string; readonly kind: string; readonly name: string }
