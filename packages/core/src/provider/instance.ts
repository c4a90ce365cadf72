import type { InstanceType } from '../instance/index.ts'
import type { Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { NodeClaimFacts, NodeFacts } from './cluster-facts.ts'

/**
 * A machine as its cloud knows it.
 *
 * The shell derives a claim's labels, capacity and allocatable from type and offering (`launchedFacts`); `labels` and
 * `capacity` hold what differs or adds, and a zero removes.
 */
export interface Instance<D = unknown> {
  /** As the Node will state it. */
  readonly providerId: string
  /** Other ids that the cloud's messages use. */
  readonly aliases?: ReadonlyArray<string>
  readonly phase: 'pending' | 'running' | 'stopped' | 'terminating'
  /** Unknown: since the shell first saw it. */
  readonly launchedAtMs?: number
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: 'on-demand' | 'spot' | 'reserved'
  readonly imageId?: string
  /** Read back from tags. */
  readonly owner: { readonly nodePool?: string; readonly nodeClass?: string; readonly nodeClaim?: string }
  readonly labels?: Labels
  /** Stamped on the claim at launch. */
  readonly annotations?: Labels
  readonly capacity?: ResourceList
  /** What `drift` and `converge` look at; the shell carries it and never looks in. */
  readonly details?: D
}

/** Which instance a call is about. Without a claim it is an orphan. */
export interface InstanceRef {
  readonly providerId: string
  readonly claim?: NodeClaimFacts
}

/** What `list` found, and what it found but could not read. */
export interface InstanceList<D> {
  readonly instances: ReadonlyArray<Instance<D>>
  readonly unreadable: ReadonlyArray<{ readonly providerId?: string; readonly message: string }>
}

/** A launched claim with everything known about it. */
export interface ManagedInstance<C, D> {
  readonly claim: NodeClaimFacts
  readonly nodeClass: C
  readonly instance: Instance<D>
  readonly type?: InstanceType
  readonly node?: NodeFacts
}
