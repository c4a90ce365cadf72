import type { Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { RequirementSpec } from '../requirements/index.ts'
import type { Taint } from '../taints/index.ts'
import type { NodeClassReference } from './node-pool.ts'
import type { Pod } from './pod.ts'

/**
 * A machine as the cluster knows it: a Node, a NodeClaim that has no Node yet, or both joined by provider id.
 *
 * Which side speaks for labels, taints and resources changes as the node starts; `StateNodes` holds those rules.
 */
export interface StateNode {
  /** The Node's name; the NodeClaim's until there is a Node. */
  readonly name: string
  readonly providerId: string
  readonly node?: NodeState
  readonly claim?: ClaimState
  /** Whether a NodeClaim of a supported NodeClass stands behind it. */
  readonly isManaged: boolean
  /** Explicitly marked, or its claim (or, unmanaged, its Node) is being deleted (P-CST-04). */
  readonly isMarkedForDeletion: boolean
  /** Until then a pending pod is expected to land here, and disruption leaves the node alone (P-CST-06). */
  readonly nominatedUntilMs?: number
  /** Pods bound to the node, those of DaemonSets and terminal ones included. */
  readonly pods: ReadonlyArray<Pod>
  /** CSI driver → volumes that can be attached; a driver not named has the limit of its instance type, if any (P-VLM-02). */
  readonly volumeLimits: ReadonlyMap<string, number>
  /** Placeholders of CapacityBuffers that the last pass put here: such a node is not empty (P-CBC-08). */
  readonly bufferPods?: number
}

/** What is read of a Node. */
export interface NodeState {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly taints: ReadonlyArray<Taint>
  readonly capacity: ResourceList
  readonly allocatable: ResourceList
  readonly isUnschedulable: boolean
  readonly providerId?: string
  readonly finalizers: ReadonlyArray<string>
  /** UIDs of the owners, so that a claim can see whether the Node is already its own. */
  readonly ownerUids: ReadonlyArray<string>
  readonly kubeletVersion: string
  readonly createdAtMs: number
  readonly deletionTimestampMs?: number
  readonly conditions: ReadonlyArray<Condition>
}

/** What is read of a NodeClaim. */
export interface ClaimState {
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly resourceVersion: string
  readonly finalizers: ReadonlyArray<string>
  readonly providerId?: string
  readonly nodeName?: string
  readonly imageId?: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly nodeClass: NodeClassReference
  readonly requirements: ReadonlyArray<RequirementSpec>
  readonly requests: ResourceList
  readonly taints: ReadonlyArray<Taint>
  readonly startupTaints: ReadonlyArray<Taint>
  readonly capacity: ResourceList
  readonly allocatable: ResourceList
  readonly createdAtMs: number
  readonly deletionTimestampMs?: number
  readonly expireAfterMs?: number
  readonly terminationGracePeriodMs?: number
  readonly lastPodEventAtMs?: number
  readonly conditions: ReadonlyArray<Condition>
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastTransitionAtMs: number
  readonly observedGeneration?: number
}
